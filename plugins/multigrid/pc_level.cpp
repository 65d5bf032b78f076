#include "pc_level.hpp"

#include <algorithm>
#include <libsolve/linear/stream_row.hpp>
#include <libsolve/linear/wavefront.hpp>
#include <vector>

#include "cost.hpp"
#include "large_view.hpp"
#include "pc_device.hpp"

namespace multigrid {

using libsolve::plan_wavefront;
using libsolve::run_wavefront;
using libsolve::WavefrontPlan;

namespace pc {
namespace {

// The stages of a fused pass touch more streams of memory than the hardware follows: the stage that
// meets a row first asks for the rows it will meet next.
constexpr int rows_ahead = 2;

template <class Real, bool Variable>
class PcLevel final : public Level<Real> {
 public:
  PcLevel(const LevelOperator<Real>& op, const CoarsenAxes& axes, const PcOptions& options,
          const Cuts* cuts);

  Shape shape() const override { return shape_; }
  Shape coarse_shape() const override { return coarse_shape_; }
  std::size_t bytes() const override { return bytes_; }
  Work work() const override {
    const double stored = 2.0 * g_.half * g_.ny * g_.nz;
    const double visit = Variable ? cost::pc_variable : cost::pc_constant;
    return {Variable ? cost::pc_variable_setup * stored : 0.0,
            visit * stored * cost::sweeps(options_.pre_sweeps, options_.post_sweeps)};
  }
  void descend(const Rhs<Real>& rhs, Start start, const View<Real>& coarse_rhs) override;
  void ascend(const Rhs<Real>& rhs, const ConstView<Real>& coarse_z, Result<Real>& result) override;
  void set_iterate(const ConstView<Real>& z) override {
    for_cells("multigrid::set_iterate", std::ptrdiff_t(g_.half) * g_.ny * g_.nz,
              SetCell<Real>{g_, z.data()});
  }

 private:
  void build_constant(const LevelOperator<Real>& op);
  void build_variable(const LevelOperator<Real>& op);
  void set_cuts(const Cuts& cuts);
  View<Real> allocate(const char* label, std::size_t n);
  void descend_fused(const Source<Real>& source, Start start, Real* coarse);
  void descend_unfused(const Source<Real>& source, Start start, Real* coarse);
  void ascend_fused(const Source<Real>& source, const Real* coarse, Result<Real>& result);
  void ascend_unfused(const Source<Real>& source, const Real* coarse, Result<Real>& result);
  bool red_only() const { return options_.omega == 1.0; }
  int post_colour(int half_sweep) const {
    const bool swapped = options_.order == SweepOrder::symmetric;
    return (half_sweep & 1) ^ (swapped ? 1 : 0);
  }
  WavefrontPlan plan(int stages) const;

