#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <libsolve/core/linear_operator.hpp>
#include <libsolve/run/case.hpp>
#include <libsolve/run/exit_code.hpp>
#include <libsolve/run/progress.hpp>

namespace libsolve {

/// What a run is given beside its case.
struct RunSettings {
  Communicator comm = {};
  /// Where the time limit counts from: the start of the program, if the program knows better.
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  const std::atomic<int>* stop_flag = nullptr;  ///< set by a signal handler to the signal's number
  Progress* progress = nullptr;
  bool resume = false;         ///< start from the solution of an earlier results file or snapshot
  bool measure_triad = false;  ///< add "td" and "triad_bandwidth" to the metrics
  std::string command = {};    ///< for the record
  bool write_results = true;   ///< false: neither results nor snapshots, output.file is not looked at
  /// Called with the solved problem before the results are written.
  std::function<void(const Problem&, const Report&)> on_solved = {};
};

/// How a run ended. The solution is in the results file.
struct RunOutcome {
  ExitCode exit_code = ExitCode::failure;
  std::string problem = {};
  Report report = {};             ///< measures recomputed by the problem, metrics with speed
  std::string results_path = {};  ///< "" where they could not be written
  std::string error = {};         ///< why they could not be written
};

/// Runs a case: creates the problem and the method, solves under a monitor (history, time limit,
/// stop flag, snapshots), recomputes the deciding measures, writes the results. Collective over
/// settings.comm. Input that turns out bad on the way is an exception (InputError, PluginError,
/// DataError, Unsupported, ...); results that could not be written are not: exit code 6, `error`.
LIBSOLVE_EXPORT RunOutcome run_case(const Case& c, const Registry& registry,
                                    const RunSettings& settings);

/// What the results file says of where and with what this process runs.
LIBSOLVE_EXPORT EnvironmentRecord environment_record(const Communicator& comm,
                                                     const std::string& command);

/// Largest |<A x, y> - <x, A y>| / (|A x| |y|) over `trials` pairs of random vectors: at rounding
/// level for a symmetric A. Unsupported unless A is square.
LIBSOLVE_EXPORT double symmetry_defect(const LinearOperator& A, std::uint64_t seed, int trials);

}  // namespace libsolve
