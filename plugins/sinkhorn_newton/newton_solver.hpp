#pragma once

#include <libsolve/linear/linear_solver.hpp>
#include <libsolve/plugin/registry.hpp>
#include <libsolve/transport/newton_matrix.hpp>

#include "semi_dual.hpp"

namespace sinkhorn_newton {

/// Solves Newton's systems by solvers of the registry: the one asked for, or, for "none", by the
/// number of entries: sparse direct while there is hardly any fill, else conjugate gradients.
class NewtonSolver {
 public:
  /// `monitor` outlives it, and can end a solve early.
  NewtonSolver(const ComponentSpec& inner, const Context& context, Monitor& monitor);

  /// S x = rhs to `relative_tolerance` in the 2-norm, from x = 0. Returns x; empty where the solver
  /// failed or x is not finite.
  Numbers solve(const std::shared_ptr<const NewtonMatrix>& S, double entries_per_row,
                const Numbers& rhs, double relative_tolerance);

  std::int64_t direct_solves = 0;
  std::int64_t iterations = 0;  ///< of the iterative solver
  const std::string& what_failed() const { return what_failed_; }

 private:
  Numbers run(LinearSolver& solver, const std::shared_ptr<const LinearOperator>& A,
              const Numbers& rhs, double relative_tolerance);
  Monitor& monitor_;
  std::unique_ptr<LinearSolver> chosen_, direct_, iterative_;
  std::int64_t last_iterations_ = 0;  ///< of conjugate gradients, at their last solve
  std::string what_failed_;
};

}  // namespace sinkhorn_newton
