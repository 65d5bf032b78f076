#include "sns.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/transport/plan_marginals.hpp>
#include <libsolve/transport/sinkhorn_sweeps.hpp>
#include <limits>

#include "restricted_dual.hpp"

namespace sinkhorn_newton {

void SnsOptions::describe(Fields<SnsOptions>& f) {
  using O = SnsOptions;
  f.add("tolerance", &O::tolerance, Range::above(0.0),
        "stop when |P 1 - a|_1 + |P^T 1 - b|_1 is at most this")
      .unit("mass");
  f.add("max_iterations", &O::max_iterations, Range::at_least(1),
        "sweeps and Newton evaluations together");
  f.add("scaling_start", &O::scaling_start, Range::above(0.0),
        "regularisation to begin with, in units of the largest cost");
  f.add("scaling_factor", &O::scaling_factor, Range::above(1.0),
        "the regularisation is divided by this from level to level");
  f.add("sweeps_per_level", &O::sweeps_per_level, Range::at_least(1),
        "sweeps before Newton's method");
  f.add("level_tolerance", &O::level_tolerance, Range::above(0.0),
        "violation, over the mass, to which all levels but the last are solved");
  f.add("largest_drop", &O::largest_drop, Range::closed(0.0, 0.5),
        "largest part of a row that the Newton matrix leaves out");
  f.add("drop_per_violation", &O::drop_per_violation, Range::at_least(0.0),
        "the part left out is at most this times the violation over the mass");
  f.add("damping_per_violation", &O::damping_per_violation, Range::at_least(0.0),
        "ridge of the Newton matrix, in its column sums, over the violation over the mass");
  f.add("model_steps", &O::model_steps, Range::at_least(1),
        "most Newton steps on the entries kept between two passes over all entries");
  f.add("max_entries", &O::max_entries, Range::at_least(1),
        "entries of the plan that may be kept, 40 bytes each; beyond it sweeps go on alone");
  f.add_component("inner", &O::inner, LinearSolver::kind,
                  "solver of Newton's systems; \"none\": eigen-ldlt where the plan is sparse, else "
                  "cg with jacobi");
}

namespace {

/// Steps that failed one after another, each followed by sweeps, before the method gives up.
constexpr int most_failures = 10;
/// Parts of the mass: a level without a model gets another sweep above the first, and every level
/// above the second.
constexpr double coarse_target = 2e-2;
constexpr double far_away = 0.06;
/// Where sweeps contract so well that this many are enough, no Newton step is made.
constexpr double few_sweeps = 30.0;
/// In all, foreseen, beyond which Newton steps take over although they may take longer.
constexpr double most_sweeps = 155.0;
/// A Newton step in exps of a pass, for each entry of its list: what is done once (exp of the
/// entry, search, matrix and its transpose), and a product with S. Measured at eta = 1e-2, n = 784
/// and 1000.
constexpr double exps_per_entry = 80.0;
constexpr double exps_per_product = 4.0;
/// By which a Newton step cuts the violation, roughly: the model's steps end at a fiftieth.
constexpr double cut_by_step = 100.0;
/// Accuracy at which conjugate gradients end, typically.
constexpr double typical_accuracy = 1e-3;
/// Part of the time of a pass in double that one of a run of sweeps takes: it begins in float.
constexpr double time_of_sweep = 0.8;
/// Of the mass, above which sweeps on their own way are made with exps in float.
constexpr double rounding_of_float = 1e-5;
/// Passes without a violation below 0.9 of the best before rounding is suspected.
constexpr int patience = 12;

class Solve {
 public:
  Solve(const SnsOptions& options, const Context& context, TransportProblem& problem,
        Monitor& monitor)
      : options_(options),
        problem_(problem),
        monitor_(monitor),
        sweeps_(problem),
        dual_(problem),
        solver_(options.inner, context, monitor) {}

