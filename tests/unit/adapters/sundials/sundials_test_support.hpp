#pragma once

#include <cmath>
#include <libsolve/adapters/sundials/linear_solver.hpp>
#include <libsolve/adapters/sundials/matrix.hpp>
#include <libsolve/adapters/sundials/nvector.hpp>
#include <libsolve/adapters/sundials/preconditioner.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/stencil_operator.hpp>
#include <memory>
#include <numbers>
#include <string>
#include <tests/support/vectors.hpp>
#include <vector>

namespace libsolve::test {

/// The plugins of this build.
const Registry& plugins();
/// A registry and nothing else set.
libsolve::Context setting();
/// `name` with a preconditioner.
ComponentSpec method(const std::string& name, const std::string& preconditioner);

/// u_t = -L u on the n x n inner nodes of the unit square, L the five-point Laplacian with u = 0 on
/// the walls. From u = sin(pi x) sin(pi y) the semi-discrete solution is exp(-lambda t) times that,
///   lambda = 8 / h^2 sin^2(pi h / 2), h = 1 / (n + 1).
struct Heat {
  explicit Heat(Index n);

  Index n;
  double h;
  double lambda;
  Partition rows;
  std::shared_ptr<const StencilOperator> L;
  Vector mode;  ///< sin(pi x) sin(pi y)
  /// max |u - exp(-lambda t) mode|.
  double error(const Vector& u, double t) const;
  /// A right-hand side f(t, y, user data = this) for CVODE and ARKODE: -L y.
  static int rhs(sunrealtype t, N_Vector y, N_Vector f, void* user_data);
};

std::shared_ptr<const StencilOperator> five_point(Index n, double h);

}  // namespace libsolve::test
