#include <libsolve/linear/csr_matrix.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/linear/assembled.hpp>
#include <libsolve/linear/detail/csr_product.hpp>
#include <limits>
#include <tests/support/execution_spaces.hpp>
#include <tests/support/matrices.hpp>

namespace {

using namespace libsolve;
using test::Dense;

double dot_of(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0.0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

template <class T>
Kokkos::View<T*, MemSpace> view_of(const std::vector<T>& values) {
  Kokkos::View<T*, Kokkos::HostSpace> host("test::view", values.size());
  std::copy(values.begin(), values.end(), host.data());
  return Kokkos::create_mirror_view_and_copy(MemSpace(), host);
}

CsrMatrix csr(GlobalIndex rows, GlobalIndex columns, const std::vector<GlobalIndex>& p,
              const std::vector<Index>& c, const std::vector<double>& v) {
  return CsrMatrix(rows, columns, view_of(p), view_of(c), view_of(v));
}

/// Every product of the matrix against the dense one, entry by entry.
void expect_products_match(const std::vector<MatrixEntry>& entries, Index rows, Index columns) {
  SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(columns));
  const auto A = make_csr_matrix(rows, columns, entries);
  const Dense D = test::to_dense(entries, rows, columns);
  const auto x = test::random_values(static_cast<size_t>(columns), 2);
  const auto b = test::random_values(static_cast<size_t>(rows), 3);
  const auto expected = test::multiply(D, x);
  const double tolerance = 1e-13 * (columns + 1);

  const Vector vx = test::to_vector(x);
  const Vector vb = test::to_vector(b);
  const Vector y = vb.like("test::y");
  A->apply(vx, y);
  EXPECT_LE(test::max_difference(test::to_host(y), expected), tolerance);

  const double squared = A->residual(vb, vx, y);
  std::vector<double> r(b);
  for (size_t i = 0; i < r.size(); ++i) r[i] -= expected[i];
  EXPECT_LE(test::max_difference(test::to_host(y), r), tolerance);
  EXPECT_NEAR(squared, dot_of(r, r), tolerance * (1.0 + dot_of(r, r)));

  if (rows == columns) {
    const double xy = A->apply_dot(vx, y);
    EXPECT_LE(test::max_difference(test::to_host(y), expected), tolerance);
    EXPECT_NEAR(xy, dot_of(x, expected), tolerance * (1.0 + rows));
    ASSERT_TRUE(A->diagonal(y));
    const auto d = test::to_host(y);
    for (Index i = 0; i < rows; ++i) EXPECT_EQ(d[i], D[i][i]);
  }

  // <A x, b> = <x, A^T b>.
  const Vector t = vx.like("test::t");
  A->apply_adjoint(vb, t);
  EXPECT_NEAR(dot_of(expected, b), dot_of(x, test::to_host(t)), tolerance * (1.0 + rows));
}

TEST(CsrMatrix, ProductsMatchDenseForRandomStructure) {
  // Sizes around the eight rows of a slice and around the sorting window; all layouts occur.
  for (const Index n : {1, 2, 7, 8, 9, 63, 64, 65, 300, 700})
    expect_products_match(test::random_entries(n, n, 5, 10 + n), n, n);
  expect_products_match(test::random_entries(40, 11, 3), 40, 11);
  expect_products_match(test::random_entries(11, 40, 20), 11, 40);
}

TEST(CsrMatrix, ProductsMatchDenseForBands) {
  // Grids whose lines are no multiple of eight, so that slices begin and end anywhere in a line.
  for (const auto& [nx, ny] : {std::pair<Index, Index>{50, 1}, {16, 16}, {13, 11}, {37, 9}}) {
    const auto A = test::laplacian(nx, ny);
    const Dense D = test::to_dense(*A);
    std::vector<MatrixEntry> entries;
    for (size_t i = 0; i < D.size(); ++i)
      for (size_t j = 0; j < D.size(); ++j)
        if (D[i][j] != 0.0)
          entries.push_back({static_cast<Index>(i), static_cast<Index>(j),
                             D[i][j] + 0.1 * static_cast<double>(i)});
    expect_products_match(entries, nx * ny, nx * ny);
  }
}

TEST(CsrMatrix, LongRowAmongShortOnesUsesCompressedRows) {
  std::vector<MatrixEntry> entries;
  for (Index i = 0; i < 400; ++i) entries.push_back({i, i, 2.0});
  for (Index j = 0; j < 400; j += 2) entries.push_back({200, j, 0.01 * j});
  expect_products_match(entries, 400, 400);
}

TEST(CsrMatrix, EmptyRowsColumnsAndMatrices) {
  expect_products_match({}, 5, 5);
  expect_products_match({{0, 3, 1.5}, {9, 0, -2.0}}, 10, 4);
  const auto A = make_csr_matrix(0, 0, {});
  const Vector none("test::none", Partition(GlobalIndex{0}));
  A->apply(none, none);
  EXPECT_EQ(A->residual(none, none, none), 0.0);
  EXPECT_EQ(A->num_nonzeros(), 0);
}

TEST(CsrMatrix, UnsortedRowsAreSortedAndDuplicatesSummed) {
  const CsrMatrix A = csr(2, 3, {0, 4, 5}, {2, 0, 2, 0, 1}, {1.0, 2.0, 3.0, 4.0, 5.0});
  EXPECT_EQ(A.num_nonzeros(), 3);
  EXPECT_EQ(test::to_dense(A), (Dense{{6.0, 0.0, 4.0}, {0.0, 5.0, 0.0}}));
  const auto c = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), A.columns());
  EXPECT_EQ(c(0), 0);
  EXPECT_EQ(c(1), 2);
}

