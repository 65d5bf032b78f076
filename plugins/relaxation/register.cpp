#include "sor.hpp"
#include "ssor.hpp"

#include <libsolve/plugin/register.hpp>

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<relaxation::Sor>(
      {.name = "sor",
       .summary = "successive over-relaxation",
       .paper = "Young, Iterative methods for solving partial difference equations of elliptic "
                "type, Trans. AMS 76, 1954"});
  registrar.add<relaxation::Ssor>(
      {.name = "ssor",
       .summary = "one symmetric sweep of successive over-relaxation",
       .paper = "Axelsson, A generalized SSOR method, BIT 12, 1972; Saad, Iterative Methods for "
                "Sparse Linear Systems, 2nd ed., SIAM 2003, 10.2"});
}
