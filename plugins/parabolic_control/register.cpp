#include <libsolve/plugin/register.hpp>

#include "parabolic_control.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<parabolic_control::ParabolicControlSource>(
      {.name = "parabolic-control",
       .summary = "control of the heat equation by its source, or its conductivity from data",
       .paper = "Apel, Flaig, Crank-Nicolson schemes for optimal control problems with evolution "
                "equations, SIAM J. Numer. Anal. 50, 2012; Haber, Ascher, Inverse Problems 17, 2001"});
}
