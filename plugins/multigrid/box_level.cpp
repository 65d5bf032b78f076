#include "box_level.hpp"

#include <algorithm>
#include <cstring>
#include <libsolve/linear/detail/wavefront.hpp>
#include <vector>

#include "large_view.hpp"

namespace multigrid {
namespace {

using libsolve::detail::plan_wavefront;
using libsolve::detail::run_wavefront;
using libsolve::detail::WavefrontPlan;

constexpr bool host_accessible =
    Kokkos::SpaceAccessibility<Kokkos::HostSpace, MemSpace>::accessible;
constexpr int guard = 16;

/// body(i) for 0 <= i < n on the threads of the host, or at once where there is little to do.
template <class Body>
void for_host(int n, std::ptrdiff_t work, const Body& body) {
  if (work < 8192 || n == 1) {
    for (int i = 0; i < n; ++i) body(i);
    return;
  }
  using Host = Kokkos::DefaultHostExecutionSpace;
  Kokkos::parallel_for("multigrid::box", Kokkos::RangePolicy<Host>(0, n), body);
}

/// z and b in rows split into even and odd cells: row (j, k) holds the even cells at [0, half), the
/// odd ones at [half, 2 half). What lies behind the last cell is zero and stays so.
template <class Real>
struct SplitRows {
  int nx = 1, ny = 1, nz = 1;
  int half = 16;             // a multiple of 16, so that rows start with a line of the cache
  std::ptrdiff_t plane = 32;  // from one plane to the next
  Real* z = nullptr;
  Real* b = nullptr;
  const Real* zero = nullptr;  // a row of zeros, readable before and behind
  Real omega = 1;

  KOKKOS_FORCEINLINE_FUNCTION std::ptrdiff_t row(int j, int k) const {
    return k * plane + std::ptrdiff_t(2 * j) * half;
  }
  /// Length of the loops over a half row.
  KOKKOS_FORCEINLINE_FUNCTION int count() const { return ((nx + 1) / 2 + 15) & ~15; }
  KOKKOS_FORCEINLINE_FUNCTION bool inside(int j, int k) const {
    return j >= 0 && k >= 0 && j < ny && k < nz;
  }
};

/// The 7-point operator; faces towards the next cell and inverse diagonal stored like z.
template <class Real>
struct SevenPoint : SplitRows<Real> {
  static constexpr int num_colours = 2;
  const Real* fx = nullptr;
  const Real* fy = nullptr;
  const Real* fz = nullptr;
  const Real* inverse = nullptr;

  /// The cells of parity o in row (j, k) and what surrounds them.
  struct Half {
    Real* z;
    const Real *b, *inner, *outer, *ym, *yp, *zm, *zp;
    const Real *t_inner, *t_outer, *t_ym, *t_yp, *t_zm, *t_zp, *inverse;
    Real omega;
    KOKKOS_FORCEINLINE_FUNCTION Half(const SevenPoint& g, int o, int j, int k) {
      const std::ptrdiff_t own = g.row(j, k) + o * g.half;
      const std::ptrdiff_t other = g.row(j, k) + (1 - o) * g.half;
      const std::ptrdiff_t dy = 2 * std::ptrdiff_t(g.half);
      const std::ptrdiff_t dz = g.plane;
      z = g.z + own;
      b = g.b + own;
      inner = g.z + other;
      outer = inner + (2 * o - 1);
      ym = j > 0 ? z - dy : g.zero;
      yp = j + 1 < g.ny ? z + dy : g.zero;
      zm = k > 0 ? z - dz : g.zero;
      zp = k + 1 < g.nz ? z + dz : g.zero;
      t_inner = o == 0 ? g.fx + own : g.fx + other;
      t_outer = o == 0 ? g.fx + other - 1 : g.fx + own;
      t_ym = j > 0 ? g.fy + own - dy : g.zero;
      t_yp = g.fy + own;
      t_zm = k > 0 ? g.fz + own - dz : g.zero;
      t_zp = g.fz + own;
      inverse = g.inverse + own;
      omega = g.omega;
    }
    /// b_c + sum of T_f z_neighbour.
    KOKKOS_FORCEINLINE_FUNCTION Real sum(int m) const {
      return ((b[m] + t_inner[m] * inner[m]) + t_outer[m] * outer[m]) +
             ((t_ym[m] * ym[m] + t_yp[m] * yp[m]) + (t_zm[m] * zm[m] + t_zp[m] * zp[m]));
    }
    KOKKOS_FORCEINLINE_FUNCTION Real residual(int m) const {
      return inverse[m] > 0 ? sum(m) - z[m] / inverse[m] : Real(0);
    }
    KOKKOS_FORCEINLINE_FUNCTION Real relaxed(int m) const {
      return z[m] + omega * (inverse[m] * sum(m) - z[m]);
    }
  };

  KOKKOS_INLINE_FUNCTION bool has_colour(int colour, int i, int j, int k) const {
    return ((i + j + k) & 1) == colour;
  }
  KOKKOS_INLINE_FUNCTION void relax(int i, int j, int k) const {
    const Half h(*this, i & 1, j, k);
    h.z[i / 2] = h.relaxed(i / 2);
  }
  KOKKOS_INLINE_FUNCTION Real residual(int i, int j, int k) const {
    return Half(*this, i & 1, j, k).residual(i / 2);
  }
};

/// The 27-point operator as BoxOperator stores it.
template <class Real>
struct TwentySevenPoint : SplitRows<Real> {
  static constexpr int num_colours = 8;
  const Real* values = nullptr;

