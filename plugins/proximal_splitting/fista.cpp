#include "fista.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <limits>
#include <utility>

namespace proximal_splitting {

namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr double unbounded_below = -1e20;
constexpr int most_growths = 100;

/// One solve.
class Solve {
 public:
  Solve(NonlinearProgram& problem, CompositeFunctions& sum, const FistaOptions& options,
        std::optional<Fista::Position>& position, Monitor& monitor)
      : problem_(problem),
        sum_(sum),
        options_(options),
        position_(position),
        monitor_(monitor),
        x_(problem.x()) {
    for (Vector* v : {&g_, &d_, &moved_, &next_, &check_}) *v = x_.like("fista::vector");
  }
  Report run();

 private:
  enum class Step { done, too_long, no_decrease, not_finite, stopped };
  void start();
  /// next_ from y, L raised until f lies below its model; f and g at y are there.
  Step proximal_step();
  Step step_with_restart();
  void accept();
  bool is_stationary();
  /// Why the loop ends; nothing: it does not.
  std::optional<Status> verdict(Step step, const Report& report, std::string& why);

  Fista::Position& at() { return *position_; }
  std::optional<double> objective_at(const Vector& x, double f) const {
    const auto R = sum_.regularizer(x);
    if (!R) return std::nullopt;
    return f + *R;
  }

  NonlinearProgram& problem_;
  CompositeFunctions& sum_;
  const FistaOptions& options_;
  std::optional<Fista::Position>& position_;
  Monitor& monitor_;
  Vector x_, g_, d_, moved_, next_, check_;
  double f_y_ = 0.0, f_next_ = 0.0, g_max_ = 0.0, missed_ = 0.0, d_norm_ = 0.0;
  std::optional<double> F_, F_next_;  ///< f + weight R at x_ and at next_, where R is known
  double residual_ = 0.0;
  std::int64_t first_ = 0;  ///< iteration of this solve
  std::int64_t backtracks_ = 0, restarts_ = 0, proxes_ = 0;
};

void Solve::start() {
  sum_.gradient(x_.view(), g_.view());
  g_max_ = norm_max(g_);
  sum_.set_accuracy(1e-3);  // of the first sample only
  residual_ = sum_.residual(x_, g_).relative;
  sum_.set_accuracy(0.3 * options_.tolerance);
  if (position_) {
    sum_.set_curvature(at().curvature);
    return;
  }
  position_.emplace();
  at().curvature = sum_.curvature();
  at().recheck_below = options_.tolerance;
  at().y = x_.like("fista::y");
  copy(x_, at().y);
  // Below the largest curvature; backtracking does the rest.
  const auto step = sum_.fixed_step();
  at().L = step ? 1.0 / *step : sum_.curvature();
  at().last_step = 0.05 * norm2(g_) / at().L;
}

Solve::Step Solve::proximal_step() {
  if (!std::isfinite(f_y_) || !std::isfinite(g_max_)) return Step::not_finite;
  const double wanted = 0.3 * options_.tolerance * std::max(1.0, g_max_);
  const double slack = 16.0 * epsilon * std::abs(f_y_), L_before = at().L;
  for (int k = 0; k < most_growths; ++k) {
    const double L = at().L;
    linear_combination(1.0, at().y, -1.0 / L, g_, moved_);
    missed_ = sum_.prox(moved_, 1.0 / L, std::max(wanted / L, 0.1 * at().last_step), next_);
    ++proxes_;
    if (std::isnan(missed_)) return Step::not_finite;
    if (monitor_.poll() != Verdict::proceed) {  // R may have ended early: as if this had not begun
      at().L = L_before;
      return Step::stopped;
    }
    linear_combination(1.0, next_, -1.0, at().y, d_);
    const double square = dot(d_, d_);
    f_next_ = sum_.objective(next_.view());
    d_norm_ = std::sqrt(square);
    // f(next) <= f(y) + g^T d + L/2 |d|^2
    if (f_next_ <= f_y_ + dot(g_, d_) + 0.5 * L * square + slack) return Step::done;
    if (sum_.fixed_step()) return Step::too_long;
    at().L *= options_.step_growth;
    ++backtracks_;
  }
  return std::isfinite(f_next_) ? Step::no_decrease : Step::not_finite;
}

Solve::Step Solve::step_with_restart() {
  Step step = Step::not_finite;
  for (const bool from_x : {false, true}) {
    if (from_x) {  // momentum led uphill, or to where f is not finite
      ++restarts_;
      copy(x_, at().y);
      at().theta = 1.0;
    }
    f_y_ = sum_.objective(at().y.view());
    sum_.gradient(at().y.view(), g_.view());
    g_max_ = norm_max(g_);
    step = proximal_step();
    if (at().theta == 1.0) return step;
    if (step == Step::not_finite) continue;
    if (step != Step::done) return step;
    F_next_ = objective_at(next_, f_next_);
    const double inexact = at().L * missed_ * (d_norm_ + missed_);
    if (!F_next_ || !F_ || *F_next_ <= *F_ + inexact + 16.0 * epsilon * std::abs(*F_)) return step;
  }
  return step;
}

void Solve::accept() {
  // Uphill: (y - x+)^T (x+ - x) > 0 (O'Donoghue, Candes 2015, gradient scheme).
  linear_combination(1.0, next_, -1.0, x_, moved_);
  const bool uphill = options_.restart && at().theta > 1.0 && dot(d_, moved_) < 0.0;
  copy(next_, x_);
  F_ = objective_at(x_, f_next_);
  at().last_step = d_norm_;
  at().iterations += 1.0;
  if (uphill) {
    ++restarts_;
    at().theta = 1.0;
    // A new run may begin with a smaller L: what was met on the way here may lie behind.
    if (!sum_.fixed_step()) at().L /= options_.step_growth;
    copy(x_, at().y);
    return;
  }
  const double theta = 0.5 * (1.0 + std::sqrt(1.0 + 4.0 * at().theta * at().theta));
  linear_combination(1.0, x_, (at().theta - 1.0) / theta, moved_, at().y);
  at().theta = theta;
}

bool Solve::is_stationary() {
  // L |x+ - y| is the residual at y; below the tolerance that of x+ has the word.
  if (!(residual_ <= at().recheck_below)) return false;
  sum_.gradient(x_.view(), check_.view());
  const double there = sum_.residual(x_, check_).relative;
  at().recheck_below = 0.5 * residual_;
  residual_ = there;
  return there <= options_.tolerance;
}

std::optional<Status> Solve::verdict(Step step, const Report& report, std::string& why) {
  if (step == Step::stopped) return status_of(monitor_.poll());
  if (step == Step::not_finite) {
    why = "the objective, its gradient or the proximal operator is not finite; ";
    return Status::non_finite;
  }
  if (step == Step::too_long) {
    why = "the regulariser's only step is longer than the curvature of f allows (raise its weight above " +
          short_number(sum_.weight()) + "); ";
    return Status::breakdown;
  }
  if (step == Step::no_decrease) {
    why = "no step keeps f below its model; ";
    return Status::stagnated;
  }
  const bool stationary = report.iterations > first_ && is_stationary();
  const Sample samples[] = {{"kkt_residual", residual_},
                            {"objective", F_.value_or(f_next_)},
                            {"curvature", at().L}};
  const Verdict said = monitor_.observe(report.iterations, samples);
  if (stationary) return Status::converged;
  if (said != Verdict::proceed) return status_of(said);
  if (report.iterations >= options_.max_iterations) return Status::max_iterations;
  if (F_.value_or(f_next_) < unbounded_below) {
    why = "the objective falls without end; ";
    return Status::unbounded;
  }
  if (report.iterations > first_ && d_norm_ <= 4.0 * epsilon * norm2(x_)) {
    why = missed_ > 0.0 ? "steps are down to rounding and the proximal operator missed by " + short_number(missed_) + "; "
                        : "steps are down to rounding; ";
    return Status::stagnated;
  }
  return std::nullopt;
}

Report Solve::run() {
  const EvaluationCounts before = sum_.counts();
  Report report;
  start();
  first_ = report.iterations = static_cast<std::int64_t>(at().iterations);
  f_next_ = sum_.objective(x_.view());
  F_ = objective_at(x_, f_next_);
  Step step = std::isfinite(f_next_) && std::isfinite(g_max_) ? Step::done : Step::not_finite;
  std::string why;
  std::optional<Status> status;
  d_norm_ = INFINITY;
  while (!(status = verdict(step, report, why))) {
    step = step_with_restart();
    if (step != Step::done) continue;
    accept();
    ++report.iterations;
    residual_ = at().L * (norm_max(d_) + missed_) / std::max(1.0, g_max_);
  }
  report.status = *status;
  report.reason = why + "proximal gradient residual " + short_number(residual_) + ", tolerance " +
                  short_number(options_.tolerance);
  report.counts = {{"proximal_steps", static_cast<double>(proxes_)},
                   {"backtracks", static_cast<double>(backtracks_)},
                   {"restarts", static_cast<double>(restarts_)}};
  add_evaluation_counts(sum_.counts(), before, report);
  return report;
}

}  // namespace

