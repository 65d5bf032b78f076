#include <libsolve/plugin/register.hpp>

#include "burgers_control.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<burgers_control::BurgersControlSource>(
      {.name = "burgers-control",
       .summary = "distributed control of Burgers' equation, tracking a given state",
       .paper = "Kunisch, Volkwein, Control of the Burgers equation by a reduced-order approach using "
                "proper orthogonal decomposition, J. Optim. Theory Appl. 102, 1999"});
}
