#include "admm.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <limits>
#include <utility>

#include "augmented_functions.hpp"

namespace proximal_splitting {

namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();
/// Boyd et al. 2011, section 3.4.1, with residuals relative to x and to u (Wohlberg 2017), which do not
/// depend on units: rho is changed by `factor` where one is `imbalance` times the other.
constexpr double imbalance = 10.0, factor = 2.0;

/// One solve.
class Solve {
 public:
  Solve(NonlinearProgram& problem, CompositeFunctions& sum, const AdmmOptions& options,
        std::optional<Admm::Position>& position, ProgramSolver& inner)
      : problem_(problem),
        sum_(sum),
        options_(options),
        position_(position),
        inner_(inner),
        z_(problem.x()),
        augmented_(std::make_shared<AugmentedFunctions>(sum, z_.partition())),
        step_program_(augmented_, unbounded(), {}, problem.host_x()) {
    for (Vector* v : {&g_, &target_, &x_last_, &z_last_, &relaxed_}) *v = z_.like("admm::vector");
  }
  Report run(Monitor& monitor);

 private:
  Bounds unbounded() const {
    const auto n = static_cast<std::size_t>(problem_.num_variables());
    return {std::vector<double>(n, -INFINITY), std::vector<double>(n, INFINITY)};
  }
  void start();
  enum class Step { done, not_finite, stopped };
  /// x, z, u and the residuals. Where the monitor says stop everything is as it was.
  Step step(Monitor& monitor);
  void balance();
  bool is_stationary();
  std::optional<Status> verdict(Step step, std::int64_t k, Monitor& monitor, std::string& why);

  Admm::Position& at() { return *position_; }

