#include <libsolve/plugin/register.hpp>

#include "formulas_source.hpp"
#include "svm_source.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<bilevel_sources::BilevelFormulasSource>(
      {.name = "bilevel-formulas",
       .summary = "bilevel program written as formulas in the case, with exact derivatives"});
  registrar.add<bilevel_sources::SvmSource<bilevel_sources::SvmOptions>>(
      {.name = "svm-hyperparameters",
       .summary = "penalties of a support vector machine's training samples, for the least "
                  "validation loss",
       .paper =
           "Yao, Yu, Zeng, Zhang, Constrained bi-level optimization: proximal Lagrangian value "
           "function approach and Hessian-free algorithm, ICLR 2024"});
  registrar.add<bilevel_sources::SvmSource<bilevel_sources::CleaningOptions>>(
      {.name = "data-hyper-cleaning",
       .summary = "the same where part of the training labels are wrong",
       .paper =
           "Yao, Yu, Zeng, Zhang, Constrained bi-level optimization: proximal Lagrangian value "
           "function approach and Hessian-free algorithm, ICLR 2024"});
}
