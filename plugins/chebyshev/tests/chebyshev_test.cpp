#include "chebyshev.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/linear/stencil_operator.hpp>
#include <tests/support/preconditioners.hpp>


namespace {

using namespace libsolve;
using chebyshev::Chebyshev;

constexpr double pi = 3.14159265358979323846;

/// T_k on all of the real line.
double first_kind(int k, double x) {
  if (std::abs(x) <= 1.0) return std::cos(k * std::acos(x));
  const double sign = x < 0.0 && k % 2 != 0 ? -1.0 : 1.0;
  return sign * std::cosh(k * std::acosh(std::abs(x)));
}

/// W_k(cos s) = sin((k + 1/2) s) / sin(s / 2).
double fourth_kind(int k, double x) {
  const double s = std::acos(x);
  return s == 0.0 ? 2.0 * k + 1.0 : std::sin((k + 0.5) * s) / std::sin(0.5 * s);
}

/// A 2 x 2 matrix with unit diagonal and eigenvalues 1 - c, 1 + c with vectors (1, -1) and (1, 1):
/// the polynomial is read off by applying M to those.
double polynomial_at(Chebyshev& M, double c, bool upper) {
  const auto A = test::to_csr({{1.0, c}, {c, 1.0}});
  M.setup(test::make_system(A));
  const Vector r = test::to_vector({1.0, upper ? 1.0 : -1.0});
  const Vector z = r.like("test::z");
  M.apply(r, z);
  return test::to_host(z)[0];
}

TEST(Chebyshev, FirstKindLeavesTheChebyshevPolynomialOfTheError) {
  const double a = 0.1;
  const double b = 2.0;
  for (const int degree : {1, 2, 3, 7}) {
    Chebyshev M({.degree = degree, .largest_eigenvalue = b, .smallest_eigenvalue = a}, {});
    for (const double c : {0.0, 0.3, 0.9, 0.97})
      for (const bool upper : {false, true}) {
        const double t = upper ? 1.0 + c : 1.0 - c;
        const double centre = 0.5 * (a + b);
        const double half = 0.5 * (b - a);
        const double expected =
            first_kind(degree, (centre - t) / half) / first_kind(degree, centre / half);
        EXPECT_NEAR(1.0 - t * polynomial_at(M, c, upper), expected, 1e-13) << degree << " " << t;
      }
  }
}

TEST(Chebyshev, FourthKindLeavesItsPolynomialOfTheError) {
  const double b = 2.0;
  for (const int degree : {1, 2, 5}) {
    Chebyshev M({.degree = degree, .polynomial = "fourth-kind", .largest_eigenvalue = b}, {});
    for (const double c : {0.0, 0.4, 0.95})
      for (const bool upper : {false, true}) {
        const double t = upper ? 1.0 + c : 1.0 - c;
        const double expected = fourth_kind(degree, 1.0 - 2.0 * t / b) / (2.0 * degree + 1.0);
        EXPECT_NEAR(1.0 - t * polynomial_at(M, c, upper), expected, 1e-13) << degree << " " << t;
      }
  }
}

TEST(Chebyshev, IsSymmetricAndPositiveDefiniteForAnyDiagonal) {
  const auto A = test::random_spd(30, 6);
  for (const char* kind : {"first-kind", "fourth-kind"}) {
    Chebyshev M({.degree = 5, .polynomial = kind}, {});
    M.setup(test::make_system(A));
    const test::Dense Z = test::as_dense(M, 30);
    EXPECT_LT(test::max_difference(Z, test::transpose(Z)), 1e-13);
    for (std::uint64_t seed = 1; seed < 20; ++seed) {
      const auto v = test::random_values(30, seed);
      const auto Zv = test::multiply(Z, v);
      double vZv = 0.0;
      for (size_t i = 0; i < v.size(); ++i) vZv += v[i] * Zv[i];
      EXPECT_GT(vZv, 0.0);
    }
    test::expect_fused_dots_agree(M, 30);
  }
}

TEST(Chebyshev, WorksOnGridOperatorsAndSameSeedGivesSameBounds) {
  Grid grid;
  grid.cells = {6, 5, 4};
  StencilOperator::Constant c;
  c.coupling = {1.0, 1.0, 1.0};
  c.wall[0] = {2.0, 2.0};
  const auto A = std::make_shared<StencilOperator>(grid, c);
  Context context;
  context.seed = 3;
  Chebyshev first({}, context);
  Chebyshev second({}, context);
  first.setup(test::make_system(A));
  second.setup(test::make_system(A));
  EXPECT_EQ(first.metrics()[0].value, second.metrics()[0].value);
  EXPECT_LE(first.metrics()[0].value, 2.0 * 1.1 + 1e-12);  // D^-1 A has no eigenvalue above 2
}

TEST(Chebyshev, RefusesWhatItCannotDo) {
  const auto setup = [](const test::Dense& A) {
    return [A] { Chebyshev({}, {}).setup(test::make_system(test::to_csr(A))); };
  };
  EXPECT_TRUE(
      test::contains(test::message_of<Unsupported>(setup({{2.0, 1.0}, {0.0, 2.0}})), "symmetric"));
  EXPECT_TRUE(test::contains(test::message_of<NumericalError>(setup({{2.0, 1.0}, {1.0, -2.0}})),
                             "not positive"));
  EXPECT_TRUE(test::contains(test::message_of<NumericalError>(setup({{1.0, 3.0}, {3.0, 1.0}})),
                             "not positive definite"));
  Diagnostics problems;
  Value table;
  table.set("smallest_eigenvalue", 2.0);
  table.set("largest_eigenvalue", 1.0);
  parse_options<chebyshev::ChebyshevOptions>(table, "", "chebyshev", problems);
  EXPECT_FALSE(problems.empty());
}

}  // namespace
