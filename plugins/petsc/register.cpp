#include <libsolve/plugin/register.hpp>

#include "methods.hpp"

namespace {

using namespace petsc_plugin;

const char* const petsc_paper =
    "Balay et al., PETSc/TAO Users Manual, ANL-21/39; Adams et al., GAMG: smoothed aggregation "
    "after "
    "Vanek, Mandel, Brezina, Computing 56, 1996";
const char* const boomeramg_paper =
    "Henson, Yang, BoomerAMG: A parallel algebraic multigrid solver and preconditioner, Appl. "
    "Numer. "
    "Math. 41, 2002; De Sterck, Yang, Heys, SIAM J. Matrix Anal. Appl. 27, 2006 (PMIS, HMIS)";
const char* const pfmg_paper =
    "Ashby, Falgout, A parallel multigrid preconditioned conjugate gradient algorithm for "
    "groundwater "
    "flow simulations, Nucl. Sci. Eng. 124, 1996";

}  // namespace

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<LinearMethod<IterativeOptions<AnyKsp>>>(
      {.name = "petsc",
       .summary = "any Krylov method of PETSc's (KSP) with any of its preconditioners (PC)",
       .paper = "Balay et al., PETSc/TAO Users Manual, ANL-21/39"});
  registrar.add<LinearMethod<IterativeOptions<Gamg>>>(
      {.name = "petsc-gamg",
       .summary = "PETSc's conjugate gradients with its algebraic multigrid GAMG",
       .paper = petsc_paper});
  registrar.add<LinearMethod<IterativeOptions<BoomerAmg>>>(
      {.name = "hypre-boomeramg",
       .summary = "PETSc's conjugate gradients with hypre's algebraic multigrid BoomerAMG",
       .paper = boomeramg_paper});
  registrar.add<LinearMethod<IterativeOptions<Pfmg>>>(
      {.name = "hypre-pfmg",
       .summary = "hypre's conjugate gradients with its multigrid PFMG, structured grids only",
       .paper = pfmg_paper});
  registrar.add<LinearMethod<DirectOptions<Lu>>>(
      {.name = "petsc-lu",
       .summary = "PETSc's sparse factors (L D L^T or LU), with refinement",
       .paper = "Balay et al., PETSc/TAO Users Manual, ANL-21/39"});
  registrar.add<LinearMethod<DirectOptions<Mumps>>>(
      {.name = "mumps",
       .summary = "MUMPS' multifrontal factors (L D L^T or LU) through PETSc, with refinement",
       .paper =
           "Amestoy, Duff, L'Excellent, Koster, A fully asynchronous multifrontal solver using "
           "distributed dynamic scheduling, SIAM J. Matrix Anal. Appl. 23, 2001"});

  registrar.add<PreconditionerOf<AnyPc>>(
      {.name = "petsc-pc", .summary = "any preconditioner of PETSc's (PC)", .paper = ""});
  registrar.add<PreconditionerOf<Gamg>>(
      {.name = "petsc-gamg", .summary = "PETSc's algebraic multigrid GAMG", .paper = petsc_paper});
  registrar.add<PreconditionerOf<BoomerAmg>>({.name = "hypre-boomeramg",
                                              .summary = "hypre's algebraic multigrid BoomerAMG",
                                              .paper = boomeramg_paper});
  registrar.add<PreconditionerOf<Pfmg>>({.name = "hypre-pfmg",
                                         .summary = "hypre's multigrid PFMG for structured grids",
                                         .paper = pfmg_paper});
}
