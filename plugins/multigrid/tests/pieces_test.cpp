/// \file
/// The hierarchy of connected pieces.
#include <gtest/gtest.h>

#include "hard_cases.hpp"
#include "pieces_level.hpp"

namespace multigrid::test {
namespace {

/// Two rows of a 2x2x1 box with a wall between them stay apart: x x / wall / x x cannot share a
/// box, so take 4x2 cells with no coupling across y.
TEST(Pieces, UnknownsThatAreNotConnectedShareNoPiece) {
  Setting s{{4, 2, 1}, {}, {}};
  Problem p = make_problem(s);
  std::fill(p.face[1].begin(), p.face[1].end(), 0.0);
  const PieceStep step = coarsen_pieces(graph_of(level_operator<double>(p)), PieceOptions{});
  EXPECT_EQ(step.coarse.size(), 4);
  EXPECT_EQ(step.parent[0], step.parent[1]);
  EXPECT_NE(step.parent[0], step.parent[4]);
  EXPECT_EQ(step.parent[4], step.parent[5]);
}

/// Half the Galerkin coupling between wide pieces, nearly all of it at a constriction.
TEST(Pieces, CouplingsAreResistancesInSeries) {
  Problem p = make_problem({{4, 2, 2}, {}, {}});
  PieceStep step = coarsen_pieces(graph_of(level_operator<double>(p)), PieceOptions{});
  ASSERT_EQ(step.coarse.size(), 2);
  EXPECT_DOUBLE_EQ(step.coarse.coupling[0], 0.5 * 4);
  // one face of the four in the middle: F = 1, G = 4 on both sides, 1 / (1 + 1/8 + 1/8)
  for (const int c : {5, 9, 13}) p.face[0][c] = 0;
  step = coarsen_pieces(graph_of(level_operator<double>(p)), PieceOptions{});
  ASSERT_EQ(step.coarse.size(), 2);
  EXPECT_DOUBLE_EQ(step.coarse.coupling[0], 0.8);
}

TEST(Pieces, ColoursSeparateCoupledPieces) {
  const std::array<int, 3> n{24, 24, 24};
  Setting s{n, {}, solids(n, Shapes::pierced_boxes, 2)};
  s.dirichlet_solids = false;
  PieceOptions options;
  options.direct_size = 20;
  PieceGraph g = graph_of(level_operator<double>(make_problem(s)));
  for (int level = 0; level < 3; ++level) {
    g = coarsen_pieces(g, options).coarse;
    std::vector<int> colour(g.size());
    for (std::size_t c = 0; c + 1 < g.colour_begin.size(); ++c)
      for (int q = g.colour_begin[c]; q < g.colour_begin[c + 1]; ++q) colour[q] = int(c);
    if (g.size() <= options.direct_size) break;
    for (int q = 0; q < g.size(); ++q)
      for (int m = g.begin[q]; m < g.begin[q + 1]; ++m)
        EXPECT_NE(colour[q], colour[g.neighbour[m]]);
  }
}

TEST(Pieces, MirroredSweepsGiveSymmetricPositiveDefiniteMaps) {
  const std::array<int, 3> n{23, 20, 26};
  Setting s{n, {}, solids(n, Shapes::pierced_boxes, 3)};
  s.dirichlet_solids = false;
  const Problem p = make_problem(s);
  GridSmoothing smoothing;
  smoothing.symmetric = true;
  PieceOptions options;
  options.direct_size = 60;
  const auto hierarchy = build_pieces_hierarchy(level_operator<double>(p), options, smoothing);
  const Numbers r = random_rhs(p, 1), t = random_rhs(p, 2);
  const Numbers Mr = cycle(*hierarchy, CycleKind::v, r), Mt = cycle(*hierarchy, CycleKind::v, t);
  EXPECT_GT(dot(Mr, r), 0);
  EXPECT_NEAR(dot(Mr, t), dot(r, Mt), 1e-9 * std::sqrt(dot(Mr, r) * dot(Mt, t)));
}

int steps(const Setting& s) {
  const Problem p = make_problem(s);
  return steps_to_solve(
      p, *build_pieces_hierarchy(level_operator<float>(p), PieceOptions{}, GridSmoothing{}));
}

TEST(Pieces, NeumannSolidsTakeFewSteps) {
  const std::array<int, 3> n{64, 64, 64};
  for (const Shapes shapes : {Shapes::spheres, Shapes::boxes}) {
    Setting s{n, {}, solids(n, shapes, 1)};
    s.dirichlet_solids = false;
    EXPECT_LE(steps(s), 9);
  }
  for (const unsigned seed : {1u, 2u}) {
    Setting s{n, {}, solids(n, Shapes::pierced_boxes, seed)};
    s.dirichlet_solids = false;
    EXPECT_LE(steps(s), 16) << seed;
    s.dirichlet_domain = false;
    EXPECT_LE(steps(s), 16) << seed;
  }
  const std::array<int, 3> flat{120, 100, 1};
  Setting s{flat, {}, solids(flat, Shapes::pierced_boxes, 1)};
  s.dirichlet_solids = false;
  EXPECT_LE(steps(s), 16);
}

}  // namespace
}  // namespace multigrid::test
