#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/optimize/program_solver.hpp>
#include <libsolve/pde/adjoint_test.hpp>
#include <libsolve/pde/q1_control.hpp>
#include <tests/support/nodes.hpp>

#include "poisson_control.hpp"

namespace {

using namespace libsolve;
using poisson_control::PoissonControlOptions;
using poisson_control::PoissonControlSource;

std::unique_ptr<NonlinearProgram> make(const PoissonControlOptions& options,
                                       const Communicator& comm) {
  Context context;
  context.communicator = comm;
  auto problem = PoissonControlSource(options, context).create();
  return std::unique_ptr<NonlinearProgram>(dynamic_cast<NonlinearProgram*>(problem.release()));
}

double wave(double x, double y, double z) {
  return std::sin(5.0 * x + y) + std::cos(7.0 * y * x) + z;
}

/// The measures at a point that depends on the place only.
std::vector<double> measures_at_wave(NonlinearProgram& problem) {
  const NodeGrid& grid = dynamic_cast<const Q1Control&>(problem.functions()).nodes();
  std::vector<double> x = test::to_host(test::at_nodes(grid, wave)), lambda = x, z;
  x.insert(x.end(), lambda.begin(), lambda.end());
  z.assign(x.size(), 0.0);
  problem.set_solution(x, lambda, z);
  std::vector<double> values;
  for (const Measure& m : problem.verify()) values.push_back(m.value);
  const Vector g("g", problem.x().partition());
  problem.functions().gradient(problem.x().view(), g.view());
  values.push_back(norm2(g));
  return values;
}

TEST(PoissonControlOverRanks, FunctionsAreThoseOfOneRank) {
  for (const int dimension : {2, 3})
    for (const char* boundary : {"zero", "target"}) {
      PoissonControlOptions o;
      o.dimension = dimension;
      o.size = 12;
      o.boundary = boundary;
      const auto together = make(o, Communicator::world());
      const auto alone = make(o, Communicator::self());
      EXPECT_EQ(together->num_unknowns(), alone->num_unknowns());
      const auto values = measures_at_wave(*together), expected = measures_at_wave(*alone);
      for (std::size_t i = 0; i < values.size(); ++i)
        EXPECT_NEAR(values[i], expected[i], 1e-11 * std::abs(expected[i])) << i;
      EXPECT_LT(adjoint_gaps(together->functions(), together->x(), 3).jacobian, 1e-14);
    }
}

/// A method that works on one rank.
class OnOneRank final : public ProgramSolver {
 public:
  Report solve(NonlinearProgram&, Monitor&) override { return {}; }
};

TEST(PoissonControlOverRanks, MethodsForOneRankAreRefused) {
  const auto problem = make({}, Communicator::world());
  OnOneRank solver;
  Method& method = solver;
  EXPECT_THROW((void)method.solve(*problem, Monitor::none()), Unsupported);
}

}  // namespace
