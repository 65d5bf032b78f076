#include <chrono>
#include <cmath>
#include <limits>

#include "sliced.hpp"

namespace sliced {

void DistributionalSlicedOptions::describe(Fields<DistributionalSlicedOptions>& f) {
  using O = DistributionalSlicedOptions;
  f.add("concentration", &O::concentration, Range::at_least(0.0),
        "kappa of the von Mises-Fisher distribution of directions");
  f.add("projections", &O::projections, Range::at_least(2), "directions drawn around the location");
  f.add("starts", &O::starts, Range::at_least(1),
        "uniform directions of which the best is where the ascent begins");
  f.add("relative_tolerance", &O::relative_tolerance, Range::above(0.0),
        "stop when the gradient on the sphere is at most this times the value");
  f.add("max_iterations", &O::max_iterations, Range::at_least(0), "steps of the ascent");
}

namespace {

using Direction = std::vector<double>;

double dot(const Direction& u, const Direction& v) {
  double sum = 0.0;
  for (std::size_t d = 0; d < u.size(); ++d) sum += u[d] * v[d];
  return sum;
}

/// The least rotation that takes `from` to `to`, applied to v; |from| = |to| = 1, from != -to.
Direction turned(const Direction& v, const Direction& from, const Direction& to) {
  const double along = dot(v, from);
  const double both = (along + dot(v, to)) / (1.0 + dot(from, to));
  Direction out(v.size());
  for (std::size_t d = 0; d < v.size(); ++d)
    out[d] = v[d] - both * (from[d] + to[d]) + 2.0 * along * to[d];
  return out;
}

std::vector<Direction> all_turned(const std::vector<Direction>& thetas, const Direction& from,
                                  const Direction& to) {
  std::vector<Direction> out;
  for (const Direction& theta : thetas) out.push_back(turned(theta, from, to));
  return out;
}

/// Costs along all directions; gradients with respect to each, where wanted.
struct Costs {
  std::vector<double> values;
  std::vector<Direction> gradients;
};
Costs costs_of(const Clouds& clouds, const std::vector<Direction>& thetas, bool with_gradients) {
  Costs costs{
      std::vector<double>(thetas.size()),
      std::vector<Direction>(with_gradients ? thetas.size() : 0, Direction(clouds.dimension))};
  for_directions(static_cast<std::int64_t>(thetas.size()), [&](std::int64_t k) {
    const auto at = static_cast<std::size_t>(k);
    costs.values[at] = cost_along(clouds, thetas[at].data(), plan_along(clouds, thetas[at].data()),
                                  with_gradients ? costs.gradients[at].data() : nullptr);
  });
  return costs;
}

/// Derivative of the mean with respect to the location e: a tangent t turns theta by
/// t (e^T theta) - e (t^T theta).
Direction gradient_of(const Costs& costs, const std::vector<Direction>& thetas,
                      const Direction& e) {
  Direction g(e.size(), 0.0);
  const double weight = 1.0 / static_cast<double>(thetas.size());
  for (std::size_t k = 0; k < thetas.size(); ++k) {
    const double along = dot(thetas[k], e);
    const double slope = dot(costs.gradients[k], e);
    for (std::size_t d = 0; d < e.size(); ++d)
      g[d] += weight * (along * costs.gradients[k][d] - slope * thetas[k][d]);
  }
  const double normal = dot(g, e);
  for (std::size_t d = 0; d < e.size(); ++d) g[d] -= normal * e[d];
  return g;
}

/// The point at distance `angle` from e along the unit tangent t.
Direction stepped(const Direction& e, const Direction& t, double angle) {
  Direction out(e.size());
  for (std::size_t d = 0; d < e.size(); ++d)
    out[d] = std::cos(angle) * e[d] + std::sin(angle) * t[d];
  const double length = std::sqrt(dot(out, out));
  for (double& v : out) v /= length;
  return out;
}

/// The ascent on the sphere.
class Ascent {
 public:
  Ascent(const DistributionalSlicedOptions& options, const Clouds& clouds, std::uint64_t seed)
      : options_(options), clouds_(clouds), seed_(seed) {}

