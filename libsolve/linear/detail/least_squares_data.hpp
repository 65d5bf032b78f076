/// \file
/// What the steps of BatchedLeastSquares work on.
#pragma once

#include <libsolve/linear/detail/problem_lanes.hpp>

namespace libsolve::detail {

/// Data, results and factors of a batch; null where there is none.
struct LeastSquaresPointers {
  int B = 0, m = 0, n = 0, c = 0;
  double rank_tolerance = 0.0;
  const double *Phi = nullptr, *d = nullptr, *C = nullptr, *e = nullptr, *lambda = nullptr,
               *w0 = nullptr;
  const int* active = nullptr;
  double* factors = nullptr;
  double *w = nullptr, *mu = nullptr, *stationarity = nullptr, *violation = nullptr;
  int* status = nullptr;
  const double *at = nullptr, *g = nullptr;  ///< point of measure(), dL/dw of adjoint()
  double* a = nullptr;                       ///< of invert()
  double *dPhi = nullptr, *dd = nullptr, *dC = nullptr, *de = nullptr, *dlambda = nullptr,
         *dw0 = nullptr;
};

/// Slots of factors a problem: c reflections of length n, their 1/h, 1/R1_jj; rows k = 0, 1, ... of
/// [R2 z] from the diagonal on, where R2 y2 = z.
KOKKOS_INLINE_FUNCTION int factor_slots(int n, int c) {
  const int p = n - c;
  return n * c + 2 * c + p * (p + 3) / 2;
}
/// Slots from column to column of a block of rows. Not a divisor of 4096 bytes: loads would wait
/// for stores a few columns before them that agree in the last 12 bits of their addresses.
KOKKOS_INLINE_FUNCTION constexpr int pitch_of(int block) {
  return block + 1;
}
/// Slots of work: a block of rows of [Phi d], three vectors of n, two of c.
KOKKOS_INLINE_FUNCTION int work_slots(int n, int c, int block) {
  return (n + 1) * pitch_of(block) + 3 * n + 2 * c;
}

/// A reflection H = I - v v^T / h that takes (alpha, x) to (beta, 0): v = (alpha - beta, x).
template <class Number>
struct Reflection {
  Number first, inverse_h, beta, norm;
  /// `squares` = |x|^2.
  KOKKOS_FORCEINLINE_FUNCTION Reflection(const Number& alpha, const Number& squares) {
    norm = root(alpha * alpha + squares);
    first = alpha >= 0.0 ? alpha + norm : alpha - norm;
    beta = alpha >= 0.0 ? Number(-norm) : norm;
    const Number h = alpha >= 0.0 ? Number(norm * first) : Number(-norm * first);
    inverse_h = h > 1e-300 ? Number(1.0 / h) : number<Number>(0.0);
  }
};

}  // namespace libsolve::detail
