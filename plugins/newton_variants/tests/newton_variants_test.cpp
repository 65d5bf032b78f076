#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <tests/support/differenced_programs.hpp>
#include <tests/support/monitors.hpp>

#include "../dual_ascent.hpp"
#include "../unconstrained.hpp"

namespace {

using namespace libsolve;
using namespace newton_variants;
using libsolve::test::differenced_program;
using libsolve::test::infinity;
using Real = long double;
using X = std::span<const Real>;

template <class Method>
Report solve(NonlinearProgram& problem, const typename Method::Options& options = {},
             Monitor& monitor = Monitor::none()) {
  Method method(options, Context{});
  return method.solve(problem, monitor);
}

std::unique_ptr<NonlinearProgram> rosenbrock() {
  return differenced_program({-1.2, 1.0}, [](X x) {
    return 100 * (x[1] - x[0] * x[0]) * (x[1] - x[0] * x[0]) + (1 - x[0]) * (1 - x[0]);
  });
}

template <class Method>
void expect_minimum_of_rosenbrock() {
  const auto problem = rosenbrock();
  const Report report = solve<Method>(*problem);
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_NEAR(problem->host_x()[0], 1.0, 1e-5);
  EXPECT_NEAR(problem->host_x()[1], 1.0, 1e-5);
  EXPECT_LT(report.iterations, 200);
}

TEST(GradientNormalizedNewton, FindsTheMinimumOfRosenbrock) {
  expect_minimum_of_rosenbrock<GradientNormalizedNewton>();
}
TEST(SaddleFreeNewton, FindsTheMinimumOfRosenbrock) {
  expect_minimum_of_rosenbrock<SaddleFreeNewton>();
}

/// A quadratic: gamma doubles at each step, so the steps come close to Newton's.
TEST(GradientNormalizedNewton, ApproximateHessiansConvergeMoreSlowly) {
  const auto quadratic = [] {
    return differenced_program({3.0, -2.0},
                               [](X x) { return 5 * x[0] * x[0] + x[1] * x[1] + 2 * x[0] * x[1]; });
  };
  const auto exact = quadratic(), diagonal = quadratic();
  GradientNormalizedOptions options;
  options.hessian = "diagonal";
  const Report a = solve<GradientNormalizedNewton>(*exact);
  const Report b = solve<GradientNormalizedNewton>(*diagonal, options);
  EXPECT_TRUE(a.converged() && b.converged()) << b.reason;
  EXPECT_LT(a.iterations, b.iterations);
  EXPECT_NEAR(diagonal->host_x()[0], 0.0, 1e-5);
}

/// x^2 - y^2 + y^4 has a saddle at 0 and minima at y = +-1/sqrt 2.
TEST(SaddleFreeNewton, LeavesASaddleItStandsOn) {
  const auto problem = differenced_program(
      {0.0, 0.0}, [](X x) { return x[0] * x[0] - x[1] * x[1] + x[1] * x[1] * x[1] * x[1]; });
  EXPECT_TRUE(solve<SaddleFreeNewton>(*problem).converged());
  EXPECT_NEAR(std::abs(problem->host_x()[1]), std::sqrt(0.5), 1e-5);
}

TEST(SaddleFreeNewton, UnboundedAndNotFiniteAreSaid) {
  const auto concave = differenced_program({1.0}, [](X x) { return -x[0] * x[0]; });
  EXPECT_EQ(solve<SaddleFreeNewton>(*concave).status, Status::unbounded);
  const auto logarithm = differenced_program({-1.0}, [](X x) { return std::log(x[0]); });
  EXPECT_EQ(solve<SaddleFreeNewton>(*logarithm).status, Status::non_finite);
}

std::unique_ptr<NonlinearProgram> on_a_circle() {
  return differenced_program({2.0, 0.5}, [](X x) { return x[0] + x[1]; },
                             {[](X x) { return x[0] * x[0] + x[1] * x[1] - 2; }});
}

TEST(DualAscent, AugmentedFindsAPointOnACircle) {
  const auto problem = on_a_circle();
  const Report report = solve<DualAscent>(*problem);
  EXPECT_TRUE(report.converged()) << report.reason;
  EXPECT_NEAR(problem->host_x()[0], -1.0, 1e-5);
  EXPECT_NEAR(problem->host_multipliers()[0], 0.5, 1e-5);
  EXPECT_LE(problem->kkt_residual().largest(), 1e-6);
}

/// min x^2 + y^2, x + y = 2: the dual function is -lambda^2/2 - 2 lambda, its gradient step 1 is
/// exact at once.
TEST(DualAscent, PlainAscentOnAConvexProgram) {
  const auto problem =
      differenced_program({0.0, 0.0}, [](X x) { return x[0] * x[0] + x[1] * x[1]; },
                          {[](X x) { return x[0] + x[1] - 2; }});
  DualAscentOptions options;
  options.penalty = 0.0;
  EXPECT_TRUE(solve<DualAscent>(*problem, options).converged());
  EXPECT_NEAR(problem->host_multipliers()[0], -2.0, 1e-5);
}

TEST(DualAscent, TooLongAStepIsSaid) {
  const auto problem =
      differenced_program({0.0, 0.0}, [](X x) { return x[0] * x[0] + x[1] * x[1]; },
                          {[](X x) { return x[0] + x[1] - 2; }});
  DualAscentOptions options;
  options.penalty = 0.0;
  options.step = 5.0;
  EXPECT_EQ(solve<DualAscent>(*problem, options).status, Status::diverged);
}

TEST(NewtonVariants, RefuseWhatTheyDoNotKnow) {
  const auto circle = on_a_circle();
  EXPECT_THROW((void)solve<SaddleFreeNewton>(*circle), Unsupported);
  EXPECT_THROW((void)solve<GradientNormalizedNewton>(*circle), Unsupported);
  const auto bounded = differenced_program({1.0}, [](X x) { return x[0]; }, {},
                                           {.lower = {0.0}, .upper = {infinity}});
  EXPECT_THROW((void)solve<DualAscent>(*bounded), Unsupported);
}

TEST(NewtonVariants, StopWhenTheMonitorSaysSo) {
  const auto a = rosenbrock(), b = on_a_circle();
  test::RecordingMonitor at_two(2, Verdict::time_limit), at_one(1, Verdict::interrupted);
  EXPECT_EQ(solve<SaddleFreeNewton>(*a, {}, at_two).status, Status::time_limit);
  EXPECT_EQ(solve<DualAscent>(*b, {}, at_one).status, Status::interrupted);
}

}  // namespace
