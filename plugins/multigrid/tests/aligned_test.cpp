#include "../aligned.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/linear_system.hpp>
#include <random>
#include <tests/support/vectors.hpp>

#include "../multigrid.hpp"
#include "../steps_to_solve.hpp"
#include "hard_cases.hpp"

namespace multigrid::test {
namespace {

using libsolve::StencilOperator;
using libsolve::test::to_vector;

libsolve::LinearSystem system_of(const Problem& p, unsigned seed = 1) {
  libsolve::Grid grid;
  for (int a = 0; a < 3; ++a) grid.cells[a] = p.n[a];
  StencilOperator::Variable v;
  for (int a = 0; a < 3; ++a) v.face[a] = to_vector(p.face[a]).view();
  v.excess = to_vector(p.excess).view();
  std::mt19937_64 random(seed);
  Numbers b(p.size());
  for (double& x : b) x = std::uniform_real_distribution<double>(-1, 1)(random);
  const libsolve::Vector rhs = to_vector(b);
  return libsolve::LinearSystem(std::make_shared<StencilOperator>(grid, v), rhs, rhs.like("x"));
}

Multigrid make(const libsolve::LinearSystem& s, const std::string& coarsening,
               const std::string& order = "auto") {
  MultigridOptions o;
  o.coarsening = coarsening;
  o.order = order;
  Multigrid M(o, libsolve::Context{});
  M.setup(s);
  return M;
}

bool takes(const Multigrid& M, const std::string& kind) {
  return M.notes().at(0).find("coarsening " + kind) != std::string::npos;
}

/// Jumps inside pairs (0, 1), (2, 3), ...: coarse cells end at each of them, none is torn.
TEST(Aligned, CoarseCellsEndWhereCoefficientsJump) {
  const std::array<int, 3> n{31, 24, 26};
  const auto op = level_operator<float>(make_problem({n, block_jumps(n, 3, 5), {}}));
  const CutGrid grid = cut_axes(op, {true, true, true});
  EXPECT_EQ(grid.torn, 0.0);
  EXPECT_FALSE(grid.is_regular);
  EXPECT_TRUE(grid.fits(op.shape));
  for (int a = 0; a < 3; ++a)
    for (int i = 1; i < n[a]; ++i) {
      if (5 * i / n[a] == 5 * (i - 1) / n[a]) continue;
      const auto& cuts = grid.cuts[a];
      EXPECT_NE(std::find(cuts.begin(), cuts.end(), i), cuts.end()) << "axis " << a << ", " << i;
    }
}

/// Torn, a cell and axis: coupled inside its pair by less than a tenth of its largest coupling.
TEST(Aligned, CountsTheTornPairs) {
  const std::array<int, 3> n{18, 11, 9};
  auto problem = make_problem({n, {}, {}});
  const int stride[3] = {1, n[0], n[0] * n[1]};
  const auto at = [&](int c, int a) { return c / stride[a] % n[a]; };
  std::mt19937 random(3);
  for (int a = 0; a < 3; ++a)
    for (int c = 0; c < int(problem.size()); ++c)
      if (problem.face[a][c] > 0 && random() % 8 == 0)
        problem.face[a][c] *= random() % 2 == 0 ? 0.0 : 0.02;
  const auto op = level_operator<double>(problem);
  const CutGrid grid = cut_axes(op, {true, true, true});
  double torn = 0, pairs = 0;
  for (int c = 0; c < int(problem.size()); ++c) {
    double most = 0;
    for (int a = 0; a < 3; ++a) {
      most = std::max(most, at(c, a) + 1 < n[a] ? problem.face[a][c] : 0.0);
      most = std::max(most, at(c, a) > 0 ? problem.face[a][c - stride[a]] : 0.0);
    }
    for (int a = 0; a < 3; ++a) {
      const auto& cuts = grid.cuts[a];
      const auto next = std::upper_bound(cuts.begin(), cuts.end(), at(c, a));
      const int first = *(next - 1);
      if (*next - first < 2) continue;
      const double t = problem.face[a][at(c, a) == first ? c : c - stride[a]];
      pairs += t > 0 ? 1 : 0;
      torn += t > 0 && t < 0.1 * most ? 1 : 0;
    }
  }
  ASSERT_GT(torn, 100);
  EXPECT_NEAR(grid.torn, torn / pairs, 1e-15);
}

TEST(Aligned, WithoutJumpsPairsAreRegular) {
  const auto op = level_operator<float>(make_problem({{22, 17, 24}, {}, {}}));
  const CutGrid grid = cut_axes(op, {true, true, true});
  EXPECT_TRUE(grid.is_regular);
  EXPECT_EQ(grid.shape().n, (std::array<int, 3>{11, 9, 12}));
}

/// Regular piecewise-constant levels need more than twice the steps here.
TEST(Aligned, FewStepsForJumpsAtAnyPlace) {
  for (const std::array<int, 3> n : {std::array<int, 3>{60, 60, 60}, std::array<int, 3>{45, 61, 38},
                                     std::array<int, 3>{260, 1, 210}}) {
    for (const int blocks : {5, 7}) {
      SCOPED_TRACE(std::to_string(n[0]) + ", blocks " + std::to_string(blocks));
      const auto system = system_of(make_problem({n, block_jumps(n, 2, blocks), {}}));
      Multigrid M = make(system, "auto");
      EXPECT_TRUE(takes(M, "aligned")) << M.notes().at(0);
      EXPECT_LE(steps_to_solve(system, M, 60), 10);
    }
  }
}

/// Jumps on a sphere tear pairs wherever axes are cut.
TEST(Aligned, JumpsOffPlanesTakeOperatorDependentLevels) {
  const std::array<int, 3> n{32, 32, 32};
  Numbers k;
  for (int z = 0; z < n[2]; ++z)
    for (int y = 0; y < n[1]; ++y)
      for (int x = 0; x < n[0]; ++x)
        k.push_back(std::hypot(x - 14, y - 17, z - 15) < 9.3 ? 1e6 : 1.0);
  const auto system = system_of(make_problem({n, k, {}}));
  Multigrid M = make(system, "auto");
  EXPECT_TRUE(takes(M, "operator-dependent")) << M.notes().at(0);
  EXPECT_LE(steps_to_solve(system, M, 60), 12);
}

/// u^T M v = v^T M u and u^T M u > 0: restriction along cuts is the transpose of prolongation.
TEST(Aligned, SymmetricOrderIsSymmetricPositiveDefinite) {
  for (const std::array<int, 3> n : {std::array<int, 3>{30, 21, 34}, std::array<int, 3>{90, 1, 70}}) {
    const auto system = system_of(make_problem({n, block_jumps(n, 4, 7), {}}));
    Multigrid M = make(system, "aligned", "symmetric");
    ASSERT_TRUE(M.is_symmetric());
    for (unsigned seed = 1; seed <= 3; ++seed) {
      std::mt19937_64 random(seed);
      Numbers a(system.b().local_size()), c(a.size());
      for (double& x : a) x = std::normal_distribution<double>()(random);
      for (double& x : c) x = std::normal_distribution<double>()(random);
      const libsolve::Vector u = to_vector(a), v = to_vector(c), Mu = u.like("Mu"), Mv = u.like("Mv");
      M.apply(u, Mu);
      M.apply(v, Mv);
      EXPECT_NEAR(libsolve::dot(u, Mv), libsolve::dot(v, Mu),
                  1e-5 * libsolve::norm2(u) * libsolve::norm2(Mv));
      EXPECT_GT(libsolve::dot(u, Mu), 0.0);
    }
  }
}

/// Slabs of planes worked on at once, and tiles, cut through pairs: not a bit changes.
TEST(Aligned, TheSameToTheLastBitForAnySlabsAndTiles) {
  const std::array<int, 3> n{21, 34, 83};
  const auto op = level_operator<float>(make_problem({n, block_jumps(n, 7, 7), {}}));
  const CutGrid grid = cut_axes(op, {true, true, true});
  std::mt19937_64 random(3);
  View<float> rhs("rhs", op.shape.size());
  for (std::size_t c = 0; c < rhs.size(); ++c)
    rhs(c) = float(std::uniform_real_distribution<double>(-1, 1)(random));
  std::vector<float> results[2];
  for (const int slabs : {1, 4}) {
    PcOptions options;
    options.slabs = slabs;
    options.tile = slabs == 1 ? 0 : 6;
    const auto level = make_pc_level<float>(op, grid.axes, options, &grid.cuts);
    View<float> coarse("coarse", level->coarse_shape().size()), z("z", op.shape.size());
    level->descend(Rhs<float>{rhs, {}, 1.0}, Start::zero, coarse);
    std::vector<float>& to = results[slabs == 1 ? 0 : 1];
    to.assign(coarse.data(), coarse.data() + coarse.size());
    Result<float> result{z, {}, {}, 1.0, 0.0, 0.0};
    level->ascend(Rhs<float>{rhs, {}, 1.0}, coarse, result);
    to.insert(to.end(), z.data(), z.data() + z.size());
  }
  EXPECT_EQ(results[0], results[1]);
}

/// One kernel a half sweep, as on devices, or all in one trip: the same numbers.
TEST(Aligned, UnfusedIsTheSame) {
  const std::array<int, 3> n{37, 29, 41};
  const auto system = system_of(make_problem({n, block_jumps(n, 5, 6), {}}));
  std::vector<double> results[2];
  for (const bool fused : {true, false}) {
    MultigridOptions o;
    o.coarsening = "aligned";
    o.fused = fused;
    Multigrid M(o, libsolve::Context{});
    M.setup(system);
    const libsolve::Vector z = system.b().like("z");
    M.apply(system.b(), z);
    const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), z.view());
    results[fused ? 0 : 1].assign(host.data(), host.data() + host.size());
  }
  double worst = 0, largest = 0;
  for (std::size_t i = 0; i < results[0].size(); ++i) {
    worst = std::max(worst, std::abs(results[0][i] - results[1][i]));
    largest = std::max(largest, std::abs(results[0][i]));
  }
  EXPECT_LE(worst, 1e-5 * largest);
}

}  // namespace
}  // namespace multigrid::test
