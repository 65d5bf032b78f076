#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/optimize/derivative_check.hpp>
#include <libsolve/pde/evolution_test.hpp>
#include <libsolve/pde/point_interpolation.hpp>
#include <tests/support/vectors.hpp>

#include "../conductivity_evolution.hpp"
#include "parabolic_control_support.hpp"

namespace {

using namespace parabolic_control;
using namespace parabolic_control::test;
using libsolve::test::to_host;

ParabolicControlOptions options_of(int dimension, int size, int steps) {
  ParabolicControlOptions o;
  o.control = "conductivity";
  o.dimension = dimension;
  o.size = size;
  o.steps = steps;
  o.num_samples = steps;
  o.num_points = 16;
  o.initial = "1+cos(2*pi*x)*y";
  return o;
}

/// Linear functions are interpolated exactly between the outermost centres, constants everywhere.
TEST(PointInterpolation, IsExactForLinearFunctions) {
  for (const int dimension : {1, 2, 3}) {
    Grid grid;
    grid.dimension = dimension;
    std::vector<double> values;
    for (std::size_t a = 0; a < static_cast<std::size_t>(dimension); ++a) {
      grid.cells[a] = static_cast<Index>(3 + a);
      grid.spacing[a] = 1.0 / static_cast<double>(3 + a);
    }
    for (Index k = 0; k < grid.cells[2]; ++k)
      for (Index j = 0; j < grid.cells[1]; ++j)
        for (Index i = 0; i < grid.cells[0]; ++i)
          values.push_back(1.0 + (i + 0.5) * grid.spacing[0] +
                           (dimension > 1 ? 2.0 * (j + 0.5) * grid.spacing[1] : 0.0) -
                           (dimension > 2 ? (k + 0.5) * grid.spacing[2] : 0.0));
    const auto Q = point_interpolation(grid, {{0.5, 0.3, 0.4}, {0.2, 0.8, 0.7}, {0.0, 0.0, 0.0}});
    const Vector seen("seen", Q->row_partition());
    Q->apply(libsolve::test::to_vector(values), seen);
    const auto at = to_host(seen);
    EXPECT_NEAR(at[0], 1.5 + (dimension > 1 ? 0.6 : 0.0) - (dimension > 2 ? 0.4 : 0.0), 1e-14);
    EXPECT_NEAR(at[1], 1.2 + (dimension > 1 ? 1.6 : 0.0) - (dimension > 2 ? 0.7 : 0.0), 1e-14);
    EXPECT_EQ(at[2], values[0]);
    EXPECT_THROW(point_interpolation(grid, {{-0.1, 0.5, 0.5}}), ShapeError);
  }
}

TEST(ParabolicConductivity, FunctionsFitTogether) {
  for (const int dimension : {2, 3}) {
    const auto problem = make(options_of(dimension, dimension == 3 ? 4 : 6, 3));
    Evolution& evolution = evolution_of(*problem);
    const auto defects = evolution_defects(evolution, random_parameter(evolution, 1), 2);
    EXPECT_LT(defects.largest(), 1e-8) << defects.text();
  }
}

TEST(ParabolicConductivity, DerivativesAreExact) {
  for (const char* formulation : {"reduced", "full"})
    for (const char* checkpoints : {"auto", "sqrt"}) {
      ParabolicControlOptions o = options_of(2, 5, 4);
      o.num_samples = 2;
      o.form.formulation = formulation;
      o.form.checkpoints = checkpoints;
      const auto problem = make(o);
      ASSERT_TRUE(problem->functions().has_entries());
      const DerivativeCheck check = check_derivatives(*problem, {.num_points = 2, .max_columns = 10});
      EXPECT_TRUE(check.passed() && check.checked_any()) << formulation << " " << checkpoints;
    }
}

/// Insulated: the sum of the states stays, and a steady state is constant.
TEST(ParabolicConductivity, HeatIsKept) {
  ParabolicControlOptions o = options_of(3, 6, 5);
  o.initial = "auto";
  const auto problem = make(o);
  Evolution& evolution = evolution_of(*problem);
  const Vector y("y", evolution.state_partition()), before = y.like("before"), one = y.like("one");
  fill(one, 1.0);
  evolution.initial_state(before);
  const double sum = dot(one, before);
  EXPECT_NEAR(sum, 8 * 1000.0, 1e-9);
  evolution.solve_step(1, before, random_parameter(evolution, 1), y);
  EXPECT_NEAR(dot(one, y), sum, 1e-9 * sum);
  copy(one, y);
  evolution.solve_step(1, one, random_parameter(evolution, 1), y);
  axpy(-1.0, one, y);
  EXPECT_LT(norm_max(y), 1e-11);
}

/// Data without noise and next to no regularization: what was in the data comes back.
TEST(ParabolicConductivity, IsFoundFromData) {
  ParabolicControlOptions o = options_of(2, 8, 8);
  o.num_points = 400;
  o.offset = 0.0;
  o.final_time = 0.1;
  o.gradient_cost = 1e-9;
  o.true_parameter = "0.3*cos(pi*x)*cos(pi*y)";
  const auto problem = make(o);
  const Report report = solve(*problem, newton_cg(1e-11));
  ASSERT_TRUE(report.converged()) << report.reason;
  Vector truth, found;
  for (const Field& f : problem->data())
    if (f.name == "true_parameter") truth = f.values;
  for (const Field& f : problem->solution())
    if (f.name == "parameter") found = f.values;
  axpy(-1.0, found, truth);
  EXPECT_LT(norm_max(truth), 0.02);
  EXPECT_LT(problem->kkt_residual().largest(), 1e-9);
}

TEST(ParabolicConductivity, TheFullProblemHasTheSameMinimum) {
  ParabolicControlOptions o = options_of(2, 4, 4);
  o.gradient_cost = 1e-3;
  const auto reduced = make(o);
  const Report newton = solve(*reduced, newton_cg(1e-9));
  ASSERT_TRUE(newton.converged()) << newton.reason;
  const double minimum = objective(*reduced);
  o.form.formulation = "full";
  for (const char* method : {"ipopt", "sketch-newton"}) {
    if (registry().find(ProgramSolver::kind, method) == nullptr) continue;
    const auto full = make(o);
    const Report report = solve(*full, method);
    EXPECT_TRUE(report.converged()) << method << ": " << report.reason;
    EXPECT_NEAR(objective(*full), minimum, 1e-7 * minimum) << method;
    EXPECT_LT(full->kkt_residual().largest(), 1e-6) << method;
  }
}

}  // namespace
