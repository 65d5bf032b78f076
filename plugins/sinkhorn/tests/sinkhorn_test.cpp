#include "sinkhorn.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/transport/dense_cost.hpp>
#include <libsolve/transport/point_cost.hpp>
#include <tests/support/monitors.hpp>

namespace {

using namespace libsolve;
using sinkhorn::Sinkhorn;
using sinkhorn::SinkhornOptions;
using Numbers = std::vector<double>;

Vector to_vector(const Numbers& v) {
  const Vector x("test", Partition(static_cast<GlobalIndex>(v.size())));
  const auto h = Kokkos::create_mirror_view(x.view());
  std::copy(v.begin(), v.end(), h.data());
  Kokkos::deep_copy(x.view(), h);
  return x;
}

Numbers host(const Vector& v) {
  const auto h = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v.view());
  return {h.data(), h.data() + h.extent(0)};
}

struct Instance {
  Index n, m;
  Numbers C, a, b;
  double largest = 0.0;
};

/// n and m points in the square with random masses of total 1.
Instance clouds(Index n, Index m, std::uint64_t seed = 3) {
  Instance p{n, m, {}, {}, {}};
  const RandomStream x(seed, "x"), y(seed, "y"), mass(seed, "mass");
  double of_a = 0.0, of_b = 0.0;
  for (Index i = 0; i < n; ++i) of_a += p.a.emplace_back(mass.uniform(size_t(i), 0.5, 1.5));
  for (Index j = 0; j < m; ++j) of_b += p.b.emplace_back(mass.uniform(size_t(n + j), 0.5, 1.5));
  for (double& v : p.a) v /= of_a;
  for (double& v : p.b) v /= of_b;
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < m; ++j) {
      const double s = x.uniform(size_t(2 * i)) - y.uniform(size_t(2 * j));
      const double t = x.uniform(size_t(2 * i + 1)) - y.uniform(size_t(2 * j + 1));
      p.largest = std::max(p.largest, p.C.emplace_back(s * s + t * t));
    }
  return p;
}

TransportProblem problem_of(const Instance& p, double eps, std::optional<double> rho = {},
                            double scale = 1.0) {
  const DenseBlock C("C", p.n, p.m);
  const auto h = Kokkos::create_mirror_view(C);
  for (Index i = 0; i < p.n; ++i)
    for (Index j = 0; j < p.m; ++j) h(i, j) = scale * p.C[size_t(i * p.m + j)];
  Kokkos::deep_copy(C, h);
  return {make_dense_cost(C), to_vector(p.a), to_vector(p.b), eps, rho};
}

/// Marginals of exp((f + g - C) / eps), by the definition.
double violation(const Instance& p, const TransportProblem& problem, double rho = INFINITY) {
  const Numbers f = host(problem.f()), g = host(problem.g());
  Numbers r(size_t(p.n), 0.0), c(size_t(p.m), 0.0);
  for (Index i = 0; i < p.n; ++i)
    for (Index j = 0; j < p.m; ++j) {
      const double mass = std::exp((f[size_t(i)] + g[size_t(j)] - p.C[size_t(i * p.m + j)]) /
                                   problem.regularization());
      r[size_t(i)] += mass;
      c[size_t(j)] += mass;
    }
  double sum = 0.0;
  for (size_t i = 0; i < r.size(); ++i) sum += std::abs(r[i] - p.a[i] * std::exp(-f[i] / rho));
  for (size_t j = 0; j < c.size(); ++j) sum += std::abs(c[j] - p.b[j] * std::exp(-g[j] / rho));
  return sum;
}

double total_mass(const Instance& p, const TransportProblem& problem) {
  const Numbers f = host(problem.f()), g = host(problem.g());
  double total = 0.0;
  for (Index i = 0; i < p.n; ++i)
    for (Index j = 0; j < p.m; ++j)
      total += std::exp((f[size_t(i)] + g[size_t(j)] - p.C[size_t(i * p.m + j)]) /
                        problem.regularization());
  return total;
}

TEST(Sinkhorn, MeetsBothMarginals) {
  const Instance p = clouds(61, 83);
  for (const char* precision : {"double", "mixed"})
    for (const double factor : {1.0, 4.0}) {
      TransportProblem problem = problem_of(p, 0.01);
      Sinkhorn method({.precision = precision, .scaling_factor = factor}, {});
      const Report report = method.solve(problem, Monitor::none());
      EXPECT_TRUE(report.converged()) << report.reason;
      EXPECT_LE(violation(p, problem), 1.01e-9);
      EXPECT_LE(report.measures.front().value, 1e-9);
      EXPECT_EQ(report.value("sinkhorn_sweeps"), static_cast<double>(report.iterations));
      EXPECT_GT(report.value("optimality_gap"), 0.0);
    }
}

/// s C with s eps has the same plan; adding r_i to a row of C adds r_i to f_i.
TEST(Sinkhorn, ScalesAndShiftsWithTheCost) {
  Instance p = clouds(30, 40);
  TransportProblem problem = problem_of(p, 0.02);
  TransportProblem scaled = problem_of(p, 0.02 * 1e8, {}, 1e8);
  Instance shifted = p;
  for (Index j = 0; j < p.m; ++j) shifted.C[size_t(4 * p.m + j)] += 0.25;
  TransportProblem other = problem_of(shifted, 0.02);
  for (TransportProblem* q : {&problem, &scaled, &other}) {
    const Report report =
        Sinkhorn({.tolerance = 1e-12, .precision = "double"}, {}).solve(*q, Monitor::none());
    EXPECT_TRUE(report.converged()) << report.reason;
  }
  const Numbers f = host(problem.f()), fs = host(scaled.f()), fo = host(other.f());
  const double offset = fo[0] - f[0], offset_scaled = fs[0] / 1e8 - f[0];
  for (size_t i = 0; i < f.size(); ++i) {
    EXPECT_NEAR(fs[i] / 1e8 - f[i], offset_scaled, 1e-9);
    EXPECT_NEAR(fo[i] - f[i], offset + (i == 4 ? 0.25 : 0.0), 1e-9);
  }
}

