#include "tao_lcl.hpp"

#include <libsolve/adapters/tao.hpp>

namespace tao {

void TaoLclOptions::describe(Fields<TaoLclOptions>& f) {
  using O = TaoLclOptions;
  f.add("tolerance", &O::tolerance, Range::above(0.0),
        "converged when the KKT residual, recomputed at the end, is at most this");
  f.add("tol", &O::tol, Range::above(0.0),
        "at which TAO stops: gatol, gttol and catol; auto: its own, 1e-4 each");
  f.add("max_iterations", &O::max_iterations, Range::closed(0.0, 2147483647.0), "of TAO");
  f.add("options", &O::options,
        "options in PETSc's words, \"-ksp_type cg -pc_type gamg\"; one that PETSc does not use is an "
        "error");
}

Report TaoLcl::solve(NonlinearProgram& problem, Monitor& monitor) {
  const auto solver = petsc::make_lcl({.tolerance = options_.tol.value_or(0.0),
                                       .max_iterations = options_.max_iterations,
                                       .options = options_.options,
                                       .asker = "method 'tao-lcl'"});
  Report report = solver->solve(problem, monitor);
  verify_report(problem, options_.tolerance, report);
  return report;
}

}  // namespace tao
