#include "pieces_level.hpp"

#include <algorithm>

#include "box_hierarchy.hpp"
#include "pc_level.hpp"

namespace multigrid {
namespace {

using IndexView = Kokkos::View<int*, MemSpace>;

IndexView to_device(const std::vector<int>& v) {
  const Kokkos::View<const int*, Kokkos::HostSpace, Kokkos::MemoryUnmanaged> host(v.data(),
                                                                                  v.size());
  IndexView out(Kokkos::view_alloc("multigrid::pieces", Kokkos::WithoutInitializing), v.size());
  Kokkos::deep_copy(out, host);
  return out;
}

template <class Real>
View<Real> to_device(const std::vector<double>& v) {
  Kokkos::View<Real*, Kokkos::HostSpace> host("multigrid::pieces", v.size());
  for (std::size_t i = 0; i < v.size(); ++i) host(i) = Real(v[i]);
  return Kokkos::create_mirror_view_and_copy(MemSpace(), host);
}

/// Children of every piece.
struct Children {
  IndexView begin, child;

  Children() = default;
  Children(const std::vector<int>& parent, int pieces) {
    std::vector<int> first(pieces + 1, 0);
    for (const int p : parent)
      if (p >= 0) ++first[p + 1];
    for (int p = 0; p < pieces; ++p) first[p + 1] += first[p];
    std::vector<int> list(first[pieces]);
    std::vector<int> next(first.begin(), first.end() - 1);
    for (std::size_t c = 0; c < parent.size(); ++c)
      if (parent[c] >= 0) list[next[parent[c]]++] = int(c);
    begin = to_device(first);
    child = to_device(list);
  }
};

template <class Real>
struct SumChildren {
  const int* begin;
  const int* child;
  const Real* residual;
  Real* coarse;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t p) const {
    Real s = 0;
    for (int m = begin[p]; m < begin[p + 1]; ++m) s += residual[child[m]];
    coarse[p] = s;
  }
};

template <class Real, class Op>
struct AddParentOnGrid {
  Op g;
  const int* parent;
  const Real* coarse;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t cell) const {
    const int i = int(cell % g.nx);
    const int p = parent[cell];
    if (p >= 0)
      g.z[g.row(int(cell / g.nx % g.ny), int(cell / g.nx / g.ny)) + (i & 1) * g.half + i / 2] +=
          coarse[p];
  }
};

/// From the cells of a grid to pieces.
template <class Real>
class PieceTransfer {
 public:
  explicit PieceTransfer(const PieceStep& step)
      : halved_(step.halved), pieces_(step.coarse.size()), parent_(to_device(step.parent)) {
    if (!levels_on_host) children_ = Children(step.parent, pieces_);
  }
  [[nodiscard]] const std::array<bool, 3>& halved() const { return halved_; }
  [[nodiscard]] Shape coarse_shape() const { return {{pieces_, 1, 1}}; }
  [[nodiscard]] std::size_t bytes() const {
    return sizeof(int) * (parent_.size() + children_.begin.size() + children_.child.size());
  }
  [[nodiscard]] Work work() const {
    return {cost::graph_setup * double(parent_.size()), cost::piece_transfer * double(parent_.size())};
  }
  void begin_restriction(Real* coarse) const { std::fill(coarse, coarse + pieces_, Real(0)); }
  /// A piece lies in one cube, so that no two threads meet in a coarse number.
  template <class Op>
  void restrict_cubes(const Op& g, int J, int K, Real* scratch, Real* coarse) const {
    Real* even = scratch + row_guard;
    Real* odd = even + g.half + row_guard;
    for (int dk = 0; dk < (halved_[2] ? 2 : 1); ++dk)
      for (int dj = 0; dj < (halved_[1] ? 2 : 1); ++dj) {
        const int j = halved_[1] ? 2 * J + dj : J;
        const int k = halved_[2] ? 2 * K + dk : K;
        if (j >= g.ny || k >= g.nz) continue;
        residual_half(g, 0, j, k, even);
        residual_half(g, 1, j, k, odd);
        const int* parent = parent_.data() + (std::ptrdiff_t(k) * g.ny + j) * g.nx;
        for (int i = 0; i < g.nx; ++i) {
          const Real* r = i & 1 ? odd : even;  // see prolong_row() of box_level.cpp
          if (parent[i] >= 0) coarse[parent[i]] += r[i / 2];
        }
      }
  }
  void end_restriction(Real*) const {}
  void begin_prolongation(const Real*) const {}
  template <class Op>
  void prolong_row(const Op& g, int j, int k, const Real* coarse) const {
    const int* parent = parent_.data() + (std::ptrdiff_t(k) * g.ny + j) * g.nx;
    Real* even = g.z + g.row(j, k);
    Real* odd = even + g.half;
    for (int i = 0; i < g.nx; ++i) {
      Real* z = i & 1 ? odd : even;
      if (parent[i] >= 0) z[i / 2] += coarse[parent[i]];
    }
  }
  template <class Op>
  void restrict_on_device(const Op&, const Real* residual, Real* coarse) const {
    for_cells("multigrid::pieces_restrict", pieces_,
              SumChildren<Real>{children_.begin.data(), children_.child.data(), residual, coarse});
  }
  template <class Op>
  void prolong_on_device(const Op& g, const Real* coarse) const {
    for_cells("multigrid::pieces_prolong", std::ptrdiff_t(g.nx) * g.ny * g.nz,
              AddParentOnGrid<Real, Op>{g, parent_.data(), coarse});
  }

