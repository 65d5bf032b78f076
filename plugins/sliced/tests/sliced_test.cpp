#include "sliced.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <tests/support/matrices.hpp>
#include <tests/support/monitors.hpp>
#include <tests/support/transport_problems.hpp>

#include "bures_wasserstein.hpp"

namespace {

using namespace libsolve;
using namespace sliced;

using Rows = std::vector<std::vector<double>>;

Rows points(std::size_t n, std::size_t d, std::uint64_t seed) {
  const auto values = test::random_values(n * d, seed);
  Rows rows(n, std::vector<double>(d));
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < d; ++k) rows[i][k] = values[i * d + k];
  return rows;
}

std::unique_ptr<TransportProblem> problem_of(const Rows& x, const Rows& y, PointCostOptions cost = {}) {
  const DenseBlock px = test::to_block(x);
  const DenseBlock py = test::to_block(y);
  const std::vector<double> a(x.size(), 1.0 / static_cast<double>(x.size()));
  const std::vector<double> b(y.size(), 1.0 / static_cast<double>(y.size()));
  auto problem = std::make_unique<TransportProblem>(make_point_cost(px, py, cost), test::to_vector(a),
                                                    test::to_vector(b), 0.1);
  problem->points = PointClouds{px, py, cost};
  return problem;
}

Rows moved(Rows rows, const std::vector<double>& shift) {
  for (auto& p : rows)
    for (std::size_t d = 0; d < p.size(); ++d) p[d] += shift[d];
  return rows;
}

template <class Method>
Report run(const typename Method::Options& options, TransportProblem& problem, std::uint64_t seed = 1) {
  Context context;
  context.seed = seed;
  return Method(options, context).solve(problem, Monitor::none());
}

double measure(const Report& report, const char* name) { return report.value(name); }

/// A translation by t costs (theta^T t)^2 along theta: |t|^2 / d in the mean, at most |t|^2.
TEST(Sliced, TranslationHasAClosedForm) {
  const Rows x = points(60, 3, 1);
  const auto problem = problem_of(x, moved(x, {1.0, -2.0, 0.5}), {.scale = 2.0});
  const Report report = run<Sliced>({.relative_tolerance = 5e-3}, *problem);
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  const double exact = 2.0 * 5.25 / 3.0;
  EXPECT_NEAR(measure(report, "sliced_cost"), exact, 5.0 * measure(report, "standard_error"));
  EXPECT_LE(measure(report, "standard_error"), 5e-3 * measure(report, "sliced_cost"));
  EXPECT_LE(measure(report, "max_sliced_cost"), 2.0 * 5.25 * (1.0 + 1e-12));
}

/// In one dimension there is one direction up to its sign: the exact value and the exact plan.
TEST(Sliced, OneDimensionIsExact) {
  Rows x = points(40, 1, 1), y = points(40, 1, 2);
  const auto problem = problem_of(x, y);
  const Report report = run<Sliced>({}, *problem);
  std::sort(x.begin(), x.end());
  std::sort(y.begin(), y.end());
  double exact = 0.0;
  for (std::size_t i = 0; i < 40; ++i) exact += std::pow(x[i][0] - y[i][0], 2) / 40.0;
  EXPECT_NEAR(measure(report, "sliced_cost"), exact, 1e-13);
  EXPECT_NEAR(measure(report, "transport_cost"), exact, 1e-13);
  EXPECT_EQ(report.iterations, 1);
}

/// The stored plan has the marginals, and costs no less than the dual of the problem allows.
TEST(Sliced, PlanIsFeasible) {
  const auto problem = test::random_clouds({.n = 50, .m = 70, .random_masses = true}, 0.1);
  const Report report = run<Sliced>({}, *problem);
  EXPECT_EQ(report.status, Status::converged);
  EXPECT_LT(measure(report, "marginal_violation"), 1e-14);
  const auto P = test::dense_plan(*problem);
  const auto C = test::dense_cost(problem->cost());
  const auto a = test::to_host(problem->a());
  double cost = 0.0;
  for (std::size_t i = 0; i < P.size(); ++i) {
    double row = 0.0;
    for (std::size_t j = 0; j < P[i].size(); ++j) {
      row += P[i][j];
      cost += C[i][j] * P[i][j];
    }
    EXPECT_NEAR(row, a[i], 1e-15);
  }
  EXPECT_NEAR(cost, measure(report, "transport_cost"), 1e-13);
  EXPECT_GE(cost, measure(report, "sliced_cost"));
}

