#include <libsolve/core/report.hpp>
#include <limits>

namespace libsolve {

std::string_view to_string(Status status) {
  switch (status) {
    case Status::converged: return "converged";
    case Status::max_iterations: return "max_iterations";
    case Status::time_limit: return "time_limit";
    case Status::interrupted: return "interrupted";
    case Status::stagnated: return "stagnated";
    case Status::breakdown: return "breakdown";
    case Status::diverged: return "diverged";
    case Status::infeasible: return "infeasible";
    case Status::unbounded: return "unbounded";
    case Status::non_finite: return "non_finite";
  }
  return "unknown";
}

double Report::value(std::string_view name) const {
  for (const auto* list : {&measures, &seconds, &counts, &metrics})
    for (const Measure& m : *list)
      if (m.name == name) return m.value;
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace libsolve
