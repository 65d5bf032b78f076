#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/random.hpp>
#include <libsolve/core/random_vector.hpp>
#include <libsolve/pde/log_diffusion.hpp>
#include <tests/support/vectors.hpp>
#include <vector>

/// LogDiffusion against its formulas, cell by cell and face by face.
namespace {

using namespace libsolve;
using Walls = LogDiffusion::Walls;

struct Case {
  int dimension;
  Index cells;
  Walls walls;
  int functions;
};
/// Grids within one span of cells, of several spans and of several tiles.
const Case cases[] = {{2, 3, Walls::fixed, 1},      {2, 45, Walls::fixed, 2},
                      {2, 45, Walls::insulated, 1}, {3, 2, Walls::insulated, 2},
                      {3, 11, Walls::fixed, 3},     {3, 26, Walls::insulated, 6},
                      {3, 26, Walls::fixed, 1},
                      {3, 64, Walls::fixed, 6}};

/// What the formulas say, everything at once.
struct Expected {
  std::vector<double> apply, derivative, gradient, second;
};

Expected expected(const Case& c, const std::vector<double>& m, const std::vector<double>& v,
                  const std::vector<double>& y, const std::vector<double>& p) {
  const Index N = c.cells;
  const auto n = m.size();
  const double scale = static_cast<double>(N) * N;
  Expected e;
  e.apply.assign(y.size(), 0.0);
  e.derivative = e.apply;
  e.gradient.assign(n, 0.0);
  e.second = e.gradient;
  for (std::size_t s = 0; s < y.size(); s += n) {
    double mean = 0.0;
    for (std::size_t i = 0; i < n; ++i) mean += y[s + i] / static_cast<double>(n);
    for (std::size_t i = 0; i < n; ++i) {
      const auto cell = static_cast<Index>(i);
      const Index at[3] = {cell % N, cell / N % N, cell / N / N};
      const double E = std::exp(-m[i]);
      if (c.walls == Walls::insulated) e.apply[s + i] += mean;
      std::size_t stride = 1;
      for (int a = 0; a < c.dimension; ++a, stride *= static_cast<std::size_t>(N))
        for (const bool low : {true, false}) {
          if (low ? at[a] == 0 : at[a] + 1 == N) {
            if (c.walls == Walls::insulated) continue;
            const double k = 2.0 * scale / E;
            e.apply[s + i] += k * y[s + i];
            e.derivative[s + i] += k * v[i] * y[s + i];
            e.gradient[i] += k * y[s + i] * p[s + i];
            e.second[i] += k * v[i] * y[s + i] * p[s + i];
            continue;
          }
          const std::size_t j = low ? i - stride : i + stride;
          const FaceConductivity k(E, std::exp(-m[j]));
          const double dy = y[s + i] - y[s + j], dp = p[s + i] - p[s + j];
          e.apply[s + i] += scale * k.k * dy;
          e.derivative[s + i] += scale * (k.i * v[i] + k.j * v[j]) * dy;
          e.gradient[i] += scale * k.i * dy * dp;
          e.second[i] += scale * (k.ii * v[i] + k.ij * v[j]) * dy * dp;
        }
    }
  }
  return e;
}

void expect_near(const Vector& found, const std::vector<double>& expected, const char* what) {
  const std::vector<double> values = test::to_host(found);
  ASSERT_EQ(values.size(), expected.size());
  double largest = 0.0, worst = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    largest = std::max(largest, std::abs(expected[i]));
    worst = std::max(worst, std::abs(values[i] - expected[i]));
  }
  EXPECT_LT(worst, 1e-14 * largest) << what;
}

TEST(LogDiffusion, ProductsAreThoseOfTheFormulas) {
  for (const Case& c : cases) {
    SCOPED_TRACE(std::to_string(c.dimension) + "D, " + std::to_string(c.cells) + " cells a side, " +
                 std::to_string(c.functions) + " functions");
    LogDiffusion A(c.dimension, c.cells, c.walls);
    const Vector m("m", A.partition()), v = m.like("v"), g = m.like("g");
    const Vector y("y", A.block_partition(c.functions)), p = y.like("p"), out = y.like("out");
    fill_uniform(m, RandomStream(1, "m"));
    fill_uniform(v, RandomStream(2, "v"));
    fill_uniform(y, RandomStream(3, "y"));
    fill_uniform(p, RandomStream(4, "p"));
    A.set_parameter(v.view());  // is forgotten
    A.set_parameter(m.view());
    const Expected e =
        expected(c, test::to_host(m), test::to_host(v), test::to_host(y), test::to_host(p));
    A.apply(y.view(), out.view());
    expect_near(out, e.apply, "A y");
    A.apply_derivative(v.view(), y.view(), out.view());
    expect_near(out, e.derivative, "(dA v) y");
    A.gradient(y.view(), p.view(), g.view());
    expect_near(g, e.gradient, "d(p^T A y)/dm");
    A.second_derivative(v.view(), y.view(), p.view(), g.view());
    expect_near(g, e.second, "d^2(p^T A y)/dm^2 v");
  }
}

}  // namespace
