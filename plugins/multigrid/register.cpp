#include <libsolve/plugin/register.hpp>

#include "multigrid.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<multigrid::Multigrid>(
      {.name = "multigrid",
       .summary = "matrix-free geometric multigrid on structured grids of any size",
       .paper = "Brandt, Multi-level adaptive solutions to boundary-value problems, "
                "Math. Comp. 31, 1977"});
}
