#include <gtest/gtest.h>

#include "time_support.hpp"

namespace {

using namespace sundials_time;
using namespace sundials_time::test;

constexpr int cells = 24;

/// Gradient of 1/2 |u(T)|^2 at a sum of modes, as numbers that do not depend on who has which part.
std::vector<double> measures(const Communicator& comm, const CubicReaction& reaction) {
  const auto A = laplacian(cells, comm);
  CvodesOptions o;
  o.relative_tolerance = 1e-8;
  o.absolute_tolerance = 1e-11;
  o.checkpoint_steps = 25;
  auto flow = flow_of<CvodesIntegrator>(std::make_shared<ReactionDiffusion>(A, reaction), 0.05, o,
                                        setting(comm));
  const Vector m = sine_mode(*A, cells, 1, 1), other = sine_mode(*A, cells, 2, 3);
  axpy(0.5, other, m);
  const Vector p = m.like("p"), w = m.like("w");
  copy(flow.forward(m), p);
  std::vector<double> values = {norm2(p)};
  flow.backward(p);
  values.push_back(dot(p, m));
  values.push_back(dot(p, other));
  copy(flow.forward_tangent(m, other), w);
  fill(p, 1.0);
  flow.second_backward(p, w);
  values.push_back(dot(w, m));
  return values;
}

TEST(IntegratorsOverRanks, FlowsAreThoseOfOneRank) {
  for (const CubicReaction& reaction : {CubicReaction{}, CubicReaction{0.0, 1.0, 2.0}}) {
    const auto together = measures(Communicator::world(), reaction);
    const auto alone = measures(Communicator::self(), reaction);
    for (std::size_t i = 0; i < together.size(); ++i)
      EXPECT_NEAR(together[i], alone[i], 1e-6 * std::abs(alone[i])) << i;
  }
}

TEST(IntegratorsOverRanks, RungeKuttaMethods) {
  const auto value = [](const Communicator& comm) {
    const auto A = laplacian(cells, comm);
    ArkodeOptions o;
    o.scheme = "imex";
    o.relative_tolerance = 1e-8;
    auto flow = flow_of<ArkodeIntegrator>(
        std::make_shared<ReactionDiffusion>(A, CubicReaction{0.0, 1.0, 2.0}), 0.05, o, setting(comm));
    return norm2(flow.forward(sine_mode(*A, cells, 1, 2)));
  };
  const double alone = value(Communicator::self());
  EXPECT_NEAR(value(Communicator::world()), alone, 1e-6 * alone);
}

}  // namespace
