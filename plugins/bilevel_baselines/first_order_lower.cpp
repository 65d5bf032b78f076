#include "first_order_lower.hpp"

#include <algorithm>
#include <cmath>

namespace bilevel_baselines {

namespace {

constexpr int power_steps = 30;
constexpr double least_curvature = 1e-12;

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}
double dot(std::span<const double> a, std::span<const double> b) {
  double s = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) s += a[i] * b[i];
  return s;
}

}  // namespace

FirstOrderLower::FirstOrderLower(const BilevelProgram& problem, double rho)
    : problem_(&problem),
      at_(problem.lower()),
      rho_(rho),
      nx_(problem.num_upper()),
      ny_(problem.num_lower()),
      g_(at(problem.lower().num_constraints())),
      weights_(g_.size()),
      wide_(at(nx_ + ny_)),
      rows_(g_.size()),
      direction_(at(nx_ + ny_)) {}

double FirstOrderLower::excess(std::span<const double> v) {
  if (g_.empty()) return 0.0;
  const Bounds& b = problem_->parts().lower_constraints;
  at_.constraints(v, g_);
  double sum = 0.0;
  for (std::size_t i = 0; i < g_.size(); ++i) {
    const double d = g_[i] - std::clamp(g_[i], b.lower[i], b.upper[i]);
    weights_[i] = rho_ * d;
    sum += 0.5 * rho_ * d * d;
  }
  return sum;
}

double FirstOrderLower::value(std::span<const double> v) {
  return at_.objective(v) + excess(v);
}

double FirstOrderLower::gradient(std::span<const double> v, std::span<double> out) {
  ++gradients_;
  at_.gradient(v, out);
  const double f = value(v);
  if (g_.empty()) return f;
  at_.apply_jacobian_adjoint(v, weights_, wide_);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] += wide_[i];
  return f;
}

/// f'' + sum_i weights_i g_i'' + rho J^T D J, D = 1 on the rows outside of their bounds.
void FirstOrderLower::hessian_product(std::span<const double> v, std::span<const double> d,
                                      std::span<double> out) {
  ++products_;
  (void)excess(v);
  at_.apply_hessian(v, 1.0, weights_, d, out);
  if (g_.empty()) return;
  at_.apply_jacobian(v, d, rows_);
  for (std::size_t i = 0; i < rows_.size(); ++i) rows_[i] *= weights_[i] != 0.0 ? rho_ : 0.0;
  at_.apply_jacobian_adjoint(v, rows_, wide_);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] += wide_[i];
}

void FirstOrderLower::project(std::span<double> y, std::span<char> is_inside) const {
  const Bounds& Y = problem_->parts().lower_variables;
  for (std::size_t j = 0; j < y.size(); ++j) {
    const double inside = std::clamp(y[j], Y.lower[j], Y.upper[j]);
    if (!is_inside.empty()) is_inside[j] = inside == y[j];
    y[j] = inside;
  }
}

double FirstOrderLower::curvature(std::span<const double> v) {
  Numbers d(v.size()), W_d(v.size());
  const auto y_part = [&](Numbers& w) { return std::span<double>(w).subspan(at(nx_)); };
  for (std::size_t j = 0; j < at(ny_); ++j)
    d[at(nx_) + j] = 1.0 + 0.5 * std::sin(static_cast<double>(j));
  double L = 0.0;
  for (int k = 0; k < power_steps; ++k) {
    const double norm = std::sqrt(dot(y_part(d), y_part(d)));
    if (!(norm > 0.0) || !std::isfinite(norm)) break;
    for (double& e : d) e /= norm;
    hessian_product(v, d, W_d);
    std::ranges::copy(y_part(W_d), y_part(d).begin());
    L = std::sqrt(dot(y_part(d), y_part(d)));
  }
  return std::isfinite(L) ? std::max(L, least_curvature) : 1.0;
}

double Accelerated::minimise(const FirstOrderLower& lower, const SmoothFunction& function,
                             std::span<double> y) {
  const std::size_t n = y.size();
  lower.project(y);
  Numbers last(y.begin(), y.end()), w = last, g(n), next(n), next_g(n);
  double t = 1.0, measure = INFINITY;
  double f = function(w, g);
  for (int k = 0; k < max_steps; ++k) {
    ++steps;
    double next_f = 0.0;
    for (;;) {
      for (std::size_t j = 0; j < n; ++j) next[j] = w[j] - g[j] / L;
      lower.project(next);
      next_f = function(next, next_g);
      double along = 0.0, square = 0.0;
      for (std::size_t j = 0; j < n; ++j) {
        along += g[j] * (next[j] - w[j]);
        square += (next[j] - w[j]) * (next[j] - w[j]);
      }
      if (next_f <= f + along + 0.5 * L * square + 1e-14 * std::abs(f) || !(square > 0.0)) break;
      L *= 2.0;
      if (!std::isfinite(L)) return INFINITY;
    }
    measure = 0.0;
    double turn = 0.0;
    Numbers step(n);
    for (std::size_t j = 0; j < n; ++j) {
      step[j] = next[j] - next_g[j];
      turn += (w[j] - next[j]) * (next[j] - last[j]);
    }
    lower.project(step);
    for (std::size_t j = 0; j < n; ++j) measure = std::max(measure, std::abs(step[j] - next[j]));
    if (!(measure > tolerance) || !std::isfinite(measure)) {
      std::ranges::copy(next, y.begin());
      return measure;
    }
    const bool restart = turn > 0.0;
    const double t_next = restart ? 1.0 : 0.5 * (1.0 + std::sqrt(1.0 + 4.0 * t * t));
    const double momentum = restart ? 0.0 : (t - 1.0) / t_next;
    for (std::size_t j = 0; j < n; ++j) {
      w[j] = next[j] + momentum * (next[j] - last[j]);
      last[j] = next[j];
    }
    t = t_next;
    if (momentum == 0.0) {
      std::swap(g, next_g);
      f = next_f;
    } else {
      f = function(w, g);
    }
  }
  std::ranges::copy(last, y.begin());
  return measure;
}

}  // namespace bilevel_baselines
