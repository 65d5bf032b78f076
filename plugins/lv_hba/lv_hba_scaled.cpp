#include "lv_hba_scaled.hpp"

#include <chrono>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/core/text.hpp>

#include "lv_hba.hpp"
#include "newton_finish.hpp"
#include "scaling.hpp"
#include "search.hpp"

namespace lv_hba {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point t) {
  return std::chrono::duration<double>(Clock::now() - t).count();
}

constexpr std::int64_t stride = 25;    ///< iterations between two looks
constexpr double too_far = 1e3;        ///< growth of the movement that says the steps are too long
constexpr double aimed_at = 1e-4;      ///< of the tolerance, by the finish
constexpr Index dense_below = 250;     ///< variables up to which factors are faster than products
constexpr Index most_factored = 5000;  ///< variables, where Newton by products is there too
constexpr int most_lower_steps = 500;  ///< of a program solver on the lower level
constexpr int most_steps = 60;         ///< of a program solver in the finish

/// The loop, with steps from estimates that are renewed as it goes and shortened where it diverges.
class Loop {
 public:
  Loop(const BilevelProgram& problem, std::unique_ptr<ProgramSolver> projector, std::uint64_t seed)
      : iteration_(make_iteration(problem, std::move(projector))), state(problem) {
    curvature_ = curvature_at(problem, problem.v().view(), seed);
    settings_ = scaled(ScaledSettings{}, curvature_);
    iteration_->start(problem.v().view());
    state.take(*iteration_);
  }

  /// `count` more iterations, or `why` there can be none.
  void advance(std::int64_t count) {
    const IterationState before = state;
    try {
      progress = iteration_->run(settings_, done, count);
    } catch (const NumericalError& e) {
      why = e.what();
      return;
    } catch (const DataError& e) {
      why = e.what();
      return;
    }
    state.take(*iteration_);
    done += count;
    const bool diverges = !state.is_finite() || progress.movement > too_far * smallest_;
    if (!diverges) {
      smallest_ = std::min(smallest_, std::max(progress.movement, 1e-3));
      return;
    }
    state = before;
    if (++shortened > 12) {
      why = "diverges with steps of any length";
      return;
    }
    curvature_.lower *= 4.0;
    curvature_.upper *= 4.0;
    settings_ = scaled(ScaledSettings{}, curvature_);
    const Vector v("lv_hba::restart", Partition(static_cast<GlobalIndex>(before.v.size())));
    Kokkos::deep_copy(
        v.view(), Kokkos::View<const double*, Kokkos::HostSpace>(before.v.data(), before.v.size()));
    iteration_->start(v.view());
    smallest_ = INFINITY;
    return;
  }

 private:
  std::shared_ptr<LvHbaIteration> iteration_;
  Curvature curvature_;
  LvHbaSettings settings_;
  double smallest_ = INFINITY;

 public:
  IterationState state;
  LvHbaProgress progress{INFINITY, INFINITY};
  std::int64_t done = 0;
  int shortened = 0;
  std::string why = {};  ///< the loop ended early
};

/// The start with x drawn from X where that is bounded.
std::vector<double> drawn(const BilevelProgram& problem, std::uint64_t seed, int number) {
  const RandomStream random(seed, "lv_hba::descent");
  std::vector<double> v = problem.parts().start;
  const Bounds& X = problem.parts().upper_variables;
  for (std::size_t j = 0; j < X.size(); ++j)
    if (std::isfinite(X.upper[j] - X.lower[j]))
      v[j] =
          random.uniform(static_cast<std::uint64_t>(number) * X.size() + j, X.lower[j], X.upper[j]);
  return v;
}

/// The parts of one solve: the loop with its finishes, the search around what they found, the
/// descent where that is not enough.
class Solve {
 public:
  Solve(BilevelProgram& problem, const LvHbaScaledOptions& options, const Context& context,
        Monitor& monitor);
  Report run();

 private:
  std::unique_ptr<ProgramSolver> solver(int max_iterations) const {
    return make_program_solver(context_, options_.program_solver, aim(), max_iterations);
  }
  double aim() const { return aimed_at * options_.tolerance; }
  bool is_solved() const {
    return search_ && search_->best() &&
           search_->best()->certificate.upper_stationarity <= options_.tolerance;
  }
  bool searches_everywhere() const {
    return options_.search == "everywhere" ||
           (options_.search == "auto" && Search::is_small(problem_));
  }
  void iterate();
  void finish();
  void look_around();
  void descend();
  void take_best();
  Report make_report() const;