  Report run() {
    const auto begin = std::chrono::steady_clock::now();
    monitor_.begin_phase("solve");
    const double last = problem_.regularization();
    const bool is_cold = sweeps_.start();
    dual_.fetch();
    double eps =
        is_cold ? std::max(last, options_.scaling_start * problem_.cost().maximum()) : last;
    for (;;) {
      level(eps, eps == last);
      if (stop_ || eps == last) break;
      const double next = std::max(last, eps / options_.scaling_factor);
      if (dual_.violation <= 0.1 * dual_.mass() && prepare_model(false)) {
        model_.predict(dual_, solver_, next);
        dual_.store();
      }
      eps = next;
    }
    return finish(begin, last);
  }

 private:
  std::int64_t iterations() const { return sweeps_.sweeps() + dual_.passes; }
  std::string so_far() const {
    return "marginal violation " + short_number(seen_) + " after " +
           std::to_string(sweeps_.sweeps()) + " sweeps and " + std::to_string(dual_.passes) +
           " evaluations at regularization " + short_number(dual_.eps) + ", tolerance " +
           short_number(options_.tolerance);
  }
  void end(Status status, std::string reason) {
    if (stop_) return;
    stop_ = Report{};
    stop_->status = status;
    stop_->reason = std::move(reason);
  }
  /// What rounding of the exponents (f + g - C) / eps leaves of the violation.
  double floor() const {
    double size = 10.0 + problem_.cost().maximum() / dual_.eps;
    return dual_.mass() * std::numeric_limits<double>::epsilon() * size;
  }

  /// Says to the monitor where things stand, and looks for reasons to stop.
  void observe(double violation) {
    seen_ = violation;
    const Sample samples[] = {{"marginal_violation", violation},
                              {"regularization", dual_.eps},
                              {"newton_steps", static_cast<double>(newton_steps_)}};
    const Verdict verdict = monitor_.observe(iterations(), samples);
    if (verdict != Verdict::proceed)
      end(status_of(verdict), so_far());
    else if (iterations() >= options_.max_iterations)
      end(Status::max_iterations, so_far() + "; raise max_iterations");
  }

  void evaluate() {
    if (!trial()) end(Status::non_finite, "potentials or sums are not finite: " + so_far());
  }

  /// The same at a step's end; false where numbers are not finite there: the step is refused.
  bool trial() {
    if (!dual_.pass()) return false;
    observe(dual_.violation);
    return true;
  }
  /// F's slope along the step at t, NaN where F is not finite.
  double slope_after(double t) {
    model_.apply(dual_, t);
    return trial() ? along(dual_.gradient) : std::numeric_limits<double>::quiet_NaN();
  }

  /// `count` sweeps, or fewer where the violation falls below `target`; then F and its gradient.
  void sweep(int count, double target) {
    sweeps_.potentials_changed();
    sweep_only(count, target, false);
    if (!stop_) evaluate();
  }

  /// The same without F, whose pass a run of sweeps can do without. Whether the target was met.
  bool sweep_only(int count, double target, bool in_float) {
    bool is_met = false;
    dual_.store();
    for (int k = 0; k < count && !stop_ && !is_met; ++k) {
      const bool single = in_float && last_violation_ > rounding_of_float * dual_.mass();
      const auto [violation, of_both] = sweeps_.sweep(dual_.eps, single);
      if (std::isnan(violation)) {
        end(Status::non_finite, "potentials or sums are not finite after " +
                                    std::to_string(sweeps_.sweeps()) +
                                    " sweeps at regularization " + short_number(dual_.eps));
        break;
      }
      observe(violation);
      contraction_ = of_both && last_violation_ > 0.0 ? violation / last_violation_ : 1.0;
      last_violation_ = of_both ? violation : 0.0;
      is_met = of_both && violation <= target;
    }
    dual_.fetch();
    return is_met;
  }

