#include "hierarchy_setup.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/large_array.hpp>

#include "band_solver.hpp"
#include "box_hierarchy.hpp"
#include "split_grid.hpp"

namespace multigrid {
namespace {

using CellPolicy = Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<std::ptrdiff_t>>;

template <class Real>
struct ScaleCell {
  const double* from;
  double factor;
  Real* to;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t i) const { to[i] = Real(factor * from[i]); }
};

template <class Real>
struct SplitExcess {
  int n[3];
  const double* face[3];
  const double* excess;
  double factor;
  Real* wall;
  Real* mass;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t cell, int& any_mass) const {
    const std::ptrdiff_t stride[3] = {1, n[0], std::ptrdiff_t(n[0]) * n[1]};
    const int at[3] = {int(cell % n[0]), int(cell / n[0] % n[1]), int(cell / stride[2])};
    const double e = excess[cell];
    double smallest = e;
    bool surrounded = true;
    bool coupled = false;
    for (int a = 0; a < 3; ++a) {
      if (n[a] == 1) continue;
      for (int s = -1; s <= 1; s += 2) {
        const bool inside = s < 0 ? at[a] > 0 : at[a] + 1 < n[a];
        if (!inside || face[a][s < 0 ? cell - stride[a] : cell] == 0.0) {
          surrounded = false;
          continue;
        }
        coupled = true;
        const double beside = excess[cell + s * stride[a]];
        if (beside < smallest) smallest = beside;
      }
    }
    const double m = surrounded ? e : (coupled ? smallest : 0.0);
    wall[cell] = Real(factor * (e - m));
    mass[cell] = Real(factor * m);
    if (coupled && m > 0.0) any_mass = 1;
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
  const auto& v = A.variable();
  const auto cells = std::ptrdiff_t(op.shape.size());
  const double factor = 1.0 / finest.scale;
  SplitExcess<Real> split{};
  for (int a = 0; a < 3; ++a) {
    split.n[a] = op.shape.n[a];
    if (op.shape.n[a] > 1) {
      op.face[a] = libsolve::bare_array<Real>("multigrid::face", cells);
      Kokkos::parallel_for("multigrid::scale_faces", CellPolicy(0, cells),
                           ScaleCell<Real>{v.face[a].data(), factor, op.face[a].data()});
      split.face[a] = v.face[a].data();
    } else {
      op.face[a] = View<Real>("multigrid::face", cells);
    }
  }
  op.wall = libsolve::bare_array<Real>("multigrid::wall", cells);
  op.mass = libsolve::bare_array<Real>("multigrid::mass", cells);
  split.excess = v.excess.data();
  split.factor = factor;
  split.wall = op.wall.data();
  split.mass = op.mass.data();
  int any_mass = 0;
  Kokkos::parallel_reduce("multigrid::split_excess", CellPolicy(0, cells), split,
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
