#pragma once

#include <libsolve/bilevel/bilevel_program.hpp>

namespace libsolve {

/// Solves bilevel programs from the point in the problem. "converged" is said only with a
/// certificate: the lower level solved again at the returned x, and gap, constraint violation and
/// stationarity of the upper level within the tolerance (finish_report).
class LIBSOLVE_EXPORT BilevelSolver : public Method {
 public:
  static constexpr std::string_view kind = "bilevel-solver";
  static constexpr std::string_view problem_class = BilevelProgram::class_name;
  ~BilevelSolver() override;

  /// Solves in place; the point keeps the best one met whatever the status. Samples for the
  /// monitor: "upper_objective" (F at the iterate) and the method's own measure.
  virtual Report solve(BilevelProgram& problem, Monitor& monitor) = 0;
  /// From Method: the program by class, Unsupported for another class of problem.
  Report solve(Problem& problem, Monitor& monitor) final;
};

/// The certificate of the problem's point has the last word: "converged" becomes "stagnated" where
/// a part is above `tolerance` (and says which), "non_finite" where one is NaN or there is none;
/// sets Report::measures, notes degenerate active sets and an unproved lower level.
LIBSOLVE_EXPORT void finish_report(const BilevelProgram& problem, double tolerance, Report& report);

}  // namespace libsolve
