/// \file
/// Cell-centred level with piecewise-constant transfers: rows of any coefficients, on the host.
#pragma once

#include "pc_constant.hpp"
#include "split_rows.hpp"

namespace multigrid::pc {

/// Shapes of both grids and the halved axes, squeezed.
struct Transfer {
  int cnx = 1, cny = 1, cnz = 1;
  bool x = false, y = false, z = false;
  // Cut grids (aligned.hpp), else null: first fine cell of each coarse one, parent of each fine one;
  // along x the parents in split order [o][m], and where the children of a coarse cell are in two
  // half rows of fine numbers, one behind the other, a single one having 2 half as its second.
  const int *first_y = nullptr, *first_z = nullptr, *parent_y = nullptr, *parent_z = nullptr;
  const int *parent_x = nullptr, *child_a = nullptr, *child_b = nullptr;

  KOKKOS_FORCEINLINE_FUNCTION bool is_cut() const { return parent_x != nullptr; }
  KOKKOS_FORCEINLINE_FUNCTION int coarse_j(int j) const {
    return is_cut() ? parent_y[j] : y ? j / 2 : j;
  }
  KOKKOS_FORCEINLINE_FUNCTION int coarse_k(int k) const {
    return is_cut() ? parent_z[k] : z ? k / 2 : k;
  }
  KOKKOS_FORCEINLINE_FUNCTION int first_j(int cj) const {
    return is_cut() ? first_y[cj] : y ? 2 * cj : cj;
  }
  KOKKOS_FORCEINLINE_FUNCTION int first_k(int ck) const {
    return is_cut() ? first_z[ck] : z ? 2 * ck : ck;
  }
  /// Whether the row is the last one of its coarse row.
  KOKKOS_FORCEINLINE_FUNCTION bool ends_j(int j, int ny) const {
    return j + 1 == ny || coarse_j(j + 1) != coarse_j(j);
  }
  KOKKOS_FORCEINLINE_FUNCTION bool ends_k(int k, int nz) const {
    return k + 1 == nz || coarse_k(k + 1) != coarse_k(k);
  }
};

template <class Real, bool Variable, Old old>
void relax_row(const SplitGrid<Real>& g, int c, int j, int k) {
  if constexpr (Variable) {
    const HalfRow<Real, true> h(g, c, j, k);
    const int n = g.half;
    if constexpr (old == Old::zero_all) {
#pragma omp simd
      for (int m = 0; m < n; ++m) h.z[m] = h.relaxed_alone(m);
    } else {
#pragma omp simd
      for (int m = 0; m < n; ++m) h.z[m] = h.relaxed(m, old == Old::any ? h.z[m] : Real(0));
    }
  } else {
    relax_row_constant<Real, old, false>(g, c, j, k, nullptr);
  }
}

template <class Real, bool Variable, Old old>
void relax_rows(const SplitGrid<Real>& g, int c, int j0, int j1, int k) {
  for (int j = j0; j < j1; ++j) relax_row<Real, Variable, old>(g, c, j, k);
}

template <class Real>
const Real* coarse_row(const Transfer& t, const Real* coarse, int j, int k) {
  return coarse + (std::ptrdiff_t(t.coarse_k(k)) * t.cny + t.coarse_j(j)) * t.cnx;
}

template <class Real, bool Variable>
void prolong_half_row(const SplitGrid<Real>& g, const Transfer& t, const Real* coarse, int c, int j,
                      int k) {
  const Real* from = coarse_row(t, coarse, j, k);
  const int o = (c + j + k) & 1;
  const HalfRow<Real, Variable> h(g, c, j, k);
  const int n = g.count(o);
  if (t.is_cut()) {
    const int* parent = t.parent_x + o * g.half;
#pragma omp simd
    for (int m = 0; m < n; ++m) h.z[m] += h.has_parent(m) ? from[parent[m]] : Real(0);
  } else if (t.x) {
#pragma omp simd
    for (int m = 0; m < n; ++m) h.z[m] += h.has_parent(m) ? from[m] : Real(0);
  } else {
#pragma omp simd
    for (int m = 0; m < n; ++m) h.z[m] += h.has_parent(m) ? from[2 * m + o] : Real(0);
  }
}

/// The coarse row above the fine rows j0 <= j < j1, k0 <= k < k1, cell by cell.
template <class Real, bool Variable>
void restrict_rows(const SplitGrid<Real>& g, const Transfer& t, bool red_only, int j0, int j1,
                   int k0, int k1, Real* __restrict__ acc, Real* __restrict__ coarse) {
  const int n = g.half;
  for (int m = 0; m < 2 * n; ++m) acc[m] = 0;
  for (int k = k0; k < k1; ++k) {
    for (int j = j0; j < j1; ++j) {
      for (int c = 0; c < (red_only ? 1 : 2); ++c) {
        const int o = (c + j + k) & 1;
        const HalfRow<Real, Variable> h(g, c, j, k);
        Real* to = acc + o * n;
        const int count = Variable ? n : g.count(o);
#pragma omp simd
        for (int m = 0; m < count; ++m) to[m] += h.residual(m);
      }
    }
  }
  if (t.is_cut()) {
    acc[2 * n] = 0;
#pragma omp simd
    for (int m = 0; m < t.cnx; ++m) coarse[m] = acc[t.child_a[m]] + acc[t.child_b[m]];
  } else if (t.x) {
#pragma omp simd
    for (int m = 0; m < t.cnx; ++m) coarse[m] = acc[m] + acc[n + m];
  } else {
    store_row(acc, acc + n, t.cnx, Real(1), coarse);
  }
}

}  // namespace multigrid::pc