  BilevelProgram& problem_;
  const LvHbaScaledOptions& options_;
  const Context& context_;
  Monitor& monitor_;
  bool can_certify_;
  Clock::time_point started_ = Clock::now();
  Loop loop_;
  LowerLevel level_;
  std::optional<Pieces> pieces_;
  std::optional<NewtonFinish> newton_;
  std::optional<Search> search_;
  Verdict verdict_ = Verdict::proceed;
  double loop_seconds_ = 0.0, stationarity_ = NAN;
  std::int64_t descents_ = 0;
};

Solve::Solve(BilevelProgram& problem, const LvHbaScaledOptions& options, const Context& context,
             Monitor& monitor)
    : problem_(problem),
      options_(options),
      context_(context),
      monitor_(monitor),
      can_certify_(problem.lower().has_entries()),
      loop_(problem, context.make<ProgramSolver>(options.program_solver), context.seed),
      level_(problem, solver(most_lower_steps)) {
  if (!options.finish || !can_certify_) return;
  const bool has_entries = problem.upper().has_entries();
  const bool fits =
      NewtonFinish::fits(problem) && (problem.num_variables() > dense_below || !has_entries);
  if (has_entries && !(fits && problem.num_variables() > most_factored))
    pieces_.emplace(problem, solver(most_steps));
  if (fits) newton_.emplace(problem, context.make<LinearSolver>(options.linear_solver));
  search_.emplace(problem, pieces_ ? &*pieces_ : nullptr, level_, options.tolerance, context.seed,
                  monitor);
}

void Solve::iterate() {
  const HostAccess F(problem_.upper());
  std::int64_t next_finish = options_.first_finish;
  for (;;) {
    const Sample samples[] = {{"upper_objective", F.objective(loop_.state.v)},
                              {"movement", loop_.progress.movement}};
    verdict_ = monitor_.observe(loop_.done, samples);
    if (verdict_ != Verdict::proceed) break;
    const bool is_last = loop_.done >= options_.max_iterations || !loop_.why.empty();
    if (search_ && (loop_.done >= next_finish || is_last)) {
      finish();
      if (is_solved() || searches_everywhere()) break;
      next_finish = 2 * std::max<std::int64_t>(loop_.done, stride);
    }
    if (is_last) break;
    loop_.advance(std::min<std::int64_t>(stride, options_.max_iterations - loop_.done));
  }
  loop_seconds_ = seconds_since(started_);
}

/// Newton's method on the active set that the loop's point says.
void Solve::finish() {
  const std::vector<double>& v = loop_.state.v;
  const std::vector<double> z = bound_multipliers(problem_, v, loop_.state.lambda);
  problem_.set_point(v, loop_.state.lambda, z);
  const KktPoint from{v, one_sided(problem_, loop_.state.lambda, z)};
  const ActiveSet active = active_set(problem_, v, loop_.state.lambda, z);
  if (newton_) {
    const NewtonFinish::Solution s =
        newton_->solve(active, from, aim(), 1e-2 * options_.tolerance, monitor_);
    if (s.is_solved) (void)search_->offer(s.v, s.lambda, s.z, s.residual);
  }
  if (!is_solved() && pieces_) (void)search_->try_piece(active, from);
}

void Solve::look_around() {
  if (options_.search == "none") return search_->leave_unverified();
  search_->neighbours();
  if (searches_everywhere()) search_->everywhere(options_.max_pieces);
}

void Solve::descend() {
  const auto descent = context_.make<BilevelSolver>(options_.descent);
  const std::vector<double> no_z(problem_.lower_bound_multipliers().size());
  for (int k = 0; k < options_.descents && !search_->is_stopped(); ++k) {
    const std::vector<double> from = k == 0   ? loop_.state.v
                                     : k == 1 ? problem_.parts().start
                                              : drawn(problem_, context_.seed, k);
    problem_.set_point(from, loop_.state.lambda, no_z);
    problem_.has_multipliers = false;
    InnerMonitor inner(monitor_);
    descents_ += descent->solve(problem_, inner).iterations;
    if (problem_.certificate()) (void)search_->offer_certified();
  }
}

/// The best certified point, else the loop's.
void Solve::take_best() {
  if (search_ && search_->best()) {
    const Search::Best& best = *search_->best();
    stationarity_ = best.certificate.upper_stationarity;
    std::vector<double> lambda, z;
    two_sided(problem_, best.at.l, lambda, z);
    problem_.set_point(best.at.v, lambda, z);
    problem_.set_certificate(best.certificate);
    return;
  }
  problem_.set_point(loop_.state.v, loop_.state.lambda,
                     std::vector<double>(problem_.lower_bound_multipliers().size()));
  problem_.has_multipliers = false;
  if (can_certify_) (void)certify(problem_, level_, loop_.state.v, NAN, monitor_);
}