  NonlinearProgram& problem_;
  CompositeFunctions& sum_;
  const AdmmOptions& options_;
  std::optional<Admm::Position>& position_;
  ProgramSolver& inner_;
  Vector z_;
  std::shared_ptr<AugmentedFunctions> augmented_;
  NonlinearProgram step_program_;
  Vector g_, target_, x_last_, z_last_, relaxed_;
  double missed_ = 0.0, primal_ = 0.0, dual_ = 0.0, residual_ = 0.0;
  std::int64_t inner_iterations_ = 0, inner_failures_ = 0, first_ = 0;
};

void Solve::start() {
  sum_.gradient(z_.view(), g_.view());
  sum_.set_accuracy(1e-3);  // of the first sample only
  residual_ = sum_.residual(z_, g_).relative;
  sum_.set_accuracy(0.3 * options_.tolerance);
  if (position_) {
    sum_.set_curvature(at().curvature);
    return;
  }
  position_.emplace();
  at().curvature = sum_.curvature();
  at().recheck_below = options_.tolerance;
  at().x = z_.like("admm::x");
  at().u = z_.like("admm::u");
  copy(z_, at().x);
  const auto step = sum_.fixed_step();
  at().rho = step ? 1.0 / *step : options_.penalty * sum_.curvature();
  at().last_step = 0.05 * norm2(g_) / at().rho;
}

Solve::Step Solve::step(Monitor& monitor) {
  const double rho = at().rho;
  const Vector &x = at().x, &u = at().u;
  const double scale = std::max(1.0, rho * norm_max(u));  // rho u tends to -f'
  // x = argmin f(x) + rho/2 |x - (z - u)|^2
  linear_combination(1.0, z_, -1.0, u, target_);
  augmented_->set(rho, target_);
  copy(x, x_last_);
  copy(z_, z_last_);
  copy(x, step_program_.x());
  InnerMonitor watched(monitor);
  const Report inner = inner_.solve(step_program_, watched);
  if (monitor.poll() != Verdict::proceed) return Step::stopped;
  inner_iterations_ += inner.iterations;
  if (!inner.converged()) ++inner_failures_;
  copy(step_program_.x(), x);
  // z = prox_{1/rho}(alpha x + (1 - alpha) z + u),  u += alpha x + (1 - alpha) z - z+
  linear_combination(options_.relaxation, x, 1.0 - options_.relaxation, z_last_, relaxed_);
  linear_combination(1.0, relaxed_, 1.0, u, target_);
  const double wanted = 0.3 * options_.tolerance * scale / rho;
  missed_ = sum_.prox(target_, 1.0 / rho, std::max(wanted, 0.1 * at().last_step), z_);
  if (std::isnan(missed_)) return Step::not_finite;
  if (monitor.poll() != Verdict::proceed) {
    copy(x_last_, x);
    copy(z_last_, z_);
    return Step::stopped;
  }
  linear_combination(1.0, target_, -1.0, z_, u);
  linear_combination(1.0, x, -1.0, z_, relaxed_);
  axpy(-1.0, z_, z_last_);
  primal_ = norm2(relaxed_);
  at().last_step = norm2(z_last_);
  dual_ = rho * at().last_step;
  // Stationarity at z misses by f'(z) - f'(x) and rho (z - z_last): the first is seen as rho |x - z|.
  residual_ = rho * std::max(norm_max(relaxed_) + missed_, norm_max(z_last_)) / scale;
  at().iterations += 1.0;
  balance();  // here, so that a stored position has it behind it
  return std::isfinite(primal_) && std::isfinite(dual_) ? Step::done : Step::not_finite;
}

void Solve::balance() {
  if (sum_.fixed_step() || at().changes >= static_cast<double>(options_.penalty_changes)) return;
  const double x_size = std::max(norm2(at().x), norm2(z_)), u_size = norm2(at().u);
  if (!(x_size > 0.0) || !(u_size > 0.0)) return;
  const double primal = primal_ / x_size, dual = at().last_step / u_size;
  double change = 1.0;
  if (primal > imbalance * dual) change = factor;
  if (dual > imbalance * primal) change = 1.0 / factor;
  if (change == 1.0) return;
  at().rho *= change;
  at().changes += 1.0;
  scale(1.0 / change, at().u);
}

bool Solve::is_stationary() {
  if (!(residual_ <= at().recheck_below)) return false;
  sum_.gradient(z_.view(), g_.view());
  const double there = sum_.residual(z_, g_).relative;
  at().recheck_below = 0.5 * residual_;
  residual_ = there;
  return there <= options_.tolerance;
}

std::optional<Status> Solve::verdict(Step step, std::int64_t k, Monitor& monitor,
                                     std::string& why) {
  if (step == Step::stopped) return status_of(monitor.poll());
  if (step == Step::not_finite) {
    why = "the step in x or the proximal operator is not finite; ";
    return Status::non_finite;
  }
  const bool stationary = k > first_ && is_stationary();
  const double f = sum_.objective(z_.view());
  const Sample samples[] = {{"kkt_residual", residual_},
                            {"objective", f + sum_.regularizer(z_).value_or(0.0)},
                            {"primal_residual", primal_},
                            {"dual_residual", dual_},
                            {"penalty", at().rho}};
  const Verdict said = monitor.observe(k, samples);
  if (!std::isfinite(f)) {
    why = "the objective is not finite; ";
    return Status::non_finite;
  }
  if (stationary) return Status::converged;
  if (said != Verdict::proceed) return status_of(said);
  if (k >= options_.max_iterations) return Status::max_iterations;
  const double rounding = 4.0 * epsilon * norm2(z_);
  if (k > first_ && at().last_step <= rounding && primal_ <= rounding) {
    why = "steps are down to rounding";
    if (missed_ > 0.0) why += ", the proximal operator missed by " + short_number(missed_);
    if (inner_failures_ > 0) why += ", " + std::to_string(inner_failures_) + " steps in x did not converge";
    why += "; ";
    return Status::stagnated;
  }
  return std::nullopt;
}

Report Solve::run(Monitor& monitor) {
  const EvaluationCounts before = sum_.counts();
  Report report;
  start();
  first_ = report.iterations = static_cast<std::int64_t>(at().iterations);
  std::string why;
  std::optional<Status> status;
  Step last = std::isfinite(norm_max(g_)) ? Step::done : Step::not_finite;
  while (!(status = verdict(last, report.iterations, monitor, why))) {
    last = step(monitor);
    if (last != Step::stopped) ++report.iterations;
  }
  report.status = *status;
  report.reason = why + "proximal gradient residual " + short_number(residual_) + ", tolerance " +
                  short_number(options_.tolerance);
  report.counts = {{"inner_iterations", static_cast<double>(inner_iterations_)},
                   {"unconverged_steps", static_cast<double>(inner_failures_)},
                   {"penalty_changes", at().changes}};
  add_evaluation_counts(sum_.counts(), before, report);
  return report;
}

/// The method of the step in x; where its tolerance is not given, a tenth of ours. One relative to the
/// first gradient says nothing there: each step begins next to its end.
std::unique_ptr<ProgramSolver> make_inner(const AdmmOptions& options, const Context& context) {
  ComponentSpec spec = options.solver;
  const ComponentInfo* info =
      context.registry == nullptr ? nullptr : context.registry->find(ProgramSolver::kind, spec.name);
  const auto set = [&](const char* name, double value) {
    if (info == nullptr || spec.options.find(name) != nullptr) return false;
    const bool has = std::any_of(info->options.begin(), info->options.end(),
                                 [&](const OptionInfo& option) { return option.name == name; });
    if (has) spec.options.set(name, Value(value));
    return has;
  };
  if (set("tolerance", 0.1 * options.tolerance)) set("relative_tolerance", 1.0);
  return context.make<ProgramSolver>(spec);
}

}  // namespace

