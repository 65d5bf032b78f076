#include <gtest/gtest.h>

#include <tests/support/execution_spaces.hpp>

#include "operators_support.hpp"

namespace {

using namespace proximal;
using namespace proximal::test;

/// x = a on the first m cells, b > a on the other n - m, also repeated along a second axis. With
/// lambda = t V / h, z = a + lambda / m and b - lambda / (n - m), until they meet at the mean.
TEST(TotalVariation, OfAStepIsTheClosedForm) {
  const Index n = 12, m = 4;
  for (const int dimension : {1, 2}) {
    const Index rows = dimension == 1 ? 1 : 5;
    const ProximalSpace space = space_of(dimension, {n, rows, 1});
    TotalVariation R({}, Context{});
    R.prepare(space);
    std::vector<double> x;
    for (Index j = 0; j < rows; ++j)
      for (Index i = 0; i < n; ++i) x.push_back(i < m ? -1.0 : 2.0);
    for (const double t : {0.5, 3.0, 100.0}) {
      const double lambda = t * space.cell_volume() / space.grid->spacing[0];
      const double mean = (-1.0 * m + 2.0 * (n - m)) / n;
      const double low = std::min(mean, -1.0 + lambda / m), high = std::max(mean, 2.0 - lambda / (n - m));
      const auto z = prox(R, x, t);
      for (std::size_t i = 0; i < z.size(); ++i)
        EXPECT_NEAR(z[i], static_cast<Index>(i) % n < m ? low : high, 1e-7) << "t = " << t;
    }
  }
}

/// The bound that is returned holds for the distance from a far more exact point.
TEST(TotalVariation, BoundsItsError) {
  for (const int dimension : {1, 2, 3}) {
    const ProximalSpace space = space_of(dimension, {9, dimension > 1 ? 8 : 1, dimension > 2 ? 5 : 1});
    const auto n = static_cast<std::size_t>(space.grid->num_cells());
    const auto x = random_values(n, 7);
    TotalVariation exact({}, Context{});
    exact.prepare(space);
    const auto best = prox(exact, x, 0.5, 1e-7);
    for (const double tolerance : {0.3, 1e-2, 1e-4}) {
      TotalVariation R({.check_every = 1}, Context{});
      R.prepare(space);
      const Vector in = to_vector(x), out = in.like("z");
      const double bound = R.apply(in, 0.5, tolerance, out);
      EXPECT_LE(bound, tolerance);
      const auto miss = minus(to_host(out), best);
      EXPECT_LE(std::sqrt(inner(miss, miss)), bound + 1e-7) << dimension << "D, " << tolerance;
    }
    TotalVariation short_of_time({.max_iterations = 3, .check_every = 1}, Context{});
    short_of_time.prepare(space);
    const Vector in = to_vector(x), out = in.like("z");
    EXPECT_GT(short_of_time.apply(in, 0.5, 1e-9, out), 1e-9);
  }
}

TEST(TotalVariation, StartsFromTheLastDual) {
  const ProximalSpace space = space_of(2, {31, 29, 1});
  TotalVariation R({}, Context{});
  R.prepare(space);
  const auto x = random_values(31 * 29, 2);
  prox(R, x, 0.5, 1e-3);
  const double first = R.work_counts().front().value;
  prox(R, x, 0.5, 1e-3);
  EXPECT_GT(first, 0.0);
  EXPECT_EQ(R.work_counts().front().value, first);
}

template <class Space>
using Field = Kokkos::View<double*, typename Space::memory_space>;

template <class Space>
Field<Space> on_space(const std::vector<double>& values) {
  const Field<Space> field("values", values.size());
  Kokkos::deep_copy(field, Kokkos::View<const double*, Kokkos::HostSpace>(values.data(), values.size()));
  return field;
}

template <class Space>
std::vector<double> back(const Field<Space>& field) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), field);
  return {host.data(), host.data() + host.extent(0)};
}

