/// \file
/// A level on a structured grid: smoother and storage, for any transfer.
#pragma once

#include <libsolve/core/large_array.hpp>
#include <libsolve/linear/wavefront.hpp>
#include <utility>
#include <vector>

#include "cost.hpp"
#include "split_operator.hpp"
#include "split_rows.hpp"

namespace multigrid {

struct GridSmoothing {
  int pre_sweeps = 2;      ///< >= 1
  int post_sweeps = 2;     ///< >= 0
  double omega = 1.1;      ///< in (0, 2); 1.1 saves a step where flexible CG is outside
  bool symmetric = false;  ///< post-sweeps in the reverse order of colours
};

/// Gauss-Seidel in the colours of Op (SevenPoint or TwentySevenPoint). On the host all sweeps of a
/// call and the transfer go through memory once. Transfer has, beside halved(), coarse_shape(),
/// bytes() and work(), for the host
///   begin_restriction(coarse);  restrict_cubes(g, J, K, scratch, coarse) for every row (J, K) of
///   cubes, each by one thread, rows of one plane K by the same;  end_restriction(coarse);
///   begin_prolongation(coarse);  prolong_row(g, j, k, coarse) for every row,
/// and restrict_on_device(g, residual, coarse), prolong_on_device(g, coarse).
template <class Real, class Op, class Transfer>
class GridLevel final : public Level<Real> {
 public:
  /// The 7-point operator; the memory of its excess becomes that of the right-hand side.
  GridLevel(const SplitOperator<Real>& op, Transfer transfer, const GridSmoothing& smoothing);
  /// The 27-point operator.
  GridLevel(const BoxOperator<Real>& op, Transfer transfer, const GridSmoothing& smoothing);

  Shape shape() const override { return {{g_.nx, g_.ny, g_.nz}}; }
  Shape coarse_shape() const override { return t_.coarse_shape(); }
  std::size_t bytes() const override { return bytes_; }
  Work work() const override {
    const double stored = 2.0 * g_.half * g_.ny * g_.nz;
    Work sum{stored * (finest ? cost::seven_point_setup : cost::full_box_setup),
             stored * (finest ? cost::seven_point : cost::full_box) *
                 cost::sweeps(smoothing_.pre_sweeps, smoothing_.post_sweeps)};
    return sum += t_.work();
  }
  void descend(const Rhs<Real>& rhs, Start start, const View<Real>& coarse_rhs) override {
    const Source<Real> source{rhs.level.data(), rhs.outer.data(), rhs.scale};
    if constexpr (levels_on_host)
      descend_host(source, start, coarse_rhs.data());
    else
      descend_device(source, start, coarse_rhs.data());
  }
  void ascend(const Rhs<Real>& rhs, const ConstView<Real>& coarse_z,
              Result<Real>& result) override {
    const Source<Real> source{rhs.level.data(), rhs.outer.data(), rhs.scale};
    if constexpr (levels_on_host)
      ascend_host(source, coarse_z.data(), result);
    else
      ascend_device(source, coarse_z.data(), result);
  }
  void set_iterate(const ConstView<Real>& z) override {
    for_cells("multigrid::set_iterate", cells(), SetCell<Real>{g_, z.data()});
  }

 private:
  static constexpr bool finest = Op::num_colours == 2;
  static constexpr int stages_a_sweep = finest ? 2 : 4;

  void prepare(const std::array<int, 3>& n, int half, std::ptrdiff_t plane, const View<Real>& b);
  View<Real> allocate(const char* label, std::size_t n) {
    bytes_ += n * sizeof(Real);
    return libsolve::zero_array<Real>(label, n);
  }
  [[nodiscard]] std::ptrdiff_t cells() const { return std::ptrdiff_t(g_.nx) * g_.ny * g_.nz; }
  [[nodiscard]] int colour_of(int half_sweep, bool post) const {
    const int c = half_sweep % Op::num_colours;
    return post && smoothing_.symmetric ? Op::num_colours - 1 - c : c;
  }
  libsolve::WavefrontPlan plan(int stages) const;
  void publish_row(Result<Real>& result, int j, int k);
  void descend_host(const Source<Real>& source, Start start, Real* coarse);
  void ascend_host(const Source<Real>& source, const Real* coarse, Result<Real>& result);
  void descend_device(const Source<Real>& source, Start start, Real* coarse);
  void ascend_device(const Source<Real>& source, const Real* coarse, Result<Real>& result);

