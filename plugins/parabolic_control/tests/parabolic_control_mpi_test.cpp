#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/pde/adjoint_test.hpp>
#include <libsolve/pde/evolution_test.hpp>

#include "../target_in_time.hpp"
#include "parabolic_control_support.hpp"

namespace {

using namespace parabolic_control;
using namespace parabolic_control::test;

ParabolicControlOptions options_of(int dimension, int size, int steps) {
  ParabolicControlOptions o;
  o.dimension = dimension;
  o.size = size;
  o.steps = steps;
  o.tracking = "both";
  o.target = "sin(5*x+t)*y";
  o.final_target = "x*y";
  return o;
}

/// The objective, gradient and Hessian's norms at the same u on any number of ranks.
std::vector<double> measures(const ParabolicControlOptions& o, const Communicator& comm) {
  const auto problem = make(o, comm);
  const Vector x = problem->x();
  // u_n = n times a function of place.
  const Evolution& evolution = evolution_of(*problem);
  const auto nodes = static_cast<std::size_t>(evolution.state_partition().local_size());
  const Vector shape("shape", evolution.state_partition());
  evolution.initial_state(shape);
  for (std::size_t n = 0; n < static_cast<std::size_t>(o.num_steps()); ++n)
    axpby(static_cast<double>(n + 1), shape, 0.0,
          Vector(VectorView(Kokkos::subview(x.view(), std::make_pair(n * nodes, (n + 1) * nodes))),
                 shape.partition()));
  const Vector g = x.like("g"), y = x.like("y");
  std::vector<double> values = {problem->functions().objective(x.view())};
  problem->functions().gradient(x.view(), g.view());
  values.push_back(norm2(g));
  problem->functions().apply_hessian(x.view(), 1.0, ConstVectorView(), x.view(), y.view());
  values.push_back(norm2(y));
  values.push_back(dot(g, y));
  return values;
}

TEST(ParabolicControlOverRanks, FunctionsAreThoseOfOneRank) {
  for (const int dimension : {2, 3}) {
    ParabolicControlOptions o = options_of(dimension, dimension == 2 ? 24 : 8, 5);
    o.initial = "sin(3*x)+y*y+z";
    o.form.checkpoints = dimension == 2 ? "sqrt" : "auto";
    const auto together = measures(o, Communicator::world());
    const auto alone = measures(o, Communicator::self());
    for (std::size_t i = 0; i < together.size(); ++i)
      EXPECT_NEAR(together[i], alone[i], 1e-10 * std::abs(alone[i])) << i;
    const auto problem = make(o, Communicator::world());
    Evolution& evolution = evolution_of(*problem);
    const auto defects = evolution_defects(evolution, random_parameter(evolution, 1), 2);
    EXPECT_LT(defects.largest(), 1e-8) << defects.text();
    // All at once: products over ranks, entries on one alone.
    o.form.formulation = "full";
    const auto full = make(o, Communicator::world());
    EXPECT_EQ(full->functions().has_entries(), Communicator::world().size() == 1);
    const ProgramAdjointGaps gaps = adjoint_gaps(full->functions(), full->x(), 3);
    EXPECT_LT(gaps.jacobian, 1e-12);
    EXPECT_LT(gaps.hessian, 1e-12);
  }
}

TEST(ParabolicControlOverRanks, NewtonCgFindsTheSameMinimum) {
  const ParabolicControlOptions o = options_of(2, 16, 4);
  const auto minimum = [&](const Communicator& comm) {
    const auto problem = make(o, comm);
    const Report report = solve(*problem, newton_cg(1e-9));
    EXPECT_TRUE(report.converged()) << report.reason;
    return objective(*problem);
  };
  const double alone = minimum(Communicator::self());
  EXPECT_NEAR(minimum(Communicator::world()), alone, 1e-9 * alone);
}

TEST(ParabolicControlOverRanks, ConductivityIsRefused) {
  if (Communicator::world().size() == 1) GTEST_SKIP();
  ParabolicControlOptions o;
  o.control = "conductivity";
  EXPECT_THROW(make(o, Communicator::world()), Unsupported);
}

}  // namespace