void FistaOptions::describe(Fields<FistaOptions>& f) {
  using O = FistaOptions;
  f.add("tolerance", &O::tolerance, Range::above(0.0),
        "largest entry of (x - prox_s(x - s f'(x))) / s, over max(1, |f'|), s = 1 / curvature of f along its gradient at the start");
  f.add("max_iterations", &O::max_iterations, Range::at_least(0), "steps");
  f.add("step_growth", &O::step_growth, Range::above(1.0), "of L where f lies above its model");
  f.add("restart", &O::restart, "of the momentum where it points uphill");
}

Report Fista::solve(NonlinearProgram& problem, Monitor& monitor) {
  const auto sum = sum_of(problem, "fista");
  position_ = std::exchange(resumed_, std::nullopt);
  if (position_ && position_->y.global_size() != problem.x().global_size()) position_.reset();
  const Heeded heeded(*sum, monitor);
  Report report = Solve(problem, *sum, options_, position_, monitor).run();
  if (report.converged()) position_.reset();
  finish(problem, *sum, options_.tolerance, report);
  return report;
}

std::vector<Field> Fista::state() const {
  if (!position_ && !resumed_) return {};
  const Position& now = position_ ? *position_ : *resumed_;
  Field y;
  y.name = "y";
  y.values = now.y;
  y.description = "the point to step from";
  return {numbers_field("position",
                        {now.iterations, now.L, now.theta, now.last_step, now.curvature,
                         now.recheck_below},
                        "iterations, curvature L, theta of the momentum, |x+ - y|, curvature at the start, "
                        "residual to look again at"),
          y};
}

void Fista::restore(const StateSource& state, const Problem& problem) {
  const auto* program = dynamic_cast<const NonlinearProgram*>(&problem);
  if (program == nullptr || !state.has("position")) return;
  const std::vector<double> numbers = state.numbers("position");
  if (numbers.size() != 6 || !state.has("y"))
    throw DataError("the stored position is not one of fista");
  Position then{numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], program->x().like("fista::y")};
  Field y;
  y.values = then.y;
  state.read("y", y);
  resumed_ = then;
}

}  // namespace proximal_splitting
