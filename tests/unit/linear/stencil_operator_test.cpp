#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/linear/csr_matrix.hpp>
#include <libsolve/linear/stencil_operator.hpp>
#include <vector>

namespace {

using libsolve::Grid;
using libsolve::Index;
using libsolve::RandomStream;
using libsolve::StencilOperator;
using libsolve::Vector;
using libsolve::VectorView;
using Host = Kokkos::HostSpace;

Grid make_grid(Index nx, Index ny = 1, Index nz = 1) {
  Grid grid;
  grid.cells = {nx, ny, nz};
  grid.dimension = nz > 1 ? 3 : (ny > 1 ? 2 : 1);
  return grid;
}

std::vector<Grid> grids() {
  return {make_grid(1),           make_grid(2),         make_grid(20011),     make_grid(7, 5),
          make_grid(67, 131),     make_grid(1, 9),      make_grid(9, 1, 5),   make_grid(1, 3, 4),
          make_grid(5, 4, 3),     make_grid(33, 17, 9), make_grid(64, 40, 2), make_grid(3, 2, 70),
          make_grid(130, 101, 83)};  // the last is written past the caches
}

StencilOperator::Constant constant_coefficients() {
  StencilOperator::Constant c;
  c.coupling = {1.0, 2.5, 0.75};
  c.wall = {{{2.0, 0.5}, {0.0, 5.0}, {1.5, 0.25}}};
  c.shift = 0.125;
  return c;
}

std::vector<double> random_values(size_t n, std::uint64_t seed, double low, double high) {
  const RandomStream stream(seed, "test");
  std::vector<double> v(n);
  for (size_t i = 0; i < n; ++i) v[i] = stream.uniform(i, low, high);
  return v;
}

VectorView to_view(const std::vector<double>& values) {
  VectorView v("test", values.size());
  Kokkos::deep_copy(
      v, Kokkos::View<const double*, Host, Kokkos::MemoryUnmanaged>(values.data(), values.size()));
  return v;
}

std::vector<double> to_host(const Vector& v) {
  std::vector<double> values(v.local_size());
  Kokkos::deep_copy(
      Kokkos::View<double*, Host, Kokkos::MemoryUnmanaged>(values.data(), values.size()), v.view());
  return values;
}

/// Host copy of variable coefficients, and the operator made from them.
struct Coefficients {
  std::array<std::vector<double>, 3> face;
  std::vector<double> excess;
};

Coefficients random_coefficients(const Grid& grid, std::uint64_t seed) {
  const auto n = static_cast<size_t>(grid.num_cells());
  Coefficients c;
  for (int a = 0; a < 3; ++a) c.face[a] = random_values(n, seed + a, 0.1, 10.0);
  c.excess = random_values(n, seed + 3, 0.0, 1.0);
  for (size_t i = 0; i < n; ++i) {
    const size_t at[3] = {i % grid.cells[0], i / grid.cells[0] % grid.cells[1],
                          i / (size_t(grid.cells[0]) * grid.cells[1])};
    for (int a = 0; a < 3; ++a)
      if (at[a] + 1 == size_t(grid.cells[a])) c.face[a][i] = 0.0;
  }
  return c;
}

StencilOperator::Variable to_device(const Coefficients& c) {
  StencilOperator::Variable v;
  for (int a = 0; a < 3; ++a) v.face[a] = to_view(c.face[a]);
  v.excess = to_view(c.excess);
  return v;
}

/// The same coefficients as `constant_coefficients`, one per cell.
Coefficients spread(const Grid& grid, const StencilOperator::Constant& c) {
  const auto n = static_cast<size_t>(grid.num_cells());
  Coefficients v;
  v.excess.assign(n, c.shift);
  for (int a = 0; a < 3; ++a) v.face[a].assign(n, c.coupling[a]);
  for (size_t i = 0; i < n; ++i) {
    const size_t at[3] = {i % grid.cells[0], i / grid.cells[0] % grid.cells[1],
                          i / (size_t(grid.cells[0]) * grid.cells[1])};
    for (int a = 0; a < 3; ++a) {
      if (at[a] == 0) v.excess[i] += c.wall[a][0];
      if (at[a] + 1 == size_t(grid.cells[a])) {
        v.excess[i] += c.wall[a][1];
        v.face[a][i] = 0.0;
      }
    }
  }
  return v;
}

/// (A x)_c summed face by face, as the definition says.
std::vector<double> reference_apply(const Grid& grid, const Coefficients& a,
                                    const std::vector<double>& x) {
  std::vector<double> y(x.size());
  for (size_t c = 0; c < x.size(); ++c) y[c] = a.excess[c] * x[c];
  const size_t stride[3] = {1, size_t(grid.cells[0]), size_t(grid.cells[0]) * grid.cells[1]};
  for (int axis = 0; axis < 3; ++axis)
    for (size_t c = 0; c + stride[axis] < x.size(); ++c) {
      const double flux = a.face[axis][c] * (x[c] - x[c + stride[axis]]);
      y[c] += flux;
      y[c + stride[axis]] -= flux;
    }
  return y;
}

double worst_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double worst = 0.0;
  for (size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]));
  return worst;
}

