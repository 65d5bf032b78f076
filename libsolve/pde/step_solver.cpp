#include <cmath>
#include <libsolve/core/monitor.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/pde/step_solver.hpp>
#include <limits>

namespace libsolve {

void StepSolver::solve(const std::shared_ptr<const LinearOperator>& B, const Vector& b,
                       const Vector& x) {
  if (B != last_) {
    last_ = B;
    ++setups_;
  }
  LinearSystem system(B, b, x);
  const Report report = solver_->solve(system, Monitor::none());
  iterations_ += report.iterations;
  if (report.converged()) return fault_.clear();
  if (r_.data() == nullptr) r_ = b.like("pde::step_residual");
  const double residual = std::sqrt(B->residual(b, x, r_));
  if (residual <= accepted_ * norm2(b)) return fault_.clear();
  ++failures_;
  if (fault_.empty())  // later ones are of the NaN that this one leaves
    fault_ = "the system of a time step was not solved: " + report.reason;
  fill(x, std::numeric_limits<double>::quiet_NaN());
}

std::vector<Measure> StepSolver::work_counts() const {
  std::vector<Measure> counts = {{"krylov_iterations", static_cast<double>(iterations_)},
                                 {"setups", static_cast<double>(setups_)}};
  if (failures_ > 0) counts.push_back({"failed_solves", static_cast<double>(failures_)});
  return counts;
}

}  // namespace libsolve
