#include <libsolve/plugin/register.hpp>

#include "composite.hpp"
#include "quadratic.hpp"
#include "separable.hpp"
#include "total_variation.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<proximal::TotalVariation>(
      {.name = "total-variation",
       .summary = "isotropic total variation on grids, by fast gradient projection in the dual",
       .paper = "Beck, Teboulle, Fast gradient-based algorithms for constrained total variation image "
                "denoising and deblurring problems, IEEE Trans. Image Process. 18, 2009"});
  registrar.add<proximal::SoftThreshold>(
      {.name = "soft-threshold", .summary = "sum of absolute values (l1), in closed form"});
  registrar.add<proximal::Quadratic>(
      {.name = "quadratic",
       .summary = "squares of gradients and values (Tikhonov), by a linear solver"});
  registrar.add<proximal::BoxIndicator>({.name = "box", .summary = "values between two bounds, by projection"});
  registrar.add<proximal::CompositeSource>(
      {.name = "composite",
       .summary = "another program's f(x) plus weight times a regulariser R(x) by its proximal operator"});
}