double host_dot(const std::vector<double>& a, const std::vector<double>& b) {
  long double sum = 0.0L;
  for (size_t i = 0; i < a.size(); ++i) sum += static_cast<long double>(a[i]) * b[i];
  return static_cast<double>(sum);
}

/// All passes of `A` against the sums over faces in `a`.
void expect_passes_agree(const StencilOperator& A, const Coefficients& a) {
  const auto n = static_cast<size_t>(A.num_rows());
  const std::vector<double> x = random_values(n, 11, -1.0, 1.0);
  const std::vector<double> b = random_values(n, 12, -1.0, 1.0);
  const std::vector<double> expected = reference_apply(A.grid(), a, x);
  // Seven products of size at most 20; sums of n terms, row by row.
  const double tolerance = 200.0 * 2.3e-16;
  double size = 0.0;
  for (size_t i = 0; i < n; ++i) size += std::abs(x[i] * expected[i]);
  const double sum_tolerance = 1e-14 * (1.0 + size);
  const Vector X(to_view(x), A.row_partition());
  const Vector B(to_view(b), A.row_partition());
  const Vector Y = X.like("y");

  A.apply(X, Y);
  EXPECT_LT(worst_difference(to_host(Y), expected), tolerance * 10.0) << A.description();

  Kokkos::deep_copy(Y.view(), std::nan(""));
  EXPECT_NEAR(A.apply_dot(X, Y), host_dot(x, expected), sum_tolerance) << A.description();
  EXPECT_LT(worst_difference(to_host(Y), expected), tolerance * 10.0) << A.description();

  std::vector<double> r(n);
  for (size_t i = 0; i < n; ++i) r[i] = b[i] - expected[i];
  EXPECT_NEAR(A.residual(B, X, Y), host_dot(r, r), 1e-13 * host_dot(r, r)) << A.description();
  EXPECT_LT(worst_difference(to_host(Y), r), tolerance * 10.0) << A.description();

  // p = z + beta p, first with beta = 0 and rubbish in p.
  const Vector P = X.like("p");
  Kokkos::deep_copy(P.view(), std::nan(""));
  EXPECT_NEAR(A.update_direction_and_apply(X, 0.0, P, Y), host_dot(x, expected), sum_tolerance);
  EXPECT_EQ(to_host(P), x);
  std::vector<double> p(n);
  for (size_t i = 0; i < n; ++i) p[i] = b[i] + 0.5 * x[i];
  const std::vector<double> q = reference_apply(A.grid(), a, p);
  EXPECT_NEAR(A.update_direction_and_apply(B, 0.5, P, Y), host_dot(p, q), sum_tolerance * 4.0);
  EXPECT_LT(worst_difference(to_host(P), p), tolerance) << A.description();
  EXPECT_LT(worst_difference(to_host(Y), q), tolerance * 20.0) << A.description();
}

TEST(StencilOperator, ConstantPassesMatchSumsOverFaces) {
  for (const Grid& grid : grids()) {
    const StencilOperator A(grid, constant_coefficients());
    expect_passes_agree(A, spread(grid, constant_coefficients()));
  }
}

TEST(StencilOperator, VariablePassesMatchSumsOverFaces) {
  for (const Grid& grid : grids()) {
    const Coefficients c = random_coefficients(grid, 5);
    expect_passes_agree(StencilOperator(grid, to_device(c)), c);
  }
}

TEST(StencilOperator, IsSymmetricInDotProducts) {
  const Grid grid = make_grid(33, 17, 9);
  const StencilOperator A(grid, to_device(random_coefficients(grid, 9)));
  const std::vector<double> x = random_values(size_t(grid.num_cells()), 1, -1.0, 1.0);
  const std::vector<double> y = random_values(size_t(grid.num_cells()), 2, -1.0, 1.0);
  const Vector X(to_view(x), A.row_partition());
  const Vector Y(to_view(y), A.row_partition());
  const Vector V = X.like("v");
  A.apply(X, V);
  const double y_A_x = host_dot(to_host(V), y);
  A.apply_adjoint(Y, V);
  EXPECT_NEAR(host_dot(to_host(V), x), y_A_x, 1e-11);
}

TEST(StencilOperator, ConstantsAreInTheNullSpaceWithoutWalls) {
  const Grid grid = make_grid(20, 21, 22);
  StencilOperator::Constant c;
  c.coupling = {1.0, 3.0, 7.0};
  Coefficients v = random_coefficients(grid, 3);
  v.excess.assign(v.excess.size(), 0.0);
  const StencilOperator constant(grid, c);
  const StencilOperator variable(grid, to_device(v));
  for (const StencilOperator* A : {&constant, &variable}) {
    const Vector one("one", A->row_partition());
    Kokkos::deep_copy(one.view(), 1.0);
    const Vector y = one.like("y");
    EXPECT_NEAR(A->apply_dot(one, y), 0.0, 1e-10);
    for (const double value : to_host(y)) EXPECT_NEAR(value, 0.0, 1e-13);
  }
}

