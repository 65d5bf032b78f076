#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/random_vector.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/pde/adjoint_test.hpp>
#include <libsolve/pde/evolution_test.hpp>
#include <numbers>
#include <numeric>
#include <tests/support/vectors.hpp>

#include "advection_support.hpp"

namespace {

using namespace advection;
using advection::test::context;

constexpr double pi = std::numbers::pi;

std::shared_ptr<AdvectionEvolution> make_evolution(const AdvectionOptions& o) {
  AdvectionData data = advection_data(o, advection::test::same_file);
  data.solver = context().make<LinearSolver>(o.solver);
  return std::make_shared<AdvectionEvolution>(data);
}

double sum(const Vector& v) {
  const auto host = libsolve::test::to_host(v);
  return std::accumulate(host.begin(), host.end(), 0.0);
}

TEST(TransportOperator, TransposeIsTheAdjoint) {
  const Torus torus{9, 1.0 / 9.0};
  const Partition cells(81);
  const Vector u("u", Partition(162));
  fill_uniform(u, RandomStream(1, "u"));
  for (const bool transposed : {false, true}) {
    TransportOperator C(torus, cells, 0.1, transposed);
    C.set_velocity(u.data());
    EXPECT_LT(adjoint_gap(C, 3), 1e-14);
  }
}

/// div(y u) of y = sin(2 pi x), u = (cos(2 pi z), 1) at cell centres: the differences are exact up to
/// sin(2 pi h) / (2 pi h).
TEST(TransportOperator, DivergenceOfWaves) {
  const Index n = 16;
  const double h = 1.0 / n, factor = std::sin(2.0 * pi * h) / (2.0 * pi * h);
  const Torus torus{n, h};
  std::vector<double> y, u(512), expected;
  for (Index c = 0; c < 256; ++c) {
    const double x = h * (c % n + 0.5), z = h * (c / n + 0.5);
    y.push_back(std::sin(2.0 * pi * x));
    u[static_cast<std::size_t>(c)] = std::cos(2.0 * pi * z);
    u[static_cast<std::size_t>(256 + c)] = 1.0;
    expected.push_back(y.back() + 0.3 * factor * 2.0 * pi * std::cos(2.0 * pi * x) *
                                      std::cos(2.0 * pi * z));
  }
  const Partition cells(256);
  const Vector velocity("u", Partition(512)), in("y", cells), out("out", cells);
  libsolve::test::assign(velocity, u);
  libsolve::test::assign(in, y);
  TransportOperator C(torus, cells, 0.3, false);
  C.set_velocity(velocity.data());
  C.apply(in, out);
  const auto given = libsolve::test::to_host(out);
  for (std::size_t c = 0; c < 256; ++c) EXPECT_NEAR(given[c], expected[c], 1e-13);
}

TEST(AdvectionEvolution, DerivativesFitTogether) {
  AdvectionOptions o;
  o.size = 5;
  o.steps = 3;
  o.final_time = 0.5;
  o.velocity_cost = 100.0;
  o.solver.options.set("relative_tolerance", Value(1e-14));
  const auto evolution = make_evolution(o);
  const Vector m("m", evolution->parameter_partition());
  fill_uniform(m, RandomStream(4, "m"));
  const EvolutionDefects defects = evolution_defects(*evolution, m, 5);
  EXPECT_LT(defects.largest(), 1e-8) << defects.text();
  for (const double gap : {defects.state_adjoint, defects.before_adjoint, defects.parameter_adjoint,
                           defects.tangent, defects.adjoint})
    EXPECT_LT(gap, 1e-12) << defects.text();
}

/// Both densities have the integral 1, and no step changes it, whatever the velocity.
TEST(AdvectionEvolution, MassIsConserved) {
  AdvectionOptions o;
  o.size = 12;
  o.steps = 5;
  const auto evolution = make_evolution(o);
  const Vector m("m", evolution->parameter_partition());
  fill_uniform(m, RandomStream(4, "m"));
  Vector before("before", evolution->state_partition()), y = before.like("y");
  evolution->initial_state(before);
  EXPECT_NEAR(sum(before), 144.0, 1e-11);
  for (int n = 1; n <= 5; ++n) {
    evolution->solve_step(n, before, m, y);
    std::swap(before, y);
  }
  EXPECT_NEAR(sum(before), 144.0, 1e-9);
  EXPECT_GT(norm_max(y), 1.0);
}

/// Where u = u_r the energy is zero and J the misfit: of u_r = 0 and one step, that of the mean over
/// neighbours.
TEST(AdvectionEvolution, CostWithoutEnergyIsTheMisfit) {
  AdvectionOptions o;
  o.size = 8;
  o.steps = 1;
  o.reference_x = o.reference_y = "0";
  const auto evolution = make_evolution(o);
  const Vector y0("y0", evolution->state_partition()), y = y0.like("y"),
               m("m", evolution->parameter_partition());
  evolution->initial_state(y0);
  copy(y0, y);
  evolution->solve_step(1, y0, m, y);
  const AdvectionData d = advection_data(o, advection::test::same_file);
  double expected = 0.0;
  for (int j = 0; j < 8; ++j)
    for (int i = 0; i < 8; ++i) {
      const auto at = [&](int p, int q) {
        return d.initial[static_cast<std::size_t>((p + 8) % 8 + 8 * ((q + 8) % 8))];
      };
      const double mean = 0.25 * (at(i - 1, j) + at(i + 1, j) + at(i, j - 1) + at(i, j + 1));
      expected += 0.5 * std::pow(mean - d.target[static_cast<std::size_t>(i + 8 * j)], 2);
    }
  EXPECT_NEAR(evolution->step_cost(1, y, m), expected, 1e-10);
  EXPECT_GT(expected, 0.01);
}

TEST(AdvectionEvolution, UnsolvedStepsAreNaN) {
  AdvectionOptions o;
  o.size = 8;
  o.steps = 1;
  o.final_time = 1.0;
  o.solver.options.set("max_iterations", Value(std::int64_t{1}));
  const auto evolution = make_evolution(o);
  const Vector y0("y0", evolution->state_partition()), y = y0.like("y"),
               m("m", evolution->parameter_partition());
  fill_uniform(m, RandomStream(4, "m"));
  evolution->initial_state(y0);
  evolution->solve_step(1, y0, m, y);
  EXPECT_TRUE(std::isnan(norm2(y)));
  EXPECT_EQ(evolution->step_solver().failures(), 1);
}

}  // namespace
