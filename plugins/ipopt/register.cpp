#include <libsolve/plugin/register.hpp>

#include "ipopt_solver.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<ipopt::IpoptSolver>(
      {.name = "ipopt",
       .summary = "Ipopt: primal-dual barrier with a filter line search and sparse factors",
       .paper = "Waechter, Biegler, On the implementation of an interior-point filter line-search "
                "algorithm for large-scale nonlinear programming, Math. Program. 106, 2006"});
}
