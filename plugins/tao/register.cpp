#include <libsolve/plugin/register.hpp>

#include "tao_lcl.hpp"
#include "tao_method.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<tao::TaoMethod>(
      {.name = "tao",
       .summary = "TAO, PETSc's optimisers: augmented Lagrangian (almm) or barrier (pdipm)",
       .paper = "Balay et al., PETSc/TAO Users Manual, ANL-21/39"});
  registrar.add<tao::TaoLcl>(
      {.name = "tao-lcl",
       .summary = "TAO's linearly constrained augmented Lagrangian for parameters of equations",
       .paper = "Friedlander, Saunders, SIAM J. Optim. 15, 2005; Balay et al., PETSc/TAO Users "
                "Manual, ANL-21/39"});
}
