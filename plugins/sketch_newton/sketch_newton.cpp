#include "sketch_newton.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/core/text.hpp>

#include "control_system.hpp"

namespace sketch_newton {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point t) {
  return std::chrono::duration<double>(Clock::now() - t).count();
}

/// What is aimed at below the tolerance: a measure in other units should be met, too.
constexpr double safety = 0.5;
/// Variables plus constraints from which on the multilevel solver is faster than factors.
constexpr std::size_t control_from = 3000;
/// Barrier parameter from which on the active set may be known.
constexpr double polish_from = 1e-3;

/// One solve: interior point runs with the polish inside, until one ends well.
class Solve {
 public:
  Solve(NonlinearProgram& problem, const SketchNewtonOptions& options, std::uint64_t seed,
        Monitor& monitor)
      : problem_(problem),
        options_(options),
        seed_(seed),
        monitor_(monitor),
        structure_(dynamic_cast<ControlStructure*>(&problem.functions())),
        form_(problem, structure_ != nullptr ? 0.0 : options.largest_gradient),
        polish_(form_, static_cast<std::size_t>(options.dense_limit)) {
    for (std::size_t i = 0; i < form_.n; ++i)
      has_bounds_ = has_bounds_ || form_.has_lower(i) || form_.has_upper(i);
  }

  Report run();

 private:
  bool watch(const InteriorPoint& method);
  void keep_best(const Iterate& at, const KktResidual& residual);
  void take_counts(const InteriorPoint& method);
  Iterate start(int attempt);
  bool warm_start();
  bool is_stopped() {
    return verdict_ != Verdict::proceed || (verdict_ = monitor_.poll()) != Verdict::proceed;
  }
  std::unique_ptr<NewtonSystem> make_system(const Form& form) const;
  bool is_linear() const;
  Report finish(InteriorPoint::End end, const std::string& why);

  NonlinearProgram& problem_;
  const SketchNewtonOptions& options_;
  std::uint64_t seed_;
  Monitor& monitor_;
  ControlStructure* structure_;  ///< null: none that is known
  SlackForm form_;
  Polish polish_;
  Verdict verdict_ = Verdict::proceed;
  bool solved_ = false, has_bounds_ = false;
  double polished_at_ = INFINITY;  ///< barrier parameter of the last polish
  Iterate best_;
  KktResidual best_residual_{INFINITY, INFINITY, INFINITY};
  std::int64_t iterations_ = 0, factorisations_ = 0, solves_ = 0, restorations_ = 0,
               corrections_ = 0, dual_shifts_ = 0;
  int starts_ = 0;
  double flops_ = 0.0;
};

void Solve::keep_best(const Iterate& at, const KktResidual& residual) {
  const double now = residual.largest(), before = best_residual_.largest();
  if (!best_.w.empty() && !std::isnan(before) && !(now < before)) return;
  best_ = at;
  best_residual_ = residual;
}

bool Solve::watch(const InteriorPoint& method) {
  const std::int64_t iteration = iterations_ + method.iterations() + polish_.steps();
  const double error = method.error(0.0);
  const Sample samples[] = {{"kkt_residual", error},
                            {"objective", method.objective() / form_.objective_scale()},
                            {"constraint_violation", method.violation_max()},
                            {"barrier", method.mu()},
                            {"step_length", method.alpha()},
                            {"hessian_shift", method.shift()}};
  verdict_ = monitor_.observe(iteration, samples);
  if (verdict_ != Verdict::proceed) return true;
  const double wanted = safety * options_.tolerance;
  const auto accept = [&](const Iterate& at, const KktResidual& residual) {
    keep_best(at, residual);
    solved_ = residual.largest() <= wanted;
    return solved_;
  };
  if (error <= 1e3 * options_.tolerance) {
    const KktResidual r =
        form_.kkt_residual(method.iterate().w, method.iterate().lambda, method.iterate().z());
    if (accept(method.iterate(), r)) return true;
  }
  if (options_.polish && has_bounds_ && method.mu() <= polish_from &&
      method.mu() < 0.5 * polished_at_ && error <= 100.0 * std::max(method.mu(), 1e-6)) {
    polished_at_ = method.mu();
    Iterate at = method.iterate();
    if (polish_.run(at, wanted) && accept(at, polish_.residual())) return true;
  }
  return false;
}

Iterate Solve::start(int attempt) {
  Iterate s;
  std::vector<double> x = problem_.host_x();
  if (attempt > 0) {
    const RandomStream random(seed_, "sketch_newton::restart");
    for (std::size_t j = 0; j < x.size(); ++j) {
      const double u = random.uniform(static_cast<std::uint64_t>(attempt) * x.size() + j);
      x[j] += (2.0 * u - 1.0) * attempt * std::max(1.0, std::abs(x[j]));
    }
  }
  s.w = form_.from_x(x);
  return s;
}

