#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/bilevel/affine_projection.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>
#include <vector>

namespace libsolve {
namespace {

using Numbers = std::vector<double>;

/// m dense rows in n variables, the last one the sum of the first two.
struct Equations {
  Index m, n;
  SparsePattern rows = {};
  Numbers values = {}, b = {};
  Equations(Index num_rows, Index num_columns) : m(num_rows), n(num_columns) {
    const RandomStream random(3, "affine_projection_test");
    const auto at = [&](Index i, Index j) {
      return random.normal(static_cast<std::uint64_t>(i * n + j));
    };
    for (Index i = 0; i < m; ++i) {
      for (Index j = 0; j < n; ++j) {
        rows.rows.push_back(i);
        rows.columns.push_back(j);
        values.push_back(i + 1 < m ? at(i, j) : at(0, j) + at(1, j));
      }
      b.push_back(i + 1 < m ? i + 0.5 : 0.5 + 1.5);
    }
  }
};

TEST(AffineProjection, IsFeasibleIdempotentAndOrthogonal) {
  const Equations e(21, 50);
  const auto projection = affine_projection(e.n, e.rows, e.values, e.b);
  const VectorView v("v", 50);
  const auto host = Kokkos::create_mirror_view(v);
  const RandomStream random(4, "affine_projection_test");
  Numbers start(50);
  for (std::size_t j = 0; j < 50; ++j) host(j) = start[j] = random.normal(j);
  Kokkos::deep_copy(v, host);
  projection->project(v);
  Kokkos::deep_copy(host, v);
  Numbers once(host.data(), host.data() + 50);
  for (Index i = 0; i < e.m; ++i) {
    double sum = -e.b[static_cast<std::size_t>(i)];
    for (Index j = 0; j < e.n; ++j)
      sum += e.values[static_cast<std::size_t>(i * e.n + j)] * once[static_cast<std::size_t>(j)];
    EXPECT_NEAR(sum, 0.0, 1e-11) << i;
  }
  projection->project(v);
  Kokkos::deep_copy(host, v);
  for (std::size_t j = 0; j < 50; ++j) EXPECT_NEAR(host(j), once[j], 1e-12);
  // start - once is orthogonal to the set: to once - other for another point of it.
  for (std::size_t j = 0; j < 50; ++j) host(j) = random.normal(100 + j);
  Kokkos::deep_copy(v, host);
  projection->project(v);
  Kokkos::deep_copy(host, v);
  double product = 0.0;
  for (std::size_t j = 0; j < 50; ++j) product += (start[j] - once[j]) * (once[j] - host(j));
  EXPECT_NEAR(product, 0.0, 1e-11);
}

TEST(AffineProjection, ContradictionsAreRefused) {
  Equations e(5, 8);
  e.b.back() += 0.1;
  EXPECT_THROW((void)affine_projection(e.n, e.rows, e.values, e.b), DataError);
}

}  // namespace
}  // namespace libsolve