  GridSmoothing smoothing_;
  Op g_;
  Transfer t_;
  std::size_t bytes_ = 0;
  View<Real> z_, b_, zero_, coefficients_, residual_;
  Kokkos::View<double*, Kokkos::HostSpace> row_dots_;
  std::vector<Real> scratch_;  // rows of each worker; kept from cycle to cycle
};

template <class Real, class Op, class Transfer>
void GridLevel<Real, Op, Transfer>::prepare(const std::array<int, 3>& n, int half,
                                            std::ptrdiff_t plane, const View<Real>& b) {
  g_.nx = n[0];
  g_.ny = n[1];
  g_.nz = n[2];
  g_.half = half;
  g_.omega = Real(smoothing_.omega);
  g_.plane = plane;
  const std::size_t total = std::size_t(g_.plane) * n[2] + 2 * row_guard;
  z_ = allocate("multigrid::z", total);
  b_ = b;
  bytes_ += b_.size() * sizeof(Real);
  zero_ = allocate("multigrid::zero", 2 * half + 2 * row_guard);
  g_.z = z_.data() + row_guard;
  g_.b = b_.data() + row_guard;
  g_.zero = zero_.data() + row_guard;
  bytes_ += t_.bytes();
  if (!levels_on_host) residual_ = allocate("multigrid::residual", std::size_t(cells()));
}

template <class Real, class Op, class Transfer>
GridLevel<Real, Op, Transfer>::GridLevel(const SplitOperator<Real>& op, Transfer transfer,
                                         const GridSmoothing& smoothing)
    : smoothing_(smoothing), t_(std::move(transfer)) {
  if constexpr (finest) {
    prepare(op.n, op.half, op.plane, op.excess);  // whose work is done
    coefficients_ = op.coefficients;
    bytes_ += coefficients_.size() * sizeof(Real);
    g_.fx = op.array(0);
    g_.fy = op.array(1);
    g_.fz = op.array(2);
    g_.inverse = op.array(3);
  }
}

template <class Real, class Op, class Transfer>
GridLevel<Real, Op, Transfer>::GridLevel(const BoxOperator<Real>& op, Transfer transfer,
                                         const GridSmoothing& smoothing)
    : smoothing_(smoothing), t_(std::move(transfer)) {
  if constexpr (!finest) {
    const std::ptrdiff_t plane = std::ptrdiff_t(2) * op.half * op.n[1];
    prepare(
        op.n, op.half, plane,
        libsolve::zero_array<Real>("multigrid::b", std::size_t(plane) * op.n[2] + 2 * row_guard));
    coefficients_ = op.values;
    bytes_ += coefficients_.size() * sizeof(Real);
    g_.values = coefficients_.data() + BoxOperator<Real>::guard;
  }
}

template <class Real, class Op, class Transfer>
libsolve::WavefrontPlan GridLevel<Real, Op, Transfer>::plan(int stages) const {
  // (stages + 2) planes of a tile, with coefficients, within a 1 MiB L2
  const double row_bytes = 2.0 * g_.half * sizeof(Real) * (finest ? 6 : 17);
  const int tile = std::max(16, int(1.0 * (1 << 20) / (row_bytes * (stages + 2))));
  return libsolve::plan_wavefront(g_.ny, g_.nz, stages, tile, host_threads());
}

template <class Real, class Op, class Transfer>
void GridLevel<Real, Op, Transfer>::descend_host(const Source<Real>& source, Start start,
                                                 Real* coarse) {
  const Op g = g_;
  t_.begin_restriction(coarse);
  const bool from_zero = start == Start::zero;
  const auto begin_row = [=](int j, int k) {
    load(g, source, j, k);
    Real* z = g.z + g.row(j, k);
    std::fill(z, z + 2 * g.half, Real(0));
  };
  const int sweeps = stages_a_sweep * smoothing_.pre_sweeps;
  const auto wave = plan(sweeps + 3);
  const std::size_t length = scratch_size(g);
  scratch_.resize(2 * wave.slabs * length);
  Real* const scratch = scratch_.data();
  libsolve::run_wavefront(wave, [&](int worker, int s, int j, int k) {
    if (s == 0) {
      prefetch_coefficients(g, j, k);
      if (from_zero) begin_row(j, k);
      return;
    }
    if (s <= sweeps) return relax_stage(g, s - 1, false, j, k);
    // an even number of stages before the last keeps the planes of a cube in one slab
    if (s == sweeps + 1) return;
    // residual and restriction, at the last fine row of each cube row
    const auto& h = t_.halved();
    if (h[2] && !(k & 1) && k + 1 < g.nz) return;
    if (h[1] && !(j & 1) && j + 1 < g.ny) return;
    t_.restrict_cubes(g, h[1] ? j / 2 : j, h[2] ? k / 2 : k, scratch + worker * length, coarse);
  });
  t_.end_restriction(coarse);
}

template <class Real, class Op, class Transfer>
void GridLevel<Real, Op, Transfer>::publish_row(Result<Real>& result, int j, int k) {
  const std::ptrdiff_t row = std::ptrdiff_t(k) * g_.ny + j;
  const Real* even = g_.z + g_.row(j, k);
  if (!result.is_outer()) {
    store_row(even, even + g_.half, g_.nx, Real(1), result.level.data() + row * g_.nx);
    return;
  }
  double* to = result.outer.data() + row * g_.nx;
  store_row(even, even + g_.half, g_.nx, result.scale, to);
  // the right-hand side from the level's own copy, already in the cache
  const Real* b = g_.b + g_.row(j, k);
  double with_rhs = 0, with_other = 0;
#pragma omp simd reduction(+ : with_rhs)
  for (int m = 0; m < 2 * g_.half; ++m) with_rhs += double(b[m]) * double(even[m]);
  if (result.other.data()) {
    const double* q = result.other.data() + row * g_.nx;
#pragma omp simd reduction(+ : with_other)
    for (int i = 0; i < g_.nx; ++i) with_other += to[i] * q[i];
  }
  row_dots_(2 * row) = with_rhs;
  row_dots_(2 * row + 1) = with_other;
}

template <class Real, class Op, class Transfer>
void GridLevel<Real, Op, Transfer>::ascend_host(const Source<Real>& source, const Real* coarse,
                                                Result<Real>& result) {
  const Op g = g_;
  const std::ptrdiff_t rows = std::ptrdiff_t(g.ny) * g.nz;
  if (result.is_outer() && row_dots_.extent(0) == 0)
    row_dots_ = Kokkos::View<double*, Kokkos::HostSpace>("multigrid::row_dots", 2 * rows);
  t_.begin_prolongation(coarse);
  const int sweeps = stages_a_sweep * smoothing_.post_sweeps;
  const bool back = smoothing_.symmetric;
  libsolve::run_wavefront(plan(sweeps + 1), [&](int, int s, int j, int k) {
    if (s == 0) {
      prefetch_coefficients(g, j, k);
      t_.prolong_row(g, j, k, coarse);
    } else
      relax_stage(g, s - 1, back, j, k);
    if (s == sweeps) publish_row(result, j, k);
  });
  if (!result.is_outer()) return;
  double a = 0, b = 0;
#pragma omp simd reduction(+ : a, b)
  for (std::ptrdiff_t row = 0; row < rows; ++row) {
    a += row_dots_.data()[2 * row];
    b += row_dots_.data()[2 * row + 1];
  }
  result.dot_rhs = a * (result.scale / source.scale);
  result.dot_other = b;
}

template <class Real, class Op, class Transfer>
void GridLevel<Real, Op, Transfer>::descend_device(const Source<Real>& source, Start start,
                                                   Real* coarse) {
  if (start == Start::zero)
    for_cells("multigrid::grid_load", cells(), LoadCell<Real>{g_, source, true});
  for (int s = 0; s < Op::num_colours * smoothing_.pre_sweeps; ++s)
    for_cells("multigrid::grid_relax", cells(), RelaxCell<Op>{g_, colour_of(s, false)});
  for_cells("multigrid::grid_residual", cells(), ResidualCell<Real, Op>{g_, residual_.data()});
  t_.restrict_on_device(g_, residual_.data(), coarse);
}

template <class Real, class Op, class Transfer>
void GridLevel<Real, Op, Transfer>::ascend_device(const Source<Real>& source, const Real* coarse,
                                                  Result<Real>& result) {
  t_.prolong_on_device(g_, coarse);
  for (int s = 0; s < Op::num_colours * smoothing_.post_sweeps; ++s)
    for_cells("multigrid::grid_relax", cells(), RelaxCell<Op>{g_, colour_of(s, true)});
  for_cells("multigrid::grid_publish", cells(),
            PublishCell<Real>{g_, result.level.data(), result.outer.data(), result.scale});
  if (!result.is_outer()) return;
  Kokkos::parallel_reduce(
      "multigrid::grid_dots",
      Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<std::ptrdiff_t>>(0, cells()),
      DotCell{result.outer.data(), source.outer, result.other.data()}, result.dot_rhs,
      result.dot_other);
}

}  // namespace multigrid
