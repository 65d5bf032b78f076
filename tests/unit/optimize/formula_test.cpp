#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <libsolve/core/random.hpp>
#include <libsolve/optimize/formula.hpp>
#include <numbers>

namespace {

using namespace libsolve;
using Numbers = std::vector<double>;

/// Value, gradient and Hessian (dense) of one formula.
struct Evaluated {
  double value = 0.0;
  Numbers gradient = {};
  std::vector<Numbers> hessian = {};
};

Evaluated evaluated(const std::string& text, const std::vector<std::string>& names,
                    const Numbers& x) {
  auto formulas = std::make_shared<Formulas>(names);
  FormulaEvaluator f(formulas, {formulas->add(text)});
  Evaluated e;
  f.values(x, {&e.value, 1});
  const SparsePattern J = f.jacobian_pattern(), W = f.hessian_pattern();
  Numbers J_values(J.size()), W_values(W.size());
  f.jacobian(x, J_values);
  f.hessian(x, Numbers{1.0}, W_values);
  e.gradient.assign(x.size(), 0.0);
  e.hessian.assign(x.size(), Numbers(x.size(), 0.0));
  for (std::size_t k = 0; k < J.size(); ++k) e.gradient[std::size_t(J.columns[k])] += J_values[k];
  for (std::size_t k = 0; k < W.size(); ++k) {
    const auto i = std::size_t(W.rows[k]), j = std::size_t(W.columns[k]);
    EXPECT_GE(i, j);
    e.hessian[i][j] += W_values[k];
    if (i != j) e.hessian[j][i] += W_values[k];
  }
  return e;
}

double value(const std::string& text, const Numbers& x = {}) {
  const std::vector<std::string> names = {"x", "y", "z"};
  return evaluated(text, {names.begin(), names.begin() + std::ptrdiff_t(x.size())}, x).value;
}

TEST(Formula, FollowsTheRulesOfPrecedence) {
  EXPECT_EQ(value("1 + 2 * 3"), 7);
  EXPECT_EQ(value("(1 + 2) * 3"), 9);
  EXPECT_EQ(value("2 ^ 3 ^ 2"), 512);
  EXPECT_EQ(value("-2 ^ 2"), -4);
  EXPECT_EQ(value("2 ^ -2"), 0.25);
  EXPECT_EQ(value("2 ** 3 * 2"), 16);
  EXPECT_EQ(value("8 / 4 / 2"), 1);
  EXPECT_EQ(value("8 - 4 - 2"), 2);
  EXPECT_EQ(value("2 * -3"), -6);
  EXPECT_EQ(value("- - 3"), 3);
  EXPECT_EQ(value("1e-2 + .5 + 2."), 2.51);
  EXPECT_EQ(value("max(1, 2, 3) - min(3, 2, 1)"), 2);
  EXPECT_EQ(value("pi"), std::numbers::pi);
  EXPECT_EQ(value("x^2 - y", {3, 4}), 5);
  EXPECT_EQ(value("-x^2", {3}), -9);
  EXPECT_EQ(value("x^3", {-2}), -8);
  EXPECT_EQ(value("log10(1000)"), 3);
}

/// Each function against its closed derivatives.
TEST(Formula, FunctionsHaveTheirDerivatives) {
  const double x = 0.37;
  const auto expect = [&](const std::string& text, double f, double d, double d2,
                          double at = 0.37) {
    const Evaluated e = evaluated(text, {"x"}, {at});
    const double size = std::max({1.0, std::abs(f), std::abs(d), std::abs(d2)});
    EXPECT_NEAR(e.value, f, 4e-15 * size) << text;
    EXPECT_NEAR(e.gradient[0], d, 4e-15 * size) << text;
    EXPECT_NEAR(e.hessian[0][0], d2, 8e-15 * size) << text;
  };
  const double s = std::sin(x), c = std::cos(x), t = std::tan(x), th = std::tanh(x);
  expect("sin(x)", s, c, -s);
  expect("cos(x)", c, -s, -c);
  expect("tan(x)", t, 1 / (c * c), 2 * t / (c * c));
  expect("asin(x)", std::asin(x), 1 / std::sqrt(1 - x * x), x / std::pow(1 - x * x, 1.5));
  expect("acos(x)", std::acos(x), -1 / std::sqrt(1 - x * x), -x / std::pow(1 - x * x, 1.5));
  expect("atan(x)", std::atan(x), 1 / (1 + x * x), -2 * x / std::pow(1 + x * x, 2));
  expect("sinh(x)", std::sinh(x), std::cosh(x), std::sinh(x));
  expect("cosh(x)", std::cosh(x), std::sinh(x), std::cosh(x));
  expect("tanh(x)", th, 1 - th * th, -2 * th * (1 - th * th));
  expect("exp(x)", std::exp(x), std::exp(x), std::exp(x));
  expect("log(x)", std::log(x), 1 / x, -1 / (x * x));
  expect("log10(x)", std::log10(x), 1 / (x * std::log(10)), -1 / (x * x * std::log(10)));
  expect("sqrt(x)", std::sqrt(x), 0.5 / std::sqrt(x), -0.25 / std::pow(x, 1.5));
  expect("abs(x)", 0.37, 1, 0);
  expect("abs(x)", 0.37, -1, 0, -0.37);
  expect("min(x, 1)", x, 1, 0);
  expect("max(x^2, 1)", 1, 0, 0);
  expect("max(x^2, 0)", x * x, 2 * x, 2);
  expect("x^4", std::pow(x, 4), 4 * std::pow(x, 3), 12 * x * x);
  expect("x^2", 0.0, 0.0, 2.0, 0.0);
  expect("x^3", -8.0, 12.0, -12.0, -2.0);
  expect("x^2.5", std::pow(x, 2.5), 2.5 * std::pow(x, 1.5), 3.75 * std::sqrt(x));
  expect("2^x", std::pow(2, x), std::pow(2, x) * std::log(2),
         std::pow(2, x) * std::log(2) * std::log(2));
  expect("x^x", std::pow(x, x), std::pow(x, x) * (1 + std::log(x)),
         std::pow(x, x) * ((1 + std::log(x)) * (1 + std::log(x)) + 1 / x));
  expect("1/x", 1 / x, -1 / (x * x), 2 / (x * x * x));
  expect("x/x + 0*x", 1, 0, 0);
  expect("x*x*x", x * x * x, 3 * x * x, 6 * x);
  expect("-x + x", 0, 0, 0);
}

/// min x1 x4 (x1 + x2 + x3) + x3 of Hock and Schittkowski's problem 71 at (1, 5, 5, 1).
TEST(Formula, HessianOfProductsByHand) {
  const Evaluated e =
      evaluated("x1*x4*(x1 + x2 + x3) + x3", {"x1", "x2", "x3", "x4"}, {1, 5, 5, 1});
  EXPECT_EQ(e.value, 16);
  EXPECT_EQ(e.gradient, Numbers({12, 1, 2, 11}));
  EXPECT_EQ(e.hessian[0], Numbers({2, 1, 1, 12}));
  EXPECT_EQ(e.hessian[3], Numbers({12, 1, 1, 0}));
  EXPECT_EQ(e.hessian[1], Numbers({1, 0, 0, 1}));
}

/// Random formulas out of smooth pieces: gradients against differences of values, Hessians against
/// differences of gradients.
std::string random_text(const RandomStream& random, std::uint64_t& at, int depth) {
  const auto draw = [&](int count) { return static_cast<int>(random.uniform(at++) * count); };
  if (depth == 0) {
    const char* leaves[] = {"x", "y", "z", "w", "0.7", "1.3"};
    return leaves[draw(6)];
  }
  const std::string a = random_text(random, at, depth - 1), b = random_text(random, at, depth - 1);
  switch (draw(11)) {
    case 0:
      return "(" + a + " + " + b + ")";
    case 1:
      return "(" + a + " - " + b + ")";
    case 2:
    case 3:
      return "(" + a + ")*(" + b + ")";
    case 4:
      return "(" + a + ")/(2 + (" + b + ")^2)";
    case 5:
      return "sin(" + a + ")";
    case 6:
      return "tanh(" + a + ")";
    case 7:
      return "exp(-(" + a + ")^2)";
    case 8:
      return "sqrt(1 + (" + a + ")^2)";
    case 9:
      return "(1.5 + sin(" + a + "))^(" + b + "/(1 + (" + b + ")^2))";
    default:
      return "atan(" + a + ")";
  }
}

TEST(Formula, RandomOnesAgreeWithDifferences) {
  const RandomStream random(11, "formula_test");
  const std::vector<std::string> names = {"x", "y", "z", "w"};
  const Numbers x = {0.31, -0.52, 0.84, 1.17};
  constexpr double h = 1e-5;
  std::uint64_t at = 0;
  for (int k = 0; k < 60; ++k) {
    const std::string text = random_text(random, at, 2 + k % 4);
    const Evaluated e = evaluated(text, names, x);
    double size = 1.0;
    for (const auto& row : e.hessian)
      for (const double v : row) size = std::max(size, std::abs(v));
    for (std::size_t j = 0; j < x.size(); ++j) {
      Numbers up = x, down = x;
      up[j] += h;
      down[j] -= h;
      const Evaluated ahead = evaluated(text, names, up), behind = evaluated(text, names, down);
      EXPECT_NEAR(e.gradient[j], (ahead.value - behind.value) / (2 * h), 1e-7 * size) << text;
      for (std::size_t i = 0; i < x.size(); ++i)
        EXPECT_NEAR(e.hessian[i][j], (ahead.gradient[i] - behind.gradient[i]) / (2 * h),
                    1e-6 * size)
            << text << " " << i << " " << j;
    }
  }
}

/// The weighted sum of several formulas has the weighted sum of their Hessians, and shared steps
/// stand on the tape once.
TEST(Formula, SetsShareStepsAndSumHessians) {
  auto formulas = std::make_shared<Formulas>(std::vector<std::string>{"x", "y"});
  const Index f = formulas->add("sin(x*y)^2 + x");
  const std::size_t before = formulas->nodes().size();
  const Index g = formulas->add("3*sin(y*x)");
  EXPECT_EQ(formulas->nodes().size(), before + 2) << "the 3 and its product";
  EXPECT_EQ(formulas->add("sin(x*y)*sin(x*y) + x"), 2);
  EXPECT_EQ(formulas->root(2), formulas->root(f));
  FormulaEvaluator both(formulas, {f, g});
  const SparsePattern W = both.hessian_pattern();
  ASSERT_EQ(W.size(), 3U);
  Numbers sum(3), first(3), second(3);
  const Numbers x = {0.4, 1.1};
  both.hessian(x, Numbers{2.0, -0.5}, sum);
  both.hessian(x, Numbers{1.0, 0.0}, first);
  both.hessian(x, Numbers{0.0, 1.0}, second);
  for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(sum[k], 2 * first[k] - 0.5 * second[k], 1e-14);
  // (sin(xy)^2)_xx = 2 y^2 cos(2 x y)
  EXPECT_NEAR(first[0], 2 * 1.1 * 1.1 * std::cos(0.88), 1e-14);
}

TEST(Formula, PatternsAreSparse) {
  constexpr int n = 400;
  std::vector<std::string> names;
  std::string chain = "0";
  for (int k = 0; k < n; ++k) names.push_back("x" + std::to_string(k));
  for (int k = 0; k + 1 < n; ++k)
    chain += " + 100*(" + names[size_t(k + 1)] + " - " + names[size_t(k)] + "^2)^2 + (1 - " +
             names[size_t(k)] + ")^2";
  auto formulas = std::make_shared<Formulas>(names);
  FormulaEvaluator f(formulas, {formulas->add(chain)});
  EXPECT_EQ(f.hessian_pattern().size(), std::size_t(2 * n - 1)) << "tridiagonal, half of it";
  // Rosenbrock's function at ones: zero, gradient zero, Hessian [802, -400; -400, 200] chained.
  const Numbers ones(n, 1.0);
  double value = 1.0;
  f.values(ones, {&value, 1});
  EXPECT_EQ(value, 0.0);
  Numbers W(f.hessian_pattern().size());
  f.hessian(ones, Numbers{1.0}, W);
  for (std::size_t k = 0; k < W.size(); ++k) {
    const Index i = f.hessian_pattern().rows[k], j = f.hessian_pattern().columns[k];
    EXPECT_EQ(W[k], i != j ? -400 : i == 0 ? 802 : i == n - 1 ? 200 : 1002);
  }
}

TEST(Formula, DegreesAreFound) {
  Formulas f({"x", "y"});
  const auto degree = [&](const char* text) { return f.degree(f.add(text)); };
  EXPECT_EQ(degree("2*3 + sin(1)"), 0);
  EXPECT_EQ(degree("2*(x - y)/4 + 3"), 1);
  EXPECT_EQ(degree("x*y + 3*(x + 1)^2"), 2);
  EXPECT_EQ(degree("x*x*y"), 3);
  EXPECT_EQ(degree("1/x"), 3);
  EXPECT_EQ(degree("abs(x)"), 3);
  EXPECT_EQ(degree("x^1 + y^0"), 1);
}

TEST(Formula, RelationsHaveBounds) {
  Formulas f({"x", "y"});
  const auto expect = [&](const char* text, double low, double high) {
    const Formulas::Relation r = f.add_relation(text);
    EXPECT_EQ(r.lower, low) << text;
    EXPECT_EQ(r.upper, high) << text;
    return f.root(r.formula);
  };
  const Index sum = f.root(f.add("x + y")), difference = f.root(f.add("x - y"));
  EXPECT_EQ(expect("x + y <= 2", -INFINITY, 2), sum);
  EXPECT_EQ(expect("x + y >= 2", 2, INFINITY), sum);
  EXPECT_EQ(expect("2 >= x + y", -INFINITY, 2), sum);
  EXPECT_EQ(expect("x + y = 2*3", 6, 6), sum);
  EXPECT_EQ(expect("6 == x + y", 6, 6), sum);
  EXPECT_EQ(expect("-1 <= x + y <= pi", -1, std::numbers::pi), sum);
  EXPECT_EQ(expect("3 >= x + y >= -1", -1, 3), sum);
  EXPECT_EQ(expect("x <= y", -INFINITY, 0), difference);
  EXPECT_EQ(expect("x = y", 0, 0), difference);
  EXPECT_TRUE(std::isnan(f.add_relation("x").lower));
}

TEST(Formula, MistakesAreNamedWithTheirColumn) {
  const auto expect = [&](const char* text, int column, const char* says) {
    Formulas f({"x1", "x2", "speed"});
    try {
      f.add_relation(text);
      FAIL() << text;
    } catch (const FormulaError& e) {
      EXPECT_EQ(e.column(), column) << text << ": " << e.what();
      EXPECT_NE(std::string(e.what()).find(says), std::string::npos) << text << ": " << e.what();
    }
  };
  expect("x1 + * 3", 6, "expected a number, a name or \"(\", found \"*\"");
  expect("", 1, "found the end of the formula");
  expect("x1 + (x2", 9, "expected \")\"");
  expect("2 x1", 3, "expected an operator or the end of the formula, found \"x1\"");
  expect("x1 + speeed", 6, "did you mean 'speed'?");
  expect("sine(x1)", 1, "did you mean 'sin'?");
  expect("x1(x2 + 1)", 1, "a product needs *");
  expect("sin(x1, x2)", 1, "one operand, found 2");
  expect("max(x1)", 1, "two or more operands");
  expect("sin + 1", 5, "expected \"(\" after sin");
  expect("x1 < 2", 4, "expected <=");
  expect("x1 <= x2 <= 3", 4, "expected numbers left and right");
  expect("1 <= x1 >= 3", 9, "the sign <=,");
  expect("x1 = 2 = 3", 8, "once");
  expect("1e999", 1, "range of doubles");
  expect("x1 # x2", 4, "found \"#\"");
  EXPECT_THROW(Formulas({"1x"}), DataError);
  EXPECT_THROW(Formulas({"sin"}), DataError);
  EXPECT_THROW(Formulas({"a", "a"}), DataError);
  Formulas f({"x"});
  EXPECT_THROW(f.add(std::string(5000, '(')), FormulaError) << "no overflow of the stack";
}

TEST(Formula, UndefinedValuesAreNoExceptions) {
  EXPECT_TRUE(std::isnan(value("log(x)", {-1.0})));
  EXPECT_TRUE(std::isinf(value("1/x", {0.0})));
  EXPECT_TRUE(std::isnan(value("x^0.5", {-1.0})));
  EXPECT_TRUE(std::isnan(value("max(x, 1)", {double(NAN)})));
  EXPECT_TRUE(std::isinf(value("exp(x)", {1e4})));
  EXPECT_TRUE(std::isnan(evaluated("log(x)", {"x"}, {-1.0}).gradient[0]));
}

}  // namespace
