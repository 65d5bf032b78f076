#include "block_jacobi.hpp"
#include "jacobi.hpp"

#include <libsolve/plugin/register.hpp>

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<jacobi::Jacobi>(
      {.name = "jacobi",
       .summary = "inverse of the diagonal, or of the absolute row sums (l1)",
       .paper = "Baker, Falgout, Kolev, Yang, Multigrid smoothers for ultraparallel computing, "
                "SIAM J. Sci. Comput. 33(5), 2011 (l1 variant)"});
  registrar.add<jacobi::BlockJacobi>(
      {.name = "block-jacobi",
       .summary = "inverses of small dense blocks on the diagonal",
       .paper =
           "Saad, Iterative Methods for Sparse Linear Systems, 2nd ed., SIAM 2003, 4.1 and 12.2"});
}
