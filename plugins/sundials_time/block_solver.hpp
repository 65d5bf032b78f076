#pragma once

#include <libsolve/adapters/sundials/linear_solver.hpp>

namespace sundials_time {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// A SUNLinearSolver for diag(A, ..., A) x = b: one method, block after block, each to its share of
/// the tolerance. The integrator's SUNMatrix is that of one block (sun::make_matrix of `block`).
/// `like`: vectors of num_blocks blocks.
SUNLinearSolver make_block_solver(std::unique_ptr<LinearSolver> method, const Partition& block,
                                  int num_blocks, const Vector& like, SUNContext context);

bool is_block_solver(SUNLinearSolver S) noexcept;
/// As sun::reason_of(); solves are those of all blocks together.
const std::string& block_solver_reason(SUNLinearSolver S);
sun::LinearSolverCounts block_solver_counts(SUNLinearSolver S);

}  // namespace sundials_time
