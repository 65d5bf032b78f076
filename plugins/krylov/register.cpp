#include <libsolve/plugin/register.hpp>

#include "bicgstab.hpp"
#include "conjugate_gradients.hpp"
#include "gmres.hpp"
#include "lsmr.hpp"
#include "minres.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<krylov::Cg>(
      {.name = "cg",
       .summary = "conjugate gradients, for symmetric positive definite A",
       .paper = "Hestenes, Stiefel, Methods of conjugate gradients for solving linear systems, "
                "J. Res. Nat. Bur. Standards 49, 1952"});
  registrar.add<krylov::FlexibleCg>(
      {.name = "flexible-cg",
       .summary = "conjugate gradients for preconditioners that vary or are not symmetric",
       .paper = "Notay, Flexible conjugate gradients, SIAM J. Sci. Comput. 22, 2000"});
  registrar.add<krylov::Minres>(
      {.name = "minres",
       .summary = "minimal residuals, for symmetric A that may be indefinite or singular",
       .paper = "Paige, Saunders, Solution of sparse indefinite systems of linear equations, "
                "SIAM J. Numer. Anal. 12, 1975"});
  registrar.add<krylov::Gmres>(
      {.name = "gmres",
       .summary = "restarted generalised minimal residuals, for any square A",
       .paper = "Saad, Schultz, GMRES: a generalized minimal residual algorithm, "
                "SIAM J. Sci. Stat. Comput. 7, 1986"});
  registrar.add<krylov::Bicgstab>(
      {.name = "bicgstab",
       .summary = "stabilised biconjugate gradients, for any square A in little memory",
       .paper = "van der Vorst, Bi-CGSTAB, SIAM J. Sci. Stat. Comput. 13, 1992"});
  registrar.add<krylov::Lsmr>(
      {.name = "lsmr",
       .summary = "least squares with A of any shape, damped on request",
       .paper = "Fong, Saunders, LSMR: an iterative algorithm for sparse least-squares problems, "
                "SIAM J. Sci. Comput. 33, 2011"});
}
