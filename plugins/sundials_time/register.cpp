#include <libsolve/plugin/register.hpp>

#include "arkode_integrator.hpp"
#include "cvodes_integrator.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<sundials_time::CvodesIntegrator>(
      {.name = "cvodes",
       .summary = "backward differentiation formulas of variable order and step, with adjoints (SUNDIALS)",
       .paper = "Serban, Hindmarsh, CVODES: the sensitivity-enabled ODE solver in SUNDIALS, IDETC 2005"});
  registrar.add<sundials_time::ArkodeIntegrator>(
      {.name = "arkode",
       .summary = "Runge-Kutta methods with steps of variable length, implicit or implicit-explicit (SUNDIALS)",
       .paper = "Reynolds, Gardner, Woodward, Chinomona, ARKODE: a flexible IVP solver infrastructure "
                "for one-step methods, ACM Trans. Math. Softw. 49, 2023"});
}
