#include <libsolve/plugin/register.hpp>

#include "nl_source.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<nl::NlSource>(
      {.name = "nl",
       .summary =
           "nonlinear program from an AMPL .nl file, with exact first and second derivatives",
       .paper =
           "Gay, Hooking your solver to AMPL, Bell Laboratories, 1997; Fourer, Gay, Kernighan, "
           "AMPL, 2nd ed., 2003"});
}
