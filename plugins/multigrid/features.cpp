#include "features.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/random.hpp>
#include <limits>
#include <vector>

namespace multigrid {
namespace {

using libsolve::StencilOperator;
using HostNumbers = Kokkos::View<const double*, Kokkos::HostSpace>;

/// Couplings of any storage, by cell.
class Couplings {
 public:
  explicit Couplings(const StencilOperator& A) : constant_(A.is_constant()) {
    for (int a = 0; a < 3; ++a) n_[a] = A.grid().cells[a];
    if (constant_) {
      for (int a = 0; a < 3; ++a) coupling_[a] = n_[a] > 1 ? A.constant().coupling[a] : 0.0;
      shift_ = A.constant().shift;
      return;
    }
    const auto& v = A.variable();
    for (int a = 0; a < 3; ++a)
      if (n_[a] > 1) face_[a] = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v.face[a]);
    excess_ = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v.excess);
  }
  [[nodiscard]] int n(int a) const { return n_[a]; }
  [[nodiscard]] bool is_constant() const { return constant_; }
  /// Between the cell and the next one along the axis; 0 at the end.
  [[nodiscard]] double after(const std::array<int, 3>& at, int axis) const {
    if (at[axis] + 1 >= n_[axis]) return 0.0;
    return constant_ ? coupling_[axis] : face_[axis](index(at));
  }
  [[nodiscard]] double before(std::array<int, 3> at, int axis) const {
    if (at[axis] == 0) return 0.0;
    --at[axis];
    return after(at, axis);
  }
  [[nodiscard]] double excess(const std::array<int, 3>& at) const {
    return constant_ ? shift_ : excess_(index(at));
  }

  /// Couplings of the cells of a row from some cell on.
  struct Row {
    std::array<const double*, 3> face{};  // of the first cell; null: constant
    std::array<std::ptrdiff_t, 3> back{};
    std::array<double, 3> uniform{};
    std::array<bool, 3> has_before{}, has_after{};  // along y and z
    int first = 0, n = 1;
    [[nodiscard]] double after(int a, int x) const {
      if (a == 0 ? first + x + 1 >= n : !has_after[a]) return 0.0;
      return face[a] ? face[a][x] : uniform[a];
    }
    [[nodiscard]] double before(int a, int x) const {
      if (a == 0 ? first + x == 0 : !has_before[a]) return 0.0;
      return face[a] ? face[a][x - back[a]] : uniform[a];
    }
  };
  [[nodiscard]] Row row(const std::array<int, 3>& at) const {
    Row r;
    r.first = at[0];
    r.n = n_[0];
    r.back = {1, n_[0], std::ptrdiff_t(n_[0]) * n_[1]};
    for (int a = 0; a < 3; ++a) {
      r.uniform[a] = coupling_[a];
      r.has_before[a] = at[a] > 0;
      r.has_after[a] = at[a] + 1 < n_[a];
      if (!constant_ && n_[a] > 1) r.face[a] = face_[a].data() + index(at);
    }
    return r;
  }

 private:
  [[nodiscard]] std::ptrdiff_t index(const std::array<int, 3>& at) const {
    return at[0] + std::ptrdiff_t(n_[0]) * (at[1] + std::ptrdiff_t(n_[1]) * at[2]);
  }
  bool constant_;
  std::array<int, 3> n_{};
  std::array<double, 3> coupling_{};
  double shift_ = 0.0;
  HostNumbers face_[3], excess_;
};

/// One box of cells, copied out.
struct SampledBox {
  std::array<int, 3> first{}, size{1, 1, 1};
  std::vector<std::array<double, 3>> after;  // couplings to the next cell inside, else 0
  std::vector<double> largest;               // coupling of the cell, to anywhere
  std::vector<int> root;
  double smallest_inside = 0.0, largest_of_all = 0.0;

