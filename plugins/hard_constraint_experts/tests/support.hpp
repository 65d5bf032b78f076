#pragma once

#include <gtest/gtest.h>

#include <libsolve/core/random.hpp>
#include <libsolve/optimize/program_solver.hpp>
#include <libsolve/plugin/registry.hpp>
#include <tests/support/temporary_folder.hpp>
#include <vector>

#include "diffusion_sorption.hpp"
#include "hard_constraint_experts.hpp"
#include "residual_loss.hpp"

namespace hard_constraint_experts::test {

/// Some cells and steps, from a value far from 0: the isotherm is smooth there.
inline SorptionGrid small_grid(int size = 12, int steps = 8) {
  SorptionGrid g;
  g.size = size;
  g.steps = steps;
  g.final_time = 200.0;
  g.initial = 0.4;
  return g;
}

inline DiffusionSorptionOptions options_of(const SorptionGrid& g) {
  DiffusionSorptionOptions o;
  o.size = g.size;
  o.steps = g.steps;
  o.final_time = g.final_time;
  o.initial = g.initial;
  return o;
}

inline std::unique_ptr<NonlinearProgram> make(const DiffusionSorptionOptions& options) {
  auto problem = DiffusionSorptionSource(options, Context{}).create();
  return std::unique_ptr<NonlinearProgram>(dynamic_cast<NonlinearProgram*>(problem.release()));
}

inline std::vector<double> stepped(const SorptionGrid& g) {
  std::vector<double> u(g.unknowns());
  EXPECT_GE(step_through_time(g, 1e-13, u.data()), 0);
  return u;
}

inline std::size_t node(const SorptionGrid& g, int n, int i) {
  return static_cast<std::size_t>(n) * static_cast<std::size_t>(g.size + 1) +
         static_cast<std::size_t>(i);
}

inline Basis chebyshev(const SorptionGrid& g, int in_space, int in_time) {
  const Basis basis("test::basis", g.num_nodes(), static_cast<std::size_t>(in_space * in_time));
  evaluate_chebyshev(g, in_space, in_time, basis);
  return basis;
}

/// To the last digits that differences of a loss need.
inline ExpertOptions exact(std::vector<int> experts) {
  ExpertOptions o;
  o.experts = std::move(experts);
  o.expert_tolerance = 1e-13;
  o.expert_iterations = 200;
  o.ridge = 1e-6;
  return o;
}

}  // namespace hard_constraint_experts::test
