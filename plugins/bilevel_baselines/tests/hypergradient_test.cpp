#include <gtest/gtest.h>

#include <libsolve/plugin/loader.hpp>

#include "../implicit_differentiation.hpp"
#include "programs.hpp"

namespace bilevel_baselines {
namespace {

using test::none;
using test::Text;

class Hypergradients : public testing::Test {
 protected:
  Hypergradients() {
    load_plugins(registry_, {.files = {}, .path = "", .installed_folder = std::nullopt});
    context_.registry = &registry_;
  }
  struct Case {
    BilevelProgram problem;
    LowerLevel level;
    LowerTracker tracker;
    LowerPoint p;
    Case(const Text& t, const Context& context)
        : problem(test::parts_of(t)),
          level(problem, context.make<ProgramSolver>(default_lower_solver())),
          tracker(problem, level),
          p(tracker.start()) {}
    Numbers x() const { return {p.v.begin(), p.v.begin() + problem.num_upper()}; }
    double phi(const Numbers& x) {
      EXPECT_TRUE(tracker.solve(x, true, p, Monitor::none()));
      return problem.upper().objective(view(p.v));
    }
    static ConstVectorView view(const Numbers& v) {
      const VectorView device("v", v.size());
      Kokkos::deep_copy(device, Kokkos::View<const double*, Kokkos::HostSpace>(v.data(), v.size()));
      return device;
    }
    Numbers by_differences() {
      const Numbers x0 = x();
      Numbers gradient(x0.size());
      for (std::size_t i = 0; i < x0.size(); ++i) {
        const auto central = [&](double h) {
          Numbers x = x0;
          x[i] = x0[i] + h;
          const double up = phi(x);
          x[i] = x0[i] - h;
          return (up - phi(x)) / (2.0 * h);
        };
        gradient[i] = (4.0 * central(1e-3) - central(2e-3)) / 3.0;
      }
      (void)phi(x0);
      return gradient;
    }
    Numbers H_v() {
      Numbers H(p.v.size());
      HostAccess(problem.upper()).gradient(p.v, H);
      return H;
    }
    AdjointResult by_adjoint(const AdjointOptions& options, Numbers& gradient) {
      gradient.resize(static_cast<std::size_t>(problem.num_upper()));
      return tracker.system().hypergradient(p, H_v(), options, gradient);
    }
  };
  /// All three solvers against differences of Phi.
  void expect_agreement(const Text& t, bool neumann_too = true) {
    Case c(t, context_);
    (void)c.phi(c.x());
    const Numbers expected = c.by_differences();
    double size = 1.0;
    for (const double e : expected) size = std::max(size, std::abs(e));
    for (const char* solver : {"direct", "cg", "neumann"}) {
      if (solver == std::string("neumann") && !neumann_too) continue;
      Numbers gradient;
      const AdjointResult r =
          c.by_adjoint({.solver = solver, .tolerance = 1e-12, .max_terms = 20000}, gradient);
      EXPECT_TRUE(r.is_solved) << solver;
      EXPECT_EQ(r.kinks, 0) << solver;
      EXPECT_FALSE(r.is_singular) << solver;
      for (std::size_t i = 0; i < expected.size(); ++i)
        EXPECT_NEAR(gradient[i], expected[i], 1e-8 * size) << solver << ", x" << i + 1;
    }
  }
  Registry registry_;
  Context context_;
};

TEST_F(Hypergradients, OfAQuadraticLowerLevelAgreeWithDifferences) {
  expect_agreement(test::quadratic());
}
TEST_F(Hypergradients, OfLogisticRegressionAgreeWithDifferences) {
  expect_agreement(test::logistic());
}
TEST_F(Hypergradients, OfABoxAgreeWithDifferences) {
  expect_agreement(test::box());
}
TEST_F(Hypergradients, OfSupportVectorsAgreeWithDifferences) {
  expect_agreement(test::support_vectors());
}

/// More than a hundred unknowns: sparse factors.
TEST_F(Hypergradients, OfManySupportVectorsAgreeWithDifferences) {
  expect_agreement(test::support_vectors(60), false);
}

/// A curved constraint, whose multiplier is part of W: y on the circle of radius exp(x1).
TEST_F(Hypergradients, KnowTheCurvatureOfConstraints) {
  expect_agreement({.nx = 2,
                    .ny = 2,
                    .F = "y1*y2 + x1*y1",
                    .f = "(y1 - 3)^2 + (y2 - x2)^2",
                    .g = {"y1^2 + y2^2 - exp(2*x1)"},
                    .start = {0.3, 1.0, 1.0, 0.5}});
}

/// y(x) = max(0, x): at x = 0 the bound is active with multiplier 0, and Phi = (y - 1)^2 has slopes
/// 0 and -2 there. The piece with the constraint inactive is y = x.
TEST_F(Hypergradients, ReportDegenerateActiveSets) {
  Case c({.nx = 1,
          .ny = 1,
          .F = "(y1 - 1)^2",
          .f = "(y1 - x1)^2",
          .start = {0.0, 0.5},
          .Y = {{0.0}, {none}}},
         context_);
  (void)c.phi({0.0});
  Numbers gradient;
  const AdjointResult r = c.by_adjoint({}, gradient);
  EXPECT_EQ(r.degenerate, 1);
  EXPECT_EQ(r.kinks, 1);
  EXPECT_NEAR(gradient[0], -2.0, 1e-8);
  for (const auto& [x, slope] : {std::pair(0.1, -1.8), std::pair(-0.1, 0.0)}) {
    (void)c.phi({x});
    EXPECT_EQ(c.by_adjoint({}, gradient).degenerate, 0);
    EXPECT_NEAR(gradient[0], slope, 1e-8);
  }
}

/// xi^2 is least at the bound xi >= 0 itself, so that bound never has a multiplier; it makes no
/// kink.
TEST_F(Hypergradients, TellKinksFromBoundsThatDoNotMatter) {
  Case c(test::support_vectors(), context_);
  (void)c.phi(c.x());
  Numbers gradient;
  const AdjointResult r = c.by_adjoint({}, gradient);
  EXPECT_GT(r.degenerate, 0);
  EXPECT_EQ(r.kinks, 0);
}

/// f does not depend on y2: y(x) is not unique, and that is said.
TEST_F(Hypergradients, ReportSingularSystems) {
  Case c({.nx = 1, .ny = 2, .F = "y1 + x1", .f = "(y1 - x1)^2", .start = {1.0, 0.0, 0.0}},
         context_);
  (void)c.phi({1.0});
  Numbers gradient;
  EXPECT_TRUE(c.by_adjoint({}, gradient).is_singular);
  EXPECT_NEAR(gradient[0], 2.0, 1e-8);  // F does not see y2, so the answer is right all the same
}

}  // namespace
}  // namespace bilevel_baselines
