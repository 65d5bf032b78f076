#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/optimize/composite_functions.hpp>
#include <libsolve/optimize/program_solver.hpp>
#include <libsolve/optimize/solve_counts.hpp>
#include <utility>

namespace libsolve {

ProgramSolver::~ProgramSolver() = default;
SolvesInside::~SolvesInside() = default;

std::vector<Measure> SolvesInside::work_counts() const {
  return {};
}

std::string SolvesInside::fault() const {
  return {};
}

Report ProgramSolver::solve(Problem& problem, Monitor& monitor) {
  auto* program = dynamic_cast<NonlinearProgram*>(&problem);
  if (program == nullptr)
    throw Unsupported("a program solver was given a problem of class '" +
                      std::string(problem.problem_class()) + "' (" + problem.description() +
                      "); choose a method of that class ('libsolve list' shows them)");
  if (dynamic_cast<const CompositeFunctions*>(&program->functions()) != nullptr &&
      dynamic_cast<const CompositeSolver*>(this) == nullptr)
    throw Unsupported("this method does not know regularisers, and the problem (" +
                      problem.description() + ") has one; use 'fista' or 'admm'");
  if (program->communicator().size() > 1 && !works_over_ranks())
    throw Unsupported("this method works on one rank, and the problem (" + problem.description() +
                      ") lies over " + std::to_string(program->communicator().size()) +
                      "; use one rank, or a method for several");
  return solve(*program, monitor);
}

void add_evaluation_counts(const EvaluationCounts& now, const EvaluationCounts& before,
                           Report& report) {
  const auto add = [&](const char* name, std::int64_t a, std::int64_t b) {
    report.counts.push_back({name, static_cast<double>(a - b)});
  };
  add("objective_evaluations", now.objective, before.objective);
  add("gradient_evaluations", now.gradient, before.gradient);
  add("constraint_evaluations", now.constraints, before.constraints);
  add("jacobian_evaluations", now.jacobian, before.jacobian);
  add("hessian_evaluations", now.hessian, before.hessian);
  if (now.products > before.products) add("derivative_products", now.products, before.products);
}

void verify_report(const NonlinearProgram& problem, double tolerance, Report& report) {
  const ProgramFunctions* functions = &problem.functions();
  if (const auto* sum = dynamic_cast<const CompositeFunctions*>(functions)) functions = &sum->smooth();
  if (const auto* inside = dynamic_cast<const SolvesInside*>(functions)) {
    const SolveCounts counts = inside->solve_counts();
    report.counts.push_back({"state_solves", static_cast<double>(counts.state)});
    report.counts.push_back({"adjoint_solves", static_cast<double>(counts.adjoint)});
    report.counts.push_back({"incremental_solves", static_cast<double>(counts.incremental)});
    for (Measure& measure : inside->work_counts()) report.counts.push_back(std::move(measure));
    if (const std::string fault = inside->fault();
        !fault.empty() && (report.status == Status::non_finite || report.status == Status::stagnated))
      report.reason += "; " + fault;
  }
  report.measures = problem.verify();
  const double residual = report.measures.front().value;
  if (!std::isfinite(residual) && report.converged()) {
    report.status = Status::non_finite;
    report.reason = "the KKT residual at the end is not finite";
  } else if (report.converged() && residual > tolerance) {
    report.status = Status::stagnated;
    report.reason = "the recomputed KKT residual is " + short_number(residual) + ", tolerance " +
                    short_number(tolerance) + " (" + report.reason + ")";
  }
}

}  // namespace libsolve