  KOKKOS_FORCEINLINE_FUNCTION const Real* array(int q, int j, int k) const {
    return values + ((std::ptrdiff_t(k) * this->ny + j) * BoxOperator<Real>::arrays + q) * 2 * this->half;
  }
  KOKKOS_INLINE_FUNCTION bool has_colour(int colour, int i, int j, int k) const {
    return (i & 1) + 2 * (j & 1) + 4 * (k & 1) == colour;
  }
  KOKKOS_INLINE_FUNCTION Real sum(int i, int j, int k) const {
    const int half = this->half;
    Real s = this->b[this->row(j, k) + (i & 1) * half + i / 2];
    for (int dz = -1; dz <= 1; ++dz)
      for (int dy = -1; dy <= 1; ++dy) {
        if (!this->inside(j + dy, k + dz)) continue;
        for (int dx = -1; dx <= 1; ++dx) {
          if ((dx == 0 && dy == 0 && dz == 0) || i + dx < 0 || i + dx >= this->nx) continue;
          const bool later = dz > 0 || (dz == 0 && (dy > 0 || (dy == 0 && dx > 0)));
          const int there = ((i + dx) & 1) * half + (i + dx) / 2;
          const Real t = later ? array(2 + box::coupling_index(dx, dy, dz), j, k)[(i & 1) * half + i / 2]
                               : array(2 + box::coupling_index(-dx, -dy, -dz), j + dy, k + dz)[there];
          s += t * this->z[this->row(j + dy, k + dz) + there];
        }
      }
    return s;
  }
  KOKKOS_INLINE_FUNCTION void relax(int i, int j, int k) const {
    const int at = (i & 1) * this->half + i / 2;
    Real& z = this->z[this->row(j, k) + at];
    z += this->omega * (array(1, j, k)[at] * sum(i, j, k) - z);
  }
  KOKKOS_INLINE_FUNCTION Real residual(int i, int j, int k) const {
    const int at = (i & 1) * this->half + i / 2;
    return sum(i, j, k) - array(0, j, k)[at] * this->z[this->row(j, k) + at];
  }
};

/// Both grids and the weights between them.
template <class Real>
struct Transfer {
  int cnx = 1, cny = 1, cnz = 1;
  bool x = false, y = false, z = false;
  std::ptrdiff_t stride = 0;
  const Real* weights = nullptr;

  KOKKOS_FORCEINLINE_FUNCTION const Real* weight(int J, int K, int t, int a) const {
    return weights + ((std::ptrdiff_t(K) * cny + J) * box::num_weights + box::weight_index(t, a)) * stride;
  }
  KOKKOS_FORCEINLINE_FUNCTION std::ptrdiff_t coarse_row(int J, int K) const {
    return (std::ptrdiff_t(K) * cny + J) * cnx;
  }
  /// Rows of `stride` numbers, as the weights have; for the host.
  std::ptrdiff_t padded_row(int J, int K) const { return (std::ptrdiff_t(K) * cny + J) * stride; }
  std::ptrdiff_t padded_size() const { return padded_row(0, cnz); }
  /// Axes halved in which the row is odd, as bits y 2, z 4.
  KOKKOS_FORCEINLINE_FUNCTION int row_type(int j, int k) const {
    return (y && (j & 1) ? 2 : 0) + (z && (k & 1) ? 4 : 0);
  }
};

template <class Real>
struct Source {
  const Real* level = nullptr;
  const double* outer = nullptr;
  double scale = 1;
  KOKKOS_FORCEINLINE_FUNCTION Real operator()(std::ptrdiff_t cell) const {
    return outer ? Real(scale * outer[cell]) : level[cell];
  }
};

// --- host rows ------------------------------------------------------------------------------------

template <class Real, class From>
void load_row(const From* __restrict__ from, Real scale, int nx, Real* __restrict__ even,
              Real* __restrict__ odd) {
  const int pairs = nx / 2;
#pragma omp simd
  for (int m = 0; m < pairs; ++m) {
    even[m] = Real(from[2 * m]) * scale;
    odd[m] = Real(from[2 * m + 1]) * scale;
  }
  if (nx & 1) even[pairs] = Real(from[nx - 1]) * scale;
}

/// As above in the precision of the source: what the outer solver hands down may lie far from 1.
template <class Real>
void load_outer_row(const double* __restrict__ from, double scale, int nx, Real* __restrict__ even,
                    Real* __restrict__ odd) {
  const int pairs = nx / 2;
#pragma omp simd
  for (int m = 0; m < pairs; ++m) {
    even[m] = Real(from[2 * m] * scale);
    odd[m] = Real(from[2 * m + 1] * scale);
  }
  if (nx & 1) even[pairs] = Real(from[nx - 1] * scale);
}

template <class Real, class To>
void store_row(const Real* __restrict__ even, const Real* __restrict__ odd, int nx, To scale,
               To* __restrict__ to) {
  const int pairs = nx / 2;
#pragma omp simd
  for (int m = 0; m < pairs; ++m) {
    to[2 * m] = scale * To(even[m]);
    to[2 * m + 1] = scale * To(odd[m]);
  }
  if (nx & 1) to[nx - 1] = scale * To(even[pairs]);
}

template <class Real>
void load(const SplitRows<Real>& g, const Source<Real>& source, int j, int k) {
  const std::ptrdiff_t row = std::ptrdiff_t(k) * g.ny + j;
  Real* even = g.b + g.row(j, k);
  if (source.outer)
    load_outer_row(source.outer + row * g.nx, source.scale, g.nx, even, even + g.half);
  else
    load_row(source.level + row * g.nx, Real(1), g.nx, even, even + g.half);
}

template <class Real>
void relax_half(const SevenPoint<Real>& g, int o, int j, int k) {
  const typename SevenPoint<Real>::Half h(g, o, j, k);
  const int n = g.count();
#pragma omp simd
  for (int m = 0; m < n; ++m) h.z[m] = h.relaxed(m);
}

/// The three neighbours of a cell in one row: couplings of dx = -1, 0, 1 and z of the row's even
/// cells, those of parity o being meant. Own: the couplings are stored with the cell, else with the
/// neighbour.
template <int o, class Real>
struct RowTerms {
  const Real *left, *middle, *right;
  const Real* even;
  int half;

