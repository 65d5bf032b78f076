#include "formulas_source.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/io/case_file.hpp>
#include <libsolve/optimize/nonlinear_program.hpp>

namespace {

using namespace libsolve;
using formulas::FormulasOptions;
using Numbers = std::vector<double>;

/// Options of a table as a case has it.
FormulasOptions parsed(const std::string& text, Diagnostics& problems) {
  return parse_options<FormulasOptions>(parse_toml(text, "case.toml"), "problem.",
                                        "problem-source 'formulas'", problems);
}

std::unique_ptr<NonlinearProgram> program(const std::string& text) {
  Diagnostics problems;
  const FormulasOptions options = parsed(text, problems);
  problems.throw_if_any();
  auto problem = formulas::FormulasSource(options, Context{}).create();
  return std::unique_ptr<NonlinearProgram>(dynamic_cast<NonlinearProgram*>(problem.release()));
}

/// Hock and Schittkowski's problem 71, with names.
const std::string hs71 = R"(variables = ["a", "b", "c", "d"]
objective = "a*d*(a + b + c) + c"
equalities = ["a^2 + b^2 + c^2 + d^2 = 40"]
inequalities = { product = "a*b*c*d >= 25" }
lower = 1
upper = [5, 5, 5, 5]
start = { a = 1, b = 5.0, c = 5, d = 1 }
)";

TEST(FormulasSource, HasValuesDerivativesBoundsAndNames) {
  const auto p = program(hs71);
  const HostAccess at(p->functions());
  const Numbers x = {1, 5, 5, 1};
  EXPECT_EQ(p->host_x(), x);
  Numbers c(2), g(4), Jv(2), Wv(4);
  EXPECT_EQ(at.objective(x), 16);
  at.gradient(x, g);
  at.constraints(x, c);
  EXPECT_EQ(g, Numbers({12, 1, 2, 11}));
  EXPECT_EQ(c, Numbers({52, 25}));
  at.apply_jacobian(x, Numbers{1, 0, 0, 1}, Jv);
  EXPECT_EQ(Jv, Numbers({4, 50}));
  // (0.5 f'' + 2 c_1'' - c_2'') (1, 0, 0, 0)
  at.apply_hessian(x, 0.5, Numbers{2, -1}, Numbers{1, 0, 0, 0}, Wv);
  EXPECT_EQ(Wv, Numbers({0.5 * 2 + 4, 0.5 - 5, 0.5 - 5, 6 - 25}));
  EXPECT_EQ(p->constraint_bounds().lower, Numbers({40, 25}));
  EXPECT_EQ(p->constraint_bounds().upper, Numbers({40, INFINITY}));
  EXPECT_EQ(p->variable_bounds().lower, Numbers({1, 1, 1, 1}));
  EXPECT_EQ(p->functions().constraint_names(), (std::vector<std::string>{"", "product"}));
}

TEST(FormulasSource, CountedVariablesRelationsAndDefaults) {
  const auto p = program(R"(variables = 3
objective = "x1 + x2*x3"
maximize = true
equalities = "x1 - x2"
inequalities = ["x1 + x2 - 4", "1 <= 2*x3 <= 3", "x1 <= x3"]
upper = { x2 = 7 }
)");
  EXPECT_TRUE(p->is_maximisation);
  const HostAccess at(p->functions());
  EXPECT_EQ(at.objective(Numbers{1, 2, 3}), -7);
  EXPECT_EQ(p->host_x(), Numbers({0, 0, 0}));
  EXPECT_EQ(p->constraint_bounds().lower, Numbers({0, -INFINITY, 1, -INFINITY}));
  EXPECT_EQ(p->constraint_bounds().upper, Numbers({0, 0, 3, 0}));
  EXPECT_EQ(p->variable_bounds().lower, Numbers(3, -INFINITY));
  EXPECT_EQ(p->variable_bounds().upper, Numbers({INFINITY, 7, INFINITY}));
  for (Index i = 0; i < 4; ++i) EXPECT_TRUE(p->functions().is_linear(i));
}

TEST(FormulasSource, ResolvedOptionsSayTheSame) {
  Diagnostics problems;
  const FormulasOptions options = parsed(hs71, problems);
  const Value resolved = options_to_value(options);
  const FormulasOptions again =
      parse_options<FormulasOptions>(resolved, "problem.", "'formulas'", problems);
  ASSERT_TRUE(problems.empty());
  EXPECT_EQ(options_to_value(again).to_text(), resolved.to_text());
}

TEST(FormulasSource, MistakesAreNamedWithLineKeyAndColumn) {
  const auto expect = [](const std::string& what, const std::string& with,
                         std::vector<std::string> says) {
    std::string text = hs71;
    text.replace(text.find(what), what.size(), with);
    Diagnostics problems;
    parsed(text, problems);
    ASSERT_FALSE(problems.empty()) << with;
    const std::string found = to_string(problems.problems().front());
    for (const std::string& s : says) EXPECT_NE(found.find(s), std::string::npos) << found;
  };
  expect("a*d*(a", "a*d*(aa", {"case.toml:2", "problem.objective", "column 6", "'aa'"});
  expect("b^2 + c^2", "b^2 + * c^2", {"case.toml:3", "problem.equalities[1]", "column 13"});
  expect("a*b*c*d >= 25", "a*b*c*d = 25", {"case.toml:4", "inequalities.product", "equalities"});
  expect("= 40", "<= 40", {"case.toml:3", "inequalities"});
  expect("lower = 1", "lower = 6", {"problem.upper", "lower bound of a"});
  expect("[5, 5, 5, 5]", "[5, 5, 5]", {"case.toml:6", "3 numbers for 4 variables"});
  expect("b = 5.0", "bb = 5.0", {"case.toml:7", "problem.start.bb", "did you mean 'b'?"});
  expect("a = 1", "a = inf", {"start", "not finite"});
  expect("lower = 1", "lower = true", {"expected a number, found a boolean"});
  expect("\"c\", \"d\"", "\"c\", \"c\"", {"problem.variables", "twice"});
  expect("[\"a\", \"b\", \"c\", \"d\"]", "0", {"problem.variables", "expected names"});
  expect("a*b*c*d >= 25", "3 <= a*b*c*d <= 2", {"no value is between"});
  expect("objective", "objectiv", {"closest known option: 'objective'"});
}

}  // namespace
