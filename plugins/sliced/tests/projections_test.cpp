#include "projections.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <tests/support/matrices.hpp>
#include <tests/support/transport_problems.hpp>

namespace {

using namespace libsolve;
using namespace sliced;

std::vector<double> random_masses(std::size_t count, std::uint64_t seed) {
  std::vector<double> mass = test::random_values(count, seed);
  double total = 0.0;
  for (double& v : mass) {
    v += 1.5;
    total += v;
  }
  for (double& v : mass) v /= total;
  return mass;
}

Clouds random_clouds(std::size_t n, std::size_t m, std::size_t d, double power) {
  Clouds c{.dimension = d, .power = power};
  c.x = test::random_values(n * d, 1);
  c.y = test::random_values(m * d, 2);
  c.a = random_masses(n, 3);
  c.b = random_masses(m, 4);
  return c;
}

std::vector<double> row_sums(const std::vector<Move>& plan, std::size_t n) {
  std::vector<double> sums(n, 0.0);
  for (const Move& move : plan) sums[move.i] += move.mass;
  return sums;
}

/// Points 0, 1, 3 with masses 1/2, 1/4, 1/4 to 1, 2 with 1/4, 3/4 in any order: quantiles meet as
/// 0 -> 1 (1/4), 0 -> 2 (1/4), 1 -> 2 (1/4), 3 -> 2 (1/4).
TEST(PlanAlong, HandComputed) {
  const Clouds c{.dimension = 1, .x = {3, 0, 1}, .y = {2, 1}, .a = {0.25, 0.5, 0.25}, .b = {0.75, 0.25},
                 .power = 2.0, .scale = 2.0};
  const double theta = 1.0;
  const auto plan = plan_along(c, &theta);
  ASSERT_EQ(plan.size(), 4u);
  EXPECT_DOUBLE_EQ(cost_along(c, &theta, plan), 2.0 * 0.25 * (1 + 4 + 1 + 1));
  EXPECT_DOUBLE_EQ(cost_in_space(c, plan), 2.0 * 0.25 * 7);
}

TEST(PlanAlong, MarginalsAreExact) {
  const Clouds c = random_clouds(57, 83, 3, 2.0);
  const std::vector<double> theta = uniform_direction(RandomStream(1, "t"), 0, 3);
  const auto plan = plan_along(c, theta.data());
  EXPECT_LE(plan.size(), 57u + 83u - 1u);
  const auto rows = row_sums(plan, 57);
  for (std::size_t i = 0; i < 57; ++i) EXPECT_NEAR(rows[i], c.a[i], 1e-15);
  const SparseEntries entries = entries_of(plan, 57);
  EXPECT_EQ(entries.size(), static_cast<GlobalIndex>(plan.size()));
}

/// For p = 1 the optimum is the integral of |F - G|, F and G the distribution functions.
TEST(PlanAlong, PowerOneIsTheDistanceOfDistributionFunctions) {
  const Clouds c = random_clouds(40, 31, 1, 1.0);
  const double theta = 1.0;
  std::vector<std::pair<double, double>> jumps;
  for (std::size_t i = 0; i < 40; ++i) jumps.emplace_back(c.x[i], c.a[i]);
  for (std::size_t j = 0; j < 31; ++j) jumps.emplace_back(c.y[j], -c.b[j]);
  std::sort(jumps.begin(), jumps.end());
  double difference = 0.0, integral = 0.0;
  for (std::size_t k = 0; k + 1 < jumps.size(); ++k) {
    difference += jumps[k].second;
    integral += std::abs(difference) * (jumps[k + 1].first - jumps[k].first);
  }
  EXPECT_NEAR(cost_along(c, &theta, plan_along(c, &theta)), integral, 1e-13);
}

TEST(CostAlong, GradientsAgreeWithDifferences) {
  for (const double power : {2.0, 3.0}) {
    Clouds c = random_clouds(20, 30, 3, power);
    std::vector<double> theta = uniform_direction(RandomStream(5, "t"), 0, 3);
    const auto plan = plan_along(c, theta.data());
    std::vector<double> gradient(3), of_x(60, 0.0), of_y(90, 0.0);
    cost_along(c, theta.data(), plan, gradient.data());
    add_point_gradient(c, theta.data(), plan, 1.0, of_x, of_y);
    const double h = 1e-6;
    const auto slope = [&](double& at) {
      const double kept = at;
      at = kept + h;
      const double up = cost_along(c, theta.data(), plan_along(c, theta.data()));
      at = kept - h;
      const double down = cost_along(c, theta.data(), plan_along(c, theta.data()));
      at = kept;
      return (up - down) / (2.0 * h);
    };
    for (std::size_t d = 0; d < 3; ++d) EXPECT_NEAR(slope(theta[d]), gradient[d], 1e-8);
    for (std::size_t k = 0; k < 60; k += 7) EXPECT_NEAR(slope(c.x[k]), of_x[k], 1e-8);
    for (std::size_t k = 0; k < 90; k += 7) EXPECT_NEAR(slope(c.y[k]), of_y[k], 1e-8);
  }
}

/// E (e^T theta) = A_d(kappa): coth kappa - 1 / kappa in 3D, I_1 / I_0 in 2D, tanh kappa in 1D; theta
/// has length 1 and is symmetric around e.
TEST(VonMisesFisher, MomentsInOneTwoAndThreeDimensions) {
  const RandomStream stream(11, "test");
  constexpr int count = 20000;
  for (const double kappa : {0.0, 1.0, 10.0, 300.0}) {
    for (const std::size_t d : {1, 2, 3}) {
      std::vector<double> e(d, 0.0);
      e[0] = d == 1 ? 1.0 : 0.6;
      if (d > 1) e[1] = 0.8;
      double along = 0.0, square = 0.0, across = 0.0;
      for (int k = 0; k < count; ++k) {
        const auto theta = von_mises_fisher_direction(stream, static_cast<std::uint64_t>(k), e, kappa);
        double length = 0.0, w = 0.0;
        for (std::size_t i = 0; i < d; ++i) {
          length += theta[i] * theta[i];
          w += theta[i] * e[i];
        }
        ASSERT_NEAR(length, 1.0, 1e-12);
        along += w / count;
        square += w * w / count;
        if (d > 1) across += (-0.8 * theta[0] + 0.6 * theta[1]) / count;
      }
      const double expected = kappa == 0.0 ? 0.0
                              : d == 1     ? std::tanh(kappa)
                              : d == 2 ? std::cyl_bessel_i(1.0, kappa) / std::cyl_bessel_i(0.0, kappa)
                                       : 1.0 / std::tanh(kappa) - 1.0 / kappa;
      const double sigma = std::sqrt(std::max(square - along * along, 1e-9) / count);
      EXPECT_NEAR(along, expected, 5.0 * sigma) << "kappa " << kappa << ", d " << d;
      EXPECT_NEAR(across, 0.0, 5.0 / std::sqrt(static_cast<double>(count)));
    }
  }
}

TEST(CloudsOf, ProblemsWithoutPointsAreRefused) {
  const auto without = test::random_assignment(5, 0.1);
  EXPECT_THROW(clouds_of(*without, "sliced"), Unsupported);
  const auto manhattan =
      test::random_clouds({.n = 5, .m = 5, .norm = PointNorm::manhattan, .power = 1.0}, 0.1);
  EXPECT_THROW(clouds_of(*manhattan, "sliced"), Unsupported);
}

}  // namespace
