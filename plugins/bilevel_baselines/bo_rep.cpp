#include "bo_rep.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>

#include "descent.hpp"

namespace bilevel_baselines {

void BoRepOptions::describe(Fields<BoRepOptions>& f) {
  using O = BoRepOptions;
  f.add("tolerance", &O::tolerance, Range::above(0.0),
        "of each part of the certificate: projected hypergradient, lower-level gap, violation");
  f.add("max_iterations", &O::max_iterations, Range::at_least(0.0), "steps of the upper variables");
  f.add("step", &O::step, Range::above(0.0), "eta, the length of a step of x");
  f.add("decay", &O::decay, Range::closed(0.0, 1.0), "of the step, (k + 1)^-decay; published: 0");
  f.add("momentum", &O::momentum, Range{.low = 0.0, .high = 1.0, .high_open = true}, "beta");
  f.add("period", &O::period, Range::at_least(1.0), "iterations from one update of y to the next");
  f.add("lower_steps", &O::lower_steps, Range::at_least(1.0), "in y, at an update");
  f.add("first_lower_steps", &O::first_lower_steps, Range::at_least(1.0),
        "in y, for the refined start");
  f.add("terms", &O::terms, Range::at_least(1.0), "of the Neumann series");
  f.add("constraint_penalty", &O::constraint_penalty, Range::above(0.0),
        "rho of the quadratic penalty that stands for g in the lower level");
  f.add_component("lower_solver", &O::lower_solver, ProgramSolver::kind,
                  "of the lower level, for the certificate");
}

namespace {

constexpr double margin = 1.2;
constexpr std::int64_t estimate_every = 100;
constexpr double lower_tolerance = 1e-14;

/// (x, y) and the hypergradient at it.
class Iterate {
 public:
  Iterate(const BilevelProgram& problem, FirstOrderLower& lower, UpperObjective& upper)
      : v(problem.host_v()),
        lower_(lower),
        upper_(upper),
        nx_(static_cast<std::size_t>(problem.num_upper())),
        H_v_(v.size()),
        f_v_(v.size()),
        d_(v.size()),
        W_d_(v.size()),
        inside_(v.size() - nx_) {
    accelerated_.tolerance = lower_tolerance;
  }
  std::span<double> y() { return std::span<double>(v).subspan(nx_); }
  void estimate_curvature() { L_ = margin * lower_.curvature(v); }
  void update_lower(int steps) {
    accelerated_.max_steps = steps;
    accelerated_.L = L_;
    Numbers trial = v;
    (void)accelerated_.minimise(
        lower_,
        [&](std::span<const double> at, std::span<double> g) {
          std::ranges::copy(at, trial.begin() + static_cast<std::ptrdiff_t>(nx_));
          const double f = lower_.gradient(trial, f_v_);
          std::copy(f_v_.begin() + static_cast<std::ptrdiff_t>(nx_), f_v_.end(), g.begin());
          return f;
        },
        y());
  }
  double value() { return upper_.value(v); }
  /// H_x + f_xy p, p = -sum_{i <= Q} (I - W / L)^i H_y / L on the y that no bound holds.
  void hypergradient(int terms, std::span<double> h) {
    upper_.gradient(v, H_v_);
    (void)lower_.gradient(v, f_v_);
    Numbers moved(v.begin() + static_cast<std::ptrdiff_t>(nx_), v.end());
    for (std::size_t j = 0; j < moved.size(); ++j) moved[j] -= f_v_[nx_ + j] / L_;
    lower_.project(moved, inside_);
    Numbers sum(v.size());
    std::ranges::fill(d_, 0.0);
    for (std::size_t j = 0; j < inside_.size(); ++j)
      d_[nx_ + j] = inside_[j] ? -H_v_[nx_ + j] / L_ : 0.0;
    for (int i = 0; i < terms; ++i) {
      lower_.hessian_product(v, d_, W_d_);
      for (std::size_t k = nx_; k < v.size(); ++k) {
        sum[k] += d_[k];
        d_[k] = inside_[k - nx_] ? d_[k] - W_d_[k] / L_ : 0.0;
      }
    }
    lower_.hessian_product(v, sum, W_d_);
    for (std::size_t i = 0; i < nx_; ++i) h[i] = H_v_[i] + W_d_[i];
  }
  double scale() const {
    double s = 0.0;
    for (const double e : H_v_) s = std::max(s, std::abs(e));
    return s;
  }
  Numbers v;

