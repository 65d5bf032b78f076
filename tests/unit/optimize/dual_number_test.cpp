#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/optimize/dual_number.hpp>
#include <tests/support/execution_spaces.hpp>

namespace {

using namespace libsolve;

/// Function number k at x, as user code has it: one template for all number types.
constexpr int num_functions = 20;
template <class T>
KOKKOS_FUNCTION T function(int k, const T& x) {
  using Kokkos::sin, Kokkos::cos, Kokkos::tan, Kokkos::asin, Kokkos::acos, Kokkos::atan;
  using Kokkos::sinh, Kokkos::cosh, Kokkos::tanh, Kokkos::exp, Kokkos::log, Kokkos::log10;
  using Kokkos::sqrt, Kokkos::abs, Kokkos::pow;
  switch (k) {
    case 0:
      return sin(x);
    case 1:
      return cos(x);
    case 2:
      return tan(x);
    case 3:
      return asin(x);
    case 4:
      return acos(x);
    case 5:
      return atan(x);
    case 6:
      return sinh(x);
    case 7:
      return cosh(x);
    case 8:
      return tanh(x);
    case 9:
      return exp(x);
    case 10:
      return log(x);
    case 11:
      return log10(x);
    case 12:
      return sqrt(x);
    case 13:
      return abs(-x);
    case 14:
      return pow(x, 3.0);
    case 15:
      return pow(x, 2);
    case 16:
      return 2.0 / (1.0 + x) - 3.0;
    case 17:
      return x * x * x - x / 2.0 + 1;
    case 18:
      return pow(x, x);
    default:
      return x < 0.5 ? 2.0 * x : x;
  }
}

/// Their values, first and second derivatives at x = 0.37, in closed form.
void closed(int k, double& f, double& d, double& d2) {
  const double x = 0.37, s = std::sin(x), c = std::cos(x), t = std::tan(x), th = std::tanh(x);
  const double l10 = std::log(10.0), r = 1 - x * x, p = std::pow(x, x), q = 1 + std::log(x);
  const double table[num_functions][3] = {
      {s, c, -s},
      {c, -s, -c},
      {t, 1 + t * t, 2 * t * (1 + t * t)},
      {std::asin(x), 1 / std::sqrt(r), x / std::pow(r, 1.5)},
      {std::acos(x), -1 / std::sqrt(r), -x / std::pow(r, 1.5)},
      {std::atan(x), 1 / (1 + x * x), -2 * x / std::pow(1 + x * x, 2)},
      {std::sinh(x), std::cosh(x), std::sinh(x)},
      {std::cosh(x), std::sinh(x), std::cosh(x)},
      {th, 1 - th * th, -2 * th * (1 - th * th)},
      {std::exp(x), std::exp(x), std::exp(x)},
      {std::log(x), 1 / x, -1 / (x * x)},
      {std::log10(x), 1 / (x * l10), -1 / (x * x * l10)},
      {std::sqrt(x), 0.5 / std::sqrt(x), -0.25 / std::pow(x, 1.5)},
      {x, 1, 0},
      {x * x * x, 3 * x * x, 6 * x},
      {x * x, 2 * x, 2},
      {2 / (1 + x) - 3, -2 / std::pow(1 + x, 2), 4 / std::pow(1 + x, 3)},
      {x * x * x - x / 2 + 1, 3 * x * x - 0.5, 6 * x},
      {p, p * q, p * (q * q + 1 / x)},
      {2 * x, 2, 0}};
  f = table[k][0];
  d = table[k][1];
  d2 = table[k][2];
}

/// Value, slope by first-order numbers, second derivative by second-order ones.
template <class View>
struct EvaluateAll {
  View out;
  KOKKOS_FUNCTION void operator()(const int k) const {
    const double x = 0.37;
    const FirstDual first = function(k, FirstDual(x, 1.0));
    const SecondDual second = function(k, SecondDual({x, 1.0}, {1.0, 0.0}));
    out(k, 0) = function(k, x);
    out(k, 1) = first.slope;
    out(k, 2) = second.slope.slope;
    // Both orders of differentiation, and both kinds of number, say the same.
    out(k, 3) = Kokkos::abs(second.value.slope - first.slope) +
                Kokkos::abs(second.slope.value - first.slope) +
                Kokkos::abs(value_of(second) - first.value);
  }
};

template <class Exec>
void expect_closed_derivatives() {
  using View = Kokkos::View<double* [4], typename Exec::memory_space>;
  const View out("dual_number", num_functions);
  Kokkos::parallel_for("dual_number::evaluate", Kokkos::RangePolicy<Exec>(0, num_functions),
                       EvaluateAll<View>{out});
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), out);
  for (int k = 0; k < num_functions; ++k) {
    double expected[3];
    closed(k, expected[0], expected[1], expected[2]);
    const auto row = static_cast<std::size_t>(k);
    for (std::size_t order = 0; order < 3; ++order)
      EXPECT_NEAR(host(row, order), expected[order],
                  2e-14 * std::max(1.0, std::abs(expected[order])))
          << "function " << k << ", order " << order;
    EXPECT_LT(host(row, 3), 1e-14 * std::max(1.0, std::abs(expected[1]))) << k;
  }
}

template <class Exec>
class DualNumbers : public testing::Test {};
TYPED_TEST_SUITE(DualNumbers, test::ExecutionSpaces);

TYPED_TEST(DualNumbers, FunctionsHaveTheirDerivativesInKernels) {
  expect_closed_derivatives<TypeParam>();
}

TEST(DualNumber, MixedSecondDerivatives) {
  // f = x^2 y^3: f_xy = 6 x y^2, along x in one slope and y in the other.
  const SecondDual x({1.5, 1.0}, {0.0, 0.0}), y({-0.7, 0.0}, {1.0, 0.0});
  const SecondDual f = x * x * y * y * y;
  EXPECT_NEAR(f.slope.slope, 6 * 1.5 * 0.49, 1e-14);
  EXPECT_NEAR(f.value.slope, 2 * 1.5 * -0.343, 1e-15);
  EXPECT_NEAR(f.slope.value, 3 * 2.25 * 0.49, 1e-15);
}

TEST(DualNumber, ComparisonsKinksAndAssignments) {
  FirstDual a(2.0, 1.0);
  EXPECT_TRUE(a > 1.0 && 1.0 < a && a <= 2.0 && a >= 2.0 && a == FirstDual(2.0));
  a += 1.0;
  a *= a;
  a -= 4.0;
  a /= 5.0;
  EXPECT_EQ(a.value, 1.0);
  EXPECT_EQ(a.slope, 1.2);
  EXPECT_EQ(min(a, FirstDual(0.5)).slope, 0.0);
  EXPECT_EQ(max(a, FirstDual(0.5)).slope, 1.2);
  EXPECT_EQ(abs(FirstDual(0.0, 3.0)).slope, 0.0);
  EXPECT_EQ(pow(FirstDual(0.0, 1.0), 2.0).slope, 0.0);
  EXPECT_EQ(pow(FirstDual(-2.0, 1.0), 3.0).slope, 12.0);
  EXPECT_TRUE(std::isnan(log(FirstDual(-1.0, 1.0)).value));
}

}  // namespace