  template <bool own>
  static RowTerms make(const TwentySevenPoint<Real>& g, int j, int k, int dy, int dz) {
    const auto c = [](int x, int y, int z) { return 2 + box::coupling_index(x, y, z); };
    const int jj = j + (own ? dy : -dy);
    const int kk = k + (own ? dz : -dz);
    const int half = g.half;
    if (!g.inside(jj, kk)) return {g.zero, g.zero, g.zero, g.zero, half};
    const Real* z = g.z + g.row(jj, kk);
    if constexpr (own) {
      const int at = o * half;
      return {g.array(c(-1, dy, dz), j, k) + at, g.array(c(0, dy, dz), j, k) + at,
              g.array(c(1, dy, dz), j, k) + at, z, half};
    } else {
      return {g.array(c(1, dy, dz), jj, kk) + (o == 0 ? half - 1 : 0),
              g.array(c(0, dy, dz), jj, kk) + o * half,
              g.array(c(-1, dy, dz), jj, kk) + (o == 0 ? half : 1), z, half};
    }
  }
  KOKKOS_FORCEINLINE_FUNCTION Real operator()(int m) const {
    const Real* odd = even + half;
    if constexpr (o == 0)
      return (left[m] * odd[m - 1] + middle[m] * even[m]) + right[m] * odd[m];
    else
      return (left[m] * even[m] + middle[m] * odd[m]) + right[m] * even[m + 1];
  }
};

/// use(m, b_c + sum of couplings z_neighbour) for the cells of parity o.
template <int o, class Real, class Use>
void for_half(const TwentySevenPoint<Real>& g, int j, int k, const Use& use) {
  const int half = g.half;
  const int n = g.count();
  const std::ptrdiff_t here = g.row(j, k);
  const Real* b = g.b + here + o * half;
  const Real* even = g.z + here;
  const Real* odd = even + half;
  const Real* t = g.array(2, j, k);
  using Terms = RowTerms<o, Real>;
  const Terms t0 = Terms::template make<true>(g, j, k, 1, 0);
  const Terms t1 = Terms::template make<false>(g, j, k, 1, 0);
  const Terms t2 = Terms::template make<true>(g, j, k, -1, 1);
  const Terms t3 = Terms::template make<false>(g, j, k, -1, 1);
  const Terms t4 = Terms::template make<true>(g, j, k, 0, 1);
  const Terms t5 = Terms::template make<false>(g, j, k, 0, 1);
  const Terms t6 = Terms::template make<true>(g, j, k, 1, 1);
  const Terms t7 = Terms::template make<false>(g, j, k, 1, 1);
#pragma omp simd
  for (int m = 0; m < n; ++m) {
    Real s = b[m];
    if constexpr (o == 0)
      s += t[half + m - 1] * odd[m - 1] + t[m] * odd[m];
    else
      s += t[m] * even[m] + t[half + m] * even[m + 1];
    s += (t0(m) + t1(m)) + (t2(m) + t3(m));
    s += (t4(m) + t5(m)) + (t6(m) + t7(m));
    use(m, s);
  }
}

template <int o, class Real>
void relax_half(const TwentySevenPoint<Real>& g, int j, int k) {
  Real* z = g.z + g.row(j, k) + o * g.half;
  const Real* inverse = g.array(1, j, k) + o * g.half;
  const Real omega = g.omega;
  for_half<o>(g, j, k, [=](int m, Real s) { z[m] += omega * (inverse[m] * s - z[m]); });
}

template <class Real>
void relax_half(const TwentySevenPoint<Real>& g, int o, int j, int k) {
  if (o == 0)
    relax_half<0>(g, j, k);
  else
    relax_half<1>(g, j, k);
}

template <class Real>
void residual_half(const SevenPoint<Real>& g, int o, int j, int k, Real* __restrict__ to) {
  const typename SevenPoint<Real>::Half h(g, o, j, k);
  const int n = g.count();
#pragma omp simd
  for (int m = 0; m < n; ++m) to[m] = h.residual(m);
}

template <int o, class Real>
void residual_half(const TwentySevenPoint<Real>& g, int j, int k, Real* __restrict__ to) {
  const Real* z = g.z + g.row(j, k) + o * g.half;
  const Real* diagonal = g.array(0, j, k) + o * g.half;
  for_half<o>(g, j, k, [=](int m, Real s) { to[m] = s - diagonal[m] * z[m]; });
}

template <class Real>
void residual_half(const TwentySevenPoint<Real>& g, int o, int j, int k, Real* __restrict__ to) {
  if (o == 0)
    residual_half<0>(g, j, k, to);
  else
    residual_half<1>(g, j, k, to);
}

/// Numbers of scratch that restrict_cubes needs: the residual of even and odd cells and guards.
template <class Real>
std::size_t scratch_size(const SplitRows<Real>& g) {
  return 2 * std::size_t(g.half) + 3 * guard;
}

/// Adds what the fine rows of cube row (J, K) give to the coarse rows at its corners: those in plane
/// K to lower, those in plane K + 1 to plane K of upper; both in rows of t.stride numbers.
template <class Real, class Op>
void restrict_cubes(const Op& g, const Transfer<Real>& t, int J, int K, Real* __restrict__ scratch,
                    Real* lower, Real* upper) {
  Real* even = scratch + guard;
  Real* odd = even + g.half + guard;
  odd[-1] = 0;
  const int n = t.x ? g.count() : 0;
  for (int dk = 0; dk < (t.z ? 2 : 1); ++dk)
    for (int dj = 0; dj < (t.y ? 2 : 1); ++dj) {
      const int j = t.y ? 2 * J + dj : J;
      const int k = t.z ? 2 * K + dk : K;
      if (j >= g.ny || k >= g.nz) continue;
      residual_half(g, 0, j, k, even);
      residual_half(g, 1, j, k, odd);
      const int type = 2 * dj + 4 * dk;
      for (int corner = 0; corner < 8; corner += 2) {
        if ((corner & ~type) || J + (corner >> 1 & 1) >= t.cny || K + (corner >> 2) >= t.cnz) continue;
        Real* __restrict__ to =
            (corner & 4 ? upper : lower) + t.padded_row(J + (corner >> 1 & 1), K);
        const Real* we = type ? t.weight(J, K, type, corner) : nullptr;
        if (!t.x) {
          for (int i = 0; i < t.cnx; ++i)
            to[i] += (we ? we[i] : Real(1)) * (i & 1 ? odd[i / 2] : even[i / 2]);
          continue;
        }
        const Real* w0 = t.weight(J, K, type | 1, corner);
        const Real* w1 = t.weight(J, K, type | 1, corner | 1) - 1;  // [-1] meets odd[-1] = 0
        const Real* before = odd - 1;
        if (we) {
#pragma omp simd
          for (int m = 0; m < n; ++m)
            to[m] += we[m] * even[m] + (w0[m] * odd[m] + w1[m] * before[m]);
        } else {
#pragma omp simd
          for (int m = 0; m < n; ++m) to[m] += even[m] + (w0[m] * odd[m] + w1[m] * before[m]);
        }
      }
    }
}

/// Adds the correction to a row; `coarse` in rows of t.stride numbers, zero behind the last cell.
template <int rows, class Real>
void prolong_row(const SplitRows<Real>& g, const Transfer<Real>& t, const Real* coarse, int j, int k) {
  const int type = t.row_type(j, k);
  const int J = t.y ? j / 2 : j;
  const int K = t.z ? k / 2 : k;
  const Real *c[rows] = {}, *we[rows] = {}, *w0[rows] = {}, *w1[rows] = {};
  int r = 0;
  for (int corner = 0; corner < 8; corner += 2) {
    if (corner & ~type) continue;
    const int dj = J + (corner >> 1 & 1) < t.cny ? corner >> 1 & 1 : 0;  // its weight is zero
    const int dk = K + (corner >> 2) < t.cnz ? corner >> 2 : 0;
    c[r] = coarse + t.padded_row(J + dj, K + dk);
    we[r] = type ? t.weight(J, K, type, corner) : nullptr;
    w0[r] = t.weight(J, K, type | 1, corner);
    w1[r++] = t.weight(J, K, type | 1, corner | 1);
  }
  Real* even = g.z + g.row(j, k);
  Real* odd = even + g.half;
  if (!t.x) {
    for (int i = 0; i < t.cnx; ++i) {
      Real v = 0;
      for (int q = 0; q < rows; ++q) v += (rows == 1 ? Real(1) : we[q][i]) * c[q][i];
      (i & 1 ? odd : even)[i / 2] += v;
    }
    return;
  }
  const int n = g.count();
#pragma omp simd
  for (int m = 0; m < n; ++m) {
    Real e = 0, o = 0;
    for (int q = 0; q < rows; ++q) {
      e += (rows == 1 ? Real(1) : we[q][m]) * c[q][m];
      o += w0[q][m] * c[q][m] + w1[q][m] * c[q][m + 1];
    }
    even[m] += e;
    odd[m] += o;
  }
}

template <class Real>
void prolong_row(const SplitRows<Real>& g, const Transfer<Real>& t, const Real* coarse, int j, int k) {
  switch (box::bit_count(t.row_type(j, k))) {
    case 0: return prolong_row<1>(g, t, coarse, j, k);
    case 1: return prolong_row<2>(g, t, coarse, j, k);
    default: return prolong_row<4>(g, t, coarse, j, k);
  }
}

// --- device kernels: one cell a thread ------------------------------------------------------------

template <class Real>
struct LoadCell {
  SplitRows<Real> g;
  Source<Real> source;
  bool clear;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t cell) const {
    const int i = int(cell % g.nx);
    const std::ptrdiff_t to = g.row(int(cell / g.nx % g.ny), int(cell / g.nx / g.ny)) +
                              (i & 1) * g.half + i / 2;
    g.b[to] = source(cell);
    if (clear) g.z[to] = 0;
  }
};

template <class Op>
struct RelaxCell {
  Op g;
  int colour;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t cell) const {
    const int i = int(cell % g.nx);
    const int j = int(cell / g.nx % g.ny);
    const int k = int(cell / g.nx / g.ny);
    if (g.has_colour(colour, i, j, k)) g.relax(i, j, k);
  }
};

