#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/transport/dense_cost.hpp>
#include <libsolve/transport/point_cost.hpp>
#include <libsolve/transport/sinkhorn_sweeps.hpp>

namespace libsolve::test {
namespace {

Vector masses(const std::vector<double>& v) {
  const Vector x("mass", Partition(static_cast<GlobalIndex>(v.size())));
  const auto h = Kokkos::create_mirror_view(x.view());
  std::copy(v.begin(), v.end(), h.data());
  Kokkos::deep_copy(x.view(), h);
  return x;
}

/// C = [[0, 1], [1, 0]].
std::shared_ptr<const TransportCost> swap_cost(double corner = 0.0) {
  const DenseBlock C("C", 2, 2);
  const auto h = Kokkos::create_mirror_view(C);
  h(0, 0) = corner;
  h(0, 1) = h(1, 0) = 1.0;
  Kokkos::deep_copy(C, h);
  return make_dense_cost(C);
}

template <class E>
std::string message(const std::vector<double>& a, const std::vector<double>& b, double eps = 0.1,
                    std::optional<double> rho = {}) {
  try {
    TransportProblem p(swap_cost(), masses(a), masses(b), eps, rho);
  } catch (const E& e) {
    return e.what();
  }
  return "no error";
}

TEST(TransportProblem, RefusesWhatIsNoProblem) {
  const double nan = std::nan("");
  EXPECT_NE(message<DataError>({0.5, 0.5}, {0.5, 0.6}).find("total of a is 1"), std::string::npos);
  EXPECT_NE(message<DataError>({0.5, -0.5}, {0.5, 0.5}).find("a[1] is -0.5"), std::string::npos);
  EXPECT_NE(message<DataError>({0.5, 0.5}, {0.0, 1.0}).find("b[0] is 0"), std::string::npos);
  EXPECT_NE(message<DataError>({nan, 0.5}, {0.5, 0.5}).find("a[0] is nan"), std::string::npos);
  EXPECT_NE(message<ShapeError>({0.5, 0.25, 0.25}, {0.5, 0.5}).find("2 rows"), std::string::npos);
  EXPECT_NE(message<InputError>({0.5, 0.5}, {0.5, 0.5}, 0.0).find("regularization"),
            std::string::npos);
  EXPECT_NE(message<InputError>({0.5, 0.5}, {0.5, 0.5}, 0.1, -1.0).find("marginal_penalty"),
            std::string::npos);
  EXPECT_EQ(message<Error>({0.5, 0.5}, {0.5, 0.6}, 0.1, 1.0), "no error");
  EXPECT_THROW(swap_cost(nan), DataError);
  EXPECT_THROW(swap_cost(INFINITY), DataError);
}

/// By symmetry f = g and P = [[p, q], [q, p]] with p + q = 1 / 2, q / p = exp(-1 / eps).
TEST(TransportProblem, TwoByTwoInClosedForm) {
  const double eps = 0.5;
  TransportProblem problem(swap_cost(), masses({0.5, 0.5}), masses({0.5, 0.5}), eps);
  EXPECT_GT(problem.verify()[0].value, 0.5);  // zero potentials: P = [[1, e], [e, 1]]
  SinkhornSweeps sweeps(problem);
  sweeps.start();
  for (int k = 0; k < 60; ++k) sweeps.sweep(eps);
  const auto measures = problem.verify();
  EXPECT_LT(measures[0].value, 1e-15);
  const double p = 0.5 / (1.0 + std::exp(-1.0 / eps));
  EXPECT_NEAR(measures[1].value, 2.0 * (0.5 - p), 1e-14);
  EXPECT_NEAR(measures[2].value, 0.0, 1e-14);  // the exact cost: nothing moves
  EXPECT_NEAR(measures[3].value, 2.0 * (0.5 - p), 1e-14);
  const std::vector<Field> fields = problem.solution();
  ASSERT_EQ(fields.size(), 5u);
  EXPECT_TRUE(fields[2].whole_numbers);
  const auto value = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), fields[4].values.view());
  ASSERT_EQ(value.extent(0), 4u);
  EXPECT_NEAR(value(0), p, 1e-14);
  EXPECT_NEAR(value(1), 0.5 - p, 1e-14);
}

/// A stored plan is what is verified then.
TEST(TransportProblem, AStoredPlanCounts) {
  TransportProblem problem(swap_cost(), masses({0.5, 0.5}), masses({0.5, 0.5}), 0.1);
  SparseEntries plan;
  plan.row_pointers = {"p", 3};
  plan.columns = {"c", 2};
  plan.values = {"v", 2};
  const auto first = Kokkos::create_mirror_view(plan.row_pointers);
  const auto columns = Kokkos::create_mirror_view(plan.columns);
  first(0) = 0, first(1) = 1, first(2) = 2;
  columns(0) = 1, columns(1) = 0;
  Kokkos::deep_copy(plan.row_pointers, first);
  Kokkos::deep_copy(plan.columns, columns);
  Kokkos::deep_copy(plan.values, 0.5);
  problem.set_plan(plan);
  auto measures = problem.verify();
  EXPECT_EQ(measures[0].value, 0.0);
  EXPECT_EQ(measures[1].value, 1.0);  // everything is swapped
  EXPECT_EQ(measures[3].value, 1.0);
  Kokkos::deep_copy(plan.values, 0.25);
  EXPECT_EQ(problem.verify()[0].value, 1.0);
}

/// Zero potentials at a small eps: every sum of a column underflows at first.
TEST(SinkhornSweeps, ComeBackFromUnderflow) {
  const Index n = 40;
  const DenseBlock C("C", n, n);
  const auto h = Kokkos::create_mirror_view(C);
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < n; ++j) h(i, j) = 1.0 + 0.01 * j + (i == (7 * j) % n ? 0.0 : 0.5);
  Kokkos::deep_copy(C, h);
  TransportProblem problem(make_dense_cost(C), masses(std::vector<double>(size_t(n), 1.0 / n)),
                           masses(std::vector<double>(size_t(n), 1.0 / n)), 1e-5);
  SinkhornSweeps sweeps(problem);
  for (int k = 0; k < 200; ++k) ASSERT_TRUE(std::isfinite(sweeps.sweep(1e-5).violation) || k == 0);
  EXPECT_GT(sweeps.repaired(), 0);
  EXPECT_LT(problem.verify()[0].value, 1e-9);
}

}  // namespace
}  // namespace libsolve::test
