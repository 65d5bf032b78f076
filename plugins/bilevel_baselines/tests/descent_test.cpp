#include "../descent.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <libsolve/core/random.hpp>

#include "../smallest_in_hull.hpp"

namespace bilevel_baselines {
namespace {

constexpr double none = INFINITY;

/// max_i (a_i . x + b_i) + 1/2 |x|^2 scaled by curvature c.
class MaxOfPlanes final : public ReducedFunction {
 public:
  MaxOfPlanes(std::vector<Numbers> a, Numbers b, double c)
      : a_(std::move(a)), b_(std::move(b)), c_(c) {}
  bool evaluate(std::span<const double> x, double& value, std::span<double> gradient) override {
    value = -INFINITY;
    for (std::size_t i = 0; i < a_.size(); ++i) {
      double f = b_[i];
      for (std::size_t k = 0; k < x.size(); ++k) f += a_[i][k] * x[k];
      if (f <= value) continue;
      value = f;
      std::copy(a_[i].begin(), a_[i].end(), gradient.begin());
    }
    for (std::size_t k = 0; k < x.size(); ++k) {
      value += 0.5 * c_ * x[k] * x[k];
      gradient[k] += c_ * x[k];
    }
    ++evaluations;
    return true;
  }
  double scale() const override { return 1.0; }
  bool accept(std::span<const double> x) override {
    here_.assign(x.begin(), x.end());
    return false;
  }
  std::span<const double> point() const override { return here_; }
  int evaluations = 0;

 private:
  std::vector<Numbers> a_;
  Numbers b_, here_;
  double c_;
};

Verdict go_on(std::int64_t, double, double) {
  return Verdict::proceed;
}

Bounds free_box(std::size_t n) {
  return {Numbers(n, -none), Numbers(n, none)};
}

/// |x1| + |x2 - 1| + |x|^2 / 2: 0 lies inside of the subdifferential at (0, 1) (0.5 there).
TEST(Descent, EndsAtAKinkWithAProof) {
  MaxOfPlanes f({{1, 1}, {1, -1}, {-1, 1}, {-1, -1}}, {-1, 1, -1, 1}, 0.5);
  const DescentResult r = minimise(f, free_box(2), {3.0, -2.0}, {}, go_on);
  EXPECT_EQ(r.status, Status::converged) << r.reason;
  EXPECT_NEAR(r.x[0], 0.0, 1e-5);
  EXPECT_NEAR(r.x[1], 1.0, 1e-5);
  EXPECT_GT(r.hull_size, 1u);
  EXPECT_LT(f.evaluations, 500);
}

/// Random maxima of planes over a box; the answer is compared with many random points.
TEST(Descent, MinimisesMaximaOfPlanesInABox) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const RandomStream s(seed, "bilevel_baselines::descent");
    std::vector<Numbers> a;
    Numbers b;
    std::uint64_t at = 0;
    for (int i = 0; i < 12; ++i) {
      Numbers row;
      for (int k = 0; k < 4; ++k) row.push_back(s.normal(at++));
      a.push_back(row);
      b.push_back(s.normal(at++));
    }
    MaxOfPlanes f(a, b, 0.3);
    const Bounds X{{0.2, -1.0, -1.0, -none}, {1.0, 1.0, 1.0, none}};
    const DescentResult r = minimise(f, X, {0.5, 0.0, 0.0, 2.0}, {}, go_on);
    EXPECT_EQ(r.status, Status::converged) << seed << ": " << r.reason;
    double value = 0.0;
    Numbers g(4);
    for (int trial = 0; trial < 20000; ++trial) {
      Numbers x = r.x;
      const double size = std::pow(10.0, s.uniform(at++, -6.0, 0.0));
      for (std::size_t k = 0; k < 4; ++k)
        x[k] = std::clamp(x[k] + size * s.normal(at++), X.lower[k], X.upper[k]);
      (void)f.evaluate(x, value, g);
      // Convex: what is missing is at most measure times distance.
      ASSERT_GE(value, r.value - 1e-5 * size - 1e-9) << seed;
    }
  }
}

TEST(Descent, SmoothFunctionsNeedFewEvaluations) {
  MaxOfPlanes f({{1.0, -2.0, 3.0}}, {0.0}, 2.0);
  const DescentResult r = minimise(f, free_box(3), {5.0, 5.0, 5.0}, {}, go_on);
  EXPECT_EQ(r.status, Status::converged);
  EXPECT_EQ(r.hull_size, 0u);
  EXPECT_NEAR(r.x[1], 1.0, 1e-6);
  EXPECT_LT(f.evaluations, 10);
}

/// The smallest element z of a hull has g . z >= |z|^2 for every g (its optimality condition).
TEST(GradientHull, SmallestElementIsOptimal) {
  const RandomStream s(7, "bilevel_baselines::hull");
  for (const double offset : {0.0, 0.5, 3.0}) {
    GradientHull hull(std::vector<GradientHull::Side>(8, GradientHull::Side::inside));
    std::vector<Numbers> all;
    for (std::uint64_t i = 0; i < 30; ++i) {
      Numbers g;
      for (std::uint64_t k = 0; k < 8; ++k)
        g.push_back(s.normal(100 * i + k) + (k == 0 ? offset : 0.0));
      hull.add(g);
      all.push_back(g);
    }
    const Numbers z = hull.smallest();
    double square = 0.0;
    for (const double e : z) square += e * e;
    for (const Numbers& g : all) {
      double along = 0.0;
      for (std::size_t k = 0; k < z.size(); ++k) along += g[k] * z[k];
      EXPECT_GE(along, square - 1e-10);
    }
  }
}

}  // namespace
}  // namespace bilevel_baselines
