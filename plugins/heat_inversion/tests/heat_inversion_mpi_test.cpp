#include <gtest/gtest.h>

#include <libsolve/optimize/program_solver.hpp>
#include <libsolve/pde/adjoint_test.hpp>

#include "../heat_data.hpp"
#include "heat_inversion_support.hpp"

namespace {

using namespace heat_inversion;
using heat_inversion::test::make;

/// Objective, gradient and a product with the Hessian at a point that depends on the place only.
std::vector<double> measures(NonlinearProgram& problem, const HeatInversionOptions& o,
                             const Communicator& comm) {
  Grid grid;
  grid.dimension = o.dimension;
  for (std::size_t a = 0; a < static_cast<std::size_t>(o.dimension); ++a) {
    grid.cells[a] = o.size - 1;
    grid.spacing[a] = 1.0 / o.size;
  }
  const GridPartition parts = comm.size() > 1 ? GridPartition(grid, comm) : GridPartition(grid);
  const auto point = values_at_nodes("point", "sin(5*x+y)+cos(7*x*y)+z", parts, {});
  const Vector x = problem.x(), g = x.like("g"), y = x.like("y");
  Kokkos::deep_copy(x.view(), Kokkos::View<const double*, Kokkos::HostSpace>(point.data(), point.size()));
  std::vector<double> values = {problem.functions().objective(x.view())};
  problem.functions().gradient(x.view(), g.view());
  values.push_back(norm2(g));
  problem.functions().apply_hessian(x.view(), 1.0, problem.multipliers().view(), x.view(), y.view());
  values.push_back(norm2(y));
  values.push_back(dot(g, y));
  return values;
}

TEST(HeatInversionOverRanks, FunctionsAreThoseOfOneRank) {
  for (const int dimension : {2, 3})
    for (const bool has_reaction : {false, true}) {
      HeatInversionOptions o;
      o.dimension = dimension;
      o.size = dimension == 2 ? 24 : 8;
      o.steps = 3;
      o.checkpoints = has_reaction ? "sqrt" : "auto";
      if (has_reaction) o.reaction = {0.0, 1.0, 2.0};
      const auto together = make(o, Communicator::world());
      const auto alone = make(o, Communicator::self());
      const auto values = measures(*together, o, Communicator::world());
      const auto expected = measures(*alone, o, Communicator::self());
      for (std::size_t i = 0; i < values.size(); ++i)
        EXPECT_NEAR(values[i], expected[i], 1e-10 * std::abs(expected[i])) << i;
      EXPECT_LT(adjoint_gaps(together->functions(), together->x(), 3).hessian, 1e-11);
    }
}

TEST(HeatInversionOverRanks, NewtonCgFindsTheSameMinimum) {
  Context context;
  context.registry = &heat_inversion::test::registry();
  HeatInversionOptions o;
  o.size = 16;
  o.steps = 2;
  const auto minimum = [&](const Communicator& comm) {
    const auto problem = make(o, comm);
    const Report report =
        context.make<ProgramSolver>(ComponentSpec("newton-cg"))->solve(*problem, Monitor::none());
    EXPECT_TRUE(report.converged()) << report.reason;
    return problem->functions().objective(problem->x().view());
  };
  const double alone = minimum(Communicator::self());
  EXPECT_NEAR(minimum(Communicator::world()), alone, 1e-9 * alone);
}

}  // namespace
