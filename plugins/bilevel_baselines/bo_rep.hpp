#pragma once

#include "first_order_lower.hpp"
#include "lower_tracker.hpp"

namespace bilevel_baselines {

struct BoRepOptions {
  double tolerance = 1e-6;
  std::int64_t max_iterations = 1000;
  double step = 0.1;
  double decay = 0.5;
  double momentum = 0.9;
  int period = 2;
  int lower_steps = 10;
  int first_lower_steps = 1000;
  int terms = 50;
  double constraint_penalty = 100.0;
  ComponentSpec lower_solver = default_lower_solver();
  static void describe(Fields<BoRepOptions>& f);
};

/// "bo-rep" (Hao, Gong, Liu, Bilevel optimization under unbounded smoothness, ICLR 2024, Algorithm
/// 1): y refined once at the start and again in every `period`-th iteration only, between which it
/// stays;
///   m_k = beta m_{k-1} + (1 - beta) h_k,   x_{k+1} = x_k - eta m_k / |m_k|,
/// h_k the hypergradient at (x_k, y_k) with `terms` of the Neumann series.
/// Differs from the paper: full gradients, not samples, so y is refined by accelerated projected
/// gradients; steps eta (k + 1)^-decay, since with constant ones (decay = 0, as published) x ends
/// at a distance of eta; X by projection; y at its bounds stays there in the series.
class BoRep final : public BilevelSolver {
 public:
  using Options = BoRepOptions;
  BoRep(const Options& options, const Context& context) : options_(options), context_(context) {}
  Report solve(BilevelProgram& problem, Monitor& monitor) override;
  using BilevelSolver::solve;

 private:
  Options options_;
  Context context_;
};

}  // namespace bilevel_baselines
