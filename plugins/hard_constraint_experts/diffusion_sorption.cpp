#include "diffusion_sorption.hpp"

#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>

namespace hard_constraint_experts {

void DiffusionSorptionOptions::describe(Fields<DiffusionSorptionOptions>& f) {
  using O = DiffusionSorptionOptions;
  f.add("size", &O::size, Range::closed(2, 100000), "cells of (0, 1), size - 1 inner nodes");
  f.add("steps", &O::steps, Range::closed(1, 100000), "N time steps, all of one length");
  f.add("final_time", &O::final_time, Range::above(0.0), "T");
  f.add("initial", &O::initial, Range::closed(0.0, 1.0),
        "u(x, 0), of the concentration at the inlet");
  f.add("diffusivity", &O::diffusivity, Range::above(0.0), "D");
  f.add("porosity", &O::porosity, Range::open(0.0, 1.0), "phi");
  f.add("density", &O::density, Range::above(0.0), "rho_s, of the dry bulk");
  f.add("freundlich", &O::freundlich, Range::at_least(0.0), "k of the isotherm; 0: no sorption");
  f.add("exponent", &O::exponent, Range::closed(0.1, 1.0), "n_f of the isotherm");
}

SorptionGrid sorption_grid(const DiffusionSorptionOptions& o) {
  SorptionGrid g;
  g.law.diffusivity = o.diffusivity;
  g.law.porosity = o.porosity;
  g.law.density = o.density;
  g.law.freundlich = o.freundlich;
  g.law.exponent = o.exponent;
  g.size = o.size;
  g.steps = o.steps;
  g.final_time = o.final_time;
  g.initial = o.initial;
  return g;
}

std::unique_ptr<Problem> DiffusionSorptionSource::create() {
  if (context_.communicator.size() > 1)
    throw Unsupported("source 'diffusion-sorption' works on one rank, there are " +
                      std::to_string(context_.communicator.size()));
  constexpr std::size_t most = 20'000'000;
  const SorptionGrid grid = sorption_grid(options_);
  const std::size_t unknowns = grid.unknowns();
  if (unknowns > most)
    throw Unsupported("source 'diffusion-sorption' keeps all times at once: size and steps give " +
                      std::to_string(unknowns) + " unknowns, take at most " + std::to_string(most));
  const std::vector<double> zero(unknowns, 0.0), none(unknowns, INFINITY);
  std::vector<double> lower(unknowns, -INFINITY);
  auto problem = std::make_unique<NonlinearProgram>(std::make_shared<SorptionProgram>(grid),
                                                    Bounds{lower, none}, Bounds{zero, zero},
                                                    std::vector<double>(unknowns, grid.initial));
  problem->text = "diffusion and sorption, " + std::to_string(grid.size) + " cells, " +
                  std::to_string(grid.steps) +
                  " implicit steps at once, u(x, 0) = " + format_number(grid.initial);
  return problem;
}

}  // namespace hard_constraint_experts