TEST(Sinkhorn, RelaxedMarginalsAreStationary) {
  Instance p = clouds(50, 35);
  for (double& b : p.b) b *= 3.0;  // totals 1 and 3
  for (const double rho : {0.05, 1.0, 100.0}) {
    TransportProblem problem = problem_of(p, 0.02, rho);
    const Report report = Sinkhorn({}, {}).solve(problem, Monitor::none());
    EXPECT_TRUE(report.converged()) << rho << ": " << report.reason;
    EXPECT_LE(violation(p, problem, rho), 2e-9) << rho;
  }
}

/// A large penalty is a constraint.
TEST(Sinkhorn, LargePenaltyGivesTheBalancedPlan) {
  const Instance p = clouds(25, 25);
  TransportProblem balanced = problem_of(p, 0.05);
  TransportProblem relaxed = problem_of(p, 0.05, 1e5);
  const SinkhornOptions options{.precision = "double", .scaling_factor = 1.0};
  const double cost =
      Sinkhorn(options, {}).solve(balanced, Monitor::none()).value("transport_cost");
  EXPECT_NEAR(Sinkhorn(options, {}).solve(relaxed, Monitor::none()).value("transport_cost"), cost,
              1e-5);
}

/// Floats cannot meet 1e-9: a status, not a plan that is silently wrong.
TEST(Sinkhorn, FloatSaysWhenItCanDoNoMore) {
  const Instance p = clouds(64, 64);
  TransportProblem problem = problem_of(p, 1e-3 * p.largest);  // where other codes' floats fail
  const Report report = Sinkhorn({.precision = "float"}, {}).solve(problem, Monitor::none());
  EXPECT_EQ(report.status, Status::stagnated) << report.reason;
  EXPECT_LT(report.measures.front().value, 1e-5);
  TransportProblem again = problem_of(p, 0.01);
  EXPECT_TRUE(Sinkhorn({.tolerance = 1e-5, .precision = "float"}, {})
                  .solve(again, Monitor::none())
                  .converged());
}

/// Wherever the limit falls, what is left is a plan of about the right total mass.
TEST(Sinkhorn, EveryIterationLimitLeavesAPlan) {
  const Instance p = clouds(40, 40);
  for (std::int64_t limit = 1; limit < 40; ++limit) {
    TransportProblem problem = problem_of(p, 1e-4);
    const Report report = Sinkhorn({.max_iterations = limit}, {}).solve(problem, Monitor::none());
    EXPECT_EQ(report.status, Status::max_iterations);
    EXPECT_FALSE(report.reason.empty());
    EXPECT_NEAR(total_mass(p, problem), 1.0, 1e-9) << limit;
    EXPECT_TRUE(std::isfinite(report.value("transport_cost")));
  }
}

TEST(Sinkhorn, SmallRegularisationWithoutLevels) {
  const Instance p = clouds(30, 30);
  TransportProblem problem = problem_of(p, 1e-4 * p.largest);
  const Report report = Sinkhorn({.tolerance = 1e-3, .scaling_factor = 1.0}, {})
                            .solve(problem, Monitor::none());
  EXPECT_TRUE(report.converged()) << report.reason;
  EXPECT_LE(violation(p, problem), 1.01e-3);
}

TEST(Sinkhorn, StopsWhenAskedTo) {
  const Instance p = clouds(40, 40);
  for (const auto& [verdict, status] :
       {std::pair{Verdict::time_limit, Status::time_limit},
        std::pair{Verdict::interrupted, Status::interrupted}}) {
    TransportProblem problem = problem_of(p, 1e-4);
    test::RecordingMonitor monitor(12, verdict);
    EXPECT_EQ(Sinkhorn({}, {}).solve(problem, monitor).status, status);
    EXPECT_EQ(monitor.iterations.back(), 12);
    EXPECT_EQ(monitor.names.front(), "marginal_violation");
  }
}

TEST(Sinkhorn, NanInAGuessIsSeen) {
  const Instance p = clouds(20, 20);
  TransportProblem problem = problem_of(p, 0.01);
  Kokkos::deep_copy(problem.f().view(), std::nan(""));
  EXPECT_EQ(Sinkhorn({}, {}).solve(problem, Monitor::none()).status, Status::non_finite);
}

/// Warm: from the solution one sweep is enough; the same twice gives the same bits.
TEST(Sinkhorn, StartsFromThePotentialsAndRepeats) {
  const Instance p = clouds(50, 50);
  const SinkhornOptions options;
  TransportProblem problem = problem_of(p, 0.01), again = problem_of(p, 0.01);
  const Report first = Sinkhorn(options, {}).solve(problem, Monitor::none());
  EXPECT_EQ(Sinkhorn(options, {}).solve(again, Monitor::none()).iterations, first.iterations);
  EXPECT_EQ(host(problem.f()), host(again.f()));
  EXPECT_LE(Sinkhorn(options, {}).solve(problem, Monitor::none()).iterations, 4);
}

}  // namespace
