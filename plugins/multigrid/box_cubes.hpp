/// \file
/// The coarse cubes of one step of the box set-up: where their fine rows and their weights are
/// (box_operator.hpp has the formulas). Worked on `lanes` cubes of a row at a time, on the host.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <libsolve/core/large_array.hpp>
#include <vector>

#include "box_operator.hpp"

namespace multigrid::box {

template <class Real>
using HostView = Kokkos::View<Real*, Kokkos::HostSpace>;

inline constexpr int lanes = 16;        // numbers worked on together
inline constexpr int tail = 4 * lanes;  // readable behind the last row

inline std::ptrdiff_t rounded_up(std::ptrdiff_t n, std::ptrdiff_t to) {
  return (n + to - 1) / to * to;
}

template <class Real>
HostView<Real> host_zeros(std::ptrdiff_t n) {
  return libsolve::zero_array<Real, Kokkos::HostSpace>("multigrid::box", std::size_t(n));
}

template <class Real>
HostView<Real> on_host(const View<Real>& v) {
  return Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v);
}

/// `lanes` numbers worked on together; g++ keeps loops of fixed length in memory, these in
/// registers.
template <class Real>
struct Lanes;
template <>
struct Lanes<float> {
  typedef float type __attribute__((vector_size(64)));  // lanes floats
};
template <>
struct Lanes<double> {
  typedef double type __attribute__((vector_size(128)));
};
template <class Real>
using Pack = typename Lanes<Real>::type;

template <class Real>
Pack<Real> load(const Real* from) {
  Pack<Real> p;
  std::memcpy(&p, from, sizeof p);
  return p;
}

template <class Real>
void store(const Pack<Real>& p, Real* to, int count) {
  std::memcpy(to, &p, count == lanes ? sizeof p : count * sizeof(Real));
}

/// A point of the closed cube, at 0, 1 or 2 along a halved axis and 0 or 1 along the others: the
/// axes in which it lies between coarse points, and those in which it is the far corner.
struct CubePoint {
  int type = 0;
  int shift = 0;
  [[nodiscard]] bool depends_on(int corner) const { return (corner & ~type) == shift; }
};

inline CubePoint cube_point(int half_mask, int sub, int corner) {
  CubePoint p;
  for (int d = 0; d < 3; ++d) {
    const int s = sub >> d & 1;
    const int c = corner >> d & 1;
    if (!(half_mask >> d & 1))
      p.shift |= c << d;
    else if (s + c == 1)
      p.type |= 1 << d;
    else if (s + c == 2)
      p.shift |= 1 << d;
  }
  return p;
}

/// Where the fine rows of a cube row are and how its weights are addressed.
template <class Real>
struct CubeRows {
  BoxGrid grid;
  std::array<int, 3> cn;
  int mask;
  std::ptrdiff_t stride;
  Real* weights;
  std::vector<Real> ones, zeros;  // rows

  explicit CubeRows(const BoxGrid& g)
      : grid(g), cn(g.coarse()), mask(0), stride(rounded_up(cn[0], lanes)), weights(nullptr) {
    for (int d = 0; d < 3; ++d) mask |= (g.halved[d] ? 1 : 0) << d;
    ones.assign(stride + tail, Real(1));
    zeros.assign(stride + tail, Real(0));
  }
  [[nodiscard]] std::ptrdiff_t num_weights() const {
    return BoxWeights<Real>::guard + stride * box::num_weights * cn[1] * cn[2] + tail;
  }
  [[nodiscard]] int fine_j(int J, int sub) const {
    return grid.halved[1] ? 2 * J + (sub >> 1 & 1) : J;
  }
  [[nodiscard]] int fine_k(int K, int sub) const {
    return grid.halved[2] ? 2 * K + (sub >> 2 & 1) : K;
  }
  [[nodiscard]] int first_i(int sub) const { return grid.halved[0] ? sub & 1 : 0; }
  [[nodiscard]] int step() const { return grid.halved[0] ? 2 : 1; }
  [[nodiscard]] bool has_row(const std::array<int, 3>& n, int J, int K, int sub) const {
    return fine_j(J, sub) < n[1] && fine_k(K, sub) < n[2];
  }
  [[nodiscard]] Real* weight(int J, int K, int t, int a) const {
    return weights +
           ((std::ptrdiff_t(K) * cn[1] + J) * box::num_weights + box::weight_index(t, a)) * stride;
  }
};

/// Where the weight of a corner at a point is, for the cubes of a row (J, K): in the weights of the
/// row (J + dj, K + dk), or 1, or 0 for a point that does not depend on the corner.
struct CornerPlace {
  enum Kind { zero, one, weight } kind = zero;
  int row = 0;                // dj + 2 dk
  std::ptrdiff_t offset = 0;  // from the row's first weight
};

template <class Real>
CornerPlace corner_place(const CubeRows<Real>& cubes, CubePoint p, int a) {
  if (!p.depends_on(a)) return {};
  const int row = p.shift >> 1;
  if (p.type == 0) return {CornerPlace::one, row, 0};
  return {CornerPlace::weight, row,
          box::weight_index(p.type, a & p.type) * cubes.stride + (p.shift & 1)};
}

/// The four rows of weights that the cubes of row (J, K) use, and what stands in for the others.
template <class Real>
struct WeightRows {
  const Real* first[4];  // null where there is no such row
  const Real* ones;
  const Real* zeros;

  WeightRows(const CubeRows<Real>& cubes, int J, int K)
      : ones(cubes.ones.data()), zeros(cubes.zeros.data()) {
    for (int q = 0; q < 4; ++q) {
      const int j = J + (q & 1);
      const int k = K + (q >> 1);
      first[q] = j < cubes.cn[1] && k < cubes.cn[2] ? cubes.weight(j, k, 1, 0) : nullptr;
    }
  }
  [[nodiscard]] const Real* operator()(const CornerPlace& place) const {
    if (place.kind == CornerPlace::zero || !first[place.row]) return zeros;
    return place.kind == CornerPlace::one ? ones : first[place.row] + place.offset;
  }
};

/// Couplings of the odd points of a cube row, collapsed: couplings[delta], delta = (dx + 1) +
/// 3 (dy + 1) + 9 (dz + 1), null where there is none; excess: sum of the row.
template <class Real>
struct Collapsed {
  std::array<const Real*, 27> couplings;
  const Real* excess;
};

}  // namespace multigrid::box
