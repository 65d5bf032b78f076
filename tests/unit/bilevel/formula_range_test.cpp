#include <libsolve/bilevel/formula_range.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/bilevel/formula_shape.hpp>
#include <libsolve/core/random.hpp>

namespace libsolve {
namespace {

using Box = std::vector<Interval>;

struct Enclosure {
  std::vector<Interval> values, gradients;
};

std::shared_ptr<Formulas> formulas_in(const std::vector<std::string>& names,
                                      const std::vector<std::string>& texts) {
  auto f = std::make_shared<Formulas>(names);
  for (const std::string& t : texts) f->add(t);
  return f;
}

std::vector<Index> all_of(const Formulas& f) {
  std::vector<Index> which;
  for (Index k = 0; k < f.size(); ++k) which.push_back(k);
  return which;
}

Enclosure enclose(const std::shared_ptr<Formulas>& f, const Box& box) {
  FormulaRange range(f, all_of(*f));
  const auto m = static_cast<std::size_t>(f->size());
  Enclosure e = {Box(m), Box(m * box.size())};
  range.enclose(box, e.values, e.gradients);
  return e;
}

Interval range_of(const std::string& text, Interval x) {
  return enclose(formulas_in({"x"}, {text}), {x}).values[0];
}

/// Holds [low, high] and is at most 1e-12 (relative) wider.
void expect_tight(const std::string& text, Interval x, double low, double high) {
  const Interval r = range_of(text, x);
  EXPECT_LE(r.low, low) << text;
  EXPECT_GE(r.high, high) << text;
  if (std::isfinite(low)) {
    EXPECT_GE(r.low, low - 1e-12 * std::max(1.0, std::abs(low))) << text;
  }
  if (std::isfinite(high)) {
    EXPECT_LE(r.high, high + 1e-12 * std::max(1.0, std::abs(high))) << text;
  }
}

TEST(FormulaRange, RangesOfOneOperationAreSharp) {
  const double inf = INFINITY, pi = M_PI;
  expect_tight("x^2", {-2, 1}, 0, 4);
  expect_tight("x^3", {-2, 1}, -8, 1);
  expect_tight("x^4", {1, 2}, 1, 16);
  expect_tight("x^-2", {-2, -1}, 0.25, 1);
  expect_tight("x^-1", {2, inf}, 0, 0.5);
  expect_tight("x^1.5", {-1, 4}, 0, 8);
  expect_tight("2^x", {-1, 3}, 0.5, 8);
  expect_tight("1/x", {0, 4}, 0.25, inf);
  expect_tight("1/x", {-1, 4}, -inf, inf);
  expect_tight("exp(x)", {-inf, 0}, 0, 1);
  expect_tight("log(x)", {-1, 1}, -inf, 0);
  expect_tight("log10(x)", {1, 100}, 0, 2);
  expect_tight("sqrt(x)", {-1, 9}, 0, 3);
  expect_tight("sin(x)", {0, pi}, 0, 1);
  expect_tight("sin(x)", {pi, 2 * pi + 0.1}, -1, std::sin(2 * pi + 0.1));
  expect_tight("cos(x)", {-0.5, 1}, std::cos(1.0), 1);
  expect_tight("cos(x)", {-inf, 3}, -1, 1);
  expect_tight("tan(x)", {-1, 1}, -std::tan(1.0), std::tan(1.0));
  expect_tight("tan(x)", {1, 2}, -inf, inf);
  expect_tight("asin(x)", {0, 5}, 0, pi / 2);
  expect_tight("acos(x)", {0, 0.5}, std::acos(0.5), pi / 2);
  expect_tight("atan(x)", {-inf, 0}, -pi / 2, 0);
  expect_tight("sinh(x)", {-1, 2}, std::sinh(-1.0), std::sinh(2.0));
  expect_tight("cosh(x)", {-1, 2}, 1, std::cosh(2.0));
  expect_tight("tanh(x)", {-inf, 1}, -1, std::tanh(1.0));
  expect_tight("abs(x)", {-3, 1}, 0, 3);
  expect_tight("min(x, 2)", {1, 3}, 1, 2);
  expect_tight("max(x, 2)", {1, 3}, 2, 3);
  expect_tight("3*x - 1", {-inf, 2}, -inf, 5);
  expect_tight("0*x + x - x^2", {0, 1}, -1, 1);  // the steps do not know of each other
}

TEST(FormulaRange, NowhereDefinedIsEmpty) {
  EXPECT_GT(range_of("sqrt(x)", {-2, -1}).low, range_of("sqrt(x)", {-2, -1}).high);
  const Interval r = range_of("1 + log(x)*2", {-2, -1});
  EXPECT_GT(r.low, r.high);
}

/// Where the formula has gaps its gradient says nothing, so that no mean value form crosses them.
TEST(FormulaRange, GradientAcrossAGapIsUnbounded) {
  const Enclosure e = enclose(formulas_in({"x", "y"}, {"(x^2 - 1)^1.5 + y"}), {{-2, 2}, {0, 1}});
  EXPECT_EQ(e.gradients[0].low, -INFINITY);
  EXPECT_EQ(e.gradients[0].high, INFINITY);
}

/// Values and gradients at random points of random boxes lie in the enclosures, and these shrink
/// with the boxes.
TEST(FormulaRange, HoldsPointValuesAndGradients) {
  const auto f = formulas_in(
      {"x", "y", "z"},
      {"x^4 - 3*x^2*y + sin(x*y) - 0.3*z", "exp(-(x + y)^2)/(1 + z^2) + cos(3*x - z)",
       "log(4 + x)*sqrt(5 + y) - tanh(x*z) + atan(y)", "abs(x - y) + max(x, y*z) - min(z, 1)",
       "(3 + x)^y + (2 + z)^-3 + sinh(x)*cosh(y) + tan(0.3*z)", "(x - 2*y)^3/(6 + x - z) + 1/2^z",
       "asin(0.2*x) + acos(0.3*y) + (3 + y)^2.5"});
  FormulaEvaluator evaluator(f, all_of(*f));
  FormulaRange range(f, all_of(*f));
  const RandomStream stream(5, "formula_range_test");
  std::uint64_t draw = 0;
  const auto m = static_cast<std::size_t>(f->size());
  Box box(3), values(m), gradients(3 * m);
  std::vector<double> point(3), at_point(m), jacobian(evaluator.jacobian_pattern().size());
  for (const double size : {3.0, 0.5, 0.01, 0.0}) {
    for (int b = 0; b < 100; ++b) {
      for (Interval& i : box) {
        const double low = stream.uniform(draw++, -2.0, 2.0 - 0.999 * size);
        i = {low, low + size * stream.uniform(draw++)};
      }
      range.enclose(box, values, gradients);
      for (int p = 0; p < 20; ++p) {
        for (std::size_t j = 0; j < 3; ++j)
          point[j] = std::min(stream.uniform(draw++, box[j].low, box[j].high), box[j].high);
        evaluator.values(point, at_point);
        evaluator.jacobian(point, jacobian);
        for (std::size_t k = 0; k < m; ++k) {
          ASSERT_LE(values[k].low, at_point[k] + 1e-13 * std::abs(at_point[k])) << k;
          ASSERT_GE(values[k].high, at_point[k] - 1e-13 * std::abs(at_point[k])) << k;
        }
        for (std::size_t e = 0; e < jacobian.size(); ++e) {
          const auto k = static_cast<std::size_t>(evaluator.jacobian_pattern().rows[e]);
          const auto j = static_cast<std::size_t>(evaluator.jacobian_pattern().columns[e]);
          const double slack = 1e-12 * std::max(1.0, std::abs(jacobian[e]));
          ASSERT_LE(gradients[3 * k + j].low, jacobian[e] + slack) << k;
          ASSERT_GE(gradients[3 * k + j].high, jacobian[e] - slack) << k;
        }
      }
      for (std::size_t k = 0; size == 0.0 && k < m; ++k) {
        ASSERT_LT(values[k].high - values[k].low, 1e-12 * std::max(1.0, std::abs(at_point[k])));
      }
    }
  }
}

TEST(FormulaShape, RulesAndEigenvalues) {
  const std::vector<bool> varies = {true, true, false};
  const auto shape = [&](const std::string& text, double low) {
    const auto f = formulas_in({"x", "y", "p"}, {text});
    return formula_shape(f, 0, varies, Box(3, {low, INFINITY}));
  };
  const double inf = INFINITY;
  EXPECT_EQ(shape("p^2 + sin(p)", -inf), FormulaShape::constant);
  EXPECT_EQ(shape("p*x - 3*y + exp(p)", -inf), FormulaShape::affine);
  EXPECT_EQ(shape("x^2 + y^4 - p^2", -inf), FormulaShape::convex);
  EXPECT_EQ(shape("-exp(x - y)", -inf), FormulaShape::concave);
  EXPECT_EQ(shape("x^2 - y^2", -inf), FormulaShape::unknown);
  EXPECT_EQ(shape("x*y - x^2 - y^2", -inf), FormulaShape::concave);
  EXPECT_EQ(shape("exp(x^2)", -inf), FormulaShape::convex);
  EXPECT_EQ(shape("exp(-x^2)", -inf), FormulaShape::unknown);
  EXPECT_EQ(shape("(x^2 + 1)^3", -inf), FormulaShape::convex);
  EXPECT_EQ(shape("x^3", 0), FormulaShape::convex);
  EXPECT_EQ(shape("(-x)^3", 0), FormulaShape::concave);
  EXPECT_EQ(shape("1/x + x^-2", 0.5), FormulaShape::convex);
  EXPECT_EQ(shape("1/(-x)", 0.5), FormulaShape::concave);
  EXPECT_EQ(shape("p*x^2", 0), FormulaShape::convex);
  EXPECT_EQ(shape("p*x^2", -1), FormulaShape::unknown);
  EXPECT_EQ(shape("x^2/p", 0), FormulaShape::convex);
  EXPECT_EQ(shape("-p*sqrt(x)*0.1", 0), FormulaShape::convex);
  EXPECT_EQ(shape("p/(x + y)", 1), FormulaShape::convex);
  EXPECT_EQ(shape("max(x^2, abs(y - p))", -inf), FormulaShape::convex);
  EXPECT_EQ(shape("min(log(x), y)", -inf), FormulaShape::concave);
  EXPECT_EQ(shape("cosh(x) + sinh(y)", 0), FormulaShape::convex);
  EXPECT_EQ(shape("sin(x)", -inf), FormulaShape::unknown);
}

}  // namespace
}  // namespace libsolve
