#include <gtest/gtest.h>

#include <libsolve/core/errors.hpp>
#include <tests/support/monitors.hpp>
#include <tests/support/small_programs.hpp>
#include <thread>

#include "ipopt_solver.hpp"

namespace {

using namespace libsolve;
using ipopt::IpoptOptions;
using ipopt::IpoptSolver;

Report solve(NonlinearProgram& problem, const IpoptOptions& options = {},
             Monitor& monitor = Monitor::none()) {
  return IpoptSolver(options, {}).solve(problem, monitor);
}

TEST(Ipopt, SolvesHs71WithMultipliersInOurSigns) {
  NonlinearProgram problem = test::hs71();
  const Report report = solve(problem);
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  const double known[] = {1.0, 4.7429994, 3.8211503, 1.3794082};
  const std::vector<double> x = problem.host_x();
  for (std::size_t j = 0; j < 4; ++j) EXPECT_NEAR(x[j], known[j], 1e-6);
  EXPECT_NEAR(report.value("objective"), 17.0140173, 1e-6);
  // The Lagrangian's gradient by hand, with the signs of nonlinear_program.hpp.
  const std::vector<double> l = problem.host_multipliers(), z = problem.host_bound_multipliers();
  EXPECT_LT(l[0], -0.1);  // x1 x2 x3 x4 >= 25 is active
  EXPECT_LT(z[0], -0.1);  // x1 >= 1, too
  const double g1 = x[3] * (2.0 * x[0] + x[1] + x[2]);
  EXPECT_NEAR(g1 + l[0] * x[1] * x[2] * x[3] + l[1] * 2.0 * x[0] + z[0], 0.0, 1e-6);
  EXPECT_LE(problem.kkt_residual().largest(), 1e-6);
  EXPECT_DOUBLE_EQ(problem.kkt_residual().largest(), report.value("kkt_residual"));
  EXPECT_GT(report.iterations, 3);
  EXPECT_GE(report.value("hessian_evaluations"), 3);
  EXPECT_GT(report.value("solve"), 0.0);
  EXPECT_GE(report.value("memory_bytes"), 0.0);
}

TEST(Ipopt, SolvesEqualityProblems) {
  NonlinearProgram problem = test::nearest_on_circle();
  const Report report = solve(problem);
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_NEAR(problem.host_x()[0], 2.0 / std::sqrt(5.0), 1e-8);
  EXPECT_NEAR(problem.host_multipliers()[0], std::sqrt(5.0) - 1.0, 1e-7);
}

/// Ipopt takes fixed variables out; their multipliers come from stationarity.
TEST(Ipopt, FindsMultipliersOfFixedVariables) {
  NonlinearProgram problem = test::fixed_and_bounded();
  const Report report = solve(problem);
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  const double x[] = {3.0, 1.0, 5.0}, z[] = {-2.0, 1.0, 0.0};
  for (std::size_t j = 0; j < 3; ++j) {
    EXPECT_NEAR(problem.host_x()[j], x[j], 1e-7);
    EXPECT_NEAR(problem.host_bound_multipliers()[j], z[j], 1e-6);
  }
}

TEST(Ipopt, NamesInfeasibleUnboundedAndUndefinedProblems) {
  NonlinearProgram infeasible = test::infeasible_circle();
  const Report a = solve(infeasible);
  EXPECT_EQ(a.status, Status::infeasible) << a.reason;
  EXPECT_GT(infeasible.kkt_residual().constraint_violation, 0.5);
  NonlinearProgram unbounded = test::unbounded_line();
  const Report b = solve(unbounded);
  EXPECT_EQ(b.status, Status::unbounded) << b.reason;
  NonlinearProgram undefined = test::with_logarithm(-1.0);
  const Report c = solve(undefined);
  EXPECT_EQ(c.status, Status::non_finite) << c.reason;
  EXPECT_EQ(undefined.host_x()[0], -1.0);
  NonlinearProgram defined = test::with_logarithm(20.0);  // its first step goes beyond 0
  const Report d = solve(defined);
  EXPECT_EQ(d.status, Status::converged) << d.reason;
  EXPECT_NEAR(defined.host_x()[0], 1.0, 1e-7);
}

TEST(Ipopt, StopsAtTheIterationLimitAndWhenTold) {
  NonlinearProgram problem = test::hs71();
  EXPECT_EQ(solve(problem, {.max_iterations = 2}).status, Status::max_iterations);
  NonlinearProgram other = test::hs71();
  test::RecordingMonitor monitor(3, Verdict::time_limit);
  const Report report = solve(other, {}, monitor);
  EXPECT_EQ(report.status, Status::time_limit) << report.reason;
  EXPECT_EQ(report.iterations, 3);
  EXPECT_EQ(monitor.iterations.back(), 3);
  EXPECT_EQ(monitor.names.front(), "kkt_residual");
  EXPECT_NE(other.host_x()[1], 5.0);  // where it had got to
}

TEST(Ipopt, StartsWarmFromMultipliers) {
  NonlinearProgram problem = test::hs71();
  const std::int64_t cold = solve(problem).iterations;
  const Report warm = solve(problem);
  EXPECT_EQ(warm.status, Status::converged) << warm.reason;
  EXPECT_LE(warm.iterations, cold / 2);
  ASSERT_FALSE(warm.notes.empty());
  EXPECT_TRUE(solve(problem, {.warm_start = false}).notes.empty());
}

TEST(Ipopt, ApproximatesTheHessianWhereAsked) {
  NonlinearProgram problem = test::hs71();
  const Report report = solve(problem, {.hessian = "limited-memory"});
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_EQ(report.value("hessian_evaluations"), 0.0);
}

TEST(Ipopt, TakesItsOwnOptionsAndRefusesOthers) {
  NonlinearProgram problem = test::hs71();
  const Report report = solve(problem, {.options = {"mu_strategy adaptive", "bound_push 1e-3"}});
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  for (const char* wrong : {"mu_strateg adaptive", "mu_strategy sometimes", "bound_push -1"}) {
    try {
      (void)solve(problem, {.options = {wrong}});
      FAIL() << wrong << " was taken";
    } catch (const InputError& e) {
      EXPECT_NE(std::string(e.what()).find(wrong), std::string::npos) << e.what();
    }
  }
}

/// The recomputed residual decides, not what Ipopt says.
TEST(Ipopt, IsNotConvergedAboveTheTolerance) {
  NonlinearProgram problem = test::hs71();
  const Report report = solve(problem, {.tolerance = 1e-12, .tol = 1e-2});
  EXPECT_EQ(report.status, Status::stagnated) << report.reason;
  EXPECT_NE(report.reason.find("recomputed"), std::string::npos) << report.reason;
  EXPECT_EQ(report.value("ipopt_status"), 0.0);
}

TEST(Ipopt, PassesExceptionsOfTheFunctionsOn) {
  test::SmallProgram::Parts parts;
  parts.f = [](auto) -> double { throw IoError("the simulation is gone"); };
  NonlinearProgram problem(std::make_shared<test::SmallProgram>(1, 0, parts), test::free_bounds(1),
                           {}, {0.0});
  EXPECT_THROW((void)solve(problem), IoError);
}

struct ProductsOnly final : test::SmallProgram {
  using SmallProgram::SmallProgram;
  bool has_entries() const override { return false; }
};

TEST(Ipopt, RefusesProgramsWithoutEntries) {
  NonlinearProgram problem(std::make_shared<ProductsOnly>(1, 0, test::SmallProgram::Parts{}),
                           test::free_bounds(1), {}, {0.0});
  EXPECT_THROW((void)solve(problem), Unsupported);
}

/// Several at once: the same digits as one after the other.
TEST(Ipopt, SolvesSeveralProblemsAtOnce) {
  NonlinearProgram alone = test::hs71();
  (void)solve(alone);
  std::vector<NonlinearProgram> problems;
  for (int k = 0; k < 4; ++k) problems.push_back(test::hs71());
  {
    std::vector<std::jthread> threads;
    for (NonlinearProgram& problem : problems)
      threads.emplace_back([&problem] { (void)solve(problem); });
  }
  for (const NonlinearProgram& problem : problems) EXPECT_EQ(problem.host_x(), alone.host_x());
}

}  // namespace
