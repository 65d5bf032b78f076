#include <libsolve/plugin/register.hpp>

#include "reduced_newton_cg.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<reduced_newton::ReducedNewtonCg>(
      {.name = "reduced-newton-cg",
       .summary = "parameters of differential equations: Newton's method with the states eliminated",
       .paper = "Akcelik, Biros, Ghattas, Hill, Keyes, van Bloemen Waanders, Parallel algorithms for "
                "PDE-constrained optimization, SIAM 2006; Eisenstat, Walker, SIAM J. Sci. Comput. "
                "17, 1996; Morales, Nocedal, SIAM J. Optim. 10, 2000"});
}
