/// \file
/// Levels of the operator-dependent hierarchy (box_operator.hpp).
#pragma once

#include <memory>

#include "box_operator.hpp"

namespace multigrid {

struct BoxSmoothing {
  int pre_sweeps = 2;   ///< >= 1
  int post_sweeps = 2;  ///< >= 0
  double omega = 1.1;   ///< in (0, 2); 1.1 saves a step where flexible CG is outside
  bool symmetric = false;  ///< post-sweeps in the reverse order of colours
};

/// The finest level: the 7-point operator (variable storage, squeezed shape), red-black Gauss-Seidel.
/// Memory a cell: 6 Real, and 26/8 for the weights.
template <class Real>
std::unique_ptr<Level<Real>> make_box_fine_level(const LevelOperator<Real>& op,
                                                 const BoxWeights<Real>& weights,
                                                 const BoxSmoothing& smoothing);

/// A coarser level: the 27-point operator, Gauss-Seidel in eight colours (the parities of i, j, k;
/// y and z outside, x inside).
template <class Real>
std::unique_ptr<Level<Real>> make_box_level(const BoxOperator<Real>& op,
                                            const BoxWeights<Real>& weights,
                                            const BoxSmoothing& smoothing);

}  // namespace multigrid
