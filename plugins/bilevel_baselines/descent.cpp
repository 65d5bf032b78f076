#include "descent.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <libsolve/core/text.hpp>

#include "smallest_in_hull.hpp"

namespace bilevel_baselines {

namespace {

constexpr double armijo = 1e-4, wolfe = 0.9;
constexpr int most_trials = 40;
constexpr double rounding = 1e-14, shortest_forgiven = 0.1;
constexpr int most_updates = 30;
/// Less progress than that (relative) in so many steps means a kink.
constexpr std::size_t stall_window = 10;
constexpr double stall = 1e-5;

double dot(std::span<const double> a, std::span<const double> b) {
  double s = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) s += a[i] * b[i];
  return s;
}
double largest(std::span<const double> v) {
  double m = 0.0;
  for (const double e : v) m = std::max(m, std::abs(e));
  return m;
}
bool is_finite(std::span<const double> v) {
  return std::ranges::all_of(v, [](double e) { return std::isfinite(e); });
}
void project(const Bounds& X, Numbers& x) {
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::clamp(x[i], X.lower[i], X.upper[i]);
}

struct Point {
  Numbers x, g;
  double f = INFINITY, scale = 1.0;
};

/// The inverse Hessian of the last pairs, on the variables that are free.
class LimitedMemory {
 public:
  explicit LimitedMemory(int size) : size_(static_cast<std::size_t>(size)) {}
  void clear() { pairs_.clear(); }
  bool is_empty() const { return pairs_.empty(); }
  void add(Numbers s, Numbers y) {
    if (!(dot(s, y) > 1e-12 * std::sqrt(dot(s, s) * dot(y, y)))) return;
    if (pairs_.size() == size_) pairs_.pop_front();
    pairs_.push_back({std::move(s), std::move(y)});
  }
  /// -B^-1 g, held entries left 0 (the two-loop recursion on the free parts of the pairs).
  Numbers direction(const Numbers& g, const std::vector<char>& is_held) const {
    const std::size_t n = g.size();
    Numbers q(n);
    for (std::size_t i = 0; i < n; ++i) q[i] = is_held[i] ? 0.0 : g[i];
    const auto free_dot = [&](const Numbers& a, const Numbers& b) {
      double s = 0.0;
      for (std::size_t i = 0; i < n; ++i)
        if (!is_held[i]) s += a[i] * b[i];
      return s;
    };
    Numbers alpha(pairs_.size()), curvature(pairs_.size());
    double scale = 0.0;
    for (std::size_t k = pairs_.size(); k-- > 0;) {
      const auto& [s, y] = pairs_[k];
      const double s_y = free_dot(s, y);
      curvature[k] = s_y > 1e-12 * std::sqrt(free_dot(s, s) * free_dot(y, y)) ? s_y : 0.0;
      if (curvature[k] == 0.0) continue;
      if (scale == 0.0) scale = s_y / free_dot(y, y);
      alpha[k] = free_dot(s, q) / s_y;
      for (std::size_t i = 0; i < n; ++i) q[i] -= alpha[k] * y[i];
    }
    if (scale == 0.0) scale = 1.0 / std::max(1.0, largest(q));
    for (double& e : q) e *= scale;
    for (std::size_t k = 0; k < pairs_.size(); ++k) {
      if (curvature[k] == 0.0) continue;
      const auto& [s, y] = pairs_[k];
      const double beta = free_dot(y, q) / curvature[k];
      for (std::size_t i = 0; i < n; ++i) q[i] += (alpha[k] - beta) * s[i];
    }
    for (std::size_t i = 0; i < n; ++i) q[i] = is_held[i] ? 0.0 : -q[i];
    return q;
  }

 private:
  struct Pair {
    Numbers s, y;
  };
  std::size_t size_;
  std::deque<Pair> pairs_;
};

class Search {
 public:
  Search(ReducedFunction& function, const Bounds& X, const std::function<Verdict()>& poll)
      : function_(function), X_(X), poll_(poll) {}
  bool evaluate(Point& p) {
    ++evaluations;
    p.g.resize(p.x.size());
    const bool is_there = verdict == Verdict::proceed && function_.evaluate(p.x, p.f, p.g);
    p.scale = function_.scale();
    if (!is_there && verdict == Verdict::proceed) verdict = poll_();
    return is_there && std::isfinite(p.f) && is_finite(p.g);
  }
  /// From p along d; the best point that meets Armijo's condition, false where there is none.
  bool step(const Point& p, const Numbers& d, Point& found) {
    double t = 1.0, low = 0.0, high = INFINITY;
    bool any = false;
    const double slope = dot(p.g, d);
    Point trial;
    for (int k = 0; k < most_trials; ++k) {
      trial.x = p.x;
      for (std::size_t i = 0; i < d.size(); ++i) trial.x[i] += t * d[i];
      project(X_, trial.x);
      double along = 0.0, moved = 0.0;
      for (std::size_t i = 0; i < d.size(); ++i) {
        along += p.g[i] * (trial.x[i] - p.x[i]);
        moved = std::max(moved, std::abs(trial.x[i] - p.x[i]));
      }
      if (moved <= 1e-16 * std::max(1.0, largest(p.x))) break;
      // Rounding is forgiven to steps of Newton's size only: short ones would go on for ever.
      const double forgiven = t >= shortest_forgiven ? rounding * std::abs(p.f) : 0.0;
      const bool is_lower = evaluate(trial) && trial.f <= p.f + armijo * along + forgiven &&
                            (forgiven > 0.0 || trial.f < p.f);
      if (!is_lower) {
        high = t;
      } else {
        if (!any || trial.f < found.f) found = trial;
        any = true;
        // Where the path is bent by bounds the slope along d means nothing.
        const bool is_bent = std::abs(along - t * slope) > 1e-10 * std::abs(t * slope);
        if (is_bent || dot(trial.g, d) >= wolfe * slope) break;
        low = t;
      }
      if (any && k >= 10) break;
      t = high < INFINITY ? 0.5 * (low + high) : 2.0 * t;
    }
    return any;
  }
  std::int64_t evaluations = 0;
  Verdict verdict = Verdict::proceed;  ///< once it is another, every evaluation fails