template <class Real, class Op>
struct ResidualCell {
  Op g;
  Real* r;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t cell) const {
    r[cell] = g.residual(int(cell % g.nx), int(cell / g.nx % g.ny), int(cell / g.nx / g.ny));
  }
};

template <class Real>
struct RestrictCell {
  Transfer<Real> t;
  int nx, ny, nz;
  const Real* r;
  Real* coarse;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t index) const {
    const int I = int(index % t.cnx);
    const int J = int(index / t.cnx % t.cny);
    const int K = int(index / t.cnx / t.cny);
    const int mask = (t.x ? 1 : 0) + (t.y ? 2 : 0) + (t.z ? 4 : 0);
    Real s = 0;
    for (int type = 0; type < 8; ++type) {
      if (type & ~mask) continue;
      for (int corner = 0; corner < 8; ++corner) {
        if (corner & ~type) continue;
        const int ci = I - (corner & 1), cj = J - (corner >> 1 & 1), ck = K - (corner >> 2);
        if (ci < 0 || cj < 0 || ck < 0) continue;
        const int i = (t.x ? 2 * ci : ci) + (type & 1);
        const int j = (t.y ? 2 * cj : cj) + (type >> 1 & 1);
        const int k = (t.z ? 2 * ck : ck) + (type >> 2);
        if (i >= nx || j >= ny || k >= nz) continue;
        s += (type ? t.weight(cj, ck, type, corner)[ci] : Real(1)) *
             r[(std::ptrdiff_t(k) * ny + j) * nx + i];
      }
    }
    coarse[index] = s;
  }
};

