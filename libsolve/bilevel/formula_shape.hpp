#pragma once

#include <libsolve/bilevel/value_range.hpp>
#include <libsolve/optimize/formula.hpp>

namespace libsolve {

/// How a function depends on some of its variables, the others held at any place of a box.
enum class FormulaShape {
  constant,
  affine,
  convex,
  concave,
  unknown  ///< it may be any of the above: the rules do not say
};

/// The shape of a formula in the variables that `varies` marks, over `box` (one interval for each
/// variable), as far as it follows from
///   the rules of disciplined convex programming (Grant, Boyd, Ye, Disciplined convex programming,
///   2006) with the signs that interval arithmetic proves of the steps, and
///   the eigenvalues of the constant Hessian of a quadratic formula.
/// Negative eigenvalues down to -1e-12 of the matrix scaled to a unit diagonal count as 0.
LIBSOLVE_EXPORT FormulaShape formula_shape(const std::shared_ptr<const Formulas>& formulas,
                                           Index formula, const std::vector<bool>& varies,
                                           std::span<const Interval> box);

}  // namespace libsolve
