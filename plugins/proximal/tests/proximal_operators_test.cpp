#include <gtest/gtest.h>

#include <functional>
#include <libsolve/core/errors.hpp>
#include <numbers>

#include "operators_support.hpp"

namespace {

using namespace proximal;
using namespace proximal::test;

/// An operator with its R as the test writes it down, on 7 x 6 cells.
struct Operator {
  std::string name;
  std::function<std::unique_ptr<ProximalOperator>()> make;
  std::function<double(const ProximalSpace&, const std::vector<double>&)> value;
  bool takes_bounds = true;
};

double sum_of_sizes(const std::vector<double>& x) {
  double sum = 0.0;
  for (const double v : x) sum += std::abs(v);
  return sum;
}

std::vector<Operator> operators() {
  return {{"total-variation",
           [] { return std::make_unique<TotalVariation>(TotalVariationOptions{}, Context{}); },
           [](const ProximalSpace& s, const std::vector<double>& x) { return variations(s, x).isotropic; }},
          {"soft-threshold",
           [] { return std::make_unique<SoftThreshold>(SoftThresholdOptions{}, Context{}); },
           [](const ProximalSpace& s, const std::vector<double>& x) {
             return s.cell_volume() * sum_of_sizes(x);
           }},
          {"quadratic",
           [] {
             QuadraticOptions o;
             o.gradient = 2.0;
             o.values = 0.3;
             return std::make_unique<Quadratic>(o, context());
           },
           [](const ProximalSpace& s, const std::vector<double>& x) {
             return variations(s, x).square + 0.15 * s.cell_volume() * inner(x, x);
           },
           false},
          {"box",
           [] { return std::make_unique<BoxIndicator>(BoxOptions{.lower = -0.25, .upper = 0.5}, Context{}); },
           [](const ProximalSpace&, const std::vector<double>& x) -> double {
             for (const double v : x)
               if (v < -0.25 || v > 0.5) return INFINITY;
             return 0.0;
           }}};
}

TEST(ProximalOperators, ValuesAreThoseOfTheFormulas) {
  const ProximalSpace space = space_of(2, {7, 6, 1}, 2);
  for (const Operator& o : operators()) {
    const auto R = o.make();
    R->prepare(space);
    for (const std::uint64_t seed : {1, 2}) {
      std::vector<double> x = random_values(84, seed);
      if (seed == 2)
        for (double& v : x) v *= 0.01;
      const double expected = o.value(space, x);
      if (std::isinf(expected))
        EXPECT_EQ(R->value(to_vector(x)), expected) << o.name;
      else
        EXPECT_NEAR(*R->value(to_vector(x)), expected, 1e-12 * std::max(1.0, expected)) << o.name;
    }
  }
}

/// z = prox_tR(x) is the one z with (x - z) / t in the subdifferential of R at z:
///   t R(w) >= t R(z) + (x - z)^T (w - z)   for all w (in the bounds).
TEST(ProximalOperators, FulfilTheSubgradientInequality) {
  for (const bool bounded : {false, true})
    for (const Operator& o : operators()) {
      if (bounded && !o.takes_bounds) continue;
      ProximalSpace space = space_of(2, {7, 6, 1}, 2);
      if (bounded) {
        space.lower.assign(84, -0.2);
        space.upper.assign(84, 0.4);
      }
      const auto R = o.make();
      R->prepare(space);
      for (const double t : {0.02, 0.3, 3.0}) {
        const std::vector<double> x = random_values(84, 5);
        const std::vector<double> z = prox(*R, x, t);
        for (const double v : z)
          EXPECT_TRUE(!bounded || (v >= -0.2 && v <= 0.4)) << o.name;
        for (std::uint64_t seed = 10; seed < 40; ++seed) {
          std::vector<double> w = random_values(84, seed);
          const double size = seed < 20 ? 1e-3 : seed < 30 ? 0.1 : 1.0;
          for (std::size_t i = 0; i < w.size(); ++i) {
            w[i] = z[i] + size * w[i];
            if (o.name == "box") w[i] = std::clamp(w[i], -0.25, 0.5);
            if (bounded) w[i] = std::clamp(w[i], -0.2, 0.4);
          }
          const double right = t * o.value(space, z) + inner(minus(x, z), minus(w, z));
          EXPECT_GE(t * o.value(space, w) - right, -1e-6) << o.name << ", t = " << t;
        }
      }
    }
}

/// |P x - P y|^2 <= (P x - P y)^T (x - y).
TEST(ProximalOperators, AreFirmlyNonexpansive) {
  const ProximalSpace space = space_of(2, {7, 6, 1});
  for (const Operator& o : operators()) {
    const auto R = o.make();
    R->prepare(space);
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      const auto x = random_values(42, 2 * seed), y = random_values(42, 2 * seed + 1);
      const auto moved = minus(prox(*R, x, 0.4), prox(*R, y, 0.4));
      EXPECT_LE(inner(moved, moved), inner(moved, minus(x, y)) + 1e-6) << o.name;
    }
  }
}

