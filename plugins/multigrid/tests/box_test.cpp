/// \file
/// The operator-dependent hierarchy: algebra of its set-up, symmetry of its cycle, steps it takes.
#include <gtest/gtest.h>

#include "box_hierarchy.hpp"
#include "coarsening_choice.hpp"
#include "hard_cases.hpp"

namespace multigrid::test {
namespace {

Numbers random_numbers(std::int64_t n, unsigned seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(-1, 1);
  Numbers v(n);
  for (double& x : v) x = uniform(random);
  return v;
}

/// v(point) = sum over corners a of weight[t][a] v_coarse(cube + a).
Numbers prolong(const BoxWeights<double>& w, const Numbers& coarse) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), w.values);
  const auto n = w.grid.n;
  const auto cn = w.grid.coarse();
  Numbers fine;
  for (int k = 0; k < n[2]; ++k)
    for (int j = 0; j < n[1]; ++j)
      for (int i = 0; i < n[0]; ++i) {
        const int at[3] = {i, j, k};
        int cube[3], type = 0;
        for (int d = 0; d < 3; ++d) {
          cube[d] = w.grid.halved[d] ? at[d] / 2 : at[d];
          if (w.grid.halved[d] && at[d] % 2) type |= 1 << d;
        }
        double v = 0;
        for (int a = 0; a < 8; ++a) {
          const int x = cube[0] + (a & 1), y = cube[1] + (a >> 1 & 1), z = cube[2] + (a >> 2);
          if ((a & ~type) || x >= cn[0] || y >= cn[1] || z >= cn[2]) continue;
          const double weight =
              type == 0 ? 1.0
                        : host(BoxWeights<double>::guard +
                               ((std::ptrdiff_t(cube[2]) * cn[1] + cube[1]) * box::num_weights +
                                box::weight_index(type, a)) *
                                   w.stride +
                               cube[0]);
          v += weight * coarse[x + cn[0] * (y + cn[1] * z)];
        }
        fine.push_back(v);
      }
  return fine;
}

Numbers times(const BoxOperator<double>& op, const Numbers& u) {
  const BandMatrix matrix = band_matrix(op);
  Numbers y(u.size(), 0.0);
  for (const auto& e : matrix.entries) {
    y[e.row] += e.value * u[e.column];
    if (e.row != e.column) y[e.column] += e.value * u[e.row];
  }
  return y;
}

void expect_galerkin(const Setting& setting, const std::array<bool, 3>& halved) {
  const Problem p = make_problem(setting);
  const auto first = coarsen_box(split_operator(level_operator<double>(p)), halved);
  const auto nc = Shape{first.op.n}.size();
  const Numbers v = random_numbers(nc, 1), w = random_numbers(nc, 2);
  const double fine = dot(p.apply(prolong(first.weights, v)), prolong(first.weights, w));
  const double scale = std::sqrt(dot(times(first.op, v), v) * dot(times(first.op, w), w));
  EXPECT_NEAR(dot(times(first.op, v), w), fine, 1e-11 * scale);

  const std::array<bool, 3> again{first.op.n[0] > 1, first.op.n[1] > 1, first.op.n[2] > 1};
  const auto second = coarsen_box(first.op, first.elements, again);
  const auto ncc = Shape{second.op.n}.size();
  const Numbers s = random_numbers(ncc, 3), t = random_numbers(ncc, 4);
  const double middle =
      dot(times(first.op, prolong(second.weights, s)), prolong(second.weights, t));
  const double scale2 = std::sqrt(dot(times(second.op, s), s) * dot(times(second.op, t), t));
  EXPECT_NEAR(dot(times(second.op, s), t), middle, 1e-11 * scale2);
}

/// <A P v, P w> = <A_coarse v, w> on two levels, all axes halved or only some, odd and even sizes.
TEST(BoxSetup, CoarseOperatorsAreGalerkin) {
  for (const std::array<int, 3> n :
       {std::array<int, 3>{9, 8, 7}, {16, 5, 34}, {33, 1, 18}, {40, 1, 1}}) {
    Setting s{n, block_jumps(n, 3, 5), {}};
    const std::array<bool, 3> all{n[0] > 1, n[1] > 1, n[2] > 1};
    expect_galerkin(s, all);
    expect_galerkin(s, {all[0], false, false});
    expect_galerkin(s, {false, all[1], n[2] > 1});
    s.shift = 0.3;
    expect_galerkin(s, {all[0], false, all[2]});
  }
}

/// Where A 1 = 0, interpolation keeps constants.
TEST(BoxSetup, NeumannProblemsInterpolateConstants) {
  const std::array<int, 3> n{11, 10, 12};
  Setting s{n, block_jumps(n, 5, 4), {}};
  s.dirichlet_domain = false;
  const auto coarse =
      coarsen_box(split_operator(level_operator<double>(make_problem(s))), {true, true, true});
  for (const double v : prolong(coarse.weights, Numbers(Shape{coarse.op.n}.size(), 1.0)))
    EXPECT_NEAR(v, 1.0, 1e-12);
}

