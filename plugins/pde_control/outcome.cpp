#include "outcome.hpp"

#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>

namespace pde_control {

void refuse_bounds(const ControlSystem& system, const char* method) {
  if (system.has_bounds())
    throw Unsupported(std::string(method) +
                      " takes no bounds of the control; "
                      "'primal-dual-active-set' does. This is " +
                      system.program().description());
}

void describe_end(CollectiveSolver::End end, Verdict verdict, std::int64_t cycles, double residual,
                  double tolerance, Report& report) {
  using End = CollectiveSolver::End;
  const std::string numbers = "residual " + short_number(residual) + ", tolerance " +
                              short_number(tolerance) + " after " + std::to_string(cycles) +
                              " cycles";
  switch (end) {
    case End::solved:
      report.status = Status::converged;
      report.reason = numbers;
      return;
    case End::limit:
      report.status = Status::max_iterations;
      report.reason = "the limit of iterations: " + numbers;
      return;
    case End::stopped:
      report.status = status_of(verdict);
      report.reason = "stopped: " + numbers;
      return;
    case End::stagnated:
      report.status = Status::stagnated;
      report.reason = "ten cycles did not halve the residual: " + numbers;
      return;
    case End::non_finite:
      report.status = Status::non_finite;
      report.reason = "the residual is not finite after " + std::to_string(cycles) + " cycles";
      return;
  }
}

}  // namespace pde_control
