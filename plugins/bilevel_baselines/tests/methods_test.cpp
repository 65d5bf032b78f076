#include <gtest/gtest.h>

#include <libsolve/core/errors.hpp>
#include <libsolve/plugin/loader.hpp>
#include <tests/support/monitors.hpp>

#include "../implicit_differentiation.hpp"
#include "../value_function_kkt.hpp"
#include "programs.hpp"

namespace bilevel_baselines {
namespace {

using test::none;
using test::parts_of;
using test::Text;

class Baselines : public testing::Test {
 protected:
  Baselines() {
    load_plugins(registry_, {.files = {}, .path = "", .installed_folder = std::nullopt});
    context_.registry = &registry_;
  }
  template <class M>
  Report solve(BilevelProgram& problem, const typename M::Options& options = {},
               Monitor& monitor = Monitor::none()) {
    M method(options, context_);
    return method.solve(problem, monitor);
  }
  /// Converged, with a certificate that holds, at Phi = expected.
  template <class M>
  void expect_minimum(const Text& t, double expected, double within,
                      const typename M::Options& options = {}) {
    BilevelProgram problem(parts_of(t));
    const Report r = solve<M>(problem, options);
    EXPECT_EQ(r.status, Status::converged) << r.reason;
    ASSERT_TRUE(problem.certificate());
    EXPECT_LE(problem.certificate()->lower_gap, 1e-6);
    EXPECT_LE(problem.certificate()->constraint_violation, 1e-6);
    EXPECT_NEAR(problem.certificate()->upper_objective, expected, within);
    EXPECT_NEAR(HostAccess(problem.upper()).objective(problem.host_v()), expected, within);
  }
  Registry registry_;
  Context context_;
};

/// Problem A of LV-HBA's paper at n = 1: F = .5 (x - y2)^2 + .5 (y1 - 1)^2, x + y1 + y2 = 0 in the
/// lower level; x = -.3, y = (.7, -.4), F = .05.
Text merely_convex() {
  return {.nx = 1,
          .ny = 2,
          .F = "0.5*(x1 - y2)^2 + 0.5*(y1 - 1)^2",
          .f = "0.5*y1^2 - x1*y1 + y2",
          .g = {"x1 + y1 + y2"},
          .start = {1.0, 0.0, 0.0},
          .equalities = 1};
}

/// y = clamp(x, -1, 1): Phi = (x - 2)^2 + 2 (y + 1)^2 is 6 at x = 0, inside; 8 at x = 2 is a
/// minimum of another piece.
Text clamped() {
  return {.nx = 1,
          .ny = 1,
          .F = "(x1 - 2)^2 + 2*(y1 + 1)^2",
          .f = "(y1 - x1)^2",
          .start = {0.9, 0.0},
          .Y = {{-1.0}, {1.0}}};
}

/// As above, with an upper constraint that is active: x + y >= 0.4, so x = y = 0.2.
Text with_upper_constraint() {
  Text t = clamped();
  t.G = {"0.4 - x1 - y1"};
  return t;
}

TEST_F(Baselines, ImplicitDifferentiationFindsKnownMinima) {
  using M = ImplicitDifferentiation;
  expect_minimum<M>(merely_convex(), 0.05, 1e-9);
  for (const char* solver : {"direct", "cg", "neumann"}) {
    ImplicitDifferentiationOptions options;
    options.solver = solver;
    expect_minimum<M>(clamped(), 6.0, 1e-9, options);
  }
  expect_minimum<M>(with_upper_constraint(), 6.12, 1e-5);
}

TEST_F(Baselines, ValueFunctionKktFindsKnownMinima) {
  using M = ValueFunctionKkt;
  expect_minimum<M>(merely_convex(), 0.05, 1e-7);
  expect_minimum<M>(clamped(), 6.0, 1e-6);
  expect_minimum<M>(with_upper_constraint(), 6.12, 1e-6);
}

/// f = y1^4 - 2 y1^2 + x1 y1: y < 0 is the global minimum for x > 0, where F wants y > 0, a KKT
/// point of the lower level as well. Nothing may call that proved.
TEST_F(Baselines, KktPointsThatAreNoMinimaAreNotCalledProved) {
  BilevelProgram problem(parts_of({.nx = 1,
                                   .ny = 1,
                                   .F = "(y1 - 1)^2 + (x1 - 0.5)^2",
                                   .f = "y1^4 - 2*y1^2 + x1*y1",
                                   .start = {0.5, 1.0},
                                   .X = {{0.4}, {1.0}},
                                   .Y = {{-3.0}, {3.0}},
                                   .is_convex = false}));
  const Report r = solve<ValueFunctionKkt>(problem);
  ASSERT_TRUE(problem.certificate());
  if (r.converged() && problem.host_v()[1] > 0.0) {
    EXPECT_FALSE(problem.certificate()->lower_is_proved);
    EXPECT_FALSE(r.notes.empty());
  }
}

/// Rows of the lower level may be written in any order, and f in any unit.
TEST_F(Baselines, ScalingTheLowerLevelDoesNotMoveTheSolution) {
  Text t = test::quadratic();
  t.X = {{-2.0, -2.0}, {2.0, 2.0}};
  Text scaled = t;
  scaled.f = "1000*(" + t.f + ")";
  std::swap(scaled.g[0], scaled.g[1]);
  BilevelParts parts = parts_of(scaled);
  std::swap(parts.lower_constraints.lower[0], parts.lower_constraints.lower[1]);
  BilevelProgram a(parts_of(t)), b(std::move(parts));
  EXPECT_TRUE(solve<ImplicitDifferentiation>(a).converged());
  EXPECT_TRUE(solve<ImplicitDifferentiation>(b).converged());
  for (std::size_t i = 0; i < a.host_v().size(); ++i)
    EXPECT_NEAR(a.host_v()[i], b.host_v()[i], 1e-4);
}

TEST_F(Baselines, WarmStartsAreHonoured) {
  BilevelProgram problem(parts_of(test::logistic()));
  EXPECT_TRUE(solve<ImplicitDifferentiation>(problem).converged());
  const Report again = solve<ImplicitDifferentiation>(problem);
  EXPECT_TRUE(again.converged());
  EXPECT_EQ(again.iterations, 0);
}

TEST_F(Baselines, TheyStopWhenAsked) {
  BilevelProgram problem(parts_of(test::logistic()));
  libsolve::test::RecordingMonitor monitor(2, Verdict::interrupted);
  const Report r = solve<ImplicitDifferentiation>(problem, {}, monitor);
  EXPECT_EQ(r.status, Status::interrupted);
  EXPECT_EQ(monitor.iterations.back(), 2);
  EXPECT_EQ(monitor.names.front(), "upper_objective");
}

}  // namespace
}  // namespace bilevel_baselines
