#include <algorithm>
#include <libsolve/core/large_array.hpp>

#include "pc_level.hpp"

namespace multigrid {
namespace {

using RowPolicy = Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<std::ptrdiff_t>>;

template <class Real>
struct FillRow {
  int n[3];
  double coupling[3];
  double side[3][2];
  double shift;
  Real* face[3];
  Real* wall;
  Real* mass;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t row) const {
    const int j = int(row % n[1]);
    const int k = int(row / n[1]);
    for (int i = 0; i < n[0]; ++i) {
      const std::ptrdiff_t cell = row * n[0] + i;
      const int at[3] = {i, j, k};
      double w = 0, e = shift;
      for (int a = 0; a < 3; ++a) {
        face[a][cell] = Real(at[a] + 1 < n[a] ? coupling[a] : 0.0);
        double& to = n[a] == 1 ? e : w;
        if (at[a] == 0) to += side[a][0];
        if (at[a] + 1 == n[a]) to += side[a][1];
      }
      wall[cell] = Real(w);
      if (mass) mass[cell] = Real(e);
    }
  }
};

template <class Real>
struct CoarsenRow {
  int n[3];
  int cn[3];
  bool halved[3];
  double inner[3];       // factor of faces and
  double last[3];        // of the last face of each axis
  double wall_of[3][2];  // factor of wall links at the two ends of each axis
  double solid_wall;     // and next to solid cells
  const Real* face[3];
  const Real* wall;
  const Real* mass;
  Real* cface[3];
  Real* cwall;
  Real* cmass;

  /// Solid or isolated: no part in the coarse grid.
  KOKKOS_INLINE_FUNCTION bool absent(int i, int j, int k) const {
    const std::ptrdiff_t stride[3] = {1, n[0], std::ptrdiff_t(n[0]) * n[1]};
    const std::ptrdiff_t cell = i + stride[1] * j + stride[2] * k;
    const int at[3] = {i, j, k};
    for (int a = 0; a < 3; ++a) {
      if (at[a] + 1 < n[a] && face[a][cell] != Real(0)) return false;
      if (at[a] > 0 && face[a][cell - stride[a]] != Real(0)) return false;
    }
    return true;
  }

  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t row) const {
    const int J = int(row % cn[1]);
    const int K = int(row / cn[1]);
    const std::ptrdiff_t stride[3] = {1, n[0], std::ptrdiff_t(n[0]) * n[1]};
    for (int I = 0; I < cn[0]; ++I) {
      const int at[3] = {I, J, K};
      int lo[3], hi[3];
      for (int a = 0; a < 3; ++a) {
        lo[a] = halved[a] ? 2 * at[a] : at[a];
        hi[a] = halved[a] && lo[a] + 1 < n[a] ? lo[a] + 1 : lo[a];
      }
      double sum[3] = {0, 0, 0};
      double w = 0, e = 0;
      for (int k = lo[2]; k <= hi[2]; ++k) {
        for (int j = lo[1]; j <= hi[1]; ++j) {
          for (int i = lo[0]; i <= hi[0]; ++i) {
            if (absent(i, j, k)) continue;
            const std::ptrdiff_t cell = i + stride[1] * j + stride[2] * k;
            const int x[3] = {i, j, k};
            double factor = 0;
            int walls = 0;
            for (int a = 0; a < 3; ++a) {
              if (n[a] == 1) continue;
              if (x[a] == 0) factor += wall_of[a][0], ++walls;
              if (x[a] + 1 == n[a]) factor += wall_of[a][1], ++walls;
            }
            w += wall[cell] * (walls > 0 ? factor / walls : solid_wall);
            if (mass) e += mass[cell];
            for (int a = 0; a < 3; ++a) {
              if (x[a] != hi[a] || x[a] + 1 >= n[a]) continue;
              sum[a] += face[a][cell];
            }
          }
        }
      }
      const std::ptrdiff_t coarse = row * cn[0] + I;
      for (int a = 0; a < 3; ++a)
        cface[a][coarse] = Real((at[a] + 2 < cn[a] ? inner[a] : last[a]) * sum[a]);
      cwall[coarse] = Real(w);
      if (cmass) cmass[coarse] = Real(e);
    }
  }
};

/// From constant coefficients: nothing is stored for the fine cells.
template <class Real>
struct CoarsenUniformRow {
  CoarsenRow<Real> c;  // shapes, factors, results
  double coupling[3];
  double side[3][2];
  double shift;

  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t row) const {
    const int J = int(row % c.cn[1]);
    const int K = int(row / c.cn[1]);
    for (int I = 0; I < c.cn[0]; ++I) {
      const std::ptrdiff_t coarse = row * c.cn[0] + I;
      const int at[3] = {I, J, K};
      double children[3];
      for (int a = 0; a < 3; ++a) children[a] = c.halved[a] && 2 * at[a] + 1 < c.n[a] ? 2.0 : 1.0;
      const double all = children[0] * children[1] * children[2];
      double w = 0, e = shift;
      for (int a = 0; a < 3; ++a) {
        const double area = all / children[a];
        const bool at_end = at[a] + 1 == c.cn[a];
        const double factor = at[a] + 2 < c.cn[a] ? c.inner[a] : c.last[a];
        c.cface[a][coarse] = Real(at_end ? 0.0 : factor * area * coupling[a]);
        if (c.n[a] == 1) {
          e += side[a][0] + side[a][1];
          continue;
        }
        if (at[a] == 0) w += c.wall_of[a][0] * area * side[a][0];
        if (at_end) w += c.wall_of[a][1] * area * side[a][1];
      }
      c.cwall[coarse] = Real(w);
      if (c.cmass) c.cmass[coarse] = Real(e * all);
    }
  }
};

