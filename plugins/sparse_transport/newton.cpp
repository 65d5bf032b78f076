#include "newton.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

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

double Ascent::relative_violation() const {
  return std::min(1.0, point.violation / dual.total());
}

namespace {

/// Band of the entries that count as nearly positive, over the largest cost, where all mass is wrong;
/// narrower as the violation falls.
constexpr double largest_band = 1e-3;
/// None in proximal steps, whose tied entries hang together by themselves.
double band_of(const Ascent& s) {
  return s.dual.rule.w > 0.0 ? 0.0 : largest_band * s.dual.largest_cost() * s.relative_violation();
}
/// Points on the way of a step.
constexpr int most_trials = 20;

/// H of the point: for column j the sum over its entries of dt/ds at the places (rows, n + j);
/// entries that are nearly positive with a part of it.
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
    for (const auto& [i, closeness] : p.near[j]) {
      const double weight = closeness * of_full;
      H.add(i, i, weight);
      H.add(i, n + j, weight);
      H.add(n + j, n + j, weight);
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
  const double shift = std::min(s.shift, std::sqrt(s.relative_violation()));
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

double along(const DualPoint& p, const std::vector<double>& d) {
  const std::size_t n = p.of_rows.size();
  double slope = 0.0;
  for (std::size_t i = 0; i < n; ++i) slope += p.of_rows[i] * d[i];
  for (std::size_t j = 0; j < p.of_columns.size(); ++j) slope += p.of_columns[j] * d[n + j];
  return slope;
}

/// A point on the way of a step.
struct Trial {
  double step = 0.0;
  Potentials x = {};
  DualPoint point = {};
};

/// The least value along d, roughly: where the slope, which is piecewise linear and increasing, is a tenth
/// of its first one, found by false position. No step where none lowers the value.
std::optional<Trial> line_search(Ascent& s, const std::vector<double>& d) {
  const double slope = along(s.point, d);
  // Near the end the values differ by rounding only: then the full step is as good as any.
  const bool is_rounding = -slope <= 1e-14 * std::abs(s.point.value);
  std::optional<Trial> best;
  double low = 0.0, slope_low = slope, high = 0.0, slope_high = 0.0, step = 1.0;
  for (int k = 0; k < most_trials; ++k) {
    Trial trial{step, moved(s.x, d, step), {}};
    trial.point = s.dual.at(trial.x);
    const double here = along(trial.point, d);
    // The value is convex along d: where it still falls, it has fallen. Where rounding hides the change,
    // the slopes decide (Hager and Zhang 2005).
    const double change = trial.point.value - s.point.value;
    const bool is_lower = is_rounding || here <= 0.0 || change <= 1e-4 * step * slope ||
                          (here <= -0.5 * slope && std::abs(change) <= 1e-12 * std::abs(s.point.value));
    if (is_lower && (!best || trial.point.value <= best->point.value)) best = std::move(trial);
    if (is_rounding || std::abs(here) <= -0.1 * slope) break;
    (here < 0.0 ? low : high) = step;
    (here < 0.0 ? slope_low : slope_high) = here;
    if (high == 0.0) {
      step = 4.0 * step;
      continue;
    }
    const double part = std::clamp(slope_low / (slope_low - slope_high), 0.05, 0.95);
    step = low + (high - low) * (best ? part : std::min(part, 0.25));
  }
  return best;
}

/// One step; false where no step length helps.
bool newton_step(Ascent& s) {
  const std::vector<double> d = newton_direction(s);
  ++s.iterations;
  if (d.empty()) return false;
  s.dual.band = band_of(s);
  std::optional<Trial> trial = line_search(s, d);
  if (!trial) return false;
  // A short step: pieces of the support floated into each other.
  if (trial->step < 0.2)
    s.shift *= trial->step < 0.02 ? 16.0 : 4.0;
  else if (trial->step > 0.6)
    s.shift /= 4.0;
  s.shift = std::clamp(s.shift, 1e-9, 1.0);
  s.x = std::move(trial->x);
  s.point = std::move(trial->point);
  return true;
}

/// Newton steps until the violation is at most `enough`; false where the ascent has to end.
bool solve_smooth(Ascent& s, double enough) {
  ++s.stages;
  s.shift = 1e-3;
  s.dual.band = s.stages == 1 ? largest_band * s.dual.largest_cost() : band_of(s);
  s.point = s.dual.at(s.x);
  while (!(s.point.violation <= enough)) {
    if (s.has_to_stop()) return false;
    if (newton_step(s)) continue;
    if (s.shift < 1.0) {
      s.shift = std::min(1.0, 64.0 * s.shift);
      continue;
    }
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
