/// \file
/// The colour-split storage of a cell-centred level and the arithmetic of one half row.
///
/// A red-black half sweep along a row in natural order touches every other number and wastes half
/// of every vector. Here the red and the black cells of a row lie apart, each contiguous: row
/// (j, k), s = (j + k) mod 2, colour c (0 red: i + j + k even; 1 black) holds at position m the
/// cell
///   i = 2 m + o,   o = c xor s,
/// so that all neighbours of a cell are of the other colour and lie at
///   x: position m (the "inner" neighbour) and m - 1 (o = 0) or m + 1 (o = 1) (the "outer" one),
///   y, z: position m of the rows beside.
/// The two cells of a coarse cell's row are position m of both colours, and m is the coarse index:
/// restriction and prolongation by piecewise constants need no shuffle either. Rows are padded to a
/// multiple of `row_multiple`; padding cells have b = 0, z = 0 and relax to 0.
///
/// Axes of one cell are squeezed out first: 2D grids are (nx, 1, nz), so that z is always the axis
/// of planes, and 1D grids (nx, 1, 1). That does not change the natural order.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstddef>

#include "level.hpp"

namespace multigrid {

inline constexpr int row_multiple = 8;

/// Shape with axes of one cell moved: (nx, ny, nz), (nx, 1, nz) or (nx, 1, 1).
inline Shape squeezed(const Shape& shape) {
  int n[3] = {1, 1, 1};
  int used = 0;
  for (int a = 0; a < 3; ++a)
    if (shape.n[a] > 1) n[used++] = shape.n[a];
  if (used == 2) return {{n[0], 1, n[1]}};
  return {{n[0], n[1], n[2]}};
}

/// For each axis of the squeezed shape the axis of the original one, or -1 where it has one cell.
inline std::array<int, 3> squeezed_axes(const Shape& shape) {
  std::array<int, 3> axis{-1, -1, -1};
  int used = 0;
  for (int a = 0; a < 3; ++a)
    if (shape.n[a] > 1) axis[used++] = a;
  if (used == 2) return {axis[0], -1, axis[1]};
  return axis;
}

/// Everything the kernels need, by value: pointers into views that the level owns.
template <class Real>
struct SplitGrid {
  int nx = 1, ny = 1, nz = 1;
  int half = row_multiple;                  // numbers in a half row, padding included
  std::ptrdiff_t plane = 2 * row_multiple;  // from one plane to the next, even, >= 2 half ny
  Real* z = nullptr;  // plane nz, and at least one readable number before and behind
  Real* b = nullptr;
  const Real* zero = nullptr;  // a half row of zeros, readable one before and behind
  Real omega = 1;              // relaxation factor
  // Constant coefficients: couplings, what the six sides and the shift add to the diagonal.
  Real T[3] = {0, 0, 0};
  Real side[3][2] = {{0, 0}, {0, 0}, {0, 0}};
  Real shift = 0;
  // omega / d by sides, 1 first, 2 last, 3 both: [y side + 4 z side][x side], and for whole half
  // rows [y side + 4 z side][o][m], 0 in the padding; coupling to the outer neighbour [o][m], 0
  // where there is none.
  Real relax[16][4] = {};
  const Real* relax_rows = nullptr;
  const Real* outer_rows = nullptr;
  // Variable coefficients. Faces along x in two arrays with half a row each: between the cells
  // 2 m and 2 m + 1 (inner) and between 2 m - 1 and 2 m (outer, 0 at m = 0). Stored like z: faces
  // towards the next cell along y and z, and the inverse diagonal; its sign bit marks a cell
  // without coarse parent (no residual up, no correction down).
  const Real* fx_inner = nullptr;
  const Real* fx_outer = nullptr;
  const Real* fy = nullptr;
  const Real* fz = nullptr;
  const Real* inverse = nullptr;

  KOKKOS_FORCEINLINE_FUNCTION std::ptrdiff_t offset(int c, int j, int k) const {
    return k * plane + std::ptrdiff_t(2 * j + c) * half;
  }
  KOKKOS_FORCEINLINE_FUNCTION std::ptrdiff_t x_offset(int j, int k) const {
    return k * (plane / 2) + std::ptrdiff_t(j) * half;
  }
  /// Cells (without padding) of a half row whose first cell is i = o.
  KOKKOS_FORCEINLINE_FUNCTION int count(int o) const { return (nx + 1 - o) / 2; }
};

/// The cells of one colour in one row and what surrounds them: constant coefficients.
template <class Real, bool Variable>
struct HalfRow {
  static_assert(!Variable);
  Real* z;
  const Real* b;
  const Real* inner;
  const Real* outer;  // shifted: the outer neighbour of position m is outer[m]
  const Real* ym;     // a row of zeros outside the domain
  const Real* yp;
  const Real* zm;
  const Real* zp;
  Real tx, ty, tz;
  Real d_row;  // diagonal without x
  Real left, right;
  Real omega;
  const Real* weight;  // omega / d by x side
  int side;
  int o, nx;

