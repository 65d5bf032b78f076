#include "sns.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/plugin/loader.hpp>
#include <libsolve/transport/dense_cost.hpp>
#include <numeric>
#include <tests/support/monitors.hpp>
#include <tests/support/transport_problems.hpp>

#include "sinkhorn_newton_sparse.hpp"

namespace {

using namespace libsolve;
using sinkhorn_newton::SinkhornNewtonSparse;
using sinkhorn_newton::SinkhornNewtonSparseOptions;
using sinkhorn_newton::Sns;
using sinkhorn_newton::SnsOptions;
using Matrix = std::vector<std::vector<double>>;
using Numbers = std::vector<double>;

Numbers host(const Vector& v) {
  const auto h = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v.view());
  return {h.data(), h.data() + h.extent(0)};
}

/// The marginals of the plan, by the definition.
double violation(const TransportProblem& problem) {
  const Matrix P = test::dense_plan(problem);
  const Numbers a = host(problem.a()), b = host(problem.b());
  const Numbers f = host(problem.f()), g = host(problem.g());
  const double rho = problem.marginal_penalty().value_or(INFINITY);
  Numbers c(b.size(), 0.0);
  double sum = 0.0;
  for (size_t i = 0; i < a.size(); ++i) {
    double r = 0.0;
    for (size_t j = 0; j < b.size(); ++j) {
      r += P[i][j];
      c[j] += P[i][j];
    }
    sum += std::abs(r - a[i] * std::exp(-f[i] / rho));
  }
  for (size_t j = 0; j < b.size(); ++j) sum += std::abs(c[j] - b[j] * std::exp(-g[j] / rho));
  return sum;
}

double total(const Matrix& P) {
  double s = 0.0;
  for (const auto& row : P) s = std::accumulate(row.begin(), row.end(), s);
  return s;
}

double distance(const Matrix& P, const Matrix& Q) {
  double s = 0.0;
  for (size_t i = 0; i < P.size(); ++i)
    for (size_t j = 0; j < P[i].size(); ++j) s += std::abs(P[i][j] - Q[i][j]);
  return s;
}

/// A seeded cost with a few numbers to shift, permute and scale.
Matrix some_cost(size_t n, size_t m) {
  const RandomStream c(5, "cost");
  Matrix C(n, Numbers(m));
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < m; ++j) C[i][j] = c.uniform(i * m + j);
  return C;
}
Numbers some_mass(size_t n, const char* name) {
  const RandomStream s(5, name);
  Numbers a(n);
  for (size_t i = 0; i < n; ++i) a[i] = s.uniform(i, 0.5, 1.5);
  const double sum = std::accumulate(a.begin(), a.end(), 0.0);
  for (double& v : a) v /= sum;
  return a;
}

class SnsTest : public ::testing::Test {
 protected:
  SnsTest() {
    load_plugins(registry_, {.files = {}, .path = "", .installed_folder = std::nullopt});
    context_.registry = &registry_;
  }
  Report solve(TransportProblem& problem, const SnsOptions& options = {}) {
    Sns method(options, context_);
    return method.solve(problem, Monitor::none());
  }
  void expect_solved(TransportProblem& problem, const std::string& what, double most_passes) {
    const Report report = solve(problem);
    EXPECT_TRUE(report.converged()) << what << ": " << report.reason;
    EXPECT_LE(violation(problem), 2e-9) << what;
    EXPECT_NEAR(violation(problem), report.value("marginal_violation"), 1e-9) << what;
    EXPECT_LE(report.value("passes"), most_passes) << what;
  }
  Registry registry_;
  Context context_;
};

// eta 1e-6 at n of some hundreds: (f + g - C) / eps has an error of 1e6 * 2e-16, far below 1e-9.
TEST_F(SnsTest, ConvergesOnEveryFamilyAtEveryRegularization) {
  for (const double eta : {1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6}) {
    const std::string at = " at eta " + std::to_string(eta);
    const double most = 150.0;
    expect_solved(*test::random_assignment(150, eta), "random" + at, most);
    expect_solved(*test::random_clouds({.n = 150, .m = 150}, eta), "2D" + at, most);
    expect_solved(
        *test::random_clouds({.n = 130, .m = 170, .dimension = 3, .random_masses = true}, eta),
        "3D" + at, most);
    expect_solved(*test::digit_images(14, PointNorm::manhattan, eta), "L1 digits" + at, most);
    expect_solved(*test::digit_images(14, PointNorm::euclidean, eta), "L2 digits" + at, most);
  }
}

