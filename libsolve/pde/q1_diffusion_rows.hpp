/// \file
/// -div(a grad .) with Q1 elements and its derivative with respect to a, for kernels. What the
/// cells of an interval [i, i + 1] of the x axis do to a node at its left end is
///   sum over its 2^(D-1) cells q  a_q (P_q(i) + Q_q(i + 1)),
///   P_q(i) = sum_c K[0, c] v(i, c),   Q_q(i) = sum_c K[1, c] v(i, c),
/// c the corners of cell q in column i counted from the node's own row, K[., c] the element matrix
/// of a = 1, and to a node at its right end a_q (P_q(i + 1) + Q_q(i)).
#pragma once

#include <libsolve/pde/q1_diffusion.hpp>
#include <libsolve/pde/q1_rows.hpp>

namespace libsolve::detail {

/// P_q or Q_q of a column for the cells q at (y, z) = (low, low), (high, low), (low, high), (high,
/// high). No array: see Column.
template <int D>
struct CellSums {
  double q0, q1 = 0.0, q2 = 0.0, q3 = 0.0;

  /// x = 0: P, 1: Q. The column at `v`, rows of neighbours in y and z beside it.
  template <int x>
  KOKKOS_FORCEINLINE_FUNCTION static CellSums of(const ElementMatrix& K, double centre,
                                                 double y0 = 0.0, double y1 = 0.0, double z0 = 0.0,
                                                 double z1 = 0.0, double d00 = 0.0,
                                                 double d10 = 0.0, double d01 = 0.0,
                                                 double d11 = 0.0) {
    CellSums s;
    s.q0 = K.pair[x] * centre;
    if constexpr (D >= 2) {
      s.q1 = s.q0 + K.pair[x + 2] * y1;
      s.q0 += K.pair[x + 2] * y0;
    }
    if constexpr (D == 3) {
      s.q2 = s.q0 + (K.pair[x + 4] * z1 + K.pair[x + 6] * d01);
      s.q3 = s.q1 + (K.pair[x + 4] * z1 + K.pair[x + 6] * d11);
      s.q0 += K.pair[x + 4] * z0 + K.pair[x + 6] * d00;
      s.q1 += K.pair[x + 4] * z0 + K.pair[x + 6] * d10;
    }
    return s;
  }
  /// The column at place c of a padded array.
  template <int x>
  KOKKOS_FORCEINLINE_FUNCTION static CellSums of(const ElementMatrix& K, const double* v, Index c,
                                                 Index sy, Index sz) {
    if constexpr (D == 1) return of<x>(K, v[c]);
    if constexpr (D == 2) return of<x>(K, v[c], v[c - sy], v[c + sy]);
    if constexpr (D == 3)
      return of<x>(K, v[c], v[c - sy], v[c + sy], v[c - sz], v[c + sz], v[c - sy - sz],
                   v[c + sy - sz], v[c - sy + sz], v[c + sy + sz]);
  }
};

/// (A y) of a node in padded arrays, a at the lower corners of cells.
template <int D>
struct ApplyDiffusion {
  ElementMatrix K;
  Index sy, sz;
  const double *a, *x;
  double* y;
  KOKKOS_FUNCTION void operator()(Index place, Index entry) const {
    using Sums = CellSums<D>;
    const Sums own = Sums::template of<0>(K, x, place, sy, sz);
    const Sums left = Sums::template of<1>(K, x, place - 1, sy, sz);
    const Sums right = Sums::template of<1>(K, x, place + 1, sy, sz);
    const auto cell = [&](Index offset, double p, double l, double r) {
      const double* const of_q = a + place - offset;
      return of_q[-1] * (p + l) + of_q[0] * (p + r);
    };
    double sum = D == 1 ? cell(0, own.q0, left.q0, right.q0) : 0.0;
    if constexpr (D >= 2) {
      sum = cell(D == 2 ? sy : sy + sz, own.q0, left.q0, right.q0) +
            cell(D == 2 ? 0 : sz, own.q1, left.q1, right.q1);
      if constexpr (D == 3)
        sum += cell(sy, own.q2, left.q2, right.q2) + cell(0, own.q3, left.q3, right.q3);
    }
    y[entry] = sum;
  }
};

/// The same for rows of vectors as they are, one rank on the host. P and Q of a block of a row's
/// columns first, each once.
template <int D>
struct DiffusionRow {
  static constexpr Index block = 256;
  static constexpr int num_cells = 1 << (D - 1);  ///< of an interval
  struct BlockOfSums {
    double own[num_cells][block + 2], side[num_cells][block + 2];
  };
  NodeRows rows;
  TiledRows order;
  ElementMatrix K;
  const double *a, *x, *zeros;
  double* y;

