#include "newton.hpp"

#include <algorithm>
#include <cmath>

#include "sparse_cholesky.hpp"

namespace sparse_transport {

bool Ascent::has_to_stop() {
  const Sample samples[] = {
      {"marginal_violation", point.violation}, {"gap", gap()}, {"dual_value", point.dual}};
  const Verdict verdict = monitor.observe(iterations, samples);
  if (verdict != Verdict::proceed)
    status = status_of(verdict);
  else if (!std::isfinite(point.violation))
    status = Status::non_finite;
  else if (iterations >= max_iterations)
    status = Status::max_iterations;
  else
    return false;
  return true;
}

namespace {

/// H of the point: for column j the sum over its entries of dt/ds at the places (rows, n + j).
SparseCholesky hessian(const KSparseDual& dual, const DualPoint& p) {
  const auto n = static_cast<std::int32_t>(dual.a().size());
  const auto m = static_cast<std::int32_t>(dual.b().size());
  SparseCholesky H(n + m);
  const double of_full = 1.0 / (dual.rule.gamma + dual.rule.w);
  for (std::int32_t j = 0; j < m; ++j) {
    for (const Index i : p.full[j]) {
      H.add(i, i, of_full);
      H.add(i, n + j, of_full);
      H.add(n + j, n + j, of_full);
    }
    const auto& tied = p.tied[j];
    if (tied.empty()) continue;
    const double each = 1.0 / dual.rule.w;
    const double together = each / p.tied_weight[j];
    const double of_column = each - together * static_cast<double>(tied.size());
    for (std::size_t s = 0; s < tied.size(); ++s) {
      H.add(tied[s], tied[s], each - together);
      for (std::size_t t = 0; t < s; ++t) H.add(tied[s], tied[t], -together);
      H.add(tied[s], n + j, of_column);
      H.add(n + j, n + j, of_column);
    }
  }
  return H;
}

/// d with (H + D) d = -gradient; empty where the factorisation breaks down.
std::vector<double> newton_direction(Ascent& s) {
  const DualPoint& p = s.point;
  SparseCholesky H = hessian(s.dual, p);
  const auto size = static_cast<std::int32_t>(p.of_rows.size() + p.of_columns.size());
  double largest = 0.0;
  for (std::int32_t v = 0; v < size; ++v) largest = std::max(largest, H.diagonal(v));
  if (largest == 0.0) largest = 1.0 / s.dual.rule.gamma;
  const double shift = 1e-3 * std::sqrt(std::min(1.0, p.violation / s.dual.total()));
  for (std::int32_t v = 0; v < size; ++v)
    H.add(v, v, shift * std::max(H.diagonal(v), 0.1 * largest) + 1e-12 * largest);
  std::vector<double> d;
  d.reserve(static_cast<std::size_t>(size));
  for (const double g : p.of_rows) d.push_back(-g);
  for (const double g : p.of_columns) d.push_back(-g);
  if (!H.solve(d)) return {};
  s.fill = std::max(s.fill, H.fill());
  return d;
}

Potentials moved(const Potentials& x, const std::vector<double>& d, double step) {
  Potentials y = x;
  const std::size_t n = x.alpha.size();
  for (std::size_t i = 0; i < n; ++i) y.alpha[i] += step * d[i];
  for (std::size_t j = 0; j < x.beta.size(); ++j) y.beta[j] += step * d[n + j];
  return y;
}

/// One step; false where no step length helps.
bool newton_step(Ascent& s) {
  const std::vector<double> d = newton_direction(s);
  if (d.empty()) return false;
  double slope = 0.0;
  for (std::size_t i = 0; i < s.point.of_rows.size(); ++i) slope += s.point.of_rows[i] * d[i];
  for (std::size_t j = 0; j < s.point.of_columns.size(); ++j)
    slope += s.point.of_columns[j] * d[s.point.of_rows.size() + j];
  // Near the end the values differ by rounding only: then the full step is as good as any.
  const double rounding = 1e-14 * std::abs(s.point.value);
  for (double step = 1.0; step > 1e-8; step *= 0.5) {
    Potentials y = moved(s.x, d, step);
    DualPoint there = s.dual.at(y);
    if (there.value <= s.point.value + 1e-4 * step * slope || -slope <= rounding) {
      s.x = std::move(y);
      s.point = std::move(there);
      ++s.iterations;
      return true;
    }
  }
  return false;
}

/// Newton steps until the violation is at most `enough`; false where the ascent has to end.
bool solve_smooth(Ascent& s, double enough) {
  ++s.stages;
  s.point = s.dual.at(s.x);
  while (!(s.point.violation <= enough)) {
    if (s.has_to_stop()) return false;
    if (newton_step(s)) continue;
    s.status = Status::stagnated;
    return false;
  }
  return true;
}

}  // namespace

void ascend_smooth(Ascent& s) {
  s.dual.rule = {s.dual.rule.gamma, 0.0, s.dual.a().size()};
  if (solve_smooth(s, s.tolerance)) s.status = Status::converged;
}

void ascend_by_newton(Ascent& s) {
  KSparseDual& dual = s.dual;
  const std::size_t k = dual.rule.k;
  const double roughly = std::max(s.tolerance, 1e-3 * dual.total());
  // k = n: smooth without a proximal term. Where its plan has k entries a column, that is the answer.
  dual.rule = {dual.rule.gamma, 0.0, dual.a().size()};
  if (k < dual.a().size() && !solve_smooth(s, roughly)) return;
  if (static_cast<std::size_t>(s.point.most_entries) <= k && !solve_smooth(s, s.tolerance)) return;
  dual.rule.k = k;
  if (static_cast<std::size_t>(s.point.most_entries) <= k) {
    s.status = Status::converged;
    return;
  }
  for (double w = 0.1 * dual.rule.gamma; w > 1e-9 * dual.rule.gamma; w *= 0.1) {
    dual.old = s.point.plan;
    dual.rule.w = w;
    const bool is_last = w < 0.05 * dual.rule.gamma;
    if (!solve_smooth(s, is_last ? s.tolerance : roughly)) return;
    if (s.point.violation <= s.tolerance && s.gap() <= s.gap_tolerance) {
      s.status = Status::converged;
      return;
    }
  }
  s.status = Status::stagnated;
}

}  // namespace sparse_transport
