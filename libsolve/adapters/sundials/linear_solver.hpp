#pragma once

#include <sundials/sundials_linearsolver.h>

#include <libsolve/adapters/sundials/bridges.hpp>
#include <libsolve/linear/linear_solver.hpp>
#include <libsolve/plugin/registry.hpp>
#include <memory>
#include <string>

/// Linear solvers of libsolve for CVODE(S), ARKODE, IDA(S) and KINSOL.
namespace libsolve::sun {

struct LinearSolverOptions {
  /// Without a SUNMatrix only: whether the operator that the integrator applies is symmetric.
  bool is_symmetric = true;
};

/// A SUNLinearSolver (id SUNLINEARSOLVER_CUSTOM, type MATRIX_ITERATIVE) around `method`, for
/// vectors of the kind and partition of `like`. The matrix that the integrator passes must be of
/// make_matrix().
///
/// A x = b is solved until
///     ||S_1 (b - A x)||_2 <= tol,
/// S_1 the scaling the integrator sets (its error weights), the residual recomputed. The method
/// itself iterates on the unscaled system until its 2-norm has fallen as far as the weights
/// suggest, and goes on from there should the weighted norm still be too large; S_2 scales unknowns
/// and changes nothing in that. A guess that is announced as zero costs no product, and a
/// right-hand side within the tolerance no iteration: x = 0.
///
/// What comes back: 0; SUNLS_RES_REDUCED or SUNLS_CONV_FAIL after too many iterations and
/// SUNLS_PACKAGE_FAIL_REC after a breakdown or numbers that are not finite, which let the
/// integrator try a smaller step; SUNLS_ATIMES_FAIL_* as the product said; SUNLS_PACKAGE_FAIL_UNREC
/// for what no step size cures. reason_of() says it in words. Nothing is printed.
///
/// A method that learns from solve to solve ("tuned") is told context_of() the matrix: gamma.
///
/// Vectors are of any kind that as_vector() takes, without a copy. From the second one on a
/// successful solve on a grid allocates nothing, from Kokkos or the heap, with cg, flexible-cg,
/// minres, bicgstab or gmres and jacobi or multigrid.
LIBSOLVE_EXPORT SUNLinearSolver make_linear_solver(std::unique_ptr<LinearSolver> method,
                                                   N_Vector like, SUNContext context);

/// The same, type ITERATIVE: without a matrix, on the product that the integrator provides (its own
/// J v, or a user's). The method has to work on an operator without entries and without a grid.
LIBSOLVE_EXPORT SUNLinearSolver make_matrix_free_solver(std::unique_ptr<LinearSolver> method,
                                                        N_Vector like, SUNContext context,
                                                        const LinearSolverOptions& options = {});

/// A method by name with its options, for one of the above: `make_method(setting, "cg", ...)`.
/// relative_tolerance is 0 and max_iterations 30 unless the options say otherwise, since the
/// integrator has tolerances of its own, a few iterations a solve, and a smaller step to fall back
/// on.
LIBSOLVE_EXPORT std::unique_ptr<LinearSolver> make_method(const ComponentSpec& method,
                                                          const libsolve::Context& setting);

/// Why the last set-up or solve of one of ours ended as it did.
LIBSOLVE_EXPORT const std::string& reason_of(SUNLinearSolver S);

/// Solves, set-ups that did work, iterations since it was made.
struct LinearSolverCounts {
  std::int64_t num_setups = 0;
  std::int64_t num_solves = 0;
  std::int64_t num_iterations = 0;
  std::int64_t num_failures = 0;
};
LIBSOLVE_EXPORT LinearSolverCounts counts_of(SUNLinearSolver S);

struct LinearSolverFree {
  void operator()(SUNLinearSolver S) const noexcept { SUNLinSolFree(S); }
};
using LinearSolverPointer =
    std::unique_ptr<std::remove_pointer_t<SUNLinearSolver>, LinearSolverFree>;

}  // namespace libsolve::sun
