/// \file
/// Set-up of the hierarchy of connected pieces, for masks with Neumann walls and thin channels.
///
/// Coarse unknowns are the connected pieces of the cells of each 2x2x2 box, connected meaning by
/// couplings of at least `threshold` times the largest coupling of both cells: two channels, or a
/// channel and the room beside its wall, that share a box keep an unknown each, on every level.
/// Interpolation is constant on a piece (plain aggregation; Braess 1995, Notay 2010). Between
/// pieces a and b of boxes that are neighbours along a halved axis, with F the sum of the couplings
/// between them and G the sum of the couplings inside a piece along that axis (terms with G = 0 are
/// left out), the coarse coupling is that of resistances in series,
///   T = F max(1/2, 1 / (1 + F / (2 G_a) + F / (2 G_b))):
/// half the Galerkin coupling F, as a discretisation on the coarse grid has it, where pieces are
/// wide, and nearly all of it at a constriction. Walls count half, mass whole.
#pragma once

#include <vector>

#include "band_solver.hpp"
#include "level.hpp"

namespace multigrid {

struct PieceOptions {
  double threshold = 0.1;        ///< of connections, relative to the largest of both cells
  double semi_coarsening = 0.5;  ///< an axis weaker than this times the strongest is not halved
  int direct_size = 600;         ///< pieces from which the band solver takes over
};

/// Pieces and their couplings (host). Ordered by colour: couplings join different colours.
struct PieceGraph {
  std::array<int, 3> boxes{1, 1, 1};
  std::vector<std::array<int, 3>> box;  // of each piece
  std::vector<int> begin;               // of the couplings of each piece; size() + 1 entries
  std::vector<int> neighbour;
  std::vector<signed char> axis;  // of a coupling, 3 within a box
  std::vector<double> coupling;
  std::vector<double> wall, mass;
  std::vector<int> colour_begin;  // pieces of colour c: [colour_begin[c], colour_begin[c + 1])

  [[nodiscard]] int size() const { return int(box.size()); }
};

struct PieceStep {
  std::array<bool, 3> halved{};
  std::vector<int> parent;  // piece of the next level each unknown belongs to, or -1
  PieceGraph coarse;
};

/// Cells of the 7-point operator (variable storage, squeezed shape) as a graph.
template <class Real>
PieceGraph graph_of(const LevelOperator<Real>& op);

/// The next level. Where few pieces would merge, the threshold is lowered until they do.
PieceStep coarsen_pieces(const PieceGraph& fine, const PieceOptions& options);

BandMatrix band_matrix(const PieceGraph& graph);

}  // namespace multigrid
