#include <libsolve/plugin/register.hpp>

#include "collective_multigrid.hpp"
#include "full_space_krylov.hpp"
#include "preconditioners.hpp"
#include "primal_dual_active_set.hpp"

LIBSOLVE_PLUGIN(registrar) {
  using namespace pde_control;
  registrar.add<CollectiveMultigridSolver>(
      {.name = "collective-multigrid",
       .summary = "multigrid on the conditions of optimality, state and adjoint relaxed together",
       .paper = "Borzi, Schulz, Multigrid methods for PDE optimization, SIAM Rev. 51, 2009"});
  registrar.add<FullSpaceKrylov>(
      {.name = "full-space-krylov",
       .summary = "Krylov methods on the conditions of optimality, block preconditioners by name",
       .paper =
           "Rees, Dollar, Wathen, Optimal solvers for PDE-constrained optimization, SIAM J. Sci. "
           "Comput. 32, 2010"});
  registrar.add<PrimalDualActiveSet>(
      {.name = "primal-dual-active-set",
       .summary = "bounded controls: active sets until they repeat, from coarser grids",
       .paper = "Bergounioux, Ito, Kunisch, Primal-dual strategy for constrained optimal control "
                "problems, SIAM J. Control Optim. 37, 1999"});
  registrar.add<Presb>(
      {.name = "presb",
       .summary = "conditions of optimality: two systems with M + sqrt(alpha) K",
       .paper =
           "Axelsson, Farouq, Neytcheva, Comparison of preconditioned Krylov subspace iteration "
           "methods for PDE-constrained optimization problems, Numer. Algorithms 73, 2016"});
  registrar.add<PearsonWathen>(
      {.name = "pearson-wathen",
       .summary = "conditions of optimality: block diagonal, matched Schur complement",
       .paper =
           "Pearson, Wathen, A new approximation of the Schur complement in preconditioners for "
           "PDE-constrained optimization, Numer. Linear Algebra Appl. 19, 2012"});
  registrar.add<Zulehner>(
      {.name = "zulehner",
       .summary = "conditions of optimality: block diagonal, norms that depend on alpha",
       .paper =
           "Zulehner, Nonstandard norms and robust estimates for saddle point problems, SIAM J. "
           "Matrix Anal. Appl. 32, 2011"});
  registrar.add<CollectiveMultigrid>(
      {.name = "collective-multigrid",
       .summary = "conditions of optimality: one multigrid cycle, state and adjoint together",
       .paper = "Borzi, Schulz, Multigrid methods for PDE optimization, SIAM Rev. 51, 2009"});
}
