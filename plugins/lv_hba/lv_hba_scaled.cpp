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

  /// `count` more iterations; false where even short steps lead nowhere.
  bool advance(std::int64_t count) {
    const IterationState before = state;
    try {
      progress = iteration_->run(settings_, done, count);
    } catch (const NumericalError& e) {
      why = e.what();
      return false;
    } catch (const DataError& e) {
      why = e.what();
      return false;
    }
    state.take(*iteration_);
    done += count;
    const bool diverges = !state.is_finite() || progress.movement > too_far * smallest_;
    if (!diverges) {
      smallest_ = std::min(smallest_, std::max(progress.movement, 1e-3));
      return true;
    }
    state = before;
    if (++shortened > 12) {
      why = "diverges with steps of any length";
      return false;
    }
    curvature_.lower *= 4.0;
    curvature_.upper *= 4.0;
    settings_ = scaled(ScaledSettings{}, curvature_);
    const Vector v("lv_hba::restart", Partition(static_cast<GlobalIndex>(before.v.size())));
    Kokkos::deep_copy(
        v.view(), Kokkos::View<const double*, Kokkos::HostSpace>(before.v.data(), before.v.size()));
    iteration_->start(v.view());
    smallest_ = INFINITY;
    return true;
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
  Report report;
  monitor.begin_phase("solve");
  const auto started = Clock::now();
  const HostAccess F(problem.upper());
  Loop loop(problem, context_.make<ProgramSolver>(options_.program_solver), context_.seed);
  LowerLevel level(problem, make_program_solver(context_, options_.program_solver,
                                                aimed_at * options_.tolerance, most_lower_steps));
  std::optional<Pieces> pieces;
  std::optional<NewtonFinish> newton;
  std::optional<Search> search;
  const bool has_entries = problem.upper().has_entries() && problem.lower().has_entries();
  const bool fits =
      NewtonFinish::fits(problem) && (problem.num_variables() > dense_below || !has_entries);
  if (options_.finish && has_entries && !(fits && problem.num_variables() > most_factored))
    pieces.emplace(problem, make_program_solver(context_, options_.program_solver,
                                                aimed_at * options_.tolerance, most_steps));
  if (options_.finish && fits)
    newton.emplace(problem, context_.make<LinearSolver>(options_.linear_solver));
  const bool can_certify = problem.lower().has_entries();
  if (options_.finish && can_certify)
    search.emplace(problem, pieces ? &*pieces : nullptr, level, options_.tolerance, context_.seed,
                   monitor);
  report.status = Status::max_iterations;
  const auto is_solved = [&] {
    return search && search->best() &&
           search->best()->certificate.upper_stationarity <= options_.tolerance;
  };
  std::int64_t next_finish = options_.first_finish;
  Verdict verdict = Verdict::proceed;
  for (;;) {
    const Sample samples[] = {{"upper_objective", F.objective(loop.state.v)},
                              {"movement", loop.progress.movement}};
    verdict = monitor.observe(loop.done, samples);
    if (verdict != Verdict::proceed) break;
    if (search && (loop.done >= next_finish || loop.done >= options_.max_iterations)) {
      const std::vector<double> no_z(problem.lower_bound_multipliers().size());
      problem.set_point(loop.state.v, loop.state.lambda, no_z);
      const KktPoint from{loop.state.v, one_sided(problem, loop.state.lambda, no_z)};
      const ActiveSet active = active_set(problem, loop.state.v, loop.state.lambda, no_z);
      if (newton) {
        const NewtonFinish::Solution s = newton->solve(active, from, aimed_at * options_.tolerance,
                                                       1e-2 * options_.tolerance, monitor);
        if (s.is_solved) (void)search->offer(s.v, s.lambda, s.z, s.residual);
      }
      if (!is_solved() && pieces) (void)search->try_piece(active, from);
      if (is_solved() || options_.search == "everywhere" || Search::is_small(problem)) break;
      next_finish = 2 * std::max<std::int64_t>(loop.done, stride);
    }
    if (loop.done >= options_.max_iterations) break;
    if (!loop.advance(std::min<std::int64_t>(stride, options_.max_iterations - loop.done))) break;
  }
  const double loop_seconds = seconds_since(started);

  if (search && options_.search == "none") search->leave_unverified();
  if (search && verdict == Verdict::proceed && options_.search != "none") {
    search->neighbours();
    if (options_.search == "everywhere" || (options_.search == "auto" && Search::is_small(problem)))
      search->everywhere(options_.max_pieces);
  }
  std::int64_t descents = 0;
  if (search && !is_solved() && verdict == Verdict::proceed && options_.descents > 0) {
    const auto descent = context_.make<BilevelSolver>(options_.descent);
    for (int k = 0; k < options_.descents && !search->is_stopped(); ++k) {
      const std::vector<double> from = k == 0   ? loop.state.v
                                       : k == 1 ? problem.parts().start
                                                : drawn(problem, context_.seed, k);
      problem.set_point(from, loop.state.lambda,
                        std::vector<double>(problem.lower_bound_multipliers().size()));
      problem.has_multipliers = false;
      InnerMonitor inner(monitor);
      descents += descent->solve(problem, inner).iterations;
      if (problem.certificate()) (void)search->offer_certified();
    }
  }
  if (verdict == Verdict::proceed) verdict = monitor.poll();
  double stationarity = NAN;
  if (search && search->best()) {
    const Search::Best& best = *search->best();
    stationarity = best.certificate.upper_stationarity;
    std::vector<double> lambda, z;
    two_sided(problem, best.at.l, lambda, z);
    problem.set_point(best.at.v, lambda, z);
    problem.set_certificate(best.certificate);
  } else {
    problem.set_point(loop.state.v, loop.state.lambda,
                      std::vector<double>(problem.lower_bound_multipliers().size()));
    problem.has_multipliers = false;
    if (can_certify) (void)certify(problem, level, loop.state.v, NAN, monitor);
  }
  if (is_solved()) {
    report.status = Status::converged;
    report.reason = (descents > 0 ? options_.descent.name : "Newton's method on the active set") +
                    std::string(" after ") + std::to_string(loop.done) +
                    " iterations, stationarity " + short_number(stationarity);
  } else if (verdict != Verdict::proceed) {
    report.status = status_of(verdict);
    report.reason = "stopped after iteration " + std::to_string(loop.done);
  } else if (!search) {
    report.reason =
        std::to_string(loop.done) + " iterations done without a finish (" +
        (can_certify ? "finish = false"
                     : "the lower level offers products only: nothing to certify with") +
        "); the last moved (x, y) by " + short_number(loop.progress.movement) + " steps";
  } else {
    report.status = Status::stagnated;
    report.reason = search->best()
                        ? "no active set near the best point could be solved to the tolerance" +
                              (descents > 0 ? ", and " + options_.descent.name + " ended at " +
                                                  short_number(stationarity)
                                            : std::string())
                        : "no active set led to a point whose lower level is solved";
  }
  report.iterations = loop.done;
  finish_report(problem, options_.tolerance, report);
  report.counts.push_back({"lower_solves", static_cast<double>(level.solves())});
  report.counts.push_back({"pieces", pieces ? static_cast<double>(pieces->solves()) : 0.0});
  report.counts.push_back({"newton_steps", static_cast<double>((pieces ? pieces->iterations() : 0) +
                                                               (newton ? newton->steps() : 0))});
  report.counts.push_back(
      {"linear_iterations", newton ? static_cast<double>(newton->linear_iterations()) : 0.0});
  report.counts.push_back({"descent_steps", static_cast<double>(descents)});
  report.counts.push_back({"cuts", search ? static_cast<double>(search->num_cuts()) : 0.0});
  report.counts.push_back({"shortened_steps", static_cast<double>(loop.shortened)});
  report.seconds = {{"loop", loop_seconds, "s"}, {"solve", seconds_since(started), "s"}};
  return report;
}

}  // namespace lv_hba
