#include <algorithm>
#include <cmath>
#include <cstring>
#include <libsolve/core/large_array.hpp>

#include "box_operator.hpp"
#include "split_rows.hpp"

namespace multigrid {
namespace {

using Host = Kokkos::DefaultHostExecutionSpace;
template <class Real>
using HostView = Kokkos::View<Real*, Kokkos::HostSpace>;

constexpr int lanes = 16;        // numbers worked on together
constexpr int tail = 4 * lanes;  // readable behind the last row
constexpr double row_sum_tolerance = 1e-6;

std::ptrdiff_t rounded_up(std::ptrdiff_t n, std::ptrdiff_t to) {
  return (n + to - 1) / to * to;
}

/// body(i) for 0 <= i < n on the threads of the host, or at once where there is little to do.
template <class Body>
void for_planes(int n, std::ptrdiff_t work, const Body& body) {
  if (work < 4096 || n == 1) {
    for (int i = 0; i < n; ++i) body(i);
    return;
  }
  Kokkos::parallel_for("multigrid::box_setup", Kokkos::RangePolicy<Host>(0, n).set_chunk_size(1),
                       body);
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

CubePoint cube_point(int half_mask, int sub, int corner) {
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

// --- the two kinds of fine operators
// --------------------------------------------------------------

/// Couplings of the odd points of a cube row, collapsed: couplings[delta], delta = (dx + 1) +
/// 3 (dy + 1) + 9 (dz + 1), null where there is none; excess: sum of the row.
template <class Real>
struct Collapsed {
  std::array<const Real*, 27> couplings;
  const Real* excess;
};

template <class Real>
class SevenPointRows {
 public:
  explicit SevenPointRows(const SplitOperator<Real>& op)
      : n_(op.n),
        half_(op.half),
        plane_(op.plane),
        coefficients_(on_host(op.coefficients)),
        excess_(on_host(op.excess)),
        zeros_(std::size_t(2 * op.half + 3 * row_guard), Real(0)) {
    for (int d = 0; d < 3; ++d) face_[d] = coefficients_.data() + row_guard + d * op.length;
  }
  [[nodiscard]] const std::array<int, 3>& n() const { return n_; }
  [[nodiscard]] std::ptrdiff_t scratch(std::ptrdiff_t stride) const { return 33 * stride + tail; }

  /// Faces of fine points `sub` of the cubes towards the next cell along d, or, with back = 1, the
  /// one before: where they lie, or, where the x axis is not halved, a copy in `to`.
  const Real* face(const CubeRows<Real>& c, int J, int K, int sub, int d, int back,
                   Real* to) const {
    const int j = c.fine_j(J, sub) - (d == 1 ? back : 0);
    const int k = c.fine_k(K, sub) - (d == 2 ? back : 0);
    if (n_[d] == 1 || j < 0 || k < 0 || j >= n_[1] || k >= n_[2]) return zeros_.data() + row_guard;
    return points(face_[d] + row(j, k), c, c.first_i(sub) - (d == 0 ? back : 0), to);
  }
  const Real* excess(const CubeRows<Real>& c, int J, int K, int sub, Real* to) const {
    const Real* first = excess_.data() + row_guard;
    return points(first + row(c.fine_j(J, sub), c.fine_k(K, sub)), c, c.first_i(sub), to);
  }

  Collapsed<Real> collapse(const CubeRows<Real>& c, int J, int K, int t, Real* scratch) const {
    Collapsed<Real> w;
    w.couplings.fill(nullptr);
    Real* to = scratch;
    constexpr int place[3] = {1, 3, 9};
    for (int d = 0; d < 3; ++d) {
      if (!(t >> d & 1)) continue;
      for (int back = 0; back < 2; ++back, to += c.stride)
        w.couplings[13 + (back ? -place[d] : place[d])] = face(c, J, K, t, d, back, to);
    }
    w.excess = excess(c, J, K, t, to);
    return w;
  }

  /// E = sum over faces T g g^T + sum over cells e w w^T: which faces and cells, and where g and w
  /// are.
  class Plan {
   public:
    Plan(const SevenPointRows& op, const CubeRows<Real>& c) {
      for (int sub = 0; sub < 8; ++sub) {
        if (sub & ~c.mask) continue;
        for (int d = 0; d < 4; ++d) {
          if (d < 3 && op.n_[d] == 1) continue;
          Term term{sub, d, 0, {}, {}, {}};
          for (int a = 0; a < 8; ++a) {
            const CornerPlace plus = corner_place(c, cube_point(c.mask, sub, 0), a);
            const CornerPlace minus =
                d < 3 ? corner_place(c, cube_point(c.mask, sub, 1 << d), a) : CornerPlace{};
            if (plus.kind == CornerPlace::zero && minus.kind == CornerPlace::zero) continue;
            term.corner[term.corners] = a;
            term.plus[term.corners] = plus;
            term.minus[term.corners++] = minus;
          }
          terms_.push_back(term);
        }
      }
    }

   private:
    friend class SevenPointRows;
    struct Term {
      int sub, d;  // d = 3: the cell itself
      int corners;
      int corner[8];
      CornerPlace plus[8], minus[8];
    };
    std::vector<Term> terms_;
  };

  /// One chunk of cubes of E.
  class Elements {
   public:
    Elements(const SevenPointRows& op, const Plan& plan, const CubeRows<Real>& c, int J, int K,
             Real* scratch) {
      const WeightRows<Real> weights(c, J, K);
      for (const auto& from : plan.terms_) {
        if (!c.has_row(op.n_, J, K, from.sub)) continue;
        Term& term = terms_[num_terms_++];
        term.coefficient = from.d < 3 ? op.face(c, J, K, from.sub, from.d, 0, scratch)
                                      : op.excess(c, J, K, from.sub, scratch);
        scratch += c.stride;
        term.corners = from.corners;
        for (int x = 0; x < from.corners; ++x) {
          term.corner[x] = from.corner[x];
          term.plus[x] = weights(from.plus[x]);
          term.minus[x] = weights(from.minus[x]);
        }
      }
    }
    void add(int m, Pack<Real> (&e)[box::num_pairs]) const {
      for (int q = 0; q < num_terms_; ++q) {
        const Term& t = terms_[q];
        switch (t.corners) {
          case 1:
            add<1>(t, m, e);
            break;
          case 2:
            add<2>(t, m, e);
            break;
          case 4:
            add<4>(t, m, e);
            break;
          default:
            add<8>(t, m, e);
            break;
        }
      }
    }

   private:
    struct Term {
      const Real* coefficient;
      int corners;
      int corner[8];
      const Real *plus[8], *minus[8];
    };
    /// e_ab += T g_a g_b for the corners of a term, which number 1, 2, 4 or 8.
    template <int corners>
    static void add(const Term& t, int m, Pack<Real> (&e)[box::num_pairs]) {
      const Pack<Real> coefficient = load(t.coefficient + m);
      Pack<Real> g[corners];
      for (int x = 0; x < corners; ++x) g[x] = load(t.plus[x] + m) - load(t.minus[x] + m);
      for (int x = 0; x < corners; ++x) {
        const Pack<Real> scaled = coefficient * g[x];
        Pack<Real>* row = e + box::pair_index(0, t.corner[x]);  // corners are in order
        for (int y = 0; y <= x; ++y) row[t.corner[y]] += scaled * g[y];
      }
    }
    Term terms_[32];
    int num_terms_ = 0;
  };

 private:
  [[nodiscard]] std::ptrdiff_t row(int j, int k) const {
    return k * plane_ + std::ptrdiff_t(2 * j) * half_;
  }
  /// Cells first, first + step, ... of a split row.
  const Real* points(const Real* even, const CubeRows<Real>& c, int first, Real* to) const {
    const Real* odd = even + half_;
    if (c.grid.halved[0]) return first < 0 ? odd - 1 : first == 0 ? even : odd;
    for (int m = 0; m < c.cn[0]; ++m) {
      const int i = first + m;
      to[m] = i < 0 ? Real(0) : i & 1 ? odd[i / 2] : even[i / 2];
    }
    return to;
  }
  std::array<int, 3> n_;
  int half_;
  std::ptrdiff_t plane_;
  HostView<Real> coefficients_, excess_;
  const Real* face_[3];
  std::vector<Real> zeros_;
};

template <class Real>
class BoxRows {
 public:
  BoxRows(const BoxOperator<Real>& op, const BoxElements<Real>& elements)
      : n_(op.n), half_(op.half), values_(on_host(op.values)), elements_(elements) {}
  [[nodiscard]] const std::array<int, 3>& n() const { return n_; }
  [[nodiscard]] std::ptrdiff_t scratch(std::ptrdiff_t stride) const { return 30 * stride + tail; }

  Collapsed<Real> collapse(const CubeRows<Real>& c, int J, int K, int t, Real* scratch) const {
    const int j = c.fine_j(J, t);
    const int k = c.fine_k(K, t);
    const int count = c.cn[0];
    Collapsed<Real> w;
    w.couplings.fill(nullptr);
    Real* row_sum = scratch;
    Real* diagonal = scratch + c.stride;
    Real* spare = scratch + 2 * c.stride;
    add_array(c, j, k, 0, 0, t, row_sum, count, Real(1), true);
    std::copy(row_sum, row_sum + count, diagonal);
    Real* next = spare;
    for (int dz = -1; dz <= 1; ++dz)
      for (int dy = -1; dy <= 1; ++dy)
        for (int dx = -1; dx <= 1; ++dx) {
          if (dx == 0 && dy == 0 && dz == 0) continue;
          const int delta = 13 + (t & 1 ? dx : 0) + (t & 2 ? 3 * dy : 0) + (t & 4 ? 9 * dz : 0);
          const bool later = dz > 0 || (dz == 0 && (dy > 0 || (dy == 0 && dx > 0)));
          const int q =
              2 + (later ? box::coupling_index(dx, dy, dz) : box::coupling_index(-dx, -dy, -dz));
          const int rj = later ? j : j + dy;
          const int rk = later ? k : k + dz;
          if (rj < 0 || rk < 0 || rj >= n_[1] || rk >= n_[2]) continue;
          const int di = later ? 0 : dx;
          add_array(c, rj, rk, q, di, t, row_sum, count, Real(-1), false);
          if (delta == 13) continue;
          const bool first = w.couplings[delta] == nullptr;
          if (first) {
            w.couplings[delta] = next;
            next += c.stride;
          }
          add_array(c, rj, rk, q, di, t, const_cast<Real*>(w.couplings[delta]), count, Real(1),
                    first);
        }
#pragma omp simd
    for (int m = 0; m < count; ++m)
      row_sum[m] = row_sum[m] < Real(row_sum_tolerance) * diagonal[m] ? Real(0) : row_sum[m];
    w.excess = row_sum;
    return w;
  }

  /// E = sum over fine cubes W^T E_fine W: where W is.
  class Plan {
   public:
    Plan(const BoxRows&, const CubeRows<Real>& c) {
      for (int sub = 0; sub < 8; ++sub) {
        if (sub & ~c.mask) continue;
        Term term{};
        term.sub = sub;
        for (int p = 0; p < 8; ++p)
          for (int a = 0; a < 8; ++a) {
            const CornerPlace place = corner_place(c, cube_point(c.mask, sub, p), a);
            if (place.kind == CornerPlace::zero) continue;
            term.corner[p][term.supports[p]] = a;
            term.place[p][term.supports[p]++] = place;
          }
        terms_.push_back(term);
      }
    }

   private:
    friend class BoxRows;
    struct Term {
      int sub;
      int supports[8];
      int corner[8][8];
      CornerPlace place[8][8];
    };
    std::vector<Term> terms_;
  };

  /// One chunk of cubes of E.
  class Elements {
   public:
    Elements(const BoxRows& op, const Plan& plan, const CubeRows<Real>& c, int J, int K, Real*)
        : step_(c.step()) {
      const BoxElements<Real>& fine = op.elements_;
      const WeightRows<Real> weights(c, J, K);
      for (const auto& from : plan.terms_) {
        if (!c.has_row(op.n_, J, K, from.sub)) continue;
        Term& term = terms_[num_terms_++];
        term.fine = fine.values.data() +
                    (std::ptrdiff_t(c.fine_k(K, from.sub)) * op.n_[1] + c.fine_j(J, from.sub)) *
                        box::num_pairs * fine.stride +
                    c.first_i(from.sub);
        term.stride = fine.stride;
        for (int p = 0; p < 8; ++p) {
          term.supports[p] = from.supports[p];
          for (int x = 0; x < from.supports[p]; ++x) {
            term.corner[p][x] = from.corner[p][x];
            term.weight[p][x] = weights(from.place[p][x]);
          }
        }
      }
    }
    void add(int m, Pack<Real> (&e)[box::num_pairs]) const {
      for (int q = 0; q < num_terms_; ++q) {
        const Term& t = terms_[q];
        Pack<Real> fine[box::num_pairs];
        for (int p = 0; p < box::num_pairs; ++p) {
          const Real* from = t.fine + p * t.stride + std::ptrdiff_t(step_) * m;
          if (step_ == 1) {
            fine[p] = load(from);
          } else {
            Real every_other[lanes];
#pragma omp simd
            for (int l = 0; l < lanes; ++l) every_other[l] = from[2 * l];
            fine[p] = load(every_other);
          }
        }
        Pack<Real> y[8][8] = {};
        for (int s = 0; s < 8; ++s)
          for (int x = 0; x < t.supports[s]; ++x) {
            const Pack<Real> w = load(t.weight[s][x] + m);
            for (int r = 0; r < 8; ++r) y[t.corner[s][x]][r] += fine[box::pair_index(r, s)] * w;
          }
        for (int r = 0; r < 8; ++r)
          for (int x = 0; x < t.supports[r]; ++x) {
            const int a = t.corner[r][x];
            const Pack<Real> w = load(t.weight[r][x] + m);
            for (int b = 0; b <= a; ++b) e[box::pair_index(b, a)] += w * y[b][r];
          }
      }
    }

   private:
    struct Term {
      const Real* fine;
      std::ptrdiff_t stride;
      int supports[8];
      int corner[8][8];
      const Real* weight[8][8];
    };
    Term terms_[8];
    int num_terms_ = 0;
    int step_;
  };

 private:
  /// to[m] (+)= factor * array q of row (j, k) at the cell di beside fine point m of type t.
  void add_array(const CubeRows<Real>& c, int j, int k, int q, int di, int t, Real* __restrict__ to,
                 int count, Real factor, bool set) const {
    const Real* array =
        values_.data() + BoxOperator<Real>::guard +
        ((std::ptrdiff_t(k) * n_[1] + j) * BoxOperator<Real>::arrays + q) * 2 * half_;
    if (set) std::fill(to, to + count, Real(0));
    if (c.grid.halved[0]) {
      const int i = (t & 1) + di;  // -1: odd, one back; 0: even; 1: odd; 2: even, one on
      const Real* from = array + (i & 1 ? half_ : 0) + (i < 0 ? -1 : i / 2);
#pragma omp simd
      for (int m = 0; m < count; ++m) to[m] += factor * from[m];
      return;
    }
    for (int m = std::max(0, -di); m < count && m + di < n_[0]; ++m)
      to[m] += factor * array[((m + di) & 1 ? half_ : 0) + (m + di) / 2];
  }

  std::array<int, 3> n_;
  int half_;
  HostView<Real> values_;
  BoxElements<Real> elements_;
};

// --- the steps
// ------------------------------------------------------------------------------------

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
  const std::ptrdiff_t work = std::ptrdiff_t(c.cn[0]) * c.cn[1] * c.cn[2];
  for (int order = 1; order <= 3; ++order) {
    for_planes(c.cn[2], work, [&](int K) {
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
  for_planes(c.cn[2], num_rows * c.cn[0], [&](int K) {
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

template <class Real>
BoxOperator<Real> assemble(const BoxElements<Real>& e) {
  BoxOperator<Real> op;
  op.n = e.n;
  op.half = int(rounded_up((e.n[0] + 1) / 2 + 1, lanes));
  constexpr int arrays = BoxOperator<Real>::arrays;
  const std::ptrdiff_t num_rows = std::ptrdiff_t(e.n[1]) * e.n[2];
  auto host = host_zeros<Real>(BoxOperator<Real>::guard + num_rows * arrays * 2 * op.half + tail);
  Real* values = host.data() + BoxOperator<Real>::guard;
  const int half = op.half;
  for_planes(e.n[2], num_rows * e.n[0], [&](int K) {
    std::vector<Real> acc(e.n[0] + 1);
    for (int J = 0; J < e.n[1]; ++J) {
      Real* row = values + (std::ptrdiff_t(K) * e.n[1] + J) * arrays * 2 * half;
      auto store = [&](int q, Real factor) {
        Real* even = row + q * 2 * half;
        for (int m = 0; m < e.n[0]; ++m) even[(m & 1 ? half : 0) + m / 2] = factor * acc[m];
      };
      gather(e, J, K, 0, 0, 0, acc.data());
      store(0, Real(1));
      for (int m = 0; m < e.n[0]; ++m) acc[m] = acc[m] > 0 ? Real(1) / acc[m] : Real(0);
      store(1, Real(1));
      for (int dz = 0; dz <= 1; ++dz)
        for (int dy = -1; dy <= 1; ++dy)
          for (int dx = -1; dx <= 1; ++dx) {
            if (dz == 0 && (dy < 0 || (dy == 0 && dx <= 0))) continue;
            gather(e, J, K, dx, dy, dz, acc.data());
            store(2 + box::coupling_index(dx, dy, dz), Real(-1));
          }
    }
  });
  op.values = Kokkos::create_mirror_view_and_copy(MemSpace(), host);
  return op;
}

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

std::array<bool, 3> strong_axes(const std::array<int, 3>& n, const double (&strength)[3],
                                double threshold) {
  double largest = 0;
  for (int d = 0; d < 3; ++d)
    if (n[d] > 1) largest = std::max(largest, strength[d]);
  std::array<bool, 3> halved{};
  for (int d = 0; d < 3; ++d)
    halved[d] = n[d] > 1 && strength[d] > 0 && strength[d] >= threshold * largest;
  return halved;
}

/// Rows left out between two that are looked at: a thousand rows say enough.
std::ptrdiff_t row_step(std::ptrdiff_t num_rows) {
  return std::max<std::ptrdiff_t>(1, num_rows / 1024) | 1;  // odd: not always the same y
}

/// Sums over the cells of a row of the couplings along each axis over the diagonal.
template <class From>
struct AxisStrengths {
  NaturalOperator<From> op;
  const From* zero;
  std::ptrdiff_t step;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t r, double& x, double& y, double& z) const {
    const auto f = op.row(r * step, zero);
    const int last = op.n[0] - 1;
    const auto cell = [&](int i, double before, double after, double& ax, double& ay, double& az) {
      const double cx = before + after;
      const double cy = double(f.y_before[i]) + double(f.y[i]);
      const double cz = double(f.z_before[i]) + double(f.z[i]);
      const double d = cx + cy + cz + double(f.wall[i]) + double(f.mass[i]);
      const double inverse = d > 0 ? 1 / d : 0;
      ax += cx * inverse;
      ay += cy * inverse;
      az += cz * inverse;
    };
    double ax = 0, ay = 0, az = 0;
    cell(0, 0, last > 0 ? f.x[0] : From(0), ax, ay, az);
    if (last > 0) cell(last, f.x[last - 1], 0, ax, ay, az);
#pragma omp simd reduction(+ : ax, ay, az)
    for (int i = 1; i < last; ++i) cell(i, f.x[i - 1], f.x[i], ax, ay, az);
    x += ax;
    y += ay;
    z += az;
  }
};

}  // namespace

template <class From>
std::array<bool, 3> choose_axes(const NaturalOperator<From>& op, double threshold) {
  const std::ptrdiff_t step = row_step(op.num_rows());
  const Kokkos::View<From*, MemSpace> zero("multigrid::zero", std::size_t(op.n[0]));
  double strength[3] = {0, 0, 0};
  Kokkos::parallel_reduce("multigrid::axis_strengths",
                          Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<std::ptrdiff_t>>(
                              0, (op.num_rows() + step - 1) / step),
                          AxisStrengths<From>{op, zero.data(), step}, strength[0], strength[1],
                          strength[2]);
  return strong_axes(op.n, strength, threshold);
}

template <class Real>
std::array<bool, 3> choose_axes(const BoxOperator<Real>& op, double threshold) {
  const auto values = on_host(op.values);
  double strength[3] = {0, 0, 0};
  const std::ptrdiff_t num_rows = std::ptrdiff_t(op.n[1]) * op.n[2];
  for (std::ptrdiff_t r = 0; r < num_rows; r += row_step(num_rows)) {
    const Real* row =
        values.data() + BoxOperator<Real>::guard + r * BoxOperator<Real>::arrays * 2 * op.half;
    for (int i = 0; i < op.n[0]; ++i) {
      const int at = (i & 1 ? op.half : 0) + i / 2;
      const double inverse = row[2 * op.half + at];
      for (int dz = 0; dz <= 1; ++dz)
        for (int dy = -1; dy <= 1; ++dy)
          for (int dx = -1; dx <= 1; ++dx) {
            if (dz == 0 && (dy < 0 || (dy == 0 && dx <= 0))) continue;
            const double t =
                inverse * row[(2 + box::coupling_index(dx, dy, dz)) * 2 * op.half + at];
            if (dx) strength[0] += t;
            if (dy) strength[1] += t;
            if (dz) strength[2] += t;
          }
    }
  }
  return strong_axes(op.n, strength, threshold);
}

template <class Real>
BoxCoarse<Real> coarsen_box(const SplitOperator<Real>& op, const std::array<bool, 3>& halved) {
  return coarsen_rows<Real>(SevenPointRows<Real>(op), BoxGrid{op.n, halved});
}

template <class Real>
BoxCoarse<Real> coarsen_box(const BoxOperator<Real>& op, const BoxElements<Real>& elements,
                            const std::array<bool, 3>& halved) {
  return coarsen_rows<Real>(BoxRows<Real>(op, elements), BoxGrid{op.n, halved});
}

template <class Real>
BandMatrix band_matrix(const BoxOperator<Real>& op) {
  const auto values = on_host(op.values);
  BandMatrix matrix;
  matrix.shape = {op.n};
  matrix.size = op.n[0] * op.n[1] * op.n[2];
  for (int k = 0; k < op.n[2]; ++k)
    for (int j = 0; j < op.n[1]; ++j)
      for (int i = 0; i < op.n[0]; ++i) {
        const Real* at = values.data() + BoxOperator<Real>::guard +
                         std::ptrdiff_t(k * op.n[1] + j) * BoxOperator<Real>::arrays * 2 * op.half +
                         (i & 1 ? op.half : 0) + i / 2;
        const int cell = i + op.n[0] * (j + op.n[1] * k);
        matrix.entries.push_back({cell, cell, at[0]});
        for (int dz = 0; dz <= 1; ++dz)
          for (int dy = -1; dy <= 1; ++dy)
            for (int dx = -1; dx <= 1; ++dx) {
              if (dz == 0 && (dy < 0 || (dy == 0 && dx <= 0))) continue;
              const double coupling = at[(2 + box::coupling_index(dx, dy, dz)) * 2 * op.half];
              if (coupling == 0 || i + dx < 0 || j + dy < 0 || i + dx >= op.n[0] ||
                  j + dy >= op.n[1] || k + dz >= op.n[2])
                continue;
              matrix.entries.push_back(
                  {cell + dx + op.n[0] * (dy + op.n[1] * dz), cell, -coupling});
            }
      }
  return matrix;
}

#define MULTIGRID_INSTANTIATE(Real)                                                             \
  template std::array<bool, 3> choose_axes(const NaturalOperator<Real>&, double);               \
  template std::array<bool, 3> choose_axes(const BoxOperator<Real>&, double);                   \
  template BoxCoarse<Real> coarsen_box(const SplitOperator<Real>&, const std::array<bool, 3>&); \
  template BoxCoarse<Real> coarsen_box(const BoxOperator<Real>&, const BoxElements<Real>&,      \
                                       const std::array<bool, 3>&);                             \
  template BandMatrix band_matrix(const BoxOperator<Real>&);
MULTIGRID_INSTANTIATE(float)
MULTIGRID_INSTANTIATE(double)

}  // namespace multigrid
