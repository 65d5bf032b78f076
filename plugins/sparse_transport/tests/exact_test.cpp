#include <libsolve/core/errors.hpp>
#include <libsolve/transport/point_cost.hpp>
#include <tests/support/monitors.hpp>

#include "sparse_transport_test_support.hpp"

namespace sparse_transport_test {
namespace {

/// Marginals, certificate and sparsity, all from the plain numbers of the instance.
Report expect_certified(const Instance& p, Value with = {}) {
  const auto problem = p.problem();
  const Report report = make_method("exact", std::move(with))->solve(*problem, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  const Matrix P = plan_of(*problem);
  double largest = 0.0, dual = 0.0, worst = -1e300;
  std::size_t entries = 0;
  const Numbers u = values_of(problem->f()), v = values_of(problem->g());
  for (std::size_t i = 0; i < p.n(); ++i)
    for (std::size_t j = 0; j < p.m(); ++j) {
      largest = std::max(largest, p.C[i][j]);
      worst = std::max(worst, u[i] + v[j] - p.C[i][j]);
      EXPECT_GE(P[i][j], 0.0);
      entries += P[i][j] > 0.0 ? 1 : 0;
    }
  dual = std::inner_product(u.begin(), u.end(), p.a.begin(), 0.0) +
         std::inner_product(v.begin(), v.end(), p.b.begin(), 0.0);
  EXPECT_LE(worst, 3e-14 * largest) << "u_i + v_j <= C_ij";
  EXPECT_LE(violation_of(P, p), 1e-14);
  EXPECT_NEAR(cost_of(P, p.C), dual, 1e-13 * largest);
  EXPECT_LT(entries, p.n() + p.m());
  EXPECT_NEAR(report.value("transport_cost"), cost_of(P, p.C), 1e-14 * largest);
  return report;
}

double exact_cost(const Instance& p) {
  const auto problem = p.problem();
  EXPECT_TRUE(make_method("exact")->solve(*problem, Monitor::none()).converged());
  return cost_of(plan_of(*problem), p.C);
}

/// min over permutations s of sum_i C_i,s(i) / n, all 720 of them.
double best_assignment(const Matrix& C) {
  std::vector<std::size_t> s(C.size());
  std::iota(s.begin(), s.end(), 0);
  double best = 1e300;
  do {
    double total = 0.0;
    for (std::size_t i = 0; i < s.size(); ++i) total += C[i][s[i]];
    best = std::min(best, total / static_cast<double>(s.size()));
  } while (std::next_permutation(s.begin(), s.end()));
  return best;
}

TEST(Exact, FindsTheBestPermutation) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed)
    for (const int levels : {0, 3}) {  // 3: many optima, every basis degenerate
      const Instance p{random_cost(6, 6, seed, levels), equal_masses(6), equal_masses(6)};
      (void)expect_certified(p);
      EXPECT_NEAR(exact_cost(p), best_assignment(p.C), 1e-14) << "seed " << seed;
    }
}

/// a = (1/2, 1/2), b = (1/4, 3/4), C = [0 1; 2 1]: column 0 takes 1/4 of row 0 at no cost, all else
/// costs 1: 3/4.
TEST(Exact, SolvesACaseByHand) {
  const Instance p{{{0.0, 1.0}, {2.0, 1.0}}, {0.5, 0.5}, {0.25, 0.75}};
  EXPECT_DOUBLE_EQ(exact_cost(p), 0.75);
}

class AgainstPaths : public ::testing::TestWithParam<std::pair<std::size_t, std::size_t>> {};
INSTANTIATE_TEST_SUITE_P(Sizes, AgainstPaths,
                         ::testing::Values(std::pair(1, 7), std::pair(7, 1), std::pair(5, 23),
                                           std::pair(30, 30), std::pair(41, 17)));

TEST_P(AgainstPaths, HasTheOptimumOfShortestPaths) {
  const auto [n, m] = GetParam();
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Instance random{random_cost(n, m, seed), random_masses(n, 1.0, seed), random_masses(m, 2.0, seed + 100)};
    EXPECT_NEAR(exact_cost(random), shortest_path_optimum(random), 1e-13);
    (void)expect_certified(random);
    const Instance cloud{cloud_cost(n, m, seed), equal_masses(n), equal_masses(m)};
    EXPECT_NEAR(exact_cost(cloud), shortest_path_optimum(cloud), 1e-13);
    (void)expect_certified(cloud);
  }
}