  [[gnu::flatten, gnu::noinline]] static void add_columns(const RowsAround<D>& around,
                                                          const ElementMatrix& element, Index begin,
                                                          Index from, Index to, BlockOfSums& sums) {
    const RowsAround<D> r = around;
    const ElementMatrix E = element;
#pragma omp simd
    for (Index at = from; at < to; ++at) {
      const Index i = begin + at - 1;
      CellSums<D> P, Q;
      if constexpr (D == 1) {
        P = CellSums<D>::template of<0>(E, r.row[0][i]);
        Q = CellSums<D>::template of<1>(E, r.row[0][i]);
      }
      if constexpr (D == 2) {
        P = CellSums<D>::template of<0>(E, r.row[0][i], r.row[1][i], r.row[2][i]);
        Q = CellSums<D>::template of<1>(E, r.row[0][i], r.row[1][i], r.row[2][i]);
      }
      if constexpr (D == 3) {
        P = CellSums<D>::template of<0>(E, r.row[0][i], r.row[1][i], r.row[2][i], r.row[3][i],
                                        r.row[4][i], r.row[5][i], r.row[6][i], r.row[7][i],
                                        r.row[8][i]);
        Q = CellSums<D>::template of<1>(E, r.row[0][i], r.row[1][i], r.row[2][i], r.row[3][i],
                                        r.row[4][i], r.row[5][i], r.row[6][i], r.row[7][i],
                                        r.row[8][i]);
      }
      sums.own[0][at] = P.q0;
      sums.side[0][at] = Q.q0;
      if constexpr (D >= 2) {
        sums.own[1][at] = P.q1;
        sums.side[1][at] = Q.q1;
      }
      if constexpr (D == 3) {
        sums.own[2][at] = P.q2;
        sums.own[3][at] = P.q3;
        sums.side[2][at] = Q.q2;
        sums.side[3][at] = Q.q3;
      }
    }
  }

  /// out_i = sum over q of a_q[i - 1] (P_q(i) + Q_q(i - 1)) + a_q[i] (P_q(i) + Q_q(i + 1)).
  [[gnu::noinline]] static void add_cells(const double* const (&cells)[4], const BlockOfSums& sums,
                                          Index n, double* out) {
    const double *a0 = cells[0], *a1 = cells[1], *a2 = cells[2], *a3 = cells[3];
    const auto& P = sums.own;
    const auto& Q = sums.side;
#pragma omp simd
    for (Index i = 0; i < n; ++i) {
      double sum = a0[i - 1] * (P[0][i + 1] + Q[0][i]) + a0[i] * (P[0][i + 1] + Q[0][i + 2]);
      if constexpr (D >= 2)
        sum += a1[i - 1] * (P[1][i + 1] + Q[1][i]) + a1[i] * (P[1][i + 1] + Q[1][i + 2]);
      if constexpr (D == 3)
        sum += (a2[i - 1] * (P[2][i + 1] + Q[2][i]) + a2[i] * (P[2][i + 1] + Q[2][i + 2])) +
               (a3[i - 1] * (P[3][i + 1] + Q[3][i]) + a3[i] * (P[3][i + 1] + Q[3][i + 2]));
      out[i] = sum;
    }
  }

