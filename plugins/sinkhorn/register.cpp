#include <libsolve/plugin/register.hpp>

#include "sinkhorn.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<sinkhorn::Sinkhorn>(
      {.name = "sinkhorn",
       .summary = "matrix scaling in the log domain at one exponential an entry; balanced or not",
       .paper = "Cuturi, Sinkhorn distances: lightspeed computation of optimal transport, NeurIPS "
                "2013; Schmitzer, Stabilized sparse scaling algorithms for entropy regularized "
                "transport problems, SIAM J. Sci. Comput. 2019; Chizat, Peyre, Schmitzer, Vialard, "
                "Scaling algorithms for unbalanced optimal transport problems, Math. Comp. 2018"});
}
