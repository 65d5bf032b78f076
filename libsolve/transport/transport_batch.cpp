#include <algorithm>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/transport/detail/batch_passes.hpp>
#include <string>

namespace libsolve {

namespace {

/// The first mass of a problem that is none: its index in the flattened array, or the size.
struct FirstBadMass {
  const double* mass;
  KOKKOS_FUNCTION void operator()(const GlobalIndex e, GlobalIndex& first) const {
    if (!(mass[e] > 0.0 && mass[e] <= largest_double) && e < first) first = e;
  }
};

struct FirstBadCost {
  const double* cost;
  KOKKOS_FUNCTION void operator()(const GlobalIndex e, GlobalIndex& first) const {
    if (!(Kokkos::abs(cost[e]) <= largest_double) && e < first) first = e;
  }
};

/// The first problem whose totals differ.
struct FirstUnequal {
  TransportBatch::Masses a, b;
  KOKKOS_FUNCTION void operator()(const GlobalIndex k, GlobalIndex& first) const {
    double of_a = 0.0, of_b = 0.0;
    for (std::size_t i = 0; i < a.extent(1); ++i) of_a += a(k, i);
    for (std::size_t j = 0; j < b.extent(1); ++j) of_b += b(k, j);
    if (Kokkos::abs(of_a - of_b) > 1e-9 * Kokkos::max(of_a, of_b) && k < first) first = k;
  }
};

template <class Body>
GlobalIndex first_of(const char* label, std::size_t size, const Body& body) {
  GlobalIndex first = static_cast<GlobalIndex>(size);
  Kokkos::parallel_reduce(label,
                          Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<GlobalIndex>>(
                              0, static_cast<GlobalIndex>(size)),
                          body, Kokkos::Min<GlobalIndex>(first));
  return std::min(first, static_cast<GlobalIndex>(size));
}

void check_masses(const TransportBatch::Masses& mass, const char* name) {
  const GlobalIndex bad =
      first_of("transport::check_batch", mass.size(), FirstBadMass{mass.data()});
  if (bad == static_cast<GlobalIndex>(mass.size())) return;
  const auto n = static_cast<GlobalIndex>(mass.extent(1));
  throw DataError("problem " + std::to_string(bad / n) + " of the batch: the mass " + name + "[" +
                  std::to_string(bad % n) + "] is not finite and positive");
}

void check(const TransportBatch& batch) {
  const auto text = [](std::size_t n) { return std::to_string(n); };
  const std::size_t B = batch.cost.extent(0), n = batch.cost.extent(1), m = batch.cost.extent(2);
  if (n == 0 || m == 0 || batch.a.extent(0) != B || batch.a.extent(1) != n ||
      batch.b.extent(0) != B || batch.b.extent(1) != m)
    throw ShapeError("a batch of costs " + text(B) + " x " + text(n) + " x " + text(m) +
                     " with masses a " + text(batch.a.extent(0)) + " x " + text(batch.a.extent(1)) +
                     " and b " + text(batch.b.extent(0)) + " x " + text(batch.b.extent(1)) +
                     "; they do not fit together");
  if (!batch.cost.span_is_contiguous() || !batch.a.span_is_contiguous() ||
      !batch.b.span_is_contiguous())
    throw ShapeError("costs and masses of a batch must lie in memory without gaps");
  if (!(batch.eta > 0.0) || !(batch.tolerance > 0.0) || batch.max_iterations < 1)
    throw InputError({}, "eta",
                     "a batch needs eta > 0, a tolerance > 0 and an iteration at least; they "
                     "are " +
                         format_number(batch.eta) + ", " + format_number(batch.tolerance) +
                         " and " + std::to_string(batch.max_iterations));
  check_masses(batch.a, "a");
  check_masses(batch.b, "b");
  const GlobalIndex unequal = first_of("transport::check_batch", B, FirstUnequal{batch.a, batch.b});
  if (unequal < static_cast<GlobalIndex>(B))
    throw DataError("problem " + std::to_string(unequal) +
                    " of the batch: the totals of a and b differ; no plan has these marginals");
  const GlobalIndex bad =
      first_of("transport::check_batch", batch.cost.size(), FirstBadCost{batch.cost.data()});
  if (bad < static_cast<GlobalIndex>(batch.cost.size()))
    throw DataError(
        "problem " + std::to_string(bad / static_cast<GlobalIndex>(n * m)) +
        " of the batch: the cost [" +
        std::to_string(bad / static_cast<GlobalIndex>(m) % static_cast<GlobalIndex>(n)) + ", " +
        std::to_string(bad % static_cast<GlobalIndex>(m)) + "] is not finite");
}

}  // namespace

TransportBatchSolution solve_transport_batch(const TransportBatch& batch) {
  const std::size_t B = batch.cost.extent(0);
  if (B > 0) check(batch);
  TransportBatchSolution out{{"transport::f", B, batch.cost.extent(1)},
                             {"transport::g", B, batch.cost.extent(2)},
                             VectorView("transport::eps", B),
                             VectorView("transport::violation", B),
                             VectorView("transport::transport_cost", B),
                             {"transport::iterations", B}};
  if (B == 0) return out;
  if constexpr (runs_on_host<ExecSpace>) {
    using Policy = Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace, Kokkos::IndexType<int>,
                                       Kokkos::Schedule<Kokkos::Dynamic>>;
    Kokkos::parallel_for("transport::batch", Policy(0, static_cast<int>(B), Kokkos::ChunkSize(1)),
                         [&](int k) { detail::HostBatchSolve(batch, out, k).run(); });
  } else {
    Kokkos::parallel_for("transport::batch",
                         detail::one_team_each<ExecSpace>(static_cast<Index>(B)),
                         detail::BatchSolve<ExecSpace>{batch, out});
    ExecSpace().fence();
  }
  return out;
}

void measure_transport_batch(const TransportBatch& batch, const TransportBatchSolution& solution) {
  Kokkos::parallel_for("transport::measure_batch",
                       detail::one_team_each<ExecSpace>(static_cast<Index>(batch.cost.extent(0))),
                       detail::BatchMeasure<ExecSpace>{{batch, solution}});
  ExecSpace().fence();
}

}  // namespace libsolve
