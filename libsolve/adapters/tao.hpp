#pragma once

#include <libsolve/core/monitor.hpp>
#include <libsolve/optimize/nonlinear_program.hpp>
#include <memory>
#include <string>

namespace libsolve::petsc {

/// A solver of TAO's, PETSc's optimisers, for programs with constraints.
struct TaoSettings {
  /// "almm" (augmented Lagrangian over first-order solvers of the bound-constrained subproblem) or
  /// "pdipm" (primal-dual barrier with factors of the KKT matrix by MUMPS).
  std::string type = "almm";
  double tolerance = 1e-6;  ///< TAO's gatol and catol
  std::int64_t max_iterations = 100;
  std::string options = {};  ///< "-tao_almm_mu_init 1", as in KspSettings
  std::string asker = {};
};

class LIBSOLVE_EXPORT TaoSolver {
 public:
  virtual ~TaoSolver();
  /// From the problem's x to TAO's last point and multipliers. Status and reason are TAO's;
  /// nothing is verified. What TAO does not tell of the bounds' multipliers comes from
  /// stationarity. Unsupported for programs without entries.
  virtual Report solve(NonlinearProgram& problem, Monitor& monitor) = 0;
};

/// As make_ksp (petsc.hpp).
LIBSOLVE_EXPORT std::unique_ptr<TaoSolver> make_tao(const TaoSettings& settings);

}  // namespace libsolve::petsc