  Shape shape_, coarse_shape_;
  PcOptions options_;
  SplitGrid<Real> g_;
  Transfer t_;
  std::size_t bytes_ = 0;
  View<Real> z_, b_, zero_, tables_, coefficients_;
  Kokkos::View<int*, MemSpace> cut_tables_;
  Kokkos::View<double*, Kokkos::HostSpace> row_dots_;
  std::vector<Real> scratch_;  // rows of each worker; kept from cycle to cycle
  std::vector<double> row_scratch_;
};

template <class Real, bool Variable>
View<Real> PcLevel<Real, Variable>::allocate(const char* label, std::size_t n) {
  bytes_ += n * sizeof(Real);
  return libsolve::zero_array<Real>(label, n);
}

template <class Real, bool Variable>
PcLevel<Real, Variable>::PcLevel(const LevelOperator<Real>& op, const CoarsenAxes& axes,
                                 const PcOptions& options, const Cuts* cuts)
    : shape_(op.shape), coarse_shape_(coarsened(op.shape, axes)), options_(options) {
  if (cuts)
    for (int a = 0; a < 3; ++a) coarse_shape_.n[a] = int((*cuts)[a].size()) - 1;
  const Shape n = squeezed(shape_);
  const auto axis = squeezed_axes(shape_);
  auto halved = [&](int a) { return axis[a] >= 0 && axes[axis[a]] && shape_.n[axis[a]] > 1; };
  auto coarse_n = [&](int a) { return axis[a] >= 0 ? coarse_shape_.n[axis[a]] : 1; };
  t_ = {coarse_n(0), coarse_n(1), coarse_n(2), halved(0), halved(1), halved(2)};
  g_.nx = n.n[0];
  g_.ny = n.n[1];
  g_.nz = n.n[2];
  g_.half = ((n.n[0] + 1) / 2 + row_multiple - 1) / row_multiple * row_multiple;
  g_.omega = Real(options.omega);
  g_.plane = plane_stride(2 * g_.half * g_.ny, sizeof(Real));
  const std::size_t total = std::size_t(g_.plane) * g_.nz;
  z_ = allocate("multigrid::z", total + 2 * row_guard);
  b_ = allocate("multigrid::b", total + 2 * row_guard);
  zero_ = allocate("multigrid::zero", g_.half + 2 * row_guard);
  g_.z = z_.data() + row_guard;
  g_.b = b_.data() + row_guard;
  g_.zero = zero_.data() + row_guard;
  if constexpr (Variable)
    build_variable(op);
  else
    build_constant(op);
  if (cuts) set_cuts(*cuts);
}

template <class Real, bool Variable>
void PcLevel<Real, Variable>::set_cuts(const Cuts& cuts) {
  const auto axis = squeezed_axes(shape_);
  const auto along = [&](int a) { return axis[a] >= 0 ? cuts[axis[a]] : std::vector<int>{0, 1}; };
  const std::vector<int> x = along(0), y = along(1), z = along(2);
  const auto parents = [](const std::vector<int>& first) {
    std::vector<int> parent(first.back());
    for (std::size_t c = 0; c + 1 < first.size(); ++c)
      for (int i = first[c]; i < first[c + 1]; ++i) parent[i] = int(c);
    return parent;
  };
  std::vector<int> all, begin;
  const auto append = [&](const std::vector<int>& v) {
    begin.push_back(int(all.size()));
    all.insert(all.end(), v.begin(), v.end());
  };
  const int half = g_.half;
  std::vector<int> parent_x(2 * half, 0), child_a(t_.cnx), child_b(t_.cnx, 2 * half);
  for (int c = 0; c < t_.cnx; ++c)
    for (int i = x[c]; i < x[c + 1]; ++i) {
      const int at = (i & 1) * half + i / 2;
      parent_x[at] = c;
      (i == x[c] ? child_a : child_b)[c] = at;
    }
  for (const auto& v : {y, z, parents(y), parents(z), parent_x, child_a, child_b}) append(v);
  cut_tables_ = index_view(all);
  bytes_ += sizeof(int) * all.size();
  const int* at = cut_tables_.data();
  const int** to[] = {&t_.first_y,  &t_.first_z, &t_.parent_y, &t_.parent_z,
                      &t_.parent_x, &t_.child_a, &t_.child_b};
  for (int q = 0; q < 7; ++q) *to[q] = at + begin[q];
}

template <class Real, bool Variable>
void PcLevel<Real, Variable>::build_constant(const LevelOperator<Real>& op) {
  const auto axis = squeezed_axes(op.shape);
  double shift = op.shift;  // with the sides of axes of one cell
  for (int a = 0; a < 3; ++a)
    if (op.shape.n[a] == 1) shift += op.side[a][0] + op.side[a][1];
  g_.shift = Real(shift);
  for (int a = 0; a < 3; ++a) {
    if (axis[a] < 0) continue;
    g_.T[a] = Real(op.coupling[axis[a]]);
    for (int s = 0; s < 2; ++s) g_.side[a][s] = Real(op.side[axis[a]][s]);
  }
  for (int side = 0; side < 64; ++side) {
    double d = shift;
    for (int a = 0; a < 3; ++a) {
      if (axis[a] < 0) continue;
      const int flags = side >> (a == 0 ? 0 : 2 * a) & 3;
      for (int s = 0; s < 2; ++s) d += flags >> s & 1 ? op.side[axis[a]][s] : op.coupling[axis[a]];
    }
    g_.relax[side >> 2][side & 3] = d > 0 ? Real(options_.omega / d) : Real(0);
  }
  const int half = g_.half;
  tables_ = allocate("multigrid::tables", std::size_t(34) * half);
  auto table = Kokkos::create_mirror_view(tables_);
  for (int o = 0; o < 2; ++o) {
    for (int m = 0; m < g_.count(o); ++m) {
      const int i = 2 * m + o;
      const int ends = (i == 0 ? 1 : 0) + (i + 1 == g_.nx ? 2 : 0);
      for (int side = 0; side < 16; ++side) table[(2 * side + o) * half + m] = g_.relax[side][ends];
      if (o == 0 ? i > 0 : i + 1 < g_.nx) table[(32 + o) * half + m] = g_.T[0];
    }
  }
  Kokkos::deep_copy(tables_, table);
  g_.relax_rows = tables_.data();
  g_.outer_rows = tables_.data() + std::ptrdiff_t(32) * half;
}

template <class Real, bool Variable>
void PcLevel<Real, Variable>::build_variable(const LevelOperator<Real>& op) {
  const auto axis = squeezed_axes(op.shape);
  const std::size_t total = std::size_t(g_.plane) * g_.nz;
  coefficients_ = allocate("multigrid::coefficients", 4 * total + 6 * row_guard);
  Real* at = coefficients_.data() + row_guard;
  Real* f[5];
  for (int i = 0; i < 5; ++i) {
    f[i] = at;
    at += (i < 2 ? total / 2 : total) + row_guard;
  }
  const SplitCoefficients<Real> kernel{g_,
                                       f[0],
                                       f[1],
                                       f[2],
                                       f[3],
                                       f[4],
                                       axis[0] >= 0 ? op.face[axis[0]].data() : nullptr,
                                       axis[1] >= 0 ? op.face[axis[1]].data() : nullptr,
                                       axis[2] >= 0 ? op.face[axis[2]].data() : nullptr,
                                       op.wall.data(),
                                       op.mass.data()};
  Kokkos::parallel_for("multigrid::split_coefficients",
                       Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<std::ptrdiff_t>>(
                           0, std::ptrdiff_t(g_.ny) * g_.nz),
                       kernel);
  g_.fx_inner = f[0];
  g_.fx_outer = f[1];
  g_.fy = f[2];
  g_.fz = f[3];
  g_.inverse = f[4];
}

template <class Real, bool Variable>
WavefrontPlan PcLevel<Real, Variable>::plan(int stages) const {
  int tile = options_.tile;
  if (tile <= 0) {
    // (stages + 2) planes of b, z and coefficients of a tile within half of a 1 MiB L2
    const double row_bytes = 2.0 * g_.half * sizeof(Real) * (Variable ? 6 : 2);
    tile = std::max(16, int(0.5 * (1 << 20) / (row_bytes * (stages + 2))));
  }
  const int threads = options_.slabs > 0 ? options_.slabs : host_threads();
  WavefrontPlan plan = plan_wavefront(g_.ny, g_.nz, stages, tile, threads);
  return plan;
}

template <class Real, bool Variable>
void PcLevel<Real, Variable>::descend_fused(const Source<Real>& source, Start start, Real* coarse) {
  const int half_sweeps = 2 * options_.pre_sweeps;
  const bool from_zero = start == Start::zero;
  const SplitGrid<Real> g = g_;
  const Transfer t = t_;
  const bool only_red = red_only();
  const std::ptrdiff_t row_length = 2 * std::ptrdiff_t(g.half);
  // Slabs begin at even planes, and so do pairs; where they do not, one more stage keeps what a
  // pair reads in front of it.
  const int last = half_sweeps + (t.is_cut() ? 1 : 0);
  const WavefrontPlan wave = plan(last + 1);
  scratch_.resize(std::size_t(2) * wave.slabs * (2 * g.half + row_multiple));
  Real* const scratch = scratch_.data();
  run_wavefront(wave, [&](int worker, int s, int row0, int row1, int k) {
    if (s < half_sweeps) {
      const int c = s & 1;
      if (from_zero && s == 0) {
        for (int j = row0; j < row1; ++j) {
          const std::ptrdiff_t row = std::ptrdiff_t(k) * g.ny + j;
          const int flip = (j + k) & 1;
          prefetch<1>(g.b + g.offset(0, j + rows_ahead, k), row_length);
          prefetch<1>(g.z + g.offset(0, j + rows_ahead, k), row_length);
          Real* even = g.b + g.offset(flip, j, k);
          Real* odd = g.b + g.offset(1 - flip, j, k);
          if (source.outer) {
            prefetch(source.outer + (row + rows_ahead) * g.nx, g.nx);
            load_outer_row(source.outer + row * g.nx, source.scale, g.nx, even, odd);
          } else {
            load_row(source.level + row * g.nx, Real(1), g.nx, even, odd);
          }
        }
        relax_rows<Real, Variable, Old::zero_all>(g, c, row0, row1, k);
      } else if (from_zero && s == 1) {
        relax_rows<Real, Variable, Old::zero_own>(g, c, row0, row1, k);
      } else {
        relax_rows<Real, Variable, Old::any>(g, c, row0, row1, k);
      }
      return;
    }
    if (s < last) return;
    // residual and restriction, at the last fine row of each coarse row
    if (!t.ends_k(k, g.nz)) return;
    const int ck = t.coarse_k(k);
    const int k0 = t.first_k(ck);
    Real* acc = scratch + std::size_t(worker) * (2 * g.half + row_multiple);
    for (int j = row0; j < row1; ++j) {
      if (!t.ends_j(j, g.ny)) continue;
      const int cj = t.coarse_j(j);
      const int j0 = t.first_j(cj);
      Real* to = coarse + (std::ptrdiff_t(ck) * t.cny + cj) * t.cnx;
      if constexpr (!Variable) {
        if (t.x) {
          restrict_rows_constant(g, t.cnx, j0, j + 1, k0, k + 1, acc);
          for (int m = 0; m < t.cnx; ++m) to[m] = acc[m];
          continue;
        }
      }
      restrict_rows<Real, Variable>(g, t, only_red, j0, j + 1, k0, k + 1, acc, to);
    }
  });
}

template <class Real, bool Variable>
void PcLevel<Real, Variable>::ascend_fused(const Source<Real>& source, const Real* coarse,
                                           Result<Real>& result) {
  const int half_sweeps = 2 * options_.post_sweeps;
  const SplitGrid<Real> g = g_;
  const Transfer t = t_;
  const std::ptrdiff_t rows = std::ptrdiff_t(g.ny) * g.nz;
  const bool merge = !Variable && t.x && half_sweeps > 0;
  const bool dots = result.is_outer();
  const double* other = result.other.data();
  if (dots && row_dots_.extent(0) == 0)
    row_dots_ = Kokkos::View<double*, Kokkos::HostSpace>("multigrid::row_dots", 2 * rows);
  double* row_dots = row_dots_.data();
  const std::ptrdiff_t row_length = 2 * std::ptrdiff_t(g.half);
  WavefrontPlan wave = plan(half_sweeps + 1);
  wave.turn = 1;  // the last stage waits for memory most
  row_scratch_.resize(std::size_t(2) * wave.slabs * (g.nx + 8));
  double* const scratch = row_scratch_.data();
  const bool bypass = dots && std::size_t(rows) * g.nx * sizeof(double) >= libsolve::stream_bytes;
  run_wavefront(wave, [&](int worker, int s, int row0, int row1, int k) {
    if (s == 0) {
      // the colour relaxed first gets its correction while it is relaxed, where that is possible
      const int c = post_colour(0);
      for (int j = row0; j < row1; ++j) {
        prefetch(g.b + g.offset(0, j + rows_ahead, k), row_length);
        prefetch<1>(g.z + g.offset(0, j + rows_ahead, k), row_length);
        prolong_half_row<Real, Variable>(g, t, coarse, 1 - c, j, k);
        if (!merge) prolong_half_row<Real, Variable>(g, t, coarse, c, j, k);
      }
    } else if (s == 1 && merge) {
      if constexpr (!Variable)
        for (int j = row0; j < row1; ++j)
          relax_row_constant<Real, Old::any, true>(g, post_colour(0), j, k,
                                                   coarse_row(t, coarse, j, k));
    } else {
      relax_rows<Real, Variable, Old::any>(g, post_colour(s - 1), row0, row1, k);
    }
    if (s < half_sweeps) return;
    double* buffer = scratch + std::size_t(worker) * (g.nx + 8);
    for (int j = row0; j < row1; ++j) {
      const std::ptrdiff_t row = std::ptrdiff_t(k) * g.ny + j;
      const int flip = (j + k) & 1;
      const Real* even = g.z + g.offset(flip, j, k);
      const Real* odd = g.z + g.offset(1 - flip, j, k);
      if (!dots) {
        store_row(even, odd, g.nx, Real(1), result.level.data() + row * g.nx);
        continue;
      }
      double* to = result.outer.data() + row * g.nx;
      double* z = bypass ? buffer : to;
      if (!bypass) prefetch<1>(to + rows_ahead * g.nx, g.nx);
      if (other) prefetch(other + (row + rows_ahead) * g.nx, g.nx);
      store_row(even, odd, g.nx, result.scale, z);
      // rhs from the level's own copy, already in the cache
      const Real* bs = g.b + g.offset(0, j, k);
      const Real* zs = g.z + g.offset(0, j, k);
      double a = 0, b = 0;
#pragma omp simd reduction(+ : a)
      for (int m = 0; m < 2 * g.half; ++m) a += double(bs[m]) * double(zs[m]);
      if (other) {
        const double* q = other + row * g.nx;
#pragma omp simd reduction(+ : b)
        for (int i = 0; i < g.nx; ++i) b += z[i] * q[i];
      }
      if (bypass) libsolve::stream_row(z, g.nx, to);
      row_dots[2 * row] = a;
      row_dots[2 * row + 1] = b;
    }
  });
  if (!dots) return;
  double a = 0, b = 0;
#pragma omp simd reduction(+ : a, b)
  for (std::ptrdiff_t row = 0; row < rows; ++row) {
    a += row_dots[2 * row];
    b += row_dots[2 * row + 1];
  }
  result.dot_rhs = a * (result.scale / source.scale);
  result.dot_other = b;
}

template <class Real, bool Variable>
void PcLevel<Real, Variable>::descend_unfused(const Source<Real>& source, Start start,
                                              Real* coarse) {
  const std::ptrdiff_t cells = std::ptrdiff_t(g_.half) * g_.ny * g_.nz;
  if (start == Start::zero) for_cells("multigrid::load", cells, LoadCell<Real>{g_, source});
  for (int s = 0; s < 2 * options_.pre_sweeps; ++s) {
    const Old old =
        start == Start::zero && s < 2 ? (s == 0 ? Old::zero_all : Old::zero_own) : Old::any;
    for_cells("multigrid::relax", cells, RelaxCell<Real, Variable>{g_, s & 1, old});
  }
  for_cells("multigrid::restrict", std::ptrdiff_t(t_.cnx) * t_.cny * t_.cnz,
            RestrictCell<Real, Variable>{g_, t_, red_only(), coarse});
}

template <class Real, bool Variable>
void PcLevel<Real, Variable>::ascend_unfused(const Source<Real>& source, const Real* coarse,
                                             Result<Real>& result) {
  const std::ptrdiff_t cells = std::ptrdiff_t(g_.half) * g_.ny * g_.nz;
  for_cells("multigrid::prolong", cells, ProlongCell<Real, Variable>{g_, t_, coarse});
  for (int s = 0; s < 2 * options_.post_sweeps; ++s)
    for_cells("multigrid::relax", cells, RelaxCell<Real, Variable>{g_, post_colour(s), Old::any});
  for_cells("multigrid::publish", cells,
            PublishCell<Real>{g_, result.level.data(), result.outer.data(), result.scale});
  if (!result.is_outer()) return;
  Kokkos::parallel_reduce(
      "multigrid::dots",
      Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<std::ptrdiff_t>>(0, shape_.size()),
      DotCell{result.outer.data(), source.outer, result.other.data()}, result.dot_rhs,
      result.dot_other);
}

template <class Real, bool Variable>
void PcLevel<Real, Variable>::descend(const Rhs<Real>& rhs, Start start,
                                      const View<Real>& coarse_rhs) {
  const Source<Real> source{rhs.level.data(), rhs.outer.data(), rhs.scale};
  if constexpr (levels_on_host) {
    if (options_.fused) return descend_fused(source, start, coarse_rhs.data());
  }
  descend_unfused(source, start, coarse_rhs.data());
}

template <class Real, bool Variable>
void PcLevel<Real, Variable>::ascend(const Rhs<Real>& rhs, const ConstView<Real>& coarse_z,
                                     Result<Real>& result) {
  const Source<Real> source{rhs.level.data(), rhs.outer.data(), rhs.scale};
  if constexpr (levels_on_host) {
    if (options_.fused) return ascend_fused(source, coarse_z.data(), result);
  }
  ascend_unfused(source, coarse_z.data(), result);
}

}  // namespace
}  // namespace pc

template <class Real>
std::unique_ptr<Level<Real>> make_pc_level(const LevelOperator<Real>& op, const CoarsenAxes& axes,
                                           const PcOptions& options, const Cuts* cuts) {
  if (op.is_constant && !cuts)
    return std::make_unique<pc::PcLevel<Real, false>>(op, axes, options, nullptr);
  return std::make_unique<pc::PcLevel<Real, true>>(expanded(op), axes, options, cuts);
}

template std::unique_ptr<Level<float>> make_pc_level(const LevelOperator<float>&,
                                                     const CoarsenAxes&, const PcOptions&,
                                                     const Cuts*);
template std::unique_ptr<Level<double>> make_pc_level(const LevelOperator<double>&,
                                                      const CoarsenAxes&, const PcOptions&,
                                                     const Cuts*);

}  // namespace multigrid
