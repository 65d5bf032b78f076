#include <libsolve/linear/operator_forms.hpp>

namespace libsolve {

OperatorForms::~OperatorForms() = default;

std::shared_ptr<const StencilOperator> stencil_for(const std::shared_ptr<const LinearOperator>& A) {
  if (auto stencil = std::dynamic_pointer_cast<const StencilOperator>(A)) return stencil;
  const auto* forms = dynamic_cast<const OperatorForms*>(A.get());
  return forms == nullptr ? nullptr : forms->equivalent_stencil();
}

}  // namespace libsolve
