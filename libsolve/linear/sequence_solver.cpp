#include <libsolve/linear/sequence_solver.hpp>

namespace libsolve {

SequenceSolver::~SequenceSolver() = default;

Report SequenceSolver::solve_next(std::shared_ptr<const LinearOperator> A, const Vector& b,
                                  const Vector& x, double context) {
  LinearSystem system(std::move(A), b, x);
  return solve_next(system, context, Monitor::none());
}

}  // namespace libsolve
