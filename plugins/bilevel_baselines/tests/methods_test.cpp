#include <gtest/gtest.h>

#include <algorithm>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/peak_memory.hpp>
#include <libsolve/plugin/loader.hpp>
#include <tests/support/monitors.hpp>

#include "../bo_rep.hpp"
#include "../implicit_differentiation.hpp"
#include "../penalty_first_order.hpp"
#include "../unrolled.hpp"
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

/// y_i = max(0, x_i), and Phi's slope changes its sign there: x = 0 is the minimum, a kink, where
/// one hypergradient alone proves nothing.
TEST_F(Baselines, ImplicitDifferentiationEndsAtKinksWithAProof) {
  BilevelProgram problem(parts_of({.nx = 3,
                                   .ny = 3,
                                   .F = "4*y1 - x1 + 3*y2 - x2 + (x3 - 1)^2 + 0.2*(x1 + x2 + x3)^2",
                                   .f = "(y1 - x1)^2 + (y2 - x2)^2 + (y3 - x3)^2",
                                   .start = {0.7, -0.4, 0.2, 0.0, 0.0, 0.0},
                                   .Y = {{0.0, 0.0, 0.0}, {none, none, none}}}));
  const Report r = solve<ImplicitDifferentiation>(problem);
  EXPECT_EQ(r.status, Status::converged) << r.reason;
  EXPECT_NEAR(problem.host_v()[0], 0.0, 1e-6);
  EXPECT_NEAR(problem.host_v()[1], 0.0, 1e-6);
  EXPECT_NEAR(problem.host_v()[2], 1.0 / 1.2, 1e-5);
  EXPECT_TRUE(std::ranges::any_of(
      r.notes, [](const std::string& note) { return note.find("kink") != std::string::npos; }));
}

/// Lower levels without constraints g, or with a box only; expected: implicit differentiation's.
TEST_F(Baselines, MethodsWithoutAKktSystemAgreeWithImplicitDifferentiation) {
  Text box = test::box();
  box.X = {{0.2, 0.2}, {2.0, 2.0}};
  Text logistic = test::logistic();
  logistic.X = {{-3.0, -3.0, -3.0}, {3.0, 3.0, 3.0}};
  for (const Text& t : {clamped(), logistic, box}) {
    BilevelProgram reference(parts_of(t));
    ASSERT_TRUE(solve<ImplicitDifferentiation>(reference).converged());
    const double expected = reference.certificate()->upper_objective;
    UnrolledOptions unrolled;
    unrolled.steps = unrolled.backward_steps = 500;
    expect_minimum<Unrolled>(t, expected, 1e-8, unrolled);
    PenaltyFirstOrderOptions penalty;
    penalty.tolerance = 1e-5;
    expect_minimum<PenaltyFirstOrder>(t, expected, 1e-7, penalty);
    // Normalised steps come near, not to the point.
    BoRepOptions steps;
    steps.max_iterations = 3000;
    BilevelProgram problem(parts_of(t));
    const Report r = solve<BoRep>(problem, steps);
    ASSERT_TRUE(problem.certificate()) << r.reason;
    EXPECT_NEAR(problem.certificate()->upper_objective, expected, 5e-3);
  }
}

/// The published loop of F2BA on a small problem: error O(1/s).
TEST_F(Baselines, PublishedF2baComesWithinItsPenaltyError) {
  PenaltyFirstOrderOptions o;
  o.schedule = "f2ba";
  o.last_penalty = 100.0;
  o.tolerance = 1e-9;
  o.max_iterations = 5000;
  BilevelProgram problem(parts_of(clamped()));
  const Report r = solve<PenaltyFirstOrder>(problem, o);
  EXPECT_FALSE(r.converged());  // its own gradient vanishes where Phi's does not, and that is said
  EXPECT_NEAR(problem.host_v()[0], 0.0, 0.05);
  EXPECT_GT(std::abs(problem.host_v()[0]), 1e-6);
}

