#pragma once

#include <petsc/private/pcimpl.h>

#include <libsolve/linear/preconditioner.hpp>
#include <memory>

#include "session.hpp"

namespace libsolve_in_petsc {

/// Makes `pc` one of type "libsolve"; for PCRegister.
PetscErrorCode create_pc(PC pc);

/// The preconditioner behind a PC of type "libsolve" that is set up and needs nothing done around
/// it; null for any other PC.
Preconditioner* inner_preconditioner(PC pc);

/// What the PC works on where that is the very operator of the KSP (Amat), in a form of ours
/// without its entries: a grid operator. Null otherwise.
std::shared_ptr<const LinearOperator> shared_grid_operator(PC pc);

}  // namespace libsolve_in_petsc
