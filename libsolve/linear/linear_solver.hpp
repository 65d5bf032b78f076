#pragma once

#include <libsolve/core/component.hpp>
#include <libsolve/linear/linear_system.hpp>

namespace libsolve {

/// Solves A x = b from the x in the system. "converged" is said only after b - A x was recomputed.
class LIBSOLVE_EXPORT LinearSolver : public Method {
 public:
  static constexpr std::string_view kind = "linear-solver";
  static constexpr std::string_view problem_class = "linear";
  ~LinearSolver() override;

  /// Prepares for the operator (preconditioner set-up, work vectors). Called by solve() when the
  /// system's operator is not the one prepared for; call it to time it apart or to force it.
  virtual void setup(const LinearSystem& system) = 0;
  /// Solves in place; x keeps the last iterate whatever the status. Work vectors are kept between
  /// calls. Samples for the monitor: "residual_norm" first.
  virtual Report solve(LinearSystem& system, Monitor& monitor) = 0;
  /// From Method: the system by class, Unsupported for another class of problem.
  Report solve(Problem& problem, Monitor& monitor) final;
};

}  // namespace libsolve
