#include "split_operator.hpp"

#include <libsolve/core/large_array.hpp>

#include "large_view.hpp"
#include "split_grid.hpp"
#include "split_rows.hpp"

namespace multigrid {
namespace {

/// One row of natural coefficients into split arrays.
template <class Real, class From>
struct SplitRow {
  NaturalOperator<From> op;
  const From* zero;
  From factor;
  SplitRows<Real> g;
  Real *fx, *fy, *fz, *inverse, *excess;

  KOKKOS_FORCEINLINE_FUNCTION void cell(const typename NaturalOperator<From>::Row& f, int i,
                                        From x_before, From x, std::ptrdiff_t to) const {
    const From e = (f.wall[i] + f.mass[i]) * factor;
    const From d =
        ((x_before + x) + (f.y_before[i] + f.y[i]) + (f.z_before[i] + f.z[i])) * factor + e;
    fx[to] = Real(x * factor);
    fy[to] = Real(f.y[i] * factor);
    fz[to] = Real(f.z[i] * factor);
    excess[to] = Real(e);
    inverse[to] = d > 0 ? Real(From(1) / d) : Real(0);
  }
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t r) const {
    const auto f = op.row(r, zero);
    const int nx = op.n[0];
    const std::ptrdiff_t even = g.row(int(r % op.n[1]), int(r / op.n[1]));
    const std::ptrdiff_t odd = even + g.half;
    const int last = nx - 1;
    cell(f, 0, From(0), last > 0 ? f.x[0] : From(0), even);
    if (last > 0)
      cell(f, last, f.x[last - 1], From(0), last % 2 == 0 ? even + last / 2 : odd + last / 2);
    const int pairs = (nx - 1) / 2;  // of cells 2 m + 1 and 2 m + 2, the last cell left out
#pragma omp simd
    for (int m = 0; m < pairs; ++m) cell(f, 2 * m + 1, f.x[2 * m], f.x[2 * m + 1], odd + m);
#pragma omp simd
    for (int m = 1; m < pairs + (nx % 2 == 0 ? 1 : 0); ++m)
      cell(f, 2 * m, f.x[2 * m - 1], f.x[2 * m], even + m);
  }
};

}  // namespace

template <class Real>
NaturalOperator<Real> natural_operator(const LevelOperator<Real>& op) {
  const auto axis = squeezed_axes(op.shape);
  NaturalOperator<Real> natural;
  natural.n = squeezed(op.shape).n;
  for (int a = 0; a < 3; ++a)
    if (axis[a] >= 0) natural.face[a] = op.face[axis[a]].data();
  natural.wall = op.wall.data();
  natural.mass = op.mass.data();
  return natural;
}

NaturalOperator<double> natural_operator(const libsolve::StencilOperator& A) {
  Shape shape;
  for (int a = 0; a < 3; ++a) shape.n[a] = A.grid().cells[a];
  const auto axis = squeezed_axes(shape);
  NaturalOperator<double> natural;
  natural.n = squeezed(shape).n;
  for (int a = 0; a < 3; ++a)
    if (axis[a] >= 0) natural.face[a] = A.variable().face[axis[a]].data();
  natural.wall = A.variable().excess.data();
  return natural;
}

template <class Real>
const Real* SplitOperator<Real>::array(int q) const {
  return coefficients.data() + row_guard + q * length;
}

template <class Real, class From>
SplitOperator<Real> split_operator(const NaturalOperator<From>& op, double factor) {
  SplitOperator<Real> out;
  out.n = op.n;
  out.half = ((op.n[0] + 1) / 2 / 16 + 1) * 16;  // something behind the last cell
  out.plane = plane_stride(std::ptrdiff_t(2) * out.half * op.n[1], sizeof(Real));
  out.length = out.plane * op.n[2] + row_guard;
  out.coefficients = libsolve::zero_array<Real>("multigrid::coefficients",
                                                std::size_t(4 * out.length) + row_guard);
  out.excess = libsolve::zero_array<Real>("multigrid::excess", std::size_t(out.length) + row_guard);
  const Kokkos::View<From*, MemSpace> zero("multigrid::zero", std::size_t(op.n[0]));
  Real* at = out.coefficients.data() + row_guard;
  SplitRow<Real, From> split{op,
                             zero.data(),
                             From(factor),
                             {},
                             at,
                             at + out.length,
                             at + 2 * out.length,
                             at + 3 * out.length,
                             out.excess.data() + row_guard};
  split.g.nx = op.n[0];
  split.g.ny = op.n[1];
  split.g.nz = op.n[2];
  split.g.half = out.half;
  split.g.plane = out.plane;
  for_cells("multigrid::split_coefficients", op.num_rows(), split);
  Kokkos::fence("multigrid::split_operator");
  return out;
}

template NaturalOperator<float> natural_operator(const LevelOperator<float>&);
template NaturalOperator<double> natural_operator(const LevelOperator<double>&);
template struct SplitOperator<float>;
template struct SplitOperator<double>;
template SplitOperator<float> split_operator(const NaturalOperator<float>&, double);
template SplitOperator<float> split_operator(const NaturalOperator<double>&, double);
template SplitOperator<double> split_operator(const NaturalOperator<double>&, double);

}  // namespace multigrid
