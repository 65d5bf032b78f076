#include <libsolve/plugin/register.hpp>

#include "choice_trainer.hpp"
#include "learned_multigrid.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<multigrid::Multigrid>(
      {.name = "multigrid",
       .summary = "matrix-free geometric multigrid on structured grids of any size",
       .paper = "Brandt, Multi-level adaptive solutions to boundary-value problems, "
                "Math. Comp. 31, 1977"});
  registrar.add<multigrid::LearnedMultigrid>(
      {.name = "learned-multigrid",
       .summary = "multigrid with levels, cycle and weights chosen by a trained network",
       .paper = ""});
  registrar.add<multigrid::ChoiceTrainer>(
      {.name = "learned-multigrid",
       .summary = "trains the network of learned-multigrid on families of operators"});
}