 private:
  ReducedFunction& function_;
  const Bounds& X_;
  const std::function<Verdict()>& poll_;
};

/// Steps at a kink; see minimise().
class KinkStep {
 public:
  enum class End { moved, stationary, stuck };
  KinkStep(Search& search, const Bounds& X, double tolerance)
      : search_(search), X_(X), tolerance_(tolerance) {}

  /// moved: `found` is the point; stationary: within kink_radius, with `measure`.
  End operator()(const Point& p, Point& found) {
    const double size = std::max(1.0, largest(p.x));
    for (double radius = first_radius_; radius >= 0.99 * kink_radius; radius *= 0.1) {
      first_radius_ = radius;
      GradientHull hull(sides(p.x, radius * size));
      hull.add(p.g);
      for (std::size_t k = 0; k < most_gradients; ++k) {
        Numbers d = hull.smallest();
        measure = projected_gradient(X_, p.x, d, p.scale);
        hull_size = hull.size();
        if (measure <= tolerance_) {
          if (radius <= 1.01 * kink_radius) return End::stationary;
          break;
        }
        for (double& e : d) e = -e;
        Point beyond;
        const End end = try_direction(p, d, radius * size, found, beyond);
        if (end == End::moved) return end;
        // One that still points down along d tells nothing new.
        if (beyond.g.empty() || !is_finite(beyond.g) || dot(beyond.g, d) < -0.9 * dot(d, d)) break;
        hull.add(beyond.g);
      }
    }
    return End::stuck;
  }
  double measure = 0.0;
  std::size_t hull_size = 0;

 private:
  static constexpr std::size_t most_gradients = 60;
  static constexpr int most_halvings = 6;
  /// A bound within reach counts as one that x is at: a step across it would be bent.
  std::vector<GradientHull::Side> sides(const Numbers& x, double reach) const {
    using Side = GradientHull::Side;
    std::vector<Side> s(x.size(), Side::inside);
    for (std::size_t i = 0; i < s.size(); ++i) {
      const bool low = x[i] <= X_.lower[i] + reach, high = x[i] >= X_.upper[i] - reach;
      if (low || high) s[i] = low && high ? Side::fixed : low ? Side::lower : Side::upper;
    }
    return s;
  }
  End try_direction(const Point& p, const Numbers& d, double radius, Point& found, Point& beyond) {
    const double square = dot(d, d);
    double t = radius / std::max(largest(d), 1e-300);
    for (int j = 0; j < most_halvings; ++j, t *= 0.25) {
      Point trial;
      trial.x = p.x;
      for (std::size_t i = 0; i < d.size(); ++i) trial.x[i] += t * d[i];
      project(X_, trial.x);
      if (!search_.evaluate(trial)) continue;
      if (trial.f < p.f && trial.f <= p.f - armijo * t * square) {
        found = std::move(trial);
        return End::moved;
      }
      beyond = std::move(trial);
    }
    return End::stuck;
  }
  Search& search_;
  const Bounds& X_;
  double tolerance_;
  double first_radius_ = 1e-2;
};

}  // namespace

double projected_gradient(const Bounds& X, std::span<const double> x, std::span<const double> g,
                          double scale) {
  double worst = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double moved = std::abs(x[i] - std::clamp(x[i] - g[i], X.lower[i], X.upper[i]));
    worst = std::isnan(moved) ? moved : std::max(worst, moved);
  }
  return worst / std::max(1.0, scale);
}

