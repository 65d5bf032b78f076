#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/random_vector.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/pde/evolution_test.hpp>
#include <numbers>
#include <tests/support/vectors.hpp>

#include "../line_space.hpp"
#include "burgers_support.hpp"

namespace {

using namespace burgers_control;

constexpr double pi = std::numbers::pi;

/// Worst of |A x - b| and |A^T x - b| over |b| after solving, for entries that need exchanges.
TEST(Tridiagonal, SolvesWithExchanges) {
  for (const Index n : {1, 2, 3, 67}) {
    const auto size = static_cast<std::size_t>(n);
    const RandomStream stream(3, "tridiagonal");
    std::uint64_t at = 0;
    const auto draw = [&](double small) {
      std::vector<double> v(size);
      for (double& entry : v) entry = small * stream.normal(at++);
      return v;
    };
    const std::vector<double> lower = draw(1.0), diagonal = draw(0.1), upper = draw(1.0), b = draw(1.0);
    std::vector<double> l = lower, d = diagonal, u = upper, second(size), exchanged(size);
    const Tridiagonal A{n, l.data(), d.data(), u.data(), second.data(), exchanged.data()};
    A.factor();
    std::vector<double> x = b, xt = b;
    A.solve(x.data());
    A.solve_transposed(xt.data());
    double largest = 0.0;
    for (std::size_t i = 0; i < size; ++i) largest = std::max({largest, std::abs(x[i]), std::abs(xt[i])});
    for (std::size_t i = 0; i < size; ++i) {
      double Ax = diagonal[i] * x[i], Atx = diagonal[i] * xt[i];
      if (i > 0) {
        Ax += lower[i - 1] * x[i - 1];
        Atx += upper[i - 1] * xt[i - 1];
      }
      if (i + 1 < size) {
        Ax += upper[i] * x[i + 1];
        Atx += lower[i] * xt[i + 1];
      }
      EXPECT_NEAR(Ax, b[i], 1e-13 * largest) << n;
      EXPECT_NEAR(Atx, b[i], 1e-13 * largest) << n;
    }
  }
}

/// M of sin(k pi x) is (2 + cos(k pi h)) h / 3 times it, and riesz() inverts it.
TEST(LineSpace, MassOfSinesAndItsInverse) {
  const Line line{30, 1.0 / 31.0};
  const LineSpace space(line, 3, 2.5);
  std::vector<double> v, expected;
  for (int k = 1; k <= 3; ++k)
    for (Index i = 1; i <= line.n; ++i) {
      v.push_back(std::sin(k * pi * i * line.h));
      expected.push_back(2.5 * line.h / 3.0 * (2.0 + std::cos(k * pi * line.h)) * v.back());
    }
  const Vector x("x", space.partition()), y = x.like("y"), z = x.like("z");
  libsolve::test::assign(x, v);
  space.apply(x, y);
  space.riesz(y, z);
  const auto product = libsolve::test::to_host(y), back = libsolve::test::to_host(z);
  for (std::size_t i = 0; i < v.size(); ++i) {
    EXPECT_NEAR(product[i], expected[i], 1e-15);
    EXPECT_NEAR(back[i], v[i], 1e-14);
  }
}

TEST(BurgersEvolution, DerivativesFitTogether) {
  for (const char* scheme : {"crank-nicolson", "implicit-euler"})
    for (const int size : {2, 3, 16}) {
      BurgersControlOptions o;
      o.size = size;
      o.steps = 4;
      o.scheme = scheme;
      o.target = "sin(3*x+t)";
      o.force = "cos(x)-t";
      BurgersEvolution evolution(burgers_data(o, burgers_control::test::same_file));
      const Vector m("m", evolution.parameter_partition());
      fill_uniform(m, RandomStream(4, "m"));
      const EvolutionDefects defects = evolution_defects(evolution, m, 5);
      EXPECT_LT(defects.largest(), 1e-8) << scheme << " " << defects.text();
      for (const double gap : {defects.state_adjoint, defects.before_adjoint,
                               defects.parameter_adjoint, defects.tangent, defects.adjoint})
        EXPECT_LT(gap, 1e-13) << scheme << " " << defects.text();
    }
}

/// y_t + y y_x = nu y_xx keeps the energy but for viscosity: (y^2/2)_x integrates y to zero. The scheme
/// inherits that sum_i y_i B(y)_i = 0.
TEST(BurgersEvolution, ConvectionDoesNotChangeEnergy) {
  const Line line{40, 1.0 / 41.0};
  std::vector<double> y;
  const RandomStream stream(7, "y");
  for (Index i = 0; i < line.n; ++i) y.push_back(stream.normal(static_cast<std::uint64_t>(i)));
  double change = 0.0, size = 0.0;
  for (Index i = 0; i < line.n; ++i) {
    const double term = 0.5 * y[static_cast<std::size_t>(i)] * line.convection(y.data(), y.data(), i);
    change += term;
    size += std::abs(term);
  }
  EXPECT_LT(std::abs(change), 1e-14 * size);
}

/// A step far too long, from far away.
TEST(BurgersEvolution, LongStepsAreSolved) {
  BurgersControlOptions o;
  o.steps = 1;
  o.final_time = 50.0;
  o.viscosity = 1e-3;
  BurgersEvolution evolution(burgers_data(o, burgers_control::test::same_file));
  const Vector y0("y0", evolution.state_partition()), y = y0.like("y"), c = y0.like("c");
  const Vector m("m", evolution.parameter_partition());
  fill(m, 10.0);
  evolution.initial_state(y0);
  copy(y0, y);
  evolution.solve_step(1, y0, m, y);
  evolution.residual(1, {y0, y, m}, c);
  EXPECT_LT(norm_max(c), 1e-10);
  EXPECT_GT(evolution.newton_iterations(), 1);
}

}  // namespace
