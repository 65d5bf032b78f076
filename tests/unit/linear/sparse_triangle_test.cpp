#include <libsolve/linear/sparse_triangle.hpp>

#include <gtest/gtest.h>

#include <libsolve/linear/ordering.hpp>
#include <tests/support/matrices.hpp>

namespace {

using namespace libsolve;
using test::Dense;

/// The lower triangle of a random matrix, in natural order.
SparseTriangle::Rows random_rows(Index n, Index mean_length, Dense& T) {
  T = test::zeros(n, n);
  const Dense A = test::to_dense(test::random_entries(n, n, mean_length), n, n);
  SparseTriangle::Rows rows;
  rows.row_pointers.push_back(0);
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < i; ++j)
      if (A[i][j] != 0.0) {
        T[i][j] = A[i][j];
        rows.columns.push_back(j);
        rows.values.push_back(A[i][j]);
      }
    T[i][i] = 4.0 + i % 3;
    rows.order.push_back(i);
    rows.inverse_diagonal.push_back(1.0 / T[i][i]);
    rows.row_pointers.push_back(static_cast<GlobalIndex>(rows.columns.size()));
  }
  return rows;
}

TEST(SparseTriangle, SolvesInPlaceAndWithTheSameBitsInAnyLayout) {
  for (const Index n : {0, 1, 30, 2000}) {
    Dense T;
    const SparseTriangle::Rows rows = random_rows(n, 3, T);
    const SparseTriangle in_order(rows, false);
    const SparseTriangle by_level(rows, true);
    const auto x = test::random_values(static_cast<size_t>(n));
    const Vector vx = test::to_vector(x);
    const Vector y = vx.like("test::y");
    in_order.solve(vx.view(), y.view());
    const auto solution = test::to_host(y);
    EXPECT_LT(test::max_difference(test::multiply(T, solution), x), 1e-12);
    by_level.solve(vx.view(), vx.view());
    EXPECT_EQ(test::to_host(vx), solution);
    EXPECT_EQ(in_order.num_levels(), by_level.num_levels());
  }
}

TEST(SparseTriangle, CountsLevels) {
  // Bidiagonal: a chain. Diagonal: one level.
  SparseTriangle::Rows chain{{0, 1, 2}, {0, 0, 1, 2}, {0, 1}, {1.0, 1.0}, {1.0, 1.0, 1.0}};
  EXPECT_EQ(SparseTriangle(chain, true).num_levels(), 3);
  SparseTriangle::Rows diagonal{{2, 0, 1}, {0, 0, 0, 0}, {}, {}, {1.0, 2.0, 4.0}};
  const SparseTriangle D(diagonal, true);
  EXPECT_EQ(D.num_levels(), 1);
  const Vector x = test::to_vector({1.0, 1.0, 1.0});
  D.solve(x.view(), x.view());
  EXPECT_EQ(test::to_host(x), (std::vector<double>{2.0, 4.0, 1.0}));
}

TEST(SparseTriangle, WideLevelsAreSharedByThreads) {
  // 5000 independent rows, then 5000 that each depend on one of them.
  const Index n = 5000;
  SparseTriangle::Rows rows;
  rows.row_pointers.push_back(0);
  for (Index k = 0; k < 2 * n; ++k) {
    if (k >= n) {
      rows.columns.push_back(k - n);
      rows.values.push_back(-1.0);
    }
    rows.order.push_back(k);
    rows.inverse_diagonal.push_back(0.5);
    rows.row_pointers.push_back(static_cast<GlobalIndex>(rows.columns.size()));
  }
  const SparseTriangle T(rows, true);
  const Vector x = test::to_vector(std::vector<double>(2 * n, 1.0));
  T.solve(x.view(), x.view());
  const auto y = test::to_host(x);
  EXPECT_EQ(y[n - 1], 0.5);
  EXPECT_EQ(y[2 * n - 1], 0.75);
}

// ---- orderings ---------------------------------------------------------------------------------

bool is_permutation_of_all(std::vector<Index> order) {
  std::sort(order.begin(), order.end());
  return order == natural_order(static_cast<Index>(order.size()));
}

TEST(Ordering, ColoursDoNotCouple) {
  const auto A = make_csr_matrix(200, 200, test::random_entries(200, 200, 4));
  const HostCsr host = host_csr(*A);
  const Colouring colouring = multicolour_order(host);
  EXPECT_TRUE(is_permutation_of_all(colouring.order));
  EXPECT_EQ(multicolour_order(host_csr(*test::laplacian(7, 6))).num_colours, 2);
}

TEST(Ordering, ReverseCuthillMcKeeNarrowsTheBand) {
  // A grid of 20 x 5 cells numbered along its long side has bandwidth 20; a shuffle up to 99.
  const auto A = test::laplacian(20, 5);
  const auto shuffled = [](Index i) { return (i * 37) % 100; };
  std::vector<MatrixEntry> entries;
  const Dense D = test::to_dense(*A);
  for (Index i = 0; i < 100; ++i)
    for (Index j = 0; j < 100; ++j)
      if (D[i][j] != 0.0) entries.push_back({shuffled(i), shuffled(j), D[i][j]});
  const auto B = make_csr_matrix(100, 100, entries);
  const HostCsr host = host_csr(*B);
  const std::vector<Index> order = reverse_cuthill_mckee(host);
  ASSERT_TRUE(is_permutation_of_all(order));
  const std::vector<Index> place = places(order);
  Index band = 0;
  for (Index i = 0; i < 100; ++i)
    for (GlobalIndex k = host.begin(i); k < host.end(i); ++k)
      band = std::max(band, std::abs(place[i] - place[host.columns(k)]));
  EXPECT_LE(band, 10);
}

TEST(Ordering, TakesSeveralComponentsAndLoneRows) {
  const auto A = make_csr_matrix(6, 6, {{0, 5, 1.0}, {5, 0, 1.0}, {2, 3, 1.0}});
  EXPECT_TRUE(is_permutation_of_all(reverse_cuthill_mckee(host_csr(*A))));
  EXPECT_TRUE(is_permutation_of_all(multicolour_order(host_csr(*A)).order));
}

}  // namespace
