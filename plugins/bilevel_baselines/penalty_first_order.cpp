#include "penalty_first_order.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>

#include "descent.hpp"

namespace bilevel_baselines {

void PenaltyFirstOrderOptions::describe(Fields<PenaltyFirstOrderOptions>& f) {
  using O = PenaltyFirstOrderOptions;
  f.add("tolerance", &O::tolerance, Range::above(0.0),
        "of each part of the certificate: projected hypergradient, lower-level gap, violation");
  f.add("max_iterations", &O::max_iterations, Range::at_least(0.0), "steps of the upper variables");
  f.add("schedule", &O::schedule, Choices{{"continuation", "f2ba"}},
        "s grows and every program is solved, or the published loop with s = last_penalty");
  f.add("first_penalty", &O::first_penalty, Range::above(0.0), "s of the first program");
  f.add("last_penalty", &O::last_penalty, Range::above(0.0), "s of the last one");
  f.add("growth", &O::growth, Range::above(1.0), "of s from one program to the next");
  f.add("step", &O::step, Range::above(0.0), "of x in schedule f2ba");
  f.add("inner_steps", &O::inner_steps, Range::at_least(1.0), "of y and z in schedule f2ba");
  f.add("max_inner_steps", &O::max_inner_steps, Range::at_least(1.0),
        "of y and of z for one evaluation in schedule continuation");
  f.add("constraint_penalty", &O::constraint_penalty, Range::above(0.0),
        "rho of the quadratic penalty that stands for g in the lower level");
  f.add("memory", &O::memory, Range::at_least(1.0), "pairs of steps that BFGS remembers");
  f.add_component("lower_solver", &O::lower_solver, ProgramSolver::kind,
                  "of the lower level, for the certificate");
}

namespace {

/// Of the tolerance of the hypergradient over s, for both inner problems.
constexpr double inner_share = 0.1;
constexpr double least_tolerance = 1e-14;
/// Power iteration comes from below, and the curvature changes on the way.
constexpr double margin = 1.2;
/// Iterations of f2ba between estimates of the curvature.
constexpr std::int64_t estimate_every = 100;

/// L_s, with y and z kept from point to point.
class Penalised final : public ReducedFunction {
 public:
  Penalised(const BilevelProgram& problem, FirstOrderLower& lower, UpperObjective& upper)
      : lower_(lower),
        upper_(upper),
        nx_(static_cast<std::size_t>(problem.num_upper())),
        v_(problem.host_v()),
        w_(v_),
        F_v_(v_.size()),
        f_v_(v_.size()),
        f_w_(v_.size()) {
    y_.L = z_.L = margin * lower_.curvature(v_);
  }
  double s = 1.0;

  void set_accuracy(double tolerance, int max_steps) {
    y_.tolerance = z_.tolerance = std::max(least_tolerance, inner_share * tolerance / s);
    y_.max_steps = z_.max_steps = max_steps;
  }
  bool evaluate(std::span<const double> x, double& value, std::span<double> gradient) override {
    std::ranges::copy(x, v_.begin());
    std::ranges::copy(x, w_.begin());
    const auto y = [&](Numbers& v) { return std::span<double>(v).subspan(nx_); };
    Numbers trial = v_;
    const SmoothFunction both = [&](std::span<const double> at, std::span<double> g) {
      std::ranges::copy(at, y(trial).begin());
      const double f = lower_.gradient(trial, f_v_);
      upper_.gradient(trial, F_v_);
      for (std::size_t j = 0; j < g.size(); ++j) g[j] = f_v_[nx_ + j] + F_v_[nx_ + j] / s;
      return f + upper_.value(trial) / s;
    };
    const SmoothFunction alone = [&](std::span<const double> at, std::span<double> g) {
      std::ranges::copy(at, y(trial).begin());
      const double f = lower_.gradient(trial, f_v_);
      for (std::size_t j = 0; j < g.size(); ++j) g[j] = f_v_[nx_ + j];
      return f;
    };
    const double of_z = z_.minimise(lower_, alone, y(w_));
    const double of_y = y_.minimise(lower_, both, y(v_));
    if (!std::isfinite(of_y) || !std::isfinite(of_z)) return false;
    return finish(value, gradient);
  }
  /// The published inner loop: `steps` projected gradient steps in z and in y, side by side.
  bool gradient_steps(std::span<const double> x, int steps, double& value,
                      std::span<double> gradient) {
    std::ranges::copy(x, v_.begin());
    std::ranges::copy(x, w_.begin());
    const double L = y_.L;
    for (int k = 0; k < steps; ++k) {
      (void)lower_.gradient(w_, f_w_);
      (void)lower_.gradient(v_, f_v_);
      upper_.gradient(v_, F_v_);
      for (std::size_t j = nx_; j < v_.size(); ++j) {
        w_[j] -= f_w_[j] / L;
        v_[j] -= (f_v_[j] + F_v_[j] / s) / L;
      }
      lower_.project(std::span<double>(w_).subspan(nx_));
      lower_.project(std::span<double>(v_).subspan(nx_));
    }
    return finish(value, gradient);
  }
  void estimate_curvature() { y_.L = z_.L = margin * lower_.curvature(w_); }
  double scale() const override { return scale_; }
  bool accept(std::span<const double>) override { return false; }
  /// (x, z): the lower level alone.
  std::span<const double> point() const override { return w_; }

