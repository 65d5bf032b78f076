#include <libsolve/plugin/register.hpp>

#include "admm.hpp"
#include "fista.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<proximal_splitting::Fista>(
      {.name = "fista",
       .summary = "accelerated proximal gradient steps with backtracking and restarts, for f + R and bounds",
       .paper = "Beck, Teboulle, A fast iterative shrinkage-thresholding algorithm for linear inverse "
                "problems, SIAM J. Imaging Sci. 2, 2009"});
  registrar.add<proximal_splitting::Admm>(
      {.name = "admm",
       .summary = "alternating directions for f + R and bounds: smooth steps by any method by name",
       .paper = "Boyd, Parikh, Chu, Peleato, Eckstein, Distributed optimization and statistical learning "
                "via the alternating direction method of multipliers, 2011"});
}
