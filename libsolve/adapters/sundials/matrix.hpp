#pragma once

#include <sundials/sundials_matrix.h>

#include <libsolve/adapters/sundials/bridges.hpp>
#include <libsolve/adapters/sundials/operator_sum.hpp>
#include <memory>

/// SUNDIALS matrices that hold operators.
namespace libsolve::sun {

/// A SUNMatrix (id SUNMATRIX_CUSTOM) A = s I + sum of c_k L_k that keeps the numbers s, c_k and
/// shares the operators L_k. So SUNMatCopy, SUNMatZero, SUNMatScaleAddI (A = c A + I) and
/// SUNMatScaleAdd (A = c A + B) change a few numbers, and I - gamma J with a new gamma costs
/// nothing; what methods work with is operator_of(). Zero at first.
///
/// A Jacobian function calls set_operator(). Throws BackendError where SUNDIALS cannot make one.
LIBSOLVE_EXPORT SUNMatrix make_matrix(const Partition& rows, SUNContext context);

/// A = factor L + shift I: what a Jacobian function does. For u_t = -L u + f, J = -L: factor -1.
LIBSOLVE_EXPORT void set_operator(SUNMatrix A, std::shared_ptr<const LinearOperator> L,
                                  double factor = 1.0, double shift = 0.0);

/// A as one operator; see operator_sum(). The same object until A changes.
LIBSOLVE_EXPORT std::shared_ptr<const LinearOperator> operator_of(SUNMatrix A);

/// |c_1 / s| of A = s I + sum of c_k L_k: gamma where A = I - gamma J and J = -L. 0 where there is no
/// term or no shift. What methods that learn from one solve for the next are told as context.
LIBSOLVE_EXPORT double context_of(SUNMatrix A);

/// Whether `A` came from make_matrix() or was cloned from one.
LIBSOLVE_EXPORT bool is_matrix(SUNMatrix A) noexcept;

struct MatrixDestroy {
  void operator()(SUNMatrix A) const noexcept { SUNMatDestroy(A); }
};
using MatrixPointer = std::unique_ptr<std::remove_pointer_t<SUNMatrix>, MatrixDestroy>;

}  // namespace libsolve::sun