void AdmmOptions::describe(Fields<AdmmOptions>& f) {
  using O = AdmmOptions;
  f.add("tolerance", &O::tolerance, Range::above(0.0),
        "largest entry of (z - prox_s(z - s f'(z))) / s, over max(1, |f'|), s = 1 / curvature of f along its gradient at the start");
  f.add("max_iterations", &O::max_iterations, Range::at_least(0), "steps in x and z");
  f.add("penalty", &O::penalty, Range::above(0.0),
        "first rho over the curvature of f along its gradient at the start; not looked at where the regulariser has one step only");
  f.add("relaxation", &O::relaxation, Range::open(0.0, 2.0), "alpha; 1: none");
  f.add("penalty_changes", &O::penalty_changes, Range::at_least(0),
        "of rho at most, where primal and dual residual differ tenfold; finitely many, so that it converges");
  f.add_component("solver", &O::solver, ProgramSolver::kind,
                  "for the steps in x; its 'tolerance' is a tenth of this one's where it is not given");
}

Report Admm::solve(NonlinearProgram& problem, Monitor& monitor) {
  const auto sum = sum_of(problem, "admm");
  position_ = std::exchange(resumed_, std::nullopt);
  if (position_ && position_->x.global_size() != problem.x().global_size()) position_.reset();
  const auto inner = make_inner(options_, context_);
  const Heeded heeded(*sum, monitor);
  Report report = Solve(problem, *sum, options_, position_, *inner).run(monitor);
  if (report.converged()) position_.reset();
  finish(problem, *sum, options_.tolerance, report);
  return report;
}

std::vector<Field> Admm::state() const {
  if (!position_ && !resumed_) return {};
  const Position& now = position_ ? *position_ : *resumed_;
  const auto field = [](const char* name, const Vector& values, const char* text) {
    Field f;
    f.name = name;
    f.values = values;
    f.description = text;
    return f;
  };
  return {numbers_field("position", {now.iterations, now.rho, now.changes, now.last_step, now.curvature,
                                     now.recheck_below},
                        "iterations, rho, its changes, |z+ - z|, curvature at the start, residual to look "
                        "again at"),
          field("x", now.x, "where f was minimised last"), field("u", now.u, "multipliers over rho")};
}

void Admm::restore(const StateSource& state, const Problem& problem) {
  const auto* program = dynamic_cast<const NonlinearProgram*>(&problem);
  if (program == nullptr || !state.has("position")) return;
  const std::vector<double> numbers = state.numbers("position");
  if (numbers.size() != 6 || !state.has("x") || !state.has("u"))
    throw DataError("the stored position is not one of admm");
  const auto read = [&](const char* name) {
    Field f;
    f.values = program->x().like("admm::resumed");
    state.read(name, f);
    return f.values;
  };
  resumed_ = Position{numbers[0], numbers[1], numbers[2], numbers[3],
                      numbers[4], numbers[5], read("x"),  read("u")};
}

}  // namespace proximal_splitting
