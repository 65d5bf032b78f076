#pragma once

#include <libsolve/pde/node_grid.hpp>

namespace pde_control {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// Numbers inside cycles.
using Real = float;
using RealView = Kokkos::View<Real*, MemSpace>;

/// Place of the node with these numbers in the whole grid (boundary = 0) in a padded array.
KOKKOS_INLINE_FUNCTION Index place_of(const NodeRows& rows, Index i, Index j, Index k) {
  return rows.first + (i - rows.begin[0]) + (j - rows.begin[1]) * rows.stride[1] +
         (k - rows.begin[2]) * rows.stride[2];
}

namespace detail {

template <class Body>
struct RowOfPoints {
  Index n0, n1;
  Body body;
  void operator()(Index row) const {
    const Index k = row / n1, j = row - k * n1;
    const Body local = body;  // see libsolve/core/row_kernels.hpp
#pragma omp simd
    for (Index i = 0; i < n0; ++i) local(i, j, k);
  }
};

template <class Body>
struct OnePoint {
  Index n0, n1;
  Body body;
  KOKKOS_FUNCTION void operator()(Index point) const {
    const Index row = point / n0, k = row / n1;
    body(point - row * n0, row - k * n1, k);
  }
};

/// row(r) for r < num_rows on the host, by the calling thread where there is little to do.
template <class Row>
void for_host_rows(const char* label, Index num_rows, GlobalIndex num_points, const Row& row) {
  using Policy = Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<Index>>;
  if (num_points > libsolve::detail::nodes_worth_threads)
    Kokkos::parallel_for(kernel_label(label), Policy(default_space(), 0, num_rows), row);
  else
    for (Index r = 0; r < num_rows; ++r) row(r);
}

}  // namespace detail

/// body(i, j, k) for all i < n[0], j < n[1], k < n[2], independent of each other.
template <class Body>
void for_points(const char* label, const Index* n, const Body& body) {
  const GlobalIndex points = GlobalIndex{n[0]} * n[1] * n[2];
  if (points <= 0) return;
  if constexpr (runs_on_host<ExecSpace>) {
    detail::for_host_rows(label, n[1] * n[2], points, detail::RowOfPoints<Body>{n[0], n[1], body});
  } else {
    using Policy = Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<Index>>;
    Kokkos::parallel_for(kernel_label(label),
                         Policy(default_space(), 0, static_cast<Index>(points)),
                         detail::OnePoint<Body>{n[0], n[1], body});
  }
}

}  // namespace pde_control
