#pragma once

#include <libsolve/core/vector.hpp>

namespace libsolve {

/// A discretisation in time, u_{n+1} = F_n(u_n), n = 0, ..., N - 1, with what adjoints need. Vectors of
/// a call do not alias. Where something cannot be evaluated the result is NaN.
class LIBSOLVE_EXPORT TimeScheme {
 public:
  virtual ~TimeScheme();
  virtual const Partition& partition() const = 0;
  virtual int num_steps() const = 0;
  /// F_n' does not depend on u: it is not looked at by tangent() and adjoint().
  virtual bool is_linear() const = 0;

  /// next = F_n(u).
  virtual void step(int n, const Vector& u, const Vector& next) = 0;
  /// next = F_n'(u) v.
  virtual void tangent(int n, const Vector& u, const Vector& v, const Vector& next) = 0;
  /// before = F_n'(u)^T p.
  virtual void adjoint(int n, const Vector& u, const Vector& p, const Vector& before) = 0;
  /// p_before = F_n'(u)^T p and its derivative along u -> u + v, p -> p + w:
  ///   w_before = F_n'(u)^T w + (F_n''(u) v)^T p.
  virtual void second_adjoint(int n, const Vector& u, const Vector& v, const Vector& p,
                              const Vector& w, const Vector& p_before, const Vector& w_before) = 0;
};

}  // namespace libsolve
