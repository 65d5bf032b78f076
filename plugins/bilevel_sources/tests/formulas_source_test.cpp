#include "formulas_source.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <libsolve/bilevel/global_lower.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/io/case_file.hpp>
#include <map>

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
  expect("start", "strat", {"closest known option: 'start'"});
}

/// The program of every case of the collection, by name.
std::vector<std::pair<std::string, std::unique_ptr<BilevelProgram>>> collection() {
  const std::filesystem::path folder =
      std::filesystem::path(LIBSOLVE_SOURCE_DIR) / "data" / "bilevel" / "collection";
  std::vector<std::pair<std::string, std::unique_ptr<BilevelProgram>>> programs;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".toml") continue;
    const std::string file = entry.path().string();
    Value problem = *parse_toml(read_text_file(file), file).find("problem");
    std::erase_if(problem.as_table(), [](const auto& item) { return item.first == "source"; });
    Diagnostics problems;
    const auto options =
        parse_options<BilevelFormulasOptions>(problem, "problem.", "source", problems);
    problems.throw_if_any();
    auto made = bilevel_sources::BilevelFormulasSource(options, Context{}).create();
    programs.emplace_back(entry.path().stem().string(),
                          dynamic_cast<BilevelProgram*>(made.release()));
  }
  std::sort(programs.begin(), programs.end());
  return programs;
}

/// Of the 48 cases, 35 have a convex lower level (optima.csv), and that is found out.
TEST(BilevelFormulas, CollectionIsReadAndItsConvexityKnown) {
  std::map<std::string, std::string> kinds;
  std::ifstream optima(LIBSOLVE_SOURCE_DIR "/data/bilevel/collection/optima.csv");
  for (std::string line; std::getline(optima, line);) {
    const std::size_t comma = line.find(',');
    kinds[line.substr(0, comma)] = line.substr(comma + 1, line.find(',', comma + 1) - comma - 1);
  }
  const auto programs = collection();
  EXPECT_EQ(programs.size(), 48);
  for (const auto& [name, program] : programs)
    EXPECT_EQ(program->parts().lower_is_convex, kinds.at(name) != "nonconvex") << name;
}

/// The smallest value of the lower level at x on a grid of Y within [-10, 10], refined.
std::pair<double, Numbers> scanned(const BilevelProgram& p, std::span<const double> x) {
  const BilevelParts& parts = p.parts();
  const auto ny = static_cast<std::size_t>(p.num_lower());
  const HostAccess lower(p.lower());
  const int cells = ny == 1 ? 2000 : 120;
  Numbers v(x.begin(), x.end()), g(parts.lower_constraints.size()), centre(ny), reach(ny), best;
  for (std::size_t j = 0; j < ny; ++j) {
    const double low = std::max(parts.lower_variables.lower[j], -10.0);
    const double high = std::min(parts.lower_variables.upper[j], 10.0);
    centre[j] = 0.5 * (low + high);
    reach[j] = 0.5 * (high - low);
  }
  v.resize(x.size() + ny);
  double smallest = INFINITY;
  for (int refinement = 0; refinement < 8; ++refinement) {
    std::vector<int> at(ny, 0);
    for (bool more = true; more;) {
      for (std::size_t j = 0; j < ny; ++j)
        v[x.size() + j] =
            std::clamp(centre[j] + reach[j] * (2.0 * at[j] / cells - 1.0),
                       parts.lower_variables.lower[j], parts.lower_variables.upper[j]);
      lower.constraints(v, g);
      const double f = lower.objective(v);
      if (f < smallest && std::all_of(g.begin(), g.end(), [](double c) { return c <= 0.0; })) {
        smallest = f;
        best.assign(v.begin() + static_cast<std::ptrdiff_t>(x.size()), v.end());
      }
      more = false;
      for (std::size_t j = 0; j < ny && !more; ++j) {
        more = at[j]++ < cells;
        if (!more) at[j] = 0;
      }
    }
    if (best.empty()) break;
    centre = best;
    for (double& r : reach) r *= 8.0 / cells;
  }
  return {smallest, best};
}

/// The smallest values of lower levels that are not convex are bounded to 1e-6 wherever the upper
/// level may look.
TEST(BilevelFormulas, NonconvexLowerLevelsAreBounded) {
  const RandomStream stream(1, "formulas_source_test");
  std::uint64_t draw = 0;
  int tried = 0;
  for (const auto& [name, program] : collection()) {
    const BilevelParts& parts = program->parts();
    if (parts.lower_is_convex) continue;
    ASSERT_EQ(program->num_upper(), 1);
    const double low = std::max(parts.upper_variables.lower[0], -3.0);
    const double high = std::min(parts.upper_variables.upper[0], 3.0);
    for (int k = 0; k < 8; ++k) {
      const Numbers x = {k == 0 ? program->host_v()[0] : stream.uniform(draw++, low, high)};
      const auto [smallest, y] = scanned(*program, x);
      if (y.empty()) continue;
      const LowerBound b = bound_lower_level(*program, x, y, smallest);
      EXPECT_TRUE(b.is_proved) << name << " at x = " << x[0] << " after " << b.boxes;
      EXPECT_LE(b.bound, smallest) << name;
      // Nowhere on the grid is f lower, and the search's own point, which is feasible, attains it.
      Numbers v = x, g(parts.lower_constraints.size());
      v.insert(v.end(), b.y.begin(), b.y.end());
      HostAccess(program->lower()).constraints(v, g);
      for (const double c : g) EXPECT_LE(c, 0.0) << name;
      const double f = HostAccess(program->lower()).objective(v);
      EXPECT_LE(f, smallest) << name;
      EXPECT_GE(b.bound, f - 1e-6 * std::max(1.0, std::abs(f))) << name;
      EXPECT_LT(b.boxes, 500) << name;
      ++tried;
    }
  }
  EXPECT_GT(tried, 90);
}

}  // namespace
