#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/optimize/derivative_check.hpp>
#include <libsolve/optimize/solve_counts.hpp>
#include <libsolve/pde/reduced_evolution.hpp>
#include <tests/support/vectors.hpp>

#include "advection_support.hpp"

namespace {

using namespace advection;
using advection::test::make;
using advection::test::objective;
using advection::test::solve;

AdvectionOptions small() {
  AdvectionOptions o;
  o.size = 6;
  o.steps = 4;
  o.velocity_cost = 1000.0;
  return o;
}

TEST(Advection, DerivativesAreExact) {
  for (const char* form : {"reduced", "full"}) {
    AdvectionOptions o = small();
    o.size = 4;
    o.steps = 3;
    o.final_time = 0.25;
    o.solver.options.set("relative_tolerance", Value(1e-14));
    o.form.formulation = form;
    const auto problem = make(o);
    const DerivativeCheck check = check_derivatives(*problem, {.num_points = 1, .max_columns = 20});
    EXPECT_TRUE(check.passed()) << form;
    EXPECT_TRUE(check.checked_any());
  }
}

TEST(Advection, AllFormsAndMethodsFindTheSameMinimum) {
  AdvectionOptions o = small();
  const auto reduced = make(o);
  const double start = objective(*reduced);
  ASSERT_TRUE(solve(*reduced, "newton-cg", 1e-10).converged());
  const double expected = objective(*reduced);
  EXPECT_LT(expected, 0.7 * start);
  EXPECT_LT(reduced->kkt_residual().largest(), 1e-10);
  o.form.formulation = "full";
  for (const char* method : {"ipopt", "sketch-newton"}) {
    if (advection::test::registry().find(ProgramSolver::kind, method) == nullptr) continue;
    const auto full = make(o);
    const Report report = solve(*full, method, 1e-9);
    EXPECT_TRUE(report.converged()) << method << ": " << report.reason;
    EXPECT_LT(full->kkt_residual().largest(), 1e-9) << method;
    EXPECT_NEAR(objective(*full), expected, 1e-8) << method;
  }
}

/// TAO's example at its default sizes: LCL stops at J = 0.004766 after 62 iterations of four linear
/// solves over all 16 steps, 14 551 Krylov iterations (to 1e-4).
TEST(Advection, NewtonCgPassesTheMinimumOfTaoSooner) {
  const auto problem = make({});
  ComponentSpec spec("newton-cg");
  spec.options.set("max_iterations", Value(std::int64_t{6}));
  spec.options.set("largest_forcing", Value(0.9));
  spec.options.set("tolerance", Value(1e-12));
  (void)advection::test::context().make<ProgramSolver>(spec)->solve(*problem, Monitor::none());
  EXPECT_LT(objective(*problem), 0.004766);
  auto& functions = dynamic_cast<ReducedEvolution&>(problem->functions());
  const SolveCounts counts = functions.solve_counts();
  EXPECT_LT(counts.state + counts.adjoint + counts.incremental, 62 * 4 * 16);
  auto& evolution = dynamic_cast<AdvectionEvolution&>(functions.evolution());
  RecordProperty("steps", static_cast<int>(counts.state + counts.adjoint + counts.incremental));
  RecordProperty("krylov_iterations", static_cast<int>(evolution.step_solver().iterations()));
  EXPECT_EQ(evolution.step_solver().failures(), 0);
}

/// Densities of functions that are scaled: the integral of both is 1.
TEST(Advection, DensitiesAreScaled) {
  AdvectionOptions o = small();
  o.initial = "7";
  o.target = "2+x";
  for (const Field& f : make(o)->functions().data_fields()) {
    double sum = 0.0;
    for (const double v : libsolve::test::to_host(f.values)) sum += v / 36.0;
    EXPECT_NEAR(sum, 1.0, 1e-14) << f.name;
  }
  const auto refusal = [&o] {
    try {
      (void)make(o);
    } catch (const DataError& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  for (const char* negative : {"-1-x", "x-0.25"}) {
    o.target = negative;
    EXPECT_NE(refusal().find("target"), std::string::npos) << refusal();
    EXPECT_NE(refusal().find("negative"), std::string::npos) << refusal();
  }
  EXPECT_NE(refusal().find("(0.08333"), std::string::npos) << refusal();  // the first cell
  o.target = "0";
  EXPECT_NE(refusal().find("target"), std::string::npos) << refusal();
  o = small();
  o.reference_y = "1/(y-0.25)";
  EXPECT_NE(refusal().find("reference_y"), std::string::npos) << refusal();
}

TEST(Advection, VelocitiesAreLayersOfTimes) {
  const auto problem = make(small());
  int num_layered = 0;
  for (const Field& f : problem->functions().fields(problem->x().view(), {})) {
    const bool is_velocity = f.name.starts_with("velocity");
    EXPECT_EQ(f.axis_names, is_velocity ? "xyt" : "xyz") << f.name;
    num_layered += is_velocity;
  }
  EXPECT_EQ(num_layered, 2);
}

TEST(Advection, RefusesBadOptions) {
  const auto fault_of = [](const AdvectionOptions& o) {
    Diagnostics problems;
    AdvectionOptions::check(o, "problem.", {}, problems);
    try {
      problems.throw_if_any();
    } catch (const InputError& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_EQ(fault_of({}), "");
  AdvectionOptions o;
  o.reference_x = "x+s";
  EXPECT_NE(fault_of(o).find("reference_x"), std::string::npos);
  o = {};
  o.target = "exp(";
  EXPECT_NE(fault_of(o).find("target"), std::string::npos);
  o = {};
  o.form.checkpoints = "none";
  EXPECT_NE(fault_of(o).find("checkpoints"), std::string::npos);
}

}  // namespace
