#include <libsolve/core/errors.hpp>
#include <tests/support/stored_state.hpp>

#include "splitting_support.hpp"

namespace {

using namespace proximal_splitting;
using namespace proximal_splitting::test;
using libsolve::test::differenced_program;
using libsolve::test::MemoryState;
using libsolve::test::RecordingMonitor;
using Real = long double;
using X = std::span<const Real>;

std::unique_ptr<CompositeSolver> make(const std::string& name, double tolerance,
                                      std::int64_t max_iterations = 5000) {
  if (name == "fista") {
    FistaOptions o;
    o.tolerance = tolerance;
    o.max_iterations = max_iterations;
    return std::make_unique<Fista>(o, context());
  }
  AdmmOptions o;
  o.tolerance = tolerance;
  o.max_iterations = max_iterations;
  return std::make_unique<Admm>(o, context());
}

class Splitting : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Methods, Splitting, ::testing::Values("fista", "admm"),
                         [](const auto& info) { return std::string(info.param); });

/// f = 1/2 sum d_i (x_i - b_i)^2, R = |x|_1: x_i = sign(b_i) max(|b_i| - weight / d_i, 0).
TEST_P(Splitting, FindsTheLassoSolutionInClosedForm) {
  const std::vector<double> d = {1.0, 4.0, 0.5, 2.0, 9.0}, b = {1.0, -0.2, 0.3, -3.0, 0.05};
  const auto f = differenced_program({0.5, 0.5, 0.5, 0.5, 0.5}, [&](X x) {
    Real sum = 0;
    for (std::size_t i = 0; i < 5; ++i) sum += 0.5L * d[i] * (x[i] - b[i]) * (x[i] - b[i]);
    return sum;
  });
  const double weight = 0.4;
  const auto problem = with(*f, "soft-threshold", weight);
  const Report report = make(GetParam(), 1e-8)->solve(*problem, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  const auto x = problem->host_x();
  double objective = 0.0;
  for (std::size_t i = 0; i < 5; ++i) {
    const double expected = std::copysign(std::max(0.0, std::abs(b[i]) - weight / d[i]), b[i]);
    EXPECT_NEAR(x[i], expected, 1e-7);
    objective += 0.5 * d[i] * std::pow(expected - b[i], 2) + weight * std::abs(expected);
  }
  EXPECT_NEAR(report.value("objective"), objective, 1e-7);
  EXPECT_NEAR(report.value("regularizer"), objective - report.value("smooth_objective"), 1e-7);
}

/// g = A^T (A x - b): |g_i| <= weight, and g_i = -weight sign(x_i) where x_i is not 0.
TEST_P(Splitting, FulfilsTheConditionsOfTheLasso) {
  const auto f = least_squares(40, 60);
  const double weight = 0.2;
  const auto problem = with(*f, "soft-threshold", weight);
  const Report report = make(GetParam(), 1e-8)->solve(*problem, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  const auto x = problem->host_x();
  std::vector<double> g(x.size());
  HostAccess(f->functions()).gradient(x, g);
  std::size_t zeros = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i] == 0.0) {
      ++zeros;
      EXPECT_LE(std::abs(g[i]), weight + 1e-7);
    } else {
      EXPECT_NEAR(g[i], -std::copysign(weight, x[i]), 1e-7);
    }
  }
  EXPECT_GT(zeros, 20u);  // the solution is sparse, and so are the iterates of both
  EXPECT_LE(measure(*problem, "kkt_residual"), 1e-8);
}

