#include <algorithm>

#include "box_rows_full.hpp"
#include "box_rows_seven.hpp"

namespace multigrid {
namespace box {

template <class Real, class Rows>
void fill_weights_of_type(const Rows& rows, const CubeRows<Real>& c, int J, int K, int t,
                          Real* scratch, Real* work) {
  const int count = c.cn[0];
  if (c.fine_j(J, t) >= rows.n()[1] || c.fine_k(K, t) >= rows.n()[2]) return;  // they are zero
  const Collapsed<Real> w = rows.collapse(c, J, K, t, scratch);
  Real* inverse = c.weight(J, K, t, 0);  // the weight of corner 0 is computed last
  {
    Real* sum = work;
    std::copy(w.excess, w.excess + count, sum);
    for (const Real* coupling : w.couplings) {
      if (!coupling) continue;
#pragma omp simd
      for (int m = 0; m < count; ++m) sum[m] += coupling[m];
    }
#pragma omp simd
    for (int m = 0; m < count; ++m) inverse[m] = sum[m] > 0 ? Real(1) / sum[m] : Real(0);
  }
  Real* value = work;
  for (int a = 7; a >= 0; --a) {
    if (a & ~t) continue;
    std::fill(value, value + count, Real(0));
    for (int s = 1; s < 8; ++s) {
      if (s & ~t) continue;
      int delta = 13;
      for (int d = 0, place = 1; d < 3; ++d, place *= 3)
        if (s >> d & 1) delta += a >> d & 1 ? place : -place;
      const Real* coupling = w.couplings[delta];
      if (!coupling) continue;
      const int shift = a & s;
      const int j = J + (shift >> 1 & 1);
      const int k = K + (shift >> 2 & 1);
      if (j >= c.cn[1] || k >= c.cn[2]) continue;
      if (s == t) {
#pragma omp simd
        for (int m = 0; m < count; ++m) value[m] += coupling[m];
      } else {
        const Real* beside = c.weight(j, k, t & ~s, a & ~s) + (shift & 1);
#pragma omp simd
        for (int m = 0; m < count; ++m) value[m] += coupling[m] * beside[m];
      }
    }
    Real* to = c.weight(J, K, t, a);
#pragma omp simd
    for (int m = 0; m < count; ++m) to[m] = value[m] * inverse[m];
    // a point next to the end of the axis has no coarse point on its right
    if ((a & 1) && c.cn[0] > 0) to[count - 1] = 0;
  }
}

template <class Real, class Rows>
void fill_weights(const Rows& rows, const CubeRows<Real>& c) {
  const std::ptrdiff_t work = std::ptrdiff_t(8) * c.cn[0] * c.cn[1] * c.cn[2];
  for (int order = 1; order <= 3; ++order) {
    for_host(c.cn[2], work, [&](int K) {
      std::vector<Real> scratch(rows.scratch(c.stride)), spare(c.stride);
      for (int J = 0; J < c.cn[1]; ++J)
        for (int t = 1; t < 8; ++t)
          if (box::bit_count(t) == order && !(t & ~c.mask))
            fill_weights_of_type(rows, c, J, K, t, scratch.data(), spare.data());
    });
  }
}

template <class Real, class Rows>
BoxElements<Real> fill_elements(const Rows& rows, const CubeRows<Real>& c) {
  BoxElements<Real> out;
  out.n = c.cn;
  out.stride = rounded_up(c.cn[0] + 1, 8);
  const std::ptrdiff_t num_rows = std::ptrdiff_t(c.cn[1]) * c.cn[2];
  const std::ptrdiff_t size = num_rows * box::num_pairs * out.stride;
  out.values = libsolve::bare_array<Real, Kokkos::HostSpace>("multigrid::box", size + tail);
  std::fill(out.values.data() + size, out.values.data() + size + tail, Real(0));
  const std::ptrdiff_t stride = out.stride;
  Real* values = out.values.data();
  const typename Rows::Plan plan(rows, c);
  for_host(c.cn[2], 8 * num_rows * c.cn[0], [&](int K) {
    std::vector<Real> scratch(rows.scratch(c.stride));
    for (int J = 0; J < c.cn[1]; ++J) {
      const typename Rows::Elements elements(rows, plan, c, J, K, scratch.data());
      Real* to = values + (std::ptrdiff_t(K) * c.cn[1] + J) * box::num_pairs * stride;
      for (int m = 0; m < c.cn[0]; m += lanes) {
        Pack<Real> e[box::num_pairs] = {};
        elements.add(m, e);
        const int n = std::min(lanes, c.cn[0] - m);
        for (int p = 0; p < box::num_pairs; ++p) store<Real>(e[p], to + p * stride + m, n);
      }
      for (int p = 0; p < box::num_pairs; ++p)
        std::fill(to + p * stride + c.cn[0], to + (p + 1) * stride, Real(0));
    }
  });
  return out;
}

/// Row of matrix entries for one offset: the sum over the cubes that hold both points.
template <class Real>
void gather(const BoxElements<Real>& e, int J, int K, int dx, int dy, int dz,
            Real* __restrict__ acc) {
  std::fill(acc, acc + e.n[0] + 1, Real(0));
  for (int a = 0; a < 8; ++a) {
    const int x = (a & 1), y = (a >> 1 & 1), z = (a >> 2);
    const int bx = x + dx, by = y + dy, bz = z + dz;
    if (bx < 0 || by < 0 || bz < 0 || bx > 1 || by > 1 || bz > 1 || J < y || K < z) continue;
    const int b = bx + 2 * by + 4 * bz;
    const Real* from =
        e.values.data() +
        ((std::ptrdiff_t(K - z) * e.n[1] + J - y) * box::num_pairs + box::pair_index(a, b)) *
            e.stride;
    Real* to = acc + x;
#pragma omp simd
    for (int m = 0; m < e.n[0]; ++m) to[m] += from[m];
  }
}

}  // namespace box

template <class Real>
BoxOperator<Real> assemble(const BoxElements<Real>& e) {
  BoxOperator<Real> op;
  op.n = e.n;
  op.half = int(box::rounded_up((e.n[0] + 1) / 2 + 1, box::lanes));
  constexpr int arrays = BoxOperator<Real>::arrays;
  const std::ptrdiff_t num_rows = std::ptrdiff_t(e.n[1]) * e.n[2];
  auto host = box::host_zeros<Real>(BoxOperator<Real>::guard + num_rows * arrays * 2 * op.half +
                                    box::tail);
  Real* values = host.data() + BoxOperator<Real>::guard;
  const int half = op.half;
  for_host(e.n[2], 8 * num_rows * e.n[0], [&](int K) {
    std::vector<Real> acc(e.n[0] + 1);
    for (int J = 0; J < e.n[1]; ++J) {
      Real* row = values + (std::ptrdiff_t(K) * e.n[1] + J) * arrays * 2 * half;
      auto store = [&](int q, Real factor) {
        Real* even = row + q * 2 * half;
        for (int m = 0; m < e.n[0]; ++m) even[(m & 1 ? half : 0) + m / 2] = factor * acc[m];
      };
      box::gather(e, J, K, 0, 0, 0, acc.data());
      store(0, Real(1));
      for (int m = 0; m < e.n[0]; ++m) acc[m] = acc[m] > 0 ? Real(1) / acc[m] : Real(0);
      store(1, Real(1));
      for (int dz = 0; dz <= 1; ++dz)
        for (int dy = -1; dy <= 1; ++dy)
          for (int dx = -1; dx <= 1; ++dx) {
            if (dz == 0 && (dy < 0 || (dy == 0 && dx <= 0))) continue;
            box::gather(e, J, K, dx, dy, dz, acc.data());
            store(2 + box::coupling_index(dx, dy, dz), Real(-1));
          }
    }
  });
  op.values = Kokkos::create_mirror_view_and_copy(MemSpace(), host);
  return op;
}

namespace box {

template <class Real, class Rows>
BoxCoarse<Real> coarsen_rows(const Rows& rows, const BoxGrid& grid) {
  CubeRows<Real> c(grid);
  auto weights = host_zeros<Real>(c.num_weights());
  c.weights = weights.data() + BoxWeights<Real>::guard;
  fill_weights(rows, c);
  BoxCoarse<Real> coarse;
  coarse.elements = fill_elements<Real>(rows, c);
  coarse.op = assemble(coarse.elements);
  coarse.weights.grid = grid;
  coarse.weights.stride = c.stride;
  coarse.weights.values = Kokkos::create_mirror_view_and_copy(MemSpace(), weights);
  return coarse;
}

}  // namespace box

template <class Real>
BoxCoarse<Real> coarsen_box(const SplitOperator<Real>& op, const std::array<bool, 3>& halved) {
  return box::coarsen_rows<Real>(box::SevenPointRows<Real>(op), BoxGrid{op.n, halved});
}

template <class Real>
BoxCoarse<Real> coarsen_box(const BoxOperator<Real>& op, const BoxElements<Real>& elements,
                            const std::array<bool, 3>& halved) {
  return box::coarsen_rows<Real>(box::BoxRows<Real>(op, elements), BoxGrid{op.n, halved});
}

#define MULTIGRID_INSTANTIATE(Real)                                                             \
  template BoxCoarse<Real> coarsen_box(const SplitOperator<Real>&, const std::array<bool, 3>&); \
  template BoxCoarse<Real> coarsen_box(const BoxOperator<Real>&, const BoxElements<Real>&,      \
                                       const std::array<bool, 3>&);                              \
  template BoxOperator<Real> assemble(const BoxElements<Real>&);
MULTIGRID_INSTANTIATE(float)
MULTIGRID_INSTANTIATE(double)

}  // namespace multigrid
