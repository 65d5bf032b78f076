#include <libsolve/plugin/register.hpp>

#include "poisson_control.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<poisson_control::PoissonControlSource>(
      {.name = "poisson-control",
       .summary = "distributed control of -Laplace y = u with Q1 elements, 2D and 3D, over ranks",
       .paper =
           "Rees, Dollar, Wathen, Optimal solvers for PDE-constrained optimization, SIAM J. Sci. "
           "Comput. 32, 2010"});
}
