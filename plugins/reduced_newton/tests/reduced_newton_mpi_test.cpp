#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/plugin/loader.hpp>

#include "reduced_newton_cg.hpp"

namespace {

using namespace libsolve;

class ReducedNewtonOverRanks : public testing::Test {
 protected:
  ReducedNewtonOverRanks() {
    load_plugins(registry_, {.files = {}, .path = "", .installed_folder = std::nullopt});
  }
  struct Outcome {
    Report report;
    double objective = 0.0;
  };
  Outcome solve(const char* observations, int dimension, int size, double tolerance,
                const Communicator& comm) {
    Context context;
    context.registry = &registry_;
    context.communicator = comm;
    ComponentSpec source("log-conductivity"), method("reduced-newton-cg");
    source.options.set("observations", Value(observations));
    source.options.set("dimension", Value(dimension));
    source.options.set("size", Value(size));
    source.options.set("num_sources", Value(2));
    method.options.set("relative_tolerance", Value(tolerance));
    const auto problem = context.make<ProblemSource>(source)->create();
    auto& program = dynamic_cast<NonlinearProgram&>(*problem);
    const auto solver = context.make<ProgramSolver>(method);
    Outcome outcome;
    outcome.report = static_cast<Method&>(*solver).solve(*problem, Monitor::none());
    outcome.objective = program.functions().objective(program.x().view());
    EXPECT_LT(program.kkt_residual().largest(), 1e-3);
    return outcome;
  }
  Registry registry_;
};

/// The counts of Newton's method and of all solves, and the minimum.
TEST_F(ReducedNewtonOverRanks, TakesTheStepsOfOneRank) {
  struct Case {
    const char* observations;
    int dimension, size;
    double tolerance;
  };
  for (const Case& c : {Case{"full", 2, 32, 1e-6}, Case{"points", 3, 16, 1e-3}}) {
    const Outcome alone =
        solve(c.observations, c.dimension, c.size, c.tolerance, Communicator::self());
    const Outcome together =
        solve(c.observations, c.dimension, c.size, c.tolerance, Communicator::world());
    const std::string what = std::string(c.observations) + " " + std::to_string(c.dimension) + "D";
    ASSERT_TRUE(alone.report.converged()) << what << ": " << alone.report.reason;
    ASSERT_TRUE(together.report.converged()) << what << ": " << together.report.reason;
    EXPECT_EQ(together.report.iterations, alone.report.iterations) << what;
    for (const char* count :
         {"state_solves", "adjoint_solves", "incremental_solves", "newton_steps", "cg_iterations",
          "coarse_cg_iterations", "linear_pde_solves"})
      EXPECT_EQ(together.report.value(count), alone.report.value(count)) << what << " " << count;
    EXPECT_NEAR(together.objective / alone.objective, 1.0, 1e-8) << what;
  }
}

}  // namespace
