#include <libsolve/plugin/register.hpp>

#include "dual_ascent.hpp"
#include "unconstrained.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<newton_variants::GradientNormalizedNewton>(
      {.name = "gradient-normalized-newton",
       .summary = "Newton with an exact or approximate Hessian, regularised by |gradient| / gamma; "
                  "unconstrained",
       .paper = "Semenov, Jaggi, Doikov, Gradient-Normalized Smoothness for Optimization with "
                "Approximate Hessians, ICLR 2026"});
  registrar.add<newton_variants::SaddleFreeNewton>(
      {.name = "saddle-free-newton",
       .summary = "Newton with the absolute values of the Hessian's eigenvalues; unconstrained",
       .paper = "Dauphin, Pascanu, Gulcehre, Cho, Ganguli, Bengio, Identifying and attacking the "
                "saddle point problem in high-dimensional non-convex optimization, NeurIPS 2014"});
  registrar.add<newton_variants::DualAscent>(
      {.name = "dual-ascent",
       .summary = "ascent on the dual function, plain or of the augmented Lagrangian; equalities",
       .paper = "Uzawa, in Arrow, Hurwicz, Uzawa, Studies in Linear and Non-linear Programming, "
                "1958; Hestenes, Multiplier and gradient methods, JOTA 1969"});
}
