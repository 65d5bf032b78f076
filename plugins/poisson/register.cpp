#include <libsolve/plugin/register.hpp>

#include "poisson_source.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<poisson::PoissonSource>(
      {.name = "poisson",
       .summary =
           "-div(k grad u) + s u = f on a box in one, two or three dimensions: finite volumes, "
           "coefficient fields, solid cells, Dirichlet and Neumann walls"});
}
