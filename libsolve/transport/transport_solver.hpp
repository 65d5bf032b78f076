#pragma once

#include <libsolve/core/component.hpp>
#include <libsolve/transport/transport_problem.hpp>

namespace libsolve {

/// Solves optimal transport problems from the potentials in the problem. "converged" is said only
/// after the marginals of the plan were recomputed.
class LIBSOLVE_EXPORT TransportSolver : public Method {
 public:
  static constexpr std::string_view kind = "transport-solver";
  static constexpr std::string_view problem_class = TransportProblem::class_name;
  ~TransportSolver() override;

  /// Solves in place; potentials (and plan) keep the last iterate whatever the status. Samples for
  /// the monitor: "marginal_violation" first.
  virtual Report solve(TransportProblem& problem, Monitor& monitor) = 0;
  /// From Method: the problem by class, Unsupported for another class of problem.
  Report solve(Problem& problem, Monitor& monitor) final;
};

}  // namespace libsolve
