#pragma once

#include <petsc/private/pcimpl.h>

#include <libsolve/linear/preconditioner.hpp>
#include <libsolve/linear/stencil_operator.hpp>
#include <memory>

#include "session.hpp"

namespace libsolve_in_petsc {

/// Makes `pc` one of type "libsolve"; for PCRegister.
PetscErrorCode create_pc(PC pc);

/// The preconditioner behind a PC of type "libsolve" that is set up; null for any other PC, and
/// where rows that stand for themselves need their own step, unless the caller's residual is 0
/// there.
Preconditioner* inner_preconditioner(PC pc, bool is_zero_at_solid);

/// The grid operator that the PC works on, where its matrix is the operator of the KSP, too (Amat).
struct SharedGrid {
  std::shared_ptr<const StencilOperator> A;  ///< null: none
  bool is_exact = true;                      ///< else couplings to its solid cells are missing
};
SharedGrid shared_grid(PC pc);

/// x_i = b_i / a_ii in the rows of A's solid cells.
void solve_solid(const StencilOperator& A, const Vector& b, const Vector& x);
/// out = r, 0 in the rows of A's solid cells; out may be r.
void clear_solid(const StencilOperator& A, const Vector& r, const Vector& out);

}  // namespace libsolve_in_petsc
