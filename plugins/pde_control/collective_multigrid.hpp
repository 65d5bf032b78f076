#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/optimize/program_solver.hpp>
#include <libsolve/plugin/registry.hpp>

#include "cycle.hpp"

namespace pde_control {

struct CollectiveMultigridOptions : CycleOptions {
  StoppingCriteria stopping{.relative_tolerance = 1e-6, .max_iterations = 50};
  bool nested_iteration = true;
  bool accelerated = true;

  static void describe(Fields<CollectiveMultigridOptions>& f) {
    using O = CollectiveMultigridOptions;
    f.add_group(&O::stopping);
    describe_common(f);
    f.add("nested_iteration", &O::nested_iteration, "start by full multigrid");
    f.add("accelerated", &O::accelerated,
          "combine the last cycles for the smallest residual; else plain iteration");
  }
};

/// Multigrid on the conditions of optimality of linear-quadratic control (Borzi, Schulz, Multigrid
/// methods for PDE optimization, SIAM Rev. 51, 2009), controls eliminated point by point, state and
/// adjoint of a node relaxed together. One iteration is one cycle and one product. Converged:
/// the residual of all conditions, recomputed, relative to that of zero (ControlSystem).
class CollectiveMultigridSolver final : public ProgramSolver {
 public:
  using Options = CollectiveMultigridOptions;
  CollectiveMultigridSolver(const Options& options, const Context&) : options_(options) {}
  Report solve(NonlinearProgram& problem, Monitor& monitor) override;
  using ProgramSolver::solve;
  bool works_over_ranks() const override { return true; }

 private:
  Options options_;
};

}  // namespace pde_control
