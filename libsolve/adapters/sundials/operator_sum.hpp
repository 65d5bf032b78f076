#pragma once

#include <libsolve/core/linear_operator.hpp>
#include <memory>
#include <vector>

/// s I + sum over k of c_k L_k: what an integrator makes of a Jacobian, I - gamma J.
namespace libsolve::sun {

struct OperatorTerm {
  double factor = 1.0;
  std::shared_ptr<const LinearOperator> L = {};
  bool operator==(const OperatorTerm&) const = default;
};

/// s I + sum of c_k L_k, in the form that methods can do most with:
///  - terms that are all grid operators on the same cells become one grid operator, as long as its
///    coefficients are not negative. Constant coefficients are combined as numbers, so that nothing
///    is assembled and nothing stored; variable ones cost one pass and four doubles a cell in 3D;
///  - everything else stays a sum, applied term by term (a pass each). Such a sum of two terms or
///    more holds a vector of scratch, so one application at a time.
/// `rows` is the partition where there are no terms. Throws ShapeError where operators do not fit.
LIBSOLVE_EXPORT std::shared_ptr<const LinearOperator> operator_sum(
    double shift, const std::vector<OperatorTerm>& terms, const Partition& rows);

}  // namespace libsolve::sun
