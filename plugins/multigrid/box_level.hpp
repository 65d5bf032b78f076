/// \file
/// Levels of the operator-dependent hierarchy (box_operator.hpp).
#pragma once

#include <memory>

#include "box_operator.hpp"
#include "grid_level.hpp"

namespace multigrid {

/// The finest level: the 7-point operator, red-black Gauss-Seidel. Memory a cell: 6 Real, and 26/8 for the weights.
template <class Real>
std::unique_ptr<Level<Real>> make_box_fine_level(const SplitOperator<Real>& op,
                                                 const BoxWeights<Real>& weights,
                                                 const GridSmoothing& smoothing);

/// A coarser level: the 27-point operator, Gauss-Seidel in eight colours (the parities of i, j, k;
/// y and z outside, x inside).
template <class Real>
std::unique_ptr<Level<Real>> make_box_level(const BoxOperator<Real>& op,
                                            const BoxWeights<Real>& weights,
                                            const GridSmoothing& smoothing);

}  // namespace multigrid
