#include <libsolve/plugin/register.hpp>

#include "diffusion_sorption.hpp"
#include "hard_constraint_experts.hpp"
#include "trainer.hpp"

LIBSOLVE_PLUGIN(registrar) {
  using namespace hard_constraint_experts;
  constexpr const char* paper =
      "Chalapathi, Du, Krishnapriyan, Scaling physics-informed hard constraints with "
      "mixture-of-experts, ICLR 2024";
  registrar.add<DiffusionSorptionSource>(
      {.name = "diffusion-sorption",
       .summary = "diffusion of a solute that sorbs, in space and time at once",
       .paper =
           "Takamoto et al., PDEBench: an extensive benchmark for scientific machine learning, "
           "NeurIPS 2022"});
  registrar.add<HardConstraintExperts>(
      {.name = "hard-constraint-experts",
       .summary =
           "a network's basis functions, weights box by box by least squares of the equations",
       .paper = paper});
  registrar.add<ImplicitTimeStepping>(
      {.name = "implicit-time-stepping",
       .summary = "diffusion-sorption one implicit step after another, Newton's method in each"});
  registrar.add<HardConstraintExpertsTrainer>(
      {.name = "hard-constraint-experts",
       .summary = "trains basis functions through the experts' least squares, without solutions",
       .paper = paper});
}
