#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <tests/support/differenced_programs.hpp>
#include <tests/support/monitors.hpp>

#include "../newton_cg.hpp"

namespace {

using namespace libsolve;
using newton_cg::NewtonCg;
using newton_cg::NewtonCgOptions;
using libsolve::test::differenced_program;
using Real = long double;
using X = std::span<const Real>;

Report solve(NonlinearProgram& problem, const NewtonCgOptions& options = {}) {
  return NewtonCg(options, Context{}).solve(problem, Monitor::none());
}

TEST(NewtonCg, FindsTheMinimumOfRosenbrock) {
  const auto problem = differenced_program({-1.2, 1.0}, [](X x) {
    return 100 * (x[1] - x[0] * x[0]) * (x[1] - x[0] * x[0]) + (1 - x[0]) * (1 - x[0]);
  });
  const Report report = solve(*problem, {.tolerance = 1e-6});
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_NEAR(problem->host_x()[0], 1.0, 1e-5);
  EXPECT_NEAR(problem->host_x()[1], 1.0, 1e-5);
  EXPECT_LT(problem->kkt_residual().largest(), 1e-6);
}

/// f = x0^4 / 4 - x0^2 / 2 + x1^2 has negative curvature at the start, minima at (+-1, 0).
TEST(NewtonCg, LeavesNegativeCurvature) {
  const auto problem = differenced_program({0.1, 1.0}, [](X x) {
    return x[0] * x[0] * x[0] * x[0] / 4 - x[0] * x[0] / 2 + x[1] * x[1];
  });
  const Report report = solve(*problem, {.tolerance = 1e-6});
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_NEAR(std::abs(problem->host_x()[0]), 1.0, 1e-5);
  EXPECT_GT(report.value("negative_curvatures"), 0.0);
}

/// Entries of the gradient are 1e-10 at the start: within any absolute tolerance. From the minimum there
/// is nothing to gain, and nothing to complain of.
TEST(NewtonCg, SolvesFunctionsWithSmallWeights) {
  const auto problem = differenced_program({-1.2, 1.0}, [](X x) {
    return Real(1e-12) * (100 * (x[1] - x[0] * x[0]) * (x[1] - x[0] * x[0]) + (1 - x[0]) * (1 - x[0]));
  });
  for (int k = 0; k < 2; ++k) {
    const Report report = solve(*problem);
    EXPECT_EQ(report.status, Status::converged) << report.reason;
    EXPECT_NEAR(problem->host_x()[0], 1.0, 1e-3);
    EXPECT_NEAR(problem->host_x()[1], 1.0, 1e-3);
    if (k > 0) continue;
    EXPECT_GT(report.iterations, 5);
    EXPECT_LE(report.value("relative_gradient"), 1e-5);
  }
}

/// A second solve begins where the first ended: what is left of the gradient is no measure.
TEST(NewtonCg, IsDoneWhereItStartsAtTheMinimum) {
  const auto problem = differenced_program({1.0, -1.0, 0.5}, [](X x) {
    Real f = 3;
    for (std::size_t i = 0; i < x.size(); ++i) f += std::exp(x[i]) - Real(i + 1) * x[i];
    return f;
  });
  for (int k = 0; k < 3; ++k) {
    const Report report = solve(*problem);
    EXPECT_EQ(report.status, Status::converged) << k << ": " << report.reason;
    if (k > 0) EXPECT_LE(report.iterations, 1);
    for (std::size_t i = 0; i < 3; ++i)
      EXPECT_NEAR(problem->host_x()[i], std::log(static_cast<double>(i + 1)), 1e-7);
  }
}

/// Says stop when asked for the fourth time.
class PollMonitor final : public Monitor {
 public:
  Verdict observe(std::int64_t, std::span<const Sample>) override { return Verdict::proceed; }
  Verdict poll() override { return ++polls >= 4 ? Verdict::time_limit : Verdict::proceed; }
  int polls = 0;
};

TEST(NewtonCg, HearsATimeLimitBetweenProducts) {
  const std::vector<double> start(20, 1.0);
  const auto problem = differenced_program(start, [](X x) {
    Real f = 0;
    for (std::size_t i = 0; i < x.size(); ++i) f += Real(i + 1) * x[i] * x[i] / 2;
    return f;
  });
  PollMonitor monitor;
  const Report report = NewtonCg({.largest_forcing = 1e-8}, Context{}).solve(*problem, monitor);
  EXPECT_EQ(report.status, Status::time_limit) << report.reason;
  EXPECT_EQ(report.iterations, 0);
  EXPECT_EQ(report.value("cg_iterations"), 3.0);
  EXPECT_EQ(problem->host_x(), start);
}

TEST(NewtonCg, SaysWhyItStops) {
  const auto falling = differenced_program({1.0}, [](X x) { return -x[0] * x[0] * x[0] * x[0]; });
  EXPECT_EQ(solve(*falling).status, Status::unbounded);
  const auto quartic = differenced_program({3.0}, [](X x) { return x[0] * x[0] * x[0] * x[0]; });
  EXPECT_EQ(solve(*quartic, {.max_iterations = 2}).status, Status::max_iterations);
  const auto broken = differenced_program({-1.0}, [](X x) { return std::log(x[0]); });
  EXPECT_EQ(solve(*broken).status, Status::non_finite);
}

}  // namespace
