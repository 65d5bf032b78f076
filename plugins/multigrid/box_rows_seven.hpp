/// \file
/// The box set-up's view of the 7-point operator of the finest grid: collapsed rows for the
/// weights, and the elements W^T E W of the coarse cubes as a sum over faces and cells.
#pragma once

#include <array>
#include <vector>

#include "box_cubes.hpp"
#include "split_rows.hpp"

namespace multigrid::box {

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

}  // namespace multigrid::box
