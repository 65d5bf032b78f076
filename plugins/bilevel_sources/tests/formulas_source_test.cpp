#include "formulas_source.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <libsolve/core/errors.hpp>
#include <libsolve/io/case_file.hpp>

namespace {

using namespace libsolve;
using bilevel_sources::BilevelFormulasOptions;
using Numbers = std::vector<double>;

BilevelFormulasOptions parsed(const std::string& text, Diagnostics& problems) {
  return parse_options<BilevelFormulasOptions>(parse_toml(text, "case.toml"), "problem.",
                                               "problem-source 'bilevel-formulas'", problems);
}

std::unique_ptr<BilevelProgram> program(const std::string& text) {
  Diagnostics problems;
  const BilevelFormulasOptions options = parsed(text, problems);
  problems.throw_if_any();
  auto problem = bilevel_sources::BilevelFormulasSource(options, Context{}).create();
  return std::unique_ptr<BilevelProgram>(dynamic_cast<BilevelProgram*>(problem.release()));
}

const std::string small = R"(upper_variables = 2
lower_variables = 2
upper_objective = "x1^2 + x2*y1 + y2"
upper_constraints = ["x1 - 3", "-x2 <= 1", "y1 - 5", "x1 + x2 <= 2"]
lower_objective = "0.5*(y1 - x1)^2 + y2*x2"
lower_constraints = ["-2*y1", "1 <= 3 - y2 <= 2", "x1 >= -1", "x1 + y1 - 7", "y1 + y2 = x1"]
start = { x1 = 1, y2 = 2 }
)";

/// Linear constraints in one variable become bounds: of x from both levels, of y from the lower
/// level only (a bound of y in the upper level is not the lower level's).
TEST(BilevelFormulas, HasValuesBoundsAndConstraints) {
  const auto p = program(small);
  EXPECT_EQ(p->num_upper(), 2);
  EXPECT_EQ(p->num_lower(), 2);
  EXPECT_EQ(p->host_v(), Numbers({1, 0, 0, 2}));
  const BilevelParts& parts = p->parts();
  EXPECT_EQ(parts.upper_variables.lower, Numbers({-1, -1}));
  EXPECT_EQ(parts.upper_variables.upper, Numbers({3, INFINITY}));
  EXPECT_EQ(parts.lower_variables.lower, Numbers({0, 1}));
  EXPECT_EQ(parts.lower_variables.upper, Numbers({INFINITY, 2}));
  EXPECT_EQ(parts.upper_constraints.upper, Numbers({0, 2}));
  EXPECT_EQ(parts.lower_constraints.upper, Numbers({0, 0}));
  EXPECT_EQ(parts.lower_constraints.lower, Numbers({-INFINITY, 0}));
  EXPECT_TRUE(parts.lower_is_convex);
  EXPECT_TRUE(parts.lower_is_quadratic);

  const HostAccess upper(p->upper()), lower(p->lower());
  const Numbers v = {1, 2, 3, 5};
  EXPECT_EQ(upper.objective(v), 1 + 6 + 5);
  EXPECT_EQ(lower.objective(v), 2 + 10);
  Numbers g(4), G(2), c(2);
  upper.gradient(v, g);
  EXPECT_EQ(g, Numbers({2, 3, 2, 1}));
  lower.gradient(v, g);
  EXPECT_EQ(g, Numbers({-2, 5, 2, 2}));
  upper.constraints(v, G);
  EXPECT_EQ(G, Numbers({3 - 5, 3}));
  lower.constraints(v, c);
  EXPECT_EQ(c, Numbers({1 + 3 - 7, 3 + 5 - 1}));

  std::vector<Interval> box = {{1, 1}, {2, 2}, {3, 3}, {5, 5}}, values(3), gradients(12);
  parts.lower_range->enclose(box, values, gradients);
  EXPECT_LE(values[0].low, 12);
  EXPECT_GE(values[0].high, 12);
  EXPECT_LT(values[0].high - values[0].low, 1e-13);
  EXPECT_NEAR(gradients[3].low, 2, 1e-14);
}

