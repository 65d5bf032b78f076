#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/transport/detail/batch_passes.hpp>
#include <string>
#include <vector>

namespace {

using namespace libsolve;

/// Random batches; entries on the host to recompute from.
struct Case {
  int B;
  Index n, m;
  std::vector<double> cost, a, b;
  double eta = 1e-2;

  Case(int count, Index rows, Index columns) : B(count), n(rows), m(columns) {
    const RandomStream stream(1, "test::batch");
    cost.resize(static_cast<std::size_t>(B) * n * m);
    for (std::size_t e = 0; e < cost.size(); ++e) cost[e] = 7.0 * stream.uniform(e);
    a = masses(n, "test::a");
    b = masses(m, "test::b");
  }
  std::vector<double> masses(Index count, const char* purpose) const {
    const RandomStream stream(1, purpose);
    std::vector<double> v(static_cast<std::size_t>(B) * count);
    for (int k = 0; k < B; ++k) {
      double total = 0.0;
      for (Index i = 0; i < count; ++i)
        total += v[static_cast<std::size_t>(k * count + i)] =
            stream.uniform(static_cast<std::uint64_t>(k * count + i), 0.5, 1.5);
      for (Index i = 0; i < count; ++i) v[static_cast<std::size_t>(k * count + i)] /= total;
    }
    return v;
  }
  TransportBatch batch() const {
    const auto B_ = static_cast<std::size_t>(B);
    const auto n_ = static_cast<std::size_t>(n), m_ = static_cast<std::size_t>(m);
    Kokkos::View<double***, Kokkos::LayoutRight, MemSpace> C("C", B_, n_, m_);
    Kokkos::View<double**, Kokkos::LayoutRight, MemSpace> va("a", B_, n_), vb("b", B_, m_);
    const auto fill = [](const auto& view, const std::vector<double>& values) {
      const auto host = Kokkos::create_mirror_view(view);
      std::copy(values.begin(), values.end(), host.data());
      Kokkos::deep_copy(view, host);
    };
    fill(C, cost);
    fill(va, a);
    fill(vb, b);
    return {.cost = C, .a = va, .b = vb, .eta = eta};
  }
};

template <class View>
std::vector<double> host_of(const View& view) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), view);
  return {host.data(), host.data() + host.size()};
}

/// Violation and cost of problem k from its potentials.
std::pair<double, double> recomputed(const Case& c, const TransportBatchSolution& s, int k) {
  const auto f = host_of(s.f), g = host_of(s.g), eps = host_of(s.eps);
  std::vector<double> columns(static_cast<std::size_t>(c.m), 0.0);
  double violation = 0.0, cost = 0.0;
  for (Index i = 0; i < c.n; ++i) {
    double row = 0.0;
    for (Index j = 0; j < c.m; ++j) {
      const double C = c.cost[static_cast<std::size_t>((k * c.n + i) * c.m + j)];
      const double P = std::exp((f[static_cast<std::size_t>(k * c.n + i)] +
                                 g[static_cast<std::size_t>(k * c.m + j)] - C) /
                                eps[static_cast<std::size_t>(k)]);
      row += P;
      columns[static_cast<std::size_t>(j)] += P;
      cost += C * P;
    }
    violation += std::abs(row - c.a[static_cast<std::size_t>(k * c.n + i)]);
  }
  for (Index j = 0; j < c.m; ++j)
    violation += std::abs(columns[static_cast<std::size_t>(j)] - c.b[static_cast<std::size_t>(k * c.m + j)]);
  return {violation, cost};
}

void expect_solved(const Case& c, const TransportBatchSolution& s, double tolerance) {
  const auto violation = host_of(s.violation), cost = host_of(s.transport_cost), eps = host_of(s.eps);
  for (int k = 0; k < c.B; ++k) {
    const auto [v, p] = recomputed(c, s, k);
    const auto at = static_cast<std::size_t>(k);
    EXPECT_LE(v, tolerance) << "problem " << k;
    EXPECT_NEAR(violation[at], v, 1e-12);
    EXPECT_NEAR(cost[at], p, 1e-12);
    double largest = 0.0;
    for (Index e = 0; e < c.n * c.m; ++e)
      largest = std::max(largest, c.cost[static_cast<std::size_t>(k * c.n * c.m + e)]);
    EXPECT_DOUBLE_EQ(eps[at], c.eta * largest);
  }
}