 private:
  bool finish(double& value, std::span<double> gradient) {
    const double f_w = lower_.gradient(w_, f_w_);
    const double f_v = lower_.gradient(v_, f_v_);
    upper_.gradient(v_, F_v_);
    value = upper_.value(v_) + s * (f_v - f_w);
    for (std::size_t i = 0; i < nx_; ++i) gradient[i] = F_v_[i] + s * (f_v_[i] - f_w_[i]);
    scale_ = 0.0;
    for (const double e : F_v_) scale_ = std::max(scale_, std::abs(e));
    return std::isfinite(value);
  }
  FirstOrderLower& lower_;
  UpperObjective& upper_;
  std::size_t nx_;
  Numbers v_, w_, F_v_, f_v_, f_w_;  ///< at (x, y), at (x, z)
  Accelerated y_, z_;
  double scale_ = 1.0;
};

DescentResult continuation(const PenaltyFirstOrderOptions& o, Penalised& function,
                           UpperObjective& upper, const Bounds& X, Numbers x,
                           const Observe& observe, const std::function<Verdict()>& poll) {
  DescentResult all;
  for (double s = o.first_penalty;; s = std::min(o.last_penalty, s * o.growth)) {
    const bool is_last = s >= o.last_penalty;
    function.s = s;
    function.set_accuracy(o.tolerance, o.max_inner_steps);
    const std::int64_t before = all.iterations, evaluations = all.evaluations;
    // Far from the end there is no use in more than the error of L_s itself.
    const double tolerance = is_last ? o.tolerance : std::max(o.tolerance, 0.1 / s);
    const DescentOptions options{.max_iterations = o.max_iterations - before,
                                 .tolerance = tolerance,
                                 .memory = o.memory,
                                 .poll = poll};
    const auto shifted = [&](std::int64_t i, double value, double measure) {
      return observe(before + i, value, measure);
    };
    all = is_last ? minimise(function, upper, X, std::move(x), options, shifted)
                  : minimise(function, X, std::move(x), options, shifted);
    all.iterations += before;
    all.evaluations += evaluations;
    all.reason = "s = " + short_number(s) + ": " + all.reason;
    const bool may_go_on = all.status == Status::converged || all.status == Status::stagnated;
    if (is_last || !may_go_on) return all;
    x = std::move(all.x);
  }
}

DescentResult published(const PenaltyFirstOrderOptions& o, Penalised& function, const Bounds& X,
                        Numbers x, const Observe& observe) {
  DescentResult r;
  r.gradient.resize(x.size());
  function.s = o.last_penalty;
  for (;; ++r.iterations) {
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::clamp(x[i], X.lower[i], X.upper[i]);
    if (r.iterations % estimate_every == 0) function.estimate_curvature();
    ++r.evaluations;
    const bool is_there = function.gradient_steps(x, o.inner_steps, r.value, r.gradient);
    r.stationarity = projected_gradient(X, x, r.gradient, function.scale());
    const Verdict verdict = observe(r.iterations, r.value, r.stationarity);
    r.status = !is_there || !std::isfinite(r.stationarity) ? Status::non_finite
               : r.stationarity <= o.tolerance             ? Status::converged
               : verdict != Verdict::proceed               ? status_of(verdict)
               : r.iterations >= o.max_iterations          ? Status::max_iterations
                                                           : Status::breakdown;
    if (r.status != Status::breakdown) break;
    for (std::size_t i = 0; i < x.size(); ++i) x[i] -= o.step * r.gradient[i];
  }
  r.reason = "gradient of the penalised program " + short_number(r.stationarity) + ", tolerance " +
             short_number(o.tolerance);
  r.x = std::move(x);
  return r;
}

}  // namespace

Report PenaltyFirstOrder::solve(BilevelProgram& problem, Monitor& monitor) {
  UpperObjective upper(problem);
  const bool is_published = options_.schedule == "f2ba";
  if (is_published && upper.has_constraints())
    throw Unsupported(
        "method 'penalty-first-order' with schedule = \"f2ba\" knows no upper constraints, and " +
        problem.parts().text + " has some; use schedule = \"continuation\"");
  LowerLevel level(problem, context_.make<ProgramSolver>(options_.lower_solver));
  LowerTracker tracker(problem, level);
  FirstOrderLower lower(problem, options_.constraint_penalty);
  Penalised function(problem, lower, upper);
  Numbers x = problem.host_v();
  x.resize(static_cast<std::size_t>(problem.num_upper()));
  const Bounds& X = problem.parts().upper_variables;
  const Observe observe = [&](std::int64_t k, double value, double measure) {
    const Sample samples[] = {{"upper_objective", value}, {"projected_hypergradient", measure}};
    return monitor.observe(k, samples);
  };
  const DescentResult d = is_published ? published(options_, function, X, std::move(x), observe)
                                       : continuation(options_, function, upper, X, std::move(x),
                                                      observe, [&] { return monitor.poll(); });
  Report report;
  report.status = d.status;
  report.reason = d.reason;
  report.iterations = d.iterations;
  report.counts = {{"upper_evaluations", static_cast<double>(d.evaluations)},
                   {"lower_gradients", static_cast<double>(lower.gradients())}};
  LowerPoint p = tracker.start();
  const bool has_multipliers = problem.has_multipliers;
  std::ranges::copy(function.point(), p.v.begin());
  if (!d.x.empty()) std::ranges::copy(d.x, p.v.begin());
  finish(problem, level, tracker, upper, std::move(p), has_multipliers, options_.tolerance, monitor,
         report);
  return report;
}

}  // namespace bilevel_baselines
