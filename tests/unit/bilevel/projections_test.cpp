#include <libsolve/bilevel/projections.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/bilevel/detail/box_rows.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/optimize/formula_functions.hpp>
#include <tests/support/execution_spaces.hpp>

namespace libsolve {
namespace {

using Numbers = std::vector<double>;
constexpr double inf = INFINITY;

Numbers random_numbers(const char* purpose, std::size_t n, std::uint64_t first, double scale) {
  const RandomStream stream(7, purpose);
  Numbers v(n);
  for (std::size_t j = 0; j < n; ++j) v[j] = scale * stream.normal(first + j);
  return v;
}

double dot(const Numbers& a, const Numbers& b) {
  double sum = 0.0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += a[j] * b[j];
  return sum;
}

/// v projected, for any execution space.
template <class Exec>
Numbers box_rows(detail::BoxRows<Exec>& set, const Numbers& v) {
  using View = typename detail::BoxRows<Exec>::View;
  const View view("v", v.size());
  Kokkos::deep_copy(view, Kokkos::View<const double*, Kokkos::HostSpace>(v.data(), v.size()));
  set.project(view);
  Numbers p(v.size());
  Kokkos::deep_copy(Kokkos::View<double*, Kokkos::HostSpace>(p.data(), p.size()), view);
  return p;
}

Numbers projected(Projection& set, const Numbers& v) {
  const VectorView view("v", v.size());
  Kokkos::deep_copy(view, Kokkos::View<const double*, Kokkos::HostSpace>(v.data(), v.size()));
  set.project(view);
  Numbers p(v.size());
  Kokkos::deep_copy(Kokkos::View<double*, Kokkos::HostSpace>(p.data(), p.size()), view);
  return p;
}

struct Polyhedron {
  Bounds box;
  Numbers rows;  // row after row
  Bounds row_bounds;
};

/// A set with random rows that holds a random point of the box, which is partly unbounded.
Polyhedron random_polyhedron(std::size_t n, std::size_t m, std::uint64_t seed) {
  const RandomStream stream(seed, "projections_test::set");
  std::uint64_t draw = 0;
  Polyhedron s;
  Numbers inside(n);
  for (std::size_t j = 0; j < n; ++j) {
    const double low = stream.normal(draw++), high = low + stream.uniform(draw++, 0.0, 2.0);
    inside[j] = stream.uniform(draw++, low, high);
    const double kind = stream.uniform(draw++);
    s.box.lower.push_back(kind < 0.3 ? -inf : low);
    s.box.upper.push_back(kind > 0.7 ? inf : high);
  }
  for (std::size_t i = 0; i < m; ++i) {
    double along = 0.0;
    for (std::size_t j = 0; j < n; ++j) {
      const double a = stream.uniform(draw++) < 0.5 ? 0.0 : stream.normal(draw++);
      s.rows.push_back(a);
      along += a * inside[j];
    }
    const double kind = stream.uniform(draw++);
    s.row_bounds.lower.push_back(kind < 0.3 ? -inf : along);
    s.row_bounds.upper.push_back(kind > 0.8 ? inf : kind < 0.3 ? along + 0.1 : along);
  }
  return s;
}

/// How far p leaves the set.
double violation(const Polyhedron& s, const Numbers& p) {
  double worst = 0.0;
  for (std::size_t j = 0; j < p.size(); ++j)
    worst = std::max({worst, s.box.lower[j] - p[j], p[j] - s.box.upper[j]});
  for (std::size_t i = 0; i < s.row_bounds.size(); ++i) {
    double along = 0.0;
    for (std::size_t j = 0; j < p.size(); ++j) along += s.rows[i * p.size() + j] * p[j];
    worst = std::max({worst, s.row_bounds.lower[i] - along, along - s.row_bounds.upper[i]});
  }
  return worst;
}

/// (v - p) . (q - p), which is <= 0 for all q of a convex set exactly where p is v's projection.
double obtuse(const Numbers& v, const Numbers& p, const Numbers& q) {
  double sum = 0.0;
  for (std::size_t j = 0; j < v.size(); ++j) sum += (v[j] - p[j]) * (q[j] - p[j]);
  return sum;
}

template <class Exec>
void check_random_polyhedra(std::size_t n, std::size_t m) {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const Polyhedron s = random_polyhedron(n, m, seed);
    detail::BoxRows<Exec> set(s.box.lower, s.box.upper, s.rows, s.row_bounds.lower,
                              s.row_bounds.upper);
    std::vector<Numbers> points, projections;
    for (std::uint64_t k = 0; k < 6; ++k) {
      points.push_back(random_numbers("points", n, 1000 * k, k < 3 ? 1.0 : 20.0));
      projections.push_back(box_rows(set, points.back()));
      // Multipliers in the thousands cancel in v - sum mu_i a_i.
      ASSERT_LT(violation(s, projections.back()), 1e-11 * std::sqrt(double(n))) << seed;
    }
    for (std::size_t k = 0; k < points.size(); ++k)
      for (const Numbers& q : projections)
        EXPECT_LT(obtuse(points[k], projections[k], q), 1e-10 * double(n)) << seed;
  }
}

template <class Exec>
class ProjectionKernels : public ::testing::Test {};
TYPED_TEST_SUITE(ProjectionKernels, test::ExecutionSpaces);

TYPED_TEST(ProjectionKernels, OneRow) {
  for (const std::size_t n : {1, 2, 67, 5001}) check_random_polyhedra<TypeParam>(n, 1);
}

TYPED_TEST(ProjectionKernels, SeveralRows) {
  check_random_polyhedra<TypeParam>(5, 3);
  check_random_polyhedra<TypeParam>(67, 8);
}

/// Without a box a halfspace has its formula.
TYPED_TEST(ProjectionKernels, Halfspace) {
  const std::size_t n = 131;
  const Numbers a = random_numbers("a", n, 0, 1.0), v = random_numbers("v", n, 0, 3.0);
  const Numbers low(n, -inf), high(n, inf);
  detail::BoxRows<TypeParam> set(low, high, a, {-inf}, {-1.5});
  const Numbers p = box_rows(set, v);
  const double beyond = std::max(0.0, dot(a, v) + 1.5) / dot(a, a);
  for (std::size_t j = 0; j < n; ++j) EXPECT_NEAR(p[j], v[j] - beyond * a[j], 1e-14);
}

TEST(Projections, BoxAndSimplex) {
  const Numbers b = projected(*box_projection({{0, -inf, 2}, {1, 5, 2}}), {-3, 4, 7});
  EXPECT_EQ(b, Numbers({0, 4, 2}));
  const auto simplex = simplex_projection(3, 2.0);
  // The threshold that leaves 2: (2.5 - t) + (1.5 - t) = 2, t = 1; the third falls away.
  const Numbers s = projected(*simplex, {2.5, 1.5, 0.5});
  EXPECT_NEAR(s[0], 1.5, 1e-15);
  EXPECT_NEAR(s[1], 0.5, 1e-15);
  EXPECT_EQ(s[2], 0.0);
  EXPECT_EQ(projected(*simplex, {-100, 0, 1e6}), Numbers({0, 0, 2}));
}

TEST(Projections, EmptySetsSaySo) {
  SparsePattern row{{0, 0}, {0, 1}};
  const auto set = box_rows_projection({{0, 0}, {1, 1}}, row, Numbers{1, 1}, {{3}, {inf}});
  EXPECT_THROW(projected(*set, {0.5, 0.5}), DataError);
  // Parallel hyperplanes.
  SparsePattern rows{{0, 0, 1, 1}, {0, 1, 0, 1}};
  const auto parallel =
      box_rows_projection({{-inf, -inf}, {inf, inf}}, rows, Numbers{1, 1, 2, 2}, {{0, 1}, {0, 1}});
  EXPECT_THROW(projected(*parallel, {0.5, 0.5}), DataError);
  EXPECT_THROW(box_rows_projection({{0}, {1}}, row, Numbers{1, 1}, {{3}, {inf}}), ShapeError);
}

TEST(Projections, WhatIsNotFiniteStaysSo) {
  SparsePattern row{{0, 0}, {0, 1}};
  const auto set = box_rows_projection({{0, 0}, {1, 1}}, row, Numbers{1, 1}, {{1}, {1}});
  EXPECT_TRUE(std::isnan(projected(*set, {NAN, 0.5})[0]));
}

/// The same polyhedron as one set and as an intersection.
TEST(Projections, DykstraFindsTheIntersection) {
  for (std::uint64_t seed = 20; seed < 24; ++seed) {
    const std::size_t n = 7, m = 3;
    const Polyhedron s = random_polyhedron(n, m, seed);
    const Bounds free{Numbers(n, -inf), Numbers(n, inf)};
    SparsePattern all;
    std::vector<std::shared_ptr<Projection>> sets = {box_projection(s.box)};
    for (std::size_t i = 0; i < m; ++i) {
      SparsePattern one;
      for (std::size_t j = 0; j < n; ++j) {
        one.rows.push_back(0);
        one.columns.push_back(static_cast<Index>(j));
        all.rows.push_back(static_cast<Index>(i));
        all.columns.push_back(static_cast<Index>(j));
      }
      sets.push_back(box_rows_projection(free, one, std::span(s.rows).subspan(i * n, n),
                                         {{s.row_bounds.lower[i]}, {s.row_bounds.upper[i]}}));
    }
    const auto by_newton = box_rows_projection(s.box, all, s.rows, s.row_bounds);
    const auto by_dykstra = intersection_projection(sets);
    for (std::uint64_t k = 0; k < 3; ++k) {
      const Numbers v = random_numbers("points", n, 100 * k, 3.0);
      const Numbers p = projected(*by_newton, v), q = projected(*by_dykstra, v);
      for (std::size_t j = 0; j < n; ++j) EXPECT_NEAR(p[j], q[j], 1e-9);
    }
  }
}

/// Two upper and two lower variables, and constraints of both levels.
std::unique_ptr<BilevelProgram> program(const std::vector<std::string>& upper,
                                        const std::vector<std::string>& lower, double low) {
  const auto formulas =
      std::make_shared<Formulas>(std::vector<std::string>{"x1", "x2", "y1", "y2"});
  std::vector<Index> G, g;
  for (const std::string& text : upper) G.push_back(formulas->add(text));
  for (const std::string& text : lower) g.push_back(formulas->add(text));
  BilevelParts p;
  p.num_upper = p.num_lower = 2;
  p.upper = std::make_shared<FormulaFunctions>(formulas, -1, G);
  p.lower = std::make_shared<FormulaFunctions>(formulas, -1, g);
  p.upper_variables = {{low, low}, {inf, inf}};
  p.lower_variables = {{-inf, -inf}, {2, inf}};
  p.upper_constraints = {Numbers(G.size(), -inf), Numbers(G.size(), 0.0)};
  p.lower_constraints = {Numbers(g.size(), -inf), Numbers(g.size(), 0.0)};
  p.start = {0, 0, 0, 0};
  return std::make_unique<BilevelProgram>(std::move(p));
}

void check_program(const BilevelProgram& p, Projection& set) {
  const HostAccess upper(p.upper()), lower(p.lower());
  std::vector<Numbers> points, projections;
  for (std::uint64_t k = 0; k < 20; ++k) {
    points.push_back(random_numbers("points", 4, 10 * k, 4.0));
    projections.push_back(projected(set, points.back()));
    const Numbers& v = projections.back();
    Numbers G(p.parts().upper_constraints.size()), g(p.parts().lower_constraints.size());
    upper.constraints(v, G);
    lower.constraints(v, g);
    for (const double c : G) EXPECT_LT(c, 1e-10);
    for (const double c : g) EXPECT_LT(c, 1e-10);
    for (std::size_t j = 0; j < 4; ++j) {
      EXPECT_GE(v[j], p.variable_bounds().lower[j]);
      EXPECT_LE(v[j], p.variable_bounds().upper[j]);
    }
  }
  for (std::size_t k = 0; k < points.size(); ++k)
    for (const Numbers& q : projections) EXPECT_LT(obtuse(points[k], projections[k], q), 1e-9);
}

TEST(Projections, OfAProgramWithLinearConstraints) {
  const auto p = program({"x1 + y1 - 1"}, {"x2 - y1 + y2 - 2", "-x1 - y2 - 3"}, -1);
  const auto set = projection_of(*p);
  EXPECT_EQ(set->description(), "box and 3 constraints by Newton's method");
  check_program(*p, *set);
  const auto box = program({}, {}, 0);
  EXPECT_EQ(projected(*projection_of(*box), {-1, 2, 3, 4}), Numbers({0, 2, 2, 4}));
}

TEST(Projections, OfAProgramWithConvexConstraints) {
  const auto p = program({"x1^2 + y1^2 - 4", "x1 + x2 + y1 - 3"},
                         {"exp(y1) - y2 - 1", "(x2 - y2)^2 + 0.1*x1 - 5"}, -1.5);
  const auto set = projection_of(*p);
  EXPECT_EQ(set->description(), "box and 4 constraints by Newton's method");
  check_program(*p, *set);
}

TEST(Projections, ManyLinearRows) {
  std::vector<std::string> rows;
  const RandomStream stream(1, "projections_test::rows");
  for (std::uint64_t i = 0; i < 12; ++i)
    rows.push_back(std::to_string(stream.normal(4 * i)) + "*x1 + " +
                   std::to_string(stream.normal(4 * i + 1)) + "*x2 + " +
                   std::to_string(stream.normal(4 * i + 2)) + "*y1 + y2 - " +
                   std::to_string(0.5 + stream.uniform(4 * i + 3)));
  const auto p = program(rows, {"x1 + x2 + y1 + y2 - 5"}, -8);
  const auto set = projection_of(*p);
  EXPECT_EQ(set->description(), "box and 13 constraints by Newton's method");
  check_program(*p, *set);
}

/// Two upper and 398 lower variables with rows g <= 0 that are sums over every k-th variable.
std::unique_ptr<BilevelProgram> large_program(std::size_t num_rows, const std::string& power) {
  std::vector<std::string> names;
  for (int j = 0; j < 400; ++j) names.push_back("v" + std::to_string(j));
  const auto formulas = std::make_shared<Formulas>(names);
  std::vector<Index> g;
  for (std::size_t k = 0; k < num_rows; ++k) {
    std::string row = "-1";
    for (std::size_t j = k; j < names.size(); j += k + 2) row += " + " + names[j] + power;
    g.push_back(formulas->add(row));
  }
  BilevelParts p;
  p.num_upper = 2;
  p.num_lower = 398;
  p.upper = std::make_shared<FormulaFunctions>(formulas, -1, std::vector<Index>{});
  p.lower = std::make_shared<FormulaFunctions>(formulas, -1, g);
  p.upper_variables = {Numbers(2, -1), Numbers(2, 1)};
  p.lower_variables = {Numbers(398, -1), Numbers(398, 1)};
  p.lower_constraints = {Numbers(num_rows, -inf), Numbers(num_rows, 0.0)};
  p.start = Numbers(400, 0.0);
  return std::make_unique<BilevelProgram>(std::move(p));
}

TEST(Projections, OfLargePrograms) {
  const auto linear = large_program(10, "");
  const auto set = projection_of(*linear);
  EXPECT_EQ(set->description(), "2 sets by Dykstra's iteration");
  std::vector<Numbers> points, projections;
  for (std::uint64_t k = 0; k < 4; ++k) {
    points.push_back(random_numbers("points", 400, 1000 * k, 1.0));
    for (double& v : points.back()) v += 0.3;
    projections.push_back(projected(*set, points.back()));
    Numbers g(10);
    HostAccess(linear->lower()).constraints(projections.back(), g);
    for (const double c : g) EXPECT_LT(c, 1e-9);
  }
  for (std::size_t k = 0; k < points.size(); ++k)
    for (const Numbers& q : projections) EXPECT_LT(obtuse(points[k], projections[k], q), 1e-7);
  // Nonlinear, and too large for dense steps: a program solver is asked for.
  EXPECT_THROW(projection_of(*large_program(2, "^2")), Unsupported);
}

}  // namespace
}  // namespace libsolve