TEST_F(SnsTest, RelaxedMarginalsMeetTheirConditions) {
  for (const double eps : {1e-1, 1e-2, 1e-3, 1e-4})
    for (const double rho : {0.05, 1.0}) {
      const auto base = test::random_clouds({.n = 60, .m = 80, .random_masses = true}, eps);
      TransportProblem problem(base->shared_cost(), base->a(), base->b(), eps, rho);
      const Report report = solve(problem);
      EXPECT_TRUE(report.converged()) << eps << " " << rho << ": " << report.reason;
      EXPECT_LE(violation(problem), 2e-9);
    }
}

/// Adding s_i to row i of C adds s_i to f_i; permuting rows permutes the plan; so does scaling.
TEST_F(SnsTest, ShiftsPermutationsAndScalesChangeThePlanAsTheyShould) {
  const size_t n = 40, m = 50;
  const Matrix C = some_cost(n, m);
  const Numbers a = some_mass(n, "a"), b = some_mass(m, "b");
  const auto reference = test::transport_problem(C, a, b, 1e-3);
  ASSERT_TRUE(solve(*reference).converged());
  const Matrix P = test::dense_plan(*reference);

  Matrix shifted = C;
  for (size_t i = 0; i < n; ++i)
    for (double& v : shifted[i]) v += 0.1 * static_cast<double>(i);
  const auto with_shift = test::transport_problem(shifted, a, b, 1e-3);
  ASSERT_TRUE(solve(*with_shift).converged());
  EXPECT_LE(distance(P, test::dense_plan(*with_shift)), 1e-6);

  const Matrix reversed(C.rbegin(), C.rend());
  const auto with_order = test::transport_problem(reversed, Numbers(a.rbegin(), a.rend()), b, 1e-3);
  ASSERT_TRUE(solve(*with_order).converged());
  Matrix back = test::dense_plan(*with_order);
  std::reverse(back.begin(), back.end());
  EXPECT_LE(distance(P, back), 1e-6);

  Matrix huge = C;
  for (auto& row : huge)
    for (double& v : row) v *= 1e8;
  const auto with_scale = test::transport_problem(huge, a, b, 1e5);
  ASSERT_TRUE(solve(*with_scale).converged());
  EXPECT_LE(distance(P, test::dense_plan(*with_scale)), 1e-6);
}

/// Stopped anywhere, warm-up included, the plan has the right total and finite entries.
TEST_F(SnsTest, IterationLimitLeavesASanePlan) {
  for (const std::int64_t most : {1, 2, 3, 5, 8, 13, 20}) {
    const auto problem = test::random_clouds({.n = 70, .m = 70}, 1e-4);
    SnsOptions options;
    options.max_iterations = most;
    const Report report = solve(*problem, options);
    EXPECT_EQ(report.status, Status::max_iterations) << most;
    EXPECT_FALSE(report.reason.empty());
    EXPECT_NEAR(total(test::dense_plan(*problem)), 1.0, 1e-6) << most;
  }
}

TEST_F(SnsTest, StopsWhenTheMonitorSaysSo) {
  const auto problem = test::random_assignment(60, 1e-4);
  test::RecordingMonitor monitor(7, Verdict::time_limit);
  Sns method({}, context_);
  const Report report = method.solve(*problem, monitor);
  EXPECT_EQ(report.status, Status::time_limit);
  EXPECT_EQ(monitor.names.front(), "marginal_violation");
}

