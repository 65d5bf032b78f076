#include "hierarchy_setup.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/large_array.hpp>

#include "band_solver.hpp"
#include "box_hierarchy.hpp"
#include "split_grid.hpp"

namespace multigrid {
namespace {

using RowPolicy = Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<std::ptrdiff_t>>;

/// A row of the finest level: couplings scaled, the excess split into wall and mass.
template <class Real>
struct FinestRow {
  NaturalOperator<double> op;
  const double* zero;
  double factor;
  double neighbours;  // of a cell that is surrounded
  Real* face[3];      // null for axes of one cell
  Real* wall;
  Real* mass;

  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t r, int& any_mass) const {
    const auto f = op.row(r, zero);
    const int nx = op.n[0], last = nx - 1;
    const std::ptrdiff_t at = r * nx, plane = std::ptrdiff_t(nx) * op.n[1];
    const double* const e = f.wall;  // all of the excess
    // where there is no neighbour the coupling to it is `zero`
    const double* const y_below = f.y_before != zero ? e - nx : e;
    const double* const y_above = f.y != zero ? e + nx : e;
    const double* const z_below = f.z_before != zero ? e - plane : e;
    const double* const z_above = f.z != zero ? e + plane : e;
    double found = 0;
    const auto cell = [&](int i, double x_before, double e_before, double x, double e_after,
                          double& any) {
      const double t[6] = {x_before, x, f.y_before[i], f.y[i], f.z_before[i], f.z[i]};
      const double beside[6] = {e_before, e_after, y_below[i], y_above[i], z_below[i], z_above[i]};
      double smallest = e[i], coupled = 0;
      for (int q = 0; q < 6; ++q) {
        const double other = t[q] != 0.0 ? beside[q] : smallest;
        coupled += t[q] != 0.0 ? 1.0 : 0.0;
        smallest = other < smallest ? other : smallest;
      }
      const double of_border = coupled > 0.0 ? smallest : 0.0;
      const double m = coupled == neighbours ? e[i] : of_border;
      wall[at + i] = Real(factor * (e[i] - m));
      mass[at + i] = Real(factor * m);
      const double counts = coupled > 0.0 ? m : 0.0;
      any = counts > any ? counts : any;
    };
    cell(0, 0.0, 0.0, last > 0 ? f.x[0] : 0.0, last > 0 ? e[1] : 0.0, found);
    if (last > 0) cell(last, f.x[last - 1], e[last - 1], 0.0, 0.0, found);
#pragma omp simd reduction(max : found)
    for (int i = 1; i < last; ++i) cell(i, f.x[i - 1], e[i - 1], f.x[i], e[i + 1], found);
    if (found > 0.0) any_mass = 1;
    const double* const from[3] = {f.x, f.y, f.z};
    for (int a = 0; a < 3; ++a) {
      if (face[a] == nullptr) continue;
      Real* const to = face[a] + at;
      const double* const row = from[a];
#pragma omp simd
      for (int i = 0; i < nx; ++i) to[i] = Real(factor * row[i]);
    }
  }
};

}  // namespace

double power_of_two_near(double largest) {
  return largest > 0.0 && std::isfinite(largest) ? std::ldexp(1.0, std::ilogb(largest)) : 1.0;
}

template <class Real>
LevelOperator<Real> constant_operator(const libsolve::Grid& grid,
                                      const libsolve::StencilOperator::Constant& c, double scale) {
  LevelOperator<Real> op;
  for (int a = 0; a < 3; ++a) {
    op.shape.n[a] = grid.cells[a];
    op.coupling[a] = op.shape.n[a] > 1 ? c.coupling[a] / scale : 0.0;
    for (int s = 0; s < 2; ++s) op.side[a][s] = c.wall[a][s] / scale;
  }
  op.shift = c.shift / scale;
  return op;
}

