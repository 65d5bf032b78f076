#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/linear/preconditioner.hpp>
#include <libsolve/optimize/program_solver.hpp>
#include <libsolve/plugin/registry.hpp>

#include "points.hpp"

namespace pde_control {

struct FullSpaceKrylovOptions {
  StoppingCriteria stopping{.relative_tolerance = 1e-6, .max_iterations = 200};
  std::string krylov = "auto";
  ComponentSpec preconditioner = "presb";

  static void describe(Fields<FullSpaceKrylovOptions>& f) {
    using O = FullSpaceKrylovOptions;
    f.add_group(&O::stopping);
    f.add("krylov", &O::krylov, Choices{{"auto", "gmres", "minres"}},
          "auto: minres where the preconditioner is linear, symmetric and positive definite "
          "(pearson-wathen, zulehner, by multigrid cycles), else gmres");
    f.add_component("preconditioner", &O::preconditioner, Preconditioner::kind,
                    "of the conditions of optimality: presb, pearson-wathen, zulehner, "
                    "collective-multigrid, or any that takes the operator");
  }
};

/// A Krylov method on the conditions of optimality of linear-quadratic control, controls eliminated
/// point by point (Q1ControlOperator). The Krylov method and the preconditioner come by name.
/// Converged: the residual of all conditions, recomputed, relative to that of zero (ControlSystem).
class FullSpaceKrylov final : public ProgramSolver {
 public:
  using Options = FullSpaceKrylovOptions;
  FullSpaceKrylov(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  Report solve(NonlinearProgram& problem, Monitor& monitor) override;
  using ProgramSolver::solve;
  bool works_over_ranks() const override { return true; }

 private:
  Options options_;
  Context context_;
};

}  // namespace pde_control