  /// At one eps, until the violation is small enough.
  void level(double eps, bool is_last) {
    dual_.eps = eps;
    model_.clear();
    const double target = is_last
                              ? 0.5 * options_.tolerance
                              : std::max(options_.level_tolerance * dual_.mass(), 4.0 * floor());
    if (is_last) {
      if (sweeps_are_enough()) return;
      if (!stop_) evaluate();
    } else {
      sweep(options_.sweeps_per_level, target);
    }
    // Far from the solution sweeps gain more than Newton steps that meet new entries all the time.
    if (!stop_ && dual_.violation > far_away * dual_.mass()) sweep(1, target);
    best_ = dual_.violation;
    since_best_ = 0;
    int failures = 0;
    while (!stop_ && dual_.violation > target) {
      if (newton(target, is_last)) {
        failures = 0;
      } else if (!stop_) {
        if (!is_last) {  // the next eps may do better; the last one decides
          if (dual_.violation > coarse_target * dual_.mass()) sweep(1, target);
          break;
        }
        ++failures;
        ++failed_steps_;
        sweep(1, target);
      }
      check_progress(is_last, failures);
    }
  }

  /// Sweeps at the last eps, as long as their contraction says that they meet the tolerance before
  /// Newton steps would. Whether they have.
  bool sweeps_are_enough() {
    // The sweep that tells the violation lowers it once more.
    const double target = 0.9 * options_.tolerance;
    const bool is_first = dual_.eps >= options_.scaling_start * problem_.cost().maximum();
    last_violation_ = 0.0;
    sweeps_.potentials_changed();
    bool is_met = sweep_only(options_.sweeps_per_level, target, is_first);
    double entries = 0.0;
    for (double spent = 0.0; !stop_ && !is_met;) {
      if (!(contraction_ < 1.0)) return false;
      const double needed = std::ceil(std::log(target / last_violation_) / std::log(contraction_));
      if (static_cast<double>(sweeps_.sweeps()) + needed > most_sweeps) return false;
      if (spent + needed > few_sweeps) {
        if (entries == 0.0) entries = RestrictedDual::length(dual_, drop(last_violation_));
        if (needed > newton_in_sweeps(entries, target)) return false;
      }
      const double now = std::min(needed, 10.0);  // then asked again: contraction fades at first
      is_met = sweep_only(static_cast<int>(now), target, true);
      spent += now;
    }
    return is_met;
  }

  /// How many sweeps take the time of Newton's method from here to the target with a list of so
  /// many entries. S is as well conditioned as sweeps contract: its eigenvalues over those of
  /// diag(c) are 1 - sigma^2, and sigma^2 is the contraction.
  double newton_in_sweeps(double entries, double target) {
    if (entries > static_cast<double>(options_.max_entries)) {
      sparse_ = false;
      return std::numeric_limits<double>::infinity();
    }
    const double steps = 1.0 + std::log(last_violation_ / target) / std::log(cut_by_step);
    const double products = 0.5 * std::log(2.0 / typical_accuracy) / std::sqrt(1.0 - contraction_);
    const double exps = steps * entries * (exps_per_entry + exps_per_product * products);
    return exps / (time_of_sweep * static_cast<double>(dual_.n()) * static_cast<double>(dual_.m()));
  }

  void check_progress(bool is_last, int failures) {
    if (dual_.violation < 0.9 * best_) {
      best_ = dual_.violation;
      since_best_ = 0;
    } else {
      ++since_best_;
    }
    if (!is_last || dual_.violation <= 0.5 * options_.tolerance) return;
    if (since_best_ >= patience && best_ <= 100.0 * floor()) {
      // What is left between the aim and the tolerance is for the recomputed sums to say.
      if (best_ <= options_.tolerance)
        end(Status::converged, "");
      else
        end(Status::stagnated, "rounding of (f + g - C) / eps allows no less: " + so_far() +
                                   "; raise 'tolerance' or 'regularization'");
    } else if (sparse_ && failures >= most_failures) {
      end(Status::stagnated, "neither Newton steps nor sweeps help any more: " + so_far() +
                                 (solver_.what_failed().empty()
                                      ? ""
                                      : "; the inner solver ended with " + solver_.what_failed()));
    }
  }

