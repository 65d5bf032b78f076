#include <gtest/gtest.h>

#include <libsolve/core/errors.hpp>
#include <libsolve/core/random_vector.hpp>
#include <libsolve/io/state_files.hpp>
#include <libsolve/optimize/derivative_check.hpp>
#include <libsolve/pde/adjoint_test.hpp>
#include <libsolve/pde/evolution_test.hpp>
#include <libsolve/pde/reduced_evolution.hpp>
#include <map>
#include <tests/support/small_evolution.hpp>
#include <tests/support/temporary_folder.hpp>

namespace {

using namespace libsolve;
using test::SmallEvolution;

Vector random_parameter(const Evolution& e, std::uint64_t seed) {
  const Vector m("m", e.parameter_partition());
  fill_uniform(m, RandomStream(seed, "test"));
  return m;
}

TEST(EvolutionTest, FindsNothingWrongWithARightOne) {
  for (const bool nonlinear : {true, false})
    for (const bool quartic : {true, false}) {
      SmallEvolution e(nonlinear, true);
      e.has_quartic_costs = quartic;
      const EvolutionDefects defects = evolution_defects(e, random_parameter(e, 1), 2);
      EXPECT_LT(defects.largest(), 1e-8) << defects.text();
    }
}

TEST(EvolutionTest, FindsAWrongAdjoint) {
  SmallEvolution e(true, true);
  e.spoilt = 1e-4;
  const EvolutionDefects defects = evolution_defects(e, random_parameter(e, 1), 2);
  EXPECT_GT(defects.before_adjoint, 1e-6);
  EXPECT_LT(defects.state_adjoint, 1e-14);
}

NonlinearProgram program_of(const std::shared_ptr<ProgramFunctions>& functions) {
  const auto n = static_cast<std::size_t>(functions->num_variables());
  std::vector<double> start(n);
  for (std::size_t i = 0; i < n; ++i) start[i] = 0.3 * std::sin(1.0 + static_cast<double>(i));
  const Bounds none{std::vector<double>(n, -INFINITY), std::vector<double>(n, INFINITY)};
  return NonlinearProgram(functions, none, Bounds{}, start);
}

/// Gradient and Hessian for every kind of problem and every schedule, against differences.
TEST(ReducedEvolution, DerivativesAreExact) {
  for (const bool nonlinear : {true, false})
    for (const bool all : {true, false})
      for (const bool quartic : {true, false})
        for (const char* schedule : {"auto", "all", "sqrt", "binomial"}) {
          const auto e = std::make_shared<SmallEvolution>(nonlinear, all);
          e->has_quartic_costs = quartic;
          e->steps = 6;
          const auto functions =
              std::make_shared<ReducedEvolution>(e, CheckpointChoice{schedule, 3});
          const NonlinearProgram program = program_of(functions);
          const DerivativeCheck check = check_derivatives(program, {.num_points = 2});
          EXPECT_TRUE(check.passed() && check.checked_any())
              << schedule << nonlinear << all << quartic;
          EXPECT_LT(adjoint_gaps(*functions, random_parameter(*e, 5), 3).hessian, 1e-13);
        }
}

/// Values do not depend on what is kept.
TEST(ReducedEvolution, SchedulesGiveTheSameDerivatives) {
  for (const bool quartic : {true, false}) {
    const auto e = std::make_shared<SmallEvolution>(true, true);
    e->has_quartic_costs = quartic;
    const Vector m = random_parameter(*e, 1), q = random_parameter(*e, 2), out = m.like("out");
    EvolutionAdjoint kept(e, {"all"});
    kept.gradient(m, out);
    const auto g = test::to_host(out);
    kept.hessian(m, q, out);
    const auto Hq = test::to_host(out);
    for (const char* schedule : {"sqrt", "binomial"}) {
      EvolutionAdjoint sparse(e, {schedule, 2});
      for (int again = 0; again < 2; ++again) {
        sparse.gradient(m, out);
        EXPECT_EQ(test::to_host(out), g) << schedule;
        sparse.hessian(m, q, out);
        EXPECT_EQ(test::to_host(out), Hq) << schedule;
      }
      EXPECT_LT(sparse.checkpoint_bytes(), kept.checkpoint_bytes());
    }
  }
}

TEST(ReducedEvolution, CheckpointsInFilesGiveTheSameDerivatives) {
  const test::TemporaryFolder folder;
  int made = 0;
  const auto files = [&]() -> std::shared_ptr<StateStore> {
    return std::make_shared<StateFiles>(folder.path(), "state." + std::to_string(made++));
  };
  const auto e = std::make_shared<SmallEvolution>(true, true);
  const Vector m = random_parameter(*e, 1), q = random_parameter(*e, 2), out = m.like("out");
  for (const char* schedule : {"all", "sqrt"}) {
    EvolutionAdjoint memory(e, {schedule}), stored(e, {schedule, 1, files});
    memory.hessian(m, q, out);
    const auto Hq = test::to_host(out);
    stored.hessian(m, q, out);
    EXPECT_EQ(test::to_host(out), Hq);
    EXPECT_EQ(stored.checkpoint_bytes(), 0.0);
    EXPECT_GT(memory.checkpoint_bytes(), 0.0);
  }
  EXPECT_GE(made, 4);
}

/// Steps, in runs of N.
TEST(ReducedEvolution, TakesTheStepsItSays) {
  constexpr int N = 64;
  const auto made = [](bool nonlinear, bool all) {
    const auto e = std::make_shared<SmallEvolution>(nonlinear, all);
    e->steps = N;
    return e;
  };
  const auto counts_of = [&](const std::shared_ptr<SmallEvolution>& e, const char* schedule) {
    EvolutionAdjoint a(e, {schedule, 4});
    const Vector m = random_parameter(*e, 1), q = random_parameter(*e, 2), out = m.like("out");
    a.value(m);
    EXPECT_EQ(a.counts().state, N);
    a.value(m);
    a.gradient(m, out);
    const SolveCounts gradient = a.counts();
    EXPECT_EQ(gradient.adjoint, N);
    EXPECT_EQ(gradient.incremental, 0);
    // What is found for the first product is remembered.
    a.hessian(m, q, out);
    const SolveCounts first = a.counts();
    a.hessian(m, q, out);
    return std::array{gradient, first, a.counts()};
  };
  // Linear: a tangent run and one back; nothing is run forward again.
  for (const bool all : {true, false}) {
    const auto c = counts_of(made(false, all), "auto");
    EXPECT_EQ(c[0].state, N);
    EXPECT_EQ(c[2].state, N);
    EXPECT_EQ(c[2].adjoint, N);
    EXPECT_EQ(c[2].incremental, 4 * N);
  }
  // Not linear, all kept: adjoints made once more, to be kept.
  const auto all = counts_of(made(true, true), "all");
  EXPECT_EQ(all[1].state, N);
  EXPECT_EQ(all[1].adjoint, 2 * N);
  EXPECT_EQ(all[2].adjoint, 2 * N);
  EXPECT_EQ(all[2].incremental, 4 * N);
  const auto root = counts_of(made(true, true), "sqrt");
  EXPECT_LE(root[0].state, 2 * N);
  EXPECT_GT(root[0].state, 3 * N / 2);
  EXPECT_EQ(root[2].incremental - root[1].incremental,
            2 * N + (root[2].state - root[1].state));
  EXPECT_EQ(counts_of(made(true, true), "binomial")[0].state, binomial_advances(N, 4) + 1);
}

TEST(ReducedEvolution, FieldsAreStatesAndAdjointsOfTheStepsAskedFor) {
  for (const bool nonlinear : {true, false})
    for (const bool all : {true, false}) {
      const auto e = std::make_shared<SmallEvolution>(nonlinear, all);
      ReducedEvolution functions(e);
      const Vector m = random_parameter(*e, 1);
      const auto fields = functions.fields(m.view(), ConstVectorView());
      ASSERT_EQ(fields.size(), 7U);
      EXPECT_EQ(test::to_host(fields[0].values), test::to_host(m));
      const Vector y("y", e->state_partition()), before = y.like("before");
      e->initial_state(y);
      for (int n = 0; n <= e->steps; ++n) {
        if (n > 0) {
          copy(y, before);
          e->solve_step(n, before, m, y);
        }
        const std::map<int, std::size_t> field_of = {{0, 1}, {4, 3}, {9, 5}};
        if (const auto field = field_of.find(n); field != field_of.end()) {
          EXPECT_EQ(test::to_host(fields[field->second].values), test::to_host(y));
        }
      }
      EXPECT_EQ(fields[2].values.data(), nullptr);
      // C^T p_N = -g_N'.
      const Vector left = y.like("left"), right = y.like("right");
      e->apply_state_adjoint(9, {before, y, m}, fields[6].values, left);
      e->step_cost_gradient(9, y, m, right, m.like("unused"));
      axpy(1.0, right, left);
      EXPECT_LT(norm_max(left), 1e-14);
      EXPECT_EQ(functions.solve_counts().state, 0);
    }
}

TEST(ReducedEvolution, RefusesToKeepNothingWhereStatesAreNeeded) {
  const auto make = [](bool nonlinear, bool all) {
    EvolutionAdjoint(std::make_shared<SmallEvolution>(nonlinear, all), {"none"});
  };
  EXPECT_THROW(make(true, false), ShapeError);
  EXPECT_THROW(make(false, true), ShapeError);
  EXPECT_NO_THROW(make(false, false));
}

}  // namespace
