#pragma once

#include "first_order_lower.hpp"
#include "lower_tracker.hpp"

namespace bilevel_baselines {

struct PenaltyFirstOrderOptions {
  double tolerance = 1e-6;
  std::int64_t max_iterations = 1000;
  std::string schedule = "continuation";
  double first_penalty = 1.0;
  double last_penalty = 1e6;
  double growth = 10.0;
  double step = 0.01;
  int inner_steps = 10;
  int max_inner_steps = 10000;
  double constraint_penalty = 100.0;
  int memory = 20;
  ComponentSpec lower_solver = default_lower_solver();
  static void describe(Fields<PenaltyFirstOrderOptions>& f);
};

/// "penalty-first-order": the penalised program of Kwon, Kwon, Wright, Nowak (F2SA, ICML 2023) and
/// Chen, Ma, Zhang (F2BA, arXiv:2306.14853, Algorithm 1),
///   L_s(x) = min_y {F(x, y) + s f(x, y)} - s min_z f(x, z),
///   L_s'(x) = F_x(x, y) + s (f_x(x, y) - f_x(x, z)),
/// whose distance from Phi is O(1 / s): gradients only.
/// schedule "f2ba": Algorithm 1 as published, s = last_penalty, inner_steps projected gradient
/// steps in y and z and one of `step` in x each iteration. schedule "continuation" differs from the
/// papers: both inner problems by accelerated gradients to a tolerance, x by projected
/// limited-memory BFGS on L_s, s from first_penalty times `growth` up to last_penalty.
class PenaltyFirstOrder final : public BilevelSolver {
 public:
  using Options = PenaltyFirstOrderOptions;
  PenaltyFirstOrder(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  Report solve(BilevelProgram& problem, Monitor& monitor) override;
  using BilevelSolver::solve;

 private:
  Options options_;
  Context context_;
};

}  // namespace bilevel_baselines