  void operator()(Index row) const {
    Index j, k;
    order.locate(row, j, k);
    const Index n = rows.n[0], sy = rows.stride[1], sz = rows.stride[2];
    const RowsAround<D> around(rows, x, zeros, j, k);
    BlockOfSums sums;
    for (Index begin = 0; begin < n; begin += block) {
      const Index end = std::min(begin + block, n), length = end - begin;
      // Place i - begin + 1 belongs to node i; beyond the row there are zeros.
      const Index from = begin > 0 ? 0 : 1, to = end < n ? length + 2 : length + 1;
      add_columns(around, K, begin, from, to, sums);
      for (int q = 0; q < num_cells; ++q) {
        if (from > 0) sums.side[q][0] = 0.0;
        if (to < length + 2) sums.side[q][length + 1] = 0.0;
      }
      const double* const high = a + rows.place(begin, j, k);
      const double* const cells[4] = {D == 3   ? high - sy - sz
                                      : D == 2 ? high - sy
                                               : high,
                                      D == 3 ? high - sz : high, high - sy, high};
      add_cells(cells, sums, length, y + n * (j + rows.n[1] * k) + begin);
    }
  }
};

/// Sums and differences of a column's nodes of one cell.
template <int D>
struct CellColumn {
  double sum, y = 0.0, z = 0.0, yz = 0.0;
  /// v00 at the lower corner, v10 one row up in y, ....
  KOKKOS_FORCEINLINE_FUNCTION static CellColumn of(double v00, double v10 = 0.0, double v01 = 0.0,
                                                   double v11 = 0.0) {
    CellColumn c;
    c.sum = v00;
    if constexpr (D >= 2) {
      c.sum = v00 + v10;
      c.y = v00 - v10;
    }
    if constexpr (D == 3) {
      const double sum = v01 + v11, difference = v01 - v11;
      c.z = c.sum - sum;
      c.yz = c.y - difference;
      c.sum += sum;
      c.y += difference;
    }
    return c;
  }
};

/// w^T K v = sum over m of value[m] (h_m^T w) (h_m^T v): K's eigenvectors h_m are products of sums
/// (bit a of m is 0) and differences (1) along the axes; constants, m = 0, have the value 0.
struct ElementEigenvalues {
  double value[8] = {};
  ElementEigenvalues(const ElementMatrix& K, int dimension) {
    const int n = 1 << dimension;
    for (int m = 0; m < n; ++m) {
      for (int pair = 0; pair < n; ++pair) {
        const int bits = m & pair;
        const bool is_odd = ((bits ^ (bits >> 1) ^ (bits >> 2)) & 1) != 0;
        value[m] += is_odd ? -K.pair[pair] : K.pair[pair];
      }
      value[m] /= n;
    }
  }
};

/// w^T K v on a cell, out of its columns at both ends.
template <int D>
KOKKOS_FORCEINLINE_FUNCTION double cell_product(const ElementEigenvalues& e,
                                                const CellColumn<D>& v0, const CellColumn<D>& v1,
                                                const CellColumn<D>& w0, const CellColumn<D>& w1) {
  double total = e.value[1] * (v0.sum - v1.sum) * (w0.sum - w1.sum);
  if constexpr (D >= 2)
    total +=
        e.value[2] * (v0.y + v1.y) * (w0.y + w1.y) + e.value[3] * (v0.y - v1.y) * (w0.y - w1.y);
  if constexpr (D == 3)
    total +=
        (e.value[4] * (v0.z + v1.z) * (w0.z + w1.z) + e.value[5] * (v0.z - v1.z) * (w0.z - w1.z)) +
        (e.value[6] * (v0.yz + v1.yz) * (w0.yz + w1.yz) +
         e.value[7] * (v0.yz - v1.yz) * (w0.yz - w1.yz));
  return total;
}

/// g_T = w^T K v of cells, in padded arrays at their lower corners.
template <int D>
struct CoefficientGradient {
  ElementEigenvalues e;
  Index sy, sz;
  const double *v, *w;
  double* g;
  KOKKOS_FORCEINLINE_FUNCTION CellColumn<D> column(const double* u, Index c) const {
    if constexpr (D == 1) return CellColumn<D>::of(u[c]);
    if constexpr (D == 2) return CellColumn<D>::of(u[c], u[c + sy]);
    if constexpr (D == 3) return CellColumn<D>::of(u[c], u[c + sy], u[c + sz], u[c + sy + sz]);
  }
  KOKKOS_FUNCTION void operator()(Index place, Index entry) const {
    g[entry] = cell_product<D>(e, column(v, place), column(v, place + 1), column(w, place),
                               column(w, place + 1));
  }
};

/// The same for rows of cells out of vectors as they are, one rank on the host.
template <int D>
struct CoefficientGradientRow {
  /// The rows of a vector's nodes at the corners of a row of cells.
  struct Corners {
    const double* row[1 << (D - 1)];
    Corners(const NodeRows& rows, const double* v, const double* zeros, Index j, Index k) {
      for (int b = 0; b < 1 << (D - 1); ++b) {
        const Index y = j + (b & 1), z = k + (b >> 1);
        const bool is_inside = y >= 0 && y < rows.n[1] && z >= 0 && z < rows.n[2];
        row[b] = is_inside ? v + rows.n[0] * (y + rows.n[1] * z) : zeros;
      }
    }
    CellColumn<D> operator()(Index i) const {
      if constexpr (D == 1) return CellColumn<D>::of(row[0][i]);
      if constexpr (D == 2) return CellColumn<D>::of(row[0][i], row[1][i]);
      if constexpr (D == 3) return CellColumn<D>::of(row[0][i], row[1][i], row[2][i], row[3][i]);
    }
  };
  NodeRows rows;  ///< of inner nodes: one fewer along each axis than cells
  ElementEigenvalues eigenvalues;
  const double *v, *w, *zeros;
  double* g;

  /// Cells between two inner nodes.
  [[gnu::flatten, gnu::noinline]] static void inner_cells(const Corners& of_v, const Corners& of_w,
                                                          const ElementEigenvalues& values, Index n,
                                                          double* out) {
    const Corners v = of_v, w = of_w;
    const ElementEigenvalues e = values;
#pragma omp simd
    for (Index i = 1; i < n; ++i) out[i] = cell_product<D>(e, v(i - 1), v(i), w(i - 1), w(i));
  }
  void operator()(Index row) const {
    const Index n = rows.n[0], cells = D > 1 ? rows.n[1] + 1 : 1, k = row / cells,
                j = row - k * cells;
    // Cell (i, j, k) has node (i - 1, j - 1, k - 1) at its lower corner.
    const Index y = D > 1 ? j - 1 : 0, z = D > 2 ? k - 1 : 0;
    const Corners of_v(rows, v, zeros, y, z), of_w(rows, w, zeros, y, z);
    double* const out = g + row * (n + 1);
    const CellColumn<D> none = {0.0};
    inner_cells(of_v, of_w, eigenvalues, n, out);
    out[0] = cell_product<D>(eigenvalues, none, of_v(0), none, of_w(0));
    out[n] = cell_product<D>(eigenvalues, of_v(n - 1), none, of_w(n - 1), none);
  }
};

}  // namespace libsolve::detail
