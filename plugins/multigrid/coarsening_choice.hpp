/// \file
/// Which kind of coarse levels suits an operator.
#pragma once

#include "split_operator.hpp"

namespace multigrid {

enum class Coarsening {
  piecewise_constant,  ///< pc_level.hpp: coefficients that vary little, Dirichlet solids
  operator_dependent,  ///< box_hierarchy.hpp: jumps, aligned with the coarse grids or not;
                       ///< anisotropy
  connected_pieces,    ///< pieces_level.hpp: solids with Neumann walls
  aligned              ///< aligned.hpp: jumps on planes, at any place
};

struct CoarseningChoice {
  Coarsening coarsening = Coarsening::piecewise_constant;
  double largest_coupling = 0;   ///< between cells
  double smallest_coupling = 0;  ///< that is not zero; 0 where there is none
};

[[nodiscard]] const char* to_text(Coarsening coarsening);

/// Looks at the coefficients once:
/// - some coupled cell has an inner face without coupling and nothing that stands for it in its
///   excess (no more than the smallest excess of a coupled cell, which is a shift):
///   connected_pieces;
/// - constant coefficients: piecewise_constant where two axes or all are strong, that is, their
///   coupling is at least half of the largest, else operator_dependent, which takes 5 steps where
///   piecewise constants along one axis take 15 (cheaper ones);
/// - couplings along one axis are, on average and relative to the diagonal, less than half of those
///   along another: operator_dependent. Both kinds of levels halve the strong axes only;
/// - the largest coupling is more than ten times the smallest that is not zero: operator_dependent
///   (multigrid asks aligned_grid() then);
/// - otherwise piecewise_constant.
/// Iterations measured to 1e-8 behind each choice: README.md.
template <class From>
CoarseningChoice choose_coarsening(const NaturalOperator<From>& op);
[[nodiscard]] CoarseningChoice choose_coarsening(const libsolve::StencilOperator& A);
template <class Real>
Coarsening choose_coarsening(const LevelOperator<Real>& op);

}  // namespace multigrid
