#include "sor.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <numbers>
#include <tests/support/preconditioners.hpp>

namespace {

using namespace libsolve;
using relaxation::Sor;

std::vector<double> host_values(const Vector& v) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v.view());
  return {host.data(), host.data() + host.extent(0)};
}

LinearSystem system_of(const std::shared_ptr<const LinearOperator>& A) {
  const auto n = static_cast<Index>(A->num_rows());
  return {A, test::to_vector(test::random_values(n, 3)),
          test::to_vector(std::vector<double>(static_cast<size_t>(n), 0.0))};
}

/// One iteration is one pass of x_i += omega (b_i - sum_j a_ij x_j) / a_ii over the rows in order.
TEST(Sor, IterationIsASweepOverTheRows) {
  const auto A = test::random_spd(30, 5);
  const test::Dense D = test::to_dense(*A);
  for (const double omega : {0.7, 1.0, 1.6}) {
    LinearSystem system = system_of(A);
    const std::vector<double> b = host_values(system.b());
    std::vector<double> x(30, 0.0);
    for (int sweep = 0; sweep < 3; ++sweep)
      for (size_t i = 0; i < 30; ++i) {
        double r = b[i];
        for (size_t j = 0; j < 30; ++j) r -= D[i][j] * x[j];
        x[i] += omega * r / D[i][i];
      }
    Sor sor({.stopping = {.max_iterations = 3}, .omega = omega}, {});
    const Report report = sor.solve(system, Monitor::none());
    EXPECT_EQ(report.status, Status::max_iterations);
    EXPECT_EQ(report.iterations, 3);
    const std::vector<double> got = host_values(system.x());
    for (size_t i = 0; i < 30; ++i) EXPECT_NEAR(got[i], x[i], 1e-13) << omega;
  }
}

int iterations(const std::shared_ptr<const LinearOperator>& A, double omega,
               const std::string& ordering) {
  LinearSystem system = system_of(A);
  Sor sor({.omega = omega, .ordering = ordering}, {});
  const Report report = sor.solve(system, Monitor::none());
  EXPECT_TRUE(report.converged()) << report.reason;
  EXPECT_LE(system.verify().front().value, 1e-8);
  return static_cast<int>(report.iterations);
}

/// Young 1954: with the best omega the error shrinks by omega - 1 an iteration, in any consistent
/// order; Gauss-Seidel by rho^2.
TEST(Sor, YoungsOmegaOnTheModelProblem) {
  const int n = 20;
  const auto A = test::laplacian(n, n);
  const double rho = std::cos(std::numbers::pi / (n + 1));
  const double best = 2.0 / (1.0 + std::sqrt(1.0 - rho * rho));
  for (const char* ordering : {"natural", "multicolour"}) {
    const int with_best = iterations(A, best, ordering);
    EXPECT_LT(with_best, 1.8 * std::log(1e-8) / std::log(best - 1.0)) << ordering;
    EXPECT_GT(iterations(A, 1.0, ordering), 5 * with_best) << ordering;
    EXPECT_GT(iterations(A, best - 0.1, ordering), with_best) << ordering;
    EXPECT_GT(iterations(A, best + 0.1, ordering), with_best) << ordering;
  }
}

TEST(Sor, OmegaChangesInPlace) {
  const auto A = test::laplacian(12, 12);
  Sor changed({.omega = 1.0}, {});
  LinearSystem first = system_of(A);
  (void)changed.solve(first, Monitor::none());
  ASSERT_TRUE(changed.set_parameter("omega", 1.6));
  EXPECT_FALSE(changed.set_parameter("restart", 3.0));
  LinearSystem system = system_of(A);
  EXPECT_EQ(changed.solve(system, Monitor::none()).iterations, iterations(A, 1.6, "natural"));
}

TEST(Sor, DivergenceIsSaid) {
  // Far from symmetric positive definite: x grows.
  LinearSystem system = system_of(test::to_csr({{1.0, 5.0}, {5.0, 1.0}}));
  const Report report = Sor({}, {}).solve(system, Monitor::none());
  EXPECT_EQ(report.status, Status::diverged);
  EXPECT_TRUE(test::contains(report.reason, "use gmres"));
}

TEST(Sor, ZeroOnTheDiagonalIsABreakdown) {
  LinearSystem system = system_of(test::to_csr({{1.0, 2.0}, {2.0, 0.0}}));
  const Report report = Sor({}, {}).solve(system, Monitor::none());
  EXPECT_EQ(report.status, Status::breakdown);
  EXPECT_TRUE(test::contains(report.reason, "row 1 is zero"));
}

}  // namespace