TEST(StencilOperator, DiagonalIsThatOfUnitVectors) {
  const Grid grid = make_grid(4, 3, 5);
  const StencilOperator constant(grid, constant_coefficients());
  const StencilOperator variable(grid, to_device(random_coefficients(grid, 21)));
  for (const StencilOperator* A : {&constant, &variable}) {
    const Vector d("d", A->row_partition());
    ASSERT_TRUE(A->diagonal(d));
    const std::vector<double> diagonal = to_host(d);
    for (size_t i = 0; i < diagonal.size(); ++i) {
      std::vector<double> unit(diagonal.size(), 0.0);
      unit[i] = 1.0;
      const Vector e(to_view(unit), A->row_partition());
      const Vector y = e.like("y");
      A->apply(e, y);
      EXPECT_NEAR(to_host(y)[i], diagonal[i], 1e-13);
      EXPECT_GT(diagonal[i], 0.0);
    }
  }
}

TEST(StencilOperator, ResultsDoNotDependOnTheShapeOfPieces) {
  // The same numbers in one row of planes and, transposed in memory order, as a 2D grid: both are
  // summed over rows in their order.
  const Grid flat = make_grid(40, 300);
  Grid tall = make_grid(40, 1, 300);
  StencilOperator::Constant c = constant_coefficients();
  const StencilOperator A(flat, c);
  std::swap(c.coupling[1], c.coupling[2]);
  std::swap(c.wall[1], c.wall[2]);
  const StencilOperator B(tall, c);
  const Vector x(to_view(random_values(12000, 4, -1.0, 1.0)), A.row_partition());
  const Vector ya = x.like("ya");
  const Vector yb = x.like("yb");
  const double a = A.apply_dot(x, ya);
  const double b = B.apply_dot(x, yb);
  EXPECT_NEAR(a, b, 1e-11 * std::abs(a));
  EXPECT_LT(worst_difference(to_host(ya), to_host(yb)), 1e-14 * 20.0);
}

TEST(StencilOperator, RefusesWhatCannotBe) {
  EXPECT_THROW(StencilOperator(make_grid(0, 3), constant_coefficients()), libsolve::ShapeError);
  EXPECT_THROW(StencilOperator(make_grid(4000, 4000, 4000), constant_coefficients()),
               libsolve::ShapeError);
  StencilOperator::Constant negative = constant_coefficients();
  negative.coupling[1] = -1.0;
  EXPECT_THROW(StencilOperator(make_grid(3, 3), negative), libsolve::DataError);
  StencilOperator::Constant infinite = constant_coefficients();
  infinite.wall[0][1] = HUGE_VAL;
  EXPECT_THROW(StencilOperator(make_grid(3, 3), infinite), libsolve::DataError);

  const Grid grid = make_grid(4, 3, 2);
  Coefficients c = random_coefficients(grid, 1);
  c.face[1].resize(5);
  EXPECT_THROW(StencilOperator(grid, to_device(c)), libsolve::ShapeError);
  c = random_coefficients(grid, 1);
  c.face[0][3] = 1.0;  // the face between cell (3, 0, 0) and the wall
  EXPECT_THROW(StencilOperator(grid, to_device(c)), libsolve::DataError);

  const StencilOperator A(grid, constant_coefficients());
  const Vector small("small", libsolve::Partition(5));
  const Vector right("right", A.row_partition());
  EXPECT_THROW(A.apply(small, right), libsolve::ShapeError);
  EXPECT_THROW(A.apply(right, small), libsolve::ShapeError);
}

TEST(StencilOperator, SaysWhatItIs) {
  EXPECT_EQ(StencilOperator(make_grid(4, 3, 2), constant_coefficients()).description(),
            "7-point stencil, 4 x 3 x 2, constant coefficients");
  const Grid grid = make_grid(6, 5);
  const StencilOperator A(grid, to_device(random_coefficients(grid, 1)));
  EXPECT_EQ(A.description(), "5-point stencil, 6 x 5, variable coefficients");
  EXPECT_DOUBLE_EQ(A.bytes_per_apply(), 30.0 * 8.0 * 5.0);  // x, y, excess and two faces
}

TEST(StencilOperator, AssembledMatrixIsTheSameOperator) {
  for (const Grid& grid : {make_grid(5), make_grid(7, 5), make_grid(5, 1, 4), make_grid(9, 8, 7)}) {
    const StencilOperator constant(grid, constant_coefficients());
    Coefficients c = random_coefficients(grid, 77);
    const StencilOperator variable(grid, to_device(c));
    for (const StencilOperator* A : {&constant, &variable}) {
      const auto matrix = A->assemble();
      ASSERT_EQ(matrix->num_rows(), A->num_rows());
      const Vector x(to_view(random_values(size_t(grid.num_cells()), 6, -1.0, 1.0)),
                     A->row_partition());
      const Vector y = x.like("y");
      const Vector z = x.like("z");
      A->apply(x, y);
      matrix->apply(x, z);
      EXPECT_LT(worst_difference(to_host(y), to_host(z)), 1e-13);
      EXPECT_EQ(matrix->asymmetry(), 0.0);
    }
  }
}

}  // namespace
