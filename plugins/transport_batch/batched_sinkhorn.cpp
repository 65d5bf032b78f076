#include <algorithm>
#include <chrono>
#include <cmath>

#include "minibatches.hpp"

namespace transport_batch {

void BatchedSinkhornOptions::describe(Fields<BatchedSinkhornOptions>& f) {
  using O = BatchedSinkhornOptions;
  f.add("tolerance", &O::tolerance, Range::above(0.0),
        "each problem stops when |P 1 - a|_1 + |P^T 1 - b|_1 is at most this")
      .unit("mass");
  f.add("max_iterations", &O::max_iterations, Range::at_least(1), "sweeps of each problem");
}

Report BatchedSinkhorn::solve(TransportBatchProblem& problem, Monitor& monitor) {
  const auto begin = std::chrono::steady_clock::now();
  monitor.begin_phase("solve");
  TransportBatch batch = problem.batch();
  // The rows decide in the kernel; what rounding adds for the columns is left room for.
  batch.tolerance = 0.5 * options_.tolerance;
  batch.max_iterations = options_.max_iterations;
  problem.set_solution(solve_transport_batch(batch));
  Report report;
  report.seconds = {
      {"solve", std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(), "s"}};
  report.measures = problem.verify();
  const Kokkos::HostSpace host;
  const auto sweeps = Kokkos::create_mirror_view_and_copy(host, problem.batch_solution().iterations);
  const auto left = Kokkos::create_mirror_view_and_copy(host, problem.batch_solution().violation);
  std::int64_t total = 0, most = 0, open = 0;
  for (std::size_t k = 0; k < sweeps.extent(0); ++k) {
    total += sweeps(k);
    most = std::max<std::int64_t>(most, sweeps(k));
    open += left(k) <= options_.tolerance ? 0 : 1;
  }
  report.iterations = most;
  const double violation = report.measures.front().value;
  report.status = open == 0               ? Status::converged
                  : !std::isfinite(violation) ? Status::non_finite
                                              : Status::max_iterations;
  report.reason = std::to_string(open) + " of " + std::to_string(sweeps.extent(0)) +
                  " problems are left with a marginal violation above " +
                  format_number(options_.tolerance) + "; the largest is " + format_number(violation) +
                  ", after at most " + std::to_string(most) + " sweeps";
  report.counts = {{"sinkhorn_sweeps", static_cast<double>(total)}};
  const Sample samples[] = {{"marginal_violation", violation}};
  (void)monitor.observe(most, samples);  // one launch: there is nothing left to stop
  return report;
}

}  // namespace transport_batch
