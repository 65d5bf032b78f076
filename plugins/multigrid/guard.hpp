/// \file
/// A cycle against another on small pieces of the operator, before either is built for the whole.
#pragma once

#include <libsolve/linear/stencil_operator.hpp>

#include "multigrid.hpp"

namespace multigrid {

/// What a trial came to: the mean factor by which one application of e <- e - M A e reduces the
/// energy norm of random e (of the last of `guard_cycles`), and the doubles that a solve to 1e-8
/// would take by it (Work of cost.hpp), for each cell.
struct Trial {
  double factor = 1.0;
  double cost = 0.0;
};

struct GuardResult {
  Trial plain, chosen;
  [[nodiscard]] bool keeps_chosen() const { return chosen.cost <= plain.cost; }
};

inline constexpr int guard_boxes = 1;
inline constexpr int guard_cycles = 3;
/// A box has a fifth of the cells along each axis, at least this many.
inline constexpr int guard_edge = 12;

/// Cycles with both options on boxes of A cut out (1/125 of the cells; faces to the outside left
/// out), random vectors of a fixed stream. One rank.
[[nodiscard]] GuardResult compare_cycles(const libsolve::StencilOperator& A,
                                         const MultigridOptions& plain,
                                         const MultigridOptions& chosen);

/// Steps of conjugate gradients to 1e-8 for an iteration with this factor: that of the Chebyshev
/// bound, ln 1e-8 / ln(factor / (1 + sqrt(1 - factor^2))); `most` where it does not converge.
[[nodiscard]] double steps_for(double factor, double most = 200.0);

}  // namespace multigrid
