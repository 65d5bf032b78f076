#include <cmath>
#include <libsolve/bilevel/bilevel_solver.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>

namespace libsolve {

BilevelSolver::~BilevelSolver() = default;

Report BilevelSolver::solve(Problem& problem, Monitor& monitor) {
  auto* program = dynamic_cast<BilevelProgram*>(&problem);
  if (program == nullptr)
    throw Unsupported("a bilevel solver was given a problem of class '" +
                      std::string(problem.problem_class()) + "' (" + problem.description() +
                      "); choose a method of that class ('libsolve list' shows them)");
  return solve(*program, monitor);
}

void finish_report(const BilevelProgram& problem, double tolerance, Report& report) {
  report.measures = problem.verify();
  if (!problem.certificate()) {
    if (!report.converged()) return;
    report.status = Status::non_finite;
    report.reason =
        "the lower level could not be solved at the returned x, so nothing is proved (" +
        report.reason + ")";
    return;
  }
  const BilevelCertificate& c = *problem.certificate();
  for (const auto& [name, value] : {std::pair("lower-level gap", c.lower_gap),
                                    std::pair("constraint violation", c.constraint_violation),
                                    std::pair("upper-level stationarity", c.upper_stationarity)}) {
    if (!report.converged() || value <= tolerance) continue;
    report.status = Status::stagnated;
    report.reason = std::string("the recomputed ") + name + " is " + short_number(value) +
                    " at the end, tolerance " + short_number(tolerance) + " (" + report.reason +
                    ")";
  }
  if (report.converged() && !c.lower_is_proved) {
    report.status = Status::stagnated;
    report.reason =
        "the smallest value of the lower level is not proved: it is not known to be "
        "convex, and no enclosure of its functions reaches it (" +
        report.reason + ")";
  }
  if (c.degenerate_constraints > 0)
    report.notes.push_back(
        std::to_string(c.degenerate_constraints) +
        " lower-level constraint(s) are active with a multiplier of zero: the lower-level solution "
        "may have a kink there");
  if (!c.lower_is_proved && !problem.parts().lower_is_convex)
    report.notes.push_back(
        "the lower level is not known to be convex and its smallest value is not proved: the "
        "lower-level gap is against the best value found");
}

}  // namespace libsolve
