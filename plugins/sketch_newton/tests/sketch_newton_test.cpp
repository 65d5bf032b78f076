#include "../sketch_newton.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>

#include <tests/support/differenced_programs.hpp>
#include <tests/support/monitors.hpp>

namespace {

using namespace libsolve;
using libsolve::test::differenced_program;
using libsolve::test::infinity;
using sketch_newton::SketchNewton;
using sketch_newton::SketchNewtonOptions;
using Real = long double;
using X = std::span<const Real>;

Report solve(NonlinearProgram& problem, const SketchNewtonOptions& options = {},
             Monitor& monitor = Monitor::none()) {
  SketchNewton method(options, Context{});
  return method.solve(problem, monitor);
}

/// Status and the KKT residual, both recomputed here and as reported.
void expect_solved(const NonlinearProgram& problem, const Report& report) {
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  const double residual = problem.kkt_residual().largest();
  EXPECT_LE(residual, 1e-6);
  EXPECT_NEAR(report.value("kkt_residual"), residual, 1e-12);
}

/// Hock and Schittkowski 71: min x1 x4 (x1 + x2 + x3) + x3, x1 x2 x3 x4 >= 25, |x|^2 = 40, 1 <= x
/// <= 5.
std::unique_ptr<NonlinearProgram> hs71() {
  return differenced_program(
      {1.0, 5.0, 5.0, 1.0}, [](X x) { return x[0] * x[3] * (x[0] + x[1] + x[2]) + x[2]; },
      {[](X x) { return x[0] * x[1] * x[2] * x[3]; },
       [](X x) { return x[0] * x[0] + x[1] * x[1] + x[2] * x[2] + x[3] * x[3]; }},
      {.lower = {1, 1, 1, 1}, .upper = {5, 5, 5, 5}}, {.lower = {25, 40}, .upper = {infinity, 40}});
}

TEST(SketchNewton, FindsTheKnownOptimumWithAnActiveBoundAndInequality) {
  const auto problem = hs71();
  expect_solved(*problem, solve(*problem));
  const std::vector<double> x = problem->host_x();
  EXPECT_EQ(x[0], 1.0);  // active: exactly at the bound after the polish
  EXPECT_NEAR(x[1], 4.7429994, 1e-6);
  EXPECT_NEAR(x[2], 3.8211503, 1e-6);
  EXPECT_NEAR(x[3], 1.3794082, 1e-6);
  EXPECT_LT(problem->host_multipliers()[0], -0.1);        // lower bound of c1 is active
  EXPECT_LT(problem->host_bound_multipliers()[0], -0.1);  // lower bound of x1
  EXPECT_EQ(problem->host_bound_multipliers()[1], 0.0);
}

/// min (x - 2)^2, x <= 1: x = 1, z = 2 by hand.
TEST(SketchNewton, MultiplierOfAnUpperBoundIsPositive) {
  const auto problem = differenced_program({0.0}, [](X x) { return (x[0] - 2) * (x[0] - 2); }, {},
                                           {.lower = {-infinity}, .upper = {1.0}});
  expect_solved(*problem, solve(*problem));
  EXPECT_EQ(problem->host_x()[0], 1.0);
  EXPECT_NEAR(problem->host_bound_multipliers()[0], 2.0, 1e-9);
}

/// min x^2 + y^2, x + y = 2: (1, 1), lambda = -2.
TEST(SketchNewton, EqualityAndItsMultiplier) {
  const auto problem =
      differenced_program({5.0, -3.0}, [](X x) { return x[0] * x[0] + x[1] * x[1]; },
                          {[](X x) { return x[0] + x[1] - 2; }});
  const Report report = solve(*problem);
  expect_solved(*problem, report);
  EXPECT_NEAR(problem->host_multipliers()[0], -2.0, 1e-9);
  EXPECT_LE(report.iterations, 3);  // a quadratic program is one Newton step
}

/// The same equation twice: dependent rows of the Jacobian at every point.
TEST(SketchNewton, DependentConstraintsAreNoObstacle) {
  const auto c = [](X x) { return x[0] * x[0] + x[1] * x[1] - 2; };
  const auto problem = differenced_program({2.0, 0.5}, [](X x) { return x[0] + x[1]; }, {c, c});
  expect_solved(*problem, solve(*problem));
  EXPECT_NEAR(problem->host_x()[0], -1.0, 1e-6);
  EXPECT_NEAR(problem->host_x()[1], -1.0, 1e-6);
}

/// Zero is a degenerate bound: multiplier and distance vanish together.
TEST(SketchNewton, WeaklyActiveBoundIsResolved) {
  const auto problem =
      differenced_program({1.0, 1.0}, [](X x) { return x[0] * x[0] + (x[1] - 1) * (x[1] - 1); }, {},
                          {.lower = {0.0, 0.0}, .upper = {infinity, infinity}});
  expect_solved(*problem, solve(*problem));
  EXPECT_NEAR(problem->host_x()[0], 0.0, 2e-6);
}

/// x2 = 3 by its bounds, and a row without bounds: neither is in the way, and the multiplier of the
/// fixed variable is what stationarity asks for.
TEST(SketchNewton, FixedVariablesAndFreeRows) {
  const auto problem =
      differenced_program({0.0, 3.0}, [](X x) { return x[0] * x[0] + x[0] * x[1] + x[1] * x[1]; },
                          {[](X x) { return std::exp(x[0]) * x[1]; }},
                          {.lower = {-infinity, 3.0}, .upper = {infinity, 3.0}},
                          {.lower = {-infinity}, .upper = {infinity}});
  expect_solved(*problem, solve(*problem));
  EXPECT_NEAR(problem->host_x()[0], -1.5, 1e-7);
  EXPECT_NEAR(problem->host_bound_multipliers()[1], -4.5, 1e-6);
  EXPECT_EQ(problem->host_multipliers()[0], 0.0);
}

TEST(SketchNewton, ContradictingLinearConstraintsAreInfeasible) {
  const auto problem = differenced_program(
      {0.0, 0.0}, [](X x) { return x[0]; },
      {[](X x) { return x[0] + x[1] - 1; }, [](X x) { return x[0] + x[1] - 3; }}, {}, {}, true);
  EXPECT_EQ(solve(*problem).status, Status::infeasible);
}

/// A local minimum of the violation of nonlinear constraints proves nothing: no claim is made.
TEST(SketchNewton, LocallyInfeasibleIsSaidWithItsViolation) {
  const auto problem =
      differenced_program({1.0}, [](X x) { return x[0]; }, {[](X x) { return x[0] * x[0] + 1; }});
  const Report report = solve(*problem);
  EXPECT_EQ(report.status, Status::stagnated);
  EXPECT_NE(report.reason.find("locally infeasible"), std::string::npos) << report.reason;
  EXPECT_NEAR(report.value("constraint_violation"), 1.0, 1e-2);
}

TEST(SketchNewton, UnboundedObjectiveIsSaid) {
  const auto problem = differenced_program({1.0, 1.0}, [](X x) { return x[0] - x[1] * x[1]; });
  EXPECT_EQ(solve(*problem).status, Status::unbounded);
}

/// Maxima and saddles are stationary, too, and no answers.
TEST(SketchNewton, AMaximumIsNoMinimum) {
  const auto concave = differenced_program({0.5}, [](X x) { return -x[0] * x[0]; });
  EXPECT_EQ(solve(*concave).status, Status::unbounded);
  const auto saddle = differenced_program({0.3, 0.2}, [](X x) { return x[0] * x[1]; });
  EXPECT_NE(solve(*saddle).status, Status::converged);
}

/// Constraints far from the start: violations of 1e5 times 1e5 must outweigh the distance to the
/// start.
TEST(SketchNewton, FarFeasibleSetsAreReached) {
  const auto problem = differenced_program(
      {0.0, 0.0, 0.0}, [](X x) { return x[0] * x[0] + x[1] * x[1] + x[2] * x[2]; },
      {[](X x) { return x[0] + 2 * x[1] - x[2] - 1e5; }, [](X x) { return x[0] - 3 * x[1] + 2e4; }},
      {.lower = {-1e6, 1e3, -1e5}, .upper = {1e6, 1e5, 1e6}}, {}, true);
  expect_solved(*problem, solve(*problem));
}

/// Fixed variables may be as many as slacks: nothing is confused without scaling.
TEST(SketchNewton, AsManyFixedVariablesAsSlacks) {
  const auto problem = differenced_program(
      {0.0, 2.0}, [](X x) { return x[0] * x[0] + x[1]; }, {[](X x) { return x[0] + x[1]; }},
      {.lower = {-infinity, 2.0}, .upper = {infinity, 2.0}}, {.lower = {5.0}, .upper = {infinity}});
  SketchNewtonOptions options;
  options.largest_gradient = 0.0;
  expect_solved(*problem, solve(*problem, options));
  EXPECT_NEAR(problem->host_x()[0], 3.0, 1e-6);
}

TEST(SketchNewton, NotFiniteAtTheStart) {
  const auto f = differenced_program({-1.0}, [](X x) { return std::log(x[0]); });
  const Report of_f = solve(*f);
  EXPECT_EQ(of_f.status, Status::non_finite);
  EXPECT_NE(of_f.reason.find("objective"), std::string::npos);
  const auto c = differenced_program({-1.0}, [](X x) { return x[0]; },
                                     {[](X x) { return std::sqrt(x[0]) - 1; }});
  EXPECT_EQ(solve(*c).status, Status::non_finite);
}

/// x - log x from 3: the first Newton step ends at -3, where f is NaN.
TEST(SketchNewton, NotFiniteAlongTheLineSearchIsAvoided) {
  const auto problem = differenced_program({3.0}, [](X x) { return x[0] - std::log(x[0]); });
  expect_solved(*problem, solve(*problem));
  EXPECT_NEAR(problem->host_x()[0], 1.0, 1e-6);
}

TEST(SketchNewton, IterationLimitKeepsThePointAndSaysSo) {
  const auto problem = hs71();
  SketchNewtonOptions options;
  options.max_iterations = 2;
  const Report report = solve(*problem, options);
  EXPECT_EQ(report.status, Status::max_iterations);
  EXPECT_EQ(report.iterations, 2);
  EXPECT_NE(problem->host_x()[1], 5.0);
}

TEST(SketchNewton, StopsWhenTheMonitorSaysSo) {
  for (const auto& [verdict, status] : {std::pair{Verdict::time_limit, Status::time_limit},
                                        std::pair{Verdict::interrupted, Status::interrupted}}) {
    const auto problem = hs71();
    test::RecordingMonitor monitor(3, verdict);
    EXPECT_EQ(solve(*problem, {}, monitor).status, status);
  }
}

TEST(SketchNewton, WarmStartFromASolutionTakesAtMostTwoSteps) {
  const auto problem = hs71();
  const Report cold = solve(*problem);
  const Report warm = solve(*problem);
  expect_solved(*problem, warm);
  EXPECT_GT(cold.iterations, 5);
  EXPECT_LE(warm.iterations, 2);
}

/// Scaling f and c scales multipliers and nothing else.
TEST(SketchNewton, MultipliersAreInTheUnitsOfTheProblem) {
  const auto scaled = [](Real a, Real b) {
    return differenced_program({5.0, -3.0}, [a](X x) { return a * (x[0] * x[0] + x[1] * x[1]); },
                               {[b](X x) { return b * (x[0] + x[1] * x[1] - 2); }});
  };
  const auto one = scaled(1, 1), other = scaled(1000, 1e-3L);
  expect_solved(*one, solve(*one));
  EXPECT_EQ(solve(*other).status, Status::converged);
  EXPECT_NEAR(one->host_x()[0], other->host_x()[0], 1e-6);
  EXPECT_NEAR(other->host_multipliers()[0], 1e6 * one->host_multipliers()[0],
              1e-5 * std::abs(other->host_multipliers()[0]));
}

TEST(SketchNewton, DenseAndSparseFactorsTakeTheSameSteps) {
  const auto dense = hs71(), sparse = hs71();
  SketchNewtonOptions options;
  options.dense_limit = 0;
  const Report a = solve(*dense), b = solve(*sparse, options);
  EXPECT_EQ(a.iterations, b.iterations);
  EXPECT_NEAR(dense->host_x()[2], sparse->host_x()[2], 1e-9);
}

TEST(SketchNewton, CountsEvaluations) {
  const auto problem = hs71();
  const Report report = solve(*problem);
  EXPECT_GE(report.value("hessian_evaluations"), static_cast<double>(report.iterations) - 1.0);
  EXPECT_GT(report.value("factorizations"), 0.0);
  EXPECT_GT(report.value("inner_solver_flops"), 0.0);
}

}  // namespace
