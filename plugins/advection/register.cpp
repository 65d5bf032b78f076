#include <libsolve/plugin/register.hpp>

#include "advection.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<advection::AdvectionSource>(
      {.name = "advection",
       .summary = "velocities that carry one density into another on a periodic square",
       .paper = "Benamou, Brenier, A computational fluid mechanics solution to the Monge-Kantorovich "
                "mass transfer problem, Numer. Math. 84, 2000 (the energy); TAO's example hyperbolic.c"});
}
