#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/transport/dense_cost.hpp>
#include <libsolve/transport/plan_marginals.hpp>
#include <libsolve/transport/point_cost.hpp>
#include <libsolve/transport/sinkhorn_sweeps.hpp>

/// Rows over ranks against the whole on each rank.
namespace libsolve::test {
namespace {

constexpr Index n = 103, m = 57;

DenseBlock points(const char* name, Index first, Index count) {
  const RandomStream stream(5, name);
  const DenseBlock p(name, count, 2);
  const auto h = Kokkos::create_mirror_view(p);
  for (Index i = 0; i < count; ++i)
    for (Index d = 0; d < 2; ++d) h(i, d) = stream.uniform(size_t(2 * (first + i) + d));
  Kokkos::deep_copy(p, h);
  return p;
}

TransportProblem problem_on(const Communicator& comm, std::optional<double> rho = {}) {
  const Index first = static_cast<Index>(GlobalIndex{n} * comm.rank() / comm.size());
  const Index last = static_cast<Index>(GlobalIndex{n} * (comm.rank() + 1) / comm.size());
  const Partition rows(comm, last - first);
  const Vector a("a", rows), b("b", Partition(m));
  Kokkos::deep_copy(a.view(), 1.0 / n);
  Kokkos::deep_copy(b.view(), 1.0 / m);
  return {make_point_cost(points("x", first, last - first), points("y", 0, m), {}, rows), a, b, 0.01,
          rho};
}

TEST(TransportOverRanks, SweepsAndMeasuresAreThoseOfOneRank) {
  const Communicator world = Communicator::world();
  for (const std::optional<double> rho : {std::optional<double>(), std::optional<double>(0.5)}) {
    TransportProblem spread = problem_on(world, rho);
    TransportProblem whole = problem_on(Communicator::self(), rho);
    for (TransportProblem* p : {&spread, &whole}) {
      SinkhornSweeps sweeps(*p);
      sweeps.start();
      for (int k = 0; k < 50; ++k) sweeps.sweep(0.01);
    }
    const auto of_spread = spread.verify(), of_whole = whole.verify();
    ASSERT_EQ(of_spread.size(), of_whole.size());
    for (size_t k = 0; k < of_whole.size(); ++k)
      EXPECT_NEAR(of_spread[k].value, of_whole[k].value, 1e-12) << of_whole[k].name;
    const auto g = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), spread.g().view());
    const auto h = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), whole.g().view());
    for (Index j = 0; j < m; ++j) EXPECT_NEAR(g(j), h(j), 1e-12);
    if (rho) continue;
    const auto plan = spread.solution(), all = whole.solution();
    ASSERT_EQ(plan.size(), 5u);
    EXPECT_EQ(plan[2].values.global_size(), all[2].values.global_size());
    EXPECT_NEAR(detail::total_of(plan[2].values), detail::total_of(all[2].values), 0.5);
    EXPECT_NEAR(detail::total_of(plan[4].values), detail::total_of(all[4].values), 1e-12);
  }
}

/// The rank whose rows are bad knows it alone; the others must not wait for it.
TEST(TransportOverRanks, ABadCostOnOneRankIsAnErrorOnAll) {
  const Communicator world = Communicator::world();
  const Partition rows(world, 5);
  const DenseBlock C("C", 5, 4), x = points("x", 5 * world.rank(), 5);
  if (world.rank() == world.size() - 1) {
    Kokkos::deep_copy(C, std::nan(""));
    Kokkos::deep_copy(x, std::nan(""));
  }
  EXPECT_THROW((void)make_dense_cost(C, rows), DataError);
  EXPECT_THROW((void)make_point_cost(x, points("y", 0, 4), {}, rows), DataError);
}

TEST(TransportOverRanks, UnderflowIsRepairedOnAllRanks) {
  TransportProblem spread = problem_on(Communicator::world());
  TransportProblem whole = problem_on(Communicator::self());
  for (TransportProblem* p : {&spread, &whole}) {
    SinkhornSweeps sweeps(*p);
    for (int k = 0; k < 30; ++k) EXPECT_FALSE(std::isnan(sweeps.sweep(1e-4).violation));
    EXPECT_GT(sweeps.repaired(), 0);
  }
  const auto g = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), spread.g().view());
  const auto h = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), whole.g().view());
  for (Index j = 0; j < m; ++j) EXPECT_NEAR(g(j), h(j), 1e-12);
}

}  // namespace
}  // namespace libsolve::test
