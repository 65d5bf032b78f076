#include "block_jacobi.hpp"

#include <gtest/gtest.h>

#include <libsolve/core/errors.hpp>
#include <tests/support/preconditioners.hpp>

namespace {

using namespace libsolve;
using test::Dense;

/// The blocks of A on the diagonal, zero elsewhere.
Dense blocks_of(const Dense& A, Index size) {
  const auto n = static_cast<Index>(A.size());
  Dense B = test::zeros(n, n);
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < n; ++j)
      if (i / size == j / size) B[i][j] = A[i][j];
  return B;
}

TEST(BlockJacobi, IsTheInverseOfTheBlocks) {
  for (const Index size : {1, 3, 8, 64}) {  // 50 is no multiple of 3, 8 and 64
    const auto A = test::random_spd(50, 8);
    jacobi::BlockJacobi M({.block_size = size}, {});
    M.setup(test::make_system(A));
    const Dense product =
        test::multiply(test::as_dense(M, 50), blocks_of(test::to_dense(*A), size));
    EXPECT_LT(test::max_difference(product, test::identity(50)), 1e-12) << size;
    EXPECT_TRUE(M.is_symmetric());
  }
}

TEST(BlockJacobi, UnsymmetricBlocksWithZeroDiagonalNeedPivoting) {
  const auto A = test::to_csr({{0.0, 2.0, 5.0}, {1.0, 3.0, 0.0}, {0.0, 0.0, 4.0}});
  jacobi::BlockJacobi M({.block_size = 2}, {});
  M.setup(test::make_system(A));
  EXPECT_FALSE(M.is_symmetric());
  // [0 2; 1 3]^-1 = [-1.5 1; 0.5 0].
  EXPECT_LT(test::max_difference(test::as_dense(M, 3),
                                 Dense{{-1.5, 1.0, 0.0}, {0.5, 0.0, 0.0}, {0.0, 0.0, 0.25}}),
            1e-15);
  test::expect_fused_dots_agree(M, 3);
}

TEST(BlockJacobi, SingularBlockIsNamed) {
  const auto A = test::to_csr(
      {{1.0, 0.0, 0.0, 0.0}, {0.0, 1.0, 0.0, 0.0}, {0.0, 0.0, 1.0, 1.0}, {0.0, 0.0, 1.0, 1.0}});
  jacobi::BlockJacobi M({.block_size = 2}, {});
  EXPECT_TRUE(test::contains(
      test::message_of<NumericalError>([&] { M.setup(test::make_system(A)); }), "rows 2 to 3"));
}

}  // namespace
