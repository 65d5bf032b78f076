#pragma once

#include <libsolve/core/vector.hpp>

namespace libsolve {

/// The inner product (x, y) = x^T M y of the space that a vector's entries are coefficients of, M
/// symmetric positive definite. Derivatives g are functionals: the gradient in this space is the
/// Riesz representative M^-1 g, and |g|* = sqrt(g^T M^-1 g). Methods that use them behave the same
/// on every mesh.
class LIBSOLVE_EXPORT InnerProduct {
 public:
  virtual ~InnerProduct();
  virtual const Partition& partition() const = 0;
  /// y = M x.
  virtual void apply(const Vector& x, const Vector& y) const = 0;
  /// z = M^-1 g, to rounding.
  virtual void riesz(const Vector& g, const Vector& z) const = 0;

  /// x^T M y, sqrt(x^T M x), sqrt(g^T M^-1 g). Collective.
  double dot(const Vector& x, const Vector& y) const;
  double norm(const Vector& x) const;
  double dual_norm(const Vector& g) const;
};

}  // namespace libsolve
