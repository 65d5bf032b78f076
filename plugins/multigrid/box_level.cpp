#include "box_level.hpp"

#include <algorithm>

#include "grid_level.hpp"

namespace multigrid {
namespace {

/// The 27-point operator as BoxOperator stores it.
template <class Real>
struct TwentySevenPoint : SplitRows<Real> {
  static constexpr int num_colours = 8;
  const Real* values = nullptr;

  KOKKOS_FORCEINLINE_FUNCTION const Real* array(int q, int j, int k) const {
    return values +
           ((std::ptrdiff_t(k) * this->ny + j) * BoxOperator<Real>::arrays + q) * 2 * this->half;
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
          const Real t =
              later ? array(2 + box::coupling_index(dx, dy, dz), j, k)[(i & 1) * half + i / 2]
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
struct BoxStencil {
  int cnx = 1, cny = 1, cnz = 1;
  bool x = false, y = false, z = false;
  std::ptrdiff_t stride = 0;
  const Real* weights = nullptr;

  KOKKOS_FORCEINLINE_FUNCTION const Real* weight(int J, int K, int t, int a) const {
    return weights +
           ((std::ptrdiff_t(K) * cny + J) * box::num_weights + box::weight_index(t, a)) * stride;
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

// --- host rows ---------------------------------------------------------------------------------

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

template <class Real>
void prefetch_coefficients(const TwentySevenPoint<Real>& g, int j, int k) {
  prefetch(g.array(0, j, k), std::ptrdiff_t(2) * BoxOperator<Real>::arrays * g.half);
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

template <class Real>
void relax_stage(const TwentySevenPoint<Real>& g, int s, bool back, int j, int k) {
  if (((j & 1) + 2 * (k & 1)) != (back ? 3 - s % 4 : s % 4)) return;
  relax_half(g, back ? 1 : 0, j, k);
  relax_half(g, back ? 0 : 1, j, k);
}

/// Adds what the fine rows of cube row (J, K) give to the coarse rows at its corners: those in
/// plane K to lower, those in plane K + 1 to plane K of upper; both in rows of t.stride numbers.
template <class Real, class Op>
void restrict_cubes(const Op& g, const BoxStencil<Real>& t, int J, int K,
                    Real* __restrict__ scratch, Real* lower, Real* upper) {
  Real* even = scratch + row_guard;
  Real* odd = even + g.half + row_guard;
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
        if ((corner & ~type) || J + (corner >> 1 & 1) >= t.cny || K + (corner >> 2) >= t.cnz)
          continue;
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
void prolong_row(const SplitRows<Real>& g, const BoxStencil<Real>& t, const Real* coarse, int j,
                 int k) {
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
      Real* z = i & 1 ? odd : even;  // g++ 12 gets (a ? b : c)[d] += e wrong under UBSan
      z[i / 2] += v;
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
void prolong_row(const SplitRows<Real>& g, const BoxStencil<Real>& t, const Real* coarse, int j,
                 int k) {
  switch (box::bit_count(t.row_type(j, k))) {
    case 0:
      return prolong_row<1>(g, t, coarse, j, k);
    case 1:
      return prolong_row<2>(g, t, coarse, j, k);
    default:
      return prolong_row<4>(g, t, coarse, j, k);
  }
}

// --- device kernels: one cell a thread ---------------------------------------------------------

template <class Real>
struct RestrictCell {
  BoxStencil<Real> t;
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
  BoxStencil<Real> t;
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

/// The weights and, on the host, coarse numbers in padded rows.
template <class Real>
class BoxTransfer {
 public:
  explicit BoxTransfer(const BoxWeights<Real>& weights)
      : weights_(weights.values), halved_(weights.grid.halved) {
    const auto cn = weights.grid.coarse();
    t_ = {cn[0],      cn[1],      cn[2],          halved_[0],
          halved_[1], halved_[2], weights.stride, weights_.data() + BoxWeights<Real>::guard};
    if (levels_on_host)
      padded_ = libsolve::zero_array<Real>("multigrid::padded", 2 * std::size_t(size()));
  }
  [[nodiscard]] const std::array<bool, 3>& halved() const { return halved_; }
  [[nodiscard]] Shape coarse_shape() const { return {{t_.cnx, t_.cny, t_.cnz}}; }
  [[nodiscard]] std::size_t bytes() const {
    return (weights_.size() + padded_.size()) * sizeof(Real);
  }

  [[nodiscard]] Work work() const { return {}; }

  void begin_restriction(Real*) const {
    std::fill(padded_.data(), padded_.data() + padded_.size(), Real(0));
  }
  template <class Op>
  void restrict_cubes(const Op& g, int J, int K, Real* scratch, Real*) const {
    multigrid::restrict_cubes(g, t_, J, K, scratch, padded_.data(), padded_.data() + size());
  }
  void end_restriction(Real* coarse) const {
    const BoxStencil<Real> t = t_;
    const Real* lower = padded_.data();
    const Real* upper = lower + size();
    for_host(t.cnz, size(), [=](int K) {
      for (int J = 0; J < t.cny; ++J) {
        const Real* here = lower + t.padded_row(J, K);
        Real* to = coarse + t.coarse_row(J, K);
        if (t.z && K > 0) {
          const Real* below = upper + t.padded_row(J, K - 1);
#pragma omp simd
          for (int m = 0; m < t.cnx; ++m) to[m] = here[m] + below[m];
        } else {
          std::copy(here, here + t.cnx, to);
        }
      }
    });
  }
  void begin_prolongation(const Real* coarse) const {
    const BoxStencil<Real> t = t_;
    Real* padded = padded_.data();
    for_host(t.cnz, size(), [=](int K) {
      for (int J = 0; J < t.cny; ++J) {
        const Real* from = coarse + t.coarse_row(J, K);
        Real* to = padded + t.padded_row(J, K);
        std::copy(from, from + t.cnx, to);
        std::fill(to + t.cnx, to + t.stride, Real(0));
      }
    });
  }
  template <class Op>
  void prolong_row(const Op& g, int j, int k, const Real*) const {
    multigrid::prolong_row<Real>(g, t_, padded_.data(), j, k);
  }
  template <class Op>
  void restrict_on_device(const Op& g, const Real* residual, Real* coarse) const {
    for_cells("multigrid::box_restrict", std::ptrdiff_t(t_.cnx) * t_.cny * t_.cnz,
              RestrictCell<Real>{t_, g.nx, g.ny, g.nz, residual, coarse});
  }
  template <class Op>
  void prolong_on_device(const Op& g, const Real* coarse) const {
    for_cells("multigrid::box_prolong", std::ptrdiff_t(g.nx) * g.ny * g.nz,
              ProlongCell<Real>{g, t_, coarse});
  }

 private:
  [[nodiscard]] std::ptrdiff_t size() const {
    return t_.padded_size() + row_guard;
  }
  View<Real> weights_, padded_;
  std::array<bool, 3> halved_;
  BoxStencil<Real> t_;
};

}  // namespace

template <class Real>
std::unique_ptr<Level<Real>> make_box_fine_level(const SplitOperator<Real>& op,
                                                 const BoxWeights<Real>& weights,
                                                 const GridSmoothing& smoothing) {
  return std::make_unique<GridLevel<Real, SevenPoint<Real>, BoxTransfer<Real>>>(
      op, BoxTransfer<Real>(weights), smoothing);
}

template <class Real>
std::unique_ptr<Level<Real>> make_box_level(const BoxOperator<Real>& op,
                                            const BoxWeights<Real>& weights,
                                            const GridSmoothing& smoothing) {
  return std::make_unique<GridLevel<Real, TwentySevenPoint<Real>, BoxTransfer<Real>>>(
      op, BoxTransfer<Real>(weights), smoothing);
}

#define MULTIGRID_INSTANTIATE(Real)                                               \
  template std::unique_ptr<Level<Real>> make_box_fine_level(                      \
      const SplitOperator<Real>&, const BoxWeights<Real>&, const GridSmoothing&); \
  template std::unique_ptr<Level<Real>> make_box_level(                           \
      const BoxOperator<Real>&, const BoxWeights<Real>&, const GridSmoothing&);
MULTIGRID_INSTANTIATE(float)
MULTIGRID_INSTANTIATE(double)

}  // namespace multigrid
