#pragma once

#include <libsolve/core/vector.hpp>

namespace libsolve {

/// The map from the state at time 0 to that at T of an equation in time, u_0 -> u_T, with its
/// derivatives. For J(u_0) = g(u_T): forward(), then backward() of p = g'(u_T) gives J'(u_0);
/// forward_tangent() of v, then second_backward() of p = g'(u_T) and w = g''(u_T) v_T gives J''(u_0) v.
/// What fails is NaN.
class LIBSOLVE_EXPORT FlowMap {
 public:
  virtual ~FlowMap();
  /// u_T from u_0. Remembered: again for the same u_0 nothing is run. Good until the next call.
  virtual const Vector& forward(const Vector& u0) = 0;
  /// p = (du_T / du_0)^T p at the last u_0 of forward().
  virtual void backward(const Vector& p) = 0;
  /// v_T = (du_T / du_0) v at u_0, good until the next call.
  virtual const Vector& forward_tangent(const Vector& u0, const Vector& v) = 0;
  /// In place, at the last u_0 and v of forward_tangent(): p as backward(), and
  ///   w = (du_T / du_0)^T w + (d^2 u_T / du_0^2 v)^T p.
  /// For a linear equation p is left as it is.
  virtual void second_backward(const Vector& p, const Vector& w) = 0;
  /// u_T of the last forward_tangent() of an equation that is not linear.
  virtual Vector state_beside_tangent() const = 0;
};

}  // namespace libsolve
