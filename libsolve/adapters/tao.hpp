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

/// TAO's linearly constrained augmented Lagrangian method (LCL) for ParameterEstimation, as TAO's own
/// example of an elliptic problem sets it up: states solved source by source by a KSP, GMRES
/// with ILU(0) of A(m) without the mean to 1e-8 unless options say otherwise.
struct LclSettings {
  double tolerance = 0.0;  ///< TAO's gatol, catol and gttol; 0: its own, 1e-4 each
  std::int64_t max_iterations = 200;
  std::string options = {};  ///< "-tao_lcl_... -ksp_type cg", as in KspSettings
  std::string asker = {};
};

/// As make_ksp (petsc.hpp). solve() is Unsupported for programs without ParameterEstimation or with
/// bounds; counts "state_solves" (forward), "adjoint_solves" and "krylov_iterations".
LIBSOLVE_EXPORT std::unique_ptr<TaoSolver> make_lcl(const LclSettings& settings);
/// As make_ksp (petsc.hpp).
LIBSOLVE_EXPORT std::unique_ptr<TaoSolver> make_tao(const TaoSettings& settings);

}  // namespace libsolve::petsc
