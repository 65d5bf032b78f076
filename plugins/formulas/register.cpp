#include <libsolve/plugin/register.hpp>

#include "formulas_source.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<formulas::FormulasSource>(
      {.name = "formulas",
       .summary = "nonlinear program written as formulas in the case, with exact derivatives",
       .paper =
           "Gower, Mello, A new framework for the computation of Hessians, Optimization Methods "
           "and Software 27, 2012"});
}
