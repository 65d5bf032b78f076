#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/random.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/plugin/loader.hpp>
#include <memory>
#include <tests/support/vectors.hpp>

#include "../quadratic.hpp"
#include "../separable.hpp"
#include "../total_variation.hpp"

namespace proximal::test {

using libsolve::test::to_host;
using libsolve::test::to_vector;

/// For the linear solver of 'quadratic'.
inline Context context() {
  static const Registry* all = [] {
    auto* made = new Registry;
    load_plugins(*made, {.files = {}, .path = "", .installed_folder = std::nullopt});
    return made;
  }();
  Context c;
  c.registry = all;
  return c;
}

/// Cells of unequal sides.
inline ProximalSpace space_of(int dimension, std::array<Index, 3> cells, Index fields = 1) {
  Grid grid;
  grid.dimension = dimension;
  for (std::size_t a = 0; a < static_cast<std::size_t>(dimension); ++a) {
    grid.cells[a] = cells[a];
    grid.spacing[a] = 0.5 + 0.25 * static_cast<double>(a);
  }
  ProximalSpace space;
  space.partition = Partition(static_cast<Index>(grid.num_cells()) * fields);
  space.grid = grid;
  space.num_fields = fields;
  return space;
}

inline std::vector<double> random_values(std::size_t n, std::uint64_t seed) {
  const RandomStream stream(seed, "proximal");
  std::vector<double> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = stream.normal(i);
  return values;
}

inline double inner(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

inline std::vector<double> minus(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> c(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) c[i] = a[i] - b[i];
  return c;
}

inline std::vector<double> prox(ProximalOperator& R, const std::vector<double>& x, double t,
                                double tolerance = 1e-7) {
  const Vector in = to_vector(x), out = in.like("z");
  const double bound = R.apply(in, t, tolerance, out);
  EXPECT_LE(bound, tolerance);
  return to_host(out);
}

/// V sum over cells of |D x| and of |D x|^2, cell by cell as they are written down.
struct Variations {
  double isotropic = 0.0, square = 0.0;
};
inline Variations variations(const ProximalSpace& space, const std::vector<double>& x) {
  const Grid& g = *space.grid;
  const auto n = [&](std::size_t a) { return static_cast<std::size_t>(g.cells[a]); };
  Variations v;
  for (std::size_t f = 0; f < static_cast<std::size_t>(space.num_fields); ++f)
    for (std::size_t k = 0; k < n(2); ++k)
      for (std::size_t j = 0; j < n(1); ++j)
        for (std::size_t i = 0; i < n(0); ++i) {
          const std::size_t at = i + n(0) * (j + n(1) * (k + n(2) * f));
          const std::size_t place[3] = {i, j, k}, stride[3] = {1, n(0), n(0) * n(1)};
          double square = 0.0;
          for (std::size_t a = 0; a < 3; ++a) {
            if (place[a] + 1 == n(a)) continue;
            const double d = (x[at + stride[a]] - x[at]) / g.spacing[a];
            square += d * d;
          }
          v.square += square;
          v.isotropic += std::sqrt(square);
        }
  v.isotropic *= space.cell_volume();
  v.square *= space.cell_volume();
  return v;
}

}  // namespace proximal::test
