#include "lemon_method.hpp"

#include <cmath>
#include <libsolve/core/errors.hpp>

#include "lemon_solve.hpp"
#include "network_simplex.hpp"

namespace sparse_transport {

namespace {

/// C in whole numbers of `unit`.
std::vector<std::int64_t> whole_costs(const TransportCost& cost, double unit) {
  const auto n = static_cast<std::size_t>(cost.rows().local_size());
  const auto m = static_cast<std::size_t>(cost.num_columns());
  const DenseBlock C("sparse_transport::cost", n, m);
  cost.rows_of(0, C);
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), C);
  std::vector<std::int64_t> whole;
  whole.reserve(n * m);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < m; ++j) whole.push_back(std::llround(host(i, j) / unit));
  return whole;
}

std::vector<double> times(const std::vector<std::int64_t>& whole, double unit) {
  std::vector<double> values;
  values.reserve(whole.size());
  for (const std::int64_t k : whole) values.push_back(static_cast<double>(k) * unit);
  return values;
}

}  // namespace

Report Lemon::solve(TransportProblem& problem, Monitor& monitor) {
  require_balanced_and_one_rank(problem, "lemon");
  const TransportCost& cost = problem.cost();
  const auto n = static_cast<std::size_t>(cost.rows().local_size());
  const auto m = static_cast<std::size_t>(cost.num_columns());
  if (static_cast<double>(n) * static_cast<double>(m) > options_.max_entries)
    throw Unsupported("method 'lemon' takes all " + std::to_string(n * m) +
                      " entries of the cost into memory, 60 bytes each, and max_entries is " +
                      std::to_string(static_cast<std::int64_t>(options_.max_entries)) +
                      "; use 'exact'");
  const Stopwatch clock;
  monitor.begin_phase("setup");
  Report report;
  // A potential is at most (n + m) max C; LEMON's artificial arcs cost that.
  const double largest = cost.maximum() > 0.0 ? cost.maximum() : 1.0;
  const double unit = largest * static_cast<double>(n + m + 2) / 0x1p60;
  WholeMasses masses =
      whole_masses(to_host(problem.a().view()), to_host(problem.b().view()));
  const LemonProblem whole{masses.rows, masses.columns, whole_costs(cost, unit)};
  const double setup_seconds = clock.seconds();
  monitor.begin_phase("solve");
  const LemonSolution solution = solve_with_lemon(whole);
  report.status = solution.is_optimal ? Status::converged : Status::breakdown;
  if (!solution.is_optimal) {
    report.reason = "LEMON's network simplex did not call its solution optimal";
    return report;
  }
  std::vector<PlanEntry> plan;
  for (std::size_t e = 0; e < n * m; ++e)
    if (solution.flow[e] != 0)
      plan.push_back({static_cast<Index>(e / m), static_cast<Index>(e % m),
                      static_cast<double>(solution.flow[e]) * masses.unit});
  store_plan(problem, plan);
  store_potentials(problem, times(solution.row_potential, unit),
                   times(solution.column_potential, unit));
  const double seconds = clock.seconds();
  report.measures = problem.verify();
  certify(problem, options_.tolerance, options_.gap_tolerance, report);
  report.seconds = {{"setup", setup_seconds, "s"}, {"solve", seconds - setup_seconds, "s"}};
  report.counts = {{"plan_entries", static_cast<double>(plan.size()), ""}};
  return report;
}

}  // namespace sparse_transport
