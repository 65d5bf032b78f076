#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random_vector.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/jacobi_spectrum.hpp>
#include <numbers>
#include <tests/support/preconditioners.hpp>

namespace {

using namespace libsolve;
constexpr double pi = std::numbers::pi;

Vector random_rows(const Vector& like) {
  const Vector r = like.like("test::r");
  fill_uniform(r, RandomStream(1, "jacobi_spectrum_test"));
  return r;
}

/// D^-1 A of the 1D Laplacian with n rows has the eigenvalues 1 - cos(k pi / (n + 1)).
TEST(JacobiSpectrum, RitzValuesApproachBothEndsFromInside) {
  const Index n = 50;
  const auto A = test::laplacian(n);
  const Vector inverse_diagonal = test::to_vector(std::vector<double>(n, 0.5));
  const double exact = 1.0 + std::cos(pi / (n + 1));
  JacobiSpectrum last{.smallest = 2.0, .largest = 0.0};
  for (const int steps : {2, 5, 10, 60}) {
    const JacobiSpectrum found = estimate_jacobi_spectrum(
        *A, inverse_diagonal, random_rows(inverse_diagonal), {.max_steps = steps});
    EXPECT_GE(found.largest, last.largest - 1e-12);
    EXPECT_LE(found.largest, exact * (1.0 + 1e-12));
    EXPECT_LE(found.smallest, last.smallest + 1e-12);
    EXPECT_GE(found.smallest, (2.0 - exact) * (1.0 - 1e-9));
    if (steps == 10) {
      EXPECT_GT(found.largest, 0.9 * exact);
    }
    last = found;
  }
  EXPECT_NEAR(last.largest, exact, 1e-8);
  EXPECT_NEAR(last.smallest, 2.0 - exact, 1e-8);
}

/// From a smooth right-hand side the smallest value comes long before the grid is crossed, the
/// solution's Rayleigh quotient with it, and the estimate stops by itself.
TEST(JacobiSpectrum, SmoothStartFindsTheSmallestValue) {
  const Index n = 40;
  const auto A = test::laplacian(n, n);
  const Vector inverse_diagonal =
      test::to_vector(std::vector<double>(static_cast<size_t>(n) * n, 0.25));
  const Vector r = inverse_diagonal.like("test::r");
  const Vector x = inverse_diagonal.like("test::x");
  fill(r, 1.0);
  const JacobiSpectrum found = estimate_jacobi_spectrum(
      *A, inverse_diagonal, r, {.max_steps = 100, .smallest_to = 0.02}, &x);
  const double exact = 1.0 - std::cos(pi / (n + 1));
  EXPECT_GE(found.smallest, exact * (1.0 - 1e-9));
  EXPECT_LE(found.smallest, 1.15 * exact);
  EXPECT_LT(found.products, 40);
  const Vector q = x.like("test::q");
  EXPECT_LE(A->apply_dot(x, q) / (4.0 * dot(x, x)), 1.15 * exact);
}

TEST(JacobiSpectrum, IndefiniteOperatorIsNamed) {
  const auto A = test::to_csr({{1.0, 2.0}, {2.0, 1.0}});
  const Vector one = test::to_vector({1.0, 1.0});
  EXPECT_TRUE(test::contains(test::message_of<NumericalError>([&] {
                               (void)estimate_jacobi_spectrum(*A, one, test::to_vector({1.0, -1.0}),
                                                              {.asker = "the tuner 'x'"});
                             }),
                             "the tuner 'x': p^T A p"));
}

TEST(TridiagonalEigenvalue, LargestIsExact) {
  EXPECT_DOUBLE_EQ(largest_tridiagonal_eigenvalue({3.0}, {}), 3.0);
  EXPECT_NEAR(largest_tridiagonal_eigenvalue({2.0, 2.0}, {-1.0}), 3.0, 1e-14);
  // 2 - 2 cos(k pi / (n + 1)).
  const std::vector<double> d(20, 2.0);
  const std::vector<double> e(19, -1.0);
  EXPECT_NEAR(largest_tridiagonal_eigenvalue(d, e), 2.0 + 2.0 * std::cos(pi / 21.0),
              1e-13);
}

}  // namespace
