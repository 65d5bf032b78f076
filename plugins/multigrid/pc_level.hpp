/// \file
/// Cell-centred level with piecewise-constant transfers and red-black Gauss-Seidel.
#pragma once

#include <memory>
#include <vector>

#include "level.hpp"

namespace multigrid {

enum class SweepOrder {
  same,      ///< every sweep red, black: needs flexible CG
  symmetric  ///< pre red, black; post black, red: M is linear and symmetric, standard CG applies
};

struct PcOptions {
  int pre_sweeps = 2;   ///< >= 1
  int post_sweeps = 2;  ///< >= 0
  double omega = 1.0;   ///< in (0, 2)
  SweepOrder order = SweepOrder::symmetric;
  bool fused = true;  ///< host only: all sweeps of one call in one trip through memory
  int tile = 0;       ///< rows along y of a fused tile, 0: chosen from the cache size
  int slabs = 0;      ///< blocks of planes worked on at once, 0: one a thread
};

/// Which axes the next level halves (those of one cell are never halved).
using CoarsenAxes = std::array<bool, 3>;

inline CoarsenAxes coarsen_all(const Shape& shape) {
  return {shape.n[0] > 1, shape.n[1] > 1, shape.n[2] > 1};
}

/// Shape of the next level: ceil(n / 2) on the halved axes.
inline Shape coarsened(const Shape& shape, const CoarsenAxes& axes) {
  Shape coarse = shape;
  for (int a = 0; a < 3; ++a)
    if (axes[a]) coarse.n[a] = (shape.n[a] + 1) / 2;
  return coarse;
}

/// For each axis the first cell of each coarse cell, and n behind the last; one or two cells each.
using Cuts = std::array<std::vector<int>, 3>;

/// Builds the level for `op`. Restriction sums the children's residuals, prolongation gives each
/// child its parent's value; solid and isolated cells take no part in either.
/// With `cuts` (aligned.hpp) the coarse cells are theirs; then coefficients must be stored.
/// Memory, per cell: rhs and z in Real, and, for variable coefficients, 4 Real more.
template <class Real>
std::unique_ptr<Level<Real>> make_pc_level(const LevelOperator<Real>& op, const CoarsenAxes& axes,
                                           const PcOptions& options,
                                           const Cuts* cuts = nullptr);

/// The operator of the next level (7-point again). With P the piecewise-constant prolongation the
/// Galerkin operator P^T A P sums the fine coefficients on each coarse face; along a halved axis
/// the distance between cell centres doubles, and that sum is twice what a discretisation on the
/// coarse grid has. So
///   T_coarse = 2 strength (h / H) sum of T over the coarse face     (axis halved),
///   T_coarse = sum of T over the coarse face                        (axis not halved),
/// h and H the distances of the cell centres on both sides of the face on the fine and the coarse
/// grid, h / H = 1/2 except at the last layer of cells of odd lengths, where H is less than 2 h.
/// The factor is at most 1. Wall links are scaled in the same way with h and H the distance from
/// centre to wall (for a cell at several walls the mean; next to a solid: strength). Mass is summed
/// whole. Solid and isolated cells give nothing. Constant coefficients stay
/// constant where every halved axis has an even length, and `may_stay_constant`.
template <class Real>
LevelOperator<Real> coarsen(const LevelOperator<Real>& op, const CoarsenAxes& axes,
                            double strength = 0.5, bool may_stay_constant = true);

/// The same operator with its coefficients stored for each cell.
template <class Real>
LevelOperator<Real> expanded(const LevelOperator<Real>& op);

}  // namespace multigrid
