/// \file
/// Piecewise-constant levels whose coarse cells end where coefficients jump.
///
/// A coarse grid of pairs (0, 1), (2, 3), ... ties together what a jump separates wherever the
/// jump lies inside a pair. Jumps of blocks and layers lie on planes: here each axis is cut on its
/// own into pairs and single cells, such that
///   sum over pairs (i, i + 1) of s_i + 0.1 (number of single cells)
/// is least, s_i = mean over lines of log10(L / T) - 1/2 where the coupling T of cells i and i + 1 is below
/// a tenth of the largest coupling L of both; such pairs are torn. Coarse couplings are resistances
/// in series, as between pieces (pieces.hpp),
///   T = 2 sigma F / (1 + F / (2 G_a) + F / (2 G_b)) <= F,
/// F the sum over the coarse face, G the couplings inside a pair along the axis (no term for a
/// single cell): 2 sigma F / 2 between pairs, as with regular pairs.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "box_hierarchy.hpp"
#include "hierarchy_setup.hpp"

namespace multigrid {

struct CutGrid {
  Cuts cuts;
  CoarsenAxes axes{};      ///< that were asked for
  bool is_regular = true;  ///< pairs from 0 on along every halved axis
  double torn = 0.0;       ///< part of the coupled pairs of cells that are torn
  [[nodiscard]] Shape shape() const {
    return {{int(cuts[0].size()) - 1, int(cuts[1].size()) - 1, int(cuts[2].size()) - 1}};
  }
  /// Next to no pair is torn, and the grid shrinks by two (1.5 where few axes are halved).
  [[nodiscard]] bool fits(const Shape& fine) const;
};

/// Cuts of `axes`, from a sample of about 16 x 16 lines along each.
template <class Real>
CutGrid cut_axes(const LevelOperator<Real>& op, const CoarsenAxes& axes);

/// The operator with coefficients for each cell on the cut grid.
template <class Real>
LevelOperator<Real> coarsen(const LevelOperator<Real>& op, const Cuts& cuts, double strength);

/// The first cut grid where it fits: variable coefficients, one rank, all jumps on planes. One pass
/// over the couplings.
[[nodiscard]] std::optional<CutGrid> aligned_grid(const libsolve::StencilOperator& A,
                                                  double semi_coarsening);

/// Such levels while they fit, operator-dependent levels below. `finest`: what aligned_grid() found,
/// used where it halves the same axes.
template <class Real>
std::unique_ptr<Hierarchy<Real>> build_aligned_hierarchy(LevelOperator<Real> op,
                                                         const HierarchyOptions& options,
                                                         const BoxOptions& box,
                                                         const std::optional<CutGrid>& finest = {});

}  // namespace multigrid