template <class Real>
struct ProlongCell {
  SplitRows<Real> g;
  Transfer<Real> t;
  const Real* coarse;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t cell) const {
    const int i = int(cell % g.nx);
    const int j = int(cell / g.nx % g.ny);
    const int k = int(cell / g.nx / g.ny);
    const int I = t.x ? i / 2 : i, J = t.y ? j / 2 : j, K = t.z ? k / 2 : k;
    const int type = (t.x && (i & 1) ? 1 : 0) + t.row_type(j, k);
    Real v = 0;
    for (int corner = 0; corner < 8; ++corner) {
      if (corner & ~type) continue;
      const int ci = I + (corner & 1), cj = J + (corner >> 1 & 1), ck = K + (corner >> 2);
      if (ci >= t.cnx || cj >= t.cny || ck >= t.cnz) continue;
      v += (type ? t.weight(J, K, type, corner)[I] : Real(1)) * coarse[t.coarse_row(cj, ck) + ci];
    }
    g.z[g.row(j, k) + (i & 1) * g.half + i / 2] += v;
  }
};

template <class Real>
struct PublishCell {
  SplitRows<Real> g;
  Real* level;
  double* outer;
  double scale;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t cell) const {
    const int i = int(cell % g.nx);
    const Real z = g.z[g.row(int(cell / g.nx % g.ny), int(cell / g.nx / g.ny)) +
                       (i & 1) * g.half + i / 2];
    if (outer)
      outer[cell] = scale * double(z);
    else
      level[cell] = z;
  }
};

struct DotCell {
  const double* z;
  const double* rhs;
  const double* other;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t i, double& a, double& b) const {
    a += z[i] * rhs[i];
    if (other) b += z[i] * other[i];
  }
};

template <class Real>
struct SplitCoefficients {
  SplitRows<Real> g;
  Real *fx, *fy, *fz, *inverse;
  const Real *face_x, *face_y, *face_z, *wall, *mass;  // natural order; null where absent
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t row) const {
    const int j = int(row % g.ny);
    const int k = int(row / g.ny);
    const std::ptrdiff_t plane = std::ptrdiff_t(g.nx) * g.ny;
    for (int o = 0; o < 2; ++o)
      for (int i = o; i < g.nx; i += 2) {
        const std::ptrdiff_t cell = row * g.nx + i;
        const std::ptrdiff_t to = g.row(j, k) + o * g.half + i / 2;
        const Real xp = i + 1 < g.nx ? face_x[cell] : Real(0);
        const Real yp = j + 1 < g.ny ? face_y[cell] : Real(0);
        const Real zp = k + 1 < g.nz ? face_z[cell] : Real(0);
        const Real xm = i > 0 ? face_x[cell - 1] : Real(0);
        const Real ym = j > 0 ? face_y[cell - g.nx] : Real(0);
        const Real zm = k > 0 ? face_z[cell - plane] : Real(0);
        fx[to] = xp;
        fy[to] = yp;
        fz[to] = zp;
        const Real d = (((xm + xp) + (ym + yp)) + (zm + zp)) +
                       ((wall ? wall[cell] : Real(0)) + (mass ? mass[cell] : Real(0)));
        inverse[to] = d > 0 ? Real(1) / d : Real(0);
      }
  }
};

