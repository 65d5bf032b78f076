#include <libsolve/run/exit_code.hpp>

namespace libsolve {

ExitCode exit_code_of(Status status) noexcept {
  switch (status) {
    case Status::converged:
      return ExitCode::converged;
    case Status::max_iterations:
    case Status::time_limit:
    case Status::stagnated:
    case Status::infeasible:
    case Status::unbounded:
      return ExitCode::not_converged;
    case Status::breakdown:
    case Status::diverged:
    case Status::non_finite:
      return ExitCode::breakdown;
    case Status::interrupted:
      return ExitCode::interrupted;
  }
  return ExitCode::failure;
}

}  // namespace libsolve
