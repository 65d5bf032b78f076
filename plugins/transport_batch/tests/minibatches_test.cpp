#include "minibatches.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/plugin/registry.hpp>
#include <tests/support/transport_problems.hpp>
#include <tests/support/vectors.hpp>

namespace {

using namespace libsolve;
using namespace transport_batch;

/// Clouds of the tests as a source.
struct TestClouds final : ProblemSource {
  struct Options {
    int points = 40;
    static void describe(Fields<Options>& f) { f.add("points", &Options::points, "n"); }
  };
  static constexpr std::string_view problem_class = TransportProblem::class_name;
  TestClouds(const Options& o, const Context&) : points(o.points) {}
  std::unique_ptr<Problem> create() override {
    if (points == 0) return test::random_assignment(5, 0.1);
    return test::random_clouds({.n = points, .m = points}, 0.1);
  }
  int points;
};

class Minibatches : public testing::Test {
 protected:
  Minibatches() {
    Registrar(registry_, "", "").add<TestClouds>({.name = "test-clouds", .summary = "points"});
    context_.registry = &registry_;
  }
  MinibatchesOptions options(int points = 40) const {
    MinibatchesOptions o{.batches = 7, .batch_size = 12, .relative_regularization = 5e-2};
    Value table;
    table.set("points", Value(points));
    o.clouds = ComponentSpec("test-clouds");
    o.clouds.options = table;
    return o;
  }
  std::unique_ptr<TransportBatchProblem> create(const MinibatchesOptions& o) {
    std::unique_ptr<Problem> problem = MinibatchesSource(o, context_).create();
    return std::unique_ptr<TransportBatchProblem>(
        dynamic_cast<TransportBatchProblem*>(problem.release()));
  }
  Registry registry_;
  Context context_;
};

double entry(const TransportBatch& batch, std::size_t k, std::size_t i, std::size_t j) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), batch.cost);
  return host(k, i, j);
}

/// Costs of a batch are costs between the clouds, and rows of a problem are different points.
TEST_F(Minibatches, CostsAreThoseOfTheClouds) {
  const auto problem = create(options());
  const auto all = test::dense_cost(test::random_clouds({.n = 40, .m = 40}, 0.1)->cost());
  for (std::size_t k = 0; k < 7; k += 3) {
    double nearest = 1.0;
    const double wanted = entry(problem->batch(), k, 2, 5);
    for (const auto& row : all)
      for (const double c : row) nearest = std::min(nearest, std::abs(c - wanted));
    EXPECT_LT(nearest, 1e-14);
    EXPECT_NE(entry(problem->batch(), k, 0, 5), entry(problem->batch(), k, 1, 5));
  }
  EXPECT_NE(entry(problem->batch(), 0, 0, 0), entry(problem->batch(), 1, 0, 0));
}

TEST_F(Minibatches, AreSolvedAndVerified) {
  const auto problem = create(options());
  const Report report = BatchedSinkhorn({.tolerance = 1e-8}, {}).solve(*problem, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_LE(report.value("marginal_violation"), 1e-8);
  const auto fields = problem->solution();
  EXPECT_EQ(fields[0].shape, (std::vector<GlobalIndex>{7, 12}));
  // Problem 3 alone: marginals and cost from its entries.
  const auto f = test::to_host(fields[0].values), g = test::to_host(fields[1].values);
  const auto cost = test::to_host(fields[2].values), eps = test::to_host(fields[4].values);
  double total = 0.0;
  for (std::size_t i = 0; i < 12; ++i) {
    double row = 0.0;
    for (std::size_t j = 0; j < 12; ++j) {
      const double C = entry(problem->batch(), 3, i, j);
      const double P = std::exp((f[36 + i] + g[36 + j] - C) / eps[3]);
      row += P;
      total += C * P;
    }
    EXPECT_NEAR(row, 1.0 / 12.0, 1e-8);
  }
  EXPECT_NEAR(cost[3], total, 1e-13);
}

TEST_F(Minibatches, TheLimitIsReported) {
  MinibatchesOptions o = options();
  o.relative_regularization = 1e-3;
  const auto problem = create(o);
  const Report report = BatchedSinkhorn({.max_iterations = 5}, {}).solve(*problem, Monitor::none());
  EXPECT_EQ(report.status, Status::max_iterations);
  EXPECT_NE(report.reason.find("of 7 problems are left"), std::string::npos) << report.reason;
}

TEST_F(Minibatches, OtherProblemsAreRefused) {
  EXPECT_THROW(create(options(11)), InputError);  // fewer points than a batch has
  EXPECT_THROW(create(options(0)), InputError);   // no points
  const auto single = test::random_assignment(5, 0.1);
  BatchedSinkhorn method({}, {});
  EXPECT_THROW((void)static_cast<TransportBatchSolver&>(method).solve(
                   static_cast<Problem&>(*single), Monitor::none()),
               Unsupported);
}

}  // namespace
