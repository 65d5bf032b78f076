#include "integrator_options.hpp"

#include <libsolve/linear/linear_solver.hpp>

namespace sundials_time {

ComponentSpec default_solver() {
  ComponentSpec spec("flexible-cg");
  spec.options.set("preconditioner", Value("multigrid"));
  return spec;
}

template <class O>
void IntegratorOptions::describe_common(Fields<O>& f) {
  f.add("relative_tolerance", &O::relative_tolerance, Range::open(0.0, 1.0),
        "for the error of one step, in each entry and over all of them in the mean");
  f.add("absolute_tolerance", &O::absolute_tolerance, Range::above(0.0),
        "the same in the units of y; adjoints are scaled to a largest entry of 1");
  f.add("linear_tolerance", &O::linear_tolerance, Range::above(0.0),
        "of Newton's linear systems, as a part of what Newton's method itself is allowed");
  f.add("max_steps", &O::max_steps, Range::at_least(1.0), "a run that needs more fails");
  f.add_component("solver", &O::solver, LinearSolver::kind,
                  "for Newton's linear systems; relative_tolerance is 0 and max_iterations 30 unless "
                  "given: the integrator says how far to go");
}

void CvodesOptions::describe(Fields<CvodesOptions>& f) {
  using O = CvodesOptions;
  f.add("order", &O::order, Range::closed(1, 5), "highest order of the backward differentiation formulas");
  describe_common(f);
  f.add("checkpoints", &O::checkpoints, Choices{{"auto", "none", "states"}},
        "states: kept for the adjoint, CVodeF and CVodeB; none: the adjoint of a linear system needs none and is "
        "integrated on its own; auto: none where that is possible");
  f.add("checkpoint_steps", &O::checkpoint_steps, Range::at_least(1.0),
        "steps between two checkpoints; the states between them are kept for one pair at a time, and "
        "integrated again for all but the last");
  f.add("interpolation", &O::interpolation, Choices{{"hermite", "polynomial"}},
        "of the states between steps, for the adjoint");
}

void ArkodeOptions::describe(Fields<ArkodeOptions>& f) {
  using O = ArkodeOptions;
  f.add("scheme", &O::scheme, Choices{{"implicit", "imex"}},
        "implicit: all of f diagonally implicit; imex: the mild part explicit (a reaction), the stiff part "
        "implicit (diffusion)");
  f.add("order", &O::order, Range::closed(3, 5), "of the Runge-Kutta method (Kennedy, Carpenter)");
  describe_common(f);
}

}  // namespace sundials_time