Report Solve::make_report() const {
  Report report;
  report.iterations = loop_.done;
  const std::string iterations = std::to_string(loop_.done) + " iterations";
  const std::string loop_end = loop_.why.empty() ? "" : "; the loop ended early: " + loop_.why;
  if (is_solved()) {
    report.status = Status::converged;
    report.reason = (descents_ > 0 ? options_.descent.name : "Newton's method on the active set") +
                    std::string(" after ") + iterations + ", stationarity " +
                    short_number(stationarity_);
  } else if (verdict_ != Verdict::proceed) {
    report.status = status_of(verdict_);
    report.reason = "stopped after " + iterations;
  } else if (!search_) {
    report.status = loop_.why.empty() ? Status::max_iterations : Status::stagnated;
    report.reason =
        iterations + " done without a finish (" +
        (can_certify_ ? "finish = false"
                      : "the lower level offers products only: nothing to certify with") +
        "); the last moved (x, y) by " + short_number(loop_.progress.movement) + " steps" +
        loop_end;
  } else {
    report.status = Status::stagnated;
    report.reason = search_->best()
                        ? "no active set near the best point could be solved to the tolerance"
                        : "no active set led to a point whose lower level is solved";
    if (descents_ > 0)
      report.reason +=
          ", and " + options_.descent.name + " ended at " + short_number(stationarity_);
    report.reason += loop_end;
  }
  return report;
}

Report Solve::run() {
  monitor_.begin_phase("solve");
  iterate();
  if (search_ && verdict_ == Verdict::proceed) {
    look_around();
    if (!is_solved()) descend();
  }
  if (verdict_ == Verdict::proceed) verdict_ = monitor_.poll();
  take_best();
  Report report = make_report();
  finish_report(problem_, options_.tolerance, report);
  const auto count = [&](const char* name, std::int64_t value) {
    report.counts.push_back({name, static_cast<double>(value)});
  };
  count("lower_solves", level_.solves());
  count("pieces", pieces_ ? pieces_->solves() : 0);
  count("newton_steps", (pieces_ ? pieces_->iterations() : 0) + (newton_ ? newton_->steps() : 0));
  count("linear_iterations", newton_ ? newton_->linear_iterations() : 0);
  count("descent_steps", descents_);
  count("cuts", search_ ? search_->num_cuts() : 0);
  count("shortened_steps", loop_.shortened);
  report.seconds = {{"loop", loop_seconds_, "s"}, {"solve", seconds_since(started_), "s"}};
  return report;
}

}  // namespace

void LvHbaScaledOptions::describe(Fields<LvHbaScaledOptions>& f) {
  using O = LvHbaScaledOptions;
  f.add(
      "tolerance", &O::tolerance, Range::above(0.0),
      "of the certificate: lower-level gap, constraint violation, stationarity of the upper level");
  f.add("max_iterations", &O::max_iterations, Range::at_least(0), "of the single loop");
  f.add("first_finish", &O::first_finish, Range::at_least(0),
        "iterations before Newton's method is tried on the active set; again after each doubling");
  f.add("finish", &O::finish, "end with Newton's method on the lower level's KKT conditions");
  f.add(
      "search", &O::search, Choices{{"auto", "none", "neighbours", "everywhere"}},
      "other active sets: those across degenerate constraints, or all of a small problem's; auto: "
      "everywhere with at most 40 variables and 20 inequalities, else neighbours");
  f.add("max_pieces", &O::max_pieces, Range::at_least(1), "active sets that a search solves for");
  f.add(
      "descents", &O::descents, Range::closed(0, 1000),
      "points from which `descent` goes on where no active set can be held: the loop's, the start, "
      "then drawn from X; the best end is taken");
  f.add_component("descent", &O::descent, BilevelSolver::kind, "a method for that");
  f.add_component("linear_solver", &O::linear_solver, LinearSolver::kind,
                  "of the Newton steps on many variables without upper inequalities: a symmetric, "
                  "often singular saddle system");
  f.add_component("program_solver", &O::program_solver, "program-solver",
                  "solves the lower level, and the upper level on an active set");
}

ComponentSpec LvHbaScaledOptions::minres() {
  ComponentSpec spec("minres");
  spec.options.set("relative_tolerance", Value(1e-12));
  spec.options.set("max_iterations", Value(5000));
  return spec;
}

Report LvHbaScaled::solve(BilevelProgram& problem, Monitor& monitor) {
  return Solve(problem, options_, context_, monitor).run();
}

}  // namespace lv_hba
