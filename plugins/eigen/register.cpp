#include <libsolve/plugin/register.hpp>

#include "direct_solver.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<eigen::SparseLdltSolver>(
      {.name = "eigen-ldlt",
       .summary = "sparse L D L^T of Eigen's (SimplicialLDLT), symmetric A, with refinement",
       .paper = "Davis, Direct Methods for Sparse Linear Systems, SIAM 2006; Guennebaud, Jacob, "
                "Eigen 3"});
  registrar.add<eigen::SparseLuSolver>(
      {.name = "eigen-lu",
       .summary = "sparse L U of Eigen's (SparseLU), any square A, with refinement",
       .paper = "Demmel, Eisenstat, Gilbert, Li, Liu, A supernodal approach to sparse partial "
                "pivoting, SIAM J. Matrix Anal. Appl. 20, 1999"});
  registrar.add<eigen::DenseSolver>(
      {.name = "eigen-dense",
       .summary = "dense factors of Eigen's for small systems: L D L^T where definite, else L U",
       .paper = "Golub, Van Loan, Matrix Computations, 4th ed., 2013, chapters 3 and 4"});
}
