#include "krylov_test_support.hpp"

namespace krylov_test {
namespace {

class ConjugateGradients : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Krylov, ConjugateGradients, ::testing::Values("cg", "flexible-cg"),
                         [](const auto& info) {
                           return std::string(info.param) == "cg" ? "cg" : "flexible_cg";
                         });

/// A = [4 1; 1 3], b = (1, 2): x = (1/11, 7/11). CG needs at most two steps for two unknowns.
TEST_P(ConjugateGradients, SolvesTwoUnknownsInTwoSteps) {
  auto A = std::make_shared<test::DenseOperator>(2, 2, std::vector<double>{4, 1, 1, 3}, true);
  auto system = test::system_with(A, {1, 2});
  const Report report =
      make(GetParam(), option("relative_tolerance", 1e-14))->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_EQ(report.iterations, 2);
  const auto x = test::to_host(system->x());
  EXPECT_NEAR(x[0], 1.0 / 11.0, 1e-15);
  EXPECT_NEAR(x[1], 7.0 / 11.0, 1e-15);
}

/// With k distinct eigenvalues the minimal polynomial has degree k, so CG ends after k steps.
TEST_P(ConjugateGradients, NeedsOneStepForEachDistinctEigenvalue) {
  std::vector<double> spectrum(60, 1.0);
  for (std::size_t i = 0; i < 20; ++i) spectrum[i] = 2.0;
  for (std::size_t i = 20; i < 30; ++i) spectrum[i] = 5.0;
  auto system = test::consistent_system(test::random_symmetric(spectrum, 1), 2);
  const Report report =
      make(GetParam(), option("relative_tolerance", 1e-12))->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_EQ(report.iterations, 3);
}

/// ||e_k||_A <= 2 q^k ||e_0||_A, q = (sqrt(c) - 1) / (sqrt(c) + 1); in 2-norm residuals a factor
/// sqrt(c) more. For c = 100, tolerance 1e-8: k <= log(2 sqrt(c) 1e8) / -log(q) = 107.
TEST_P(ConjugateGradients, ConvergesWithinTheChebyshevBound) {
  auto system = test::consistent_system(test::random_spd(200, 100.0, 3), 4);
  const Report report = make(GetParam())->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_LE(report.iterations, 107);
  EXPECT_LE(true_relative_residual(*system), 1e-8);
  EXPECT_NEAR(report.value("relative_residual"), true_relative_residual(*system), 1e-12);
  EXPECT_LE(relative_error(*system), 100.0 * 1e-8);
}

/// M = A^-1: one step.
TEST_P(ConjugateGradients, ExactPreconditionerNeedsOneStep) {
  auto system = test::consistent_system(test::random_spd(40, 1e4, 5), 6);
  const Report report =
      make(GetParam(), with_preconditioner("inverse"))->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_EQ(report.iterations, 1);
  EXPECT_LE(true_relative_residual(*system), 1e-8);
}

/// From x = 0: one product per step and one for the true residual, one M per step (none after the
/// last).
TEST_P(ConjugateGradients, AppliesNothingMoreThanNeeded) {
  auto A = test::random_spd(50, 50.0, 7);
  auto system = test::consistent_system(A, 8);
  const std::int64_t before = A->num_applications();
  const Report report =
      make(GetParam(), with_preconditioner("diagonal"))->solve(*system, Monitor::none());
  ASSERT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_EQ(A->num_applications() - before, report.iterations + 1);
  EXPECT_EQ(report.value("operator_applications"), report.iterations + 1.0);
  EXPECT_EQ(report.value("preconditioner_applications"), static_cast<double>(report.iterations));
}

TEST_P(ConjugateGradients, VaryingPreconditionerConverges) {
  auto system = test::consistent_system(test::random_spd(60, 100.0, 9), 10);
  const Report report =
      make(GetParam(), with_preconditioner("varying"))->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_LE(true_relative_residual(*system), 1e-8);
  const bool told = !report.notes.empty() && contains(report.notes[0], "flexible-cg");
  EXPECT_EQ(told, std::string(GetParam()) == "cg") << "only cg has something to tell";
}

TEST_P(ConjugateGradients, UnsymmetricPreconditionerIsHandledByTheFlexibleForm) {
  auto system = test::consistent_system(test::random_spd(30, 10.0, 11), 12);
  const Report report =
      make(GetParam(), with_preconditioner("unsymmetric"))->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_LE(true_relative_residual(*system), 1e-8);
}

/// diag(1, -1), b = (1, 2): p = b, p^T A p = 1 - 4 = -3 at the first iteration.
TEST_P(ConjugateGradients, IndefiniteOperatorIsABreakdownWithNumbers) {
  auto A = std::make_shared<test::DenseOperator>(2, 2, std::vector<double>{1, 0, 0, -1}, true);
  auto system = test::system_with(A, {1, 2});
  const Report report = make(GetParam())->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::breakdown);
  EXPECT_EQ(report.reason,
            "p^T A p = -3.00e+00 at iteration 1: the operator is not positive definite; use minres "
            "or gmres");
  EXPECT_EQ(report.iterations, 0);
}

