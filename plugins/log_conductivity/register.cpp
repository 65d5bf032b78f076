#include <libsolve/plugin/register.hpp>

#include "log_conductivity.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<log_conductivity::LogConductivitySource>(
      {.name = "log-conductivity",
       .summary = "the logarithm of a conductivity from its states, seen everywhere or at points",
       .paper = "Villa, Petra, Ghattas, hIPPYlib, ACM Trans. Math. Softw. 47, 2021 (full); Haber, "
                "Ascher, Preconditioned all-at-once methods for large, sparse parameter estimation "
                "problems, Inverse Problems 17, 2001 (points)"});
}
