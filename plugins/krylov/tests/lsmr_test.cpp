#include "krylov_test_support.hpp"

namespace krylov_test {
namespace {

/// ||A^T (b - A x) - d^2 x||, computed here.
double gradient_norm(const LinearSystem& system, double damping) {
  const auto x = test::to_host(system.x());
  const auto r = test::residual(dense(system), test::to_host(system.b()), x);
  std::vector<double> g = dense(system).adjoint_times(r);
  for (std::size_t i = 0; i < g.size(); ++i) g[i] -= damping * damping * x[i];
  return test::norm(g);
}

/// Fit of a constant c and a slope m to (0, 1), (1, 2), (2, 4): c = 5/6, m = 3/2.
TEST(Lsmr, FitsALine) {
  auto A =
      std::make_shared<test::DenseOperator>(3, 2, std::vector<double>{1, 0, 1, 1, 1, 2}, false);
  auto system = test::system_with(A, {1, 2, 4});
  const Report report = make("lsmr")->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_EQ(report.iterations, 2);  // two distinct singular values
  const auto x = test::to_host(system->x());
  EXPECT_NEAR(x[0], 5.0 / 6.0, 1e-7);
  EXPECT_NEAR(x[1], 3.0 / 2.0, 1e-7);
}

TEST(Lsmr, SolvesInconsistentLeastSquares) {
  auto A = test::random_with_singular_values(90, test::log_spectrum(40, 50.0), 1);
  auto system = test::system_with(A, test::random_vector(90, 2));
  const Report report = make("lsmr")->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  const double residual = report.value("residual_norm");
  EXPECT_GT(residual, 1.0);
  // ||A||_F is below sqrt(40) here.
  EXPECT_LE(gradient_norm(*system, 0.0), 1e-8 * std::sqrt(40.0) * residual);
  EXPECT_NEAR(report.value("normal_residual"), gradient_norm(*system, 0.0), 1e-10);
}

TEST(Lsmr, SolvesConsistentTallAndWideSystems) {
  for (const auto& [m, n] : {std::pair{70, 30}, {30, 70}, {40, 40}}) {
    auto A = test::random_with_singular_values(m, test::log_spectrum(n, 20.0), 3);
    auto system = test::consistent_system(A, 4);
    const Report report = make("lsmr")->solve(*system, Monitor::none());
    EXPECT_EQ(report.status, Status::converged) << report.reason;
    EXPECT_LE(true_relative_residual(*system), 1e-7) << m << " x " << n;
    if (m >= n) {
      EXPECT_LE(relative_error(*system), 1e-5);
    }
  }
}

/// From x = 0 the iterates stay in the range of A^T: of all solutions the shortest.
TEST(Lsmr, FindsTheShortestSolution) {
  auto A = std::make_shared<test::DenseOperator>(1, 3, std::vector<double>{1, 2, 2}, false);
  auto system = test::system_with(A, {9});
  EXPECT_TRUE(make("lsmr")->solve(*system, Monitor::none()).converged());
  const auto x = test::to_host(system->x());
  EXPECT_NEAR(x[0], 1.0, 1e-12);
  EXPECT_NEAR(x[1], 2.0, 1e-12);
  EXPECT_NEAR(x[2], 2.0, 1e-12);
}

/// (A^T A + d^2) x = A^T b for A = diag(1, 2), b = (1, 1), d = 1: x = (1/2, 2/5).
TEST(Lsmr, DampsAsTikhonovDoes) {
  auto A = std::make_shared<test::DenseOperator>(2, 2, std::vector<double>{1, 0, 0, 2}, true);
  auto system = test::system_with(A, {1, 1});
  const Report report = make("lsmr", option("damping", 1.0, option("relative_tolerance", 1e-12)))
                            ->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  const auto x = test::to_host(system->x());
  EXPECT_NEAR(x[0], 0.5, 1e-12);
  EXPECT_NEAR(x[1], 0.4, 1e-12);

  auto larger =
      test::system_with(test::random_with_singular_values(60, test::log_spectrum(40, 1e6), 5),
                        test::random_vector(60, 6));
  const Report damped = make("lsmr", option("damping", 0.1))->solve(*larger, Monitor::none());
  EXPECT_EQ(damped.status, Status::converged) << damped.reason;
  EXPECT_LE(gradient_norm(*larger, 0.1), 1e-7);
}

TEST(Lsmr, GradientFallsFromStepToStepAndTheResidualIsTheTrueOne) {
  for (std::int64_t steps = 1; steps <= 15; ++steps) {
    auto A = test::random_with_singular_values(50, test::log_spectrum(30, 100.0), 7);
    auto system = test::system_with(A, test::random_vector(50, 8));
    test::RecordingMonitor monitor;
    const Report report = make("lsmr", option("max_iterations", steps))->solve(*system, monitor);
    ASSERT_EQ(report.iterations, steps);
    EXPECT_NEAR(monitor.first_values.back(), report.value("residual_norm"),
                1e-10 * report.value("residual_norm"));
    EXPECT_EQ(monitor.names.back(), "normal_residual");
  }
}

/// b orthogonal to the range: x = 0 is the answer, and it is there from the start.
TEST(Lsmr, RightHandSideOrthogonalToTheRange) {
  auto A =
      std::make_shared<test::DenseOperator>(3, 2, std::vector<double>{1, 0, 0, 1, 0, 0}, false);
  auto system = test::system_with(A, {0, 0, 5});
  const Report report = make("lsmr")->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_EQ(report.iterations, 0);
  EXPECT_EQ(test::norm(test::to_host(system->x())), 0.0);
}

/// The other methods name lsmr when they are given a rectangular operator.
TEST(Lsmr, IsWhatTheOthersPointTo) {
  auto A = test::random_with_singular_values(7, test::log_spectrum(4, 2.0), 9);
  for (const char* name : {"cg", "flexible-cg", "minres", "gmres", "bicgstab"}) {
    auto system = test::consistent_system(A, 10);
    try {
      (void)make(name)->solve(*system, Monitor::none());
      FAIL() << name;
    } catch (const Unsupported& e) {
      EXPECT_TRUE(contains(e.what(), "lsmr")) << e.what();
      EXPECT_TRUE(contains(e.what(), "7 x 4")) << e.what();
    }
  }
}

}  // namespace
}  // namespace krylov_test