TEST_P(ConjugateGradients, DeclaredUnsymmetricOperatorIsRefusedBeforeIterating) {
  auto A = test::random_unsymmetric(20, 13);
  auto system = test::consistent_system(A, 14);
  const Report report = make(GetParam())->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::breakdown);
  EXPECT_TRUE(contains(report.reason, "not symmetric; use gmres or bicgstab")) << report.reason;
  EXPECT_EQ(report.iterations, 0);
  EXPECT_DOUBLE_EQ(report.value("relative_residual"), 1.0);
}

TEST_P(ConjugateGradients, IndefinitePreconditionerIsABreakdown) {
  auto A = std::make_shared<test::DenseOperator>(2, 2, std::vector<double>{1, 0, 0, 1}, true);
  auto system = test::system_with(A, {2, 1});
  const Report report =
      make(GetParam(), with_preconditioner("indefinite"))->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::breakdown);
  EXPECT_TRUE(contains(report.reason, "r^T M r = -3.00e+00 at iteration 1")) << report.reason;
  EXPECT_TRUE(contains(report.reason, "'test' is not positive definite")) << report.reason;
}

TEST_P(ConjugateGradients, NaNFromThePreconditionerIsTold) {
  auto system = test::consistent_system(test::random_spd(10, 10.0, 15), 16);
  const Report report =
      make(GetParam(), with_preconditioner("nan"))->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::non_finite);
  EXPECT_TRUE(contains(report.reason, "preconditioner 'test'")) << report.reason;
}

TEST_P(ConjugateGradients, FailedPreconditionerSetupIsABreakdown) {
  auto system = test::consistent_system(test::random_spd(10, 10.0, 15), 16);
  const Report report =
      make(GetParam(), with_preconditioner("breaks-down"))->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::breakdown);
  EXPECT_EQ(report.reason, "zero pivot in row 3; add a shift");
}

/// A tolerance below what rounding allows: stagnated, with the true residual's size.
TEST_P(ConjugateGradients, ToleranceBelowRoundingStagnates) {
  auto system = test::consistent_system(test::random_spd(60, 1e6, 17), 18);
  const Report report =
      make(GetParam(), option("max_iterations", 100000, option("relative_tolerance", 1e-19)))
          ->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::stagnated) << report.reason;
  EXPECT_TRUE(contains(report.reason, "rounding allows no more")) << report.reason;
  EXPECT_LE(true_relative_residual(*system), 1e-12);
}

/// The path graph's Laplacian has the constants as null space; b with mean 1 is inconsistent.
TEST_P(ConjugateGradients, SingularSystemIsProjected) {
  auto A = test::path_laplacian(40);
  std::vector<double> b = test::random_vector(40, 19);
  double mean = 0.0;
  for (const double v : b) mean += v / 40.0;
  for (double& v : b) v += 1.0 - mean;
  auto system = test::system_with(A, b);
  system->null_space = NullSpace::constants(A->row_partition());
  const Report report = make(GetParam())->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  ASSERT_EQ(report.notes.size(), 1u);
  EXPECT_TRUE(contains(report.notes[0], "a part of norm 6.32e+00")) << report.notes[0];  // sqrt(40)
  EXPECT_EQ(test::to_host(system->b()), b) << "b belongs to the caller";
  for (double& v : b) v -= 1.0;
  const auto x = test::to_host(system->x());
  EXPECT_LE(test::norm(test::residual(*A, b, x)), 1e-8 * test::norm(b));
  double sum = 0.0;
  for (const double v : x) sum += v;
  EXPECT_NEAR(sum, 0.0, 1e-11 * test::norm(x)) << "x is orthogonal to the null space";
}

TEST_P(ConjugateGradients, StartsFromTheGivenGuess) {
  auto system = test::consistent_system(test::random_spd(50, 100.0, 20), 21);
  test::assign(system->x(), test::to_host(*system->exact_solution));
  const Report report = make(GetParam())->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_EQ(report.iterations, 0);
}

TEST_P(ConjugateGradients, PreparesOncePerOperator) {
  auto A = test::random_spd(30, 10.0, 22);
  auto first = test::consistent_system(A, 23);
  auto second = test::consistent_system(A, 24);
  const auto solver = make(GetParam(), with_preconditioner("diagonal"));
  TestPreconditioner::num_setups = 0;
  EXPECT_TRUE(solver->solve(*first, Monitor::none()).converged());
  EXPECT_TRUE(solver->solve(*second, Monitor::none()).converged());
  EXPECT_EQ(TestPreconditioner::num_setups, 1);
  auto third = test::consistent_system(test::random_spd(31, 10.0, 25), 26);
  EXPECT_TRUE(solver->solve(*third, Monitor::none()).converged());
  EXPECT_EQ(TestPreconditioner::num_setups, 2);
}

TEST_P(ConjugateGradients, ReportsMemoryAndWhatThePreconditionerSays) {
  auto system = test::consistent_system(test::random_spd(30, 10.0, 27), 28);
  const Report report =
      make(GetParam(), with_preconditioner("diagonal"))->solve(*system, Monitor::none());
  EXPECT_EQ(report.value("memory_bytes"), 4 * 8 * 30 + 1000.0);  // r, p, q, z and M's own
  EXPECT_EQ(report.value("levels"), 3.0);
  ASSERT_EQ(report.notes.size(), 1u);
  EXPECT_EQ(report.notes[0], "a note of the preconditioner");
}

}  // namespace
}  // namespace krylov_test