 private:
  std::array<bool, 3> halved_;
  int pieces_;
  IndexView parent_;
  Children children_;
};

/// Rows of couplings: (A z)_p = z_p / inverse_p - sum over couplings of t z_neighbour.
template <class Real>
struct PieceRows {
  const int* begin;
  const int* neighbour;
  const Real* coupling;
  const Real* diagonal;
  const Real* inverse;
  const Real* b;
  Real* z;
  Real omega;

  KOKKOS_INLINE_FUNCTION Real sum(std::ptrdiff_t p) const {
    Real s = b[p];
    for (int q = begin[p]; q < begin[p + 1]; ++q) s += coupling[q] * z[neighbour[q]];
    return s;
  }
};

template <class Real>
struct RelaxPiece {
  PieceRows<Real> rows;
  std::ptrdiff_t first;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t i) const {
    const std::ptrdiff_t p = first + i;
    rows.z[p] += rows.omega * (rows.inverse[p] * rows.sum(p) - rows.z[p]);
  }
};

template <class Real>
struct RestrictPiece {
  PieceRows<Real> rows;
  const int* begin;
  const int* child;
  Real* coarse;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t c) const {
    Real s = 0;
    for (int m = begin[c]; m < begin[c + 1]; ++m) {
      const int p = child[m];
      s += rows.sum(p) - rows.diagonal[p] * rows.z[p];
    }
    coarse[c] = s;
  }
};

template <class Real>
struct AddParent {
  Real* z;
  const int* parent;
  const Real* coarse;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t p) const {
    if (parent[p] >= 0) z[p] += coarse[parent[p]];
  }
};

/// Few pieces are not worth waking the threads.
template <class Kernel>
void for_pieces(const char* label, std::ptrdiff_t n, const Kernel& kernel) {
  if (levels_on_host && n < 2048) {
    for (std::ptrdiff_t i = 0; i < n; ++i) kernel(i);
    return;
  }
  for_cells(label, n, kernel);
}

template <class Real>
class PieceLevel final : public Level<Real> {
 public:
  PieceLevel(const PieceGraph& g, const PieceStep& step, const GridSmoothing& smoothing)
      : smoothing_(smoothing),
        size_(g.size()),
        coarse_size_(step.coarse.size()),
        colour_begin_(g.colour_begin),
        begin_(to_device(g.begin)),
        neighbour_(to_device(g.neighbour)),
        parent_(to_device(step.parent)),
        children_(step.parent, step.coarse.size()),
        coupling_(to_device<Real>(g.coupling)),
        z_("multigrid::z", g.size()) {
    std::vector<double> diagonal(g.size()), inverse(g.size());
    for (int p = 0; p < g.size(); ++p) {
      double d = g.wall[p] + g.mass[p];
      for (int q = g.begin[p]; q < g.begin[p + 1]; ++q) d += g.coupling[q];
      diagonal[p] = d;
      inverse[p] = d > 0 ? 1.0 / d : 0.0;
    }
    diagonal_ = to_device<Real>(diagonal);
    inverse_ = to_device<Real>(inverse);
  }
  Shape shape() const override { return {{size_, 1, 1}}; }
  Shape coarse_shape() const override { return {{coarse_size_, 1, 1}}; }
  std::size_t bytes() const override {
    return sizeof(Real) * (coupling_.size() + 3 * std::size_t(size_)) +
           sizeof(int) * (begin_.size() + neighbour_.size() + parent_.size() +
                          children_.begin.size() + children_.child.size());
  }
  Work work() const override {
    const auto couplings = double(neighbour_.size());
    return {cost::piece_setup * size_,
            cost::piece * couplings * cost::sweeps(smoothing_.pre_sweeps, smoothing_.post_sweeps)};
  }
  void descend(const Rhs<Real>& rhs, Start start, const View<Real>& coarse_rhs) override {
    if (start == Start::zero) Kokkos::deep_copy(z_, Real(0));
    relax(rhs, smoothing_.pre_sweeps, false);
    for_pieces("multigrid::pieces_restrict", coarse_size_,
               RestrictPiece<Real>{rows(rhs), children_.begin.data(), children_.child.data(),
                                   coarse_rhs.data()});
  }
  void ascend(const Rhs<Real>& rhs, const ConstView<Real>& coarse_z,
              Result<Real>& result) override {
    for_pieces("multigrid::pieces_prolong", size_,
               AddParent<Real>{z_.data(), parent_.data(), coarse_z.data()});
    relax(rhs, smoothing_.post_sweeps, smoothing_.symmetric);
    Kokkos::deep_copy(result.level, z_);
  }
  void set_iterate(const ConstView<Real>& z) override { Kokkos::deep_copy(z_, z); }

