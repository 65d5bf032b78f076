#include <algorithm>
#include <libsolve/bilevel/detail/lower_box.hpp>

namespace libsolve::detail {

namespace {

/// Beyond it a box is as good as unbounded: nothing more is learnt by splitting.
constexpr double far_away = 1e12;
/// Relative to max(1, |y|): narrower boxes are not split.
constexpr double narrow = 1e-13;

double finite_point(const Interval& y) {
  if (contains_zero(y)) return 0.0;
  return y.low > 0.0 ? y.low : y.high;
}

}  // namespace

bool split_point(const Interval& y, double& at) {
  if (std::isfinite(y.low) && std::isfinite(y.high)) {
    // Not the middle itself, where symmetric functions like to have their minima: a minimum on a
    // common face keeps all of its boxes alive.
    at = y.low + 0.4871 * (y.high - y.low);
  } else if (!std::isfinite(y.high)) {
    at = y.low < 0.0 ? 0.0 : std::max(1.0, 10.0 * y.low);
  } else {
    at = y.high > 0.0 ? 0.0 : std::min(-1.0, 10.0 * y.high);
  }
  return at > y.low && at < y.high && std::abs(at) < far_away;
}

LowerBox::LowerBox(const BilevelProgram& problem, std::span<const double> x, double slack)
    : range_(problem.parts().lower_range),
      nx_(static_cast<std::size_t>(problem.num_upper())),
      ny_(static_cast<std::size_t>(problem.num_lower())),
      m_(problem.parts().lower_constraints.size()),
      low_(problem.parts().lower_constraints.lower),
      high_(problem.parts().lower_constraints.upper),
      lambda_(m_, 0.0),
      v_(nx_ + ny_),
      values_(1 + m_),
      gradients_((1 + m_) * v_.size()),
      at_centre_(1 + m_),
      at_lagrangian_(1 + m_),
      slopes_(ny_),
      centre_(ny_),
      lagrangian_centre_(ny_) {
  for (std::size_t i = 0; i < m_; ++i) {
    if (std::isfinite(low_[i])) low_[i] -= slack * std::max(1.0, std::abs(low_[i]));
    if (std::isfinite(high_[i])) high_[i] += slack * std::max(1.0, std::abs(high_[i]));
  }
  for (std::size_t j = 0; j < nx_; ++j) v_[j] = {x[j], x[j]};
  point_ = v_;
}

void LowerBox::evaluate(std::span<const double> centre, std::vector<Interval>& at) {
  for (std::size_t j = 0; j < ny_; ++j) point_[nx_ + j] = {centre[j], centre[j]};
  range_->enclose(point_, at, {});
}

void LowerBox::estimate_multipliers(std::span<const double> y) {
  for (std::size_t j = 0; j < ny_; ++j) v_[nx_ + j] = {y[j], y[j]};
  range_->enclose(v_, values_, gradients_);
  struct Column {
    std::vector<double> a;
    double squared = 0.0;
    double multiplier = 0.0;
    double least = -infinity, most = infinity;  // of the multiplier
    std::size_t constraint = 0;
  };
  std::vector<Column> columns;
  std::vector<double> residual(ny_);
  for (std::size_t j = 0; j < ny_; ++j) residual[j] = gradient(0)[j].low;
  for (std::size_t i = 0; i < m_; ++i) {
    constexpr double active = 1e-6;
    const auto is_at = [&](double bound) {
      return std::abs(values_[1 + i].low - bound) <= active * std::max(1.0, std::abs(bound));
    };
    if (!is_at(low_[i]) && !is_at(high_[i])) continue;
    Column c;
    c.constraint = i;
    if (!is_at(low_[i])) c.least = 0.0;
    if (!is_at(high_[i])) c.most = 0.0;
    for (std::size_t j = 0; j < ny_; ++j) {
      c.a.push_back(gradient(1 + i)[j].low);
      c.squared += c.a.back() * c.a.back();
    }
    if (c.squared > 0.0 && std::isfinite(c.squared)) columns.push_back(std::move(c));
  }
  constexpr int sweeps = 100;
  for (int sweep = 0; sweep < sweeps && !columns.empty(); ++sweep) {
    for (Column& c : columns) {
      double along = 0.0;
      for (std::size_t j = 0; j < ny_; ++j) along += c.a[j] * residual[j];
      const double next = std::clamp(c.multiplier - along / c.squared, c.least, c.most);
      for (std::size_t j = 0; j < ny_; ++j) residual[j] += (next - c.multiplier) * c.a[j];
      c.multiplier = next;
    }
  }
  for (const Column& c : columns)
    if (std::isfinite(c.multiplier)) lambda_[c.constraint] = c.multiplier;
}

bool LowerBox::enclose(const Box& y) {
  std::copy(y.begin(), y.end(), v_.begin() + static_cast<std::ptrdiff_t>(nx_));
  range_->enclose(v_, values_, gradients_);
  if (is_empty(values_[0])) return false;
  for (std::size_t i = 0; i < m_; ++i) {
    const Interval& g = values_[1 + i];
    if (is_empty(g) || g.high < low_[i] || g.low > high_[i]) return false;
  }
  return true;
}

bool LowerBox::is_inactive(std::size_t i) const {
  return values_[1 + i].low >= low_[i] && values_[1 + i].high <= high_[i];
}

bool LowerBox::is_monotone_and_shrinks(Box& y) const {
  bool shrank = false;
  for (std::size_t j = 0; j < ny_; ++j) {
    const Interval& f_j = gradient(0)[j];
    if (y[j].low == y[j].high || (f_j.low < 0.0 && f_j.high > 0.0)) continue;
    const bool downwards = f_j.low >= 0.0;  // y_j goes down
    const double end = downwards ? y[j].low : y[j].high;
    bool is_free = std::isfinite(end);
    for (std::size_t i = 0; i < m_ && is_free; ++i) {
      const Interval& g_j = gradient(1 + i)[j];
      if (g_j.low == -infinity && g_j.high == infinity) is_free = false;  // g may have gaps
      if (is_inactive(i)) continue;
      const bool g_falls = downwards ? g_j.low >= 0.0 : g_j.high <= 0.0;
      const bool g_rises = downwards ? g_j.high <= 0.0 : g_j.low >= 0.0;
      is_free = is_free && ((g_falls && g_rises) || (g_falls && low_[i] == -infinity) ||
                            (g_rises && high_[i] == infinity));
    }
    if (!is_free) continue;
    y[j] = {end, end};
    shrank = true;
  }
  return shrank;
}

void LowerBox::optimal_centre(const Box& y, const Interval* slopes,
                              std::vector<double>& centre) const {
  for (std::size_t j = 0; j < ny_; ++j) {
    const Interval& s = slopes[j];
    double c = finite_point(y[j]);
    if (s.low >= 0.0) {
      c = y[j].low;
    } else if (s.high <= 0.0) {
      c = y[j].high;
    } else if (std::isfinite(y[j].low) && std::isfinite(y[j].high)) {
      const double part =
          std::isfinite(s.low) && std::isfinite(s.high) ? -s.low / (s.high - s.low) : 0.5;
      c = y[j].low + part * (y[j].high - y[j].low);
    }
    if (!std::isfinite(c)) c = finite_point(y[j]);
    centre[j] = std::clamp(c, y[j].low, y[j].high);
  }
}

double LowerBox::mean_value_bound(const Box& y, const Interval* slopes, const Interval& at_centre,
                                  std::span<const double> centre) const {
  if (is_empty(at_centre)) return -infinity;
  Interval sum = at_centre;
  for (std::size_t j = 0; j < ny_; ++j)
    if (y[j].low != y[j].high) sum = sum + slopes[j] * (y[j] - Interval{centre[j], centre[j]});
  return sum.low;
}

bool LowerBox::is_feasible(const std::vector<Interval>& at) const {
  if (is_empty(at[0])) return false;
  for (std::size_t i = 0; i < m_; ++i)
    if (is_empty(at[1 + i]) || at[1 + i].low < low_[i] || at[1 + i].high > high_[i]) return false;
  return true;
}

double LowerBox::centred_bound(const Box& y, double& best_objective, std::vector<double>& best) {
  const auto take_if_better = [&](const Box& at, const std::vector<double>& centre) {
    if (!(at[0].high < best_objective) || !is_feasible(at)) return;
    best_objective = at[0].high;
    best = centre;
  };
  optimal_centre(y, gradient(0), centre_);
  evaluate(centre_, at_centre_);
  take_if_better(at_centre_, centre_);
  double bound = mean_value_bound(y, gradient(0), at_centre_[0], centre_);

  // f >= f + sum lambda_i (g_i - bound_i) over the feasible points.
  bool has_multipliers = false;
  for (std::size_t j = 0; j < ny_; ++j) slopes_[j] = gradient(0)[j];
  for (std::size_t i = 0; i < m_; ++i) {
    if (lambda_[i] == 0.0 || is_inactive(i)) continue;
    has_multipliers = true;
    const Interval factor = {lambda_[i], lambda_[i]};
    for (std::size_t j = 0; j < ny_; ++j) slopes_[j] = slopes_[j] + factor * gradient(1 + i)[j];
  }
  if (!has_multipliers) return bound;
  optimal_centre(y, slopes_.data(), lagrangian_centre_);
  evaluate(lagrangian_centre_, at_lagrangian_);
  take_if_better(at_lagrangian_, lagrangian_centre_);
  Interval sum = at_lagrangian_[0];
  for (std::size_t i = 0; i < m_; ++i) {
    if (lambda_[i] == 0.0 || is_inactive(i)) continue;
    const double end = lambda_[i] > 0.0 ? high_[i] : low_[i];
    sum = sum + Interval{lambda_[i], lambda_[i]} * (at_lagrangian_[1 + i] - Interval{end, end});
  }
  return std::max(bound, mean_value_bound(y, slopes_.data(), sum, lagrangian_centre_));
}

/// Keeps the points at which at_centre + sum_j slopes_j (y_j - centre_j) can be <= 0: `excess` is
/// the value at the centre beyond what is allowed.
void LowerBox::cut_by(Box& y, const Interval* slopes, const Interval& excess, Cut& cut) const {
  constexpr double enough = 0.8;  // of its width is left: enclose it anew
  for (std::size_t j = 0; j < ny_; ++j) {
    if (contains_zero(slopes[j]) || y[j].low == y[j].high) continue;
    Interval rest = excess;
    for (std::size_t k = 0; k < ny_; ++k)
      if (k != j) rest = rest + slopes[k] * (y[k] - Interval{centre_[k], centre_[k]});
    // slope (y_j - c_j) <= -rest.low
    if (!std::isfinite(rest.low)) continue;
    const Interval reach = Interval{-infinity, -rest.low} / slopes[j];
    const Interval kept = intersection(y[j], Interval{centre_[j], centre_[j]} + reach);
    if (is_empty(kept)) {
      cut.is_empty = true;
      return;
    }
    cut.shrank = cut.shrank || !(width(kept) > enough * width(y[j]));
    y[j] = kept;
  }
}

LowerBox::Cut LowerBox::cut(Box& y, double cutoff) const {
  Cut result;
  for (std::size_t i = 0; i < m_ && !result.is_empty; ++i) {
    const Interval& g = at_centre_[1 + i];
    if (is_inactive(i) || is_empty(g)) continue;
    const Interval* slopes = gradient(1 + i);
    if (std::isfinite(high_[i])) cut_by(y, slopes, g - Interval{high_[i], high_[i]}, result);
    if (!std::isfinite(low_[i]) || result.is_empty) continue;
    Box falling(slopes, slopes + ny_);
    for (Interval& s : falling) s = -s;
    cut_by(y, falling.data(), Interval{low_[i], low_[i]} - g, result);
  }
  if (result.is_empty || is_empty(at_centre_[0])) return result;
  const Box before = y;
  cut_by(y, gradient(0), at_centre_[0] - Interval{cutoff, cutoff}, result);
  for (std::size_t j = 0; j < ny_; ++j)
    result.by_objective = result.by_objective || result.is_empty || y[j].low != before[j].low ||
                          y[j].high != before[j].high;
  return result;
}

std::size_t LowerBox::direction_to_split(const Box& y) const {
  std::size_t best = ny_;
  double most = -1.0;
  for (std::size_t j = 0; j < ny_; ++j) {
    const double w = width(y[j]);
    if (!(w > narrow * std::max(1.0, std::abs(finite_point(y[j]))))) continue;
    double slope = width(gradient(0)[j]);
    for (std::size_t i = 0; i < m_; ++i)
      if (!is_inactive(i)) slope += std::abs(lambda_[i]) * width(gradient(1 + i)[j]);
    // Quadratic in the width: what the mean value forms lose.
    const double loss = std::isfinite(w) && std::isfinite(slope) ? w * slope + 1e-30 * w : infinity;
    if (loss > most || (loss == most && w > width(y[best]))) {
      best = j;
      most = loss;
    }
  }
  return best;
}

}  // namespace libsolve::detail