/// The gradient through K steps is that of F(x, y_K(x)), not of Phi.
TEST_F(Baselines, UnrolledGradientsAgreeWithDifferencesOfWhatWasUnrolled) {
  for (const bool is_inertial : {false, true})
    for (const Text& t : {test::logistic(), test::quadratic(), test::support_vectors()}) {
      const BilevelProgram problem(parts_of(t));
      FirstOrderLower lower(problem, 10.0);
      UnrolledIteration iteration(lower, 30, 30, is_inertial);
      const HostAccess F(problem.upper());
      const Numbers start = problem.host_v();
      iteration.set_step(start);
      const auto nx = static_cast<std::size_t>(t.nx);
      const auto phi = [&](std::size_t i, double h) {
        Numbers v = start;
        v[i] += h;
        iteration.forward(v);
        return F.objective(v);
      };
      Numbers v = start, F_v(start.size());
      iteration.forward(v);
      F.gradient(v, F_v);
      Numbers gradient(F_v.begin(), F_v.begin() + t.nx);
      iteration.backward(std::span<const double>(F_v).subspan(nx), gradient);
      for (std::size_t i = 0; i < nx; ++i) {
        const auto central = [&](double h) { return (phi(i, h) - phi(i, -h)) / (2.0 * h); };
        // Wide enough for rounding, narrow enough for kinks of the penalty.
        EXPECT_NEAR(gradient[i], (4.0 * central(1e-4) - central(2e-4)) / 3.0, 1e-8)
            << t.f << ", x" << i + 1;
      }
    }
}

/// Through fewer steps it is another gradient, that comes near as the lower level converges.
TEST_F(Baselines, TruncationForgetsTheFirstSteps) {
  const BilevelProgram problem(parts_of(test::logistic()));
  FirstOrderLower lower(problem, 1.0);
  const auto gradient = [&](int backward) {
    UnrolledIteration iteration(lower, 200, backward, false);
    Numbers v = problem.host_v(), F_v(v.size());
    iteration.set_step(v);
    iteration.forward(v);
    HostAccess(problem.upper()).gradient(v, F_v);
    Numbers g(F_v.begin(), F_v.begin() + 3);
    iteration.backward(std::span<const double>(F_v).subspan(3), g);
    return g;
  };
  const Numbers full = gradient(200), few = gradient(5), many = gradient(100);
  double of_few = 0.0, of_many = 0.0;
  for (std::size_t i = 0; i < 3; ++i) {
    of_few = std::max(of_few, std::abs(few[i] - full[i]));
    of_many = std::max(of_many, std::abs(many[i] - full[i]));
  }
  EXPECT_GT(of_few, 1e-4);
  EXPECT_LT(of_many, 1e-6);
}

TEST_F(Baselines, WhatTheyCannotDoIsRefused) {
  BilevelProgram problem(parts_of(with_upper_constraint()));
  EXPECT_THROW((void)solve<BoRep>(problem), Unsupported);
  PenaltyFirstOrderOptions o;
  o.schedule = "f2ba";
  EXPECT_THROW((void)solve<PenaltyFirstOrder>(problem, o), Unsupported);
}

TEST_F(Baselines, MemoryStaysFlatOverManyIterations) {
  const Text t = test::box();
  BoRepOptions o;
  o.tolerance = 1e-300;
  o.terms = 2;
  o.lower_steps = 1;
  PenaltyFirstOrderOptions penalty;
  penalty.schedule = "f2ba";
  penalty.tolerance = 1e-300;
  penalty.last_penalty = 10.0;
  penalty.inner_steps = 1;
  o.max_iterations = penalty.max_iterations = 100;  // what is taken once is taken here
  BilevelProgram problem(parts_of(t)), other(parts_of(t));
  (void)solve<BoRep>(problem, o);
  (void)solve<PenaltyFirstOrder>(other, penalty);
  const PeakMemory memory;
  o.max_iterations = penalty.max_iterations = 100000;
  (void)solve<BoRep>(problem, o);
  (void)solve<PenaltyFirstOrder>(other, penalty);
  EXPECT_LT(memory.bytes(), 4.0e6);  // 100 000 iterations, less than 40 bytes each
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

/// Says stop when asked from within a lower-level solve, never at an iteration.
class ImpatientMonitor final : public Monitor {
 public:
  Verdict observe(std::int64_t, std::span<const Sample>) override { return Verdict::proceed; }
  Verdict poll() override { return ++polls > 20 ? Verdict::time_limit : Verdict::proceed; }
  int polls = 0;
};

/// A lower level that is not convex is solved by the program solver at every x.
TEST_F(Baselines, TheyStopInsideOfLowerLevelSolves) {
  Text t = test::box();
  t.is_convex = false;
  BilevelProgram problem(parts_of(t));
  ImpatientMonitor monitor;
  const Report r = solve<ImplicitDifferentiation>(problem, {}, monitor);
  EXPECT_EQ(r.status, Status::time_limit) << r.reason;
  EXPECT_LT(monitor.polls, 400);
}

}  // namespace
}  // namespace bilevel_baselines
