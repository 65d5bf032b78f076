#pragma once

#include "grid_rows.hpp"

namespace proximal {

// Differences between neighbours, (D z)_a = (z(next along a) - z) / h_a, 0 at the end of an axis, and
// their adjoint, (D^T p) = sum_a (p_a(previous) - p_a) / h_a, p_a(previous) = 0 at the start. Dual fields p
// keep p_a = 0 at the end of axis a. Axes are 1, 2 or 3 = A.

/// A dual field's components, each one value a cell.
struct Dual {
  double* axis[3] = {nullptr, nullptr, nullptr};
};

/// z = P_C(x - lambda D^T p), C the bounds where Bounded. `zeros`: n[0] of them.
template <int A, bool Bounded>
struct PrimalOfDual {
  Cells cells;
  const double* x;
  Dual p;
  double lambda;
  const double *lower, *upper, *zeros;
  double* z;

  struct Row {
    const double *x, *p0, *p1, *p1_before, *p2, *p2_before, *lower, *upper;
    double* z;
    double c0, c1, c2;
    KOKKOS_INLINE_FUNCTION void put(Index i, double before) const {
      double value = x[i] - c0 * (before - p0[i]);
      if constexpr (A > 1) value -= c1 * (p1_before[i] - p1[i]);
      if constexpr (A > 2) value -= c2 * (p2_before[i] - p2[i]);
      if constexpr (Bounded) {
        value = value < lower[i] ? lower[i] : value;
        value = value > upper[i] ? upper[i] : value;
      }
      z[i] = value;
    }
    KOKKOS_INLINE_FUNCTION void first(Index i, double&) const { put(i, 0.0); }
    KOKKOS_INLINE_FUNCTION void inner(Index i, double&) const { put(i, p0[i - 1]); }
    KOKKOS_INLINE_FUNCTION void last(Index i, double&) const { put(i, p0[i - 1]); }
    KOKKOS_INLINE_FUNCTION void only(Index i, double&) const { put(i, 0.0); }
  };
  KOKKOS_INLINE_FUNCTION Row row(Index j, Index k) const {
    const Index plane = cells.n[0] * cells.n[1], at = cells.n[0] * j + plane * k;
    Row r{};
    r.x = x + at;
    r.z = z + at;
    r.p0 = p.axis[0] + at;
    r.c0 = lambda * cells.inverse_spacing[0];
    if constexpr (A > 1) {
      r.p1 = p.axis[1] + at;
      r.p1_before = j > 0 ? r.p1 - cells.n[0] : zeros;
      r.c1 = lambda * cells.inverse_spacing[1];
    }
    if constexpr (A > 2) {
      r.p2 = p.axis[2] + at;
      r.p2_before = k > 0 ? r.p2 - plane : zeros;
      r.c2 = lambda * cells.inverse_spacing[2];
    }
    if constexpr (Bounded) {
      r.lower = lower + at;
      r.upper = upper + at;
    }
    return r;
  }
};

/// The differences of z in a row: pointers to the next rows, to the row itself at the end of an axis.
struct DifferenceRow {
  const double *z, *z1, *z2;
  double h0, h1, h2;  ///< one over the spacings
};

template <int A>
KOKKOS_INLINE_FUNCTION DifferenceRow difference_row(const Cells& cells, const double* z, Index j,
                                                    Index k) {
  const Index plane = cells.n[0] * cells.n[1], at = cells.n[0] * j + plane * k;
  DifferenceRow r{};
  r.z = z + at;
  r.h0 = cells.inverse_spacing[0];
  if constexpr (A > 1) {
    r.z1 = j < cells.n[1] - 1 ? r.z + cells.n[0] : r.z;
    r.h1 = cells.inverse_spacing[1];
  }
  if constexpr (A > 2) {
    r.z2 = k < cells.n[2] - 1 ? r.z + plane : r.z;
    r.h2 = cells.inverse_spacing[2];
  }
  return r;
}

/// One step of the accelerated projected gradient method in the dual (Beck, Teboulle 2009, FGP):
///   q = r + step D z,  p+ = q / max(1, |q|) cell by cell,  r = p+ + momentum (p+ - p),  p = p+;
/// returns sum (r_old - p+)^T (p+ - p), which is > 0 where the momentum points uphill.
template <int A>
struct DualStep {
  Cells cells;
  const double* z;
  double step, momentum;
  Dual p, r;

