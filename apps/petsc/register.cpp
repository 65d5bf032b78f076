#include <dlfcn.h>

#include "ksp_libsolve.hpp"
#include "pc_libsolve.hpp"

namespace {

/// PETSc closes the libraries it has opened before the program's last objects go; ours stays.
void stay_open() {
  Dl_info here = {};
  if (dladdr(reinterpret_cast<const void*>(&stay_open), &here) != 0 && here.dli_fname != nullptr)
    (void)dlopen(here.dli_fname, RTLD_NOW | RTLD_NODELETE);
}

PetscErrorCode register_types() {
  PetscFunctionBegin;
  stay_open();
  PetscCall(KSPRegister("libsolve", libsolve_in_petsc::create_ksp));
  PetscCall(PCRegister("libsolve", libsolve_in_petsc::create_pc));
  PetscFunctionReturn(PETSC_SUCCESS);
}

}  // namespace

// PETSc derives the name from that of the file: libsolve_in_petsc.so without "lib" and what follows
// the first dot.
extern "C" LIBSOLVE_EXPORT PetscErrorCode PetscDLLibraryRegister_solve_in_petsc() {
  return register_types();
}
