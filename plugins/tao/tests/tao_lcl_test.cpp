#include "tao_lcl.hpp"

#include <gtest/gtest.h>

#include <libsolve/core/errors.hpp>
#include <libsolve/plugin/loader.hpp>
#include <tests/support/small_programs.hpp>

namespace {

using namespace libsolve;
using tao::TaoLcl;
using tao::TaoLclOptions;

std::unique_ptr<NonlinearProgram> points(const Context& context) {
  ComponentSpec spec("log-conductivity");
  spec.options.set("observations", Value("points"));
  spec.options.set("size", Value(std::int64_t{8}));
  spec.options.set("num_sources", Value(std::int64_t{2}));
  spec.options.set("start", Value("state"));
  auto problem = context.make<ProblemSource>(spec)->create();
  return std::unique_ptr<NonlinearProgram>(dynamic_cast<NonlinearProgram*>(problem.release()));
}

/// Near the minimum that Newton's method finds; its own tests are loose.
TEST(TaoLcl, ComesNearTheMinimumOfNewtonsMethod) {
  Registry registry;
  load_plugins(registry, {.files = {}, .path = "", .installed_folder = std::nullopt});
  const Context context{.registry = &registry};
  const auto problem = points(context), other = points(context);
  const Report report = TaoLcl({}, context).solve(*problem, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_GT(report.value("state_solves"), 0.0);
  EXPECT_GT(report.value("adjoint_solves"), 0.0);
  EXPECT_GT(report.value("krylov_iterations"), report.value("linear_pde_solves"));
  EXPECT_DOUBLE_EQ(problem->kkt_residual().largest(), report.value("kkt_residual"));
  const auto newton = context.make<ProgramSolver>(ComponentSpec("reduced-newton-cg"));
  const Report exact = newton->solve(*other, Monitor::none());
  ASSERT_EQ(exact.status, Status::converged) << exact.reason;
  const double J = problem->functions().objective(problem->x().view());
  const double least = other->functions().objective(other->x().view());
  EXPECT_NEAR(J / least, 1.0, 0.02);
}

TEST(TaoLcl, RefusesOtherPrograms) {
  NonlinearProgram circle = test::nearest_on_circle();
  EXPECT_THROW((void)TaoLcl({}, {}).solve(circle, Monitor::none()), Unsupported);
}

}  // namespace
