#pragma once

#include <petsc/private/kspimpl.h>

#include "session.hpp"

namespace libsolve_in_petsc {

/// Makes `ksp` one of type "libsolve"; for KSPRegister.
PetscErrorCode create_ksp(KSP ksp);

/// Puts the preconditioner "pc" into a registry: the PC of the KSP that makes its method just now.
void add_pc_of_ksp(Registry& registry);

}  // namespace libsolve_in_petsc