  /// The best of some uniform directions, and directions around it.
  void start() {
    const RandomStream stream(seed_, "sliced::starts");
    std::vector<Direction> starts;
    for (std::int64_t k = 0; k < options_.starts; ++k)
      starts.push_back(uniform_direction(stream, static_cast<std::uint64_t>(k), clouds_.dimension));
    const Costs costs = costs_of(clouds_, starts, false);
    std::size_t best = 0;
    for (std::size_t k = 1; k < starts.size(); ++k)
      if (costs.values[k] > costs.values[best]) best = k;
    location_ = starts[best];
    thetas_ = around("sliced::around");
    costs_ = costs_of(clouds_, thetas_, true);
    value_ = estimate_of(costs_.values).mean;
    values_ = {value_};
  }
  /// What the last five steps brought; infinite before there are five.
  double recent_gain() const {
    return values_.size() < 6 ? std::numeric_limits<double>::infinity()
                              : values_.back() - values_[values_.size() - 6];
  }
  std::vector<Direction> around(const char* purpose) const {
    const RandomStream stream(seed_, purpose);
    std::vector<Direction> thetas;
    for (std::int64_t k = 0; k < options_.projections; ++k)
      thetas.push_back(von_mises_fisher_direction(stream, static_cast<std::uint64_t>(k), location_,
                                                  options_.concentration));
    return thetas;
  }
  double gradient_norm() const {
    const Direction g = gradient_of(costs_, thetas_, location_);
    return std::sqrt(dot(g, g));
  }
  /// A step along the gradient that raises the value; false where there is none.
  bool step() {
    const Direction g = gradient_of(costs_, thetas_, location_);
    const double norm = std::sqrt(dot(g, g));
    if (norm == 0.0) return false;
    Direction tangent = g;
    for (double& v : tangent) v /= norm;
    for (double angle = std::min(2.0 * angle_, 0.8); angle > 1e-10; angle *= 0.5) {
      const Direction location = stepped(location_, tangent, angle);
      const std::vector<Direction> thetas = all_turned(thetas_, location_, location);
      Costs costs = costs_of(clouds_, thetas, true);
      const double value = estimate_of(costs.values).mean;
      if (value < value_ + 1e-4 * angle * norm) continue;  // Armijo
      location_ = location;
      thetas_ = thetas;
      costs_ = std::move(costs);
      value_ = value;
      angle_ = angle;
      values_.push_back(value);
      return true;
    }
    return false;
  }
  double value() const { return value_; }
  const Direction& location() const { return location_; }

 private:
  const DistributionalSlicedOptions& options_;
  const Clouds& clouds_;
  std::uint64_t seed_;
  Direction location_;
  std::vector<Direction> thetas_;
  Costs costs_;
  double value_ = 0.0;
  std::vector<double> values_;  ///< after each step
  double angle_ = 0.4;
};

}  // namespace

Report DistributionalSliced::solve(TransportProblem& problem, Monitor& monitor) {
  const auto begin = std::chrono::steady_clock::now();
  const Clouds clouds = clouds_of(problem, "distributional-sliced");
  monitor.begin_phase("solve");
  Ascent ascent(options_, clouds, seed_);
  ascent.start();
  Report report;
  double norm = 0.0;
  for (;;) {
    norm = ascent.gradient_norm();
    const Sample samples[] = {{"relative_gradient", norm / ascent.value()},
                              {"sliced_cost", ascent.value()}};
    const Verdict verdict = monitor.observe(report.iterations, samples);
    const std::string at =
        "gradient " + format_number(norm) + " at the value " + format_number(ascent.value());
    if (!std::isfinite(ascent.value())) {
      report.status = Status::non_finite;
      report.reason = at;
    } else if (norm <= options_.relative_tolerance * ascent.value()) {
      report.status = Status::converged;
      report.reason = at + ", relative tolerance " + format_number(options_.relative_tolerance);
    } else if (ascent.recent_gain() <= options_.relative_tolerance * ascent.value()) {
      report.status = Status::converged;
      report.reason = at + "; five steps raised it by " + format_number(ascent.recent_gain()) +
                      ", relative tolerance " + format_number(options_.relative_tolerance);
    } else if (verdict != Verdict::proceed) {
      report.status = status_of(verdict);
      report.reason = at;
    } else if (report.iterations >= options_.max_iterations) {
      report.status = Status::max_iterations;
      report.reason = at;
    } else if (ascent.step()) {
      ++report.iterations;
      continue;
    } else {
      // The cost along a direction has kinks where two projections meet: at one the gradient jumps.
      report.status = Status::stagnated;
      report.reason = at + ": no step along it is uphill (a kink); more 'projections' are smoother";
    }
    break;
  }
  const std::vector<Direction> fresh = ascent.around("sliced::fresh");
  const Estimate estimate = estimate_of(costs_of(clouds, fresh, false).values);
  CheapestPlan cheapest(clouds);
  for (const Direction& theta : fresh)
    cheapest.offer(cost_in_space(clouds, plan_along(clouds, theta.data())), theta);
  cheapest.store(problem);
  report.measures = problem.verify();
  report.metrics = {{"sliced_cost", estimate.mean, "cost"},
                    {"standard_error", estimate.error, "cost"},
                    {"sample_value", ascent.value(), "cost"}};
  for (std::size_t d = 0; d < clouds.dimension && d < 16; ++d)
    report.metrics.push_back({"location_" + std::to_string(d), ascent.location()[d], ""});
  report.counts = {{"projections", static_cast<double>(options_.projections)}};
  report.seconds = {
      {"solve", std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
       "s"}};
  return report;
}

}  // namespace sliced
