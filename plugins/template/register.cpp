#include <libsolve/plugin/register.hpp>

#include "richardson.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<richardson::Richardson>(
      {.name = "richardson",
       .summary = "step along the preconditioned residual; the template for new methods",
       .paper = "Richardson, The approximate arithmetical solution by finite differences of "
                "physical problems, Phil. Trans. Royal Society A 210, 1911"});
}
