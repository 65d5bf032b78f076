#pragma once

#include <libsolve/linear/linear_solver.hpp>
#include <libsolve/linear/linear_system_sequence.hpp>

namespace libsolve {

/// Solves systems that come one after the other and learns from one for the next.
class LIBSOLVE_EXPORT SequenceSolver : public Method {
 public:
  static constexpr std::string_view kind = "sequence-solver";
  static constexpr std::string_view problem_class = LinearSystemSequence::class_name;
  ~SequenceSolver() override;

  /// Solves the next system in place, from the x in it. `context`: a number that says how it
  /// differs from the others (shift, time step, gamma); 0 where there is none.
  virtual Report solve_next(LinearSystem& system, double context, Monitor& monitor) = 0;
  /// The same for a simulation code's own operator and vectors: x holds the initial guess.
  Report solve_next(std::shared_ptr<const LinearOperator> A, const Vector& b, const Vector& x,
                    double context);
};

}  // namespace libsolve
