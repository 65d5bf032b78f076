#include "ssor.hpp"

#include <gtest/gtest.h>

#include <libsolve/core/errors.hpp>
#include <tests/support/preconditioners.hpp>

namespace {

using namespace libsolve;
using test::Dense;

/// (D + omega L) D^-1 (D + omega U) / (omega (2 - omega)) for the natural order.
Dense ssor_matrix(const Dense& A, double omega) {
  const auto n = static_cast<Index>(A.size());
  Dense lower = test::zeros(n, n);
  Dense upper = test::zeros(n, n);
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < n; ++j) {
      const double scaled = i == j ? A[i][i] : omega * A[i][j];
      if (j <= i) lower[i][j] = scaled / A[j][j];
      if (j >= i) upper[i][j] = scaled / (omega * (2.0 - omega));
    }
  return test::multiply(lower, upper);
}

Dense inverse_times(relaxation::Ssor& M, const Dense& matrix) {
  return test::multiply(test::as_dense(M, static_cast<Index>(matrix.size())), matrix);
}

TEST(Ssor, IsTheInverseOfItsFormula) {
  for (const double omega : {0.5, 1.0, 1.7}) {
    const auto A = test::random_spd(40, 6);
    relaxation::Ssor M({.omega = omega}, {});
    M.setup(test::make_system(A));
    EXPECT_TRUE(M.is_symmetric());
    EXPECT_LT(test::max_difference(inverse_times(M, ssor_matrix(test::to_dense(*A), omega)),
                                   test::identity(40)),
              1e-12)
        << omega;
    test::expect_fused_dots_agree(M, 40);
  }
}

TEST(Ssor, UnsymmetricMatrix) {
  const Dense A = {{4.0, 1.0, 0.0}, {-2.0, 5.0, 1.0}, {0.5, 0.0, 3.0}};
  relaxation::Ssor M({.omega = 1.2}, {});
  M.setup(test::make_system(test::to_csr(A)));
  EXPECT_FALSE(M.is_symmetric());
  EXPECT_LT(test::max_difference(inverse_times(M, ssor_matrix(A, 1.2)), test::identity(3)), 1e-15);
}

/// Red-black for a grid: two colours, two levels; the same as the natural order of the permuted
/// matrix.
TEST(Ssor, MulticolourIsTheFormulaOfThePermutedMatrix) {
  const auto A = test::laplacian(5, 3);
  relaxation::Ssor M({.omega = 1.3, .ordering = "multicolour"}, {});
  M.setup(test::make_system(A));
  ASSERT_EQ(M.metrics().size(), 2U);  // colours, triangular levels
  for (const Measure& m : M.metrics()) EXPECT_EQ(m.value, 2.0) << m.name;
  // Cells are numbered x + 5 y: red are those of even x + y.
  std::vector<Index> order;
  for (const int colour : {0, 1})
    for (Index i = 0; i < 15; ++i)
      if ((i % 5 + i / 5) % 2 == colour) order.push_back(i);
  const Dense D = test::to_dense(*A);
  const Dense Z = test::as_dense(M, 15);
  Dense permuted_A = D;
  Dense permuted_Z = Z;
  for (Index i = 0; i < 15; ++i)
    for (Index j = 0; j < 15; ++j) {
      permuted_A[i][j] = D[order[i]][order[j]];
      permuted_Z[i][j] = Z[order[i]][order[j]];
    }
  EXPECT_LT(test::max_difference(test::multiply(permuted_Z, ssor_matrix(permuted_A, 1.3)),
                                 test::identity(15)),
            1e-14);
  EXPECT_LT(test::max_difference(Z, test::transpose(Z)), 1e-15);
}

TEST(Ssor, ZeroOnTheDiagonalIsNamed) {
  relaxation::Ssor M({}, {});
  const auto A = test::to_csr({{1.0, 2.0}, {2.0, 0.0}});
  EXPECT_TRUE(test::contains(
      test::message_of<NumericalError>([&] { M.setup(test::make_system(A)); }), "row 1 is zero"));
}

}  // namespace