TEST(Exact, CertifiesLargerCases) {
  const std::size_t n = 257, m = 190;
  (void)expect_certified({random_cost(n, n, 1), equal_masses(n), equal_masses(n)});
  (void)expect_certified({random_cost(n, n, 2, 5), equal_masses(n), equal_masses(n)});
  (void)expect_certified({cloud_cost(n, m, 3), equal_masses(n), random_masses(m, 6.0, 3)});
  (void)expect_certified({random_cost(m, n, 4), random_masses(m, 12.0, 4), random_masses(n, 0.1, 5)});
}

/// With one arc a row from a plan that says nothing, the candidates alone have no feasible tree: the
/// passes over all entries must find what is missing.
TEST(Exact, AddsTheArcsThatTheStartHasMissed) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Instance p{cloud_cost(60, 75, seed), random_masses(60, 1.0, seed), equal_masses(75)};
    const Report report = expect_certified(
        p, options({{"arcs_per_row", 1}, {"start_regularization", 0.5}, {"start_sweeps", 1}}));
    EXPECT_GT(report.value("pricings"), 1.0);
    EXPECT_NEAR(report.value("transport_cost"), shortest_path_optimum(p), 1e-13);
  }
}

/// Relabelling rows and columns relabels the problem; scaling the cost scales the value.
TEST(Exact, FollowsPermutationAndScale) {
  const std::size_t n = 50, m = 37;
  const Instance p{random_cost(n, m, 9), random_masses(n, 1.0, 1), random_masses(m, 1.0, 2)};
  Instance q = p, scaled = p;
  for (std::size_t i = 0; i < n; ++i) {
    q.a[(i * 7) % n == 0 ? 0 : (i * 7) % n] = p.a[i];
    for (std::size_t j = 0; j < m; ++j) {
      q.C[(i * 7) % n][(j * 5) % m] = p.C[i][j];
      scaled.C[i][j] = 1e6 * p.C[i][j];
    }
  }
  for (std::size_t j = 0; j < m; ++j) q.b[(j * 5) % m] = p.b[j];
  const double value = exact_cost(p);
  EXPECT_NEAR(exact_cost(q), value, 1e-14);
  EXPECT_NEAR(exact_cost(scaled), 1e6 * value, 1e-8);
}

/// Masses scaled by any factor: the plan scales.
TEST(Exact, TakesAnyTotalMass) {
  Instance p{random_cost(20, 25, 3), random_masses(20, 1.0, 1), random_masses(25, 1.0, 2)};
  const double value = exact_cost(p);
  for (double& x : p.a) x *= 1e7;
  for (double& x : p.b) x *= 1e7;
  const auto problem = p.problem();
  const Report report = make_method("exact", options({{"tolerance", 1e-6}}))->solve(*problem, Monitor::none());
  EXPECT_TRUE(report.converged()) << report.reason;
  EXPECT_NEAR(cost_of(plan_of(*problem), p.C), 1e7 * value, 1e-6);
}

/// Points on a line, |x - y|^2: the monotone plan is optimal, and the tree is one long path.
TEST(Exact, FindsTheMonotonePlanOnALine) {
  const std::size_t n = 400, m = 300;
  const RandomStream random(5, "line");
  const DenseBlock x("x", n, 1), y("y", m, 1);
  Numbers at_x(n), at_y(m);
  const auto host_x = Kokkos::create_mirror_view(x), host_y = Kokkos::create_mirror_view(y);
  for (std::size_t i = 0; i < n; ++i) host_x(i, 0) = at_x[i] = random.uniform(i);
  for (std::size_t j = 0; j < m; ++j) host_y(j, 0) = at_y[j] = random.uniform(n + j);
  Kokkos::deep_copy(x, host_x);
  Kokkos::deep_copy(y, host_y);
  TransportProblem problem(make_point_cost(x, y), to_vector(equal_masses(n)), to_vector(equal_masses(m)), 1e-3);
  const Report report = make_method("exact")->solve(problem, Monitor::none());
  ASSERT_TRUE(report.converged()) << report.reason;
  std::sort(at_x.begin(), at_x.end());
  std::sort(at_y.begin(), at_y.end());
  // In units of 1 / (n m): every row sends m, every column takes n.
  double value = 0.0;
  std::size_t i = 0, j = 0, row = m, column = n;
  while (i < n && j < m) {
    const std::size_t step = std::min(row, column);
    value += static_cast<double>(step) * (at_x[i] - at_y[j]) * (at_x[i] - at_y[j]);
    if ((row -= step) == 0) ++i, row = m;
    if ((column -= step) == 0) ++j, column = n;
  }
  EXPECT_NEAR(report.value("transport_cost"), value / static_cast<double>(n * m), 1e-14);
}