TEST(TransportBatch, EveryProblemIsSolved) {
  for (const auto& [n, m] : {std::pair<Index, Index>{1, 1}, {7, 5}, {16, 24}, {33, 31}}) {
    Case c(9, n, m);
    expect_solved(c, solve_transport_batch(c.batch()), 2e-9);
    c.eta = 5e-3;
    TransportBatch slow = c.batch();
    slow.max_iterations = 1000000;
    expect_solved(c, solve_transport_batch(slow), 2e-9);
  }
}

/// What is solved together is what is solved alone.
TEST(TransportBatch, ProblemsDoNotTouchEachOther) {
  const Case all(6, 12, 10);
  const auto together = solve_transport_batch(all.batch());
  for (int k = 0; k < 6; ++k) {
    Case one(1, 12, 10);
    std::copy_n(all.cost.begin() + k * 120, 120, one.cost.begin());
    std::copy_n(all.a.begin() + k * 12, 12, one.a.begin());
    std::copy_n(all.b.begin() + k * 10, 10, one.b.begin());
    const auto alone = solve_transport_batch(one.batch());
    const auto f = host_of(together.f);
    const auto g = host_of(alone.f);
    for (std::size_t i = 0; i < 12; ++i)
      EXPECT_EQ(f[static_cast<std::size_t>(k) * 12 + i], g[i]);
  }
}

/// The kernel for devices, here on the host: one team a problem.
TEST(TransportBatch, TeamsComeToTheSame) {
  using Exec = Kokkos::DefaultHostExecutionSpace;
  if constexpr (!std::is_same_v<Exec, ExecSpace>) GTEST_SKIP() << "tested through the device";
  const Case c(5, 13, 9);
  const TransportBatch batch = c.batch();
  const auto expected = solve_transport_batch(batch);
  TransportBatchSolution out{{"f", 5, 13}, {"g", 5, 9}, VectorView("eps", 5), VectorView("v", 5),
                             VectorView("c", 5), {"i", 5}};
  Kokkos::parallel_for("test::batch", detail::one_team_each<ExecSpace>(5),
                       detail::BatchSolve<ExecSpace>{batch, out});
  ExecSpace().fence();
  expect_solved(c, out, 2e-9);
  const auto one = host_of(expected.transport_cost), two = host_of(out.transport_cost);
  for (std::size_t k = 0; k < 5; ++k) EXPECT_NEAR(one[k], two[k], 1e-8);
}

TEST(TransportBatch, TheIterationLimitIsSeenInTheViolation) {
  Case c(3, 20, 20);
  c.eta = 1e-3;
  TransportBatch batch = c.batch();
  batch.max_iterations = 4;
  const auto s = solve_transport_batch(batch);
  for (int k = 0; k < 3; ++k) {
    EXPECT_GT(host_of(s.violation)[static_cast<std::size_t>(k)], 1e-6);
    EXPECT_NEAR(recomputed(c, s, k).first, host_of(s.violation)[static_cast<std::size_t>(k)], 1e-12);
  }
}

TEST(TransportBatch, DataThatIsWrongIsNamed) {
  const auto words_of = [](const std::function<void(Case&)>& spoil) {
    Case c(3, 4, 5);
    spoil(c);
    try {
      (void)solve_transport_batch(c.batch());
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  const auto expect = [&](const std::function<void(Case&)>& spoil, const std::string& word) {
    EXPECT_NE(words_of(spoil).find(word), std::string::npos) << words_of(spoil);
  };
  expect([](Case& c) { c.a[4 + 2] = -1.0; }, "problem 1 of the batch: the mass a[2]");
  expect([](Case& c) { c.b[14] = 0.0; }, "problem 2 of the batch: the mass b[4]");
  expect([](Case& c) { c.b[0] *= 2.0; }, "problem 0 of the batch: the totals");
  expect([](Case& c) { c.cost[20 + 7] = std::nan(""); }, "problem 1 of the batch: the cost [1, 2]");
  TransportBatch odd = Case(3, 4, 5).batch();
  odd.a = Case(3, 5, 5).batch().a;
  EXPECT_THROW(solve_transport_batch(odd), ShapeError);
  EXPECT_EQ(solve_transport_batch({}).eps.extent(0), 0u);
}

}  // namespace
