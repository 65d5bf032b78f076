#include "upper_objective.hpp"

#include <algorithm>
#include <cmath>

namespace bilevel_baselines {

namespace {

constexpr double largest_penalty = 1e8;

}  // namespace

UpperObjective::UpperObjective(const BilevelProgram& problem)
    : problem_(&problem),
      at_(problem.upper()),
      multipliers_(static_cast<std::size_t>(problem.upper().num_constraints())),
      G_(multipliers_.size()),
      weights_(multipliers_.size()),
      products_(static_cast<std::size_t>(problem.num_variables())) {}

/// G and rho d.
void UpperObjective::evaluate(std::span<const double> v) {
  const Bounds& b = problem_->parts().upper_constraints;
  at_.constraints(v, G_);
  for (std::size_t i = 0; i < G_.size(); ++i) {
    const double s = G_[i] + multipliers_[i] / penalty_;
    weights_[i] = penalty_ * (s - std::clamp(s, b.lower[i], b.upper[i]));
  }
}

double UpperObjective::value(std::span<const double> v) {
  double H = at_.objective(v);
  if (!has_constraints()) return H;
  evaluate(v);
  for (std::size_t i = 0; i < G_.size(); ++i)
    H += 0.5 / penalty_ * (weights_[i] * weights_[i] - multipliers_[i] * multipliers_[i]);
  return H;
}

void UpperObjective::gradient(std::span<const double> v, std::span<double> out) {
  at_.gradient(v, out);
  if (!has_constraints()) return;
  evaluate(v);
  at_.apply_jacobian_adjoint(v, weights_, products_);
  for (std::size_t j = 0; j < out.size(); ++j) out[j] += products_[j];
}

double UpperObjective::violation(std::span<const double> v) {
  if (!has_constraints()) return 0.0;
  const Bounds& b = problem_->parts().upper_constraints;
  at_.constraints(v, G_);
  double worst = 0.0;
  for (std::size_t i = 0; i < G_.size(); ++i) {
    const double nearest = std::clamp(G_[i], b.lower[i], b.upper[i]);
    worst = std::max(worst, std::abs(G_[i] - nearest) / std::max(1.0, std::abs(nearest)));
  }
  return worst;
}

void UpperObjective::update(std::span<const double> v) {
  const double now = violation(v);
  evaluate(v);
  multipliers_ = weights_;
  if (now > 0.25 * last_violation_) penalty_ = std::min(largest_penalty, 10.0 * penalty_);
  last_violation_ = now;
}

}  // namespace bilevel_baselines