  /// Part of a row that may be left out of S.
  double drop(double violation) const {
    const double by_error = options_.drop_per_violation * violation / dual_.mass();
    return std::max(1e-13, std::min(options_.largest_drop, by_error));
  }

  /// On the way to the last eps a model must be much cheaper than sweeps.
  bool prepare_model(bool is_last) {
    const double all = static_cast<double>(dual_.n()) * static_cast<double>(dual_.m());
    const double most =
        std::min(static_cast<double>(options_.max_entries), is_last ? all + 1.0 : 0.1 * all);
    const bool fits = model_.rebase(dual_, drop(dual_.violation), most);
    if (is_last) sparse_ = fits;
    return fits;
  }

  /// Newton steps on the model, as long as they are cheap beside a pass. Whether there was one.
  bool model_steps(double target) {
    const int most = std::clamp(static_cast<int>(dual_.m() / (20.0 * model_.entries_per_row())), 1,
                                options_.model_steps);
    const double enough = std::max(0.02 * model_.violation(), 0.2 * target);
    for (int k = 0; k < most && model_.violation() > enough; ++k) {
      const double now = model_.violation() / dual_.mass();
      const double ridge = std::clamp(options_.damping_per_violation * now, 1e-13, 0.1);
      if (!model_.step(solver_, ridge, std::clamp(now, 1e-8, 0.1))) return k > 0;
      ++newton_steps_;
    }
    return true;
  }

  /// Steps on the model, then a pass that judges them. A step that F refuses is one that meets
  /// entries which the model does not have: they are added, and the model asked again; at last the
  /// step is shortened. False where F did not grow; the potentials are then those from before.
  bool newton(double target, bool is_last) {
    const SemiDual::State base = dual_.state();
    for (int attempt = 0; attempt < 4; ++attempt) {
      if (!prepare_model(is_last) || !model_steps(target)) return false;
      const double slope = along(base.gradient);
      if (!(slope > 0.0)) return false;
      const double t = attempt < 3 ? 1.0 : 0.3;
      double slope_at = slope_after(t);
      if (stop_) return true;
      if (accept(t, slope, slope_at, base.value)) {
        if (slope_at > 0.7 * slope) lengthen(slope);
        return true;
      }
      ++shortened_;
      if (attempt < 3) {
        model_.enrich(dual_);
        dual_.restore(base);
        continue;
      }
      double shorter = t;
      for (int k = 0; k < 8 && !stop_; ++k) {
        shorter *= std::isfinite(slope_at) ? std::clamp(slope / (slope - slope_at), 0.1, 0.6) : 0.1;
        slope_at = slope_after(shorter);
        if (stop_ || accept(shorter, slope, slope_at, base.value)) return true;
      }
    }
    dual_.restore(base);
    return false;
  }

  double along(const Numbers& gradient) const {
    double s = 0.0;
    for (std::size_t j = 0; j < gradient.size(); ++j) s += gradient[j] * model_.x()[j];
    return s;
  }

  /// A step after which F climbs as steeply as before: a part of the plan floats freely, and what
  /// will stop it is far away. Longer steps, as long as F grows.
  void lengthen(double slope) {
    for (double t = 4.0; t < 1e6 && !stop_; t *= 4.0) {
      const SemiDual::State best = dual_.state();
      const double slope_at = slope_after(t);
      if (stop_) return;
      if (!std::isfinite(slope_at) || dual_.value <= best.value) {
        dual_.restore(best);
        return;
      }
      if (slope_at < 0.7 * slope) return;
    }
  }

