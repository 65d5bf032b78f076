#include <gtest/gtest.h>

#include <libsolve/core/errors.hpp>
#include <libsolve/core/random_vector.hpp>
#include <limits>

#include "time_support.hpp"

namespace {

using namespace sundials_time;
using namespace sundials_time::test;

constexpr int cells = 20;
constexpr double final_time = 0.1;

std::shared_ptr<TimeSystem> heat(const CubicReaction& reaction = {}) {
  return std::make_shared<ReactionDiffusion>(laplacian(cells), reaction);
}

/// What an initial mode and the gradient of 1/2 |u(T)|^2 there, exp(-2 lambda T) m, are off by.
struct ModeErrors {
  double state = 0.0, gradient = 0.0;
};

ModeErrors mode_errors(FlowMap& flow, int k, int l) {
  const Vector m = sine_mode(*laplacian(cells), cells, k, l), p = m.like("p");
  const double decay = std::exp(-eigenvalue(cells, k, l) * final_time);
  copy(flow.forward(m), p);
  ModeErrors errors;
  errors.state = relative_error(p, decay, m);
  flow.backward(p);
  errors.gradient = relative_error(p, decay * decay, m);
  return errors;
}

/// The gradient is the differential equation's, to the tolerance of steps: about ten times that over a run.
TEST(Integrators, GradientOnSineModesIsTheClosedFormToTheTolerance) {
  for (const char* checkpoints : {"none", "states"}) {
    CvodesOptions o;
    o.checkpoints = checkpoints;
    o.checkpoint_steps = 20;
    auto flow = flow_of<CvodesIntegrator>(heat(), final_time, o);
    const ModeErrors errors = mode_errors(flow, 1, 1);
    EXPECT_LT(errors.state, 2e-5) << checkpoints;
    EXPECT_LT(errors.gradient, 4e-5) << checkpoints;
    EXPECT_GT(errors.gradient, 1e-9) << "no discrete adjoint, and not told as one";
  }
  for (const int order : {3, 4, 5}) {
    ArkodeOptions o;
    o.order = order;
    auto flow = flow_of<ArkodeIntegrator>(heat(), final_time, o);
    EXPECT_LT(mode_errors(flow, 1, 1).gradient, 4e-5) << order;
  }
}

TEST(Integrators, ErrorsFollowTheTolerance) {
  std::vector<double> errors;
  for (const double tolerance : {1e-4, 1e-6, 1e-9}) {
    CvodesOptions o;
    o.relative_tolerance = tolerance;
    o.absolute_tolerance = 1e-3 * tolerance;
    auto flow = flow_of<CvodesIntegrator>(heat(), final_time, o);
    errors.push_back(mode_errors(flow, 1, 1).gradient);
    EXPECT_LT(errors.back(), 40.0 * tolerance);
  }
  EXPECT_LT(errors[2], 0.05 * errors[1]);
}

/// Adjoints may be of any size: those of h^2 times a functional are h^2 times its own.
TEST(Integrators, AdjointsScaleWithTheirEnd) {
  for (const char* checkpoints : {"none", "states"}) {
    CvodesOptions o;
    o.checkpoints = checkpoints;
    auto flow = flow_of<CvodesIntegrator>(heat(), final_time, o);
    const Vector m = sine_mode(*laplacian(cells), cells, 2, 1), p = m.like("p"), q = m.like("q");
    flow.forward(m);
    copy(m, p);
    flow.backward(p);
    linear_combination(1e-12, m, 0.0, m, q);
    flow.backward(q);
    EXPECT_LT(relative_error(q, 1e-12, p), 1e-8) << checkpoints;
    fill(q, 0.0);
    flow.backward(q);
    EXPECT_EQ(norm_max(q), 0.0);
  }
}

CvodesOptions tight() {
  CvodesOptions o;
  o.relative_tolerance = 1e-10;
  o.absolute_tolerance = 1e-13;
  return o;
}

const CubicReaction reaction = {-3.0, 4.0, 10.0};

/// g(u) = sum u^3 / 3 + u: neither its gradient nor its Hessian is constant.
double value_of(const Vector& u) {
  const Vector square = u.like("square");
  multiply(u, u, square);
  const Vector ones = u.like("ones");
  fill(ones, 1.0);
  return dot(square, u) / 3.0 + dot(ones, u);
}

void gradient_of(FlowMap& flow, const Vector& m, const Vector& g) {
  const Vector& u = flow.forward(m);
  const Vector ones = u.like("ones");
  fill(ones, 1.0);
  multiply(u, u, g);
  axpy(1.0, ones, g);
  flow.backward(g);
}

TEST(Integrators, AdjointsOfAReactionAgreeWithDifferences) {
  for (const char* interpolation : {"hermite", "polynomial"}) {
    CvodesOptions o = tight();
    o.checkpoint_steps = 30;
    o.interpolation = interpolation;
    auto flow = flow_of<CvodesIntegrator>(heat(reaction), 0.02, o);
    const Partition rows = laplacian(cells)->row_partition();
    const Vector m("m", rows), v("v", rows), g("g", rows), at("at", rows);
    fill_uniform(m, RandomStream(1, "m"));
    copy(sine_mode(*laplacian(cells), cells, 1, 2), v);
    gradient_of(flow, m, g);
    const double slope = dot(g, v), eps = 1e-4;
    const auto value_at = [&](double t) {
      linear_combination(1.0, m, t, v, at);
      return value_of(flow.forward(at));
    };
    const double difference = (value_at(eps) - value_at(-eps)) / (2.0 * eps);
    EXPECT_NEAR(slope, difference, 2e-6 * std::abs(difference)) << interpolation;
  }
}

/// The Hessian's product along v against a difference of gradients, and the gradient that comes with it.
TEST(Integrators, SecondAdjointsAgreeWithDifferences) {
  auto flow = flow_of<CvodesIntegrator>(heat(reaction), 0.02, tight());
  const Partition rows = laplacian(cells)->row_partition();
  const Vector m("m", rows), v("v", rows), at("at", rows), up("up", rows), down("down", rows);
  fill_uniform(m, RandomStream(1, "m"));
  copy(sine_mode(*laplacian(cells), cells, 1, 2), v);
  const double eps = 1e-3;
  linear_combination(1.0, m, eps, v, at);
  gradient_of(flow, at, up);
  linear_combination(1.0, m, -eps, v, at);
  gradient_of(flow, at, down);
  linear_combination(0.5 / eps, up, -0.5 / eps, down, up);

  // g'' v_T = 2 u v_T, g' = u^2 + 1.
  const Vector p("p", rows), w("w", rows), ones("ones", rows);
  const Vector& v_T = flow.forward_tangent(m, v);
  const Vector u_T = flow.state_beside_tangent();
  multiply(u_T, v_T, w);
  scale(2.0, w);
  multiply(u_T, u_T, p);
  fill(ones, 1.0);
  axpy(1.0, ones, p);
  flow.second_backward(p, w);
  EXPECT_LT(relative_error(w, 1.0, up), 1e-4);
  gradient_of(flow, m, down);
  EXPECT_LT(relative_error(p, 1.0, down), 1e-7);
  EXPECT_GT(flow.tangent_counts().newton_iterations, 0);
}

TEST(Integrators, AllFindTheSameState) {
  const Vector m("m", laplacian(cells)->row_partition());
  fill_uniform(m, RandomStream(1, "m"));
  auto reference = flow_of<CvodesIntegrator>(heat(reaction), 0.02, tight());
  const Vector expected = m.like("expected");
  copy(reference.forward(m), expected);
  for (const char* scheme : {"implicit", "imex"}) {
    ArkodeOptions o;
    o.scheme = scheme;
    o.relative_tolerance = 1e-8;
    o.absolute_tolerance = 1e-11;
    auto flow = flow_of<ArkodeIntegrator>(heat(reaction), 0.02, o);
    EXPECT_LT(relative_error(flow.forward(m), 1.0, expected), 1e-6) << scheme;
    EXPECT_NE(flow.integrator().why_no_adjoint().find("cvodes"), std::string::npos);
    const Vector p = m.like("p");
    EXPECT_THROW(flow.backward(p), Unsupported);
  }
  CvodesOptions none;
  none.checkpoints = "none";
  auto without = flow_of<CvodesIntegrator>(heat(reaction), 0.02, none);
  EXPECT_THROW(without.backward(m), Unsupported);
}

TEST(Integrators, CountsAreThoseOfTheRuns) {
  CvodesOptions o;
  o.checkpoint_steps = 20;
  const Vector m = sine_mode(*laplacian(cells), cells, 1, 1), p = m.like("p");
  for (const char* checkpoints : {"none", "states"}) {
    o.checkpoints = checkpoints;
    auto flow = flow_of<CvodesIntegrator>(heat(), final_time, o);
    copy(flow.forward(m), p);
    const IntegrationCounts first = flow.forward_counts();
    EXPECT_EQ(first.runs, 1);
    EXPECT_EQ(first.failures, 0);
    EXPECT_GT(first.steps, 30);
    EXPECT_GE(first.newton_iterations, first.steps);
    EXPECT_GT(first.rate_evaluations, first.steps);
    EXPECT_GT(first.linear_iterations, 0);
    EXPECT_GT(first.linear_setups, 0);
    EXPECT_LT(first.linear_setups, first.steps);
    flow.forward(m);
    EXPECT_EQ(flow.forward_counts().runs, 1) << "the same point is remembered";
    flow.backward(p);
    EXPECT_EQ(flow.adjoint_counts().runs, 1);
    EXPECT_EQ(flow.tangent_counts().runs, 0);
    flow.forward_tangent(m, m);
    flow.second_backward(p, p);
    EXPECT_EQ(flow.adjoint_counts().runs, 1);
    EXPECT_EQ(flow.tangent_counts().runs, 2);
    // Along stored states the equation is integrated again from checkpoints.
    if (std::string(checkpoints) == "states") {
      EXPECT_GT(flow.adjoint_counts().newton_iterations,
                first.newton_iterations / 2 + flow.adjoint_counts().steps);
    }
  }
}

TEST(Integrators, FailedRunsAreNaNWithAReason) {
  const Vector m = sine_mode(*laplacian(cells), cells, 1, 1), p = m.like("p");
  CvodesOptions o;
  o.max_steps = 3;
  auto flow = flow_of<CvodesIntegrator>(heat(), final_time, o);
  EXPECT_TRUE(std::isnan(norm_max(flow.forward(m))));
  EXPECT_NE(flow.integrator().reason().find("CV_TOO_MUCH_WORK"), std::string::npos)
      << flow.integrator().reason();
  EXPECT_EQ(flow.forward_counts().failures, 1);
  ArkodeOptions a;
  a.max_steps = 3;
  auto steps = flow_of<ArkodeIntegrator>(heat(), final_time, a);
  EXPECT_TRUE(std::isnan(norm_max(steps.forward(m))));
  EXPECT_NE(steps.integrator().reason().find("ARK_TOO_MUCH_WORK"), std::string::npos)
      << steps.integrator().reason();

  // Runs of tangents have an integrator of their own.
  auto tangent = flow_of<CvodesIntegrator>(heat(), final_time, o);
  EXPECT_EQ(tangent.reason(), "");
  EXPECT_TRUE(std::isnan(norm_max(tangent.forward_tangent(m, m))));
  EXPECT_EQ(tangent.integrator().reason(), "");
  EXPECT_NE(tangent.reason().find("CV_TOO_MUCH_WORK"), std::string::npos) << tangent.reason();

  CvodesOptions states;
  states.checkpoints = "states";
  auto kept = flow_of<CvodesIntegrator>(heat(), final_time, states);
  fill(p, std::numeric_limits<double>::quiet_NaN());
  kept.forward(m);
  kept.backward(p);
  EXPECT_TRUE(std::isnan(norm_max(p)));
  // And goes on after a failure.
  copy(m, p);
  kept.backward(p);
  EXPECT_FALSE(std::isnan(norm_max(p)));
}

/// The adjoint of a linear system needs no states, so backward() may come first; of another one it
/// says what is missing.
TEST(Integrators, AdjointsOfLinearSystemsNeedNoRunForward) {
  const Vector m = sine_mode(*laplacian(cells), cells, 1, 1), p = m.like("p");
  const double factor = std::exp(-eigenvalue(cells, 1, 1) * final_time);
  CvodesOptions o;
  for (const char* checkpoints : {"states", "none"}) {
    o.checkpoints = checkpoints;
    auto flow = flow_of<CvodesIntegrator>(heat(), final_time, o);
    copy(m, p);
    flow.backward(p);
    EXPECT_LT(relative_error(p, factor, m), 1e-3) << checkpoints;
    EXPECT_EQ(flow.integrator().reason(), "");
  }
  CvodesIntegrator alone(CvodesOptions{}, setting());
  alone.begin(heat(reaction), final_time);
  copy(m, p);
  alone.backward(p);
  EXPECT_TRUE(std::isnan(norm_max(p)));
  EXPECT_NE(alone.reason().find("no run forward"), std::string::npos) << alone.reason();
}

/// A solver that cannot do the system's matrix: the reason is the solver's own.
TEST(Integrators, SaysWhatTheLinearSolverSays) {
  CvodesOptions o;
  o.solver = ComponentSpec("cg");
  o.solver.options.set("preconditioner", Value("none"));
  o.solver.options.set("max_iterations", Value(std::int64_t{1}));
  o.max_steps = 50;
  auto flow = flow_of<CvodesIntegrator>(heat(), final_time, o);
  const Vector m("m", laplacian(cells)->row_partition());
  fill_uniform(m, RandomStream(1, "m"));
  EXPECT_TRUE(std::isnan(norm_max(flow.forward(m))));
  EXPECT_NE(flow.integrator().reason(), "");
}

}  // namespace