template <class Kernel>
void for_cells(const char* label, std::ptrdiff_t n, const Kernel& kernel) {
  Kokkos::parallel_for(
      label, Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<std::ptrdiff_t>>(0, n), kernel);
}

// --- the levels -----------------------------------------------------------------------------------

template <class Real, class Op>
class BoxLevel final : public Level<Real> {
 public:
  BoxLevel(const LevelOperator<Real>& op, const BoxWeights<Real>& weights,
           const BoxSmoothing& smoothing);
  BoxLevel(const BoxOperator<Real>& op, const BoxWeights<Real>& weights,
           const BoxSmoothing& smoothing);

  Shape shape() const override { return {{g_.nx, g_.ny, g_.nz}}; }
  Shape coarse_shape() const override { return {{t_.cnx, t_.cny, t_.cnz}}; }
  std::size_t bytes() const override { return bytes_; }
  void descend(const Rhs<Real>& rhs, Start start, const View<Real>& coarse_rhs) override {
    const Source<Real> source{rhs.level.data(), rhs.outer.data(), rhs.scale};
    if constexpr (host_accessible)
      descend_host(source, start, coarse_rhs.data());
    else
      descend_device(source, start, coarse_rhs.data());
  }
  void ascend(const Rhs<Real>& rhs, const ConstView<Real>& coarse_z, Result<Real>& result) override {
    const Source<Real> source{rhs.level.data(), rhs.outer.data(), rhs.scale};
    if constexpr (host_accessible)
      ascend_host(source, coarse_z.data(), result);
    else
      ascend_device(source, coarse_z.data(), result);
  }

 private:
  static constexpr bool finest = Op::num_colours == 2;
  static constexpr int stages_a_sweep = finest ? 2 : 4;

  void prepare(const std::array<int, 3>& n, int half, const BoxWeights<Real>& weights);
  View<Real> allocate(const char* label, std::size_t n) {
    bytes_ += n * sizeof(Real);
    return large_zeros<Real, MemSpace>(label, n);
  }
  [[nodiscard]] std::ptrdiff_t cells() const { return std::ptrdiff_t(g_.nx) * g_.ny * g_.nz; }
  [[nodiscard]] int colour_of(int half_sweep, bool post) const {
    const int c = half_sweep % Op::num_colours;
    return post && smoothing_.symmetric ? Op::num_colours - 1 - c : c;
  }
  WavefrontPlan plan(int stages) const;
  void publish_row(Result<Real>& result, int j, int k);
  void descend_host(const Source<Real>& source, Start start, Real* coarse);
  void ascend_host(const Source<Real>& source, const Real* coarse, Result<Real>& result);
  void descend_device(const Source<Real>& source, Start start, Real* coarse);
  void ascend_device(const Source<Real>& source, const Real* coarse, Result<Real>& result);

  BoxSmoothing smoothing_;
  Op g_;
  Transfer<Real> t_;
  std::size_t bytes_ = 0;
  View<Real> z_, b_, zero_, coefficients_, weights_, padded_, residual_;
  Kokkos::View<double*, Kokkos::HostSpace> row_dots_;
};

template <class Real, class Op>
void BoxLevel<Real, Op>::prepare(const std::array<int, 3>& n, int half,
                                 const BoxWeights<Real>& weights) {
  g_.nx = n[0];
  g_.ny = n[1];
  g_.nz = n[2];
  g_.half = half;
  g_.omega = Real(smoothing_.omega);
  g_.plane = finest ? plane_stride(std::ptrdiff_t(2) * half * n[1], sizeof(Real))
                    : std::ptrdiff_t(2) * half * n[1];
  const std::size_t total = std::size_t(g_.plane) * n[2] + 2 * guard;
  z_ = allocate("multigrid::z", total);
  b_ = allocate("multigrid::b", total);
  zero_ = allocate("multigrid::zero", 2 * half + 2 * guard);
  g_.z = z_.data() + guard;
  g_.b = b_.data() + guard;
  g_.zero = zero_.data() + guard;
  const auto cn = weights.grid.coarse();
  const auto& h = weights.grid.halved;
  weights_ = weights.values;
  bytes_ += weights_.size() * sizeof(Real);
  t_ = {cn[0], cn[1], cn[2], h[0], h[1], h[2], weights.stride, weights_.data() + BoxWeights<Real>::guard};
  if (host_accessible)
    padded_ = allocate("multigrid::padded", 2 * (t_.padded_size() + guard));
  else
    residual_ = allocate("multigrid::residual", std::size_t(cells()));
}

