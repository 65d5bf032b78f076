#pragma once

#include <libsolve/bilevel/bilevel_solver.hpp>
#include <libsolve/optimize/program_solver.hpp>
#include <libsolve/plugin/registry.hpp>

#include "lower_tracker.hpp"

namespace bilevel_baselines {

struct ValueFunctionKktOptions {
  double tolerance = 1e-6;
  double first_relaxation = 1.0;
  double last_relaxation = 1e-8;
  double reduction = 1e-2;
  bool solve_lower_first = true;
  ComponentSpec solver = "sketch-newton";
  ComponentSpec lower_solver = default_lower_solver();
  static void describe(Fields<ValueFunctionKktOptions>& f);
};

/// "value-function-kkt": the lower level replaced by its KKT conditions (LowerKktFunctions), with
/// every complementarity product relaxed to l_k s_k (bound_k - value_k) <= t (Scholtes, Convergence
/// properties of a regularization scheme for mathematical programs with complementarity
/// constraints, SIAM J. Optim. 11, 2001, problem R(t)), t from first_relaxation down to
/// last_relaxation; each program is solved by a program solver from the solution of the one before.
/// What it finds is a KKT point of the lower level: where that is not convex, perhaps not a
/// minimum; the certificate says.
class ValueFunctionKkt final : public BilevelSolver {
 public:
  using Options = ValueFunctionKktOptions;
  ValueFunctionKkt(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  Report solve(BilevelProgram& problem, Monitor& monitor) override;
  using BilevelSolver::solve;

 private:
  Options options_;
  Context context_;
};

}  // namespace bilevel_baselines