/// Moreau: x = prox_tR(x) + t prox_{R*/t}(x / t); the conjugate of V |.|_1 is the indicator of |.| <= V.
TEST(ProximalOperators, SoftThresholdFulfilsMoreausIdentity) {
  const ProximalSpace space = space_of(1, {50, 1, 1});
  SoftThreshold R({}, Context{});
  R.prepare(space);
  const double V = space.cell_volume(), t = 0.7;
  const auto x = random_values(50, 3), z = prox(R, x, t);
  for (std::size_t i = 0; i < x.size(); ++i)
    EXPECT_NEAR(z[i] + t * std::clamp(x[i] / t, -V, V), x[i], 1e-15 * std::abs(x[i]) + 1e-15);
}

/// cos(k pi (i + 1/2) / n) are the modes of D^T D with insulated walls, 4/h^2 sin^2(k pi / (2 n)).
TEST(ProximalOperators, QuadraticDampsCosineModesAsInTheClosedForm) {
  const Index n = 40;
  const ProximalSpace space = space_of(1, {n, 1, 1});
  const double h = space.grid->spacing[0], t = 2.5;
  QuadraticOptions options;
  options.values = 0.1;
  Quadratic R(options, context());
  R.prepare(space);
  for (const int k : {0, 1, 7}) {
    std::vector<double> x(static_cast<std::size_t>(n));
    for (std::size_t i = 0; i < x.size(); ++i)
      x[i] = std::cos(k * std::numbers::pi * (static_cast<double>(i) + 0.5) / n);
    const double mode = std::pow(2.0 / h * std::sin(k * std::numbers::pi / (2.0 * n)), 2);
    const auto z = prox(R, x, t);
    for (std::size_t i = 0; i < x.size(); ++i)
      EXPECT_NEAR(z[i], x[i] / (1.0 + t * h * (mode + 0.1)), 1e-10);
  }
}

TEST(ProximalOperators, WithoutAGridWorkWhereTheyCan) {
  ProximalSpace space;
  space.partition = Partition(3);
  space.what = "three numbers";
  SoftThreshold shrink({}, Context{});
  shrink.prepare(space);
  EXPECT_EQ(prox(shrink, {2.0, -0.5, -3.0}, 1.0), (std::vector<double>{1.0, 0.0, -2.0}));
  QuadraticOptions values;
  values.gradient = 0.0;
  values.values = 1.0;
  Quadratic tikhonov(values, Context{});
  tikhonov.prepare(space);
  EXPECT_EQ(prox(tikhonov, {2.0, -4.0, 6.0}, 1.0), (std::vector<double>{1.0, -2.0, 3.0}));
  TotalVariation tv({}, Context{});
  try {
    tv.prepare(space);
    FAIL() << "total variation without a grid";
  } catch (const Unsupported& e) {
    EXPECT_NE(std::string(e.what()).find("three numbers"), std::string::npos) << e.what();
  }
}

TEST(ProximalOperators, RefuseWhatTheyCannotDo) {
  ProximalSpace space = space_of(2, {7, 6, 1});
  space.lower.assign(42, 0.6);
  space.upper.assign(42, 0.7);
  Quadratic quadratic({}, context());
  EXPECT_THROW(quadratic.prepare(space), Unsupported);
  BoxIndicator box({.lower = -0.25, .upper = 0.5}, Context{});
  EXPECT_THROW(box.prepare(space), DataError);
  for (const Operator& o : operators()) {
    const auto R = o.make();
    R->prepare(space_of(2, {7, 6, 1}));
    std::vector<double> x = random_values(42, 1);
    x[17] = NAN;
    const Vector in = to_vector(x);
    EXPECT_TRUE(std::isnan(R->apply(in, 1.0, 1e-6, in.like("z")))) << o.name;
  }
}

}  // namespace
