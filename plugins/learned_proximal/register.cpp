#include <libsolve/plugin/register.hpp>

#include "learned_proximal.hpp"
#include "trainer.hpp"

LIBSOLVE_PLUGIN(registrar) {
  constexpr const char* paper =
      "Fang, Buchanan, Sulam, What's in a prior? Learned proximal networks for inverse problems, "
      "ICLR 2024";
  registrar.add<learned_proximal::LearnedProximal>(
      {.name = "learned-proximal",
       .summary = "a regulariser learned from pictures: the gradient of a convex network as its "
                  "proximal operator",
       .paper = paper});
  registrar.add<learned_proximal::ProximalTrainer>(
      {.name = "learned-proximal",
       .summary =
           "trains the network of learned-proximal on pictures with noise, by proximal matching",
       .paper = paper});
}
