#include <libsolve/plugin/register.hpp>

#include "lv_hba.hpp"
#include "lv_hba_scaled.hpp"

LIBSOLVE_PLUGIN(registrar) {
  constexpr const char* paper =
      "Yao, Yu, Zeng, Zhang, Constrained Bi-Level Optimization: Proximal Lagrangian Value Function "
      "Approach and Hessian-free Algorithm, ICLR 2024";
  registrar.add<lv_hba::LvHba>(
      {.name = "lv-hba",
       .summary = "LV-HBA as published: a single loop of gradient steps and projections",
       .paper = paper});
  registrar.add<lv_hba::LvHbaScaled>(
      {.name = "lv-hba-scaled",
       .summary =
           "LV-HBA with scaled constraints and steps from estimates, then Newton's method on "
           "the lower level's active set, and a search over its pieces on small problems",
       .paper = paper});
}
