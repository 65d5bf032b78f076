/// \file
/// Storage and kernels of a level whose rows are split into even and odd cells.
#pragma once

#include <algorithm>
#include <cstddef>
#include <libsolve/core/row_kernels.hpp>

#include "box_operator.hpp"
#include "level.hpp"

namespace multigrid {

inline constexpr bool levels_on_host =
    Kokkos::SpaceAccessibility<Kokkos::HostSpace, MemSpace>::accessible;
inline constexpr int row_guard = 16;  // numbers before the first row and behind the last

/// Threads of the host. Asked once: Kokkos allocates to answer.
inline int host_threads() {
  return libsolve::concurrency_of(libsolve::default_space<Kokkos::DefaultHostExecutionSpace>());
}

/// body(i) for 0 <= i < n on the threads of the host, or at once where there is little to do.
/// work: cells in all, of the finer grid where there are two.
template <class Body>
void for_host(int n, std::ptrdiff_t work, const Body& body) {
  if (work < 8192 || n == 1) {
    for (int i = 0; i < n; ++i) body(i);
    return;
  }
  Kokkos::parallel_for(libsolve::kernel_label("multigrid::rows"),
                       libsolve::range_policy<Kokkos::DefaultHostExecutionSpace>(n), body);
}

/// Numbers of scratch that the residual of a row needs, with guards.
template <class Rows>
std::size_t scratch_size(const Rows& g) {
  return 2 * std::size_t(g.half) + 3 * row_guard;
}

/// z and b in rows split into even and odd cells: row (j, k) holds the even cells at [0, half), the
/// odd ones at [half, 2 half). What lies behind the last cell is zero and stays so.
template <class Real>
struct SplitRows {
  int nx = 1, ny = 1, nz = 1;
  int half = 16;              // a multiple of 16, so that rows start with a line of the cache
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

template <class Real>
struct Source {
  const Real* level = nullptr;
  const double* outer = nullptr;
  double scale = 1;
  KOKKOS_FORCEINLINE_FUNCTION Real operator()(std::ptrdiff_t cell) const {
    return outer ? Real(scale * outer[cell]) : level[cell];
  }
};

// --- host rows
// ------------------------------------------------------------------------------------

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

/// Asks for the lines of [from, from + n), to read (0) or to write (1) them.
template <int write = 0, class Real>
void prefetch(const Real* from, std::ptrdiff_t n) {
#if defined(__GNUC__)
  constexpr std::ptrdiff_t line = 64 / sizeof(Real);
  for (std::ptrdiff_t i = 0; i < n; i += line) __builtin_prefetch(from + i, write, 2);
#else
  (void)from, (void)n;
#endif
}

/// Asks for the coefficients of a row, so that the sweeps, which come to it a plane later, do not
/// wait: rows are too short for the hardware's own prefetching.
template <class Real>
void prefetch_coefficients(const SevenPoint<Real>& g, int j, int k) {
  const std::ptrdiff_t row = g.row(j, k);
  const Real* const coefficients[] = {g.fx, g.fy, g.fz, g.inverse};
  for (int q = 0; q < 4; ++q) prefetch(coefficients[q] + row, 2 * g.half);
}

template <class Real>
void relax_half(const SevenPoint<Real>& g, int o, int j, int k) {
  const typename SevenPoint<Real>::Half h(g, o, j, k);
  const int n = g.count();
#pragma omp simd
  for (int m = 0; m < n; ++m) h.z[m] = h.relaxed(m);
}

template <class Real>
void residual_half(const SevenPoint<Real>& g, int o, int j, int k, Real* __restrict__ to) {
  const typename SevenPoint<Real>::Half h(g, o, j, k);
  const int n = g.count();
#pragma omp simd
  for (int m = 0; m < n; ++m) to[m] = h.residual(m);
}

/// Stage s of the sweeps on a row. Finest: half sweeps of red and black cells. Else the four
/// colours of y and z, the even and the odd cells of a row one after the other.
template <class Real>
void relax_stage(const SevenPoint<Real>& g, int s, bool back, int j, int k) {
  relax_half(g, ((s & 1) + (back ? 1 : 0) + j + k) & 1, j, k);
}
// --- device kernels: one cell a thread ---------------------------------------------------------

template <class Real>
struct LoadCell {
  SplitRows<Real> g;
  Source<Real> source;
  bool clear;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t cell) const {
    const int i = int(cell % g.nx);
    const std::ptrdiff_t to =
        g.row(int(cell / g.nx % g.ny), int(cell / g.nx / g.ny)) + (i & 1) * g.half + i / 2;
    g.b[to] = source(cell);
    if (clear) g.z[to] = 0;
  }
};

/// z from natural order.
template <class Real>
struct SetCell {
  SplitRows<Real> g;
  const Real* from;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t cell) const {
    const int i = int(cell % g.nx);
    g.z[g.row(int(cell / g.nx % g.ny), int(cell / g.nx / g.ny)) + (i & 1) * g.half + i / 2] =
        from[cell];
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
struct PublishCell {
  SplitRows<Real> g;
  Real* level;
  double* outer;
  double scale;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t cell) const {
    const int i = int(cell % g.nx);
    const Real z =
        g.z[g.row(int(cell / g.nx % g.ny), int(cell / g.nx / g.ny)) + (i & 1) * g.half + i / 2];
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

template <class Kernel>
void for_cells(const char* label, std::ptrdiff_t n, const Kernel& kernel) {
  Kokkos::parallel_for(libsolve::kernel_label(label), libsolve::range_policy(n), kernel);
}

}  // namespace multigrid