void Solve::take_counts(const InteriorPoint& method) {
  iterations_ += method.iterations();
  factorisations_ += method.factorisations();
  solves_ += method.solves();
  flops_ += method.flops();
  restorations_ += method.restorations();
  corrections_ += method.corrections();
  dual_shifts_ += method.dual_shifts();
}

std::unique_ptr<NewtonSystem> Solve::make_system(const Form& form) const {
  const std::string& by = options_.inner_solver;
  const bool fits = structure_ != nullptr && ControlSystem::fits(form, *structure_);
  if (by == "multilevel" && !fits)
    throw Unsupported(
        "inner_solver = \"multilevel\" is for elliptic control on N x N points without bounds "
        "(source 'elliptic-control'); use \"auto\" or \"factors\"");
  if (by == "multilevel" || (by == "auto" && fits && form.n + form.m > control_from))
    return std::make_unique<ControlSystem>(form, *structure_, options_.inner_tolerance,
                                           options_.order == "random", seed_);
  return std::make_unique<KktSystem>(
      form, static_cast<std::size_t>(options_.dense_limit),
      by == "minres" ? KktSystem::By::minres : KktSystem::By::factors);
}

bool Solve::is_linear() const {
  for (const std::size_t i : form_.rows())
    if (!problem_.functions().is_linear(static_cast<Index>(i))) return false;
  return true;
}

/// From a point with multipliers: Newton's method on the active set that they say, first.
bool Solve::warm_start() {
  Iterate at;
  const std::vector<double> x = problem_.host_x(), z = problem_.host_bound_multipliers();
  const std::vector<double> multipliers = problem_.host_multipliers();
  at.w = form_.from_x(x);
  at.lambda = form_.from_multipliers(multipliers);
  at.zl.assign(form_.n, 0.0);
  at.zu.assign(form_.n, 0.0);
  form_.bound_multipliers(z, at.lambda, at.zl, at.zu);
  const double wanted = safety * options_.tolerance;
  const KktResidual r = form_.kkt_residual(at.w, at.lambda, at.z());
  if (r.largest() <= wanted) {
    keep_best(at, r);
    return true;
  }
  if (!polish_.run(at, wanted)) return false;
  keep_best(at, polish_.residual());
  return true;
}

Report Solve::run() {
  polish_.stop = [this] { return is_stopped(); };
  if (options_.warm_start && structure_ == nullptr && problem_.has_multipliers && warm_start()) {
    solved_ = true;
    const Sample samples[] = {{"kkt_residual", best_residual_.largest()}};
    (void)monitor_.observe(polish_.steps(), samples);
    return finish(InteriorPoint::End::converged, "");
  }
  InteriorPoint::End end = InteriorPoint::End::stuck, first_end = end;
  std::string why, first_why;
  for (int attempt = 0; attempt <= options_.restarts; ++attempt) {
    InteriorPointSettings settings;
    settings.mu = options_.barrier;
    settings.tolerance = 1e-2 * options_.tolerance;
    settings.least_mu = std::min(1e-14, options_.tolerance * options_.tolerance);
    settings.max_iterations = options_.max_iterations - iterations_;
    settings.dense_limit = static_cast<std::size_t>(options_.dense_limit);
    settings.stop = [this] { return is_stopped(); };
    settings.make_system = [this](const Form& form) { return make_system(form); };
    polished_at_ = INFINITY;
    InteriorPoint method(form_, settings, [this](const InteriorPoint& m) { return watch(m); });
    end = method.run(start(attempt));
    ++starts_;
    why = method.why();
    take_counts(method);
    if (solved_) break;
    Iterate at = method.iterate();
    keep_best(at, form_.kkt_residual(at.w, at.lambda, at.z()));
    if (attempt > 0 && end == InteriorPoint::End::non_finite) {
      end = first_end;  // another start, where functions are not defined, says nothing
      why = first_why;
      continue;
    }
    first_end = end;
    first_why = why;
    if (verdict_ != Verdict::proceed || end == InteriorPoint::End::non_finite ||
        end == InteriorPoint::End::unbounded)
      break;
    // Not where it should be: the polish once more.
    if (options_.polish && structure_ == nullptr && method.violation_max() < 1e-2 &&
        polish_.run(at, safety * options_.tolerance)) {
      keep_best(at, polish_.residual());
      solved_ = true;
    }
    if (best_residual_.largest() <= options_.tolerance) solved_ = true;
    if (solved_ || end == InteriorPoint::End::max_iterations ||
        end == InteriorPoint::End::unbounded)
      break;
  }
  return finish(end, why);
}

