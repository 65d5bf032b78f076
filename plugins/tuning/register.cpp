#include <libsolve/plugin/register.hpp>

#include "chebcb.hpp"
#include "relax_prior.hpp"
#include "sequence.hpp"
#include "tsallis_inf.hpp"

LIBSOLVE_PLUGIN(registrar) {
  constexpr const char* paper =
      "Khodak, Chow, Balcan, Talwalkar, Learning to relax: setting solver parameters across a "
      "sequence of linear system instances, ICLR 2024";
  registrar.add<tuning::Sequence>(
      {.name = "sequence",
       .summary = "a sequence of linear systems by one solver, one of its parameters tuned on the way",
       .paper = paper});
  registrar.add<tuning::Tuned>(
      {.name = "tuned",
       .summary = "a linear solver, one of its parameters tuned from solve to solve",
       .paper = paper});
  registrar.add<tuning::Fixed>({.name = "fixed", .summary = "the same value for every system"});
  registrar.add<tuning::TsallisInf>(
      {.name = "tsallis-inf", .summary = "a bandit that looks at costs only", .paper = paper});
  registrar.add<tuning::TsallisInfCb>(
      {.name = "tsallis-inf-cb", .summary = "a bandit for each bin of the context", .paper = paper});
  registrar.add<tuning::ChebCb>(
      {.name = "chebcb",
       .summary = "costs as Chebyshev series of the context, arms drawn by inverse gaps",
       .paper = paper});
  registrar.add<tuning::RelaxPrior>(
      {.name = "relax-prior",
       .summary = "omega from the Jacobi radius by Young's formula, its correction learned",
       .paper = "Young, Trans. AMS 76, 1954 (the formula)"});
}
