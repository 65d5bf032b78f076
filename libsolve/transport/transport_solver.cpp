#include <libsolve/core/errors.hpp>
#include <libsolve/transport/transport_solver.hpp>

namespace libsolve {

TransportSolver::~TransportSolver() = default;

Report TransportSolver::solve(Problem& problem, Monitor& monitor) {
  auto* transport = dynamic_cast<TransportProblem*>(&problem);
  if (transport == nullptr)
    throw Unsupported("a transport solver was given a problem of class '" +
                      std::string(problem.problem_class()) + "' (" + problem.description() +
                      "); choose a method of that class ('libsolve list' shows them)");
  return solve(*transport, monitor);
}

}  // namespace libsolve