/// (f + g - C) / eps of 1e13 keeps no digit of an entry: said, not hidden.
TEST_F(SnsTest, RegularizationBelowRoundingIsNamed) {
  const auto problem = test::random_clouds({.n = 40, .m = 40, .random_masses = true}, 1e-14);
  SnsOptions options;
  options.tolerance = 1e-13;
  const Report report = solve(*problem, options);
  EXPECT_FALSE(report.converged());
  EXPECT_FALSE(report.reason.empty());
  for (const double v : host(problem->f())) EXPECT_TRUE(std::isfinite(v));
}

TEST_F(SnsTest, TheSameRunTwiceGivesTheSameNumbers) {
  const auto p = test::random_clouds({.n = 90, .m = 80}, 1e-4);
  const auto q = test::random_clouds({.n = 90, .m = 80}, 1e-4);
  ASSERT_TRUE(solve(*p).converged());
  ASSERT_TRUE(solve(*q).converged());
  EXPECT_EQ(host(p->f()), host(q->f()));
  EXPECT_EQ(host(p->g()), host(q->g()));
}

TEST_F(SnsTest, StartsFromGivenPotentials) {
  const auto p = test::random_clouds({.n = 80, .m = 80}, 1e-3);
  ASSERT_TRUE(solve(*p).converged());
  const Report again = solve(*p);
  EXPECT_TRUE(again.converged());
  EXPECT_LE(again.iterations, 4);
}

TEST_F(SnsTest, TakesAnotherInnerSolver) {
  const auto p = test::random_assignment(50, 1e-3);
  SnsOptions options;
  options.inner = "eigen-ldlt";
  if (registry_.find("linear-solver", "eigen-ldlt") == nullptr) options.inner = "cg";
  EXPECT_TRUE(solve(*p, options).converged());
  EXPECT_LE(violation(*p), 2e-9);
}

TEST_F(SnsTest, GoesOnBySweepsWhereTheEntriesDoNotFit) {
  const auto p = test::random_clouds({.n = 60, .m = 60}, 1e-2);
  SnsOptions options;
  options.max_entries = 10;
  const Report report = solve(*p, options);
  EXPECT_TRUE(report.converged()) << report.reason;
  EXPECT_EQ(report.value("newton_steps"), 0.0);
  EXPECT_FALSE(report.notes.empty());
}

/// Dense plans: sweeps contract so well that no system is solved.
TEST_F(SnsTest, LeavesLargeRegularisationToSweeps) {
  const auto p = test::random_clouds({.n = 80, .m = 70}, 1e-1);
  const Report report = solve(*p, {});
  EXPECT_TRUE(report.converged()) << report.reason;
  EXPECT_EQ(report.value("newton_steps"), 0.0);
  EXPECT_LT(report.value("passes"), 40.0);
  EXPECT_LE(violation(*p), 2e-9);
}

TEST_F(SnsTest, NeedsARegistry) {
  const auto p = test::random_assignment(5, 1e-2);
  Sns method({}, Context{});
  EXPECT_THROW((void)method.solve(*p, Monitor::none()), Unsupported);
}

/// The paper's own ground: uniform random cost, where 2 entries a row are enough.
TEST_F(SnsTest, ThePapersAlgorithmSolvesRandomCosts) {
  const auto p = test::random_assignment(150, 1.0 / 1200.0);
  SinkhornNewtonSparse method({}, context_);
  const Report report = method.solve(*p, Monitor::none());
  EXPECT_TRUE(report.converged()) << report.reason;
  EXPECT_LE(violation(*p), 2e-9);
  const auto q = test::random_assignment(150, 1.0 / 1200.0);
  ASSERT_TRUE(solve(*q).converged());
  EXPECT_LE(distance(test::dense_plan(*p), test::dense_plan(*q)), 1e-6);
}

TEST_F(SnsTest, ThePapersAlgorithmSaysWhenItIsNotDone) {
  const auto p = test::random_clouds({.n = 100, .m = 100}, 1e-2);
  SinkhornNewtonSparseOptions options;
  options.max_iterations = 30;
  SinkhornNewtonSparse method(options, context_);
  const Report report = method.solve(*p, Monitor::none());
  EXPECT_EQ(report.status, Status::max_iterations) << report.reason;
  EXPECT_NEAR(total(test::dense_plan(*p)), 1.0, 0.5);
}

}  // namespace
