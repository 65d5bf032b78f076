#include "incomplete_cholesky.hpp"

#include <gtest/gtest.h>

#include <libsolve/core/errors.hpp>
#include <tests/support/preconditioners.hpp>

namespace {

using namespace libsolve;
using incomplete::IncompleteCholesky;
using incomplete::IncompleteCholeskyOptions;
using test::Dense;

Dense inverse_of(IncompleteCholesky& M, const std::shared_ptr<CsrMatrix>& A) {
  M.setup(test::make_system(A));
  return test::as_dense(M, static_cast<Index>(A->num_rows()));
}

/// The textbook algorithm on dense arrays; entries outside the pattern of A stay 0.
Dense dense_ic0(const Dense& A) {
  const size_t n = A.size();
  Dense L = test::zeros(static_cast<Index>(n), static_cast<Index>(n));
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j <= i; ++j) {
      if (A[i][j] == 0.0) continue;
      double sum = A[i][j];
      for (size_t k = 0; k < j; ++k) sum -= L[i][k] * L[j][k];
      L[i][j] = i == j ? std::sqrt(sum) : sum / L[j][j];
    }
  return L;
}

TEST(IncompleteCholesky, IsExactForTridiagonalMatrices) {
  const auto A = test::laplacian(30);
  IncompleteCholesky M({}, {});
  const Dense Z = inverse_of(M, A);
  // No fill: L L^T = A; the condition number is about 400.
  EXPECT_LT(test::max_difference(test::multiply(Z, test::to_dense(*A)), test::identity(30)), 1e-12);
  EXPECT_TRUE(M.notes().empty());
  EXPECT_EQ(M.shift(), 0.0);
}

TEST(IncompleteCholesky, IsTheTextbookFactorOnRandomPatterns) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const auto A = test::random_spd(50, 8, seed);
    IncompleteCholesky M({}, {});
    const Dense Z = inverse_of(M, A);
    const Dense L = dense_ic0(test::to_dense(*A));
    EXPECT_LT(test::max_difference(test::multiply(Z, test::multiply(L, test::transpose(L))),
                                   test::identity(50)),
              1e-11);
    EXPECT_LT(test::max_difference(Z, test::transpose(Z)), 1e-13);
    test::expect_fused_dots_agree(M, 50);
  }
}

TEST(IncompleteCholesky, DoesNotDependOnUnits) {
  const auto A = test::laplacian(6, 5);
  Dense scaled = test::to_dense(*A);
  for (size_t i = 0; i < 30; ++i)
    for (size_t j = 0; j < 30; ++j)
      scaled[i][j] *= std::pow(10.0, (i % 7) - 3.0) * std::pow(10.0, (j % 7) - 3.0);
  IncompleteCholesky M({}, {});
  const Dense Z = inverse_of(M, A);
  Dense Zs = inverse_of(M, test::to_csr(scaled));
  for (size_t i = 0; i < 30; ++i)
    for (size_t j = 0; j < 30; ++j)
      Zs[i][j] *= std::pow(10.0, (i % 7) - 3.0) * std::pow(10.0, (j % 7) - 3.0);
  EXPECT_LT(test::max_difference(Z, Zs), 1e-13);
}

/// Reverse Cuthill-McKee finds the band of a shuffled tridiagonal matrix, where IC(0) is exact.
TEST(IncompleteCholesky, ReverseCuthillMcKeeRepairsABadNumbering) {
  const Index n = 31;
  const auto place = [](Index i) { return (i * 12) % 31; };
  std::vector<MatrixEntry> entries;
  for (Index i = 0; i < n; ++i) {
    entries.push_back({place(i), place(i), 2.0});
    if (i + 1 < n) {
      entries.push_back({place(i), place(i + 1), -1.0});
      entries.push_back({place(i + 1), place(i), -1.0});
    }
  }
  const auto A = make_csr_matrix(n, n, entries);
  IncompleteCholesky M({.ordering = "rcm"}, {});
  const Dense Z = inverse_of(M, A);
  EXPECT_LT(test::max_difference(test::multiply(Z, test::to_dense(*A)), test::identity(n)), 1e-12);
  EXPECT_LT(test::max_difference(Z, test::transpose(Z)), 1e-12);
}

/// Kershaw's positive definite matrix (J. Comput. Phys. 26, 1978), for which IC(0) breaks down.
TEST(IncompleteCholesky, BreakdownIsCuredByAShiftAndReported) {
  const auto A = test::to_csr({{3.0, -2.0, 0.0, 2.0},
                               {-2.0, 3.0, -2.0, 0.0},
                               {0.0, -2.0, 3.0, -2.0},
                               {2.0, 0.0, -2.0, 3.0}});
  IncompleteCholesky M({}, {});
  const Dense Z = inverse_of(M, A);
  EXPECT_GT(M.shift(), 0.0);
  ASSERT_EQ(M.notes().size(), 1U);
  EXPECT_TRUE(test::contains(M.notes()[0], "broke down (first in row 3)")) << M.notes()[0];
  for (size_t i = 0; i < 4; ++i) EXPECT_GT(Z[i][i], 0.0);
  EXPECT_LT(test::max_difference(Z, test::transpose(Z)), 1e-14);
  // The factors are those of the shifted matrix.
  Dense shifted = test::to_dense(*A);
  for (size_t i = 0; i < 4; ++i) shifted[i][i] *= 1.0 + M.shift();
  const Dense L = dense_ic0(shifted);
  EXPECT_LT(test::max_difference(test::multiply(Z, test::multiply(L, test::transpose(L))),
                                 test::identity(4)),
            1e-10);
}

TEST(IncompleteCholesky, RefusesWhatCannotBePositiveDefinite) {
  const auto setup = [](const Dense& A) {
    return [A] { IncompleteCholesky({}, {}).setup(test::make_system(test::to_csr(A))); };
  };
  EXPECT_TRUE(
      test::contains(test::message_of<Unsupported>(setup({{2.0, 1.0}, {0.5, 2.0}})), "symmetric"));
  EXPECT_TRUE(test::contains(test::message_of<NumericalError>(setup({{2.0, 1.0}, {1.0, -1.0}})),
                             "row 1 is -1"));
  EXPECT_TRUE(test::contains(test::message_of<NumericalError>(setup({{2.0, 1.0}, {1.0, 0.0}})),
                             "row 1 is 0"));
}

}  // namespace