TEST(Exact, TakesCostsWithoutContrast) {
  for (const double c : {0.0, 3.0}) {
    const Instance p{Matrix(30, Numbers(40, c)), random_masses(30, 1.0, 1), equal_masses(40)};
    const auto problem = p.problem();
    const Report report = make_method("exact")->solve(*problem, Monitor::none());
    EXPECT_TRUE(report.converged()) << report.reason;
    EXPECT_NEAR(cost_of(plan_of(*problem), p.C), c, 1e-14);
    EXPECT_LT(violation_of(plan_of(*problem), p), 1e-14);
  }
}

/// The same numbers again, and the input untouched.
TEST(Exact, IsDeterministicAndLeavesItsInput) {
  const Instance p{random_cost(80, 80, 2), random_masses(80, 1.0, 1), random_masses(80, 1.0, 2)};
  const auto first = p.problem(), second = p.problem();
  const auto method = make_method("exact");
  (void)method->solve(*first, Monitor::none());
  (void)method->solve(*second, Monitor::none());
  EXPECT_EQ(plan_of(*first), plan_of(*second));
  EXPECT_EQ(values_of(first->f()), values_of(second->f()));
  EXPECT_EQ(values_of(first->a()), p.a);
}

TEST(Exact, SaysWhereItStopped) {
  const Instance p{cloud_cost(90, 90, 1), random_masses(90, 1.0, 1), random_masses(90, 1.0, 2)};
  auto problem = p.problem();
  Report report = make_method("exact", options({{"max_pivots", 3}}))->solve(*problem, Monitor::none());
  EXPECT_EQ(report.status, Status::max_iterations);
  EXPECT_NE(report.reason.find("limit on pivots"), std::string::npos) << report.reason;
  EXPECT_NEAR(report.value("marginal_violation"), violation_of(plan_of(*problem), p), 1e-14);
  test::RecordingMonitor monitor(1, Verdict::time_limit);
  problem = p.problem();
  report = make_method("exact", options({{"arcs_per_row", 1}}))->solve(*problem, monitor);
  EXPECT_EQ(report.status, Status::time_limit);
  EXPECT_EQ(monitor.names.front(), "marginal_violation");
}

TEST(Exact, AsksForAnEndItCannotReach) {
  const Instance p{random_cost(20, 20, 1), random_masses(20, 1.0, 1), random_masses(20, 1.0, 2)};
  const auto problem = p.problem();
  const Report report =
      make_method("exact", options({{"tolerance", 1e-300}}))->solve(*problem, Monitor::none());
  EXPECT_EQ(report.status, Status::stagnated);
}

TEST(Exact, RefusesWhatItCannotDo) {
  const Instance p{random_cost(4, 4, 1), equal_masses(4), equal_masses(4)};
  const auto balanced = p.problem();
  TransportProblem unbalanced(balanced->shared_cost(), balanced->a(), balanced->b(), 1e-2, 1.0);
  EXPECT_THROW((void)make_method("exact")->solve(unbalanced, Monitor::none()), Unsupported);
  EXPECT_THROW(make_method("exact", options({{"arcs_per_row", 0}})), InputError);
  EXPECT_THROW(make_method("exact", options({{"strat", "sns"}})), InputError);
  EXPECT_THROW(make_method("exact", options({{"start", "no-such-method"}})), InputError);
}

/// A start by name: here the plugin's own method, whose potentials are as good as can be.
TEST(Exact, StartsFromAnotherMethod) {
  const Instance p{random_cost(70, 70, 3), equal_masses(70), equal_masses(70)};
  const Report report = expect_certified(p, options({{"start", "exact"}}));
  EXPECT_EQ(report.value("pricings"), 1.0);
}

}  // namespace
}  // namespace sparse_transport_test
