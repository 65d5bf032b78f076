/// \file
/// Set-up of the operator-dependent hierarchy ("black box multigrid"): vertex coarsening,
/// interpolation from the matrix, Galerkin coarse operators of 27 points.
///
/// Coarse points are the even indices of every halved axis. Let t be the set of axes in which a
/// fine point is odd, W_t(delta) minus the matrix row summed over the other axes ("collapsed"), and
/// e the sum of the whole row. With paper notation of Alcouffe, Brandt, Dendy and Painter (1981)
/// and Dendy (1982) the value interpolated to it is
///   v = sum over delta != 0 of W_t(delta) v(point + delta) / (sum of W_t(delta) + e),
/// the points on the right being odd in fewer axes: edges first, then faces, then centres. e counts
/// as zero below 1e-6 of the diagonal, so that a constant is interpolated exactly where it is in
/// the null space. Every point then depends on the corners of its coarse cube alone,
///   v(point) = sum over corners a subset of t of weight[t][a] v_coarse(cube + a),
/// 26 weights a cube. The operator is a sum of one symmetric 8x8 matrix for each cube (36 numbers),
/// and so is P^T A P: each coarse matrix is the sum of E <- E + W^T E_fine W over the up to 8 fine
/// cubes inside. The 27-point rows (14 numbers by symmetry) are assembled from them.
#pragma once

#include <vector>

#include "band_solver.hpp"
#include "split_operator.hpp"

namespace multigrid {

/// A grid and which of its axes the next one halves. Axes of one cell are not halved.
struct BoxGrid {
  std::array<int, 3> n{1, 1, 1};
  std::array<bool, 3> halved{false, false, false};

  [[nodiscard]] std::array<int, 3> coarse() const {
    std::array<int, 3> c = n;
    for (int a = 0; a < 3; ++a)
      if (halved[a]) c[a] = (n[a] + 1) / 2;
    return c;
  }
};

/// Subsets of the axes as bits: 1 x, 2 y, 4 z.
namespace box {

inline constexpr int num_weights = 26;
inline constexpr int num_couplings = 13;  // offsets (dx, dy, dz) that come after zero, z first
inline constexpr int num_pairs = 36;

KOKKOS_INLINE_FUNCTION constexpr int bit_count(int s) {
  return (s & 1) + (s >> 1 & 1) + (s >> 2 & 1);
}

/// Position of weight[t][a], a a subset of t, t not empty: t = 1, 2, ... start at 0, 2, 4, 8, 10,
/// 14, 18, and the bits of a that are in t, put together, count from there.
KOKKOS_FORCEINLINE_FUNCTION constexpr int weight_index(int t, int a) {
  const int start = int(0x120E0A0804020000ull >> (8 * t) & 0xFF);
  const int rank = t == 5 ? (a & 1) | (a >> 1 & 2) : a >> (t == 4 ? 2 : t == 2 || t == 6 ? 1 : 0);
  return start + rank;
}
static_assert(weight_index(7, 7) == 25 && weight_index(6, 6) == 17 && weight_index(5, 4) == 12 &&
              weight_index(1, 1) == 1 && weight_index(2, 0) == 2);

/// Position of the entry (a, b) of a symmetric 8x8 matrix.
constexpr int pair_index(int a, int b) {
  const int lo = a < b ? a : b;
  const int hi = a < b ? b : a;
  return hi * (hi + 1) / 2 + lo;
}

/// Position 0..12 of the offset, which comes after zero in the order dz, dy, dx.
KOKKOS_INLINE_FUNCTION constexpr int coupling_index(int dx, int dy, int dz) {
  return (dx + 3 * dy + 9 * dz) - 1;
}

}  // namespace box

/// weight[t][a] of every coarse cube: row (J, K) holds 26 arrays of `stride` numbers over I,
/// stride a multiple of 16, zero behind the last cube.
template <class Real>
struct BoxWeights {
  BoxGrid grid;
  std::ptrdiff_t stride = 0;
  View<Real> values;

  static constexpr int guard = 16;  // numbers before the first row
};

/// The symmetric 27-point operator in rows split into even and odd cells:
///   (A u)_c = diagonal_c u_c - sum over offsets d of coupling_d(c) u_(c + d).
/// Row (j, k) holds 15 arrays of 2 half numbers, the even cells of the row and then the odd ones:
/// diagonal, its inverse (0 where the diagonal is 0), the couplings to the 13 later offsets.
template <class Real>
struct BoxOperator {
  std::array<int, 3> n{1, 1, 1};
  int half = 0;  // a multiple of 16, > ceil(nx / 2); zero behind the last cell
  View<Real> values;

  static constexpr int arrays = 2 + box::num_couplings;
  static constexpr int guard = 16;  // numbers before the first row
};

/// The matrices of the cubes of one grid, while the hierarchy is being built.
template <class Real>
struct BoxElements {
  std::array<int, 3> n{1, 1, 1};
  std::ptrdiff_t stride = 0;  // > nx; row (j, k) holds 36 arrays, zero behind the last cube
  Kokkos::View<Real*, Kokkos::HostSpace> values;
};

template <class Real>
struct BoxCoarse {
  BoxWeights<Real> weights;
  BoxElements<Real> elements;
  BoxOperator<Real> op;
};

/// Axes to halve: those whose couplings, relative to the diagonal and averaged over the cells, are
/// at least `threshold` times the largest. Point smoothing takes care of the others.
template <class From>
std::array<bool, 3> choose_axes(const NaturalOperator<From>& op, double threshold = 0.5);
template <class Real>
std::array<bool, 3> choose_axes(const BoxOperator<Real>& op, double threshold = 0.5);

/// One step of set-up from the 7-point operator of the finest grid and from a 27-point one. Runs on
/// the host. Work about 400 and 2700 multiply-adds for each coarse cube; 36 numbers for each coarse
/// cube are held until the next step is done.
template <class Real>
BoxCoarse<Real> coarsen_box(const SplitOperator<Real>& op, const std::array<bool, 3>& halved);
template <class Real>
BoxCoarse<Real> coarsen_box(const BoxOperator<Real>& op, const BoxElements<Real>& elements,
                            const std::array<bool, 3>& halved);

/// The operator that the matrices of the cubes add up to.
template <class Real>
BoxOperator<Real> assemble(const BoxElements<Real>& elements);

/// What choose_axes() compares: for each axis a sum over cells, so that ranks may add theirs.
template <class From>
std::array<double, 3> axis_strengths(const NaturalOperator<From>& op);
template <class Real>
std::array<double, 3> axis_strengths(const BoxOperator<Real>& op);
/// Axes of more than one cell whose strength is at least `threshold` times the largest.
std::array<bool, 3> strong_axes(const std::array<int, 3>& n, const std::array<double, 3>& strength,
                                double threshold);

/// For the direct solver.
template <class Real>
BandMatrix band_matrix(const BoxOperator<Real>& op);

}  // namespace multigrid