  struct Row {
    DifferenceRow d;
    double *p0, *p1, *p2, *r0, *r1, *r2;
    double step, momentum;
    KOKKOS_INLINE_FUNCTION void put(Index i, double d0, double& sum) const {
      const double s0 = r0[i], q0 = s0 + step * d0;
      double s1 = 0.0, q1 = 0.0, s2 = 0.0, q2 = 0.0;
      if constexpr (A > 1) {
        s1 = r1[i];
        q1 = s1 + step * (d.h1 * (d.z1[i] - d.z[i]));
      }
      if constexpr (A > 2) {
        s2 = r2[i];
        q2 = s2 + step * (d.h2 * (d.z2[i] - d.z[i]));
      }
      const double square = q0 * q0 + q1 * q1 + q2 * q2;
      const double factor = square > 1.0 ? 1.0 / Kokkos::sqrt(square) : 1.0;
      const double a0 = factor * q0, c0 = a0 - p0[i];
      double uphill = (s0 - a0) * c0;
      p0[i] = a0;
      r0[i] = a0 + momentum * c0;
      if constexpr (A > 1) {
        const double a1 = factor * q1, c1 = a1 - p1[i];
        uphill += (s1 - a1) * c1;
        p1[i] = a1;
        r1[i] = a1 + momentum * c1;
      }
      if constexpr (A > 2) {
        const double a2 = factor * q2, c2 = a2 - p2[i];
        uphill += (s2 - a2) * c2;
        p2[i] = a2;
        r2[i] = a2 + momentum * c2;
      }
      sum += uphill;
    }
    KOKKOS_INLINE_FUNCTION double across(Index i) const { return d.h0 * (d.z[i + 1] - d.z[i]); }
    KOKKOS_INLINE_FUNCTION void first(Index i, double& sum) const { put(i, across(i), sum); }
    KOKKOS_INLINE_FUNCTION void inner(Index i, double& sum) const { put(i, across(i), sum); }
    KOKKOS_INLINE_FUNCTION void last(Index i, double& sum) const { put(i, 0.0, sum); }
    KOKKOS_INLINE_FUNCTION void only(Index i, double& sum) const { put(i, 0.0, sum); }
  };
  KOKKOS_INLINE_FUNCTION Row row(Index j, Index k) const {
    const Index at = cells.n[0] * (j + cells.n[1] * k);
    Row row{};
    row.d = difference_row<A>(cells, z, j, k);
    row.step = step;
    row.momentum = momentum;
    row.p0 = p.axis[0] + at;
    row.r0 = r.axis[0] + at;
    if constexpr (A > 1) {
      row.p1 = p.axis[1] + at;
      row.r1 = r.axis[1] + at;
    }
    if constexpr (A > 2) {
      row.p2 = p.axis[2] + at;
      row.r2 = r.axis[2] + at;
    }
    return row;
  }
};

/// sum over cells of |D z|, isotropic, less p^T D z where With, p with |p| <= 1. Then each term is
///   |d| - p^T d = |d| (1 - |p|) + | |d| p - |p| d |^2 / (2 |p| |d|),
/// two parts >= 0 and free of cancellation, so that the sum can be far below rounding of |d|; |p| within
/// some rounding of 1 is taken as 1, and |d| <= rounding as 0.
template <int A, bool With>
struct Variation {
  Cells cells;
  const double* z;
  Dual p;
  double rounding = 0.0;

  struct Row {
    DifferenceRow d;
    const double *p0, *p1, *p2;
    double rounding;
    KOKKOS_INLINE_FUNCTION void put(Index i, double d0, double& sum) const {
      double d1 = 0.0, d2 = 0.0;
      if constexpr (A > 1) d1 = d.h1 * (d.z1[i] - d.z[i]);
      if constexpr (A > 2) d2 = d.h2 * (d.z2[i] - d.z[i]);
      const double size = Kokkos::sqrt(d0 * d0 + d1 * d1 + d2 * d2);
      if constexpr (With) {
        const double a0 = p0[i];
        double a1 = 0.0, a2 = 0.0;
        if constexpr (A > 1) a1 = p1[i];
        if constexpr (A > 2) a2 = p2[i];
        const double length = Kokkos::sqrt(a0 * a0 + a1 * a1 + a2 * a2);
        const double e0 = size * a0 - length * d0, e1 = size * a1 - length * d1,
                     e2 = size * a2 - length * d2;
        const double short_of_one = 1.0 - length - 2e-15, both = 2.0 * size * length;
        const double turn = both > 0.0 ? (e0 * e0 + e1 * e1 + e2 * e2) / both : 0.0;
        const double term = (short_of_one > 0.0 ? size * short_of_one : 0.0) + turn;
        sum += size <= rounding ? 0.0 : term;  // NaN stays
      } else {
        sum += size;
      }
    }
    KOKKOS_INLINE_FUNCTION double across(Index i) const { return d.h0 * (d.z[i + 1] - d.z[i]); }
    KOKKOS_INLINE_FUNCTION void first(Index i, double& sum) const { put(i, across(i), sum); }
    KOKKOS_INLINE_FUNCTION void inner(Index i, double& sum) const { put(i, across(i), sum); }
    KOKKOS_INLINE_FUNCTION void last(Index i, double& sum) const { put(i, 0.0, sum); }
    KOKKOS_INLINE_FUNCTION void only(Index i, double& sum) const { put(i, 0.0, sum); }
  };
  KOKKOS_INLINE_FUNCTION Row row(Index j, Index k) const {
    const Index at = cells.n[0] * (j + cells.n[1] * k);
    Row row{};
    row.d = difference_row<A>(cells, z, j, k);
    row.rounding = rounding;
    if constexpr (With) {
      row.p0 = p.axis[0] + at;
      if constexpr (A > 1) row.p1 = p.axis[1] + at;
      if constexpr (A > 2) row.p2 = p.axis[2] + at;
    }
    return row;
  }
};

}  // namespace proximal
