#pragma once

#include <cstdint>
#include <libsolve/linear/linear_solver.hpp>
#include <string>
#include <vector>

namespace libsolve {

/// The systems B x = b of time steps by a LinearSolver: what is not solved becomes NaN, so that a run
/// ends up with an objective that methods refuse.
class LIBSOLVE_EXPORT StepSolver {
 public:
  /// A solve that ends above the solver's own tolerance is taken up to a relative residual `accepted`:
  /// close to rounding a solver may stop short of what it was asked for.
  explicit StepSolver(std::shared_ptr<LinearSolver> solver, double accepted = 1e-10)
      : solver_(std::move(solver)), accepted_(accepted) {}

  /// x = B^-1 b from the x given; NaN where that fails.
  void solve(const std::shared_ptr<const LinearOperator>& B, const Vector& b, const Vector& x);

  std::int64_t iterations() const noexcept { return iterations_; }
  std::int64_t failures() const noexcept { return failures_; }
  /// Why the first failure since the last solve that worked was one; "" where that was the last.
  const std::string& fault() const noexcept { return fault_; }
  /// For reports: "krylov_iterations" (each with one application of the preconditioner), "setups" (of
  /// another B than before), and "failed_solves" where there are any.
  std::vector<Measure> work_counts() const;

 private:
  std::shared_ptr<LinearSolver> solver_;
  double accepted_;
  Vector r_;
  std::shared_ptr<const LinearOperator> last_;  ///< held, so that its address is not given again
  std::string fault_;
  std::int64_t iterations_ = 0, setups_ = 0, failures_ = 0;
};

}  // namespace libsolve
