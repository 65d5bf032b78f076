#include "incomplete_cholesky.hpp"
#include "incomplete_lu.hpp"

#include <libsolve/plugin/register.hpp>

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<incomplete::IncompleteCholesky>(
      {.name = "ic0",
       .summary = "incomplete Cholesky factor on the pattern of A, shifted where it breaks down",
       .paper =
           "Meijerink, van der Vorst, An iterative solution method for linear systems of which "
           "the coefficient matrix is a symmetric M-matrix, Math. Comp. 31, 1977; Manteuffel, "
           "An incomplete factorization technique for positive definite linear systems, "
           "Math. Comp. 34, 1980"});
  registrar.add<incomplete::IncompleteLu>(
      {.name = "ilu0",
       .summary = "incomplete LU factors on the pattern of A",
       .paper =
           "Meijerink, van der Vorst, Math. Comp. 31, 1977; Saad, Iterative Methods for Sparse "
           "Linear Systems, 2nd ed., SIAM 2003, 10.3"});
}
