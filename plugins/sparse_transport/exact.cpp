#include "exact.hpp"

#include <cmath>
#include <libsolve/transport/sinkhorn_sweeps.hpp>

#include "sparse_plan.hpp"

namespace sparse_transport {

namespace {

/// Pivots between two looks at the monitor.
constexpr std::int64_t pivots_at_once = 20000;
/// Of a violated row become arcs: entries violated by half its worst one, at most 8.
constexpr double priced_fraction = 0.5;
constexpr int priced_per_row = 8;
/// Rounding of a potential, a sum of costs along the tree, in units of the largest.
constexpr double price_rounding = 1e-14;

/// Sinkhorn's iteration with eps lowered by 4 a level from max C / 20 on: good enough to tell which
/// entries matter, not a solution.
std::int64_t anneal(const TransportProblem& inner, int sweeps, Monitor& monitor) {
  SinkhornSweeps sinkhorn(inner);
  sinkhorn.start();
  const double last = inner.regularization();
  for (double eps = std::max(inner.cost().maximum() / 20.0, last);; eps = std::max(eps / 4.0, last)) {
    for (int k = 0; k < sweeps; ++k) {
      (void)sinkhorn.sweep(eps, /*single_precision=*/true);
      if (monitor.poll() != Verdict::proceed) return sinkhorn.passes();
    }
    if (eps <= last) return sinkhorn.passes();
  }
}

}  // namespace

/// What one solve counts.
struct Exact::Run {
  const TransportProblem& problem;
  Monitor& monitor;
  Report& report;
  Stopwatch clock = {};
  std::int64_t passes = 0;
  std::int64_t rounds = 0;
  double violation = 0.0;  ///< of u_i + v_j <= C_ij, largest
};

Exact::Exact(const Options& options, const Context& context) : options_(options) {
  if (options_.start.name != "none") start_ = context.make<TransportSolver>(options_.start);
}

EntropicStart Exact::entropic_start(Run& run) {
  const double largest = run.problem.cost().maximum();
  const double eps = options_.start_regularization * (largest > 0.0 ? largest : 1.0);
  TransportProblem inner(run.problem.shared_cost(), run.problem.a(), run.problem.b(), eps);
  if (start_) {
    InnerMonitor quiet(run.monitor);
    const Report report = start_->solve(inner, quiet);
    const double passes = report.value("passes");
    if (std::isfinite(passes)) run.passes += static_cast<std::int64_t>(passes);
    if (!report.converged())
      run.report.notes.push_back("the start by '" + options_.start.name +
                                 "' is rough: " + report.reason);
  } else {
    run.passes += anneal(inner, options_.start_sweeps, run.monitor);
  }
  return {inner.f().view(), inner.g().view(), eps};
}

/// Simplex on the arcs, prices of all entries, again; `report.status` tells how it ended.
void Exact::iterate(Run& run, NetworkSimplex& simplex) {
  const double tolerance = price_rounding * run.problem.cost().maximum();
  run.violation = run.problem.cost().maximum();
  for (;;) {
    const Sample samples[] = {{"marginal_violation", 2.0 * simplex.artificial_mass()},
                              {"dual_violation", run.violation},
                              {"pivots", static_cast<double>(simplex.num_pivots())}};
    const Verdict verdict = run.monitor.observe(run.report.iterations, samples);
    if (verdict != Verdict::proceed) {
      run.report.status = status_of(verdict);
      return;
    }
    const std::int64_t left = options_.max_pivots - simplex.num_pivots();
    if (left <= 0) {
      run.report.status = Status::max_iterations;
      return;
    }
    ++run.report.iterations;
    if (simplex.run(tolerance, std::min(pivots_at_once, left)) ==
        NetworkSimplex::Outcome::pivot_limit)
      continue;
    simplex.recompute_potentials();
    const Prices prices =
        violated_entries(run.problem.cost(), simplex.row_potentials(), simplex.column_potentials(),
                         2.0 * tolerance, priced_fraction, priced_per_row);
    ++run.rounds;
    run.violation = prices.largest_violation;
    run.passes += prices.arcs.empty() ? 1 : 2;
    if (prices.arcs.empty()) {
      run.report.status = Status::converged;
      return;
    }
    simplex.add_arcs(prices.arcs);
  }
}

NetworkSimplex Exact::find_tree(const TransportProblem& problem, Monitor& monitor, Report& report) {
  require_balanced_and_one_rank(problem, "exact");
  Run run{problem, monitor, report};
  monitor.begin_phase("setup");
  const EntropicStart start = entropic_start(run);
  const double start_seconds = run.clock.seconds();
  NetworkSimplex simplex(
      whole_masses(to_host(problem.a().view()), to_host(problem.b().view())),
      problem.cost().maximum());
  simplex.add_arcs(heaviest_entries(problem, start, options_.arcs_per_row));
  run.passes += 3;
  simplex.start();
  const double first_artificial = simplex.artificial_mass();
  const double setup_seconds = run.clock.seconds();

  monitor.begin_phase("solve");
  iterate(run, simplex);
  simplex.recompute_potentials();
  report.seconds = {{"start", start_seconds, "s"},
                    {"setup", setup_seconds, "s"},
                    {"solve", run.clock.seconds() - setup_seconds, "s"}};
  const auto count = [](std::int64_t k) { return static_cast<double>(k); };
  report.counts = {{"passes", count(run.passes), ""},
                   {"pivots", count(simplex.num_pivots()), ""},
                   {"degenerate_pivots", count(simplex.num_degenerate_pivots()), ""},
                   {"pricings", count(run.rounds), ""},
                   {"arcs", count(simplex.num_arcs()), ""}};
  report.metrics = {{"memory_bytes", simplex.memory_bytes(), "B"},
                    {"mass_misplaced_by_the_start", first_artificial, "mass"},
                    {"dual_violation", run.violation, "cost"}};
  return simplex;
}

Report Exact::solve(TransportProblem& problem, Monitor& monitor) {
  Report report;
  const NetworkSimplex simplex = find_tree(problem, monitor, report);
  store_potentials(problem, simplex.row_potentials(), simplex.column_potentials());
  const std::vector<PlanEntry> plan = simplex.flows();
  store_plan(problem, plan);
  report.measures = problem.verify();
  certify(problem, options_.tolerance, options_.gap_tolerance, report);
  const auto whole = [&report](const char* name) {
    return std::to_string(static_cast<std::int64_t>(report.value(name)));
  };
  report.reason += "; " + whole("pivots") + " pivots, " + whole("pricings") + " pricings of all entries";
  report.counts.push_back({"plan_entries", static_cast<double>(plan.size()), ""});
  return report;
}

}  // namespace sparse_transport
