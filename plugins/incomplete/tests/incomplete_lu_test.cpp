#include "incomplete_lu.hpp"

#include <gtest/gtest.h>

#include <libsolve/core/errors.hpp>
#include <tests/support/preconditioners.hpp>

namespace {

using namespace libsolve;
using incomplete::IncompleteLu;
using test::Dense;

Dense inverse_of(IncompleteLu& M, const std::shared_ptr<CsrMatrix>& A) {
  M.setup(test::make_system(A));
  return test::as_dense(M, static_cast<Index>(A->num_rows()));
}

/// Row by row on dense arrays, dropping outside the pattern; returns L U.
Dense dense_ilu0_product(const Dense& A) {
  const auto n = static_cast<Index>(A.size());
  Dense W = A;
  for (Index i = 0; i < n; ++i)
    for (Index k = 0; k < i; ++k) {
      if (A[i][k] == 0.0) continue;
      W[i][k] /= W[k][k];
      for (Index j = k + 1; j < n; ++j)
        if (A[i][j] != 0.0) W[i][j] -= W[i][k] * W[k][j];
    }
  Dense L = test::identity(n);
  Dense U = test::zeros(n, n);
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < n; ++j) (j < i ? L : U)[i][j] = W[i][j];
  return test::multiply(L, U);
}

/// Random, unsymmetric, diagonally dominant.
Dense random_matrix(Index n, std::uint64_t seed) {
  Dense A = test::to_dense(test::random_entries(n, n, 5, seed), n, n);
  for (Index i = 0; i < n; ++i) {
    double sum = 0.1;
    for (Index j = 0; j < n; ++j) sum += std::abs(A[i][j]);
    A[i][i] = sum;
  }
  return A;
}

TEST(IncompleteLu, IsExactWithoutFill) {
  const Dense A = {
      {2.0, 1.0, 0.0, 0.0}, {-3.0, 4.0, 0.5, 0.0}, {0.0, 1.0, 3.0, 2.0}, {0.0, 0.0, -1.0, 5.0}};
  IncompleteLu M({}, {});
  EXPECT_LT(
      test::max_difference(test::multiply(inverse_of(M, test::to_csr(A)), A), test::identity(4)),
      1e-14);
  EXPECT_FALSE(M.is_symmetric());
}

TEST(IncompleteLu, AgreesWithTheDenseAlgorithmOnRandomPatterns) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const Dense A = random_matrix(50, seed);
    IncompleteLu M({}, {});
    const Dense Z = inverse_of(M, test::to_csr(A));
    EXPECT_LT(test::max_difference(test::multiply(Z, dense_ilu0_product(A)), test::identity(50)),
              1e-12);
    EXPECT_TRUE(M.notes().empty());
  }
}

TEST(IncompleteLu, IsSymmetricForSymmetricMatrices) {
  IncompleteLu M({}, {});
  const Dense Z = inverse_of(M, test::random_spd(40, 6));
  EXPECT_TRUE(M.is_symmetric());
  EXPECT_LT(test::max_difference(Z, test::transpose(Z)), 1e-13);
}

TEST(IncompleteLu, OrderingIsThatOfThePermutedMatrix) {
  const auto A = test::random_spd(40, 6);
  IncompleteLu M({.ordering = "rcm"}, {});
  const Dense Z = inverse_of(M, A);
  EXPECT_LT(test::max_difference(Z, test::transpose(Z)), 1e-13);
  IncompleteLu natural({}, {});
  EXPECT_GT(test::max_difference(Z, inverse_of(natural, A)), 1e-6);  // another factorisation
}

TEST(IncompleteLu, SmallPivotsAreReplacedOrRefused) {
  // u_11 = 1 - 1 * 1 = 0; row 2 has no diagonal entry.
  const auto A = test::to_csr({{1.0, 1.0, 0.0}, {1.0, 1.0, 2.0}, {0.0, 4.0, 0.0}});
  IncompleteLu M({}, {});
  inverse_of(M, A);
  ASSERT_EQ(M.notes().size(), 1U);
  EXPECT_TRUE(test::contains(M.notes()[0], "replaced 1 small pivots (first: row 1"))
      << M.notes()[0];
  IncompleteLu strict({.small_pivots = "refuse"}, {});
  EXPECT_TRUE(test::contains(test::message_of<NumericalError>([&] { inverse_of(strict, A); }),
                             "pivot of row 1 is 0"));
}

TEST(IncompleteLu, RowOfZerosIsNamed) {
  const auto A = make_csr_matrix(3, 3, {{0, 0, 1.0}, {2, 2, 1.0}});
  IncompleteLu M({}, {});
  EXPECT_TRUE(test::contains(test::message_of<NumericalError>([&] { inverse_of(M, A); }),
                             "row 1 holds zeros only"));
}

}  // namespace
