#include "krylov_test_support.hpp"

/// gmres and bicgstab: square operators of any kind.
namespace krylov_test {
namespace {

class Unsymmetric : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Krylov, Unsymmetric, ::testing::Values("gmres", "bicgstab"),
                         [](const auto& info) { return std::string(info.param); });

/// A = [1 1; 0 2], b = (3, 4): x = (1, 2). The minimal polynomial has degree two.
TEST_P(Unsymmetric, SolvesTwoUnknownsInTwoSteps) {
  auto A = std::make_shared<test::DenseOperator>(2, 2, std::vector<double>{1, 1, 0, 2}, false);
  auto system = test::system_with(A, {3, 4});
  const Report report =
      make(GetParam(), option("relative_tolerance", 1e-13))->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_LE(report.iterations, 2);
  const auto x = test::to_host(system->x());
  EXPECT_NEAR(x[0], 1.0, 1e-12);
  EXPECT_NEAR(x[1], 2.0, 1e-12);
}

/// ||I - A|| is about 1/2 (the circle law), so Richardson would gain a bit a step and GMRES no
/// less.
TEST_P(Unsymmetric, SolvesRandomSystems) {
  auto system = test::consistent_system(test::random_unsymmetric(100, 1), 2);
  const Report report = make(GetParam())->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_LE(report.iterations, 40);
  EXPECT_LE(true_relative_residual(*system), 1e-8);
  EXPECT_NEAR(report.value("relative_residual"), true_relative_residual(*system), 1e-12);
  EXPECT_LE(relative_error(*system), 1e-6);
}

TEST_P(Unsymmetric, ExactPreconditionerNeedsOneStep) {
  auto system = test::consistent_system(test::random_unsymmetric(30, 3), 4);
  const Report report =
      make(GetParam(), with_preconditioner("inverse"))->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_EQ(report.iterations, 1);
  EXPECT_LE(true_relative_residual(*system), 1e-8);
}

TEST_P(Unsymmetric, UnsymmetricPreconditionerIsFine) {
  auto system = test::consistent_system(test::random_unsymmetric(60, 5), 6);
  const Report report =
      make(GetParam(), with_preconditioner("unsymmetric"))->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_LE(true_relative_residual(*system), 1e-8);
}

TEST_P(Unsymmetric, NaNInTheOperatorIsTold) {
  auto A = test::random_unsymmetric(20, 7);
  (*A)(3, 4) = std::nan("");
  auto system = test::system_with(A, test::random_vector(20, 8));
  const Report report = make(GetParam())->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::non_finite);
  EXPECT_TRUE(contains(report.reason, "at iteration 1: the operator returned NaN"))
      << report.reason;
}

/// A rotation by 90 degrees: A v is orthogonal to v, r0^T A r0 = 0.
TEST(Bicgstab, BreakdownIsTriedAgainThenTold) {
  auto A = std::make_shared<test::DenseOperator>(2, 2, std::vector<double>{0, 1, -1, 0}, false);
  auto system = test::system_with(A, {1, 0});
  const Report report = make("bicgstab")->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::breakdown);
  EXPECT_TRUE(contains(report.reason, "use gmres")) << report.reason;
}

/// The cyclic shift of n unknowns, b = e_1: GMRES makes no progress before step n, then ends
/// (Nachtigal, Reddy, Trefethen 1992).
TEST(Gmres, CyclicShiftNeedsAllSteps) {
  const Index n = 12;
  auto A = std::make_shared<test::DenseOperator>(n, n, std::vector<double>(144, 0.0), false);
  for (Index i = 0; i < n; ++i) (*A)(i, (i + 1) % n) = 1.0;
  std::vector<double> b(12, 0.0);
  b[0] = 1.0;
  auto system = test::system_with(A, b);
  const Report report = make("gmres")->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_EQ(report.iterations, n);

  auto again = test::system_with(A, b);
  const Report stuck = make("gmres", option("restart", 5))->solve(*again, Monitor::none());
  EXPECT_EQ(stuck.status, Status::stagnated) << stuck.reason;
  EXPECT_TRUE(contains(stuck.reason, "gmres(5)")) << stuck.reason;
  EXPECT_TRUE(contains(stuck.reason, "raise 'restart'")) << stuck.reason;
}

TEST(Gmres, ResidualFallsFromStepToStepAcrossRestarts) {
  auto system = test::consistent_system(test::random_spd(100, 300.0, 9), 10);
  test::RecordingMonitor monitor;
  const Report report =
      make("gmres", option("restart", 17, option("max_iterations", 2000)))->solve(*system, monitor);
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_GT(report.iterations, 17);
  EXPECT_LE(true_relative_residual(*system), 1e-8);
  for (std::size_t k = 1; k < monitor.first_values.size(); ++k)
    EXPECT_LE(monitor.first_values[k], monitor.first_values[k - 1] * (1.0 + 1e-8)) << k;
}

/// Condition number 1e10: modified Gram-Schmidt would lose orthogonality; the recurrence's residual
/// stays the true one.
TEST(Gmres, StaysOrthogonalOnIllConditionedSystems) {
  auto system = test::consistent_system(test::random_spd(60, 1e10, 11), 12);
  test::RecordingMonitor monitor;
  const Report report = make("gmres", option("restart", 60, option("relative_tolerance", 1e-12)))
                            ->solve(*system, monitor);
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_LE(report.iterations, 60);
  EXPECT_LE(true_relative_residual(*system), 1e-12);
}

TEST(Gmres, VaryingPreconditionerMakesItFlexibleAndItSaysSo) {
  auto system = test::consistent_system(test::random_unsymmetric(60, 13), 14);
  const Report report =
      make("gmres", with_preconditioner("varying"))->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_LE(true_relative_residual(*system), 1e-8);
  ASSERT_FALSE(report.notes.empty());
  EXPECT_TRUE(contains(report.notes[0], "flexible GMRES")) << report.notes[0];
}

/// diag(1, 0), b = (1, 1): no solution.
TEST(Gmres, SingularInconsistentSystemDoesNotConverge) {
  auto A = std::make_shared<test::DenseOperator>(2, 2, std::vector<double>{1, 0, 0, 0}, false);
  auto system = test::system_with(A, {1, 1});
  const Report report = make("gmres")->solve(*system, Monitor::none());
  EXPECT_NE(report.status, Status::converged);
  EXPECT_NE(report.status, Status::non_finite);
  EXPECT_GE(report.value("residual_norm"), 1.0 - 1e-12);
}

}  // namespace
}  // namespace krylov_test
