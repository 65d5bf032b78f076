#include <libsolve/plugin/register.hpp>

#include "minibatches.hpp"

LIBSOLVE_PLUGIN(registrar) {
  constexpr const char* paper =
      "Fatras, Zine, Flamary, Gribonval, Courty, Learning with minibatch Wasserstein: asymptotic and "
      "gradient properties, AISTATS 2020";
  registrar.add<transport_batch::MinibatchesSource>(
      {.name = "minibatches",
       .summary = "many small transport problems between points drawn from two clouds",
       .paper = paper});
  registrar.add<transport_batch::BatchedSinkhorn>(
      {.name = "batched-sinkhorn",
       .summary = "many small transport problems in one launch, a team or a thread each",
       .paper = "Cuturi, Sinkhorn distances: lightspeed computation of optimal transport, NeurIPS 2013"});
}