template <class Real, class Op>
BoxLevel<Real, Op>::BoxLevel(const LevelOperator<Real>& op, const BoxWeights<Real>& weights,
                             const BoxSmoothing& smoothing)
    : smoothing_(smoothing) {
  if constexpr (finest) {
    const auto& n = op.shape.n;
    prepare(n, ((n[0] + 1) / 2 / 16 + 1) * 16, weights);  // something behind the last cell
    const std::ptrdiff_t total = g_.plane * n[2] + guard;
    coefficients_ = allocate("multigrid::coefficients", std::size_t(4 * total + guard));
    Real* at = coefficients_.data() + guard;
    SplitCoefficients<Real> split{g_,
                                  at,
                                  at + total,
                                  at + 2 * total,
                                  at + 3 * total,
                                  op.face[0].data(),
                                  op.face[1].data(),
                                  op.face[2].data(),
                                  op.wall.data(),
                                  op.mass.data()};
    for_cells("multigrid::split_coefficients", std::ptrdiff_t(n[1]) * n[2], split);
    g_.fx = split.fx;
    g_.fy = split.fy;
    g_.fz = split.fz;
    g_.inverse = split.inverse;
  }
}

template <class Real, class Op>
BoxLevel<Real, Op>::BoxLevel(const BoxOperator<Real>& op, const BoxWeights<Real>& weights,
                             const BoxSmoothing& smoothing)
    : smoothing_(smoothing) {
  if constexpr (!finest) {
    prepare(op.n, op.half, weights);
    coefficients_ = op.values;
    bytes_ += coefficients_.size() * sizeof(Real);
    g_.values = coefficients_.data() + BoxOperator<Real>::guard;
  }
}

template <class Real, class Op>
WavefrontPlan BoxLevel<Real, Op>::plan(int stages) const {
  // (stages + 2) planes of a tile, with coefficients, within half of a 1 MiB L2
  const double row_bytes = 2.0 * g_.half * sizeof(Real) * (finest ? 6 : 17);
  const int tile = std::max(16, int(0.5 * (1 << 20) / (row_bytes * (stages + 2))));
  return plan_wavefront(g_.ny, g_.nz, stages, tile, Kokkos::DefaultHostExecutionSpace().concurrency());
}

/// Stage s of the sweeps on a row. Finest: half sweeps of red and black cells. Else the four colours
/// of y and z, the even and the odd cells of a row one after the other.
template <class Real>
void relax_stage(const SevenPoint<Real>& g, int s, bool back, int j, int k) {
  relax_half(g, ((s & 1) + (back ? 1 : 0) + j + k) & 1, j, k);
}
template <class Real>
void relax_stage(const TwentySevenPoint<Real>& g, int s, bool back, int j, int k) {
  if (((j & 1) + 2 * (k & 1)) != (back ? 3 - s % 4 : s % 4)) return;
  relax_half(g, back ? 1 : 0, j, k);
  relax_half(g, back ? 0 : 1, j, k);
}

template <class Real, class Op>
void BoxLevel<Real, Op>::descend_host(const Source<Real>& source, Start start, Real* coarse) {
  const Op g = g_;
  const Transfer<Real> t = t_;
  const std::ptrdiff_t size = t.padded_size() + guard;
  Real* lower = padded_.data();
  Real* upper = lower + size;
  std::fill(lower, upper + size, Real(0));
  const bool from_zero = start == Start::zero;
  const auto begin_row = [=](int j, int k) {
    load(g, source, j, k);
    Real* z = g.z + g.row(j, k);
    std::fill(z, z + 2 * g.half, Real(0));
  };
  const int sweeps = stages_a_sweep * smoothing_.pre_sweeps;
  const WavefrontPlan wave = plan(sweeps + 2);
  const std::size_t length = scratch_size(g);
  std::vector<Real> scratch(2 * wave.slabs * length);
  run_wavefront(wave, [&](int worker, int s, int j, int k) {
    if (s == 0) {
      if (from_zero) begin_row(j, k);
      return;
    }
    if (s <= sweeps) return relax_stage(g, s - 1, false, j, k);
    // residual and restriction, at the last fine row of each cube row
    if (t.z && !(k & 1) && k + 1 < g.nz) return;
    if (t.y && !(j & 1) && j + 1 < g.ny) return;
    restrict_cubes(g, t, t.y ? j / 2 : j, t.z ? k / 2 : k, scratch.data() + worker * length, lower,
                   upper);
  });
  for_host(t.cnz, cells() / 8, [=](int K) {
    for (int J = 0; J < t.cny; ++J) {
      const Real* here = lower + t.padded_row(J, K);
      const Real* below = t.z && K > 0 ? upper + t.padded_row(J, K - 1) : nullptr;
      Real* to = coarse + t.coarse_row(J, K);
      if (below) {
#pragma omp simd
        for (int m = 0; m < t.cnx; ++m) to[m] = here[m] + below[m];
      } else {
        std::copy(here, here + t.cnx, to);
      }
    }
  });
}