 private:
  FirstOrderLower& lower_;
  UpperObjective& upper_;
  std::size_t nx_;
  Numbers H_v_, f_v_, d_, W_d_;
  std::vector<char> inside_;
  double L_ = 1.0;
  Accelerated accelerated_;
};

}  // namespace

Report BoRep::solve(BilevelProgram& problem, Monitor& monitor) {
  UpperObjective upper(problem);
  if (upper.has_constraints())
    throw Unsupported("method 'bo-rep' knows no upper constraints, and " + problem.parts().text +
                      " has some; use 'implicit-differentiation'");
  LowerLevel level(problem, context_.make<ProgramSolver>(options_.lower_solver));
  LowerTracker tracker(problem, level);
  FirstOrderLower lower(problem, options_.constraint_penalty);
  Iterate now(problem, lower, upper);
  const Bounds& X = problem.parts().upper_variables;
  const auto nx = static_cast<std::size_t>(problem.num_upper());
  for (std::size_t i = 0; i < nx; ++i) now.v[i] = std::clamp(now.v[i], X.lower[i], X.upper[i]);
  Numbers h(nx), m(nx), best = now.v;
  double best_value = INFINITY, stationarity = INFINITY;
  Report report;
  for (;; ++report.iterations) {
    const std::int64_t k = report.iterations;
    if (k % estimate_every == 0) now.estimate_curvature();
    const bool is_refined = k % options_.period == 0;
    if (is_refined) now.update_lower(k == 0 ? options_.first_lower_steps : options_.lower_steps);
    now.hypergradient(options_.terms, h);
    const double value = now.value();
    stationarity = projected_gradient(X, std::span<const double>(now.v).first(nx), h, now.scale());
    if (is_refined && value < best_value) {
      best_value = value;
      best = now.v;
    }
    const Sample samples[] = {{"upper_objective", value},
                              {"projected_hypergradient", stationarity}};
    const Verdict verdict = monitor.observe(k, samples);
    report.status = !std::isfinite(stationarity)         ? Status::non_finite
                    : stationarity <= options_.tolerance ? Status::converged
                    : verdict != Verdict::proceed        ? status_of(verdict)
                    : k >= options_.max_iterations       ? Status::max_iterations
                                                         : Status::breakdown;
    if (report.status != Status::breakdown) break;
    double norm = 0.0;
    for (std::size_t i = 0; i < nx; ++i) {
      // The first momentum is the gradient: no start from zero.
      m[i] = k == 0 ? h[i] : options_.momentum * m[i] + (1.0 - options_.momentum) * h[i];
      norm += m[i] * m[i];
    }
    norm = std::sqrt(norm);
    const double eta = options_.step * std::pow(static_cast<double>(k + 1), -options_.decay);
    for (std::size_t i = 0; i < nx && norm > 0.0; ++i)
      now.v[i] = std::clamp(now.v[i] - eta * m[i] / norm, X.lower[i], X.upper[i]);
  }
  report.reason = "projected hypergradient " + short_number(stationarity) + ", tolerance " +
                  short_number(options_.tolerance);
  report.counts = {{"lower_gradients", static_cast<double>(lower.gradients())},
                   {"hessian_products", static_cast<double>(lower.products())}};
  LowerPoint p = tracker.start();
  const bool has_multipliers = problem.has_multipliers;
  p.v = report.converged() || !std::isfinite(best_value) ? now.v : best;
  finish(problem, level, tracker, upper, std::move(p), has_multipliers, options_.tolerance, monitor,
         report);
  return report;
}

}  // namespace bilevel_baselines