/// Whether cells have mass: a shift, or walls on axes of one cell.
template <class Real>
bool has_mass(const LevelOperator<Real>& op) {
  if (!op.is_constant) return op.mass.data() != nullptr;
  bool mass = op.shift != 0;
  for (int a = 0; a < 3; ++a)
    if (op.shape.n[a] == 1 && (op.side[a][0] != 0 || op.side[a][1] != 0)) mass = true;
  return mass;
}

template <class Real>
void allocate(LevelOperator<Real>& op, bool with_mass) {
  const auto n = std::size_t(op.shape.size());
  op.is_constant = false;
  for (auto& f : op.face) f = libsolve::bare_array<Real>("multigrid::face", n);
  op.wall = libsolve::bare_array<Real>("multigrid::wall", n);
  op.mass = with_mass ? libsolve::bare_array<Real>("multigrid::mass", n) : View<Real>();
}

}  // namespace

template <class Real>
LevelOperator<Real> expanded(const LevelOperator<Real>& op) {
  if (!op.is_constant) return op;
  LevelOperator<Real> full = op;
  allocate(full, has_mass(op));
  FillRow<Real> fill{};
  for (int a = 0; a < 3; ++a) {
    fill.n[a] = op.shape.n[a];
    fill.coupling[a] = op.coupling[a];
    fill.side[a][0] = op.side[a][0];
    fill.side[a][1] = op.side[a][1];
    fill.face[a] = full.face[a].data();
  }
  fill.shift = op.shift;
  fill.wall = full.wall.data();
  fill.mass = full.mass.data();
  Kokkos::parallel_for("multigrid::expand", RowPolicy(0, std::ptrdiff_t(fill.n[1]) * fill.n[2]),
                       fill);
  return full;
}

template <class Real>
LevelOperator<Real> coarsen(const LevelOperator<Real>& op, const CoarsenAxes& axes,
                            double strength, bool may_stay_constant) {
  const Shape shape = coarsened(op.shape, axes);
  CoarsenAxes halved{};
  bool even = true;
  double cells = 1;
  for (int a = 0; a < 3; ++a) {
    halved[a] = axes[a] && op.shape.n[a] > 1;
    if (halved[a] && op.shape.n[a] % 2 != 0) even = false;
    if (halved[a]) cells *= 2;
  }
  if (op.is_constant && even && may_stay_constant) {
    LevelOperator<Real> coarse;
    coarse.shape = shape;
    for (int a = 0; a < 3; ++a) {
      const double factor = halved[a] ? strength * cells / 2 : cells;
      coarse.coupling[a] = factor * op.coupling[a];
      for (int s = 0; s < 2; ++s) coarse.side[a][s] = factor * op.side[a][s];
    }
    coarse.shift = cells * op.shift;
    return coarse;
  }
  LevelOperator<Real> coarse;
  coarse.shape = shape;
  allocate(coarse, has_mass(op));
  CoarsenRow<Real> kernel{};
  for (int a = 0; a < 3; ++a) {
    kernel.n[a] = op.shape.n[a];
    kernel.cn[a] = shape.n[a];
    kernel.halved[a] = halved[a];
    kernel.face[a] = op.face[a].data();
    kernel.cface[a] = coarse.face[a].data();
  }
  kernel.solid_wall = halved[0] || halved[1] || halved[2] ? strength : 1.0;
  for (int a = 0; a < 3; ++a) {
    kernel.inner[a] = kernel.last[a] = kernel.wall_of[a][0] = kernel.wall_of[a][1] = 1.0;
    coarse.last_width[a] = op.last_width[a];
    if (!halved[a]) continue;
    const auto factor = [&](double h_over_H) { return std::min(1.0, 2 * strength * h_over_H); };
    const bool odd = op.shape.n[a] % 2 != 0;
    const double last = op.last_width[a];
    const double coarse_last = odd ? last : 1 + last;  // in units of the fine cells
    kernel.inner[a] = factor(0.5);
    kernel.last[a] = factor((odd ? 1 + last : 2.0) / (2 + coarse_last));
    kernel.wall_of[a][0] = factor(1 / (shape.n[a] == 1 ? coarse_last : 2.0));
    kernel.wall_of[a][1] = factor(last / coarse_last);
    coarse.last_width[a] = coarse_last / 2;
  }
  kernel.wall = op.wall.data();
  kernel.mass = op.mass.data();
  kernel.cwall = coarse.wall.data();
  kernel.cmass = coarse.mass.data();
  const RowPolicy rows(0, std::ptrdiff_t(shape.n[1]) * shape.n[2]);
  if (!op.is_constant) {
    Kokkos::parallel_for("multigrid::coarsen", rows, kernel);
    return coarse;
  }
  CoarsenUniformRow<Real> from_uniform{};
  from_uniform.c = kernel;
  from_uniform.shift = op.shift;
  for (int a = 0; a < 3; ++a) {
    from_uniform.coupling[a] = op.coupling[a];
    for (int s = 0; s < 2; ++s) from_uniform.side[a][s] = op.side[a][s];
  }
  Kokkos::parallel_for("multigrid::coarsen_uniform", rows, from_uniform);
  return coarse;
}

template LevelOperator<float> expanded(const LevelOperator<float>&);
template LevelOperator<double> expanded(const LevelOperator<double>&);
template LevelOperator<float> coarsen(const LevelOperator<float>&, const CoarsenAxes&, double,
                                      bool);
template LevelOperator<double> coarsen(const LevelOperator<double>&, const CoarsenAxes&, double,
                                       bool);

}  // namespace multigrid