  [[nodiscard]] int cells() const { return size[0] * size[1] * size[2]; }
  [[nodiscard]] int step(int a) const { return a == 0 ? 1 : a == 1 ? size[0] : size[0] * size[1]; }
  template <class Use>
  void for_each(const Use& use) const {
    std::array<int, 3> in{};
    int c = 0;
    for (in[2] = 0; in[2] < size[2]; ++in[2])
      for (in[1] = 0; in[1] < size[1]; ++in[1])
        for (in[0] = 0; in[0] < size[0]; ++in[0]) use(c++, in);
  }
  void read(const Couplings& A) {
    after.assign(cells(), {0, 0, 0});
    largest.assign(cells(), 0.0);
    smallest_inside = std::numeric_limits<double>::infinity();
    largest_of_all = 0.0;
    int c = 0;
    for (int z = 0; z < size[2]; ++z)
      for (int y = 0; y < size[1]; ++y) {
        const Couplings::Row row = A.row({first[0], first[1] + y, first[2] + z});
        const bool inside[3] = {true, y + 1 < size[1], z + 1 < size[2]};
        for (int x = 0; x < size[0]; ++x, ++c) {
          double most = 0.0;
          for (int a = 0; a < 3; ++a) {
            const double t = row.after(a, x);
            most = std::max({most, t, row.before(a, x)});
            if (a == 0 ? x + 1 == size[0] : !inside[a]) continue;
            after[c][a] = t;
            smallest_inside = std::min(smallest_inside, t);
          }
          largest[c] = most;
          largest_of_all = std::max(largest_of_all, most);
        }
      }
  }
  int find(int c) {
    while (root[c] != c) c = root[c] = root[root[c]];
    return c;
  }
  /// Pieces of coupled cells, by couplings above `part` of the largest of both cells.
  int pieces(double part) {
    if (smallest_inside > 0.0 && smallest_inside >= part * largest_of_all) return 1;
    root.resize(cells());
    int count = 0;
    for (int c = 0; c < cells(); ++c) {
      root[c] = c;
      if (largest[c] > 0) ++count;
    }
    for (int c = 0; c < cells(); ++c)
      for (int a = 0; a < 3; ++a) {
        const double t = after[c][a];
        if (t <= 0) continue;
        const int d = c + step(a);
        if (t < part * std::max(largest[c], largest[d])) continue;
        const int p = find(c), q = find(d);
        if (p == q) continue;
        root[p] = q;
        --count;
      }
    return count;
  }
};

/// Sums over boxes of what features.hpp lists for a scale.
struct ScaleSums {
  double range = 0, wide = 0, split = 0, split_strong = 0, mixed = 0;
  double narrow = 0;
  int planes = 0, boxes = 0;

  void add(SampledBox& box) {
    ++boxes;
    int coupled = 0;
    for (const double t : box.largest) coupled += t > 0 ? 1 : 0;
    if (coupled == 0) return;
    double decades = 0;
    for (int a = 0; a < 3; ++a) {
      double lo = 0, hi = 0;
      for (const auto& t : box.after) {
        if (t[a] <= 0) continue;
        lo = lo == 0 ? t[a] : std::min(lo, t[a]);
        hi = std::max(hi, t[a]);
      }
      if (lo > 0) decades = std::max(decades, std::log10(hi / lo));
    }
    range += std::min(decades, 12.0) / 6;
    wide += decades > 1 ? 1 : 0;
    split += box.pieces(0.0) > 1 ? 1 : 0;
    split_strong += box.pieces(0.1) > 1 ? 1 : 0;
    mixed += coupled < box.cells() ? 1 : 0;
    for (int a = 0; a < 3; ++a) add_middle(box, a);
  }
  void add_middle(const SampledBox& box, int a) {
    const int half = box.size[a] / 2;
    if (half == 0 || 2 * half != box.size[a]) return;
    double across = 0, inside[2] = {0, 0};
    box.for_each([&](int c, const std::array<int, 3>& in) {
      const double t = box.after[c][a];
      if (in[a] == half - 1)
        across += t;
      else
        inside[in[a] < half ? 0 : 1] += t / std::max(1, half - 1);
    });
    if (across <= 0) return;
    double resistance = 1;
    for (const double g : inside) {
      // a half of one cell along the axis: what it has inside is unknown, and taken as uniform
      if (half == 1) resistance += 0.5;
      if (half > 1) resistance += g > 0 ? 0.5 * across / g : 0.0;
    }
    narrow += 2 / resistance - 1;
    ++planes;
  }
  void write(double* to) const {
    const double n = std::max(1, boxes);
    to[0] = range / n;
    to[1] = wide / n;
    to[2] = split / n;
    to[3] = split_strong / n;
    to[4] = mixed / n;
    to[5] = planes > 0 ? narrow / planes : 0.0;
  }
};

/// Types of cells and the mean couplings along the axes, over the cells of the smallest boxes.
struct CellSums {
  double solid = 0, open_wall = 0, narrow = 0, bent = 0;
  std::array<double, 3> strength{};
  int cells = 0;

