#pragma once

#include <libsolve/core/types.hpp>
#include <libsolve/core/vector.hpp>

namespace libsolve {

/// Small transport problems of one shape, minibatch couplings for instance: problem k has the cost
/// C(k, i, j), finite, in any units, and masses a(k, i), b(k, j) > 0 of equal totals.
struct TransportBatch {
  using Costs = Kokkos::View<const double***, Kokkos::LayoutRight, MemSpace>;
  using Masses = Kokkos::View<const double**, Kokkos::LayoutRight, MemSpace>;
  Costs cost;           ///< B x n x m
  Masses a;             ///< B x n
  Masses b;             ///< B x m
  double eta = 1e-2;    ///< eps of a problem is eta times its largest |C|
  double tolerance = 1e-9;  ///< of |P 1 - a|_1 + |P^T 1 - b|_1
  int max_iterations = 10000;
};

/// What came of each problem. P_ij = exp((f_i + g_j - C_ij) / eps).
struct TransportBatchSolution {
  Kokkos::View<double**, Kokkos::LayoutRight, MemSpace> f;  ///< B x n
  Kokkos::View<double**, Kokkos::LayoutRight, MemSpace> g;  ///< B x m
  VectorView eps;            ///< B
  VectorView violation;      ///< B, recomputed from f and g at the end; NaN where data is not finite
  VectorView transport_cost; ///< B, <C, P>
  Kokkos::View<int*, MemSpace> iterations;  ///< B
};

/// Sinkhorn's iteration on potentials for all problems in one launch, eps lowered from a quarter of the
/// largest cost by factors of 4 (three sweeps each): a team for each problem on a device, a thread for
/// each on the host with the passes of TransportCost. A problem that does not come to the tolerance in
/// max_iterations keeps its last iterate: its `violation` says so. O(B (n + m)) memory.
/// ShapeError where shapes do not fit; DataError, naming problem and index, for masses that are not finite
/// and positive, totals that differ by more than 1e-9 of them, and costs that are not finite.
LIBSOLVE_EXPORT TransportBatchSolution solve_transport_batch(const TransportBatch& batch);

/// `violation` and `transport_cost` of the solution recomputed from its f, g and eps.
LIBSOLVE_EXPORT void measure_transport_batch(const TransportBatch& batch,
                                             const TransportBatchSolution& solution);

}  // namespace libsolve
