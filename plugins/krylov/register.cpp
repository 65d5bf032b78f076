#include <libsolve/plugin/register.hpp>

#include "conjugate_gradients.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<krylov::Cg>(
      {.name = "cg",
       .summary = "conjugate gradients, for symmetric positive definite A",
       .paper = "Hestenes, Stiefel, Methods of conjugate gradients for solving linear systems, "
                "J. Res. Nat. Bur. Standards 49, 1952"});
  registrar.add<krylov::FlexibleCg>(
      {.name = "flexible-cg",
       .summary = "conjugate gradients for preconditioners that vary or are not symmetric",
       .paper = "Notay, Flexible conjugate gradients, SIAM J. Sci. Comput. 22, 2000"});
}
