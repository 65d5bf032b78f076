#include <libsolve/plugin/register.hpp>

#include "implicit_differentiation.hpp"
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
}
