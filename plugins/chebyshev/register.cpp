#include "chebyshev.hpp"

#include <libsolve/plugin/register.hpp>

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<chebyshev::Chebyshev>(
      {.name = "chebyshev",
       .summary =
           "Chebyshev polynomial of D^-1 A, of the first or fourth kind; any operator with a "
           "diagonal",
       .paper =
           "Lottes, Optimal polynomial smoothers for multigrid V-cycles, Numer. Linear Algebra "
           "Appl. 30, 2023; Phillips, Fischer, Optimal Chebyshev smoothers and one-sided "
           "V-cycles, 2022; Saad, Iterative Methods for Sparse Linear Systems, 2nd ed., SIAM "
           "2003, 12.3"});
}
