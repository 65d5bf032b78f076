#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/bilevel/lower_kkt.hpp>
#include <libsolve/bilevel/lower_level.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/optimize/derivative_check.hpp>
#include <libsolve/optimize/formula_functions.hpp>

namespace libsolve {
namespace {

constexpr double none = INFINITY;

/// Two upper and two lower variables, everything nonlinear, G and g there, bounds on y1 and y2.
BilevelProgram nonlinear_program() {
  auto formulas = std::make_shared<Formulas>(std::vector<std::string>{"x1", "x2", "y1", "y2"});
  const Index F = formulas->add("x1^2*y1 + sin(x2)*y2 + y1*y2");
  const Index G = formulas->add("x1*y2 + y1^3");
  const Index f = formulas->add("exp(y1 - x1) + (y2 - x2)^4 + x1*y1*y2");
  const Index g1 = formulas->add("y1^2*x1 + y2^3 - x2");
  const Index g2 = formulas->add("x1 + y1 - 2*y2");
  BilevelParts p;
  p.num_upper = 2;
  p.num_lower = 2;
  p.upper = std::make_shared<FormulaFunctions>(formulas, F, std::vector<Index>{G});
  p.lower = std::make_shared<FormulaFunctions>(formulas, f, std::vector<Index>{g1, g2});
  p.upper_variables = {{-2.0, -none}, {2.0, none}};
  p.lower_variables = {{-1.0, -none}, {3.0, 2.0}};
  p.upper_constraints = {{-none}, {5.0}};
  p.lower_constraints = {{-1.0, 0.5}, {4.0, 0.5}};
  p.start = {0.7, 0.4, 0.3, 0.9};
  return BilevelProgram(std::move(p));
}

TEST(LowerKkt, SplitsConstraintsIntoOneSidedOnes) {
  const BilevelProgram problem = nonlinear_program();
  const std::vector<LowerConstraint> c = lower_constraints(problem);
  ASSERT_EQ(c.size(), 6u);  // g1 twice, g2 once, y1 twice, y2 once
  EXPECT_DOUBLE_EQ(c[0].sign, 1.0);
  EXPECT_DOUBLE_EQ(c[0].bound, 4.0);
  EXPECT_DOUBLE_EQ(c[1].sign, -1.0);
  EXPECT_DOUBLE_EQ(c[1].bound, -1.0);
  EXPECT_TRUE(c[2].is_equality);
  EXPECT_TRUE(c[3].is_variable);
  EXPECT_FALSE(c[2].is_variable);
  EXPECT_EQ(c[5].row, 1);
}

class LowerKktDerivatives : public testing::TestWithParam<bool> {};

TEST_P(LowerKktDerivatives, AgreeWithDifferences) {
  const BilevelProgram problem = nonlinear_program();
  const auto functions = std::make_shared<LowerKktFunctions>(problem, GetParam());
  const auto n = static_cast<std::size_t>(functions->num_variables());
  const auto m = static_cast<std::size_t>(functions->num_constraints());
  EXPECT_EQ(n, 10u);
  EXPECT_EQ(m, GetParam() ? 14u : 9u);
  std::vector<double> start = {0.7, 0.4, 0.3, 0.9, 0.5, 0.2, -0.7, 0.3, 0.1, 0.4};
  const DerivativeCheck check = check_derivatives(
      NonlinearProgram(functions, {std::vector<double>(n, -none), std::vector<double>(n, none)},
                       {std::vector<double>(m, -none), std::vector<double>(m, none)}, start));
  EXPECT_TRUE(check.checked_any());
  EXPECT_TRUE(check.passed());
  for (const DerivativeDefect& d : check.kinds)
    EXPECT_LT(d.excess, 1e-5) << d.kind << " " << d.where;
}
INSTANTIATE_TEST_SUITE_P(WithAndWithoutProducts, LowerKktDerivatives, testing::Bool());

TEST(LowerKkt, RowsAreTheLowerLevelsConditions) {
  const BilevelProgram problem = nonlinear_program();
  LowerKktFunctions functions(problem, true);
  const std::vector<double> w = {0.7, 0.4, 0.3, 0.9, 0.5, 0.2, -0.7, 0.3, 0.1, 0.4};
  std::vector<double> c(14);
  HostAccess(functions).constraints(w, c);
  const double f_y1 = std::exp(0.3 - 0.7) + 0.7 * 0.9;
  EXPECT_NEAR(c[0], f_y1 + (0.5 - 0.2) * 2.0 * 0.3 * 0.7 - 0.7 + (0.3 - 0.1), 1e-14);
  const double g1 = 0.3 * 0.3 * 0.7 + 0.9 * 0.9 * 0.9 - 0.4;
  EXPECT_NEAR(c[2], g1 - 4.0, 1e-14);
  EXPECT_NEAR(c[3], -1.0 - g1, 1e-14);
  EXPECT_NEAR(c[static_cast<std::size_t>(functions.row_of_upper(0))], 0.7 * 0.9 + 0.027, 1e-14);
  EXPECT_NEAR(c[static_cast<std::size_t>(functions.row_of_product(1))], 0.2 * (-1.0 - g1), 1e-14);
}

TEST(LowerLevel, FunctionsAreThoseAtTheFixedX) {
  const BilevelProgram problem = nonlinear_program();
  const auto functions = std::make_shared<LowerFunctions>(problem);
  functions->set_x(std::vector<double>{1.1, -0.3});
  const HostAccess at(*functions);
  EXPECT_NEAR(at.objective(std::vector<double>{0.2, 0.5}),
              std::exp(0.2 - 1.1) + std::pow(0.8, 4) + 1.1 * 0.2 * 0.5, 1e-14);
  const DerivativeCheck check = check_derivatives(NonlinearProgram(
      functions, problem.parts().lower_variables, {{-none, -none}, {none, none}}, {0.2, 0.5}));
  EXPECT_TRUE(check.checked_any());
  EXPECT_TRUE(check.passed());
}

TEST(BilevelProgram, SaysWhatDoesNotFit) {
  BilevelParts p = nonlinear_program().parts();
  p.start[2] = NAN;
  EXPECT_THROW(BilevelProgram(BilevelParts(p)), DataError);
  p.start = {0.0};
  EXPECT_THROW(BilevelProgram(BilevelParts(p)), ShapeError);
  p = nonlinear_program().parts();
  p.upper_constraints.lower[0] = 6.0;
  EXPECT_THROW(BilevelProgram(std::move(p)), DataError);
}

TEST(BilevelProgram, AnUncertifiedPointSaysSo) {
  const BilevelProgram problem = nonlinear_program();
  const std::vector<Measure> measures = problem.verify();
  EXPECT_EQ(measures.front().name, "constraint_violation");
  EXPECT_NEAR(measures.front().value, 1.3, 1e-12);  // g2 = 0.7 + 0.3 - 1.8 in place of 0.5
  for (const Measure& m : measures) EXPECT_NE(m.name, "upper_objective");
}

}  // namespace
}  // namespace libsolve