Report Solve::finish(InteriorPoint::End end, const std::string& why) {
  using End = InteriorPoint::End;
  Report report;
  report.iterations = iterations_ + polish_.steps();
  if (!best_.w.empty()) {
    Numbers multipliers, bound_multipliers;
    form_.multipliers_of(best_.w, best_.lambda, best_.z(), multipliers, bound_multipliers);
    problem_.set_solution(form_.x_of(best_.w), multipliers, bound_multipliers);
  }
  const std::string at = "KKT residual " + short_number(best_residual_.largest()) +
                         " (stationarity " + short_number(best_residual_.stationarity) +
                         ", violation " + short_number(best_residual_.constraint_violation) +
                         ", complementarity " + short_number(best_residual_.complementarity) +
                         "), tolerance " + short_number(options_.tolerance);
  report.reason = at;
  if (solved_)
    report.status = Status::converged;
  else if (verdict_ != Verdict::proceed)
    report.status = status_of(verdict_);
  else {
    switch (end) {
      case End::max_iterations:
        report.status = Status::max_iterations;
        break;
      case End::infeasible:
        // Only among linear constraints does a local minimum of the violation prove anything.
        report.status = is_linear() && best_residual_.constraint_violation > options_.tolerance
                            ? Status::infeasible
                            : Status::stagnated;
        break;
      case End::unbounded:
        report.status = Status::unbounded;
        break;
      case End::non_finite:
        report.status = Status::non_finite;
        break;
      default:
        report.status = Status::stagnated;
    }
    if (!why.empty()) report.reason = why + "; " + at;
    if (end == End::infeasible && report.status != Status::infeasible)
      report.reason =
          "locally infeasible from " + std::to_string(starts_) + " starts: " + report.reason;
  }
  const auto count = [&](const char* name, double value) {
    report.counts.push_back({name, value});
  };
  count("factorizations", static_cast<double>(factorisations_ + polish_.factorisations()));
  count("factor_solves", static_cast<double>(solves_ + polish_.solves()));
  count("second_order_corrections", static_cast<double>(corrections_));
  count("restorations", static_cast<double>(restorations_));
  count("dual_shifts", static_cast<double>(dual_shifts_));
  if (dual_shifts_ > 0)
    report.notes.push_back("rows of the Jacobian depend on each other in " +
                           std::to_string(dual_shifts_) + " steps");
  count("polish_steps", static_cast<double>(polish_.steps()));
  report.metrics.push_back({"inner_solver_flops", flops_ + polish_.flops(), "flop"});
  return report;
}

}  // namespace

void SketchNewtonOptions::describe(Fields<SketchNewtonOptions>& f) {
  using O = SketchNewtonOptions;
  f.add(
      "tolerance", &O::tolerance, Range::above(0.0),
      "largest part of the KKT residual: stationarity over max(1, |f'|), violation of constraints "
      "over max(1, |bound|), complementarity");
  f.add("max_iterations", &O::max_iterations, Range::at_least(0.0), "Newton steps");
  f.add("largest_gradient", &O::largest_gradient, Range::at_least(0.0),
        "f and the c_i are scaled so that their gradients at the start are no larger; 0: not");
  f.add("barrier", &O::barrier, Range::above(0.0),
        "first barrier parameter, of the scaled problem");
  f.add("dense_limit", &O::dense_limit, Range::closed(0.0, 4000.0),
        "variables plus constraints up to which the Newton matrix is factored as a dense one");
  f.add("inner_solver", &O::inner_solver, Choices{{"auto", "factors", "multilevel", "minres"}},
        "of Newton systems: chosen by structure; L D L^T; a multilevel cycle for elliptic control "
        "inside "
        "flexible GMRES; MINRES with the diagonal, for comparison");
  f.add("order", &O::order, Choices{{"ordered", "random"}},
        "of the subspaces (colours) in the multilevel cycle");
  f.add("inner_tolerance", &O::inner_tolerance, Range::open(0.0, 1e-6),
        "relative residual of iterative inner solvers");
  f.add("polish", &O::polish, "end with Newton's method on the active set");
  f.add("warm_start", &O::warm_start, "use the problem's multipliers where it has some");
  f.add("restarts", &O::restarts, Range::at_least(0.0),
        "starts from other, seeded points where the constraints seem infeasible or steps fail");
}

Report SketchNewton::solve(NonlinearProgram& problem, Monitor& monitor) {
  const auto begin = Clock::now();
  const EvaluationCounts before = problem.functions().counts();
  if (!problem.functions().has_entries())
    throw Unsupported(
        "method 'sketch-newton' needs the entries of Jacobian and Hessian; this program offers "
        "products only");
  monitor.begin_phase("setup");
  Solve solve(problem, options_, seed_, monitor);
  const double setup = seconds_since(begin);
  monitor.begin_phase("solve");
  Report report = solve.run();
  report.seconds = {{"setup", setup, "s"}, {"solve", seconds_since(begin) - setup, "s"}};
  add_evaluation_counts(problem.functions().counts(), before, report);
  verify_report(problem, options_.tolerance, report);
  return report;
}

}  // namespace sketch_newton
