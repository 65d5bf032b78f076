#pragma once

#include <cstdint>
#include <libsolve/core/export.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace libsolve {

/// Why a method stopped.
enum class Status {
  converged,       ///< the deciding measure, recomputed from the problem, met the tolerance
  max_iterations,  ///< the iteration limit came first
  time_limit,      ///< the monitor's time limit came first
  interrupted,     ///< a signal or the caller asked to stop
  stagnated,       ///< no progress is possible any more at this precision
  breakdown,       ///< a quantity the method divides by vanished or has the wrong sign
  diverged,        ///< the measure grew beyond the method's limit
  infeasible,
  unbounded,
  non_finite,      ///< NaN or infinity was met
};

/// "converged", "max_iterations", ...: the spelling in results files and JSON.
LIBSOLVE_EXPORT std::string_view to_string(Status status);

/// A named number with its unit ("" = dimensionless).
struct Measure {
  std::string name = {};
  double value = 0.0;
  std::string unit = {};
};

/// What a method did. Returned by value, new for each solve.
struct [[nodiscard]] Report {
  Status status = Status::breakdown;
  std::string reason = {};  ///< one line, with numbers; never empty
  std::int64_t iterations = 0;
  std::vector<Measure> measures = {};   ///< final measures, recomputed: "relative_residual", ...
  std::vector<Measure> seconds = {};    ///< wall time by phase: "setup", "solve"
  std::vector<Measure> counts = {};     ///< "operator_applications", "preconditioner_applications", ...
  std::vector<Measure> metrics = {};    ///< anything else worth keeping: "memory_bytes", levels, ...
  std::vector<std::string> notes = {};  ///< what the user should know: a switch to another variant, ...

  bool converged() const noexcept { return status == Status::converged; }
  /// Value by name from measures, seconds, counts, metrics in that order; NaN when absent.
  LIBSOLVE_EXPORT double value(std::string_view name) const;
};

}  // namespace libsolve
