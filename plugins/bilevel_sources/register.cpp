#include <libsolve/plugin/register.hpp>

#include "formulas_source.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<bilevel_sources::BilevelFormulasSource>(
      {.name = "bilevel-formulas",
       .summary = "bilevel program written as formulas in the case, with exact derivatives"});
}
