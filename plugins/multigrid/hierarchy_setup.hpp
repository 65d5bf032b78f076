/// \file
/// From an operator on a structured grid to a hierarchy of levels.
#pragma once

#include <libsolve/linear/stencil_operator.hpp>
#include <memory>
#include <string>
#include <vector>

#include "cycle.hpp"
#include "pc_level.hpp"

namespace multigrid {

/// What to build; every choice is made (nothing is "auto" here).
struct HierarchyOptions {
  PcOptions smoothing;
  double strength = 0.5;  ///< of coarse couplings, see coarsen()
  int coarse_size = 600;  ///< unknowns at which the direct solver takes over
  double semi_coarsening = 0.5;  ///< an axis weaker than this times the strongest is not halved
};

/// A power of two within a factor of two of `largest`; 1 where there is nothing to scale by.
[[nodiscard]] double power_of_two_near(double largest);

/// The finest operator, divided by `scale` (a power of two near its largest coupling), so that
/// numbers stay well inside the range of float.
template <class Real>
struct FinestOperator {
  LevelOperator<Real> op;
  double scale = 1.0;
};

/// Coefficients of A as the hierarchy wants them. The excess e of a cell is split into wall and
/// mass: where all neighbours are coupled, e is mass; at the border of the domain and of solids,
/// mass is the smallest e among the cell and its coupled neighbours, and the rest is wall.
template <class Real>
FinestOperator<Real> finest_operator(const libsolve::StencilOperator& A, double largest_coupling);

/// The constant part of it, for a grid of any size.
template <class Real>
LevelOperator<Real> constant_operator(const libsolve::Grid& grid,
                                      const libsolve::StencilOperator::Constant& c, double scale);

/// For each axis a sum over cells of its couplings, relative to the diagonal where coefficients
/// vary: ranks may add theirs.
template <class Real>
std::array<double, 3> axis_strengths(const LevelOperator<Real>& op);

/// Axes to halve: those whose strength is at least `threshold` times the largest; all where nothing
/// is coupled.
CoarsenAxes halved_axes(const Shape& shape, std::array<double, 3> strength, double threshold);

/// Whether W and F cycles go twice below a level: where all its axes are halved, or it shrinks by
/// more than two; a W cycle would cost as much on every level otherwise.
bool repeats(const Shape& shape, const CoarsenAxes& axes);

template <class Real>
std::unique_ptr<Hierarchy<Real>> build_hierarchy(LevelOperator<Real> op,
                                                 const HierarchyOptions& options);

}  // namespace multigrid
