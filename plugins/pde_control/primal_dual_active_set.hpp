#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/optimize/program_solver.hpp>
#include <libsolve/plugin/registry.hpp>

#include "cycle.hpp"

namespace pde_control {

struct PrimalDualActiveSetOptions : CycleOptions {
  StoppingCriteria stopping{.relative_tolerance = 1e-8, .max_iterations = 100};
  bool nested_grids = true;
  bool continuation = true;
  int max_cycles = 60;

  static void describe(Fields<PrimalDualActiveSetOptions>& f) {
    using O = PrimalDualActiveSetOptions;
    f.add_group(&O::stopping);
    describe_common(f);
    f.add("nested_grids", &O::nested_grids, "start from the solutions on coarser grids");
    f.add("continuation", &O::continuation,
          "go from alpha = 1e-2 down by tens, on the coarsest grid and wherever the sets do not "
          "settle");
    f.add("max_cycles", &O::max_cycles, Range::at_least(1.0), "of multigrid for one active set");
  }
};

/// The primal-dual active set method (Bergounioux, Ito, Kunisch, Primal-dual strategy for
/// constrained optimal control problems, SIAM J. Control Optim. 37, 1999; a semismooth Newton
/// method: Hintermueller, Ito, Kunisch, SIAM J. Optim. 13, 2002) for bounds of the control node by
/// node:
///   A+ = {lambda / alpha > u_upper},  A- = {lambda / alpha < u_lower},  I the others,
///   M y + K lambda = b,  K y - N_I lambda / alpha = d + N_A u_A,
/// u = lambda / alpha on I, the bound on A, until the sets repeat: then the discrete conditions
/// hold but for the residual of the linear system. Each step is one system, by collective multigrid
/// with the mask in W. One iteration: one active set on the finest grid.
class PrimalDualActiveSet final : public ProgramSolver {
 public:
  using Options = PrimalDualActiveSetOptions;
  PrimalDualActiveSet(const Options& options, const Context&) : options_(options) {}
  Report solve(NonlinearProgram& problem, Monitor& monitor) override;
  using ProgramSolver::solve;
  bool works_over_ranks() const override { return true; }

 private:
  Options options_;
};

}  // namespace pde_control