/// Kernels on one grid in one execution space: D z from a dual step that starts at 0 with |D z| < 1, D^T p
/// from the primal, which must be adjoint; sums against those written down.
template <class Space, int A>
void check_kernels(std::array<Index, 3> n) {
  const Space exec;
  const ProximalSpace space = space_of(A, n);
  Cells cells;
  for (int a = 0; a < A; ++a) {
    cells.n[a] = n[static_cast<std::size_t>(a)];
    cells.inverse_spacing[a] = 1.0 / space.grid->spacing[static_cast<std::size_t>(a)];
  }
  const auto size = static_cast<std::size_t>(cells.num_cells());
  std::vector<double> values = random_values(size, 3);
  for (double& v : values) v *= 0.01;
  const auto z = on_space<Space>(values);
  std::array<Field<Space>, 3> p, r;
  Dual dual, momentum;
  for (std::size_t a = 0; a < A; ++a) {
    p[a] = Field<Space>("p", size);
    r[a] = Field<Space>("r", size);
    dual.axis[a] = p[a].data();
    momentum.axis[a] = r[a].data();
  }
  const double uphill =
      reduce_cells(exec, "test::step", cells, DualStep<A>{cells, z.data(), 1.0, 0.5, dual, momentum});
  double square = 0.0, product = 0.0;
  std::array<std::vector<double>, 3> w;
  for (std::size_t a = 0; a < A; ++a) {
    const auto Dz = back<Space>(p[a]), kept = back<Space>(r[a]);
    square += inner(Dz, Dz);
    for (std::size_t i = 0; i < size; ++i) ASSERT_NEAR(kept[i], 1.5 * Dz[i], 1e-15);
    w[a] = random_values(size, 20 + a);
    product += inner(w[a], Dz);
    // p_a = 0 at the end of its axis, as the kernels expect.
    std::size_t stride = 1;
    for (std::size_t b = 0; b < a; ++b) stride *= static_cast<std::size_t>(n[b]);
    for (std::size_t i = 0; i < size; ++i)
      if ((i / stride) % static_cast<std::size_t>(n[a]) == static_cast<std::size_t>(n[a]) - 1) w[a][i] = 0.0;
    Kokkos::deep_copy(p[a], on_space<Space>(w[a]));
  }
  EXPECT_NEAR(square * space.cell_volume(), variations(space, values).square, 1e-12 * square);
  EXPECT_NEAR(uphill, -square, 1e-12 * square);  // (0 - D z)^T (D z - 0)
  const Field<Space> zeros("zeros", static_cast<std::size_t>(n[0])), out("out", size), x("x", size);
  reduce_cells(exec, "test::primal", cells,
               PrimalOfDual<A, false>{cells, x.data(), dual, -1.0, nullptr, nullptr, zeros.data(), out.data()});
  EXPECT_NEAR(inner(back<Space>(out), values), product, 1e-12 * static_cast<double>(size));
  const double isotropic =
      reduce_cells(exec, "test::variation", cells, Variation<A, false>{cells, z.data(), {}, 0.0});
  EXPECT_NEAR(isotropic * space.cell_volume(), variations(space, values).isotropic, 1e-12 * isotropic);
  // |d| - p^T d with p scaled to |p| < 1.
  for (std::size_t a = 0; a < A; ++a) {
    for (double& v : w[a]) v *= 0.05;
    Kokkos::deep_copy(p[a], on_space<Space>(w[a]));
  }
  const double gap =
      reduce_cells(exec, "test::gap", cells, Variation<A, true>{cells, z.data(), dual, 0.0});
  reduce_cells(exec, "test::primal", cells,
               PrimalOfDual<A, false>{cells, x.data(), dual, -1.0, nullptr, nullptr, zeros.data(), out.data()});
  EXPECT_NEAR(gap, isotropic - inner(back<Space>(out), values), 1e-12 * isotropic);
  // With bounds the same, clipped.
  const auto lower = on_space<Space>(std::vector<double>(size, -0.01)),
             upper = on_space<Space>(std::vector<double>(size, 0.02));
  const Field<Space> clipped("clipped", size);
  reduce_cells(exec, "test::primal", cells,
               PrimalOfDual<A, true>{cells, x.data(), dual, -1.0, lower.data(), upper.data(), zeros.data(),
                                     clipped.data()});
  const auto free = back<Space>(out), held = back<Space>(clipped);
  for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(held[i], std::clamp(free[i], -0.01, 0.02));
}

template <class Space>
class TotalVariationKernels : public ::testing::Test {};
TYPED_TEST_SUITE(TotalVariationKernels, libsolve::test::ExecutionSpaces);

TYPED_TEST(TotalVariationKernels, DifferencesAndTheirAdjointFitTheFormulas) {
  check_kernels<TypeParam, 1>({1, 1, 1});
  check_kernels<TypeParam, 1>({131, 1, 1});
  check_kernels<TypeParam, 2>({1, 9, 1});
  check_kernels<TypeParam, 2>({131, 67, 1});  // above the size that threads share
  check_kernels<TypeParam, 3>({37, 1, 11});
  check_kernels<TypeParam, 3>({37, 29, 11});
}

}  // namespace