DescentResult minimise(ReducedFunction& function, const Bounds& X, Numbers x,
                       const DescentOptions& options, const Observe& observe) {
  DescentResult result;
  Search search(function, X, options.poll);
  LimitedMemory memory(options.memory);
  KinkStep kink(search, X, options.tolerance);
  std::deque<double> past;
  Point p;
  p.x = std::move(x);
  project(X, p.x);
  const auto end = [&](Status status, std::string reason) {
    const bool is_stopped = search.verdict != Verdict::proceed && status != Status::converged;
    result.status = is_stopped ? status_of(search.verdict) : status;
    result.reason = std::move(reason);
    result.x = std::move(p.x);
    result.gradient = std::move(p.g);
    result.value = p.f;
    result.evaluations = search.evaluations;
    return result;
  };
  if (!search.evaluate(p))
    return end(Status::breakdown, "the upper objective cannot be had at the start");
  if (function.accept(p.x) && !search.evaluate(p))
    return end(Status::breakdown, "the upper objective cannot be had at the start");
  for (;; ++result.iterations) {
    result.stationarity = projected_gradient(X, p.x, p.g, p.scale);
    const std::string measure = "projected hypergradient " + short_number(result.stationarity) +
                                ", tolerance " + short_number(options.tolerance);
    const Verdict verdict = observe(result.iterations, p.f, result.stationarity);
    if (result.stationarity <= options.tolerance) return end(Status::converged, measure);
    if (verdict != Verdict::proceed) return end(status_of(verdict), measure);
    if (result.iterations >= options.max_iterations) return end(Status::max_iterations, measure);

    std::vector<char> is_held(p.x.size());
    const double near = std::min(1e-8, result.stationarity);
    for (std::size_t i = 0; i < p.x.size(); ++i)
      is_held[i] = (p.x[i] <= X.lower[i] + near && p.g[i] > 0.0) ||
                   (p.x[i] >= X.upper[i] - near && p.g[i] < 0.0);
    Point next;
    bool moved = false;
    past.push_back(p.f);
    if (past.size() > stall_window) past.pop_front();
    const bool is_stalled =
        past.size() == stall_window && past.front() - p.f <= stall * std::max(1.0, std::abs(p.f));
    if (is_stalled) {  // between the sides of a kink
      memory.clear();
      past.clear();
    }
    for (const bool steepest : {false, true}) {
      if (is_stalled) break;
      if (steepest) {
        if (memory.is_empty()) break;
        memory.clear();
      }
      const Numbers d = memory.direction(p.g, is_held);
      if (!(dot(p.g, d) < 0.0)) continue;
      moved = search.step(p, d, next);
      if (moved) break;
    }
    if (!moved) {
      const KinkStep::End at_kink = kink(p, next);
      if (at_kink == KinkStep::End::stationary) {
        result.stationarity = kink.measure;
        result.hull_size = kink.hull_size;
        return end(Status::converged,
                   "smallest convex combination of " + std::to_string(kink.hull_size) +
                       " hypergradients around a kink " + short_number(kink.measure) +
                       ", tolerance " + short_number(options.tolerance));
      }
      moved = at_kink == KinkStep::End::moved;
    }
    if (!moved)
      return end(Status::stagnated,
                 "no step along the hypergradient lowers the objective, which "
                 "may have a kink here; " +
                     measure);
    Numbers s(p.x.size()), y(p.x.size());
    for (std::size_t i = 0; i < s.size(); ++i) {
      s[i] = next.x[i] - p.x[i];
      y[i] = next.g[i] - p.g[i];
    }
    memory.add(std::move(s), std::move(y));
    p = std::move(next);
    if (function.accept(p.x) && !search.evaluate(p))
      return end(Status::breakdown, "the upper objective cannot be had at an iterate; " + measure);
  }
}

DescentResult minimise(ReducedFunction& function, UpperObjective& upper, const Bounds& X, Numbers x,
                       const DescentOptions& options, const Observe& observe) {
  DescentOptions inner = options;
  DescentResult all;
  all.x = std::move(x);
  for (int k = 0; k < most_updates; ++k) {
    const std::int64_t before = all.iterations, evaluations = all.evaluations;
    inner.max_iterations = options.max_iterations - before;
    all = minimise(function, X, std::move(all.x), inner,
                   [&](std::int64_t i, double value, double measure) {
                     return observe(before + i, value, measure);
                   });
    all.iterations += before;
    all.evaluations += evaluations;
    const bool may_go_on = all.status == Status::converged || all.status == Status::stagnated;
    if (!upper.has_constraints() || !may_go_on) return all;
    const double violation = upper.violation(function.point());
    if (violation <= options.tolerance) return all;
    upper.update(function.point());
    all.reason += ", violation of the upper constraints " + short_number(violation);
  }
  if (all.status == Status::converged) all.status = Status::stagnated;
  return all;
}

DescentResult descend(ReducedFunction& function, UpperObjective& upper,
                      const BilevelProgram& problem, const DescentOptions& options,
                      Monitor& monitor, Report& report) {
  Numbers x = problem.host_v();
  x.resize(static_cast<std::size_t>(problem.num_upper()));
  DescentOptions heard = options;
  heard.poll = [&monitor] { return monitor.poll(); };
  DescentResult d = minimise(
      function, upper, problem.parts().upper_variables, std::move(x), heard,
      [&](std::int64_t k, double value, double measure) {
        const Sample samples[] = {{"upper_objective", value}, {"projected_hypergradient", measure}};
        return monitor.observe(k, samples);
      });
  report.status = d.status;
  report.reason = d.reason;
  report.iterations = d.iterations;
  report.counts = {{"upper_evaluations", static_cast<double>(d.evaluations)}};
  return d;
}

}  // namespace bilevel_baselines
