#include <libsolve/core/errors.hpp>
#include <libsolve/linear/linear_solver.hpp>

namespace libsolve {

LinearSolver::~LinearSolver() = default;

Report LinearSolver::solve(Problem& problem, Monitor& monitor) {
  auto* system = dynamic_cast<LinearSystem*>(&problem);
  if (system == nullptr)
    throw Unsupported("a linear solver was given a problem of class '" +
                      std::string(problem.problem_class()) + "' (" + problem.description() +
                      "); choose a method of that class ('libsolve list' shows them)");
  return solve(*system, monitor);
}

}  // namespace libsolve