TEST(Sliced, SameSeedSameNumbers) {
  const auto problem = test::random_clouds({.n = 30, .m = 20}, 0.1);
  const double first = measure(run<Sliced>({}, *problem, 3), "sliced_cost");
  EXPECT_EQ(measure(run<Sliced>({}, *problem, 3), "sliced_cost"), first);
  EXPECT_NE(measure(run<Sliced>({}, *problem, 4), "sliced_cost"), first);
}

/// Derivatives of the value with the same directions, against differences.
TEST(Sliced, GradientsOfTheStoredFields) {
  const SlicedOptions options{.relative_tolerance = 1e-12, .max_iterations = 1, .gradients = true};
  Rows x = points(12, 2, 1);
  const Rows y = points(9, 2, 2);
  const auto problem = problem_of(x, y);
  (void)run<Sliced>(options, *problem);
  ASSERT_EQ(problem->extra_data.size(), 2u);
  EXPECT_EQ(problem->extra_data[0].shape, (std::vector<GlobalIndex>{12, 2}));
  const auto gradient = test::to_host(problem->extra_data[0].values);
  const double h = 1e-6;
  for (std::size_t k = 0; k < 24; k += 5) {
    double& at = x[k / 2][k % 2];
    const double kept = at;
    at = kept + h;
    const double up = measure(run<Sliced>(options, *problem_of(x, y)), "sliced_cost");
    at = kept - h;
    const double down = measure(run<Sliced>(options, *problem_of(x, y)), "sliced_cost");
    at = kept;
    EXPECT_NEAR((up - down) / (2.0 * h), gradient[k], 1e-7);
  }
  (void)run<Sliced>(options, *problem);
  EXPECT_EQ(problem->extra_data.size(), 2u);  // replaced, not added
}

TEST(Sliced, StopsWhenAsked) {
  const auto problem = test::random_clouds({.n = 30, .m = 20}, 0.1);
  test::RecordingMonitor monitor(2, Verdict::time_limit);
  const Report report = Sliced({.relative_tolerance = 1e-9}, {}).solve(*problem, monitor);
  EXPECT_EQ(report.status, Status::time_limit);
  EXPECT_EQ(report.iterations, 2);
  const Report limited = run<Sliced>({.relative_tolerance = 1e-9, .max_iterations = 3}, *problem);
  EXPECT_EQ(limited.status, Status::max_iterations);
}

/// A translation by t: F(e) = E (theta^T t)^2 is largest where e lies along t. For vMF in 3D,
/// E cos^2 = 1 - 2 A / kappa with A = coth kappa - 1 / kappa.
TEST(DistributionalSliced, FindsTheDirectionOfATranslation) {
  const Rows x = points(50, 3, 1);
  const auto problem = problem_of(x, moved(x, {0.0, 2.0, 0.0}));
  const double kappa = 20.0;
  const Report report = run<DistributionalSliced>(
      {.concentration = kappa, .projections = 2000, .relative_tolerance = 1e-4}, *problem);
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_NEAR(std::abs(measure(report, "location_1")), 1.0, 2e-3);
  const double A = 1.0 / std::tanh(kappa) - 1.0 / kappa;
  EXPECT_NEAR(measure(report, "sliced_cost"), 4.0 * (1.0 - 2.0 * A / kappa),
              5.0 * measure(report, "standard_error"));
}

/// It lies between the sliced and the max-sliced cost, and grows with kappa.
TEST(DistributionalSliced, GrowsWithTheConcentration) {
  Rows y = points(80, 4, 2);
  for (auto& p : y) p[0] *= 3.0;
  const auto problem = problem_of(points(80, 4, 1), y);
  const auto value = [&](double kappa) {
    return measure(run<DistributionalSliced>({.concentration = kappa, .projections = 400}, *problem),
                   "sliced_cost");
  };
  const double uniform = measure(run<Sliced>({.relative_tolerance = 1e-2}, *problem), "sliced_cost");
  EXPECT_NEAR(value(0.0), uniform, 0.2 * uniform);
  EXPECT_GT(value(5.0), 1.1 * value(0.0));
  EXPECT_GT(value(200.0), 1.1 * value(5.0));
}

