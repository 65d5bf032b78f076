#pragma once

#include <libsolve/linear/csr_matrix.hpp>
#include <libsolve/linear/stencil_operator.hpp>
#include <memory>

namespace libsolve {

/// What an operator that is neither a CsrMatrix nor a StencilOperator offers to preconditioners and
/// direct methods that need one of them (found by dynamic_cast).
class LIBSOLVE_EXPORT OperatorForms {
 public:
  virtual ~OperatorForms();
  /// The operator itself in compressed rows. Collective.
  virtual std::shared_ptr<const CsrMatrix> entries() const = 0;
  /// S on the same rows, x^T S x / x^T A x between positive constants that do not depend on the
  /// grid: what preconditions S preconditions A. Null where there is none. Collective.
  virtual std::shared_ptr<const StencilOperator> equivalent_stencil() const = 0;
};

/// The operator that preconditioners made for grids are set up for: A itself where it is a
/// StencilOperator, else what it offers as equivalent; null. Collective.
LIBSOLVE_EXPORT std::shared_ptr<const StencilOperator> stencil_for(
    const std::shared_ptr<const LinearOperator>& A);

}  // namespace libsolve
