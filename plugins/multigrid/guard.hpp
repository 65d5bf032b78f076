/// \file
/// A cycle against another on small pieces of the operator, before either is built for the whole.
#pragma once

#include <libsolve/linear/stencil_operator.hpp>

#include "multigrid.hpp"

namespace multigrid {

/// What a trial came to: the mean factor by which one application of e <- e - M A e reduces the
/// energy norm of random e (of the last of `guard_cycles`), the steps to 1e-8 that it stands for, and
/// the doubles that set-up and a step take (Work of cost.hpp), for each cell.
struct Trial {
  double factor = 1.0, steps = 0.0, setup = 0.0, visit = 0.0;
  [[nodiscard]] double cost() const { return setup + visit * steps; }
};

struct GuardResult {
  Trial plain, chosen;
  [[nodiscard]] bool keeps_chosen() const { return chosen.cost() <= plain.cost(); }
};

/// What converges slowly, a channel or a strong axis, shows after some cycles only.
inline constexpr int guard_cycles = 6;
/// A box has this part of the cells along each axis, at least `guard_edge`.
inline constexpr double guard_part = 0.2, guard_large_part = 0.5;
inline constexpr int guard_edge = 12;
/// On so few cells the factor of a larger direct solver would take longer than the cycles.
inline constexpr int guard_coarse_size = 100;

/// Cycles with both options on a box of A cut out (1/125 of the cells; faces to the outside left
/// out), random vectors of a fixed stream. One rank.
/// `may_grow`: where solids have Neumann walls, channels may be longer than the box. There the chosen
/// cycle is tried on a box of half the cells an axis, too, and where its steps have grown, they are
/// taken to grow on as a power of the length up to the whole grid.
[[nodiscard]] GuardResult compare_cycles(const libsolve::StencilOperator& A,
                                         const MultigridOptions& plain,
                                         const MultigridOptions& chosen, bool may_grow);

/// The steps on the whole grid from those on both boxes.
[[nodiscard]] double grown_steps(double on_small, double on_large);

/// Steps of conjugate gradients to 1e-8 for an iteration with this factor: that of the Chebyshev
/// bound, ln 1e-8 / ln(factor / (1 + sqrt(1 - factor^2))); `most` where it does not converge.
[[nodiscard]] double steps_for(double factor, double most = 200.0);

}  // namespace multigrid
