#include "tao_method.hpp"

#include <libsolve/adapters/tao.hpp>

namespace tao {

void TaoOptions::describe(Fields<TaoOptions>& f) {
  using O = TaoOptions;
  f.add("tolerance", &O::tolerance, Range::above(0.0),
        "converged when the KKT residual, recomputed at the end, is at most this");
  f.add("tol", &O::tol, Range::above(0.0),
        "at which TAO stops: gatol and catol; auto: tolerance / 2");
  f.add("max_iterations", &O::max_iterations, Range::closed(0.0, 2147483647.0),
        "of almm: subproblems; of pdipm: Newton steps");
  f.add("algorithm", &O::algorithm, Choices{{"almm", "pdipm"}},
        "augmented Lagrangian over gradients, or primal-dual barrier with factors by MUMPS");
  f.add("options", &O::options,
        "options in PETSc's words, \"-tao_almm_mu_init 1\"; one that PETSc does not use is an "
        "error");
}

Report TaoMethod::solve(NonlinearProgram& problem, Monitor& monitor) {
  const auto solver = petsc::make_tao({.type = options_.algorithm,
                                       .tolerance = options_.tol.value_or(options_.tolerance / 2.0),
                                       .max_iterations = options_.max_iterations,
                                       .options = options_.options,
                                       .asker = "method 'tao'"});
  Report report = solver->solve(problem, monitor);
  verify_report(problem, options_.tolerance, report);
  return report;
}

}  // namespace tao