/// R = 0, bounds by projection: for 1/2 |x - b|^2 the clipped b, with the program's own KKT residual.
TEST_P(Splitting, KeepsBoundsWithoutARegularizer) {
  const auto problem = differenced_program(
      {0.5, 0.5, 0.5},
      [](X x) {
        return 0.5L * ((x[0] - 2) * (x[0] - 2) + 3 * (x[1] + 1) * (x[1] + 1) + (x[2] - 0.25L) * (x[2] - 0.25L));
      },
      {}, {{0.0, 0.0, 0.0}, {1.0, 1.0, 1.0}});
  const Report report = make(GetParam(), 1e-8)->solve(*problem, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  const auto x = problem->host_x();
  EXPECT_EQ(x[0], 1.0);
  EXPECT_EQ(x[1], 0.0);
  EXPECT_NEAR(x[2], 0.25, 1e-7);
  EXPECT_LE(problem->kkt_residual().largest(), 1e-7);
}

/// Bounds and regulariser: for a separable f each entry is the clipped lasso solution.
TEST_P(Splitting, KeepsBoundsWithARegularizer) {
  const auto f = differenced_program(
      {0.5, 0.5, 0.5},
      [](X x) {
        return 0.5L * ((x[0] - 2) * (x[0] - 2) + (x[1] + 1) * (x[1] + 1) + (x[2] - 0.5L) * (x[2] - 0.5L));
      },
      {}, {{0.0, -0.5, 0.0}, {1.0, 1.0, 1.0}});
  const auto problem = with(*f, "soft-threshold", 0.1);
  EXPECT_TRUE(make(GetParam(), 1e-8)->solve(*problem, Monitor::none()).converged());
  EXPECT_NEAR(problem->host_x()[0], 1.0, 1e-8);
  EXPECT_NEAR(problem->host_x()[1], -0.5, 1e-8);
  EXPECT_NEAR(problem->host_x()[2], 0.4, 1e-7);
}

/// f = x0^4 / 4 - x0^2 / 2 + x1^2: not convex; with 0.1 |x|_1 the stationary points have x1 = 0 and
/// x0^3 - x0 = -0.1 sign(x0), or x0 = 0.
TEST_P(Splitting, EndsAtAStationaryPointOfANonconvexProgram) {
  const auto f = differenced_program({0.6, 1.0}, [](X x) {
    return x[0] * x[0] * x[0] * x[0] / 4 - x[0] * x[0] / 2 + x[1] * x[1];
  });
  const auto problem = with(*f, "soft-threshold", 0.1);
  const Report report = make(GetParam(), 1e-7)->solve(*problem, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  const double x0 = problem->host_x()[0];
  EXPECT_NEAR(x0 * x0 * x0 - x0, -0.1, 1e-6);
  EXPECT_GT(x0, 0.8);
  EXPECT_NEAR(problem->host_x()[1], 0.0, 1e-7);
}

TEST_P(Splitting, SaysWhyItStops) {
  const auto limited = with(*least_squares(40, 60), "soft-threshold", 0.2);
  const Report few = make(GetParam(), 1e-10, 3)->solve(*limited, Monitor::none());
  EXPECT_EQ(few.status, Status::max_iterations);
  EXPECT_EQ(few.iterations, 3);
  const auto late = with(*least_squares(40, 60), "soft-threshold", 0.2);
  RecordingMonitor stop(2, Verdict::time_limit);
  EXPECT_EQ(make(GetParam(), 1e-10)->solve(*late, stop).status, Status::time_limit);
  EXPECT_EQ(stop.iterations, (std::vector<std::int64_t>{0, 1, 2}));
  EXPECT_EQ(stop.names.front(), "kkt_residual");
  const auto broken = differenced_program({-1.0}, [](X x) { return std::log(x[0]); });
  EXPECT_EQ(make(GetParam(), 1e-6)->solve(*broken, Monitor::none()).status, Status::non_finite);
  const auto constrained =
      differenced_program({1.0}, [](X x) { return x[0] * x[0]; }, {[](X x) { return x[0] - 1; }});
  EXPECT_THROW((void)make(GetParam(), 1e-6)->solve(*constrained, Monitor::none()), Unsupported);
}

/// Stopped and taken up by another object, it comes to the same digits.
TEST_P(Splitting, ResumesToTheSameDigits) {
  for (const bool is_regularised : {true, false}) {
    const auto program = [&] {
      auto f = least_squares(60, 40, 3.0);
      return is_regularised ? with(*f, "soft-threshold", 0.05) : std::move(f);
    };
    const auto whole = program();
    const Report straight = make(GetParam(), 1e-7)->solve(*whole, Monitor::none());
    ASSERT_TRUE(straight.converged()) << straight.reason;
    ASSERT_GT(straight.iterations, 8);
    for (const std::int64_t at : {std::int64_t{1}, std::int64_t{7}, straight.iterations - 2,
                                  straight.iterations - 1}) {
      const auto halves = program();
      const auto first = make(GetParam(), 1e-7);
      RecordingMonitor stop(at, Verdict::interrupted);
      ASSERT_EQ(first->solve(*halves, stop).status, Status::interrupted);
      const MemoryState state(dynamic_cast<Resumable&>(*first).state());
      const auto second = make(GetParam(), 1e-7);
      dynamic_cast<Resumable&>(*second).restore(state, *halves);
      RecordingMonitor monitor;
      const Report report = second->solve(*halves, monitor);
      EXPECT_EQ(report.status, Status::converged) << report.reason;
      EXPECT_EQ(monitor.iterations.front(), at);
      EXPECT_EQ(report.iterations, straight.iterations) << at;
      EXPECT_EQ(halves->host_x(), whole->host_x()) << at;
      EXPECT_TRUE(dynamic_cast<Resumable&>(*second).state().empty());
      EXPECT_THROW(dynamic_cast<Resumable&>(*second).restore(
                       MemoryState({numbers_field("position", {1.0}, "")}), *halves),
                   DataError);
    }
  }
}

/// f is flat at the start, where its curvature is 1e-8, and bent elsewhere: steps measured with that alone
/// would end at a bound from wherever they start.
TEST_P(Splitting, FlatStartsAreNotTheEnd) {
  const auto log_cosh = [](Real t) { return std::log(std::cosh(t)); };
  const auto f = differenced_program(
      {0.0, 0.0},
      [&](X x) { return log_cosh(x[0] + x[1] - 10) + log_cosh(x[0] - x[1] / 2 - 10); }, {},
      {{-5.0, -5.0}, {6.0, 100.0}});
  const auto problem = with(*f, "soft-threshold", 1e-9);
  const Report report = make(GetParam(), 1e-6)->solve(*problem, Monitor::none());
  ASSERT_TRUE(report.converged()) << report.reason;
  // At x0 = 6: tanh(x1 - 4) = tanh(-4 - x1/2) / 2.
  EXPECT_NEAR(problem->host_x()[0], 6.0, 1e-6);
  const double x1 = problem->host_x()[1];
  EXPECT_NEAR(std::tanh(x1 - 4.0), 0.5 * std::tanh(-4.0 - 0.5 * x1), 1e-5);
}

TEST(SplittingMethods, AgreeOnTheOptimum) {
  const auto a = with(*least_squares(50, 30, 10.0), "soft-threshold", 0.1);
  const auto b = with(*least_squares(50, 30, 10.0), "soft-threshold", 0.1);
  ASSERT_TRUE(make("fista", 1e-9)->solve(*a, Monitor::none()).converged());
  ASSERT_TRUE(make("admm", 1e-9)->solve(*b, Monitor::none()).converged());
  const auto x = a->host_x(), y = b->host_x();
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(x[i], y[i], 1e-6);
  EXPECT_NEAR(measure(*a, "objective"), measure(*b, "objective"), 1e-12);
}

/// A method that does not know R must not solve for f alone.
TEST(SplittingMethods, OthersRefuseRegularizers) {
  const auto problem = with(*least_squares(10, 5), "soft-threshold", 0.1);
  const auto newton = context().make<ProgramSolver>("newton-cg");
  EXPECT_THROW((void)newton->solve(static_cast<Problem&>(*problem), Monitor::none()), Unsupported);
  EXPECT_THROW((void)with(*problem, "soft-threshold", 0.1), Unsupported);
  EXPECT_THROW((void)with(*least_squares(10, 5), "total-variation", 0.1), Unsupported);
  EXPECT_THROW((void)with(*least_squares(10, 5), "soft-threshold", 0.0), DataError);
}

TEST(Fista, SaysThatTheObjectiveFallsWithoutEnd) {
  const auto falling = differenced_program({1.0}, [](X x) { return -x[0] * x[0]; });
  EXPECT_EQ(make("fista", 1e-6)->solve(*falling, Monitor::none()).status, Status::unbounded);
}

/// Beck, Teboulle 2009, theorem 4.4: F(x_k) - F* <= 2 growth L |x_0 - x*|^2 / (k + 1)^2. With restarts F
/// does not rise; how many steps they save (a tenth here, give or take half) is left open.
TEST(Fista, ConvergesAtItsRate) {
  class Objectives final : public Monitor {
   public:
    Verdict observe(std::int64_t, std::span<const Sample> samples) override {
      values.push_back(samples[1].value);
      L = samples[2].value;
      return Verdict::proceed;
    }
    std::vector<double> values;
    double L = 0.0;
  };
  const auto best = with(*least_squares(60, 40, 30.0), "soft-threshold", 1e-3);
  FistaOptions options;
  options.tolerance = 1e-9;
  options.max_iterations = 20000;
  Objectives restarted;
  const Report with_restarts = Fista(options, context()).solve(*best, restarted);
  ASSERT_TRUE(with_restarts.converged()) << with_restarts.reason;
  const double minimum = measure(*best, "objective");
  const auto problem = with(*least_squares(60, 40, 30.0), "soft-threshold", 1e-3);
  options.restart = false;
  Objectives plain;
  const Report without = Fista(options, context()).solve(*problem, plain);
  double square = 0.0;
  for (const double v : best->host_x()) square += v * v;  // from 0
  for (std::size_t k = 1; k < plain.values.size(); ++k)
    ASSERT_LE(plain.values[k] - minimum, 2.0 * plain.L * square / std::pow(k + 1.0, 2) + 1e-12) << k;
  ASSERT_TRUE(without.converged()) << without.reason;
  EXPECT_GT(with_restarts.value("restarts"), 0.0);
  for (std::size_t k = 1; k < restarted.values.size(); ++k)
    ASSERT_LE(restarted.values[k], restarted.values[k - 1] + 1e-13);  // monotone
}

}  // namespace