TEST(CsrMatrix, SortedArraysAreKeptWithoutACopy) {
  const auto p = view_of<GlobalIndex>({0, 1, 2});
  const auto c = view_of<Index>({0, 1});
  const auto v = view_of<double>({1.0, 2.0});
  const CsrMatrix A(2, 2, p, c, v);
  EXPECT_EQ(A.row_pointers().data(), p.data());
  EXPECT_EQ(A.columns().data(), c.data());
  EXPECT_EQ(A.values().data(), v.data());
}

TEST(CsrMatrix, AsymmetryIsTheLargestRelativeDifference) {
  EXPECT_EQ(csr(2, 2, {0, 2, 4}, {0, 1, 0, 1}, {4.0, 1.0, 1.0, 2.0}).asymmetry(), 0.0);
  EXPECT_DOUBLE_EQ(csr(2, 2, {0, 2, 4}, {0, 1, 0, 1}, {4.0, 1.0, 1.5, 2.0}).asymmetry(), 0.125);
  // (0, 1) has no partner.
  const CsrMatrix one_sided = csr(2, 2, {0, 2, 3}, {0, 1, 1}, {4.0, 1.0, 2.0});
  EXPECT_EQ(one_sided.asymmetry(), std::numeric_limits<double>::infinity());
  EXPECT_FALSE(one_sided.is_symmetric());
  // A stored zero without a partner changes nothing.
  EXPECT_TRUE(csr(2, 2, {0, 2, 3}, {0, 1, 1}, {4.0, 0.0, 2.0}).is_symmetric());
  EXPECT_TRUE(csr(2, 2, {0, 0, 0}, {}, {}).is_symmetric());
  EXPECT_FALSE(csr(1, 2, {0, 1}, {0}, {1.0}).is_symmetric());
  EXPECT_TRUE(test::random_spd(50, 6)->is_symmetric());
}

TEST(CsrMatrix, SymmetricAdjointIsTheProductItself) {
  const auto A = test::random_spd(100, 6);
  const double before = A->memory_bytes();
  const Vector x = test::to_vector(test::random_values(100));
  const Vector y = x.like("test::y");
  const Vector t = x.like("test::t");
  A->apply(x, y);
  A->apply_adjoint(x, t);
  EXPECT_EQ(test::to_host(y), test::to_host(t));
  EXPECT_EQ(A->memory_bytes(), before);  // no transposed copy was made
}

/// The message names the row and what is wrong with it.
template <class E>
std::string message_of(GlobalIndex rows, GlobalIndex columns, const std::vector<GlobalIndex>& p,
                       const std::vector<Index>& c, const std::vector<double>& v) {
  try {
    csr(rows, columns, p, c, v);
  } catch (const E& error) {
    return error.what();
  }
  return "no such error";
}

TEST(CsrMatrix, RefusesArraysThatDoNotFit) {
  EXPECT_NE(message_of<ShapeError>(2, 2, {0, 1}, {0}, {1.0}).find("2 row pointers for 2 rows"),
            std::string::npos);
  EXPECT_NE(
      message_of<ShapeError>(1, 1, {0, 1}, {0, 0}, {1.0}).find("2 column indices for 1 values"),
      std::string::npos);
  EXPECT_NE(message_of<ShapeError>(2, 2, {0, 1, 3}, {0, 1}, {1.0, 1.0}).find("0 to 3"),
            std::string::npos);
  EXPECT_NE(message_of<ShapeError>(3, 2, {0, 2, 1, 2}, {0, 1}, {1.0, 1.0}).find("row 1"),
            std::string::npos);
  EXPECT_NE(message_of<DataError>(2, 2, {0, 1, 2}, {0, 2}, {1.0, 1.0})
                .find("row 1 has a column outside [0, 2)"),
            std::string::npos);
  EXPECT_NE(message_of<DataError>(2, 2, {0, 1, 2}, {-1, 1}, {1.0, 1.0}).find("row 0"),
            std::string::npos);
  EXPECT_NE(message_of<DataError>(2, 2, {0, 1, 2}, {0, 1}, {1.0, NAN})
                .find("row 1 has a value that is not finite"),
            std::string::npos);
  EXPECT_THROW(make_csr_matrix(2, 2, {{2, 0, 1.0}}), DataError);
}

