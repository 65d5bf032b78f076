#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <libsolve/core/errors.hpp>
#include <libsolve/optimize/derivative_check.hpp>
#include <libsolve/pde/adjoint_test.hpp>
#include <libsolve/pde/evolution_test.hpp>
#include <numbers>
#include <tests/support/temporary_folder.hpp>
#include <tests/support/vectors.hpp>

#include "../target_in_time.hpp"
#include "parabolic_control_support.hpp"

namespace {

using namespace parabolic_control;
using namespace parabolic_control::test;
using libsolve::test::to_host;

constexpr double pi = std::numbers::pi;

ParabolicControlOptions options_of(int dimension, int size, int steps) {
  ParabolicControlOptions o;
  o.dimension = dimension;
  o.size = size;
  o.steps = steps;
  return o;
}

TEST(ParabolicControl, FunctionsFitTogether) {
  for (const int dimension : {1, 2, 3})
    for (const char* scheme : {"crank-nicolson", "implicit-euler"})
      for (const char* tracking : {"all", "final", "both"}) {
        ParabolicControlOptions o = options_of(dimension, dimension == 3 ? 4 : 7, 3);
        o.scheme = scheme;
        o.tracking = tracking;
        o.target = "t*sin(3*x)+exp(t)";
        o.final_target = "x";
        const auto problem = make(o);
        Evolution& evolution = evolution_of(*problem);
        const auto defects = evolution_defects(evolution, random_parameter(evolution, 1), 2);
        EXPECT_LT(defects.largest(), 1e-8) << defects.text();
      }
}

TEST(ParabolicControl, DerivativesAreExact) {
  for (const char* formulation : {"reduced", "full"})
    for (const char* tracking : {"all", "final"}) {
      ParabolicControlOptions o = options_of(2, 5, 3);
      o.form.formulation = formulation;
      o.tracking = tracking;
      const auto problem = make(o);
      ASSERT_TRUE(problem->functions().has_entries());
      const DerivativeCheck check = check_derivatives(*problem, {.num_points = 1, .max_columns = 12});
      EXPECT_TRUE(check.passed() && check.checked_any()) << formulation << " " << tracking;
      fill_uniform(problem->x(), RandomStream(2, "x"));
      const ProgramAdjointGaps gaps = adjoint_gaps(problem->functions(), problem->x(), 3);
      EXPECT_LT(gaps.hessian, 1e-11);
      EXPECT_LT(gaps.jacobian, 1e-13);
    }
}

/// Largest error of u_n against the closed form at the middle of its step, over the largest u.
double control_error(const ParabolicControlOptions& o) {
  const auto problem = make(o);
  const Report report = solve(*problem, newton_cg(1e-10));
  EXPECT_TRUE(report.converged()) << report.reason;
  const SineSolution sine{o.axes(), o.final_time, o.control_cost};
  const auto u = problem->host_x();
  const int side = o.cells() - 1, nodes = static_cast<int>(u.size()) / o.num_steps();
  double error = 0.0, largest = 0.0;
  for (int n = 0; n < o.num_steps(); ++n)
    for (int c = 0; c < nodes; ++c) {
      double phi = 1.0;
      for (int a = 0, rest = c; a < o.axes(); ++a, rest /= side)
        phi *= std::sin(pi * (rest % side + 1) / o.cells());
      const double t = o.final_time * (n + (o.scheme == "crank-nicolson" ? 0.5 : 1.0)) / o.num_steps();
      const double exact = sine.control(t) * phi;
      const std::size_t at = static_cast<std::size_t>(n) * static_cast<std::size_t>(nodes) +
                             static_cast<std::size_t>(c);
      error = std::max(error, std::abs(u[at] - exact));
      largest = std::max(largest, std::abs(exact));
    }
  return error / largest;
}

/// Halving h and dt quarters the error of the control of the manufactured optimum.
TEST(ParabolicControl, IsOfSecondOrderInSpaceAndTime) {
  for (const char* tracking : {"all", "both"})
    for (const int dimension : {1, 2}) {
      if (dimension == 2 && tracking == std::string("both")) continue;  // at 64 x 64 only
      const auto error = [&](int n) {
        ParabolicControlOptions o = options_of(dimension, n, n);
        o.tracking = tracking;
        o.final_time = 0.5;
        return control_error(o);
      };
      const int n = dimension == 1 ? 32 : 16;
      const double coarse = error(n), fine = error(2 * n);
      EXPECT_NEAR(std::log2(coarse / fine), 2.0, 0.1) << coarse << " " << fine;
      EXPECT_LT(fine, 0.02);
    }
}

TEST(ParabolicControl, ImplicitEulerIsOfFirstOrderInTime) {
  const auto error = [](int steps) {
    ParabolicControlOptions o = options_of(1, 128, steps);
    o.scheme = "implicit-euler";
    o.final_time = 0.5;
    return control_error(o);
  };
  EXPECT_NEAR(std::log2(error(128) / error(256)), 1.0, 0.1);
}

/// Tracking at T alone from y(0) = 0 for y_T = phi: with P = -kappa / (1 + kappa gamma), gamma = (1 -
/// e^{-2 lambda T}) / (2 alpha lambda), p = P e^{-lambda (T - t)} phi and u = -p / alpha.
TEST(ParabolicControl, ReachesAFinalTargetAsFarAsItPays) {
  ParabolicControlOptions o = options_of(1, 64, 64);
  o.tracking = "final";
  o.final_time = 0.1;
  o.final_target = "sin(pi*x)";
  o.control_cost = 1e-2;
  const auto problem = make(o);
  ASSERT_TRUE(solve(*problem, newton_cg(1e-10)).converged());
  const double lambda = pi * pi, T = o.final_time, alpha = o.control_cost;
  const double gamma = (1.0 - std::exp(-2.0 * lambda * T)) / (2.0 * alpha * lambda);
  const double P = -1.0 / (1.0 + gamma);
  const auto u = problem->host_x();
  for (const int n : {0, 31, 63}) {
    const double t = T * (n + 0.5) / 64.0;
    const double exact = -P * std::exp(-lambda * (T - t)) / alpha;
    EXPECT_NEAR(u[static_cast<std::size_t>(63 * n + 31)], exact, 1e-3 * exact);
  }
  // The states are not looked at on the way back: none are kept.
  const auto& reduced = dynamic_cast<ReducedEvolution&>(problem->functions());
  EXPECT_EQ(reduced.sweeps().schedule().num_slots, 0);
}

/// All forms and methods find one minimum.
TEST(ParabolicControl, TheFullProblemHasTheSameMinimum) {
  ParabolicControlOptions o = options_of(2, 6, 4);
  o.tracking = "both";
  const auto reduced = make(o);
  ASSERT_TRUE(solve(*reduced, newton_cg(1e-11)).converged());
  const double minimum = objective(*reduced);
  EXPECT_LT(reduced->kkt_residual().largest(), 1e-8);
  o.form.formulation = "full";
  for (const char* method : {"ipopt", "sketch-newton"}) {
    if (registry().find(ProgramSolver::kind, method) == nullptr) continue;
    const auto full = make(o);
    const Report report = solve(*full, method);
    EXPECT_TRUE(report.converged()) << method << ": " << report.reason;
    EXPECT_NEAR(objective(*full), minimum, 1e-8 * minimum) << method;
    EXPECT_LT(full->kkt_residual().largest(), 1e-6) << method;
    // m is what follows the states in x.
    const auto x = full->host_x(), m = reduced->host_x();
    for (std::size_t i = 0; i < m.size(); ++i)
      EXPECT_NEAR(x[x.size() - m.size() + i], m[i], 1e-4) << method;
  }
}

TEST(ParabolicControl, KeepsTheControlWithinItsBounds) {
  ParabolicControlOptions o = options_of(1, 12, 8);
  o.control_lower = -1.0;
  o.control_upper = 5.0;
  if (registry().find(ProgramSolver::kind, "ipopt") == nullptr) GTEST_SKIP() << "built without ipopt";
  // The bounds' multipliers have the size of w dt alpha: Ipopt goes on until they count.
  ComponentSpec ipopt("ipopt");
  ipopt.options.set("tol", Value(1e-12));
  std::vector<double> minima;
  for (const char* formulation : {"reduced", "full"}) {
    o.form.formulation = formulation;
    const auto problem = make(o);
    const Report report = solve(*problem, ipopt);
    EXPECT_TRUE(report.converged()) << report.reason;
    EXPECT_LT(problem->kkt_residual().largest(), 1e-6);
    const auto x = problem->host_x();
    const auto controls = x.end() - 11 * 8;
    EXPECT_NEAR(*std::max_element(controls, x.end()), 5.0, 1e-6);
    EXPECT_GE(*std::min_element(controls, x.end()), -1.0 - 1e-8);
    minima.push_back(objective(*problem));
  }
  EXPECT_NEAR(minima[0], minima[1], 1e-7 * minima[0]);
}

TEST(ParabolicControl, CheckpointsChangeNothingButTheSteps) {
  ParabolicControlOptions o = options_of(2, 9, 16);
  const libsolve::test::TemporaryFolder folder;
  std::vector<double> expected;
  for (const char* checkpoints : {"auto", "sqrt", "binomial"})
    for (const bool in_files : {false, true}) {
      o.form.checkpoints = checkpoints;
      o.form.slots = 3;
      o.form.checkpoint_folder = in_files ? folder.path() : "";
      const auto problem = make(o);
      fill_uniform(problem->x(), RandomStream(2, "x"));
      const Vector g = problem->x().like("g");
      problem->functions().gradient(problem->x().view(), g.view());
      if (expected.empty()) expected = to_host(g);
      const auto found = to_host(g);
      for (std::size_t i = 0; i < found.size(); ++i)
        EXPECT_NEAR(found[i], expected[i], 1e-10) << checkpoints;
      const auto& counts = dynamic_cast<SolvesInside&>(problem->functions());
      EXPECT_EQ(counts.solve_counts().adjoint, 16);
      EXPECT_LE(counts.solve_counts().state, 16 * 3);
      EXPECT_EQ(std::filesystem::is_empty(folder.path()), !in_files);
    }
}

TEST(ParabolicControl, ShowsStatesControlsAdjointsAndTargets) {
  ParabolicControlOptions o = options_of(2, 8, 8);
  o.pictures = 2;
  const auto problem = make(o);
  ASSERT_TRUE(solve(*problem, newton_cg(1e-12)).converged());
  std::map<std::string, Vector> fields;
  for (const Field& f : problem->solution())
    if (f.grid) {
      EXPECT_EQ(f.grid->cells[0], 7);
      fields[f.name] = f.values;
    }
  for (const char* name : {"state", "control", "adjoint", "target"})
    for (const char* step : {"_4", "_8"})
      EXPECT_EQ(fields.count(name + std::string(step)), 1U) << name << step;
  // alpha u = -p at the optimum.
  const Vector sum = fields["adjoint_4"].like("sum");
  linear_combination(1.0, fields["adjoint_4"], o.control_cost, fields["control_4"], sum);
  EXPECT_LT(norm_max(sum), 1e-8 * norm_max(fields["control_4"]));
}

/// What was shown before a solve is work that the solve need not do again: the counts do not change.
TEST(ParabolicControl, CountsAreThoseOfAllRuns) {
  for (const bool is_shown : {false, true}) {
    const auto problem = make(options_of(2, 8, 8));
    if (is_shown) (void)problem->solution();
    const Report report = solve(*problem, newton_cg(1e-10));
    ASSERT_TRUE(report.converged()) << report.reason;
    EXPECT_EQ(report.value("state_solves"), 8.0 * report.value("objective_evaluations"));
    EXPECT_EQ(report.value("adjoint_solves"), 8.0 * report.value("gradient_evaluations"));
    EXPECT_GT(report.value("krylov_iterations"), report.value("state_solves"));
    EXPECT_GT(report.value("setups"), 0.0);
  }
}

/// Entries of the gradient of the integral have the weight h^D dt: 1e-4 here.
TEST(ParabolicControl, WeightsDoNotChangeHowFarItIsSolved) {
  std::vector<double> minimum[2];
  for (const bool is_integral : {false, true}) {
    ParabolicControlOptions o = options_of(2, 16, 16);
    o.weight = is_integral ? "integral" : "nodes";
    const auto problem = make(o);
    const Report report = solve(*problem, newton_cg(1e-4));
    ASSERT_TRUE(report.converged()) << report.reason;
    EXPECT_GT(report.iterations, 0);
    minimum[is_integral ? 1 : 0] = problem->host_x();
  }
  double largest = 0.0, difference = 0.0;
  for (std::size_t i = 0; i < minimum[0].size(); ++i) {
    largest = std::max(largest, std::abs(minimum[0][i]));
    difference = std::max(difference, std::abs(minimum[0][i] - minimum[1][i]));
  }
  EXPECT_LT(difference, 1e-4 * largest);
}

TEST(ParabolicControl, UnsolvedStepsGiveNaN) {
  ParabolicControlOptions o = options_of(2, 16, 3);
  o.solver.options.set("max_iterations", Value(std::int64_t{1}));
  o.solver.options.set("preconditioner", Value("none"));
  const auto problem = make(o);
  fill_uniform(problem->x(), RandomStream(2, "x"));
  EXPECT_TRUE(std::isnan(objective(*problem)));
  const Report report = solve(*problem, newton_cg(1e-8));
  EXPECT_EQ(report.status, Status::non_finite);
  EXPECT_NE(report.reason.find("the system of a time step was not solved"), std::string::npos)
      << report.reason;
}

TEST(ParabolicControl, RefusesBadOptions) {
  const auto fault_of = [](const ParabolicControlOptions& o) {
    Diagnostics problems;
    ParabolicControlOptions::check(o, "problem.", {}, problems);
    try {
      problems.throw_if_any();
    } catch (const InputError& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  ParabolicControlOptions o;
  EXPECT_EQ(fault_of(o), "");
  o.target = "sin(x*t";
  EXPECT_NE(fault_of(o).find("problem.target"), std::string::npos) << fault_of(o);
  o = {};
  o.form.checkpoints = "none";
  EXPECT_NE(fault_of(o).find("checkpoints"), std::string::npos);
  o.tracking = "final";
  EXPECT_EQ(fault_of(o), "");
  o.control_lower = 1.0;
  o.control_upper = 0.0;
  EXPECT_NE(fault_of(o).find("control_upper"), std::string::npos);
  o = {};
  o.control = "conductivity";
  EXPECT_EQ(fault_of(o), "");
  o.points = {0.1, 0.2, 1.3, 0.4};
  EXPECT_NE(fault_of(o).find("points"), std::string::npos);
  o = {};
  o.control = "conductivity";
  o.size = 4;  // no centre of a cell where the heat is
  EXPECT_NE(fault_of(o).find("problem.size"), std::string::npos) << fault_of(o);
  o.size = 5;
  EXPECT_EQ(fault_of(o), "");
  o = {};
  o.control = "conductivity";
  o.num_samples = 9;
  EXPECT_NE(fault_of(o).find("num_samples"), std::string::npos);
  o.num_samples = 8;
  o.dimension = 1;
  EXPECT_NE(fault_of(o).find("dimension"), std::string::npos);
}

}  // namespace
