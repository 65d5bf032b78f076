#include <libsolve/plugin/register.hpp>

#include "newton_cg.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<newton_cg::NewtonCg>(
      {.name = "newton-cg",
       .summary = "Newton's method with conjugate gradients for unconstrained programs, by products, "
                  "over ranks",
       .paper = "Dembo, Steihaug, Truncated-Newton algorithms for large-scale unconstrained "
                "optimization, Math. Program. 26, 1983"});
}
