#include <libsolve/plugin/register.hpp>

#include "sinkhorn_newton_sparse.hpp"
#include "sns.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<sinkhorn_newton::Sns>(
      {.name = "sns",
       .summary = "Sinkhorn-Newton with levels, sparsity tied to the error and certified ascent",
       .paper =
           "after Tang, Shavlovsky, Rahmanian, Tardini, Thekumparampil, Xiao, Ying, Accelerating "
           "Sinkhorn with sparse Newton iterations, ICLR 2024"});
  registrar.add<sinkhorn_newton::SinkhornNewtonSparse>(
      {.name = "sinkhorn-newton-sparse",
       .summary = "Sinkhorn sweeps, then Newton's method on a fixed number of entries, by CG",
       .paper = "Tang, Shavlovsky, Rahmanian, Tardini, Thekumparampil, Xiao, Ying, Accelerating "
                "Sinkhorn with sparse Newton iterations, ICLR 2024, algorithm 1"});
}
