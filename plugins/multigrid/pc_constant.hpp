/// \file
/// Cell-centred level with piecewise-constant transfers: rows with constant coefficients, on the
/// host.
#pragma once

#include "split_grid.hpp"

namespace multigrid::pc {

/// What a half sweep may take for granted about z.
enum class Old {
  zero_all,  ///< z = 0, own colour and neighbours; not read
  zero_own,  ///< z = 0 on the own colour; not read
  any
};

/// Rows with constant coefficients. What is different at the ends of x comes from tables.
template <class Real, Old old, bool Prolong>
void relax_row_constant(const SplitGrid<Real>& g, int c, int j, int k, const Real* from) {
  const HalfRow<Real, false> h(g, c, j, k);
  const int n = Prolong ? g.count(h.o) : g.half;  // `from` has no padding
  Real* __restrict__ z = h.z;
  const Real* w = g.relax_rows + std::ptrdiff_t(2 * h.side + h.o) * g.half;
  if constexpr (old == Old::zero_all) {
#pragma omp simd
    for (int m = 0; m < n; ++m) z[m] = w[m] * h.b[m];
  } else {
    const Real keep = Real(1) - h.omega;
    const Real* t_outer = g.outer_rows + h.o * g.half;
#pragma omp simd
    for (int m = 0; m < n; ++m) {
      Real s = h.b[m] + h.tx * h.inner[m] + t_outer[m] * h.outer[m];
      s += h.ty * (h.ym[m] + h.yp[m]);
      s += h.tz * (h.zm[m] + h.zp[m]);
      s *= w[m];
      if constexpr (old == Old::any) {
        if constexpr (Prolong)
          s += keep * (z[m] + from[m]);
        else
          s += keep * z[m];
      }
      z[m] = s;
    }
  }
}

/// The coarse row above the fine rows j0 <= j < j1, k0 <= k < k1, x halved: in the sum of the
/// residuals of a coarse cell the faces between its children cancel, what is left is
///   sum b - sum over its outer faces of T (z_inside - z_outside) - sum of (walls + shift) z.
template <class Real>
void restrict_rows_constant(const SplitGrid<Real>& g, int cnx, int j0, int j1, int k0, int k1,
                            Real* __restrict__ acc) {
  const std::ptrdiff_t row = 2 * std::ptrdiff_t(g.half);
  const int n = g.half;
  const int last = cnx - 1;
  bool fresh = true;
  for (int k = k0; k < k1; ++k) {
    for (int j = j0; j < j1; ++j) {
      const int flip = (j + k) & 1;
      const std::ptrdiff_t even = g.offset(flip, j, k);  // colour with o = 0
      const std::ptrdiff_t odd = g.offset(1 - flip, j, k);
      const Real* z0 = g.z + even;
      const Real* z1 = g.z + odd;
      const Real* b0 = g.b + even;
      const Real* b1 = g.b + odd;
      // rows beside that lie outside the coarse cell, both colours; zeros where there is none
      const Real* side[4][2] = {
          {g.zero, g.zero}, {g.zero, g.zero}, {g.zero, g.zero}, {g.zero, g.zero}};
      Real weight = g.shift;
      int num = 0;
      auto neighbour = [&](bool exists, std::ptrdiff_t shift, Real t, Real wall) {
        weight += exists ? t : wall;
        if (!exists) return;
        side[num][0] = z0 + shift;
        side[num][1] = z1 + shift;
        ++num;
      };
      if (j == j0) neighbour(j > 0, -row, g.T[1], g.side[1][0]);
      if (j == j1 - 1) neighbour(j + 1 < g.ny, row, g.T[1], g.side[1][1]);
      const int num_y = num;
      if (k == k0) neighbour(k > 0, -g.plane, g.T[2], g.side[2][0]);
      if (k == k1 - 1) neighbour(k + 1 < g.nz, g.plane, g.T[2], g.side[2][1]);
      const Real t0 = num_y > 0 ? g.T[1] : g.T[2];
      const Real t1 = num_y > 1 ? g.T[1] : g.T[2];
      const Real tx = g.T[0];
      const auto end_lane = [&](int m) {
        const bool two = 2 * m + 1 < g.nx;
        const Real left = m > 0 ? tx * (z0[m] - z1[m - 1]) : g.side[0][0] * z0[m];
        const Real inside = z0[m] + (two ? z1[m] : Real(0));
        const Real right_z = two ? z1[m] : z0[m];
        const Real right = 2 * m + 2 < g.nx ? tx * (right_z - z0[m + 1]) : g.side[0][1] * right_z;
        Real r = b0[m] + (two ? b1[m] : Real(0)) - (left + right) - weight * inside;
        for (int s = 0; s < num; ++s)
          r += (s < num_y ? g.T[1] : g.T[2]) * (side[s][0][m] + side[s][1][m]);
        return r + (fresh ? Real(0) : acc[m]);
      };
      const Real first_value = end_lane(0);
      const Real last_value = end_lane(last);
      const Real w = weight + tx;
      const auto lane = [&](int m) {
        return ((b0[m] + b1[m]) - w * (z0[m] + z1[m])) +
               (tx * (z1[m - 1] + z0[m + 1]) +
                (t0 * (side[0][0][m] + side[0][1][m]) + t1 * (side[1][0][m] + side[1][1][m])));
      };
      if (fresh) {
#pragma omp simd
        for (int m = 0; m < n; ++m) acc[m] = lane(m);
      } else {
#pragma omp simd
        for (int m = 0; m < n; ++m) acc[m] += lane(m);
      }
      for (int s = 2; s < num; ++s) {
        const Real t = s < num_y ? g.T[1] : g.T[2];
#pragma omp simd
        for (int m = 0; m < n; ++m) acc[m] += t * (side[s][0][m] + side[s][1][m]);
      }
      acc[0] = first_value;
      acc[last] = last_value;
      fresh = false;
    }
  }
}

}  // namespace multigrid::pc
