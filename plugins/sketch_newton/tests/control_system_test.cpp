#include "../control_system.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/random.hpp>

#include "../kkt_system.hpp"
#include "../krylov.hpp"

namespace {

using namespace sketch_newton;

/// The structure of elliptic control with random curvature of the state; functions are not used.
class Control final : public ProgramFunctions, public ControlStructure {
 public:
  explicit Control(Index points) {
    grid_.dimension = 2;
    grid_.cells = {points, points, 1};
    grid_.spacing = {1.0 / (points + 1), 1.0 / (points + 1), 1.0};
  }
  Index num_variables() const override { return 2 * grid_.cells[0] * grid_.cells[1]; }
  Index num_constraints() const override { return grid_.cells[0] * grid_.cells[1]; }
  bool has_entries() const override { return false; }
  const Grid& grid() const override { return grid_; }
  double weight() const override { return 1.0; }
  double control_cost() const override { return 1.0; }
  std::shared_ptr<const StencilOperator> state_operator(const ConstVectorView&) const override {
    return nullptr;
  }
  void state_hessian(const ConstVectorView&, double, const ConstVectorView&,
                     const VectorView&) const override {}

 protected:
  double do_objective(const ConstVectorView&) override { return 0.0; }
  void do_gradient(const ConstVectorView&, const VectorView&) override {}
  void do_constraints(const ConstVectorView&, const VectorView&) override {}

 private:
  Grid grid_;
};

class ControlForm final : public Form {
 public:
  ControlForm(Index points, double beta) {
    const Index N = points * points;
    n = static_cast<std::size_t>(2 * N);
    m = static_cast<std::size_t>(N);
    lower.assign(n, -INFINITY);
    upper.assign(n, INFINITY);
    const double h = 1.0 / (points + 1);
    const auto add = [&](Index i, Index j, double v) {
      jacobian_pattern.rows.push_back(i);
      jacobian_pattern.columns.push_back(j);
      J.push_back(v);
    };
    const RandomStream random(7, "control_system_test");
    for (Index j = 0; j < points; ++j)
      for (Index i = 0; i < points; ++i) {
        const Index k = i + points * j;
        add(k, k, 4.0 / (h * h) + 10.0 * random.uniform(static_cast<std::uint64_t>(k)));
        if (i > 0) add(k, k - 1, -1.0 / (h * h));
        if (i + 1 < points) add(k, k + 1, -1.0 / (h * h));
        if (j > 0) add(k, k - points, -1.0 / (h * h));
        if (j + 1 < points) add(k, k + points, -1.0 / (h * h));
        add(k, N + k, -1.0);
      }
    for (Index k = 0; k < 2 * N; ++k) {
      hessian_pattern.rows.push_back(k);
      hessian_pattern.columns.push_back(k);
      H.push_back(k < N ? 0.5 + random.uniform(static_cast<std::uint64_t>(k)) : beta);
    }
  }
  Numbers J, H;
  double objective(In) override { return 0.0; }
  void gradient(In, Out) override {}
  void constraints(In, Out) override {}
  void jacobian(In, Out) override {}
  void hessian(In, In, Out) override {}
  void constraint_hessian(In, In, Out) override {}
};

Numbers random_numbers(std::size_t size, std::uint64_t seed) {
  const RandomStream random(seed, "control_system_test::b");
  Numbers v(size);
  for (std::size_t i = 0; i < size; ++i) v[i] = random.uniform(i, -1.0, 1.0);
  return v;
}

class Cycles : public testing::TestWithParam<std::tuple<Index, double, bool>> {};

/// The same solution as by factors, in a number of cycles that neither h nor beta changes.
TEST_P(Cycles, SolveAsFactorsDo) {
  const auto [points, beta, random_order] = GetParam();
  ControlForm form(points, beta);
  const Control structure(points);
  ASSERT_TRUE(ControlSystem::fits(form, structure));
  ControlSystem cycles(form, structure, 1e-9, random_order, 1);
  KktSystem factors(form, 0);
  const Numbers none(form.n, 0.0), b = random_numbers(form.n + form.m, 3);
  Numbers x, y;
  for (NewtonSystem* system :
       {static_cast<NewtonSystem*>(&cycles), static_cast<NewtonSystem*>(&factors)}) {
    system->set(form.H, form.J, none);
    ASSERT_TRUE(system->factor(1e-3, 1e-8));
  }
  EXPECT_LT(cycles.solve(b, x), 1e-9);
  EXPECT_LT(factors.solve(b, y), 1e-9);
  double error[3] = {}, size[3] = {};
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t part = i / form.m;
    error[part] = std::max(error[part], std::abs(x[i] - y[i]));
    size[part] = std::max(size[part], std::abs(y[i]));
  }
  for (int part = 0; part < 3; ++part) EXPECT_LT(error[part], 1e-5 * size[part]) << part;
  EXPECT_LE(cycles.cycles, random_order ? 40 : 20);
}

INSTANTIATE_TEST_SUITE_P(Grids, Cycles,
                         testing::Combine(testing::Values(15, 31, 63, 12),
                                          testing::Values(1.0, 1e-3, 1e-6), testing::Bool()));

/// Negative curvature of the state is clipped, and so the step stays a descent direction.
TEST(ControlSystem, ClipsNegativeCurvature) {
  ControlForm form(15, 1e-2);
  for (std::size_t k = 0; k < 20; ++k) form.H[k] = -5.0;
  const Control structure(15);
  ControlSystem system(form, structure, 1e-9, false, 1);
  const Numbers none(form.n, 0.0), b = random_numbers(form.n + form.m, 5);
  system.set(form.H, form.J, none);
  ASSERT_TRUE(system.factor(0.0, 0.0));
  Numbers x;
  EXPECT_LT(system.solve(b, x), 1e-8);
  EXPECT_TRUE(system.has_right_inertia());
}

TEST(Krylov, MinresSolvesAnIndefiniteSystem) {
  const std::size_t n = 40;
  Numbers diagonal(n), scale(n, 1.0), b = random_numbers(n, 9), x(n, 0.0);
  for (std::size_t i = 0; i < n; ++i)
    diagonal[i] = i % 2 == 0 ? 1.0 + static_cast<double>(i) : -2.0;
  std::int64_t steps = 0;
  const double residual = minres(
      [&](In v, Out y) {
        for (std::size_t i = 0; i < n; ++i) y[i] = diagonal[i] * v[i];
      },
      scale, b, x, 1e-10, 1000, steps);
  EXPECT_LT(residual, 1e-9);
  EXPECT_LE(steps, 40);  // no more than distinct eigenvalues, and rounding
  for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(x[i], b[i] / diagonal[i], 1e-8);
}

}  // namespace