TEST(CsrMatrix, RefusesVectorsThatDoNotFit) {
  const auto A = make_csr_matrix(2, 3, {{0, 0, 1.0}, {1, 2, 2.0}});
  const Vector two("two", Partition(2)), three("three", Partition(3));
  EXPECT_NO_THROW(A->apply(three, two));
  EXPECT_THROW(A->apply(two, two), ShapeError);
  EXPECT_THROW(A->apply(three, three), ShapeError);
  EXPECT_THROW(A->apply_adjoint(three, two), ShapeError);
  EXPECT_THROW(A->residual(three, three, two), ShapeError);
}

TEST(CsrMatrix, CountsBytesOfOneProduct) {
  // 4 entries of 12 bytes, 2 rows of 8 for pointers and 8 for y, 3 columns of 8 for x.
  const CsrMatrix A = csr(2, 3, {0, 2, 4}, {0, 1, 1, 2}, {1.0, 1.0, 1.0, 1.0});
  EXPECT_EQ(A.bytes_per_apply(), 4 * 12.0 + 2 * 16.0 + 3 * 8.0);
}

// ---- layouts -----------------------------------------------------------------------------------

TEST(CsrLayout, GridMatricesAreBandedNearlyEverywhere) {
  const auto A = test::laplacian(40, 40);
  const HostCsr host = host_csr(*A);
  const detail::CsrArrays arrays{1600, 1600, host.row_pointers, host.columns, host.values};
  const auto slices = detail::make_sliced_rows(arrays, detail::RowLayout::sliced);
  EXPECT_GT(slices.banded_share(), 0.9);
}

TEST(CsrLayout, ChoiceFollowsRowLengths) {
  const auto equal = [](Index) { return 7; };
  EXPECT_EQ(detail::choose_layout(1000, 7000, equal), detail::RowLayout::sliced);
  // Alternating 1 and 9: sorting makes slices of equal rows.
  const auto alternating = [](Index i) { return i % 2 == 0 ? 1 : 9; };
  EXPECT_EQ(detail::choose_layout(4096, 4096 * 5, alternating), detail::RowLayout::sorted_slices);
  // One row of 10 000 among ones.
  const auto arrow = [](Index i) { return i == 0 ? 10000 : 1; };
  EXPECT_EQ(detail::choose_layout(4096, 4095 + 10000, arrow), detail::RowLayout::compressed);
  EXPECT_EQ(detail::choose_layout(0, 0, equal), detail::RowLayout::sliced);
}

TEST(CsrLayout, CountsBeyond32BitsAreNotNarrowed) {
  // 64 rows of 2^27 entries: 2^33 in all. Only lengths are looked at, nothing is allocated.
  const auto long_rows = [](Index) { return GlobalIndex{1} << 27; };
  EXPECT_EQ(detail::choose_layout(64, GlobalIndex{1} << 33, long_rows), detail::RowLayout::sliced);
  detail::SlicedRows::Slice slice{GlobalIndex{1} << 33, 2 * (GlobalIndex{1} << 34) + 1};
  EXPECT_TRUE(slice.is_banded());
  EXPECT_EQ(slice.first_index(), GlobalIndex{1} << 34);
  // Row pointers past 2^31 whose arrays are short are seen as such, not wrapped to a small number.
  EXPECT_NE(
      message_of<ShapeError>(1, 1, {0, (GlobalIndex{1} << 32) + 1}, {0}, {1.0}).find("4294967297"),
      std::string::npos);
}

// ---- kernels over every execution space --------------------------------------------------------

template <class Exec>
class CsrKernels : public ::testing::Test {};
TYPED_TEST_SUITE(CsrKernels, test::ExecutionSpaces);

/// Largest error of y = A x by TeamRowProduct in `Exec`, and of its x^T y.
template <class Exec>
double team_product_error(Index n, Index mean_length) {
  const auto entries = test::random_entries(n, n, mean_length, 5);
  const auto A = make_csr_matrix(n, n, entries);
  const auto x = test::random_values(static_cast<size_t>(n));
  const typename Exec::memory_space memory;
  const auto p = Kokkos::create_mirror_view_and_copy(memory, A->row_pointers());
  const auto c = Kokkos::create_mirror_view_and_copy(memory, A->columns());
  const auto v = Kokkos::create_mirror_view_and_copy(memory, A->values());
  const auto vx = Kokkos::create_mirror_view_and_copy(memory, test::to_vector(x).view());
  const Kokkos::View<double*, typename Exec::memory_space> y("test::y", n);
  const double sum = detail::run_teams(Exec(), p, c, v, vx.data(),
                                       detail::StoreProductAndDot{vx.data(), y.data()});
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), y);
  const auto expected = test::multiply(test::to_dense(entries, n, n), x);
  double worst = std::abs(sum - dot_of(x, expected));
  for (Index i = 0; i < n; ++i) worst = std::max(worst, std::abs(host(i) - expected[i]));
  return worst;
}

TYPED_TEST(CsrKernels, TeamProductMatchesDense) {
  EXPECT_LT(team_product_error<TypeParam>(1, 1), 1e-12);
  EXPECT_LT(team_product_error<TypeParam>(131, 3), 1e-12);
  EXPECT_LT(team_product_error<TypeParam>(300, 40), 1e-11);
}

}  // namespace