TEST(BilevelFormulas, NamesAndTables) {
  const auto p = program(R"(upper_variables = ["price"]
lower_variables = ["sold", "kept"]
upper_objective = "-price*sold"
lower_objective = "(price - 3)*sold + kept^2"
lower_constraints = { stock = "sold + kept = 10" }
lower = { sold = 0 }
upper = [8, 9, inf]
)");
  EXPECT_EQ(p->lower().constraint_names(), std::vector<std::string>{"stock"});
  EXPECT_EQ(p->parts().upper_variables.upper, Numbers({8}));
  EXPECT_EQ(p->parts().lower_variables.upper, Numbers({9, INFINITY}));
  EXPECT_EQ(p->parts().lower_variables.lower, Numbers({0, -INFINITY}));
}

bool convex(const std::string& objective, const std::string& constraints = "",
            const std::string& more = "") {
  return program("upper_variables = 1\nlower_variables = 2\nlower_objective = \"" + objective +
                 "\"\nlower_constraints = [" + constraints + "]\n" + more)
      ->parts()
      .lower_is_convex;
}

TEST(BilevelFormulas, ConvexityIsFoundOut) {
  EXPECT_TRUE(convex("x1^3*y1"));                      // linear in y
  EXPECT_TRUE(convex("y1^2 + y1*y2 + y2^2 - x1*y2"));  // eigenvalues 1 and 3
  EXPECT_FALSE(convex("y1^2 + 3*y1*y2 + y2^2"));       // eigenvalues 5 and -1
  EXPECT_TRUE(convex("y1^2 - 2*y1*y2 + y2^2"));        // 0 and 4
  EXPECT_TRUE(convex("(x1 + 2*y1 - 15)^4 + exp(y1 - x1)"));
  EXPECT_TRUE(convex("0.5*(1 + x1)*y1^2", "\"-x1\""));  // x1 >= 0
  EXPECT_FALSE(convex("0.5*(1 + x1)*y1^2"));
  EXPECT_TRUE(convex("y1^3", "\"-y1\""));  // y1 >= 0
  EXPECT_FALSE(convex("y1^3 - 3*y1"));
  EXPECT_TRUE(convex("-log(y1) - sqrt(y2) + 1/y1", "\"-y1 <= -1\""));
  EXPECT_FALSE(convex("sin(y1)"));
  EXPECT_TRUE(convex("y1", "\"y1^2 + x1*y2 <= 1\", \"x1^2*y1 = 2\", \"log(y1 + x1) >= 2\""));
  EXPECT_FALSE(convex("y1", "\"y1^2 + x1*y2 >= 1\""));
  EXPECT_FALSE(convex("y1", "\"y1^2 = x1\""));
  EXPECT_TRUE(convex("y1*y2*x1", "", "lower_convex = true\n"));
}

TEST(BilevelFormulas, MistakesAreNamedWithLineKeyAndColumn) {
  const auto expect = [](const std::string& what, const std::string& with,
                         const std::vector<std::string>& says) {
    std::string text = small;
    text.replace(text.find(what), what.size(), with);
    Diagnostics problems;
    parsed(text, problems);
    ASSERT_FALSE(problems.empty()) << with;
    const std::string found = to_string(problems.problems().front());
    for (const std::string& s : says) EXPECT_NE(found.find(s), std::string::npos) << found;
  };
  expect("x2*y1", "x2*z1", {"case.toml:3", "problem.upper_objective", "'z1'"});
  expect("-x2 <= 1", "-x2 <= ", {"case.toml:4", "problem.upper_constraints[2]"});
  expect("y2*x2", "y2**", {"case.toml:5", "problem.lower_objective"});
  expect("1 <= 3 - y2 <= 2", "2 <= 3 - y2 <= 1", {"lower_constraints[2]", "no value is between"});
  expect("x1 >= -1", "x1 >= 4", {"problem.upper_constraints", "leave no value for x1"});
  expect("x1 = 1", "x3 = 1", {"problem.start.x3", "did you mean"});
  expect("upper_variables = 2", "upper_variables = 0", {"upper_variables", "expected names"});
  expect("lower_variables = 2", "lower_variables = [\"x1\"]", {"lower_variables", "twice"});
  expect("upper_variables = 2", "upper_variables = 2000000000", {"must be at most 1000000"});
  expect("start", "strat", {"closest known option: 'start'"});
}

}  // namespace