template <class Real, class Op>
void BoxLevel<Real, Op>::publish_row(Result<Real>& result, int j, int k) {
  const std::ptrdiff_t row = std::ptrdiff_t(k) * g_.ny + j;
  const Real* even = g_.z + g_.row(j, k);
  if (!result.is_outer()) {
    store_row(even, even + g_.half, g_.nx, Real(1), result.level.data() + row * g_.nx);
    return;
  }
  double* to = result.outer.data() + row * g_.nx;
  store_row(even, even + g_.half, g_.nx, result.scale, to);
  // the right-hand side from the level's own copy, already in the cache
  const Real* b = g_.b + g_.row(j, k);
  double with_rhs = 0, with_other = 0;
#pragma omp simd reduction(+ : with_rhs)
  for (int m = 0; m < 2 * g_.half; ++m) with_rhs += double(b[m]) * double(even[m]);
  if (result.other.data()) {
    const double* q = result.other.data() + row * g_.nx;
#pragma omp simd reduction(+ : with_other)
    for (int i = 0; i < g_.nx; ++i) with_other += to[i] * q[i];
  }
  row_dots_(2 * row) = with_rhs;
  row_dots_(2 * row + 1) = with_other;
}

template <class Real, class Op>
void BoxLevel<Real, Op>::ascend_host(const Source<Real>& source, const Real* coarse,
                                     Result<Real>& result) {
  const Op g = g_;
  const Transfer<Real> t = t_;
  const std::ptrdiff_t rows = std::ptrdiff_t(g.ny) * g.nz;
  if (result.is_outer() && row_dots_.extent(0) == 0)
    row_dots_ = Kokkos::View<double*, Kokkos::HostSpace>("multigrid::row_dots", 2 * rows);
  Real* padded = padded_.data();
  for_host(t.cnz, cells() / 8, [=](int K) {
    for (int J = 0; J < t.cny; ++J) {
      const Real* from = coarse + t.coarse_row(J, K);
      Real* to = padded + t.padded_row(J, K);
      std::copy(from, from + t.cnx, to);
      std::fill(to + t.cnx, to + t.stride, Real(0));
    }
  });
  const int sweeps = stages_a_sweep * smoothing_.post_sweeps;
  const bool back = smoothing_.symmetric;
  run_wavefront(plan(sweeps + 1), [&](int, int s, int j, int k) {
    if (s == 0)
      prolong_row(g, t, padded, j, k);
    else
      relax_stage(g, s - 1, back, j, k);
    if (s == sweeps) publish_row(result, j, k);
  });
  if (!result.is_outer()) return;
  double a = 0, b = 0;
#pragma omp simd reduction(+ : a, b)
  for (std::ptrdiff_t row = 0; row < rows; ++row) {
    a += row_dots_.data()[2 * row];
    b += row_dots_.data()[2 * row + 1];
  }
  result.dot_rhs = a * (result.scale / source.scale);
  result.dot_other = b;
}

template <class Real, class Op>
void BoxLevel<Real, Op>::descend_device(const Source<Real>& source, Start start, Real* coarse) {
  if (start == Start::zero)
    for_cells("multigrid::box_load", cells(), LoadCell<Real>{g_, source, true});
  for (int s = 0; s < Op::num_colours * smoothing_.pre_sweeps; ++s)
    for_cells("multigrid::box_relax", cells(), RelaxCell<Op>{g_, colour_of(s, false)});
  for_cells("multigrid::box_residual", cells(), ResidualCell<Real, Op>{g_, residual_.data()});
  for_cells("multigrid::box_restrict", std::ptrdiff_t(t_.cnx) * t_.cny * t_.cnz,
            RestrictCell<Real>{t_, g_.nx, g_.ny, g_.nz, residual_.data(), coarse});
}

template <class Real, class Op>
void BoxLevel<Real, Op>::ascend_device(const Source<Real>& source, const Real* coarse,
                                       Result<Real>& result) {
  for_cells("multigrid::box_prolong", cells(), ProlongCell<Real>{g_, t_, coarse});
  for (int s = 0; s < Op::num_colours * smoothing_.post_sweeps; ++s)
    for_cells("multigrid::box_relax", cells(), RelaxCell<Op>{g_, colour_of(s, true)});
  for_cells("multigrid::box_publish", cells(),
            PublishCell<Real>{g_, result.level.data(), result.outer.data(), result.scale});
  if (!result.is_outer()) return;
  Kokkos::parallel_reduce(
      "multigrid::box_dots",
      Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<std::ptrdiff_t>>(0, cells()),
      DotCell{result.outer.data(), source.outer, result.other.data()}, result.dot_rhs,
      result.dot_other);
}

}  // namespace

template <class Real>
std::unique_ptr<Level<Real>> make_box_fine_level(const LevelOperator<Real>& op,
                                                 const BoxWeights<Real>& weights,
                                                 const BoxSmoothing& smoothing) {
  return std::make_unique<BoxLevel<Real, SevenPoint<Real>>>(op, weights, smoothing);
}

template <class Real>
std::unique_ptr<Level<Real>> make_box_level(const BoxOperator<Real>& op,
                                            const BoxWeights<Real>& weights,
                                            const BoxSmoothing& smoothing) {
  return std::make_unique<BoxLevel<Real, TwentySevenPoint<Real>>>(op, weights, smoothing);
}

#define MULTIGRID_INSTANTIATE(Real)                                                             \
  template std::unique_ptr<Level<Real>> make_box_fine_level(                                    \
      const LevelOperator<Real>&, const BoxWeights<Real>&, const BoxSmoothing&);                \
  template std::unique_ptr<Level<Real>> make_box_level(                                         \
      const BoxOperator<Real>&, const BoxWeights<Real>&, const BoxSmoothing&);
MULTIGRID_INSTANTIATE(float)
MULTIGRID_INSTANTIATE(double)

}  // namespace multigrid
