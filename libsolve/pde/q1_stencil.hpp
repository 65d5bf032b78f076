/// \file
/// Bilinear and trilinear (Q1) elements on uniform grids, as stencils for kernels.
#pragma once

#include <libsolve/pde/node_grid.hpp>

namespace libsolve {

/// Weights of a node's 3^D neighbours that depend on distances only: w[row][|dx|] with
/// row = |dy| + 2 |dz|, the same for both signs. Products of the one-dimensional element matrices
///   m = h/6 (1, 4, 1),   k = 1/h (-1, 2, -1).
struct Q1Weights {
  double w[4][2] = {};
  double centre() const { return w[0][0]; }
};

inline Q1Weights operator+(const Q1Weights& a, const Q1Weights& b) {
  Q1Weights sum;
  for (int r = 0; r < 4; ++r)
    for (int x = 0; x < 2; ++x) sum.w[r][x] = a.w[r][x] + b.w[r][x];
  return sum;
}
inline Q1Weights operator*(double factor, const Q1Weights& a) {
  Q1Weights product;
  for (int r = 0; r < 4; ++r)
    for (int x = 0; x < 2; ++x) product.w[r][x] = factor * a.w[r][x];
  return product;
}

/// int phi_i phi_j.
LIBSOLVE_EXPORT Q1Weights q1_mass(const NodeGrid& grid);
/// int grad phi_i . grad phi_j.
LIBSOLVE_EXPORT Q1Weights q1_stiffness(const NodeGrid& grid);
/// int phi_i on the diagonal: the row sums of the mass matrix.
LIBSOLVE_EXPORT Q1Weights q1_lumped_mass(const NodeGrid& grid);

/// The sums over v that weights multiply: centre[row] over the nodes of the 2^(D-1) rows above and
/// below, beside[row] the same one node to the left and to the right. Two matrices share them.
template <int D, class Real>
struct Q1Sums {
  static constexpr int num_rows = 1 << (D - 1);
  Real centre[num_rows], beside[num_rows];

  KOKKOS_FORCEINLINE_FUNCTION static void rows_at(const Real* v, Index c, Index sy, Index sz,
                                                  Real* sum) {
    sum[0] = v[c];
    if constexpr (D >= 2) sum[1] = v[c - sy] + v[c + sy];
    if constexpr (D >= 3) {
      sum[2] = v[c - sz] + v[c + sz];
      sum[3] = (v[c - sz - sy] + v[c - sz + sy]) + (v[c + sz - sy] + v[c + sz + sy]);
    }
  }
  /// Around place c of a padded array.
  KOKKOS_FORCEINLINE_FUNCTION Q1Sums(const Real* v, Index c, Index sy, Index sz) {
    Real left[num_rows], right[num_rows];
    rows_at(v, c - 1, sy, sz, left);
    rows_at(v, c, sy, sz, centre);
    rows_at(v, c + 1, sy, sz, right);
    for (int r = 0; r < num_rows; ++r) beside[r] = left[r] + right[r];
  }
};

/// A Q1 matrix in a kernel: stencil(v, c) is its row at place c times the padded array v.
template <int D, class Real = double>
struct Q1Stencil {
  Real w[1 << (D - 1)][2];
  Index sy, sz;

  Q1Stencil(const Q1Weights& weights, const NodeRows& rows)
      : sy(rows.stride[1]), sz(rows.stride[2]) {
    for (int r = 0; r < 1 << (D - 1); ++r)
      for (int x = 0; x < 2; ++x) w[r][x] = static_cast<Real>(weights.w[r][x]);
  }
  KOKKOS_FORCEINLINE_FUNCTION Real operator()(const Q1Sums<D, Real>& sums) const {
    Real total = w[0][0] * sums.centre[0] + w[0][1] * sums.beside[0];
    for (int r = 1; r < 1 << (D - 1); ++r)
      total += w[r][0] * sums.centre[r] + w[r][1] * sums.beside[r];
    return total;
  }
  KOKKOS_FORCEINLINE_FUNCTION Real operator()(const Real* v, Index c) const {
    return (*this)(Q1Sums<D, Real>(v, c, sy, sz));
  }
};

}  // namespace libsolve
