#include <libsolve/plugin/register.hpp>

#include "synthetic_source.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<lvhba_synthetic::SyntheticSource>(
      {.name = "lvhba-synthetic",
       .summary = "bilevel programs with known solutions: merely convex or strongly convex lower "
                  "level, one or many coupled constraints, any size",
       .paper =
           "Yao, Yu, Zeng, Zhang, Constrained Bi-Level Optimization: Proximal Lagrangian Value "
           "Function Approach and Hessian-free Algorithm, ICLR 2024"});
}
