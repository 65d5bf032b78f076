#pragma once

#include <libsolve/core/component.hpp>
#include <libsolve/optimize/nonlinear_program.hpp>

namespace libsolve {

/// Solves nonlinear programs from the x (and multipliers) in the problem. "converged" is said only
/// where the KKT residual, recomputed, is within the tolerance; "infeasible" only where that is proved:
/// a local minimum of the violation proves it for linear constraints, for others it is "stagnated" with
/// a reason that begins with "locally infeasible".
class LIBSOLVE_EXPORT ProgramSolver : public Method {
 public:
  static constexpr std::string_view kind = "program-solver";
  static constexpr std::string_view problem_class = NonlinearProgram::class_name;
  ~ProgramSolver() override;

  /// Solves in place; x and multipliers keep the best point met whatever the status. Samples for
  /// the monitor: "kkt_residual" first. Report::counts has the evaluations (add_evaluation_counts).
  virtual Report solve(NonlinearProgram& problem, Monitor& monitor) = 0;
  /// Whether solve() takes programs over several ranks.
  virtual bool works_over_ranks() const { return false; }
  /// From Method: the program by class, Unsupported for another class of problem, and for a program
  /// over several ranks where the method works on one.
  Report solve(Problem& problem, Monitor& monitor) final;
};

/// "objective_evaluations", "gradient_evaluations", ... those made since `before`.
LIBSOLVE_EXPORT void add_evaluation_counts(const EvaluationCounts& now,
                                           const EvaluationCounts& before, Report& report);

/// The recomputed KKT residual has the last word: "converged" with one above `tolerance` becomes
/// "stagnated", one that is NaN "non_finite"; sets Report::measures.
LIBSOLVE_EXPORT void verify_report(const NonlinearProgram& problem, double tolerance,
                                   Report& report);

}  // namespace libsolve
