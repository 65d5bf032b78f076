#include <libsolve/plugin/register.hpp>

#include "bo_rep.hpp"
#include "implicit_differentiation.hpp"
#include "penalty_first_order.hpp"
#include "unrolled.hpp"
#include "value_function_kkt.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<bilevel_baselines::ImplicitDifferentiation>(
      {.name = "implicit-differentiation",
       .summary = "projected BFGS on the upper variables with hypergradients from the lower "
                  "level's KKT system: direct, CG or Neumann series",
       .paper = "Fiacco, Introduction to Sensitivity and Stability Analysis in Nonlinear "
                "Programming, 1983; Pedregosa, Hyperparameter optimization with approximate "
                "gradient, ICML 2016"});
  registrar.add<bilevel_baselines::ValueFunctionKkt>(
      {.name = "value-function-kkt",
       .summary = "the lower level by its KKT conditions, relaxed, through a program solver",
       .paper = "Scholtes, Convergence properties of a regularization scheme for mathematical "
                "programs with complementarity constraints, SIAM J. Optim. 11, 2001"});
  registrar.add<bilevel_baselines::Unrolled>(
      {.name = "unrolled",
       .summary = "projected BFGS on the upper variables, the gradient through the last steps of "
                  "the lower level's projected gradient iteration",
       .paper = "Shaban, Cheng, Hatch, Boots, Truncated back-propagation for bilevel optimization, "
                "AISTATS 2019"});
  registrar.add<bilevel_baselines::PenaltyFirstOrder>(
      {.name = "penalty-first-order",
       .summary = "the lower level's excess over its least value as a penalty; gradients only",
       .paper = "Kwon, Kwon, Wright, Nowak, A fully first-order method for stochastic bilevel "
                "optimization, ICML 2023; Chen, Ma, Zhang, Near-optimal nonconvex-strongly-convex "
                "bilevel optimization with fully first-order oracles, JMLR 2025"});
  registrar.add<bilevel_baselines::BoRep>(
      {.name = "bo-rep",
       .summary = "normalised momentum on the upper variables, the lower ones refined at the start "
                  "and updated periodically",
       .paper = "Hao, Gong, Liu, Bilevel optimization under unbounded smoothness: a new algorithm "
                "and convergence analysis, ICLR 2024"});
}
