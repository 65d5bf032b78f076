/// \file
/// From an operator that is cut into boxes to a hierarchy over ranks.
#pragma once

#include <memory>

#include "box_hierarchy.hpp"
#include "coarsening_choice.hpp"
#include "hierarchy_setup.hpp"
#include "pieces_level.hpp"
#include "rank_cycle.hpp"

namespace multigrid {

/// How the finest grid lies over the ranks for the cycle, and the hierarchy below.
template <class Real>
struct RankCycle {
  GridPartition finest;
  Box box;  ///< this rank's cells of it, with those around
  RankHierarchy<Real> hierarchy;
};

/// `parts` with its axes of one cell moved, where those of `like` are (split_grid.hpp).
GridPartition renumbered(const GridPartition& parts, const GridPartition& like);

/// Boxes of fewer cells than this along a cut axis, less an eighth, go to fewer ranks, as more of the
/// work would be on the cells around.
inline constexpr int fewest_cells = 16;

/// Entries of A times 1 / scale. Collective.
template <class Real>
RankCycle<Real> build_rank_hierarchy(const libsolve::StencilOperator& A,
                                     const CoarseningChoice& choice,
                                     const HierarchyOptions& options);
template <class Real>
RankCycle<Real> build_rank_box_hierarchy(const libsolve::StencilOperator& A,
                                         const CoarseningChoice& choice,
                                         const BoxOptions& options);
/// The whole grid on one rank: set-up and cycle do not use the others.
template <class Real>
RankCycle<Real> build_rank_pieces_hierarchy(const libsolve::StencilOperator& A,
                                            const CoarseningChoice& choice,
                                            const PieceOptions& options,
                                            const GridSmoothing& smoothing);

}  // namespace multigrid
