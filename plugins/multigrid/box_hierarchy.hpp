/// \file
/// Builds the operator-dependent hierarchy for variable coefficients, Dirichlet solids and
/// anisotropy.
#pragma once

#include "box_level.hpp"
#include "cycle.hpp"

namespace multigrid {

struct BoxOptions {
  GridSmoothing smoothing;
  double semi_coarsening = 0.5;  ///< an axis weaker than this times the strongest is not halved
  int direct_size = 80;          ///< unknowns from which the band solver takes over
};

/// Levels as box_operator.hpp describes, from `scale` times the operator. To be run as W cycle: it
/// visits level 1 once, and only once what lies below a level that shrinks by two alone (set here).
/// Memory about 24 + 13 + 23 bytes a cell (finest operator, its weights, coarser levels) beside z
/// and b. Set-up on the host; holds 18 bytes a cell more while it runs.
template <class Real, class From>
std::unique_ptr<Hierarchy<Real>> build_box_hierarchy(const NaturalOperator<From>& op, double scale,
                                                     const BoxOptions& options);

/// From an operator of any storage and any axes of one cell.
template <class Real>
std::unique_ptr<Hierarchy<Real>> build_box_hierarchy(const LevelOperator<Real>& op,
                                                     const BoxOptions& options);

/// The levels from a 27-point operator down, and the direct solver; `hierarchy` may have levels
/// above.
template <class Real>
void add_box_levels(Hierarchy<Real>& hierarchy, BoxOperator<Real> op, BoxElements<Real> elements,
                    const BoxOptions& options);

/// Whether the cycle goes twice below a step that takes `fine` cells to `coarse`.
inline bool repeats(std::int64_t fine, std::int64_t coarse) { return fine >= 3 * coarse; }

/// From a 7-point operator down, below the levels that `hierarchy` has.
template <class Real>
void add_box_hierarchy(Hierarchy<Real>& hierarchy, const LevelOperator<Real>& op,
                       const BoxOptions& options);

/// The same operator with axes of one cell moved as `squeezed` says.
template <class Real>
LevelOperator<Real> squeezed(const LevelOperator<Real>& op);

}  // namespace multigrid