 private:
  PieceRows<Real> rows(const Rhs<Real>& rhs) const {
    return {begin_.data(),   neighbour_.data(), coupling_.data(), diagonal_.data(),
            inverse_.data(), rhs.level.data(),  z_.data(),        Real(smoothing_.omega)};
  }
  void relax(const Rhs<Real>& rhs, int sweeps, bool back) const {
    const int colours = int(colour_begin_.size()) - 1;
    for (int s = 0; s < sweeps; ++s)
      for (int c = 0; c < colours; ++c) {
        const int colour = back ? colours - 1 - c : c;
        for_pieces("multigrid::pieces_relax", colour_begin_[colour + 1] - colour_begin_[colour],
                   RelaxPiece<Real>{rows(rhs), colour_begin_[colour]});
      }
  }

  GridSmoothing smoothing_;
  int size_, coarse_size_;
  std::vector<int> colour_begin_;
  IndexView begin_, neighbour_, parent_;
  Children children_;
  View<Real> coupling_, diagonal_, inverse_, z_;
};

}  // namespace

template <class Real>
std::unique_ptr<Level<Real>> make_pieces_fine_level(const LevelOperator<Real>& op,
                                                    const PieceStep& step,
                                                    const GridSmoothing& smoothing) {
  return std::make_unique<GridLevel<Real, SevenPoint<Real>, PieceTransfer<Real>>>(
      split_operator(op), PieceTransfer<Real>(step), smoothing);
}

template <class Real>
std::unique_ptr<Level<Real>> make_pieces_level(const PieceGraph& graph, const PieceStep& step,
                                               const GridSmoothing& smoothing) {
  return std::make_unique<PieceLevel<Real>>(graph, step, smoothing);
}

template <class Real>
std::unique_ptr<Hierarchy<Real>> build_pieces_hierarchy(const LevelOperator<Real>& op,
                                                        const PieceOptions& options,
                                                        const GridSmoothing& smoothing) {
  auto hierarchy = std::make_unique<Hierarchy<Real>>();
  const LevelOperator<Real> fine = expanded(squeezed(op));
  PieceStep step = coarsen_pieces(graph_of(fine), options);
  hierarchy->add(make_pieces_fine_level(fine, step, smoothing));
  while (step.coarse.size() > options.direct_size) {
    PieceStep next = coarsen_pieces(step.coarse, options);
    if (next.coarse.size() > 9 * step.coarse.size() / 10) break;  // what is left goes to the solver
    hierarchy->add(make_pieces_level<Real>(step.coarse, next, smoothing));
    step = std::move(next);
  }
  hierarchy->set_coarse_solver(make_band_solver<Real>(band_matrix(step.coarse)));
  return hierarchy;
}

#define MULTIGRID_INSTANTIATE(Real)                                                            \
  template std::unique_ptr<Level<Real>> make_pieces_fine_level(                                \
      const LevelOperator<Real>&, const PieceStep&, const GridSmoothing&);                     \
  template std::unique_ptr<Level<Real>> make_pieces_level(const PieceGraph&, const PieceStep&, \
                                                          const GridSmoothing&);               \
  template std::unique_ptr<Hierarchy<Real>> build_pieces_hierarchy(                            \
      const LevelOperator<Real>&, const PieceOptions&, const GridSmoothing&);
MULTIGRID_INSTANTIATE(float)
MULTIGRID_INSTANTIATE(double)

}  // namespace multigrid
