#include <libsolve/plugin/register.hpp>

#include "logistic_source.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<logistic::LogisticSource>(
      {.name = "logistic",
       .summary = "logistic regression on planes and the unit sphere, samples from a LIBSVM file",
       .paper = "Hong, Na, Mahoney, Kolar, Constrained optimization via exact augmented Lagrangian "
                "and randomized iterative sketching, ICML 2023"});
}
