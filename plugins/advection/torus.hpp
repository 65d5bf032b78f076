#pragma once

#include <libsolve/core/row_kernels.hpp>

namespace advection {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// n x n cells of width h with opposite sides joined, x fastest; central differences.
struct Torus {
  Index n = 0;
  double h = 0.0;
  KOKKOS_INLINE_FUNCTION Index cells() const { return n * n; }
  KOKKOS_INLINE_FUNCTION Index left(Index c) const { return c % n == 0 ? c + n - 1 : c - 1; }
  KOKKOS_INLINE_FUNCTION Index right(Index c) const { return c % n == n - 1 ? c + 1 - n : c + 1; }
  KOKKOS_INLINE_FUNCTION Index below(Index c) const { return c < n ? c + n * (n - 1) : c - n; }
  KOKKOS_INLINE_FUNCTION Index above(Index c) const {
    return c >= n * (n - 1) ? c - n * (n - 1) : c + n;
  }
  /// div(y u) in cell c; u: x components, then y components.
  KOKKOS_INLINE_FUNCTION double divergence(const double* u, const double* y, Index c) const {
    const double* const v = u + cells();
    const Index l = left(c), r = right(c), b = below(c), a = above(c);
    return (u[r] * y[r] - u[l] * y[l] + v[a] * y[a] - v[b] * y[b]) / (2.0 * h);
  }
  /// -grad p, the adjoint of the divergence.
  KOKKOS_INLINE_FUNCTION double minus_dx(const double* p, Index c) const {
    return (p[left(c)] - p[right(c)]) / (2.0 * h);
  }
  KOKKOS_INLINE_FUNCTION double minus_dy(const double* p, Index c) const {
    return (p[below(c)] - p[above(c)]) / (2.0 * h);
  }
  /// The mean over the four neighbours (Lax, Friedrichs): a symmetric operator.
  KOKKOS_INLINE_FUNCTION double mean(const double* y, Index c) const {
    return 0.25 * (y[left(c)] + y[right(c)] + y[below(c)] + y[above(c)]);
  }
};

}  // namespace advection
