/// \file
/// Derivatives of a solved entropic transport problem by implicit differentiation: Pena et al.,
/// Re-basin via implicit Sinkhorn differentiation, CVPR 2023; Eisenberger et al., A unified
/// framework for implicit Sinkhorn differentiation, CVPR 2022.
#pragma once

#include <libsolve/linear/linear_solver.hpp>
#include <libsolve/transport/newton_matrix.hpp>
#include <libsolve/transport/point_cost.hpp>
#include <libsolve/transport/transport_problem.hpp>
#include <memory>

namespace libsolve {

/// Derivatives of a number L with respect to the data of a problem. Masses of a balanced problem
/// change together (sum da = sum db): `a` and `b` are then determined but for a constant added to
/// one and taken from the other.
struct TransportGradient {
  SparseEntries cost;  ///< dL/dC_ij, in the plan's entries
  VectorView a;        ///< dL/da_i
  VectorView b;        ///< dL/db_j
};

/// Of the optimal value itself (Danskin): dV/dC = P, dV/da = f, dV/db = g; with relaxed marginals
/// dV/da = rho (1 - exp(-f / rho)), likewise b. Entries P_ij >= threshold (P 1)_i. No solve; the
/// error is of the order of the marginal violation. On one rank.
LIBSOLVE_EXPORT TransportGradient value_gradient(const TransportProblem& problem,
                                                 double threshold = 1e-14);

/// Back-propagation through the plan P(C, a, b) of a problem that has been solved with an entropic
/// plan, P_ij = exp((f_i + g_j - C_ij) / eps). For a loss with W = dL/dP,
///   [[diag(P 1), P], [P^T, diag(P^T 1)]] [lambda; mu] = [(W o P) 1; (W o P)^T 1] / eps,
///   dL/dC_ij = P_ij (lambda_i + mu_j - W_ij / eps),   dL/da = eps lambda,   dL/db = eps mu:
/// one solve with Newton's matrix for each loss, rows eliminated (NewtonMatrix). With relaxed
/// marginals the diagonal is (1 + eps / rho) times the sums, dL/da_i = eps lambda_i exp(-f_i /
/// rho). The matrix is made once: a direct solver keeps its factors from one loss to the next.
class LIBSOLVE_EXPORT PlanGradients {
 public:
  /// The problem as it is now; it and `solver` must outlive this. Entries P_ij >= threshold (P 1)_i
  /// are used, 0: all n m of them. `solver` takes symmetric systems, singular ones with their null
  /// space given where the problem is balanced; its tolerance is the gradient's. Throws Unsupported
  /// for several ranks or a stored plan.
  PlanGradients(const TransportProblem& problem, LinearSolver& solver, double threshold = 1e-14);

  /// The entries that a loss is given in: P itself.
  const SparseEntries& plan() const noexcept { return plan_; }
  /// `dL_dP`: a number for each entry of plan(). Throws ShapeError; NumericalError where the solver
  /// did not converge.
  TransportGradient backward(const ConstVectorView& dL_dP);

 private:
  const TransportProblem& problem_;
  LinearSolver& solver_;
  SparseEntries plan_;
  std::shared_ptr<const LinearOperator> S_;
  VectorView w_;  ///< 1 / diagonal of the rows
};

/// Derivatives with respect to points from those with respect to the cost |x_i - y_j|^p scale:
/// dx (n x d) and dy (m x d), overwritten. Where x_i = y_j and p <= 1 the entry counts as 0.
LIBSOLVE_EXPORT void point_gradients(const SparseEntries& dL_dC, const DenseBlock& x,
                                     const DenseBlock& y, const PointCostOptions& options,
                                     const DenseBlock& dx, const DenseBlock& dy);

}  // namespace libsolve
