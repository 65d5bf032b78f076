#include "sparse_plan.hpp"

#include <cstdio>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/transport/plan_marginals.hpp>

namespace sparse_transport {

void require_balanced_and_one_rank(const TransportProblem& problem, const char* method) {
  if (!problem.is_balanced())
    throw Unsupported(std::string("method '") + method +
                      "' solves the balanced problem only; leave marginal_penalty out, or use "
                      "'sinkhorn'");
  const int ranks = problem.a().communicator().size();
  if (ranks > 1)
    throw Unsupported(std::string("method '") + method + "' runs on one rank, there are " +
                      std::to_string(ranks) + "; use 'sinkhorn' on several");
}

VectorView to_device(const std::vector<double>& values, const char* label) {
  const VectorView view(Kokkos::view_alloc(std::string(label), Kokkos::WithoutInitializing),
                        values.size());
  Kokkos::deep_copy(view,
                    Kokkos::View<const double*, Kokkos::HostSpace>(values.data(), values.size()));
  return view;
}

std::vector<double> to_host(const ConstVectorView& values) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), values);
  return {host.data(), host.data() + host.extent(0)};
}

SparseEntries sparse_entries(std::size_t n, const std::vector<PlanEntry>& entries) {
  SparseEntries plan;
  plan.row_pointers = {"sparse_transport::row_pointers", n + 1};
  plan.columns = {"sparse_transport::columns", entries.size()};
  plan.values = {"sparse_transport::values", entries.size()};
  const auto first = Kokkos::create_mirror_view(plan.row_pointers);
  const auto columns = Kokkos::create_mirror_view(plan.columns);
  const auto values = Kokkos::create_mirror_view(plan.values);
  for (std::size_t i = 0; i <= n; ++i) first(i) = 0;
  for (std::size_t k = 0; k < entries.size(); ++k) {
    ++first(static_cast<std::size_t>(entries[k].row) + 1);
    columns(k) = entries[k].column;
    values(k) = entries[k].mass;
  }
  for (std::size_t i = 0; i < n; ++i) first(i + 1) += first(i);
  Kokkos::deep_copy(plan.row_pointers, first);
  Kokkos::deep_copy(plan.columns, columns);
  Kokkos::deep_copy(plan.values, values);
  return plan;
}

void store_plan(TransportProblem& problem, const std::vector<PlanEntry>& plan) {
  problem.set_plan(
      sparse_entries(static_cast<std::size_t>(problem.cost().rows().local_size()), plan));
}

void store_potentials(TransportProblem& problem, const std::vector<double>& f,
                      const std::vector<double>& g) {
  Kokkos::deep_copy(problem.f().view(), to_device(f, "sparse_transport::f"));
  Kokkos::deep_copy(problem.g().view(), to_device(g, "sparse_transport::g"));
}

void certify(const TransportProblem& problem, double tolerance, double gap_tolerance,
             Report& report) {
  const double violation = report.value("marginal_violation");
  const double gap = report.value("optimality_gap");
  const double allowed = gap_tolerance * problem.cost().maximum() * detail::total_of(problem.a());
  const std::string found =
      "marginal violation " + short_number(violation) + ", duality gap " + short_number(gap);
  if (report.status == Status::converged) {
    if (violation <= tolerance && gap <= allowed) {
      report.reason = found;
      return;
    }
    report.status = Status::stagnated;
    report.reason = found + ", where " + short_number(tolerance) + " and " + short_number(allowed) +
                    " were asked for: rounding allows no more";
    return;
  }
  const char* why = report.status == Status::max_iterations ? "the limit on pivots came first"
                    : report.status == Status::time_limit   ? "the time limit came first"
                                                            : "interrupted";
  report.reason = std::string(why) + "; " + found;
}

}  // namespace sparse_transport
