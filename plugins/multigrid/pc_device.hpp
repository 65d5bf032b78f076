/// \file
/// Cell-centred level with piecewise-constant transfers: kernels with one cell a thread, for
/// devices.
#pragma once

#include "pc_rows.hpp"

namespace multigrid::pc {

template <class Real>
struct LoadCell {
  SplitGrid<Real> g;
  Source<Real> source;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t index) const {
    const int m = int(index % g.half);
    const std::ptrdiff_t row = index / g.half;
    const int j = int(row % g.ny);
    const int k = int(row / g.ny);
    for (int c = 0; c < 2; ++c) {
      const int o = (c + j + k) & 1;
      if (m < g.count(o))
        g.b[g.offset(c, j, k) + m] = source(std::ptrdiff_t(g.nx) * row + 2 * m + o);
    }
  }
};

/// z from natural order.
template <class Real>
struct SetCell {
  SplitGrid<Real> g;
  const Real* from;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t index) const {
    const int m = int(index % g.half);
    const std::ptrdiff_t row = index / g.half;
    const int j = int(row % g.ny);
    const int k = int(row / g.ny);
    for (int c = 0; c < 2; ++c) {
      const int o = (c + j + k) & 1;
      if (m < g.count(o))
        g.z[g.offset(c, j, k) + m] = from[std::ptrdiff_t(g.nx) * row + 2 * m + o];
    }
  }
};

template <class Real, bool Variable>
struct RelaxCell {
  SplitGrid<Real> g;
  int colour;
  Old old;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t index) const {
    const int m = int(index % g.half);
    const std::ptrdiff_t row = index / g.half;
    const HalfRow<Real, Variable> h(g, colour, int(row % g.ny), int(row / g.ny));
    if (m >= g.count(int((colour + row % g.ny + row / g.ny) & 1))) return;
    if (old == Old::zero_all)
      h.z[m] = h.relaxed_alone(m);
    else
      h.z[m] = h.relaxed(m, old == Old::any ? h.z[m] : Real(0));
  }
};

template <class Real, bool Variable>
struct RestrictCell {
  SplitGrid<Real> g;
  Transfer t;
  bool red_only;
  Real* coarse;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t index) const {
    const int ci = int(index % t.cnx);
    const std::ptrdiff_t row = index / t.cnx;
    const int cj = int(row % t.cny);
    const int ck = int(row / t.cny);
    const int j0 = t.first_j(cj);
    const int k0 = t.first_k(ck);
    const int j1 = t.ends_j(j0, g.ny) ? j0 + 1 : j0 + 2;
    const int k1 = t.ends_k(k0, g.nz) ? k0 + 1 : k0 + 2;
    Real acc[2] = {0, 0};
    if (t.is_cut()) {
      Real sum = 0;
      for (int k = k0; k < k1; ++k)
        for (int j = j0; j < j1; ++j)
          for (int c = 0; c < (red_only ? 1 : 2); ++c) {
            const int o = (c + j + k) & 1;
            for (const int at : {t.child_a[ci], t.child_b[ci]})
              if (at < 2 * g.half && at / g.half == o)
                sum += HalfRow<Real, Variable>(g, c, j, k).residual(at % g.half);
          }
      coarse[index] = sum;
      return;
    }
    for (int k = k0; k < k1; ++k)
      for (int j = j0; j < j1; ++j)
        for (int c = 0; c < (red_only ? 1 : 2); ++c) {
          const int o = (c + j + k) & 1;
          if (!t.x && o != (ci & 1)) continue;
          const int m = t.x ? ci : ci / 2;
          if (m >= g.count(o)) continue;
          acc[o] += HalfRow<Real, Variable>(g, c, j, k).residual(m);
        }
    coarse[index] = t.x ? acc[0] + acc[1] : acc[ci & 1];
  }
};

template <class Real, bool Variable>
struct ProlongCell {
  SplitGrid<Real> g;
  Transfer t;
  const Real* coarse;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t index) const {
    const int m = int(index % g.half);
    const std::ptrdiff_t row = index / g.half;
    const int j = int(row % g.ny);
    const int k = int(row / g.ny);
    const Real* from = coarse + (std::ptrdiff_t(t.coarse_k(k)) * t.cny + t.coarse_j(j)) * t.cnx;
    for (int c = 0; c < 2; ++c) {
      const int o = (c + j + k) & 1;
      const HalfRow<Real, Variable> h(g, c, j, k);
      const int parent = t.is_cut() ? t.parent_x[o * g.half + m] : t.x ? m : 2 * m + o;
      if (m < g.count(o) && h.has_parent(m)) h.z[m] += from[parent];
    }
  }
};

template <class Real>
struct PublishCell {
  SplitGrid<Real> g;
  Real* level;
  double* outer;
  double scale;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t index) const {
    const int m = int(index % g.half);
    const std::ptrdiff_t row = index / g.half;
    const int j = int(row % g.ny);
    const int k = int(row / g.ny);
    for (int c = 0; c < 2; ++c) {
      const int o = (c + j + k) & 1;
      if (m >= g.count(o)) continue;
      const std::ptrdiff_t cell = std::ptrdiff_t(g.nx) * row + 2 * m + o;
      const Real z = g.z[g.offset(c, j, k) + m];
      if (outer)
        outer[cell] = scale * double(z);
      else
        level[cell] = z;
    }
  }
};

/// Faces and signed inverse diagonal of one row, natural to split order.
template <class Real>
struct SplitCoefficients {
  SplitGrid<Real> g;
  Real *fx_inner, *fx_outer, *fy, *fz, *inverse;
  const Real *face_x, *face_y, *face_z, *wall, *mass;  // natural order; null where absent
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t row) const {
    const int j = int(row % g.ny);
    const int k = int(row / g.ny);
    const std::ptrdiff_t plane = std::ptrdiff_t(g.nx) * g.ny;
    for (int c = 0; c < 2; ++c) {
      const int o = (c + j + k) & 1;
      const std::ptrdiff_t to = g.offset(c, j, k);
      const int n = g.count(o);
      for (int m = 0; m < n; ++m) {
        const int i = 2 * m + o;
        const std::ptrdiff_t cell = row * g.nx + i;
        const Real xp = i + 1 < g.nx ? face_x[cell] : Real(0);
        const Real xm = i > 0 ? face_x[cell - 1] : Real(0);
        const Real yp = j + 1 < g.ny ? face_y[cell] : Real(0);
        const Real ym = j > 0 ? face_y[cell - g.nx] : Real(0);
        const Real zp = k + 1 < g.nz ? face_z[cell] : Real(0);
        const Real zm = k > 0 ? face_z[cell - plane] : Real(0);
        if (o == 0) {
          fx_inner[g.x_offset(j, k) + m] = xp;
          fx_outer[g.x_offset(j, k) + m] = xm;
        }
        fy[to + m] = yp;
        fz[to + m] = zp;
        const Real faces = ((xm + xp) + (ym + yp)) + (zm + zp);
        const Real d = faces + ((wall ? wall[cell] : Real(0)) + (mass ? mass[cell] : Real(0)));
        Real inv = d > 0 ? Real(1) / d : Real(0);
        if (faces == Real(0)) inv = -inv;
        inverse[to + m] = inv;
      }
    }
  }
};

}  // namespace multigrid::pc
