#pragma once

#include <libsolve/linear/stencil_operator.hpp>
#include <libsolve/pde/parameter_estimation.hpp>
#include <memory>

#include "block_solver.hpp"
#include "reduced_newton_cg.hpp"

namespace reduced_newton {

/// J(m) = f(y(m), m) with its derivatives on one grid. Of the states, adjoints and parameters the
/// caller keeps the vectors.
class ReducedProblem {
 public:
  ReducedProblem(const ParameterEstimation& problem, const ReducedNewtonOptions& options,
                 const Context& context);

  const Grid& grid() const { return A_.grid(); }
  const GridPartition& grid_partition() const { return A_.grid_partition(); }
  int num_sources() const { return functions_; }
  Vector make_block(const char* label) const { return Vector(label, block_); }
  Vector make_parameter(const char* label) const { return Vector(label, cells_); }
  SolveCounts counts = {};

  /// Of A and everything below.
  void set_parameter(const Vector& m);
  /// From the y or p given; the largest relative residual left. Counted where that is above the
  /// tolerance, in products with H too.
  double solve_state(const Vector& y, double tolerance);
  double solve_adjoint(const Vector& y, const Vector& p, double tolerance);
  double objective(const Vector& m, const Vector& y) const;
  double misfit(const Vector& y) const { return problem_.misfit(y.view()); }
  /// g = R (m - m_r) + d(p^T A y)/dm.
  void gradient(const Vector& m, const Vector& y, const Vector& p, const Vector& g) const;
  /// Hv at (y, p), and w, the derivative of the states along v. Gauss-Newton's H leaves p out.
  void hessian(const Vector& y, const Vector& p, const Vector& v, bool gauss_newton,
               const Vector& Hv, const Vector& w);
  /// z = (R + shift)^-1 r, about.
  void apply_prior(const Vector& r, const Vector& z) { prior_->apply(r, z); }
  /// Of a derivative with respect to m: hardly changed by the grid.
  double dual_norm(const Vector& g) const;
  double density() const { return problem_.density(); }

 private:
  double solve(const Vector& b, const Vector& x, double tolerance);

  const ParameterEstimation& problem_;
  const ReducedNewtonOptions& options_;
  LogDiffusion A_;
  int functions_;
  Partition cells_, block_;
  BlockSolver solver_;
  StencilOperator R_;
  std::shared_ptr<const StencilOperator> prior_operator_;
  std::unique_ptr<Preconditioner> prior_;
  Vector sources_, reference_;
  Vector rhs_, work_, adjoint_, difference_, term_;
};

}  // namespace reduced_newton