template <class Real>
FinestOperator<Real> finest_operator(const libsolve::StencilOperator& A, double largest_coupling) {
  FinestOperator<Real> finest;
  finest.scale = power_of_two_near(largest_coupling);
  LevelOperator<Real>& op = finest.op;
  if (A.is_constant()) {
    op = constant_operator<Real>(A.grid(), A.constant(), finest.scale);
    return finest;
  }
  op.is_constant = false;
  for (int a = 0; a < 3; ++a) op.shape.n[a] = A.grid().cells[a];
  const auto cells = std::size_t(op.shape.size());
  const NaturalOperator<double> natural = natural_operator(A);
  const View<double> zero("multigrid::zero", std::size_t(natural.n[0]));
  FinestRow<Real> split{natural, zero.data(), 1.0 / finest.scale, 0.0, {}, nullptr, nullptr};
  for (int a = 0; a < 3; ++a) {
    op.face[a] = op.shape.n[a] > 1 ? libsolve::bare_array<Real>("multigrid::face", cells)
                                   : View<Real>("multigrid::face", cells);
    if (op.shape.n[a] > 1) split.neighbours += 2;
  }
  const auto axis = squeezed_axes(op.shape);
  for (int a = 0; a < 3; ++a)
    if (axis[a] >= 0) split.face[a] = op.face[axis[a]].data();
  op.wall = libsolve::bare_array<Real>("multigrid::wall", cells);
  op.mass = libsolve::bare_array<Real>("multigrid::mass", cells);
  split.wall = op.wall.data();
  split.mass = op.mass.data();
  int any_mass = 0;
  Kokkos::parallel_reduce("multigrid::finest_operator", RowPolicy(0, natural.num_rows()), split,
                          Kokkos::Max<int>(any_mass));
  if (any_mass == 0) op.mass = View<Real>();
  return finest;
}

template <class Real>
std::array<double, 3> axis_strengths(const LevelOperator<Real>& op) {
  if (op.is_constant) {
    auto strength = op.coupling;
    for (int a = 0; a < 3; ++a)
      if (op.shape.n[a] > 1) strength[a] *= (op.shape.n[a] - 1.0) / op.shape.n[a];
    return strength;
  }
  const auto of_squeezed = axis_strengths(natural_operator(op));
  const auto axis = squeezed_axes(op.shape);
  std::array<double, 3> strength{0, 0, 0};
  for (int a = 0; a < 3; ++a)
    if (axis[a] >= 0) strength[axis[a]] = of_squeezed[a];
  return strength;
}

CoarsenAxes halved_axes(const Shape& shape, std::array<double, 3> strength, double threshold) {
  // n cells have n - 1 faces: short axes are not weak for that
  for (int a = 0; a < 3; ++a)
    if (shape.n[a] > 1) strength[a] *= shape.n[a] / (shape.n[a] - 1.0);
  const CoarsenAxes axes = strong_axes(shape.n, strength, threshold);
  return axes[0] || axes[1] || axes[2] ? axes : coarsen_all(shape);
}

bool repeats(const Shape& shape, const CoarsenAxes& axes) {
  return axes == coarsen_all(shape) || repeats(shape.size(), coarsened(shape, axes).size());
}

template <class Real>
std::unique_ptr<Hierarchy<Real>> build_hierarchy(LevelOperator<Real> op,
                                                 const HierarchyOptions& options) {
  auto hierarchy = std::make_unique<Hierarchy<Real>>();
  while (op.shape.size() > options.coarse_size) {
    const CoarsenAxes axes = halved_axes(op.shape, axis_strengths(op), options.semi_coarsening);
    hierarchy->add(make_pc_level<Real>(op, axes, options.smoothing), repeats(op.shape, axes));
    op = coarsen(op, axes, options.strength);
  }
  hierarchy->set_coarse_solver(make_band_solver<Real>(band_matrix(op)));
  return hierarchy;
}

template LevelOperator<float> constant_operator(const libsolve::Grid&,
                                                const libsolve::StencilOperator::Constant&, double);
template LevelOperator<double> constant_operator(const libsolve::Grid&,
                                                 const libsolve::StencilOperator::Constant&,
                                                 double);
template std::array<double, 3> axis_strengths(const LevelOperator<float>&);
template std::array<double, 3> axis_strengths(const LevelOperator<double>&);
template FinestOperator<float> finest_operator(const libsolve::StencilOperator&, double);
template FinestOperator<double> finest_operator(const libsolve::StencilOperator&, double);
template std::unique_ptr<Hierarchy<float>> build_hierarchy(LevelOperator<float>,
                                                           const HierarchyOptions&);
template std::unique_ptr<Hierarchy<double>> build_hierarchy(LevelOperator<double>,
                                                            const HierarchyOptions&);

}  // namespace multigrid
