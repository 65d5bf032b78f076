#pragma once

#include <libsolve/core/monitor.hpp>
#include <libsolve/linear/linear_solver.hpp>
#include <libsolve/plugin/registry.hpp>

#include "pieces.hpp"

namespace lv_hba {

/// Newton's method on the first-order conditions of a piece without inequalities,
///   min F(x, y)  s.t.  f_y + J_y^T lambda + z = 0,  g_A = bound_A,  y_A = bound_A,  G = bound,
/// by products alone: its saddle system, symmetric and often singular (merely convex lower levels),
/// goes to MINRES. For many variables, where factors fill in.
class NewtonFinish {
 public:
  /// `problem` outlives it.
  NewtonFinish(const BilevelProgram& problem, std::unique_ptr<LinearSolver> solver);
  ~NewtonFinish();

  /// Whether it is for this problem: no inequalities in X and G, g linear.
  static bool fits(const BilevelProgram& problem);

  struct Solution {
    std::vector<double> v = {}, lambda = {}, z = {};
    double residual = 0.0;  ///< the largest entry, those of the gradients over max(1, |F'|)
    bool is_solved = false;
  };
  /// `active` as in Pieces. Goes on to a residual of `aim`, and calls one of `accepted` solved
  /// where rounding allows no less.
  Solution solve(const ActiveSet& active, const KktPoint& from, double aim, double accepted,
                 Monitor& monitor);
  std::int64_t steps() const noexcept { return steps_; }
  std::int64_t linear_iterations() const noexcept { return linear_iterations_; }

 private:
  class System;
  const BilevelProgram* problem_;
  std::unique_ptr<LinearSolver> solver_;
  std::int64_t steps_ = 0, linear_iterations_ = 0;
};

}  // namespace lv_hba
