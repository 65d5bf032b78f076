#pragma once

#include <libsolve/bilevel/bilevel_program.hpp>
#include <libsolve/optimize/program_solver.hpp>
#include <memory>
#include <span>
#include <vector>

/// Projections onto the usual sets. They keep multipliers from one call to the next as a start,
/// which changes results by rounding only.
namespace libsolve {

/// {v: lower <= v <= upper}.
LIBSOLVE_EXPORT std::shared_ptr<Projection> box_projection(const Bounds& box);

/// {v: v in box, low_i <= a_i . v <= high_i}, few rows: Newton's method on the dual (the
/// multipliers of the rows; Hager, Hungerford, A maximization algorithm for continuous quadratic
/// knapsacks and its kin, SIAM J. Optim. 2015, has the case of one row), exact after finitely many
/// steps, guarded by exact minimisation row by row. Kernels only: a pass over v for v itself, each
/// row and each pair of rows, a Newton step. `rows` has the places of `values`, row by column.
/// Throws ShapeError for places outside.
LIBSOLVE_EXPORT std::shared_ptr<Projection> box_rows_projection(const Bounds& box,
                                                                const SparsePattern& rows,
                                                                std::span<const double> values,
                                                                const Bounds& row_bounds);

/// {v: v >= 0, sum v = total}, n numbers; total > 0.
LIBSOLVE_EXPORT std::shared_ptr<Projection> simplex_projection(Index n, double total = 1.0);

/// The intersection of sets of the same size by Dykstra's iteration (Boyle, Dykstra 1986), to a
/// change of `tolerance` (relative to max(1, |v|)) in a round; linear convergence for polyhedra.
/// Not converging in `max_rounds` is NumericalError.
LIBSOLVE_EXPORT std::shared_ptr<Projection> intersection_projection(
    std::vector<std::shared_ptr<Projection>> sets, double tolerance = 1e-13,
    int max_rounds = 100000);

/// C = {v: x in X, y in Y, g, G} of a program: its own coupled_set where it has one; the box; box
/// and rows where all constraints are linear and few (8); orthonormal rows (affine_projection.hpp)
/// where they are linear equations without a box; with entries and up to 300 variables
/// Newton's method on the KKT system of the projection, active set by active set, from the last
/// point (a local solution where C is not convex); Dykstra's iteration for many linear rows. What
/// is left, and where Newton's method fails, goes to `solver`, without which it is Unsupported or
/// NumericalError. `program` outlives it.
LIBSOLVE_EXPORT std::shared_ptr<Projection> projection_of(
    const BilevelProgram& program, std::unique_ptr<ProgramSolver> solver = nullptr);

}  // namespace libsolve
