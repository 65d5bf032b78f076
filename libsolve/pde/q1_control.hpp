#pragma once

#include <libsolve/optimize/program_functions.hpp>
#include <libsolve/pde/node_grid.hpp>

namespace libsolve {

/// What optimal control of -Laplace y = u with Q1 elements offers beside ProgramFunctions, for
/// methods that use its structure (found by dynamic_cast). Variables x = (y, u), one of each for
/// every inner node; one constraint a node:
///   f = w (1/2 (y - y_d, y - y_d) + alpha/2 u^T N u),   c = w (K y - N u - d),
/// K the stiffness matrix, M the mass matrix behind ( , ), N = M or the lumped mass matrix, d from
/// boundary values. So with lambda = -p, p the adjoint state, the conditions of optimality are
///   M y + K lambda = b,   alpha N u - N lambda + z / w = 0,   K y - N u = d,
/// z the multipliers of bounds of u. Over ranks as the grid is.
class LIBSOLVE_EXPORT Q1Control {
 public:
  virtual ~Q1Control();
  virtual const NodeGrid& nodes() const = 0;
  virtual double weight() const = 0;        ///< w
  virtual double control_cost() const = 0;  ///< alpha: half of it stands before the square
  virtual bool control_is_lumped() const = 0;
};

}  // namespace libsolve
