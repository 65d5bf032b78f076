/// \file
/// Levels of the hierarchy of connected pieces (pieces.hpp).
#pragma once

#include <memory>

#include "cycle.hpp"
#include "grid_level.hpp"
#include "pieces.hpp"

namespace multigrid {

/// The finest level: the grid, red-black Gauss-Seidel; the next level has step.coarse.size()
/// unknowns.
template <class Real>
std::unique_ptr<Level<Real>> make_pieces_fine_level(const LevelOperator<Real>& op,
                                                    const PieceStep& step,
                                                    const GridSmoothing& smoothing);

/// A coarser level: rows of couplings, Gauss-Seidel in the colours of the graph.
template <class Real>
std::unique_ptr<Level<Real>> make_pieces_level(const PieceGraph& graph, const PieceStep& step,
                                               const GridSmoothing& smoothing);

/// The whole hierarchy, to be run as W cycle. Operator of any storage. Set-up on the host, serial.
template <class Real>
std::unique_ptr<Hierarchy<Real>> build_pieces_hierarchy(const LevelOperator<Real>& op,
                                                        const PieceOptions& options,
                                                        const GridSmoothing& smoothing);

}  // namespace multigrid
