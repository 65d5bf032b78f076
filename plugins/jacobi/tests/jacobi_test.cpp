#include "jacobi.hpp"

#include <gtest/gtest.h>

#include <libsolve/core/errors.hpp>
#include <libsolve/linear/stencil_operator.hpp>
#include <tests/support/preconditioners.hpp>

namespace {

using namespace libsolve;

TEST(Jacobi, DividesByTheDiagonal) {
  const auto A = test::random_spd(50, 6);
  jacobi::Jacobi M({}, {});
  M.setup(test::make_system(A));
  const test::Dense D = test::to_dense(*A);
  test::Dense expected = test::zeros(50, 50);
  for (Index i = 0; i < 50; ++i) expected[i][i] = 1.0 / D[i][i];
  EXPECT_EQ(test::as_dense(M, 50), expected);
  test::expect_fused_dots_agree(M, 50);
  EXPECT_TRUE(M.is_symmetric());
}

TEST(Jacobi, L1DividesByAbsoluteRowSums) {
  const auto A = test::to_csr({{2.0, -3.0}, {-3.0, 0.0}});
  jacobi::Jacobi M({.diagonal = "l1"}, {});
  M.setup(test::make_system(A));
  EXPECT_EQ(test::as_dense(M, 2), (test::Dense{{1.0 / 5.0, 0.0}, {0.0, 1.0 / 3.0}}));
}

/// Constant coefficients on 3 cells: diagonal 2 T inside, T + wall at the ends.
TEST(Jacobi, WorksOnGridOperatorsWithoutAssembly) {
  Grid grid;
  grid.dimension = 1;
  grid.cells = {3, 1, 1};
  StencilOperator::Constant c;
  c.coupling = {1.0, 0.0, 0.0};
  c.wall[0] = {2.0, 2.0};
  const auto A = std::make_shared<StencilOperator>(grid, c);
  jacobi::Jacobi M({}, {});
  M.setup(test::make_system(A));
  EXPECT_TRUE(M.notes().empty());
  EXPECT_EQ(test::as_dense(M, 3),
            (test::Dense{{1.0 / 3.0, 0.0, 0.0}, {0.0, 0.5, 0.0}, {0.0, 0.0, 1.0 / 3.0}}));
  jacobi::Jacobi with_l1({.diagonal = "l1"}, {});
  with_l1.setup(test::make_system(A));
  EXPECT_EQ(with_l1.notes().size(), 1U);  // it was assembled
  EXPECT_EQ(test::as_dense(with_l1, 3)[1][1], 0.25);
}

TEST(Jacobi, ZeroOnTheDiagonalIsNamed) {
  jacobi::Jacobi M({}, {});
  const auto A = test::to_csr({{2.0, 1.0}, {1.0, 0.0}});
  EXPECT_TRUE(test::contains(
      test::message_of<NumericalError>([&] { M.setup(test::make_system(A)); }), "row 1 is zero"));
  const auto rectangular = make_csr_matrix(2, 3, {{0, 0, 1.0}, {1, 1, 1.0}});
  EXPECT_THROW(M.setup(test::make_system(rectangular)), Unsupported);
}

}  // namespace
