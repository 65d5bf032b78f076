#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/optimize/derivative_check.hpp>
#include <libsolve/plugin/loader.hpp>
#include <tests/support/monitors.hpp>

#include "support.hpp"

namespace hard_constraint_experts::test {
namespace {

TEST(DiffusionSorption, DerivativesAreExact) {
  const auto problem = make(options_of(small_grid(6, 4)));
  const DerivativeCheck check = check_derivatives(*problem, {.num_points = 3, .max_columns = 20});
  EXPECT_TRUE(check.passed());
  EXPECT_TRUE(check.checked_any());
}

/// Below 0 mass goes on with the slope that it has at 0.
TEST(Sorption, MassIsTheIntegralOfTheRetardation) {
  const Sorption law;
  for (const double u : {-0.3, -1e-3, 1e-3, 0.01, 0.2, 1.0}) {
    const double h = 1e-5 * std::abs(u);
    EXPECT_NEAR((law.mass(u + h) - law.mass(u - h)) / (2 * h), law.retardation(u), 1e-6) << u;
    if (u > 0.0) {
      EXPECT_NEAR((law.retardation(u + h) - law.retardation(u - h)) / (2 * h),
                  law.retardation_slope(u), 1e-6 * std::abs(law.retardation_slope(u)));
    }
  }
  // (1 - 0.29) / 0.29 * 2880 * 3.5e-4 * 0.874 + 1, by hand
  EXPECT_NEAR(law.retardation(1.0), 3.15692, 1e-4);
}

/// What a step leaves behind is what flowed in, but for the tolerance of the steps.
TEST(DiffusionSorption, ConservesMass) {
  const SorptionGrid g = small_grid(20, 15);
  const std::vector<double> u = stepped(g);
  double stored = 0.0, flowed = 0.0;
  for (int i = 1; i < g.size; ++i)
    stored += g.law.mass(u[g.at(g.steps, i)]) - g.law.mass(g.initial);
  for (int n = 1; n <= g.steps; ++n) {
    const double first = u[g.at(n, 1)], last = u[g.at(n, g.size - 1)];
    flowed += g.coupling() * ((1.0 - first) - last * (1.0 - g.outflow()));
  }
  EXPECT_NEAR(stored, flowed, 1e-11);
  EXPECT_GT(std::abs(stored), 0.1);
}

/// Without sorption and from 0, long before the front is at the other end: u = erfc(x / (2 sqrt(D
/// T))). The error is of order dt + h^2.
TEST(DiffusionSorption, TendsToTheSolutionOfTheHeatEquation) {
  const auto error = [](int size, int steps) {
    SorptionGrid g;
    g.law.freundlich = 0.0;
    g.final_time = 20.0;
    g.initial = 0.0;
    g.size = size;
    g.steps = steps;
    const std::vector<double> u = stepped(g);
    double most = 0.0;
    for (int i = 1; i < size; ++i) {
      const double x = i * g.width(),
                   exact = std::erfc(x / (2.0 * std::sqrt(g.law.diffusivity * g.final_time)));
      most = std::max(most, std::abs(u[g.at(steps, i)] - exact));
    }
    return most;
  };
  const double coarse = error(40, 50), fine = error(80, 200), finest = error(160, 800);
  EXPECT_NEAR(std::log2(coarse / fine), 2.0, 0.1);
  EXPECT_NEAR(std::log2(fine / finest), 2.0, 0.1);
}

/// The program knows nothing of time; any solver of programs has to find what stepping finds.
TEST(DiffusionSorption, IpoptFindsTheSame) {
  Registry registry;
  load_plugins(registry, {.files = {}, .path = "", .installed_folder = std::nullopt});
  if (registry.find(ProgramSolver::kind, "ipopt") == nullptr) GTEST_SKIP() << "no plugin ipopt";
  Context context;
  context.registry = &registry;
  const SorptionGrid g = small_grid();
  const auto problem = make(options_of(g));
  const Report report =
      context.make<ProgramSolver>(ComponentSpec("ipopt"))->solve(*problem, Monitor::none());
  EXPECT_TRUE(report.converged()) << report.reason;
  EXPECT_LT(problem->kkt_residual().largest(), 1e-8);
  EXPECT_LT(relative_difference(problem->host_x(), stepped(g)), 1e-7);
}

Report step(NonlinearProgram& problem, const ImplicitTimeSteppingOptions& options = {},
            Monitor& monitor = Monitor::none()) {
  return ImplicitTimeStepping(options, Context{}).solve(problem, monitor);
}

double recomputed(const SorptionGrid& g, const std::vector<double>& u) {
  std::vector<double> c(u.size());
  residual(g, u.data(), c.data());
  double most = 0.0;
  for (const double v : c) most = std::max(most, std::abs(v));
  return most;
}

TEST(ImplicitTimeStepping, SolvesAllTimes) {
  const SorptionGrid g = small_grid();
  const auto problem = make(options_of(g));
  const Report report = step(*problem);
  EXPECT_TRUE(report.converged()) << report.reason;
  EXPECT_EQ(report.iterations, g.steps);
  EXPECT_LE(recomputed(g, problem->host_x()), 1e-10);
  EXPECT_LT(relative_difference(problem->host_x(), stepped(g)), 1e-10);
  // From there, nothing is left to do.
  const Report again = step(*problem);
  EXPECT_TRUE(again.converged()) << again.reason;
  EXPECT_EQ(again.value("newton_steps"), 0.0);
}

/// On fine grids r times the rounding of u is above any fixed tolerance; what is left of Newton's
/// step is the error.
TEST(ImplicitTimeStepping, SolvesFineGridsToRounding) {
  for (const int size : {2000, 10000, 100000}) {
    SorptionGrid g = small_grid(size, 4);
    const auto problem = make(options_of(g));
    const Report report = step(*problem, {.tolerance = 1e-14});
    EXPECT_EQ(report.status, Status::stagnated) << report.reason;
    EXPECT_NE(report.reason.find("rounding"), std::string::npos) << report.reason;
    EXPECT_EQ(report.iterations, g.steps);
    const std::vector<double> u = problem->host_x();
    const double left = recomputed(g, u);
    EXPECT_GT(left, 1e-14);
    EXPECT_LE(left, rounding_level(g, u.data(), u.size()));
    EXPECT_NEAR(report.value("kkt_residual"), left, 1e-12 * left);
    EXPECT_LT(relative_newton_step(g, u), 1e-3 * g.width());
    // A tolerance above rounding is met.
    const auto other = make(options_of(g));
    EXPECT_TRUE(
        step(*other, {.tolerance = 2.0 * rounding_level(g, u.data(), u.size())}).converged());
  }
  const auto problem = make(options_of(small_grid(64, 50)));
  const Report report = step(*problem, {.tolerance = 1e-16});
  EXPECT_EQ(report.status, Status::stagnated) << report.reason;
  EXPECT_LT(report.value("kkt_residual"), 1e-13);
}

TEST(ImplicitTimeStepping, SaysWhichTimeItDidNotSolve) {
  const SorptionGrid g = small_grid();
  const auto problem = make(options_of(g));
  const Report report = step(*problem, {.newton_steps = 1});
  EXPECT_EQ(report.status, Status::max_iterations);
  EXPECT_EQ(report.iterations, 0);
  EXPECT_EQ(report.value("newton_steps"), 1.0);
  EXPECT_NE(report.reason.find("time step 1 of 8 was not solved"), std::string::npos)
      << report.reason;
  EXPECT_EQ(problem->host_x(), std::vector<double>(g.unknowns(), 0.4));
  EXPECT_NEAR(report.value("kkt_residual"), recomputed(g, problem->host_x()), 1e-12);
}

/// From the fourth time on the equations overflow.
TEST(ImplicitTimeStepping, KeepsTheTimesBeforeTheOneItDidNotSolve) {
  SorptionGrid g = small_grid();
  const std::vector<double> expected = stepped(g);
  std::vector<double> u(g.unknowns(), 9.0);
  const TimeStepping done =
      step_through_time(g, {.tolerance = 1e-12}, u.data(), [&](int n, double, const double*) {
        if (n == 3) g.law.diffusivity = 1e306;
        return Verdict::proceed;
      });
  EXPECT_TRUE(done.failed);
  EXPECT_EQ(done.times, 3);
  EXPECT_FALSE(std::isfinite(done.residual));
  for (int n = 1; n <= g.steps; ++n)
    for (int i = 1; i < g.size; ++i)
      EXPECT_NEAR(u[g.at(n, i)], n <= 3 ? expected[g.at(n, i)] : 9.0, 1e-11) << n << " " << i;
}

TEST(ImplicitTimeStepping, SaysWhatOverflows) {
  DiffusionSorptionOptions o = options_of(small_grid());
  o.diffusivity = 1e306;
  const auto problem = make(o);
  const Report report = step(*problem);
  EXPECT_EQ(report.status, Status::non_finite) << report.reason;
  EXPECT_NE(report.reason.find("time step 1 of 8"), std::string::npos) << report.reason;
  EXPECT_EQ(problem->host_x(), std::vector<double>(problem->host_x().size(), 0.4));
}

/// Each time step is told of, with the residual of what there is then; the times solved stay.
TEST(ImplicitTimeStepping, StopsWhereTheMonitorSays) {
  const SorptionGrid g = small_grid();
  const std::vector<double> expected = stepped(g);
  for (const int stop : {0, 1, 3}) {
    const auto problem = make(options_of(g));
    libsolve::test::RecordingMonitor monitor(stop, Verdict::interrupted);
    const Report report = step(*problem, {}, monitor);
    EXPECT_EQ(report.status, Status::interrupted);
    EXPECT_EQ(report.iterations, stop);
    ASSERT_EQ(monitor.iterations.size(), static_cast<std::size_t>(stop) + 1);
    const std::vector<double> u = problem->host_x();
    EXPECT_DOUBLE_EQ(monitor.first_values.back(), recomputed(g, u));
    for (int n = 1; n <= g.steps; ++n)
      for (int i = 1; i < g.size; ++i)
        EXPECT_NEAR(u[g.at(n, i)], n <= stop ? expected[g.at(n, i)] : 0.4, 1e-10) << n << " " << i;
  }
}

TEST(ImplicitTimeStepping, IsConvergedThoughTheMonitorSaysStopAtTheEnd) {
  const SorptionGrid g = small_grid();
  const auto problem = make(options_of(g));
  libsolve::test::RecordingMonitor monitor(g.steps, Verdict::time_limit);
  EXPECT_EQ(step(*problem, {}, monitor).status, Status::converged);
  EXPECT_LE(recomputed(g, problem->host_x()), 1e-10);
}

TEST(DiffusionSorption, TellsWhatIsWrong) {
  Value table;
  table.set("porosity", 1.0);
  table.set("sizes", 3);
  Diagnostics problems;
  (void)parse_options<DiffusionSorptionOptions>(table, "problem.", "source 'diffusion-sorption'",
                                                problems);
  try {
    problems.throw_if_any();
    FAIL();
  } catch (const InputError& e) {
    const std::string text = e.what();
    EXPECT_NE(text.find("problem.porosity"), std::string::npos) << text;
    EXPECT_NE(text.find("closest known option: 'size'"), std::string::npos) << text;
  }
  DiffusionSorptionOptions huge;
  huge.size = huge.steps = 100000;
  EXPECT_THROW((void)make(huge), Unsupported);
}

/// Boundary and initial values are in the field: u(0, t) = 1, and the outflow's.
TEST(DiffusionSorption, ShowsAllNodes) {
  const SorptionGrid g = small_grid();
  const auto problem = make(options_of(g));
  ASSERT_TRUE(ImplicitTimeStepping({}, Context{}).solve(*problem, Monitor::none()).converged());
  const auto fields = problem->solution();
  const auto field = std::find_if(fields.begin(), fields.end(),
                                  [](const Field& f) { return f.name == "concentration"; });
  ASSERT_NE(field, fields.end());
  const auto all = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), field->values.view());
  ASSERT_EQ(all.extent(0), g.num_nodes());
  EXPECT_EQ(all(node(g, 0, 5)), g.initial);
  EXPECT_EQ(all(node(g, 3, 0)), 1.0);
  EXPECT_EQ(all(node(g, 3, 5)), problem->host_x()[g.at(3, 5)]);
  // u(1) = -D (u(1) - u(1 - h)) / h
  const double last = all(node(g, 3, g.size)), before = all(node(g, 3, g.size - 1));
  EXPECT_NEAR(last, -g.law.diffusivity * (last - before) / g.width(), 1e-15);
}

}  // namespace
}  // namespace hard_constraint_experts::test
