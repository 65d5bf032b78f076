#include <libsolve/plugin/register.hpp>

#include "heat_inversion.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<heat_inversion::HeatInversionSource>(
      {.name = "heat-inversion",
       .summary = "initial state of the heat equation (or one with a reaction) from a later one",
       .paper = "Griewank, Walther, Algorithm 799: revolve, ACM Trans. Math. Softw. 26, 2000 "
                "(checkpoints)"});
}
