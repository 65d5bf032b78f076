#pragma once

#include <libsolve/linear/stencil_operator.hpp>
#include <libsolve/optimize/program_functions.hpp>
#include <memory>

namespace libsolve {

/// What discretised optimal control of an elliptic equation offers beside ProgramFunctions, for
/// methods that use its structure (found by dynamic_cast). Variables x = (y, u), states and then
/// controls, one of each for every point of a grid; one constraint a point, the state equation:
///   f = w/2 |y - y_d|^2 + w beta/2 |u|^2,   c = A y + phi(y) - u,
/// A = -Laplace with zero walls, phi point by point. So
///   J = [A + diag(phi'(y)), -I],   W = diag(sigma w + lambda phi''(y), sigma w beta).
/// The state operator A is symmetric; with lambda = w p, p is the adjoint state, of the size of y.
class LIBSOLVE_EXPORT ControlStructure {
 public:
  virtual ~ControlStructure();
  /// Of the points; spacing h, the walls one h away from the outermost points.
  virtual const Grid& grid() const = 0;
  virtual double weight() const = 0;        ///< w
  virtual double control_cost() const = 0;  ///< beta
  /// A + diag(phi'(y)).
  virtual std::shared_ptr<const StencilOperator> state_operator(const ConstVectorView& x) const = 0;
  /// d = sigma w + lambda phi''(y), one a point: may be negative.
  virtual void state_hessian(const ConstVectorView& x, double sigma, const ConstVectorView& lambda,
                             const VectorView& d) const = 0;
};

}  // namespace libsolve
