#include <gtest/gtest.h>

#include <libsolve/core/errors.hpp>
#include <libsolve/optimize/derivative_check.hpp>
#include <libsolve/pde/adjoint_test.hpp>
#include <libsolve/pde/evolution_program.hpp>
#include <libsolve/pde/full_evolution.hpp>
#include <libsolve/pde/reduced_evolution.hpp>
#include <tests/support/small_evolution.hpp>

namespace {

using namespace libsolve;
using test::SmallEvolution;

std::vector<double> start_of(const Evolution& e) {
  std::vector<double> start;
  for (Index i = 0; i < e.parameter_partition().local_size(); ++i)
    start.push_back(0.3 * std::sin(1.0 + i));
  return start;
}

std::unique_ptr<NonlinearProgram> make(const std::shared_ptr<Evolution>& e, const char* form) {
  return make_program(e, {form}, nullptr, start_of(*e));
}

TEST(FullEvolution, DerivativesAreExact) {
  for (const bool nonlinear : {true, false})
    for (const bool all : {true, false})
      for (const bool quartic : {true, false}) {
        const auto e = std::make_shared<SmallEvolution>(nonlinear, all);
        e->has_quartic_costs = quartic;
        e->steps = 4;
        const auto program = make(e, "full");
        EXPECT_EQ(program->num_variables(), 12 + 15);
        EXPECT_EQ(program->num_constraints(), 12);
        ASSERT_TRUE(program->functions().has_entries());
        // Each c_n has entries for y_{n-1}, y_n, u_n and w only.
        EXPECT_LT(program->functions().jacobian_pattern().size(), 12U * 12U);
        const DerivativeCheck check = check_derivatives(*program, {.num_points = 1});
        EXPECT_TRUE(check.passed() && check.checked_any()) << nonlinear << all << quartic;
        const ProgramAdjointGaps gaps = adjoint_gaps(program->functions(), program->x(), 3);
        EXPECT_LT(gaps.jacobian, 1e-14);
        EXPECT_LT(gaps.hessian, 1e-14);
      }
}

/// With the states of m c = 0, f is the reduced one, and with its adjoints as multipliers the
/// Lagrangian's gradient is zero by the states and the reduced gradient by m.
TEST(FullEvolution, AgreesWithTheReducedProblem) {
  const auto e = std::make_shared<SmallEvolution>(true, true);
  e->has_quartic_costs = true;
  const auto full = make(e, "full"), reduced = make(e, "reduced");
  const VectorView c("c", 27);
  full->functions().constraints(full->x().view(), c);
  EXPECT_LT(norm_max(Vector(c, Partition(27))), 1e-14);
  const double f = reduced->functions().objective(reduced->x().view());
  EXPECT_NEAR(full->functions().objective(full->x().view()), f, 1e-14 * f);

  EvolutionAdjoint adjoint(e, {});
  std::vector<int> steps;
  for (int n = 1; n <= e->steps; ++n) steps.push_back(n);
  const auto shown = adjoint.show(reduced->x(), steps);
  std::vector<double> lambda;
  for (const Vector& p : shown.adjoints)
    for (const double value : test::to_host(p)) lambda.push_back(value);
  const Vector g = full->x().like("g"), Jt = g.like("Jt"), expected = reduced->x().like("expected");
  full->functions().gradient(full->x().view(), g.view());
  full->functions().apply_jacobian_adjoint(full->x().view(), test::to_vector(lambda).view(), Jt.view());
  axpy(1.0, Jt, g);
  reduced->functions().gradient(reduced->x().view(), expected.view());
  const auto found = test::to_host(g), reference = test::to_host(expected);
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], i < 27 ? 0.0 : reference[i - 27], 1e-13) << i;

  // Fields: states and multipliers of the steps asked for.
  const auto fields = full->functions().fields(full->x().view(), test::to_vector(lambda).view());
  ASSERT_EQ(fields.size(), 7U);
  EXPECT_EQ(test::to_host(fields[3].values), test::to_host(shown.states[3]));
  EXPECT_EQ(test::to_host(fields[6].values), test::to_host(shown.adjoints[8]));
}

TEST(EvolutionProgram, BoundsAreThoseOfTheParameters) {
  const auto e = std::make_shared<SmallEvolution>(true, true);
  const Bounds bounds{std::vector<double>(30, -1.0), std::vector<double>(30, 2.0)};
  for (const char* form : {"reduced", "full"}) {
    const auto program = make_program(e, {form}, nullptr, start_of(*e), bounds);
    const auto& lower = program->variable_bounds().lower;
    EXPECT_EQ(lower.back(), -1.0);
    EXPECT_EQ(lower.front(), program->num_constraints() > 0 ? -INFINITY : -1.0);
    EXPECT_EQ(program->variable_bounds().upper.back(), 2.0);
  }
}

TEST(EvolutionProgram, RefusesToKeepNoStatesWhereTheyAreNeeded) {
  EvolutionForm form;
  for (const char* checkpoints : {"auto", "none"})
    for (const bool needs_states : {true, false}) {
      form.checkpoints = checkpoints;
      Diagnostics problems;
      EvolutionForm::check(form, needs_states, "problem.", {}, problems);
      if (needs_states && form.checkpoints == "none") {
        EXPECT_THROW(problems.throw_if_any(), InputError);
      } else {
        EXPECT_NO_THROW(problems.throw_if_any());
      }
    }
}

}  // namespace
