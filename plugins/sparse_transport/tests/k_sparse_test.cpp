#include <libsolve/core/errors.hpp>
#include <tests/support/monitors.hpp>

#include "column_plan.hpp"
#include "sparse_cholesky.hpp"
#include "sparse_transport_test_support.hpp"

namespace sparse_transport_test {
namespace {

/// Slacks alpha_i + beta_j - C_ij of column j.
Numbers slacks_of(const Instance& p, const TransportProblem& problem, std::size_t j) {
  const Numbers alpha = values_of(problem.f()), beta = values_of(problem.g());
  Numbers s(p.n());
  for (std::size_t i = 0; i < p.n(); ++i) s[i] = alpha[i] + beta[j] - p.C[i][j];
  return s;
}

/// <alpha, a> + <beta, b> - sum_j 1 / (2 gamma) sum of the squares of the k largest [s_j]_+.
double dual_of(const Instance& p, const TransportProblem& problem, double gamma, std::size_t k) {
  const Numbers alpha = values_of(problem.f()), beta = values_of(problem.g());
  double dual = std::inner_product(alpha.begin(), alpha.end(), p.a.begin(), 0.0) +
                std::inner_product(beta.begin(), beta.end(), p.b.begin(), 0.0);
  for (std::size_t j = 0; j < p.m(); ++j) {
    Numbers s = slacks_of(p, problem, j);
    std::sort(s.rbegin(), s.rend());
    for (std::size_t r = 0; r < std::min(k, s.size()) && s[r] > 0.0; ++r) dual -= s[r] * s[r] / (2.0 * gamma);
  }
  return dual;
}

double objective_of(const Instance& p, const Matrix& T, double gamma) {
  double squares = 0.0;
  for (const Numbers& row : T) squares += std::inner_product(row.begin(), row.end(), row.begin(), 0.0);
  return cost_of(T, p.C) + 0.5 * gamma * squares;
}

std::size_t most_in_a_column(const Matrix& T) {
  std::size_t most = 0;
  for (std::size_t j = 0; j < T.front().size(); ++j) {
    std::size_t count = 0;
    for (const Numbers& row : T) count += row[j] > 0.0 ? 1 : 0;
    most = std::max(most, count);
  }
  return most;
}

struct Solved {
  std::unique_ptr<TransportProblem> problem;
  Report report;
  Matrix T;
  double gamma;
};

Solved solve(const Instance& p, const char* name, Value with) {
  Solved s{p.problem(), {}, {}, 0.0};
  s.report = make_method(name, std::move(with))->solve(*s.problem, Monitor::none());
  s.T = plan_of(*s.problem);
  s.gamma = s.report.value("gamma");
  return s;
}

std::vector<Instance> reference_instances(double eta) {
  std::vector<Instance> all = {{random_cost(150, 150, 1), equal_masses(150), equal_masses(150), eta},
                               {cloud_cost(150, 150, 2), equal_masses(150), equal_masses(150), eta},
                               {cloud_cost(90, 130, 3), random_masses(90, 0.5, 1), random_masses(130, 0.5, 2), eta}};
  return all;
}

/// Optimality is recomputed: T = [s]_+ / gamma with the right marginals.
TEST(Quadratic, MeetsItsOptimalityConditionsInFewSteps) {
  for (const double eta : {1e-2, 1e-3})
    for (const Instance& p : reference_instances(eta)) {
      const Solved s = solve(p, "quadratic", {});
      EXPECT_TRUE(s.report.converged()) << s.report.reason;
      EXPECT_LE(s.report.iterations, 30);
      EXPECT_LE(violation_of(s.T, p), 1e-10);
      for (std::size_t j = 0; j < p.m(); ++j) {
        const Numbers slacks = slacks_of(p, *s.problem, j);
        for (std::size_t i = 0; i < p.n(); ++i)
          EXPECT_NEAR(s.T[i][j], std::max(0.0, slacks[i]) / s.gamma, 1e-13);
      }
      EXPECT_NEAR(objective_of(p, s.T, s.gamma), dual_of(p, *s.problem, s.gamma, p.n()), 1e-10);
      EXPECT_NEAR(s.report.value("objective"), objective_of(p, s.T, s.gamma), 1e-13);
    }
}

TEST(Quadratic, SolvesACaseByHand) {
  // C = [0 1; 1 0], masses 1/2, gamma = 4: with t on the diagonal and 1/2 - t beside it the objective is
  // 2 (1/2 - t) + 4 (t^2 + (1/2 - t)^2), least where -2 + 8 t - 8 (1/2 - t) = 0: t = 3/8.
  const Instance p{{{0.0, 1.0}, {1.0, 0.0}}, {0.5, 0.5}, {0.5, 0.5}};
  const Solved s = solve(p, "quadratic", options({{"gamma", 4.0}}));
  ASSERT_TRUE(s.report.converged()) << s.report.reason;
  EXPECT_NEAR(s.T[0][0], 0.375, 1e-10);
  EXPECT_NEAR(s.T[1][0], 0.125, 1e-10);
}

TEST(SparsityConstrained, WithAllEntriesIsQuadratic) {
  for (const Instance& p : reference_instances(1e-3)) {
    const Solved all = solve(p, "sparsity-constrained", options({{"k", static_cast<std::int64_t>(p.n())}}));
    const Solved quadratic = solve(p, "quadratic", {});
    ASSERT_TRUE(all.report.converged()) << all.report.reason;
    EXPECT_NEAR(objective_of(p, all.T, all.gamma), objective_of(p, quadratic.T, quadratic.gamma), 1e-11);
    for (std::size_t i = 0; i < p.n(); ++i)
      for (std::size_t j = 0; j < p.m(); ++j) EXPECT_NEAR(all.T[i][j], quadratic.T[i][j], 1e-9);
  }
}

TEST(SparsityConstrained, WithOneEntryIsExact) {
  const Instance p{random_cost(60, 60, 1), equal_masses(60), equal_masses(60)};
  const Solved one = solve(p, "sparsity-constrained", options({{"k", 1}}));
  const Solved exact = solve(p, "exact", {});
  ASSERT_TRUE(one.report.converged()) << one.report.reason;
  EXPECT_EQ(most_in_a_column(one.T), 1u);
  EXPECT_NEAR(cost_of(one.T, p.C), cost_of(exact.T, p.C), 1e-14);
  EXPECT_NEAR(objective_of(p, one.T, one.gamma), dual_of(p, *one.problem, one.gamma, 1), 1e-13);
  // Masses that no plan of one entry a column moves: said, and bounded.
  const Instance q{random_cost(20, 30, 1), random_masses(20, 1.0, 1), random_masses(30, 1.0, 2)};
  const Solved split = solve(q, "sparsity-constrained", options({{"k", 1}}));
  EXPECT_EQ(split.report.status, Status::stagnated);
  EXPECT_NE(split.report.reason.find("not tight"), std::string::npos) << split.report.reason;
}

/// Where it converges, the dual value proves the plan optimal. Where it does not, it says so, with a plan of
/// k entries a column and the bound.
TEST(SparsityConstrained, ProvesItsPlanOrSaysThatItCannot) {
  int converged = 0, loose = 0;
  for (const std::int64_t k : {2, 3, 4, 5, 8})
    for (const double eta : {1e-2, 1e-3})
      for (const int family : {0, 1}) {
        const std::size_t n = 70;
        const Instance p{family == 0 ? random_cost(n, n, 5) : cloud_cost(n, n, 5), equal_masses(n),
                         equal_masses(n), eta};
        const Solved s = solve(p, "sparsity-constrained", options({{"k", k}}));
        const double gap = objective_of(p, s.T, s.gamma) - dual_of(p, *s.problem, s.gamma, k);
        EXPECT_LE(violation_of(s.T, p), 1e-10) << s.report.reason;
        EXPECT_GE(gap, -1e-11);
        EXPECT_NEAR(s.report.value("objective_gap"), gap, 1e-10);
        EXPECT_LE(most_in_a_column(s.T), static_cast<std::size_t>(k)) << s.report.reason;
        if (s.report.converged()) {
          ++converged;
          EXPECT_LE(gap, 1e-8);
        } else {
          ++loose;
          EXPECT_EQ(s.report.status, Status::stagnated) << s.report.reason;
          EXPECT_NE(s.report.reason.find("not tight"), std::string::npos) << s.report.reason;
          EXPECT_LE(gap, 0.05 * objective_of(p, s.T, s.gamma));
        }
      }
  EXPECT_GT(converged, 0);
  EXPECT_GT(loose, 0);
}

TEST(SparsityConstrained, LbfgsFindsTheSame) {
  const Instance p{random_cost(40, 50, 3), equal_masses(40), equal_masses(50), 2e-2};
  const Solved newton = solve(p, "sparsity-constrained", options({{"k", 40}}));
  for (const char* formulation : {"dual", "semi-dual"}) {
    const Solved s = solve(p, "sparsity-constrained",
                           options({{"k", 40}, {"algorithm", "lbfgs"}, {"formulation", formulation},
                                    {"tolerance", 1e-6}, {"gap_tolerance", 1e-6}, {"max_iterations", 3000}}));
    EXPECT_TRUE(s.report.converged()) << s.report.reason;
    EXPECT_NEAR(objective_of(p, s.T, s.gamma), objective_of(p, newton.T, newton.gamma), 1e-6);
    EXPECT_LE(violation_of(s.T, p), 1e-6);
  }
  const Solved loose = solve(p, "sparsity-constrained",
                             options({{"k", 40}, {"algorithm", "lbfgs"}, {"tolerance", 1e-2}, {"gap_tolerance", 1e-12}}));
  EXPECT_EQ(loose.report.status, Status::stagnated);
  EXPECT_NE(loose.report.reason.find("lower 'tolerance'"), std::string::npos) << loose.report.reason;
}

TEST(SparsityConstrained, FollowsAPermutation) {
  const std::size_t n = 41;
  const Instance p{random_cost(n, n, 4), equal_masses(n), equal_masses(n), 1e-2};
  Instance q = p;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) q.C[(i * 5) % n][(j * 7) % n] = p.C[i][j];
  const Solved a = solve(p, "sparsity-constrained", options({{"k", 3}}));
  const Solved b = solve(q, "sparsity-constrained", options({{"k", 3}}));
  EXPECT_NEAR(a.report.value("dual_objective"), b.report.value("dual_objective"), 1e-9);
  EXPECT_EQ(a.report.status, b.report.status);
}

TEST(SparsityConstrained, StopsAndRefuses) {
  const Instance p{cloud_cost(50, 50, 1), equal_masses(50), equal_masses(50), 1e-3};
  EXPECT_EQ(solve(p, "sparsity-constrained", options({{"max_iterations", 2}})).report.status,
            Status::max_iterations);
  test::RecordingMonitor monitor(1, Verdict::interrupted);
  const auto problem = p.problem();
  const Report report = make_method("sparsity-constrained")->solve(*problem, monitor);
  EXPECT_EQ(report.status, Status::interrupted);
  EXPECT_EQ(monitor.names.front(), "marginal_violation");
  TransportProblem unbalanced(problem->shared_cost(), problem->a(), problem->b(), 1e-2, 1.0);
  EXPECT_THROW((void)make_method("quadratic")->solve(unbalanced, Monitor::none()), Unsupported);
  EXPECT_THROW(make_method("sparsity-constrained", options({{"k", 0}})), InputError);
  EXPECT_THROW(make_method("sparsity-constrained", options({{"gamma", 0.0}})), InputError);
  EXPECT_THROW(make_method("sparsity-constrained", options({{"formulation", "semi-dual"}})), InputError);
}

/// t is the gradient of the value, and its derivative is what full() and tied() say.
TEST(ColumnPlan, HasTheDerivativesItClaims) {
  const RandomStream random(3, "column");
  for (std::uint64_t trial = 0; trial < 200; ++trial) {
    const std::size_t size = 9;
    const sparse_transport::ColumnRule rule{0.5 + random.uniform(100 * trial), trial % 2 == 0 ? 0.05 : 0.7,
                                            1 + trial % 5};
    Numbers s(size), old(size, 0.0);
    for (std::size_t i = 0; i < size; ++i) {
      s[i] = random.uniform(100 * trial + 10 + i, -0.5, 1.0);
      if (i % 3 == 0) old[i] = random.uniform(100 * trial + 30 + i);
    }
    sparse_transport::ColumnPlan column;
    column.compute(rule, s, old);
    const Numbers t = column.t();
    Matrix J(size, Numbers(size, 0.0));
    for (const std::size_t i : column.full()) J[i][i] = 1.0 / (rule.gamma + rule.w);
    for (const std::size_t i : column.tied())
      for (const std::size_t j : column.tied())
        J[i][j] = ((i == j ? 1.0 : 0.0) - 1.0 / column.tied_weight()) / rule.w;
    const double h = 1e-7;
    for (std::size_t i = 0; i < size; ++i) {
      Numbers up = s, down = s;
      up[i] += h;
      down[i] -= h;
      sparse_transport::ColumnPlan above, below;
      above.compute(rule, up, old);
      below.compute(rule, down, old);
      EXPECT_NEAR((above.value() - below.value()) / (2.0 * h), t[i], 2e-6) << "trial " << trial;
      for (std::size_t j = 0; j < size; ++j)
        EXPECT_NEAR((above.t()[j] - below.t()[j]) / (2.0 * h), J[i][j], 1e-5) << "trial " << trial;
    }
  }
}

/// Without a proximal term: the k largest positive slacks over gamma.
TEST(ColumnPlan, KeepsTheLargest) {
  sparse_transport::ColumnPlan column;
  const Numbers s = {0.5, -1.0, 3.0, 1.0, 2.0}, zero(5, 0.0);
  column.compute({2.0, 0.0, 2}, s, zero);
  EXPECT_EQ(column.t(), (Numbers{0.0, 0.0, 1.5, 0.0, 1.0}));
  EXPECT_DOUBLE_EQ(column.conjugate(), (9.0 + 4.0) / 4.0);
  EXPECT_DOUBLE_EQ(column.value(), column.conjugate());
}

TEST(SparseCholesky, SolvesForestsAndDensePieces) {
  for (const int links : {1, 4, 40}) {
    const std::int32_t size = 120;
    const RandomStream random(7, "graph");
    sparse_transport::SparseCholesky A(size);
    Matrix dense(size, Numbers(size, 0.0));
    const auto add = [&](std::int32_t i, std::int32_t j, double value) {
      A.add(i, j, value);
      dense[i][j] += value;
      if (i != j) dense[j][i] += value;
    };
    for (std::int32_t i = 0; i < size; ++i) {
      add(i, i, 1e-3);
      for (int l = 0; l < links && i > 0; ++l) {
        const auto j = static_cast<std::int32_t>(random.uniform(1000 * i + l) * i);
        const double weight = random.uniform(1000 * i + 500 + l) + 0.1;
        add(i, i, weight);
        add(j, j, weight);
        add(i, j, -weight);
      }
    }
    Numbers x(size);
    for (std::int32_t i = 0; i < size; ++i) x[i] = random.uniform(i, -1.0, 1.0);
    Numbers rhs = x;
    ASSERT_TRUE(A.solve(x));
    for (std::int32_t i = 0; i < size; ++i)
      EXPECT_NEAR(std::inner_product(x.begin(), x.end(), dense[i].begin(), 0.0), rhs[i], 1e-10);
  }
  sparse_transport::SparseCholesky indefinite(2);
  indefinite.add(0, 0, 1.0);
  indefinite.add(1, 1, 1.0);
  indefinite.add(0, 1, 2.0);
  Numbers x = {1.0, 1.0};
  EXPECT_FALSE(indefinite.solve(x));
}

}  // namespace
}  // namespace sparse_transport_test