TEST(Bures, RootsAndEigenvalues) {
  const std::vector<double> A = {4.0, 1.0, 0.5, 1.0, 3.0, -0.25, 0.5, -0.25, 2.0};
  const auto root = square_root(A);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) {
      double sum = 0.0;
      for (std::size_t k = 0; k < 3; ++k) sum += root[3 * i + k] * root[3 * k + j];
      EXPECT_NEAR(sum, A[3 * i + j], 1e-14);
    }
  const auto values = eigen_of({2.0, 1.0, 1.0, 2.0}).values;
  EXPECT_NEAR(values[0], 1.0, 1e-15);
  EXPECT_NEAR(values[1], 3.0, 1e-15);
}

/// Matrices that commute: sum of (sqrt a - sqrt b)^2 over eigenvalues; in 1D (s - t)^2.
TEST(Bures, ClosedForms) {
  EXPECT_NEAR(bures_wasserstein_squared({{1.0}, {4.0}}, {{3.0}, {9.0}}), 4.0 + 1.0, 1e-14);
  EXPECT_NEAR(bures_wasserstein_squared({{0, 0}, {4, 0, 0, 9}}, {{0, 0}, {1, 0, 0, 25}}), 1.0 + 4.0, 1e-13);
  EXPECT_NEAR(bures_wasserstein_squared({{0, 0}, {1, 0, 0, 0}}, {{0, 0}, {0, 0, 0, 1}}), 2.0, 1e-14);
}

/// T A T = B.
TEST(Bures, MapTakesOneCovarianceToTheOther) {
  const Gaussian x{{0, 0}, {2.0, 0.5, 0.5, 1.0}};
  const Gaussian y{{0, 0}, {1.0, -0.3, -0.3, 3.0}};
  const auto T = map_between(x, y).forward;
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 2; ++j) {
      double sum = 0.0;
      for (std::size_t k = 0; k < 2; ++k)
        for (std::size_t l = 0; l < 2; ++l)
          sum += T[2 * i + k] * x.covariance[2 * k + l] * T[2 * l + j];
      EXPECT_NEAR(sum, y.covariance[2 * i + j], 1e-10);
    }
}

/// An affine image y = T x + t with T positive definite is optimal: the bound is the exact cost, and the
/// problem's own dual value says so.
TEST(BuresWasserstein, AffineImagesAreExact) {
  const Rows x = points(80, 2, 1);
  Rows y = x;
  double exact = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    y[i] = {1.5 * x[i][0] + 0.2 * x[i][1] + 1.0, 0.2 * x[i][0] + 0.7 * x[i][1] - 3.0};
    exact += (std::pow(x[i][0] - y[i][0], 2) + std::pow(x[i][1] - y[i][1], 2)) / 80.0;
  }
  const auto problem = problem_of(x, y, {.scale = 0.5});
  const Report report = run<BuresWasserstein>({}, *problem);
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_NEAR(measure(report, "bures_wasserstein_squared"), 0.5 * exact, 1e-9);
  EXPECT_NEAR(measure(report, "dual_value"), 0.5 * exact, 1e-8);
}

/// For other clouds it is a lower bound, and its potentials are feasible: f_i + g_j <= C_ij.
TEST(BuresWasserstein, PotentialsAreFeasible) {
  const auto problem = test::random_clouds({.n = 60, .m = 45, .dimension = 3, .random_masses = true}, 0.1);
  const Report report = run<BuresWasserstein>({}, *problem);
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  const auto C = test::dense_cost(problem->cost());
  const auto f = test::to_host(problem->f());
  const auto g = test::to_host(problem->g());
  const auto a = test::to_host(problem->a());
  const auto b = test::to_host(problem->b());
  double value = 0.0;
  for (std::size_t i = 0; i < f.size(); ++i) value += a[i] * f[i];
  for (std::size_t j = 0; j < g.size(); ++j) value += b[j] * g[j];
  for (std::size_t i = 0; i < f.size(); ++i)
    for (std::size_t j = 0; j < g.size(); ++j) ASSERT_LE(f[i] + g[j], C[i][j] + 1e-12);
  EXPECT_NEAR(value, measure(report, "bures_wasserstein_squared"), 1e-9);
  EXPECT_GE(measure(report, "dual_value"), value - 1e-12);
}

TEST(BuresWasserstein, OtherPowersAreRefused) {
  const auto problem = test::random_clouds({.n = 5, .m = 5, .power = 1.0}, 0.1);
  EXPECT_THROW(run<BuresWasserstein>({}, *problem), Unsupported);
}

}  // namespace
