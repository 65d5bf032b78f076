#pragma once

#include <libsolve/core/row_kernels.hpp>
#include <libsolve/core/vector.hpp>

namespace burgers_control {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// A tridiagonal matrix, and after factor() its LU factors with row exchanges (convection may
/// outweigh the diagonal at large steps). Row i: lower[i - 1], diagonal[i], upper[i].
struct Tridiagonal {
  Index n = 0;
  double *lower, *diagonal, *upper;
  double* second_upper;  ///< filled in where rows are exchanged
  double* exchanged;     ///< 1 where rows i and i + 1 are, else 0

  KOKKOS_INLINE_FUNCTION void factor() const {
    for (Index i = 0; i + 1 < n; ++i) {
      second_upper[i] = 0.0;
      exchanged[i] = Kokkos::abs(lower[i]) > Kokkos::abs(diagonal[i]) ? 1.0 : 0.0;
      if (exchanged[i] == 0.0) {
        lower[i] /= diagonal[i];
        diagonal[i + 1] -= lower[i] * upper[i];
        continue;
      }
      const double pivot = lower[i], right = diagonal[i + 1], factor = diagonal[i] / pivot;
      diagonal[i] = pivot;
      diagonal[i + 1] = upper[i] - factor * right;
      upper[i] = right;
      if (i + 2 < n) {
        second_upper[i] = upper[i + 1];
        upper[i + 1] *= -factor;
      }
      lower[i] = factor;
    }
  }

  /// x = A^-1 x.
  KOKKOS_INLINE_FUNCTION void solve(double* x) const {
    for (Index i = 0; i + 1 < n; ++i) {
      const double first = exchanged[i] == 0.0 ? x[i] : x[i + 1];
      const double second = exchanged[i] == 0.0 ? x[i + 1] : x[i];
      x[i] = first;
      x[i + 1] = second - lower[i] * first;
    }
    for (Index i = n - 1; i >= 0; --i) {
      double rest = x[i];
      if (i + 1 < n) rest -= upper[i] * x[i + 1];
      if (i + 2 < n) rest -= second_upper[i] * x[i + 2];
      x[i] = rest / diagonal[i];
    }
  }

  /// x = A^-T x.
  KOKKOS_INLINE_FUNCTION void solve_transposed(double* x) const {
    for (Index i = 0; i < n; ++i) {
      double rest = x[i];
      if (i > 0) rest -= upper[i - 1] * x[i - 1];
      if (i > 1) rest -= second_upper[i - 2] * x[i - 2];
      x[i] = rest / diagonal[i];
    }
    for (Index i = n - 2; i >= 0; --i) {
      const double first = x[i] - lower[i] * x[i + 1];
      const double second = x[i + 1];
      x[i] = exchanged[i] == 0.0 ? first : second;
      x[i + 1] = exchanged[i] == 0.0 ? second : first;
    }
  }
};

}  // namespace burgers_control
