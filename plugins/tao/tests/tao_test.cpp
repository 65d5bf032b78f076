#include <gtest/gtest.h>

#include <libsolve/core/errors.hpp>
#include <libsolve/plugin/loader.hpp>
#include <tests/support/monitors.hpp>
#include <tests/support/small_programs.hpp>

#include "tao_method.hpp"

namespace {

using namespace libsolve;
using tao::TaoMethod;
using tao::TaoOptions;

Report solve(NonlinearProgram& problem, const TaoOptions& options = {},
             Monitor& monitor = Monitor::none()) {
  return TaoMethod(options, {}).solve(problem, monitor);
}

TEST(Tao, SolvesEqualityProblemsBothWays) {
  for (const char* algorithm : {"almm", "pdipm"}) {
    NonlinearProgram problem = test::nearest_on_circle();
    const Report report = solve(problem, {.algorithm = algorithm});
    EXPECT_EQ(report.status, Status::converged) << algorithm << ": " << report.reason;
    EXPECT_NEAR(problem.host_x()[0], 2.0 / std::sqrt(5.0), 1e-6) << algorithm;
    EXPECT_NEAR(problem.host_multipliers()[0], std::sqrt(5.0) - 1.0, 1e-5) << algorithm;
    EXPECT_DOUBLE_EQ(problem.kkt_residual().largest(), report.value("kkt_residual"));
  }
}

/// The disc inside of the circle: its bound is an upper one, lambda > 0.
TEST(Tao, SignsMultipliersOfInequalitiesAsWeDo) {
  for (const char* algorithm : {"almm", "pdipm"}) {
    const NonlinearProgram circle = test::nearest_on_circle();
    NonlinearProgram disc(circle.shared_functions(), test::free_bounds(2), {{-INFINITY}, {0.0}},
                          {0.2, 0.1});
    const Report report = solve(disc, {.algorithm = algorithm});
    EXPECT_EQ(report.status, Status::converged) << algorithm << ": " << report.reason;
    EXPECT_NEAR(disc.host_multipliers()[0], std::sqrt(5.0) - 1.0, 1e-4) << algorithm;
  }
}

/// Bounds, an inequality and an equality at once; multipliers in our signs.
TEST(Tao, SolvesHs71WithThePenaltyMethod) {
  NonlinearProgram problem = test::hs71();
  const Report report = solve(problem, {.tolerance = 1e-5});
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_NEAR(report.value("objective"), 17.0140173, 1e-3);
  EXPECT_LT(problem.host_multipliers()[0], -0.1);
  EXPECT_LT(problem.host_bound_multipliers()[0], -0.1);
  EXPECT_GT(report.value("inner_iterations"), 0.0);
}

TEST(Tao, SolvesHs71WithTheBarrierOrSaysThatItDoesNot) {
  NonlinearProgram problem = test::hs71();
  const Report report = solve(problem, {.algorithm = "pdipm"});
  if (report.converged())
    EXPECT_NEAR(report.value("objective"), 17.0140173, 1e-5);
  else
    EXPECT_GT(problem.kkt_residual().largest(), 1e-6) << report.reason;
}

TEST(Tao, SolvesBoundsAlone) {
  NonlinearProgram problem = test::fixed_and_bounded();
  const Report report = solve(problem);
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  const double z[] = {-2.0, 1.0, 0.0};
  for (std::size_t j = 0; j < 3; ++j) EXPECT_NEAR(problem.host_bound_multipliers()[j], z[j], 1e-5);
}

TEST(Tao, IsNeverConvergedWhereThereIsNoSolution) {
  for (const char* algorithm : {"almm", "pdipm"}) {
    NonlinearProgram infeasible = test::infeasible_circle();
    EXPECT_FALSE(solve(infeasible, {.max_iterations = 20, .algorithm = algorithm}).converged());
    NonlinearProgram undefined = test::with_logarithm(-1.0);
    EXPECT_FALSE(solve(undefined, {.max_iterations = 20, .algorithm = algorithm}).converged());
  }
}

TEST(Tao, StopsWhenToldAndAtTheLimit) {
  NonlinearProgram problem = test::hs71();
  test::RecordingMonitor monitor(1, Verdict::interrupted);
  EXPECT_EQ(solve(problem, {}, monitor).status, Status::interrupted);
  EXPECT_EQ(monitor.names.front(), "kkt_residual");
  NonlinearProgram other = test::hs71();
  EXPECT_EQ(solve(other, {.max_iterations = 1}).status, Status::max_iterations);
}

/// Says stop when it is polled, as it would be where TAO's own monitors are not called.
class PollOnly final : public Monitor {
 public:
  Verdict observe(std::int64_t, std::span<const Sample>) override { return Verdict::proceed; }
  Verdict poll() override { return ++polls_ > 3 ? Verdict::time_limit : Verdict::proceed; }

 private:
  int polls_ = 0;
};

/// A control with bounds, on which PDIPM's systems cannot be solved near the minimum.
std::unique_ptr<NonlinearProgram> bounded_control(const Context& context) {
  ComponentSpec spec("poisson-control");
  spec.options.set("size", Value(16));
  spec.options.set("beta", Value(1e-6));
  spec.options.set("convention", Value("half-beta"));
  spec.options.set("target", Value("sin(2*pi*x) * sin(2*pi*y) * exp(2*x) / 6"));
  spec.options.set("boundary", Value("zero"));
  spec.options.set("control_upper", Value(0.0));
  auto problem = context.make<ProblemSource>(spec)->create();
  return std::unique_ptr<NonlinearProgram>(dynamic_cast<NonlinearProgram*>(problem.release()));
}

TEST(Tao, EndsWhereTheBarriersSystemsCannotBeSolved) {
  Registry registry;
  load_plugins(registry, {.files = {}, .path = "", .installed_folder = std::nullopt});
  const Context context{.registry = &registry};
  const auto problem = bounded_control(context);
  const Report report = solve(*problem, {.algorithm = "pdipm"});
  EXPECT_TRUE(report.status == Status::converged || report.status == Status::breakdown)
      << report.reason;
  PollOnly monitor;
  const auto other = bounded_control(context);
  EXPECT_EQ(solve(*other, {.algorithm = "pdipm"}, monitor).status, Status::time_limit);
}

TEST(Tao, RefusesOptionsThatNothingUses) {
  NonlinearProgram problem = test::nearest_on_circle();
  EXPECT_EQ(solve(problem, {.options = "-tao_almm_mu_init 5"}).status, Status::converged);
  EXPECT_THROW((void)solve(problem, {.options = "-tao_alm_mu_init 5"}), InputError);
}

TEST(Tao, PassesExceptionsOfTheFunctionsOn) {
  test::SmallProgram::Parts parts;
  parts.f = [](auto) -> double { throw IoError("the simulation is gone"); };
  NonlinearProgram problem(std::make_shared<test::SmallProgram>(1, 0, parts), test::free_bounds(1),
                           {}, {0.0});
  EXPECT_THROW((void)solve(problem), IoError);
}

}  // namespace
