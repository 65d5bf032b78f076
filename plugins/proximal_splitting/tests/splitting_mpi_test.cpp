#include <libsolve/core/errors.hpp>

#include "splitting_support.hpp"

namespace {

using namespace proximal_splitting;
using namespace proximal_splitting::test;

/// The initial state of the heat equation, with few values that are not 0.
std::unique_ptr<NonlinearProgram> sparse_heat(const Communicator& comm, const char* regularizer) {
  Context c = context();
  c.communicator = comm;
  const auto source = c.make<ProblemSource>(spec("heat-inversion", {{"size", Value(std::int64_t{20})},
                                                                    {"steps", Value(std::int64_t{4})},
                                                                    {"final_time", Value(0.001)},
                                                                    {"initial", Value("exp(-200*((x-0.3)^2+(y-0.6)^2))")}}));
  const auto problem = source->create();
  return composite_program(dynamic_cast<const NonlinearProgram&>(*problem),
                           c.make<ProximalOperator>(spec(regularizer, {{"measure", Value("nodes")}})), 0.02);
}

TEST(SplittingOverRanks, FindsTheMinimumOfOneRank) {
  for (const char* method : {"fista", "admm"}) {
    const auto minimum = [&](const Communicator& comm) {
      const auto problem = sparse_heat(comm, "soft-threshold");
      const auto solver = context().make<ProgramSolver>(spec(method, {{"tolerance", Value(1e-6)}}));
      const Report report = solver->solve(static_cast<Problem&>(*problem), Monitor::none());
      EXPECT_TRUE(report.converged()) << method << ": " << report.reason;
      return report.value("objective");
    };
    const double alone = minimum(Communicator::self());
    EXPECT_NEAR(minimum(Communicator::world()), alone, 1e-7 * alone) << method;
  }
}

TEST(SplittingOverRanks, TotalVariationSaysThatItWorksOnOneRank) {
  EXPECT_THROW((void)sparse_heat(Communicator::world(), "total-variation"), Unsupported);
}

}  // namespace
