#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/pde/cell_transfer.hpp>
#include <libsolve/pde/log_diffusion.hpp>
#include <tests/support/vectors.hpp>

/// Cells cut over the ranks, compared with the same whole on each rank.
namespace {

using namespace libsolve;

double bump(double x, double y, double z) {
  return std::sin(7.0 * x + 1.0) + std::cos(5.0 * y) * x + std::sin(11.0 * z + y);
}
double linear(double x, double y, double z) {
  return 1.0 + 2.0 * x - 3.0 * y + 0.5 * z;
}

/// f at the centres of a rank's cells, several functions scaled by 1, 2, ....
template <class F>
Vector at_cells(const LogDiffusion& A, int functions, const F& f) {
  const Box& own = A.grid_partition().own();
  const double h = A.spacing();
  const bool is_flat = A.grid().dimension == 2;
  std::vector<double> values;
  for (int s = 1; s <= functions; ++s)
    for (Index k = own.begin[2]; k < own.end[2]; ++k)
      for (Index j = own.begin[1]; j < own.end[1]; ++j)
        for (Index i = own.begin[0]; i < own.end[0]; ++i)
          values.push_back(s * f((i + 0.5) * h, (j + 0.5) * h, is_flat ? 0.0 : (k + 0.5) * h));
  const Vector v("cells", A.block_partition(functions));
  test::assign(v, values);
  return v;
}

/// This rank's part of `whole`, block by block, against `part`.
double worst_difference(const LogDiffusion& A, int functions, const Vector& part,
                        const Vector& whole) {
  const auto mine = test::to_host(part), all = test::to_host(whole);
  const Box& own = A.grid_partition().own();
  const auto& n = A.grid().cells;
  double worst = 0.0;
  std::size_t at = 0;
  for (Index s = 0; s < functions; ++s)
    for (Index k = own.begin[2]; k < own.end[2]; ++k)
      for (Index j = own.begin[1]; j < own.end[1]; ++j)
        for (Index i = own.begin[0]; i < own.end[0]; ++i)
          worst = std::max(
              worst,
              std::abs(mine[at++] -
                       all[static_cast<std::size_t>(i + n[0] * (j + n[1] * (k + n[2] * s)))]));
  return A.grid_partition().communicator().max(worst);
}

struct Case {
  int dimension;
  Index cells;
  LogDiffusion::Walls walls;
};
const Case cases[] = {{2, 12, LogDiffusion::Walls::fixed},
                      {2, 9, LogDiffusion::Walls::insulated},
                      {3, 8, LogDiffusion::Walls::insulated},
                      {3, 6, LogDiffusion::Walls::fixed}};

TEST(LogDiffusionOverRanks, ProductsAreThoseOfOneRank) {
  for (const Case& c : cases) {
    LogDiffusion A(c.dimension, c.cells, c.walls, Communicator::world());
    LogDiffusion alone(c.dimension, c.cells, c.walls);
    ASSERT_EQ(A.partition().global_size(), alone.partition().global_size());
    constexpr int S = 2;
    const auto with = [&](const LogDiffusion& B, int functions, double shift) {
      return at_cells(B, functions,
                      [shift](double x, double y, double z) { return bump(x + shift, y, z); });
    };
    A.set_parameter(with(A, 1, 0.0).view());
    alone.set_parameter(with(alone, 1, 0.0).view());
    const Vector y = with(A, S, 0.1), p = with(A, S, 0.2), v = with(A, 1, 0.3), block = y.like("b"),
                 cells = v.like("c");
    const Vector y1 = with(alone, S, 0.1), p1 = with(alone, S, 0.2), v1 = with(alone, 1, 0.3),
                 block1 = y1.like("b"), cells1 = v1.like("c");
    const double tolerance = 1e-12 * c.cells * c.cells;  // 1/h^2 times rounding
    A.apply(y.view(), block.view());
    alone.apply(y1.view(), block1.view());
    EXPECT_LT(worst_difference(A, S, block, block1), tolerance);
    A.apply_derivative(v.view(), y.view(), block.view());
    alone.apply_derivative(v1.view(), y1.view(), block1.view());
    EXPECT_LT(worst_difference(A, S, block, block1), tolerance);
    A.gradient(y.view(), p.view(), cells.view());
    alone.gradient(y1.view(), p1.view(), cells1.view());
    EXPECT_LT(worst_difference(A, 1, cells, cells1), tolerance);
    A.second_derivative(v.view(), y.view(), p.view(), cells.view());
    alone.second_derivative(v1.view(), y1.view(), p1.view(), cells1.view());
    EXPECT_LT(worst_difference(A, 1, cells, cells1), tolerance);
    A.stencil()->apply(v, cells);
    alone.stencil()->apply(v1, cells1);
    EXPECT_LT(worst_difference(A, 1, cells, cells1), tolerance);
  }
}

TEST(CellTransferOverRanks, IsThatOfOneRank) {
  for (const Case& c : cases) {
    const auto make = [&](Index cells, const Communicator& comm) {
      return LogDiffusion(c.dimension, cells, c.walls, comm);
    };
    const LogDiffusion coarse = make(c.cells, Communicator::world()),
                       fine = make(2 * c.cells, Communicator::world());
    const LogDiffusion coarse1 = make(c.cells, Communicator::self()),
                       fine1 = make(2 * c.cells, Communicator::self());
    const CellTransfer transfer(fine.grid_partition(), coarse.grid_partition());
    const CellTransfer alone(fine1.grid_partition(), coarse1.grid_partition());
    constexpr int S = 2;
    const Vector up("up", fine.block_partition(S)), up1("up", fine1.block_partition(S));
    transfer.interpolate(S, 3.0, at_cells(coarse, S, bump).view(), up.view());
    alone.interpolate(S, 3.0, at_cells(coarse1, S, bump).view(), up1.view());
    EXPECT_EQ(worst_difference(fine, S, up, up1), 0.0);
    const Vector down("down", coarse.block_partition(S)), down1("down", coarse1.block_partition(S));
    transfer.average(S, up.view(), down.view());
    alone.average(S, up1.view(), down1.view());
    EXPECT_EQ(worst_difference(coarse, S, down, down1), 0.0);
  }
}

/// Linear functions: means are the values at the centres, and so is what is interpolated, but for
/// the cells beside walls.
TEST(CellTransferOverRanks, IsExactForLinearFunctions) {
  for (const Case& c : cases) {
    const LogDiffusion fine(c.dimension, 2 * c.cells, c.walls, Communicator::world());
    const LogDiffusion coarse(c.dimension, c.cells, c.walls, Communicator::world());
    const CellTransfer transfer(fine.grid_partition(), coarse.grid_partition());
    const Vector on_fine = at_cells(fine, 1, linear), on_coarse = at_cells(coarse, 1, linear),
                 down = on_coarse.like("down"), up = on_fine.like("up");
    transfer.average(1, on_fine.view(), down.view());
    axpy(-1.0, on_coarse, down);
    EXPECT_LT(norm_max(down), 1e-14);
    transfer.interpolate(1, 1.0, on_coarse.view(), up.view());
    axpy(-1.0, on_fine, up);
    const Vector inside = at_cells(fine, 1, [&](double x, double y, double z) {
      const double h = fine.spacing();
      const auto is_in = [h](double t) { return t > h && t < 1.0 - h; };
      return is_in(x) && is_in(y) && (z == 0.0 || is_in(z)) ? 1.0 : 0.0;
    });
    multiply(up, inside, up);
    EXPECT_LT(norm_max(up), 1e-14);
  }
}

TEST(CellTransferOverRanks, RefusesOtherGrids) {
  const LogDiffusion fine(2, 12, LogDiffusion::Walls::fixed),
      coarse(2, 5, LogDiffusion::Walls::fixed);
  EXPECT_THROW(CellTransfer(fine.grid_partition(), coarse.grid_partition()), ShapeError);
}

}  // namespace
