#include <libsolve/core/errors.hpp>

#include "sparse_transport_test_support.hpp"

#ifdef LIBSOLVE_HAVE_LEMON
namespace sparse_transport_test {
namespace {

TEST(Lemon, AgreesWithExactAndWithShortestPaths) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const Instance p{seed % 2 == 0 ? random_cost(33, 46, seed) : cloud_cost(33, 46, seed),
                     random_masses(33, 2.0, seed), random_masses(46, 1.0, seed + 50)};
    const auto by_lemon = p.problem(), by_exact = p.problem();
    const Report lemon = make_method("lemon")->solve(*by_lemon, Monitor::none());
    const Report exact = make_method("exact")->solve(*by_exact, Monitor::none());
    EXPECT_TRUE(lemon.converged()) << lemon.reason;
    EXPECT_TRUE(exact.converged()) << exact.reason;
    const double value = cost_of(plan_of(*by_lemon), p.C);
    EXPECT_NEAR(value, cost_of(plan_of(*by_exact), p.C), 1e-13);
    EXPECT_NEAR(value, shortest_path_optimum(p), 1e-13);
    EXPECT_LE(violation_of(plan_of(*by_lemon), p), 1e-14);
  }
}

TEST(Lemon, AgreesWithExactOnLargerCases) {
  const std::size_t n = 300;
  for (const int levels : {0, 4}) {
    const Instance p{random_cost(n, n, 7, levels), equal_masses(n), equal_masses(n)};
    const auto by_lemon = p.problem(), by_exact = p.problem();
    ASSERT_TRUE(make_method("lemon")->solve(*by_lemon, Monitor::none()).converged());
    ASSERT_TRUE(make_method("exact")->solve(*by_exact, Monitor::none()).converged());
    EXPECT_NEAR(cost_of(plan_of(*by_lemon), p.C), cost_of(plan_of(*by_exact), p.C), 1e-13);
  }
}

TEST(Lemon, RefusesCostsThatAreTooLarge) {
  const Instance p{random_cost(10, 10, 1), equal_masses(10), equal_masses(10)};
  const auto problem = p.problem();
  EXPECT_THROW((void)make_method("lemon", options({{"max_entries", 99.0}}))->solve(*problem, Monitor::none()),
               Unsupported);
}

}  // namespace
}  // namespace sparse_transport_test
#endif
