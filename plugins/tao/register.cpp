#include <libsolve/plugin/register.hpp>

#include "tao_method.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<tao::TaoMethod>(
      {.name = "tao",
       .summary = "TAO, PETSc's optimisers: augmented Lagrangian (almm) or barrier (pdipm)",
       .paper = "Balay et al., PETSc/TAO Users Manual, ANL-21/39"});
}
