#include <libsolve/core/errors.hpp>
#include <libsolve/core/linear_operator.hpp>
#include <libsolve/core/vector_kernels.hpp>

namespace libsolve {

LinearOperator::~LinearOperator() = default;

void LinearOperator::apply_adjoint(const Vector& x, const Vector& y) const {
  if (!is_symmetric())
    throw Unsupported("A^T x was asked of " + description() +
                      ", which offers only A x; choose a method that needs no adjoint (gmres, "
                      "bicgstab) or an assembled matrix");
  apply(x, y);
}

bool LinearOperator::diagonal(const Vector&) const { return false; }
double LinearOperator::bytes_per_apply() const { return 0.0; }
double LinearOperator::memory_bytes() const { return 0.0; }

double LinearOperator::apply_dot(const Vector& x, const Vector& y) const {
  apply(x, y);
  return dot(x, y);
}

double LinearOperator::update_direction_and_apply(const Vector& z, double beta, const Vector& p,
                                                  const Vector& q) const {
  axpby(1.0, z, beta, p);
  return apply_dot(p, q);
}

double LinearOperator::residual(const Vector& b, const Vector& x, const Vector& r) const {
  apply(x, r);
  axpby(1.0, b, -1.0, r);
  return dot(r, r);
}

}  // namespace libsolve
