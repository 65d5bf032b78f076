#include <libsolve/plugin/register.hpp>

#include "adasketch_newton.hpp"
#include "sketch_newton.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<sketch_newton::SketchNewton>(
      {.name = "sketch-newton",
       .summary = "Newton for constrained programs: barrier, filter, inertia by exact factors, "
                  "active-set polish",
       .paper = "Waechter, Biegler, On the implementation of an interior-point filter line-search "
                "algorithm for large-scale nonlinear programming, Math. Program. 2006"});
  registrar.add<sketch_newton::AdaSketchNewton>(
      {.name = "adasketch-newton",
       .summary = "Newton steps by randomized sketch-and-project, exact augmented Lagrangian; "
                  "equality constraints",
       .paper = "Hong, Na, Mahoney, Kolar, Constrained Optimization via Exact Augmented Lagrangian "
                "and Randomized Iterative Sketching, ICML 2023"});
}
