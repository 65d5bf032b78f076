#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/transport/transport_batch_problem.hpp>

namespace libsolve {

TransportBatchProblem::TransportBatchProblem(TransportBatch batch, std::string text)
    : batch_(std::move(batch)), text_(std::move(text)) {
  const std::size_t B = batch_.cost.extent(0);
  solution_ = {{"transport::f", B, batch_.cost.extent(1)},
               {"transport::g", B, batch_.cost.extent(2)},
               VectorView("transport::eps", B),
               VectorView("transport::violation", B),
               VectorView("transport::transport_cost", B),
               {"transport::iterations", B}};
  Kokkos::deep_copy(solution_.eps, 1.0);  // of potentials that nobody has set
}

TransportBatchProblem::~TransportBatchProblem() = default;

std::vector<Field> TransportBatchProblem::solution() const {
  const auto field = [](const char* name, const VectorView& values, const char* units,
                        std::vector<GlobalIndex> shape) {
    Field f;
    f.name = name;
    f.values = Vector(values, Partition(static_cast<GlobalIndex>(values.extent(0))));
    f.units = units;
    f.shape = std::move(shape);
    return f;
  };
  const auto B = static_cast<GlobalIndex>(solution_.f.extent(0));
  const auto n = static_cast<GlobalIndex>(solution_.f.extent(1));
  const auto m = static_cast<GlobalIndex>(solution_.g.extent(1));
  return {field("f", VectorView(solution_.f.data(), solution_.f.size()), "cost", {B, n}),
          field("g", VectorView(solution_.g.data(), solution_.g.size()), "cost", {B, m}),
          field("transport_cost", solution_.transport_cost, "cost", {}),
          field("marginal_violation", solution_.violation, "mass", {}),
          field("regularization", solution_.eps, "cost", {})};
}

std::vector<Measure> TransportBatchProblem::verify() const {
  measure_transport_batch(batch_, solution_);
  const Kokkos::HostSpace host;
  const auto violation = Kokkos::create_mirror_view_and_copy(host, solution_.violation);
  const auto cost = Kokkos::create_mirror_view_and_copy(host, solution_.transport_cost);
  double largest = 0.0;
  double total = 0.0;
  for (std::size_t k = 0; k < violation.extent(0); ++k) {
    // NaN is larger than everything.
    if (!(violation(k) <= largest)) largest = std::isnan(violation(k)) ? INFINITY : violation(k);
    total += cost(k);
  }
  const double count = std::max(1.0, static_cast<double>(violation.extent(0)));
  return {{"marginal_violation", largest, "mass"}, {"transport_cost", total / count, "cost"}};
}

GlobalIndex TransportBatchProblem::num_unknowns() const {
  return static_cast<GlobalIndex>(solution_.f.size() + solution_.g.size());
}

TransportBatchSolver::~TransportBatchSolver() = default;

Report TransportBatchSolver::solve(Problem& problem, Monitor& monitor) {
  auto* batch = dynamic_cast<TransportBatchProblem*>(&problem);
  if (batch == nullptr)
    throw Unsupported("a solver of transport batches was given a problem of class '" +
                      std::string(problem.problem_class()) + "' (" + problem.description() +
                      "); choose a method of that class ('libsolve list' shows them)");
  return solve(*batch, monitor);
}

}  // namespace libsolve
