#pragma once

#include <functional>
#include <libsolve/plugin/registry.hpp>
#include <libsolve/run/exit_code.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace libsolve {
class Runtime;
struct LoadedCase;
struct RunOutcome;
}  // namespace libsolve

/// What the subcommands of the program share. Each one has a file of its own.
namespace app {

/// Options that stand before or after any subcommand.
struct Global {
  std::vector<std::string> plugins;  ///< --plugin FILE
  std::vector<std::string> kokkos;   ///< --kokkos-..., handed to Kokkos
  std::string command;               ///< the command line, for the record
};

struct RunArguments {
  std::string case_file;
  std::vector<std::string> overrides;  ///< --set, --output, --time-limit
  bool resume = false;
  bool json = false;
  bool triad = false;
  bool quiet = false;
};

struct CompareArguments {
  std::string case_file;
  std::string methods;                 ///< "cg+multigrid,hypre-pfmg"
  std::vector<std::string> overrides;  ///< --set, --output, --time-limit
  int repeat = 1;
  bool json = false;
  bool quiet = false;
};

struct CheckArguments {
  std::string case_file;
  std::vector<std::string> overrides;
  bool check_operator = false;
  bool check_derivatives = false;
  bool resolved = false;
};

/// libsolve PROBLEM -AMPL [key=value ...]
struct AmplArguments {
  std::string problem;                   ///< with or without .nl
  std::vector<std::string> assignments;  ///< in order, those of $libsolve_options first
};
/// What stands in the command line of a modelling language; throws InputError.
AmplArguments ampl_arguments(const std::vector<std::string>& arguments);

int run(const Global& global, const RunArguments& arguments);
/// Solves the problem as AMPL and Pyomo call a solver: writes PROBLEM.sol, prints one line. 0 where
/// the file was written, however the solve ended.
int ampl(const Global& global, const AmplArguments& arguments);
/// The line by which Pyomo knows an AMPL solver and its version.
int ampl_version();
int train(const Global& global, const RunArguments& arguments);
int compare(const Global& global, const CompareArguments& arguments);
int check(const Global& global, const CheckArguments& arguments);
int list(const Global& global, bool json);
int describe(const Global& global, const std::string& name, const std::string& kind, bool json);
int inspect(const std::string& file, bool json);
int plot(const std::string& file, const std::string& output);
int version(bool json);

/// True in the one process of a job that speaks, before MPI is up: launchers leave their rank in
/// the environment.
bool is_first_process();
/// True where a launcher started this process as one of several.
bool is_one_of_several();

/// Says on standard error, once per job, what went wrong, and returns the exit code for it. To be
/// called in a catch block.
int report_exception();

/// report_exception() without the speaking: what to say, and the exit code.
int classify_exception(std::string& text);

/// MPI and Kokkos as the command line and the case want them.
std::unique_ptr<libsolve::Runtime> make_runtime(const Global& global,
                                                const libsolve::LoadedCase& loaded);

/// Runs `body`, which says how many ranks it found, and returns its exit code, or says what was
/// thrown (as one JSON object, too, where asked for) and returns the code for that.
int run_guarded(bool json, const std::function<libsolve::ExitCode(int& ranks)>& body);

/// Prints what a run or a training came to, as one JSON object where asked for; on one rank.
/// `steps`: what its iterations are called.
void print_outcome(const libsolve::RunOutcome& outcome, const char* steps, bool json, bool quiet);

/// Says where the results are, unless `quiet`, or why they could not be written; on one rank.
void print_results(const std::string& path, const std::string& error, bool quiet);

/// Keeps Open MPI from starting a daemon beside a process that no launcher started: 0.3 s and files
/// in /tmp that only MPI_Comm_spawn would need. To be called before the Runtime.
void settle_mpi();

/// Sets OMP_PROC_BIND and OMP_PLACES where the user has not, and starts the program anew where they
/// have to be there when the OpenMP runtime is loaded. Threads are bound only where this process
/// may expect to have all its cores to itself; `argv` null: never, only Kokkos' warning is stilled.
void settle_openmp(char** argv);

}  // namespace app
