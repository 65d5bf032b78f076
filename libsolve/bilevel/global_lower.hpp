#pragma once

#include <cstdint>
#include <libsolve/bilevel/bilevel_program.hpp>

namespace libsolve {

struct LowerBoundOptions {
  /// Proved: bound >= f_best - this * max(1, |f_best|).
  double relative_tolerance = 5e-7;
  std::int64_t max_boxes = 20000;  ///< examined before the search gives up
};

/// What a search over all of the lower level's feasible set says of its smallest value.
struct LowerBound {
  /// f(x, t) >= bound for every t in Y with g(x, t); -infinity where nothing is known, +infinity
  /// where there is no such t.
  double bound = 0.0;
  bool is_proved = false;  ///< the bound meets the tolerance
  /// The best feasible point met: better than the one given by more than rounding, or that one.
  std::vector<double> y = {};
  double objective = 0.0;  ///< f(x, y)
  std::int64_t boxes = 0;
};

/// Bounds the smallest value of the lower level at x by branch and bound over Y, on enclosures of f
/// and g over boxes (BilevelParts::lower_range, which the problem must have):
///   natural extensions and mean value forms of f at the optimal centre (Baumann, Optimal centered
///   forms, BIT 28, 1988), and of f + lambda^T g with multipliers estimated at y_best, so that
///   active constraints do not slow the proof down;
///   boxes that are infeasible or above f_best are dropped, others cut by the mean value forms of
///   g <= 0 and f <= f_best, and boxes along which f is monotone shrink to a face where the
///   constraints allow (Hansen, Walster, Global Optimization Using Interval Analysis, 2004,
///   chapters 11 and 12).
/// Unbounded Y is split at 0, +-1, +-10, ...: there the proof needs functions whose enclosures tell
/// what happens at infinity. Rigorous but for the feasibility of y_best, which is the caller's:
/// f_best = f(x, y_best). Where rounding in x leaves no feasible point, the constraints are widened
/// by 1e-8 (relative). Deterministic. Throws Unsupported without a lower_range.
LIBSOLVE_EXPORT LowerBound bound_lower_level(const BilevelProgram& problem,
                                             std::span<const double> x,
                                             std::span<const double> y_best, double f_best,
                                             const LowerBoundOptions& options = {});

}  // namespace libsolve
