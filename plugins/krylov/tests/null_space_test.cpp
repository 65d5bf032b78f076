#include "krylov_test_support.hpp"

/// Singular systems with a known null space, in every method.
namespace krylov_test {
namespace {

class SingularSystems : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Krylov, SingularSystems,
                         ::testing::Values("cg", "flexible-cg", "minres", "gmres", "bicgstab",
                                           "lsmr"),
                         [](const auto& info) {
                           return std::string(info.param) == "flexible-cg" ? "flexible_cg"
                                                                           : info.param;
                         });

/// The path graph's Laplacian has the constants as null space; b with mean 1 has a part of norm
/// sqrt(n) = 5 that no x reaches.
TEST_P(SingularSystems, InconsistentPartIsTakenOutAndTold) {
  auto A = test::path_laplacian(25);
  std::vector<double> b = test::random_vector(25, 19);
  double mean = 0.0;
  for (const double v : b) mean += v / 25.0;
  for (double& v : b) v += 1.0 - mean;
  auto system = test::system_with(A, b);
  system->null_space = NullSpace::constants(A->row_partition());
  const Report report = make(GetParam())->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  ASSERT_EQ(report.notes.size(), 1u);
  EXPECT_TRUE(contains(report.notes[0], "a part of norm 5.00e+00")) << report.notes[0];
  EXPECT_EQ(test::to_host(system->b()), b) << "b belongs to the caller";
  for (double& v : b) v -= 1.0;
  const auto x = test::to_host(system->x());
  EXPECT_LE(test::norm(test::residual(*A, b, x)), 1e-7 * test::norm(b));
  double sum = 0.0;
  for (const double v : x) sum += v;
  EXPECT_NEAR(sum, 0.0, 1e-10 * test::norm(x)) << "x is orthogonal to the null space";
}

TEST_P(SingularSystems, RightHandSideInTheNullSpaceGivesZero) {
  auto A = test::path_laplacian(16);
  auto system = test::system_with(A, std::vector<double>(16, 0.1));
  system->null_space = NullSpace::constants(A->row_partition());
  const Report report = make(GetParam())->solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_EQ(report.iterations, 0);
  EXPECT_EQ(test::norm(test::to_host(system->x())), 0.0);
}

}  // namespace
}  // namespace krylov_test
