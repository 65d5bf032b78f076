#pragma once

#include <libsolve/core/report.hpp>
#include <libsolve/linear/linear_system.hpp>
#include <libsolve/linear/stencil_operator.hpp>
#include <libsolve/linear/verified_solve.hpp>
#include <memory>
#include <string>
#include <vector>

/// PETSc, and hypre that comes with it, behind interfaces without their headers. What implements
/// them is a library of its own, libsolve_petsc.so, opened when the first of these objects is made:
/// a program that solves without PETSc does not load it (some hundred libraries, 0.1 s).
///
/// PETSc is brought up then, after MPI, without its signal handlers and without reading a petscrc
/// file, and taken down with the Runtime. Inside a host that has brought it up it is used as it is
/// and left alone. Errors of PETSc are BackendErrors with PETSc's own words; a factorisation that
/// meets a zero pivot is a NumericalError.
namespace libsolve::petsc {

/// A solver or preconditioner in PETSc's words.
struct KspSettings {
  /// "-ksp_type cg -pc_type gamg", set under a prefix of this object's own and taken back with it.
  /// An option that PETSc did not use is an InputError.
  std::string options = {};
  /// The KSP where `options` name none ("cg"); "" for PETSc's own choice.
  std::string ksp_type = {};
  /// "mumps", "petsc", ...: factors of this package, Cholesky's (L D L^T) for a symmetric matrix
  /// and LU for others, where `options` name no PC; "" for PETSc's own choice of the PC.
  std::string factor_package = {};
  /// Apply the operator itself (MATSHELL) where PETSc's KSP multiplies by A; preconditioners get
  /// entries where the operator has them.
  bool matrix_free = false;
  /// Who asks, for messages: "linear-solver 'petsc-gamg'".
  std::string asker = {};
};

/// A solver of theirs together with its preconditioner, on the ranks of the operator. All calls but
/// the getters are collective; counts are those of the whole, bytes those of this rank.
class LIBSOLVE_EXPORT Solver {
 public:
  virtual ~Solver();
  /// Everything that does not depend on the right-hand side. Throws Unsupported, naming what it
  /// needs and what it got.
  virtual void setup(const LinearSystem& system) = 0;
  /// The part of it that apply() needs.
  virtual void setup_preconditioner(const LinearSystem& system) = 0;
  /// x from its current value. The residual is measured as b - A x where the method can, else by
  /// the method's own norm, which is then reduced as far as the true one has to be.
  virtual InnerOutcome solve(const InnerTask& task, SolveWatch& watch) = 0;
  /// z = M r with the preconditioner alone.
  virtual void apply(const Vector& r, const Vector& z) = 0;

  struct Counts {
    double operator_applications = 0.0;
    double preconditioner_applications = 0.0;
  };
  /// What was applied since the last call of this.
  virtual Counts take_counts() = 0;
  /// Matrix, preconditioner and work vectors: what set-up and the first solve have taken from the
  /// heap and hold, where that can be told, and at least the vectors that are known.
  virtual double memory_bytes() const = 0;
  virtual double preconditioner_memory_bytes() const = 0;
  /// What set-up decided: levels, entries of factors, ...
  virtual std::vector<Measure> metrics() const = 0;
  /// "PETSc: cg with gamg", what was assembled, ...
  virtual std::vector<std::string> notes() const = 0;
};

/// hypre's PFMG (Ashby and Falgout 1996) through its interface for structured grids.
struct PfmgSettings {
  std::string coarse_operator = "auto";  ///< "galerkin", "non-galerkin"; auto: by the coefficients
  std::string smoother = "auto";         ///< "jacobi", "red-black"; auto: by the coefficients
  int sweeps = 1;                        ///< before and after each coarse correction
  bool skip_relax = true;  ///< PFMG's own: no sweeps where coarsening skips a direction
  std::string asker = {};
};

/// A KSP with its PC. Columns and values of a CsrMatrix are used in place (on several ranks as an
/// MPIAIJ with the same rows on each), a StencilOperator is assembled, other operators become a
/// MATSHELL. Where the system has a null space, the
/// preconditioner gets A + alpha e_k e_k^T, one k for each of its components: not singular, and the
/// same x for right-hand sides in the range.
/// Throws Unsupported in a build without PETSc, BackendError where libsolve_petsc.so cannot be
/// opened or there is no Runtime with MPI.
LIBSOLVE_EXPORT std::unique_ptr<Solver> make_ksp(const KspSettings& settings);

/// Conjugate gradients over hypre's own structured vectors and products with one V-cycle of PFMG a
/// step; apply() is one V-cycle. Takes StencilOperators only, each rank's box as it is. Unsupported
/// in a build without hypre.
LIBSOLVE_EXPORT std::unique_ptr<Solver> make_pfmg(const PfmgSettings& settings);

/// "PETSc 3.18.5, hypre 2.26.0"; opens the library, brings nothing up.
LIBSOLVE_EXPORT std::string version_text();

}  // namespace libsolve::petsc
