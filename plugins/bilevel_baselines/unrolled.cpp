#include "unrolled.hpp"

#include <algorithm>
#include <cmath>

#include "descent.hpp"

namespace bilevel_baselines {

namespace {

/// Power iteration comes from below, and the curvature changes on the way.
constexpr double margin = 1.2;
/// A y_K that differs from y_0 by less has converged.
constexpr double same = 1e-13;

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

}  // namespace

void UnrolledOptions::describe(Fields<UnrolledOptions>& f) {
  using O = UnrolledOptions;
  f.add("tolerance", &O::tolerance, Range::above(0.0),
        "of each part of the certificate: projected hypergradient, lower-level gap, violation");
  f.add("max_iterations", &O::max_iterations, Range::at_least(0.0), "steps of the upper variables");
  f.add("steps", &O::steps, Range::at_least(1.0), "of the lower level's iteration");
  f.add("backward_steps", &O::backward_steps, Range::at_least(1.0),
        "the last ones, through which the gradient goes back; at most `steps` count");
  f.add("iteration", &O::iteration, Choices{{"inertial", "gradient"}}, "of the lower level");
  f.add("constraint_penalty", &O::constraint_penalty, Range::above(0.0),
        "rho of the quadratic penalty that stands for g in the lower level");
  f.add("memory", &O::memory, Range::at_least(1.0), "pairs of steps that BFGS remembers");
  f.add_component("lower_solver", &O::lower_solver, ProgramSolver::kind,
                  "of the lower level, for the certificate");
}

UnrolledIteration::UnrolledIteration(FirstOrderLower& lower, int steps, int backward,
                                     bool is_inertial)
    : lower_(&lower),
      steps_(steps),
      backward_(std::min(steps, backward)),
      is_inertial_(is_inertial),
      points_(static_cast<std::size_t>(backward_),
              Numbers(at(lower.num_upper() + lower.num_lower()))),
      inside_(static_cast<std::size_t>(backward_), std::vector<char>(at(lower.num_lower()))),
      momentum_(static_cast<std::size_t>(backward_)) {}

void UnrolledIteration::set_step(std::span<const double> v) {
  L_ = margin * lower_->curvature(v);
}

void UnrolledIteration::forward(std::span<double> v) {
  const auto nx = at(lower_->num_upper());
  const std::span<double> y = v.subspan(nx);
  lower_->project(y);
  Numbers w(v.begin(), v.end()), last(y.begin(), y.end()), g(v.size());
  double t = 1.0;
  for (int k = 0; k < steps_; ++k) {
    const double t_next = is_inertial_ ? 0.5 * (1.0 + std::sqrt(1.0 + 4.0 * t * t)) : 1.0;
    const double beta = (t - 1.0) / t_next;
    t = t_next;
    for (std::size_t j = 0; j < y.size(); ++j) w[nx + j] = y[j] + beta * (y[j] - last[j]);
    std::ranges::copy(y, last.begin());
    (void)lower_->gradient(w, g);
    for (std::size_t j = 0; j < y.size(); ++j) y[j] = w[nx + j] - g[nx + j] / L_;
    const auto slot = static_cast<std::size_t>(k % backward_);
    lower_->project(y, inside_[slot]);
    points_[slot] = w;
    momentum_[slot] = beta;
  }
}

/// p: the adjoint of y_{k+1}; behind: what has come so far for y_k from w_{k+1}.
void UnrolledIteration::backward(std::span<const double> H_y, std::span<double> gradient) {
  const auto nx = at(lower_->num_upper()), ny = at(lower_->num_lower());
  Numbers p(H_y.begin(), H_y.end()), behind(ny), q(nx + ny), W_q(nx + ny);
  for (int k = steps_ - 1; k >= steps_ - backward_; --k) {
    const auto slot = static_cast<std::size_t>(k % backward_);
    for (std::size_t j = 0; j < ny; ++j) q[nx + j] = inside_[slot][j] ? p[j] : 0.0;
    lower_->hessian_product(points_[slot], q, W_q);
    for (std::size_t i = 0; i < nx; ++i) gradient[i] -= W_q[i] / L_;
    const double beta = momentum_[slot];
    for (std::size_t j = 0; j < ny; ++j) {
      const double of_w = q[nx + j] - W_q[nx + j] / L_;
      p[j] = behind[j] + (1.0 + beta) * of_w;
      behind[j] = -beta * of_w;
    }
  }
}

namespace {

class UnrolledPhi final : public ReducedFunction {
 public:
  UnrolledPhi(UnrolledIteration& iteration, UpperObjective& upper, Numbers v, std::size_t nx)
      : iteration_(iteration), upper_(upper), nx_(nx), start_(std::move(v)), here_(start_) {
    iteration_.set_step(start_);
  }
  bool evaluate(std::span<const double> x, double& value, std::span<double> gradient) override {
    Numbers v = start_;
    std::ranges::copy(x, v.begin());
    iteration_.forward(v);
    value = upper_.value(v);
    if (!std::isfinite(value)) return false;
    Numbers H_v(v.size());
    upper_.gradient(v, H_v);
    scale_ = 0.0;
    for (const double e : H_v) scale_ = std::max(scale_, std::abs(e));
    std::copy_n(H_v.begin(), nx_, gradient.begin());
    iteration_.backward(std::span<const double>(H_v).subspan(nx_), gradient);
    trials_.push_back(std::move(v));
    return true;
  }
  double scale() const override { return scale_; }
  bool accept(std::span<const double> x) override {
    for (Numbers& v : trials_)
      if (std::equal(x.begin(), x.end(), v.begin())) {
        here_ = v;
        break;
      }
    trials_.clear();
    // The next evaluations start from this y; the function changes by that unless y_K has
    // converged.
    double moved = 0.0;
    for (std::size_t j = nx_; j < here_.size(); ++j)
      moved = std::max(moved, std::abs(here_[j] - start_[j]) / std::max(1.0, std::abs(here_[j])));
    start_ = here_;
    if (++accepted_ % 10 == 0) iteration_.set_step(start_);
    return moved > same;
  }
  std::span<const double> point() const override { return here_; }

 private:
  UnrolledIteration& iteration_;
  UpperObjective& upper_;
  std::size_t nx_;
  Numbers start_, here_;
  std::vector<Numbers> trials_;
  double scale_ = 1.0;
  std::int64_t accepted_ = 0;
};

}  // namespace

Report Unrolled::solve(BilevelProgram& problem, Monitor& monitor) {
  LowerLevel level(problem, context_.make<ProgramSolver>(options_.lower_solver));
  LowerTracker tracker(problem, level);
  UpperObjective upper(problem);
  FirstOrderLower lower(problem, options_.constraint_penalty);
  UnrolledIteration iteration(lower, options_.steps, options_.backward_steps,
                              options_.iteration == "inertial");
  const auto nx = static_cast<std::size_t>(problem.num_upper());
  UnrolledPhi phi(iteration, upper, problem.host_v(), nx);
  Report report;
  (void)descend(phi, upper, problem,
                {.max_iterations = options_.max_iterations,
                 .tolerance = options_.tolerance,
                 .memory = options_.memory},
                monitor, report);
  report.counts.push_back({"lower_gradients", static_cast<double>(lower.gradients())});
  report.counts.push_back({"hessian_products", static_cast<double>(lower.products())});
  LowerPoint p = tracker.start();
  const bool has_multipliers = problem.has_multipliers;
  std::ranges::copy(phi.point(), p.v.begin());
  finish(problem, level, tracker, upper, std::move(p), has_multipliers, options_.tolerance, monitor,
         report);
  return report;
}

}  // namespace bilevel_baselines
