/// \file
/// The box set-up's view of a 27-point operator: collapsed rows for the weights, and the elements
/// of the coarse cubes as a sum over the fine cubes inside.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "box_cubes.hpp"

namespace multigrid::box {

inline constexpr double row_sum_tolerance = 1e-6;

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

}  // namespace multigrid::box