/// With mirrored sweeps M is symmetric positive definite, which needs restriction to be the
/// transpose of prolongation on every level.
TEST(BoxCycle, MirroredSweepsGiveSymmetricPositiveDefiniteMaps) {
  for (const std::array<int, 3> n : {std::array<int, 3>{21, 16, 18}, {64, 33, 1}, {7, 32, 40}}) {
    for (const double y : {1.0, 0.01, 100.0}) {
      Setting s{n, block_jumps(n, 3, 5), {}};
      s.axis[1] = y;
      const Problem p = make_problem(s);
      BoxOptions options;
      options.smoothing.symmetric = true;
      const auto hierarchy = build_box_hierarchy(level_operator<double>(p), options);
      const Numbers r = random_numbers(p.size(), 1), t = random_numbers(p.size(), 2);
      const Numbers Mr = cycle(*hierarchy, CycleKind::v, r),
                    Mt = cycle(*hierarchy, CycleKind::v, t);
      EXPECT_GT(dot(Mr, r), 0);
      EXPECT_NEAR(dot(Mr, t), dot(r, Mt), 1e-9 * std::sqrt(dot(Mr, r) * dot(Mt, t)));
    }
  }
}

int steps(const Setting& s) {
  const Problem p = make_problem(s);
  return steps_to_solve(p, *build_box_hierarchy(level_operator<float>(p), BoxOptions{}));
}

/// Jumps of 1e6 on 8x8x8 blocks: aligned with the coarse grids at 64, not at 60, 48 and 50.
TEST(BoxCycle, BlockJumpsTakeFewSteps) {
  for (const int size : {60, 64, 48, 50}) {
    const std::array<int, 3> n{size, size, size};
    EXPECT_LE(steps({n, block_jumps(n, 1), {}}), 12) << size;
  }
  for (const int size : {100, 128}) {
    const std::array<int, 3> n{size, size, 1};
    EXPECT_LE(steps({n, block_jumps(n, 2), {}}), 12) << size;
  }
}

TEST(BoxCycle, AnisotropyTakesFewStepsAlongEveryAxis) {
  for (int d = 0; d < 3; ++d)
    for (const double factor : {1000.0, 0.001}) {
      Setting s{{30, 33, 32}, {}, {}};
      s.axis[d] = factor;
      EXPECT_LE(steps(s), 9) << d << " " << factor;
      Setting flat{{64, 50, 1}, {}, {}};
      if (d == 2) continue;
      flat.axis[d] = factor;
      EXPECT_LE(steps(flat), 9) << d << " " << factor;
    }
}

TEST(BoxCycle, OtherProblemsTakeFewSteps) {
  const std::array<int, 3> n{40, 41, 37};
  EXPECT_LE(steps({n, {}, {}}), 8);
  Setting neumann{n, {}, {}};
  neumann.dirichlet_domain = false;
  EXPECT_LE(steps(neumann), 9);
  for (const Shapes shapes : {Shapes::spheres, Shapes::boxes, Shapes::pierced_boxes})
    EXPECT_LE(steps({n, {}, solids(n, shapes, 4)}), 9);
  EXPECT_LE(steps({{200, 1, 1}, block_jumps({200, 1, 1}, 1), {}}), 9);
  EXPECT_LE(steps({{300, 2, 3}, {}, {}}), 9);
}

TEST(CoarseningChoice, FollowsTheCoefficients) {
  const std::array<int, 3> n{24, 20, 22};
  const auto choice = [](const Setting& s) {
    return choose_coarsening(level_operator<float>(make_problem(s)));
  };
  EXPECT_EQ(choice({n, {}, {}}), Coarsening::piecewise_constant);
  EXPECT_EQ(choice({n, block_jumps(n, 1), {}}), Coarsening::operator_dependent);
  EXPECT_EQ(choice({n, {}, solids(n, Shapes::boxes, 1)}), Coarsening::piecewise_constant);
  Setting neumann{n, {}, solids(n, Shapes::boxes, 1)};
  neumann.dirichlet_solids = false;
  EXPECT_EQ(choice(neumann), Coarsening::connected_pieces);
  neumann.shift = 2;
  EXPECT_EQ(choice(neumann), Coarsening::connected_pieces);
  Setting stretched{n, {}, {}};
  stretched.axis[2] = 5;
  EXPECT_EQ(choice(stretched), Coarsening::operator_dependent);
  LevelOperator<float> constant;
  constant.shape = {n};
  constant.coupling = {1, 1, 1};
  EXPECT_EQ(choose_coarsening(constant), Coarsening::piecewise_constant);
  constant.coupling = {1, 1, 0.1};
  EXPECT_EQ(choose_coarsening(constant), Coarsening::piecewise_constant);
  constant.coupling = {1, 10, 0.1};
  EXPECT_EQ(choose_coarsening(constant), Coarsening::operator_dependent);
}

}  // namespace
}  // namespace multigrid::test
