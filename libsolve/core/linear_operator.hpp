#pragma once

#include <libsolve/core/vector.hpp>
#include <string>

namespace libsolve {

/// y = A x. One virtual call per application. Implementations are immutable once built and hold no
/// scratch shared between threads of the caller. x and y may not alias.
class LIBSOLVE_EXPORT LinearOperator {
 public:
  virtual ~LinearOperator();

  /// Partition of y (rows) and of x (columns).
  virtual const Partition& row_partition() const = 0;
  virtual const Partition& column_partition() const = 0;
  GlobalIndex num_rows() const { return row_partition().global_size(); }
  GlobalIndex num_columns() const { return column_partition().global_size(); }

  /// y = A x.
  virtual void apply(const Vector& x, const Vector& y) const = 0;
  /// y = A^T x. Symmetric operators inherit apply; others throw Unsupported unless they override.
  virtual void apply_adjoint(const Vector& x, const Vector& y) const;
  /// Writes the diagonal to d and returns true, or returns false where it is not to be had.
  virtual bool diagonal(const Vector& d) const;
  /// Declared symmetry; checked by `check CASE` with random dot products.
  virtual bool is_symmetric() const = 0;
  /// What the operator is, for messages: "7-point stencil, 128 x 128 x 128".
  virtual std::string description() const = 0;
  /// Bytes that one application must move, each operand counted once; 0 when unknown.
  virtual double bytes_per_apply() const;
  /// Bytes the operator itself occupies.
  virtual double memory_bytes() const;

  // Passes that iterations need fused; the defaults compose apply with vector kernels. All return
  // global values.

  /// y = A x, returns x^T y.
  virtual double apply_dot(const Vector& x, const Vector& y) const;
  /// p = z + beta p, then q = A p; returns p^T q. beta = 0 ignores the old p.
  virtual double update_direction_and_apply(const Vector& z, double beta, const Vector& p,
                                            const Vector& q) const;
  /// r = b - A x, returns r^T r.
  virtual double residual(const Vector& b, const Vector& x, const Vector& r) const;
};

}  // namespace libsolve
