#include "krylov_test_support.hpp"

namespace krylov_test {
namespace {

/// [0 1; 1 0] x = (1, 2): CG fails at once (p^T A p may vanish), MINRES needs two steps.
TEST(Minres, SolvesTwoIndefiniteUnknownsInTwoSteps) {
  auto A = std::make_shared<test::DenseOperator>(2, 2, std::vector<double>{0, 1, 1, 0}, true);
  auto system = test::system_with(A, {1, 2});
  const Report report = make("minres")->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_EQ(report.iterations, 2);
  const auto x = test::to_host(system->x());
  EXPECT_NEAR(x[0], 2.0, 1e-14);
  EXPECT_NEAR(x[1], 1.0, 1e-14);
}

/// Four distinct eigenvalues, two of them negative: four steps.
TEST(Minres, NeedsOneStepForEachDistinctEigenvalue) {
  std::vector<double> spectrum(40, 1.0);
  for (std::size_t i = 0; i < 10; ++i) spectrum[i] = -1.0;
  for (std::size_t i = 10; i < 20; ++i) spectrum[i] = 3.0;
  for (std::size_t i = 20; i < 30; ++i) spectrum[i] = -2.0;
  auto system = test::consistent_system(test::random_symmetric(spectrum, 1), 2);
  const Report report =
      make("minres", option("relative_tolerance", 1e-11))->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_EQ(report.iterations, 4);
}

TEST(Minres, SolvesIndefiniteSystemsAndItsResidualIsTheTrueOne) {
  auto system = test::consistent_system(test::random_indefinite(80, 100.0, 3), 4);
  test::RecordingMonitor monitor;
  const Report report = make("minres")->solve(*system, monitor);
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_LE(true_relative_residual(*system), 1e-8);
  EXPECT_NEAR(report.value("relative_residual"), true_relative_residual(*system), 1e-12);
  for (std::size_t k = 1; k < monitor.first_values.size(); ++k)
    EXPECT_LE(monitor.first_values[k], monitor.first_values[k - 1] * (1.0 + 1e-12));
}

/// The same iterates as CG's error bound does not apply to; here only that the 2-norm residual
/// carried along with a preconditioner is the true one: cut after every number of steps.
TEST(Minres, CarriesTheTwoNormResidualWithAPreconditioner) {
  for (std::int64_t steps = 1; steps <= 12; ++steps) {
    auto system = test::consistent_system(test::random_spd(40, 100.0, 5), 6);
    test::RecordingMonitor monitor;
    const Report report =
        make("minres", with_preconditioner("diagonal", option("max_iterations", steps)))
            ->solve(*system, monitor);
    ASSERT_EQ(report.iterations, steps);
    const double b_norm = test::norm(test::to_host(system->b()));
    EXPECT_NEAR(monitor.first_values.back() / b_norm, true_relative_residual(*system), 1e-10);
  }
}

TEST(Minres, ConvergesWithAPreconditioner) {
  auto system = test::consistent_system(test::random_spd(60, 1e3, 7), 8);
  const Report report =
      make("minres", with_preconditioner("diagonal"))->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_LE(true_relative_residual(*system), 1e-8);
}

TEST(Minres, RefusesAPreconditionerItCannotUse) {
  auto system = test::consistent_system(test::random_spd(10, 10.0, 9), 10);
  for (const char* kind : {"varying", "unsymmetric"}) {
    const auto solver = make("minres", with_preconditioner(kind));
    try {
      (void)solver->solve(*system, Monitor::none());
      FAIL() << kind;
    } catch (const Unsupported& e) {
      EXPECT_TRUE(contains(e.what(), "'test'")) << e.what();
      EXPECT_TRUE(contains(e.what(), "gmres")) << e.what();
    }
  }
}

TEST(Minres, IndefinitePreconditionerIsABreakdown) {
  auto A = std::make_shared<test::DenseOperator>(2, 2, std::vector<double>{1, 0, 0, 1}, true);
  auto system = test::system_with(A, {2, 1});
  const Report report =
      make("minres", with_preconditioner("indefinite"))->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::breakdown);
  EXPECT_TRUE(contains(report.reason, "r^T M r = -3.00e+00 at iteration 1")) << report.reason;
}

/// diag(1, 2, 0) x = (1, 2, 1): no solution; the residual that is left is (0, 0, 1).
TEST(Minres, InconsistentSingularSystemStagnatesAtTheLeastResidual) {
  auto A = std::make_shared<test::DenseOperator>(
      3, 3, std::vector<double>{1, 0, 0, 0, 2, 0, 0, 0, 0}, true);
  auto system = test::system_with(A, {1, 2, 1});
  const Report report = make("minres")->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::stagnated) << report.reason;
  EXPECT_TRUE(contains(report.reason, "not in the range")) << report.reason;
  EXPECT_NEAR(report.value("residual_norm"), 1.0, 1e-12);
}

}  // namespace
}  // namespace krylov_test