  KOKKOS_FORCEINLINE_FUNCTION HalfRow(const SplitGrid<Real>& g, int c, int j, int k) {
    o = (c + j + k) & 1;
    nx = g.nx;
    const std::ptrdiff_t row = 2 * std::ptrdiff_t(g.half);
    const std::ptrdiff_t other = g.offset(1 - c, j, k);
    const std::ptrdiff_t own = g.offset(c, j, k);
    z = g.z + own;
    b = g.b + own;
    inner = g.z + other;
    outer = inner + (2 * o - 1);
    tx = g.T[0];
    ty = g.T[1];
    tz = g.T[2];
    ym = j > 0 ? inner - row : g.zero;
    yp = j + 1 < g.ny ? inner + row : g.zero;
    zm = k > 0 ? inner - g.plane : g.zero;
    zp = k + 1 < g.nz ? inner + g.plane : g.zero;
    d_row = g.shift + ((j > 0 ? ty : g.side[1][0]) + (j + 1 < g.ny ? ty : g.side[1][1])) +
            ((k > 0 ? tz : g.side[2][0]) + (k + 1 < g.nz ? tz : g.side[2][1]));
    left = g.side[0][0];
    right = g.side[0][1];
    omega = g.omega;
    side = (j > 0 ? 0 : 1) + (j + 1 < g.ny ? 0 : 2) + (k > 0 ? 0 : 4) + (k + 1 < g.nz ? 0 : 8);
    weight = g.relax[side];
  }

  KOKKOS_FORCEINLINE_FUNCTION Real weight_of(int m) const {
    const int i = 2 * m + o;
    return weight[(i > 0 ? 0 : 1) + (i + 1 < nx ? 0 : 2)];
  }
  KOKKOS_FORCEINLINE_FUNCTION bool has_parent(int) const { return true; }

  /// Any cell: b_c + sum of T_f z_neighbour; d becomes the diagonal.
  KOKKOS_FORCEINLINE_FUNCTION Real sum(int m, Real& d) const {
    const int i = 2 * m + o;
    Real s = b[m] + (ty * (ym[m] + yp[m]) + tz * (zm[m] + zp[m]));
    d = d_row + ((i > 0 ? tx : left) + (i + 1 < nx ? tx : right));
    if (o == 0 ? i + 1 < nx : true) s += tx * inner[m];
    if (o == 0 ? i > 0 : i + 1 < nx) s += tx * outer[m];
    return s;
  }
  /// Any cell: residual as the coarse grid sees it.
  KOKKOS_FORCEINLINE_FUNCTION Real residual(int m) const {
    Real d;
    const Real s = sum(m, d);
    return s - d * z[m];
  }
  /// Any cell: (1 - omega) z + omega (b_c + sum of T_f z_neighbour) / d_c for z as given.
  KOKKOS_FORCEINLINE_FUNCTION Real relaxed(int m, Real old) const {
    Real d;
    const Real s = sum(m, d);
    return (Real(1) - omega) * old + weight_of(m) * s;
  }
  /// The same where all neighbours count as zero.
  KOKKOS_FORCEINLINE_FUNCTION Real relaxed_alone(int m) const { return weight_of(m) * b[m]; }
};

/// Variable coefficients.
template <class Real>
struct HalfRow<Real, true> {
  Real* z;
  const Real* b;
  const Real* inner;
  const Real* outer;
  const Real* ym;
  const Real* yp;
  const Real* zm;
  const Real* zp;
  const Real* t_inner;
  const Real* t_outer;
  const Real* t_ym;
  const Real* t_yp;
  const Real* t_zm;
  const Real* t_zp;
  const Real* inverse;
  Real omega;

  KOKKOS_FORCEINLINE_FUNCTION HalfRow(const SplitGrid<Real>& g, int c, int j, int k) {
    const int o = (c + j + k) & 1;
    const std::ptrdiff_t own = g.offset(c, j, k);
    const std::ptrdiff_t other = g.offset(1 - c, j, k);
    const std::ptrdiff_t row = 2 * std::ptrdiff_t(g.half);
    z = g.z + own;
    b = g.b + own;
    inner = g.z + other;
    outer = inner + (2 * o - 1);
    ym = j > 0 ? inner - row : g.zero;
    yp = j + 1 < g.ny ? inner + row : g.zero;
    zm = k > 0 ? inner - g.plane : g.zero;
    zp = k + 1 < g.nz ? inner + g.plane : g.zero;
    omega = g.omega;
    t_inner = g.fx_inner + g.x_offset(j, k);
    t_outer = g.fx_outer + g.x_offset(j, k) + o;
    t_ym = j > 0 ? g.fy + other - row : g.zero;
    t_yp = g.fy + own;
    t_zm = k > 0 ? g.fz + other - g.plane : g.zero;
    t_zp = g.fz + own;
    inverse = g.inverse + own;
  }

  KOKKOS_FORCEINLINE_FUNCTION bool has_parent(int m) const { return inverse[m] > 0; }
  KOKKOS_FORCEINLINE_FUNCTION Real relaxation(int m) const {
    return omega * (inverse[m] < 0 ? -inverse[m] : inverse[m]);
  }
  /// b_c + sum of T_f z_neighbour. Faces at the ends of the axes are 0, so what lies behind them
  /// may be read.
  KOKKOS_FORCEINLINE_FUNCTION Real sum(int m) const {
    return ((b[m] + t_inner[m] * inner[m]) + t_outer[m] * outer[m]) +
           ((t_ym[m] * ym[m] + t_yp[m] * yp[m]) + (t_zm[m] * zm[m] + t_zp[m] * zp[m]));
  }
  /// Residual as the coarse grid sees it: 0 without parent and in the padding.
  KOKKOS_FORCEINLINE_FUNCTION Real residual(int m) const {
    const bool parent = inverse[m] > 0;
    const Real inv = parent ? inverse[m] : Real(1);
    const Real r = sum(m) - z[m] / inv;
    return parent ? r : Real(0);
  }
  KOKKOS_FORCEINLINE_FUNCTION Real relaxed(int m, Real old) const {
    return (Real(1) - omega) * old + relaxation(m) * sum(m);
  }
  KOKKOS_FORCEINLINE_FUNCTION Real relaxed_alone(int m) const { return relaxation(m) * b[m]; }
};

}  // namespace multigrid
