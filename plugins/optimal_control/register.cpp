#include <libsolve/plugin/register.hpp>

#include "elliptic_control.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<optimal_control::EllipticControlSource>(
      {.name = "elliptic-control",
       .summary = "distributed control of -Laplace y + phi(y) = u on a square, discretised"});
}
