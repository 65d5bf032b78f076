#include "../adasketch_newton.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>

#include <tests/support/differenced_programs.hpp>

namespace {

using namespace libsolve;
using libsolve::test::differenced_program;
using libsolve::test::infinity;
using sketch_newton::AdaSketchNewton;
using sketch_newton::AdaSketchOptions;
using Real = long double;
using X = std::span<const Real>;

Report solve(NonlinearProgram& problem, const AdaSketchOptions& options = {},
             std::uint64_t seed = 1) {
  Context context;
  context.seed = seed;
  AdaSketchNewton method(options, context);
  return method.solve(problem, Monitor::none());
}

/// Hock and Schittkowski 79 (also 78, 40 below): the paper says 4 steps with Kaczmarz.
std::unique_ptr<NonlinearProgram> hs79() {
  return differenced_program(
      {2, 2, 2, 2, 2},
      [](X x) {
        return (x[0] - 1) * (x[0] - 1) + (x[0] - x[1]) * (x[0] - x[1]) +
               (x[1] - x[2]) * (x[1] - x[2]) + std::pow(x[2] - x[3], 4) + std::pow(x[3] - x[4], 4);
      },
      {[](X x) { return x[0] + x[1] * x[1] + x[2] * x[2] * x[2] - 2 - 3 * std::sqrt(Real(2)); },
       [](X x) { return x[1] - x[2] * x[2] + x[3] + 2 - 2 * std::sqrt(Real(2)); },
       [](X x) { return x[0] * x[4] - 2; }});
}

std::unique_ptr<NonlinearProgram> hs40() {
  return differenced_program(
      {0.8, 0.8, 0.8, 0.8}, [](X x) { return -x[0] * x[1] * x[2] * x[3]; },
      {[](X x) { return x[0] * x[0] * x[0] + x[1] * x[1] - 1; },
       [](X x) { return x[0] * x[0] * x[3] - x[2]; }, [](X x) { return x[3] * x[3] - x[1]; }});
}

TEST(AdaSketchNewton, TakesThePapersNumberOfSteps) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const auto a = hs79(), b = hs40();
    EXPECT_NEAR(static_cast<double>(solve(*a, {}, seed).iterations), 4.0, 1.0);
    EXPECT_NEAR(static_cast<double>(solve(*b, {}, seed).iterations), 3.0, 1.0);
    EXPECT_LE(a->kkt_residual().largest(), 1e-4);
    EXPECT_NEAR(b->verify().back().value, -0.25, 1e-4);  // f
  }
}

TEST(AdaSketchNewton, GaussianSketchesReachTheSamePoint) {
  const auto rows = hs79(), gaussian = hs79();
  AdaSketchOptions options;
  options.sketch = "gaussian";
  EXPECT_TRUE(solve(*rows).converged());
  EXPECT_TRUE(solve(*gaussian, options).converged());
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(rows->host_x()[i], gaussian->host_x()[i], 1e-3);
}

TEST(AdaSketchNewton, RelativeAccuracyNeedsFewerSketches) {
  const auto paper = hs79(), relative = hs79();
  AdaSketchOptions options;
  options.accuracy = "relative";
  const Report a = solve(*paper), b = solve(*relative, options);
  EXPECT_TRUE(b.converged()) << b.reason;
  EXPECT_LT(b.value("sketches"), 0.5 * a.value("sketches"));
}

TEST(AdaSketchNewton, SameSeedSameSteps) {
  const auto a = hs79(), b = hs79();
  EXPECT_EQ(solve(*a, {}, 5).value("sketches"), solve(*b, {}, 5).value("sketches"));
  EXPECT_EQ(a->host_x(), b->host_x());
}

TEST(AdaSketchNewton, RefusesBoundsInequalitiesAndSizes) {
  const auto bounded = differenced_program({1.0}, [](X x) { return x[0]; }, {},
                                           {.lower = {0.0}, .upper = {infinity}});
  EXPECT_THROW((void)solve(*bounded), Unsupported);
  const auto inequality =
      differenced_program({1.0}, [](X x) { return x[0]; }, {[](X x) { return x[0]; }}, {},
                          {.lower = {0.0}, .upper = {1.0}});
  EXPECT_THROW((void)solve(*inequality), Unsupported);
  AdaSketchOptions options;
  options.max_size = 7;
  const auto large = hs79();
  EXPECT_THROW((void)solve(*large, options), Unsupported);
}

TEST(AdaSketchNewton, NotFiniteIsSaid) {
  const auto problem = differenced_program({-1.0}, [](X x) { return std::log(x[0]); });
  EXPECT_EQ(solve(*problem).status, Status::non_finite);
}

}  // namespace
