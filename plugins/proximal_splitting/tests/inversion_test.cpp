#include <libsolve/core/errors.hpp>

#include "splitting_support.hpp"

namespace {

using namespace proximal_splitting;
using namespace proximal_splitting::test;

/// "composite" of a problem source and a regulariser.
std::unique_ptr<NonlinearProgram> composite(const ComponentSpec& smooth, const ComponentSpec& R,
                                            double weight) {
  Value f = smooth.options, r = R.options;
  f.set("name", Value(smooth.name));
  r.set("name", Value(R.name));
  const auto source = context().make<ProblemSource>(
      spec("composite", {{"smooth", f}, {"regularizer", r}, {"weight", Value(weight)}}));
  auto problem = source->create();
  auto* program = dynamic_cast<NonlinearProgram*>(problem.get());
  if (program == nullptr) throw std::runtime_error("not a program");
  problem.release();
  return std::unique_ptr<NonlinearProgram>(program);
}

Report solve(const std::string& method, NonlinearProgram& problem, double tolerance,
             std::int64_t max_iterations = 3000) {
  const auto solver = context().make<ProgramSolver>(
      spec(method, {{"tolerance", Value(tolerance)}, {"max_iterations", Value(max_iterations)}}));
  return solver->solve(static_cast<Problem&>(problem), Monitor::none());
}

ComponentSpec heat(double value_cost = 0.0) {
  return spec("heat-inversion", {{"size", Value(std::int64_t{20})},
                                 {"steps", Value(std::int64_t{4})},
                                 {"final_time", Value(0.002)},
                                 {"initial", Value("min(1, max(0, 1e6 * (0.15 - abs(x - 0.45)))) * min(1, max(0, 1e6 * (0.2 - abs(y - 0.6))))")},
                                 {"noise", Value(0.02)},
                                 {"value_cost", Value(value_cost)}});
}

/// Squares of values as a regulariser are the same as the problem's own cost of values.
TEST(Inversion, WithSquaresOfValuesIsTheProblemWithThatCost) {
  const auto plain = context().make<ProblemSource>(heat(0.01))->create();
  auto& program = dynamic_cast<NonlinearProgram&>(*plain);
  ASSERT_TRUE(solve("newton-cg", program, 1e-10, 100).converged());
  for (const char* method : {"fista", "admm"}) {
    const auto problem = composite(heat(),
                                   spec("quadratic", {{"gradient", Value(0.0)},
                                                      {"values", Value(1.0)},
                                                      {"measure", Value("nodes")}}),
                                   0.01);
    const Report report = solve(method, *problem, 1e-7);
    EXPECT_EQ(report.status, Status::converged) << method << ": " << report.reason;
    const auto x = problem->host_x(), y = program.host_x();
    for (std::size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(x[i], y[i], 2e-5) << method;
  }
}

/// Total variation finds a block better than squares of gradients at their best of five weights, and both
/// methods agree.
TEST(Inversion, FindsABlockInTheHeatEquationsInitialState) {
  const auto error = [](const NonlinearProgram& problem) {
    std::vector<double> truth;
    for (const Field& f : problem.data())
      if (f.name == "true_initial") truth = to_host(f.values);
    const auto x = problem.host_x();
    double miss = 0.0, size = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      miss += (x[i] - truth[i]) * (x[i] - truth[i]);
      size += truth[i] * truth[i];
    }
    return std::sqrt(miss / size);
  };
  const ComponentSpec tv = spec("total-variation", {{"measure", Value("nodes")}});
  const auto a = composite(heat(), tv, 1e-3), b = composite(heat(), tv, 1e-3);
  const Report fista = solve("fista", *a, 1e-4), admm = solve("admm", *b, 1e-4);
  EXPECT_EQ(fista.status, Status::converged) << fista.reason;
  EXPECT_EQ(admm.status, Status::converged) << admm.reason;
  EXPECT_NEAR(fista.value("objective"), admm.value("objective"), 1e-5 * admm.value("objective"));
  EXPECT_GT(fista.value("dual_iterations"), 0.0);
  EXPECT_GT(fista.value("state_solves"), 0.0);
  double smooth = 1.0;
  for (const double weight : {1e-6, 1e-5, 1e-4, 1e-3, 1e-2}) {
    const auto problem = composite(heat(), spec("quadratic", {{"measure", Value("nodes")}}), weight);
    ASSERT_TRUE(solve("admm", *problem, 1e-4).converged()) << weight;
    smooth = std::min(smooth, error(*problem));
  }
  EXPECT_LT(error(*a), 0.9 * smooth);
}

/// A signal is heard inside of R's iterations, and what comes after does not wait for them.
TEST(Inversion, HearsAStopInsideTheProximalOperator) {
  class Late final : public Monitor {
   public:
    Verdict observe(std::int64_t, std::span<const Sample>) override { return Verdict::proceed; }
    Verdict poll() override { return ++polls > 3 ? Verdict::interrupted : Verdict::proceed; }
    int polls = 0;
  };
  for (const char* name : {"fista", "admm"}) {
    const auto problem = composite(heat(), spec("total-variation", {{"measure", Value("nodes")}}), 10.0);
    const std::vector<double> start = problem->host_x();
    Late monitor;
    const Report report = context().make<ProgramSolver>(spec(name, {{"tolerance", Value(1e-12)}}))->solve(*problem, monitor);
    EXPECT_EQ(report.status, Status::interrupted) << report.reason;
    EXPECT_EQ(problem->host_x(), start) << name;
    EXPECT_LT(report.value("dual_iterations"), 5000.0) << name;
  }
}

/// The conductivity in a heat equation (not convex), and one source for each time step.
TEST(Inversion, TakesParabolicProblems) {
  const auto conductivity =
      composite(spec("parabolic-control", {{"control", Value("conductivity")},
                                           {"size", Value(std::int64_t{5})},
                                           {"steps", Value(std::int64_t{4})},
                                           {"num_samples", Value(std::int64_t{4})},
                                           {"gradient_cost", Value(1e-3)}}),
                "total-variation", 0.1);
  const Report first = solve("fista", *conductivity, 1e-4);
  EXPECT_EQ(first.status, Status::converged) << first.reason;
  const auto source = composite(spec("parabolic-control", {{"size", Value(std::int64_t{8})},
                                                           {"steps", Value(std::int64_t{5})},
                                                           {"control_lower", Value(-1.0)},
                                                           {"control_upper", Value(4.0)}}),
                                spec("total-variation", {{"measure", Value("nodes")}}), 1e-5);
  EXPECT_EQ(source->num_unknowns(), 5 * 7 * 7);
  const Report second = solve("fista", *source, 1e-5);
  EXPECT_EQ(second.status, Status::converged) << second.reason;
  for (const double v : source->host_x()) ASSERT_TRUE(v >= -1.0 && v <= 4.0);
  EXPECT_GT(second.value("regularizer"), 0.0);
}

/// f in the parameter alone: exact derivatives, at fixed and at insulated walls.
TEST(Inversion, EliminatesTheStatesOfConductivities) {
  for (const char* observations : {"full", "points"}) {
    const auto problem = composite(
        spec("log-conductivity", {{"observations", Value(observations)}, {"size", Value(std::int64_t{8})}}),
        "total-variation", 1e-3);
    const Vector& x = problem->x();
    ProgramFunctions& f = problem->functions();
    const auto v = to_vector([&] {
      std::vector<double> values(static_cast<std::size_t>(x.local_size()));
      const RandomStream stream(4, "direction");
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.3 * stream.normal(i);
      return values;
    }());
    axpy(0.5, v, x);  // away from the start
    const Vector g = x.like("g"), Hv = x.like("Hv"), moved = x.like("moved"), up = x.like("up"),
                 down = x.like("down");
    f.gradient(x.view(), g.view());
    f.apply_hessian(x.view(), 1.0, problem->multipliers().view(), v.view(), Hv.view());
    const double h = 1e-4;
    const auto at = [&](double s, const Vector& gradient) {
      linear_combination(1.0, x, s, v, moved);
      f.gradient(moved.view(), gradient.view());
      return f.objective(moved.view());
    };
    const double difference = (at(h, up) - at(-h, down)) / (2.0 * h);
    EXPECT_NEAR(difference, dot(g, v), 1e-6 * std::abs(dot(g, v))) << observations;
    linear_combination(0.5 / h, up, -0.5 / h, down, moved);
    axpy(-1.0, Hv, moved);
    EXPECT_LT(norm2(moved), 1e-5 * norm2(Hv)) << observations;
  }
  const ComponentSpec f = spec("log-conductivity", {{"size", Value(std::int64_t{16})}, {"gradient_cost", Value(0.0)}});
  const auto problem = composite(f, spec("total-variation", {{"measure", Value("nodes")}}), 1e-5);
  const double before = measure(*problem, "objective");
  const Report report = solve("fista", *problem, 1e-5);
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_LT(report.value("objective"), 0.1 * before);
  EXPECT_GT(report.value("state_solves"), 0.0);
}

TEST(Inversion, NamesWhatCannotBeRegularized) {
  EXPECT_THROW((void)composite("poisson", "total-variation", 1.0), Unsupported);
}

}  // namespace