  void add(const Couplings& A, const std::array<int, 3>& at) {
    ++cells;
    double sum = 0, along[3] = {0, 0, 0};
    int open = 0, closed = 0;
    for (int a = 0; a < 3; ++a) {
      if (A.n(a) == 1) continue;
      for (const double t : {A.before(at, a), A.after(at, a)}) {
        along[a] += t;
        sum += t;
        open += t > 0 ? 1 : 0;
      }
      closed += at[a] > 0 && A.before(at, a) == 0 ? 1 : 0;
      closed += at[a] + 1 < A.n(a) && A.after(at, a) == 0 ? 1 : 0;
    }
    if (sum <= 0) {
      solid += 1;
      return;
    }
    if (closed > 0 && A.excess(at) <= 1e-3 * sum) {
      open_wall += 1;
      narrow += open <= 2 ? 1 : 0;
      bent += open == 3 || open == 4 ? 1 : 0;
    }
    for (int a = 0; a < 3; ++a) strength[a] += along[a] / sum;
  }
};

constexpr std::array<int, feature_scales> num_boxes{256, 48, 10};

std::array<bool, 3> strong_axes_of(const Couplings& A, const std::array<double, 3>& strength) {
  const double most = std::max({strength[0], strength[1], strength[2]});
  std::array<bool, 3> strong{};
  for (int a = 0; a < 3; ++a)
    strong[a] = A.n(a) > 1 && strength[a] > 0 && strength[a] >= 0.5 * most;
  return strong;
}

/// Place q of the sample: a box whose first cell is a multiple of its size.
SampledBox place(const Couplings& A, const libsolve::RandomStream& stream, int q, int edge,
                 const std::array<bool, 3>& along) {
  SampledBox box;
  for (int a = 0; a < 3; ++a) {
    box.size[a] = along[a] ? std::min(edge, A.n(a)) : 1;
    const int places = std::max(1, A.n(a) / box.size[a]);
    box.first[a] = box.size[a] * std::min(places - 1, int(places * stream.uniform(3 * q + a)));
  }
  return box;
}

}  // namespace

Features features_of(Survey& survey) {
  const Couplings couplings(survey.A());
  const libsolve::RandomStream stream(1, "multigrid::features");
  CellSums cells;
  const std::array<bool, 3> everywhere{couplings.n(0) > 1, couplings.n(1) > 1, couplings.n(2) > 1};
  const auto boxes = [&](int s) { return couplings.is_constant() ? 1 : num_boxes[s]; };
  for (int q = 0; q < boxes(0); ++q) {
    const SampledBox box = place(couplings, stream, q, 2, everywhere);
    box.for_each([&](int, const std::array<int, 3>& in) {
      cells.add(couplings, {box.first[0] + in[0], box.first[1] + in[1], box.first[2] + in[2]});
    });
  }
  const auto strong = strong_axes_of(couplings, cells.strength);

  Features f{};
  auto sorted = cells.strength;
  std::sort(sorted.rbegin(), sorted.rend());
  const auto decades = [](double of, double to) {
    return of > 0 && to > 0 ? std::clamp(std::log10(of / to), -4.0, 4.0) : -4.0;
  };
  double unknowns = 1;
  for (int a = 0; a < 3; ++a) unknowns *= couplings.n(a);
  const double n = std::max(1, cells.cells);
  f[0] = decades(sorted[1], sorted[0]) / 3;
  f[1] = decades(sorted[2], sorted[0]) / 3;
  f[2] = strong[0] ? 1 : 0;
  f[3] = couplings.is_constant() ? 1 : 0;
  f[4] = std::log2(unknowns) / 24;
  const CoarseningChoice& all = survey.choice();
  f[5] = all.smallest_coupling > 0
             ? std::min(12.0, std::log10(all.largest_coupling / all.smallest_coupling)) / 6
             : 0;
  f[6] = cells.solid / n;
  f[7] = cells.open_wall / n;
  f[8] = 4 * cells.narrow / n;
  f[9] = 4 * cells.bent / n;
  const Coarsening kind = survey.coarsening();
  f[10] = kind == Coarsening::aligned ? 1 : 0;
  f[11] = kind == Coarsening::operator_dependent ? 1 : 0;
  f[12] = kind == Coarsening::connected_pieces ? 1 : 0;
  f[13] = kind == Coarsening::aligned
              ? std::log2(unknowns / double(survey.cuts()->shape().size())) / 3
              : 0;
  for (int s = 0; s < feature_scales; ++s) {
    ScaleSums sums;
    const libsolve::RandomStream places(2 + s, "multigrid::features");
    for (int q = 0; q < boxes(s); ++q) {
      SampledBox box = place(couplings, places, q, 2 << s, strong);
      box.read(couplings);
      sums.add(box);
    }
    sums.write(f.data() + global_features + s * features_a_scale);
  }
  return f;
}

}  // namespace multigrid