  /// Armijo's condition, or, where rounding of F hides the gain, its form by slopes (Hager and
  /// Zhang 2005): F is concave, so a slope that is still positive proves that F has grown.
  bool accept(double t, double slope, double slope_at, double value) const {
    if (!std::isfinite(slope_at)) return false;
    const double gain = dual_.value - value;
    if (slope_at >= 0.0 || gain >= 1e-4 * t * slope * dual_.eps) return true;
    return slope_at >= -0.8 * slope &&
           std::abs(gain) <= 1e-12 * (std::abs(value) + problem_.cost().maximum() * dual_.mass());
  }

  Report finish(std::chrono::steady_clock::time_point begin, double last) {
    if (dual_.eps != last) {  // stopped on the way: a plan of the right row sums at least
      dual_.eps = last;
      dual_.pass();
    }
    dual_.store();
    end(Status::converged, "");
    Report report = *stop_;
    report.iterations = iterations();
    report.measures = problem_.verify();
    settle(report);
    report.seconds = {
        {"solve", std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
         "s"}};
    const auto count = [&](const char* name, std::int64_t n) {
      report.counts.push_back({name, static_cast<double>(n)});
    };
    count("passes", sweeps_.passes() + dual_.passes);
    count("sinkhorn_sweeps", sweeps_.sweeps());
    count("newton_evaluations", dual_.passes);
    count("newton_steps", newton_steps_);
    count("entry_searches", model_.lists);
    count("shortened_steps", shortened_);
    count("failed_steps", failed_steps_);
    count("repaired_sums", sweeps_.repaired() + dual_.repairs);
    count("direct_solves", solver_.direct_solves);
    count("inner_iterations", solver_.iterations);
    report.metrics = {{"memory_bytes",
                       model_.memory_bytes() + sweeps_.work_bytes() +
                           64.0 * static_cast<double>(dual_.n() + dual_.m()),
                       "B"},
                      {"largest_list", static_cast<double>(model_.largest), ""}};
    if (!sparse_)
      report.notes.push_back(
          "the plan has more than max_entries = " + std::to_string(options_.max_entries) +
          " entries that matter: sweeps went on alone");
    return report;
  }

  /// The recomputed violation has the last word.
  void settle(Report& report) const {
    const double violation = report.measures.front().value;
    if (std::isnan(violation)) {
      report.status = Status::non_finite;
      if (report.reason.empty()) report.reason = "the marginals of the plan are not finite";
    } else if (report.status == Status::converged) {
      const bool met = violation <= options_.tolerance;
      report.reason = "marginal violation " + short_number(violation) + (met ? " <= " : " > ") +
                      "tolerance " + short_number(options_.tolerance);
      if (!met) {
        report.status = Status::stagnated;
        report.reason +=
            ", though the sums of the passes met it: rounding of (f + g - C) / eps "
            "allows no less";
      }
    }
  }

  const SnsOptions& options_;
  TransportProblem& problem_;
  Monitor& monitor_;
  SinkhornSweeps sweeps_;
  SemiDual dual_;
  RestrictedDual model_;
  NewtonSolver solver_;
  bool sparse_ = true;
  double best_ = 0.0;
  double seen_ = 0.0;            ///< violation that was observed last
  double last_violation_ = 0.0;  ///< of a sweep whose columns fitted; 0 where there is none
  double contraction_ = 1.0;     ///< of the violation by the last sweep
  int since_best_ = 0;
  std::int64_t newton_steps_ = 0, shortened_ = 0, failed_steps_ = 0;
  std::optional<Report> stop_;
};

}  // namespace

Report Sns::solve(TransportProblem& problem, Monitor& monitor) {
  const Communicator& comm = problem.a().communicator();
  if (comm.size() > 1)
    throw Unsupported("method 'sns' works on one rank, got " + std::to_string(comm.size()) +
                      "; use 'sinkhorn'");
  problem.set_plan(std::nullopt);
  return Solve(options_, context_, problem, monitor).run();
}

}  // namespace sinkhorn_newton
