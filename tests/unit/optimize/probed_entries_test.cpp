#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/random.hpp>
#include <libsolve/optimize/probed_entries.hpp>
#include <limits>
#include <tests/support/vectors.hpp>

namespace {

using namespace libsolve;

/// Rows of a random sparse matrix, symmetric where it is square, its band of `band` diagonals half full.
struct Random {
  std::size_t rows, columns, band;
  std::vector<double> entries() const {
    const RandomStream stream(3, "test");
    std::vector<double> a(rows * columns, 0.0);
    for (std::size_t i = 0; i < rows; ++i)
      for (std::size_t j = 0; j < columns; ++j) {
        const std::size_t low = std::min(i, j), high = std::max(i, j);
        const std::uint64_t at = rows == columns ? low * 1000 + high : i * 1000 + j;
        if (high - low < band && (i == j || stream.uniform(2 * at) < 0.5))
          a[i * columns + j] = stream.uniform(2 * at + 1, -1.0, 1.0);
      }
    return a;
  }
};

ProbedEntries::Product product_of(const Random& random, const std::vector<double>& a) {
  return [random, a](const ConstVectorView& v, const VectorView& out) {
    const auto x = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v);
    const auto y = Kokkos::create_mirror_view(out);
    for (std::size_t i = 0; i < random.rows; ++i) {
      y(i) = 0.0;
      for (std::size_t j = 0; j < random.columns; ++j) y(i) += a[i * random.columns + j] * x(j);
    }
    Kokkos::deep_copy(out, y);
  };
}

TEST(ProbedEntries, FindsAllEntriesWithFewProducts) {
  for (const Random& random : {Random{40, 40, 4}, Random{30, 50, 25}, Random{50, 30, 30}}) {
    const auto a = random.entries();
    const ProbedEntries probed(static_cast<Index>(random.rows), static_cast<Index>(random.columns),
                               {product_of(random, a)});
    for (const bool lower : {false, true}) {
      if (lower && random.rows != random.columns) continue;
      const SparsePattern p = probed.pattern(lower);
      const VectorView values("values", p.size());
      probed.values(product_of(random, a), lower, values);
      const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), values);
      std::vector<double> found(a.size(), 0.0);
      for (std::size_t e = 0; e < p.size(); ++e) {
        const auto i = static_cast<std::size_t>(p.rows[e]), j = static_cast<std::size_t>(p.columns[e]);
        EXPECT_EQ(found[i * random.columns + j], 0.0);
        found[i * random.columns + j] = host(e);
        if (lower) found[j * random.columns + i] = host(e);
      }
      EXPECT_EQ(found, a);
    }
    EXPECT_LE(probed.num_colours(), random.band == 4 ? 13 : 50);
  }
}

TEST(ProbedEntries, TakesTheUnionOfSeveralPointsAndNaN) {
  const Random random{2, 2, 2};
  const std::vector<double> first = {1.0, 0.0, 0.0, 1.0}, second = {0.0, 2.0, 0.0, 0.0};
  const std::vector<double> third = {0.0, 0.0, std::numeric_limits<double>::quiet_NaN(), 0.0};
  const auto size_of = [&](const std::vector<std::vector<double>>& points) {
    std::vector<ProbedEntries::Product> products;
    for (const auto& a : points) products.push_back(product_of(random, a));
    return ProbedEntries(2, 2, products).pattern(false).size();
  };
  EXPECT_EQ(size_of({first}), 2U);
  EXPECT_EQ(size_of({first, second}), 3U);
  EXPECT_EQ(size_of({first, third}), 3U);
}

}  // namespace
