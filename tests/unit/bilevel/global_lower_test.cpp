#include <libsolve/bilevel/global_lower.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/bilevel/formula_range.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/optimize/formula_functions.hpp>

namespace libsolve {
namespace {

using Numbers = std::vector<double>;

/// A lower level in one x and ny variables y, all of them between low and high, g <= 0.
std::unique_ptr<BilevelProgram> lower_level(int ny, const std::string& f,
                                            const std::vector<std::string>& g, double low,
                                            double high) {
  std::vector<std::string> names = {"x"};
  for (int j = 1; j <= ny; ++j) names.push_back("y" + std::to_string(j));
  auto formulas = std::make_shared<Formulas>(names);
  const Index objective = formulas->add(f);
  std::vector<Index> constraints, all = {objective};
  for (const std::string& text : g) constraints.push_back(formulas->add(text));
  all.insert(all.end(), constraints.begin(), constraints.end());
  const auto n = static_cast<std::size_t>(ny);
  BilevelParts p;
  p.num_upper = 1;
  p.num_lower = ny;
  p.upper = std::make_shared<FormulaFunctions>(formulas, -1, std::vector<Index>{});
  p.lower = std::make_shared<FormulaFunctions>(formulas, objective, constraints);
  p.upper_variables = {{-INFINITY}, {INFINITY}};
  p.lower_variables = {Numbers(n, low), Numbers(n, high)};
  p.lower_constraints = {Numbers(g.size(), -INFINITY), Numbers(g.size(), 0.0)};
  p.start = Numbers(n + 1, 0.0);
  p.lower_range = std::make_shared<FormulaRange>(formulas, all);
  return std::make_unique<BilevelProgram>(std::move(p));
}

struct Scan {
  double objective = INFINITY;
  Numbers y;
};

/// The best feasible point of a grid, refined around the best one.
Scan scan(const BilevelProgram& problem, double x, double low, double high) {
  const auto ny = static_cast<std::size_t>(problem.num_lower());
  const HostAccess lower(problem.lower());
  const int cells = ny == 1 ? 1000 : 60;
  Numbers v(1 + ny, x), g(problem.parts().lower_constraints.size());
  Scan best;
  best.y.assign(ny, 0.5 * (low + high));
  for (double half = 0.5 * (high - low); half > 1e-9; half *= 4.0 / cells) {
    const Numbers centre = best.y;
    std::vector<int> at(ny, 0);
    for (bool more = true; more;) {
      for (std::size_t j = 0; j < ny; ++j)
        v[1 + j] = std::clamp(centre[j] + half * (2.0 * at[j] / cells - 1.0), low, high);
      lower.constraints(v, g);
      const double f = lower.objective(v);
      if (f < best.objective && std::all_of(g.begin(), g.end(), [](double c) { return c <= 0.0; }))
        best = {f, Numbers(v.begin() + 1, v.end())};
      more = false;
      for (std::size_t j = 0; j < ny && !more; ++j) {
        more = at[j]++ < cells;
        if (!more) at[j] = 0;
      }
    }
  }
  return best;
}

std::string term(double factor, const std::string& rest) {
  return (factor < 0.0 ? " - " : " + ") + format_number(std::abs(factor)) + "*" + rest;
}

/// Quartics with random coefficients in a box: the bound is below the best of a fine scan by the
/// tolerance at most, whether the point given is the best one or a bad one.
TEST(GlobalLower, BoundsRandomQuartics) {
  const RandomStream stream(3, "global_lower_test");
  std::uint64_t draw = 0;
  for (int k = 0; k < 60; ++k) {
    const int ny = 1 + k % 2;
    std::string f = "y1^4";
    for (int j = 1; j <= ny; ++j) {
      const std::string y = "y" + std::to_string(j);
      f += term(0.5 + stream.uniform(draw++), y + "^4");
      f += term(4.0 * stream.normal(draw++), y + "^3");
      f += term(8.0 * stream.normal(draw++), y + "^2");
      f += term(5.0 * stream.normal(draw++), y + "*x");
    }
    if (ny == 2) f += term(4.0 * stream.normal(draw++), "y1*y2") + term(1.0, "y1^2*y2^2");
    const auto problem = lower_level(ny, f, {}, -2.0, 3.0);
    const double x = stream.normal(draw++);
    const Scan best = scan(*problem, x, -2.0, 3.0);
    const LowerBound b = bound_lower_level(*problem, Numbers{x}, best.y, best.objective);
    EXPECT_TRUE(b.is_proved) << f;
    EXPECT_LE(b.bound, best.objective) << f;
    EXPECT_GE(b.bound, best.objective - 1e-6 * std::max(1.0, std::abs(best.objective))) << f;
    EXPECT_LT(b.boxes, 2000) << f;

    Numbers v(1 + static_cast<std::size_t>(ny), 3.0);
    v[0] = x;
    const double bad = HostAccess(problem->lower()).objective(v);
    const LowerBound c =
        bound_lower_level(*problem, Numbers{x}, Numbers(v.begin() + 1, v.end()), bad);
    EXPECT_TRUE(c.is_proved);
    EXPECT_NEAR(c.bound, best.objective, 2e-6 * std::max(1.0, std::abs(best.objective)));
    EXPECT_NEAR(c.objective, best.objective, 2e-6 * std::max(1.0, std::abs(best.objective)));
    std::copy(c.y.begin(), c.y.end(), v.begin() + 1);
    EXPECT_NEAR(HostAccess(problem->lower()).objective(v), c.objective,
                1e-12 * std::max(1.0, std::abs(c.objective)));
  }
}

/// With constraints, some of them active at the minimum, in two and three variables.
TEST(GlobalLower, BoundsWithConstraints) {
  const RandomStream stream(4, "global_lower_test");
  std::uint64_t draw = 0;
  for (int k = 0; k < 30; ++k) {
    std::string f = "y1*y2*x";
    for (int j = 1; j <= 2; ++j) {
      const std::string y = "y" + std::to_string(j);
      f += term(stream.normal(draw++), y + "^3");
      f += term(2.0 * stream.normal(draw++), y);
    }
    const auto problem = lower_level(
        2, f, {"y1^2 + y2^2 - 2", "0.3 - y1 - y2" + term(0.3 * stream.normal(draw++), "y1*y2")}, -2,
        2);
    const double x = stream.normal(draw++);
    const Scan best = scan(*problem, x, -2.0, 2.0);
    ASSERT_LT(best.objective, INFINITY);
    const LowerBound b = bound_lower_level(*problem, Numbers{x}, best.y, best.objective);
    EXPECT_TRUE(b.is_proved) << f << " after " << b.boxes;
    EXPECT_LE(b.bound, best.objective) << f;
    // The scan stops short of the boundary; the search's own point is feasible and has the bound.
    const Numbers v = {x, b.y[0], b.y[1]};
    Numbers g(2);
    HostAccess(problem->lower()).constraints(v, g);
    EXPECT_LE(std::max(g[0], g[1]), 0.0) << f;
    const double objective = HostAccess(problem->lower()).objective(v);
    EXPECT_LE(objective, best.objective);
    EXPECT_GE(b.bound, objective - 1e-6 * std::max(1.0, std::abs(objective))) << f;
  }
}

TEST(GlobalLower, UnboundedVariables) {
  // y^3 - 3 y over y >= x: -2 at y = 1 for -2 <= x <= 1, x^3 - 3 x below.
  const auto cubic = lower_level(1, "y1^3 - 3*y1", {"x - y1"}, -INFINITY, INFINITY);
  const LowerBound a = bound_lower_level(*cubic, Numbers{-1.5}, Numbers{1}, -2);
  EXPECT_TRUE(a.is_proved);
  EXPECT_NEAR(a.bound, -2, 1e-6);
  const LowerBound b = bound_lower_level(*cubic, Numbers{-3}, Numbers{1}, -2);
  EXPECT_NEAR(b.objective, -18, 1e-4);
  EXPECT_NEAR(b.y[0], -3, 1e-5);
  EXPECT_TRUE(b.is_proved);
  // Unbounded below, and not to be decided in this form: no proof is claimed.
  const auto falling = lower_level(1, "x*y1 - y1^3", {}, -INFINITY, INFINITY);
  const LowerBound c = bound_lower_level(*falling, Numbers{1}, Numbers{-1}, 0);
  EXPECT_FALSE(c.is_proved);
  EXPECT_EQ(c.bound, -INFINITY);
  // A bowl with waves.
  const auto waves = lower_level(1, "(y1 - x)^2 + 3*sin(5*y1)", {}, -INFINITY, INFINITY);
  const Scan best = scan(*waves, 0.3, -3, 3);
  const LowerBound d = bound_lower_level(*waves, Numbers{0.3}, best.y, best.objective);
  EXPECT_TRUE(d.is_proved);
  EXPECT_NEAR(d.bound, best.objective, 1e-6 * std::abs(best.objective));
}

TEST(GlobalLower, InfeasibleGapsAndEffort) {
  // No y at all.
  const auto none = lower_level(1, "y1", {"y1^2 + 1 + x^2"}, -5, 5);
  EXPECT_EQ(bound_lower_level(*none, Numbers{0}, Numbers{0}, 0).bound, INFINITY);
  // One y, up to rounding in x.
  const auto one = lower_level(1, "-y1", {"y1 - x", "x - y1 + 1e-12"}, -5, 5);
  EXPECT_NEAR(bound_lower_level(*one, Numbers{1}, Numbers{1}, -1).bound, -1, 1e-6);
  // A square root that is defined on two pieces, with its minima at their ends.
  const auto gap = lower_level(1, "sqrt(y1^2 - 1) + 0.1*(y1 - 3*x)^2", {}, -3, 3);
  const LowerBound g = bound_lower_level(*gap, Numbers{-1}, Numbers{-1}, 0.4);
  EXPECT_TRUE(g.is_proved);
  EXPECT_NEAR(g.bound, 0.4, 1e-6);
  // Little effort: a bound that holds, and no proof.
  const auto waves = lower_level(2, "sin(7*y1 + x)*cos(5*y2) + y1*y2", {}, -3, 3);
  const Scan best = scan(*waves, 0.1, -3, 3);
  const LowerBound few =
      bound_lower_level(*waves, Numbers{0.1}, best.y, best.objective, {.max_boxes = 20});
  EXPECT_FALSE(few.is_proved);
  EXPECT_LE(few.boxes, 20);
  EXPECT_LT(few.bound, best.objective);
  EXPECT_TRUE(bound_lower_level(*waves, Numbers{0.1}, best.y, best.objective).is_proved);
}

TEST(GlobalLower, NeedsEnclosures) {
  const auto problem = lower_level(1, "y1", {}, 0, 1);
  BilevelParts parts = problem->parts();
  parts.lower_range = nullptr;
  const BilevelProgram without(std::move(parts));
  EXPECT_THROW(bound_lower_level(without, Numbers{0}, Numbers{0}, 0), Unsupported);
}

}  // namespace
}  // namespace libsolve
