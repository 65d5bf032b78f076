#include "composite.hpp"

#include <libsolve/core/errors.hpp>
#include <libsolve/pde/reduced_estimation.hpp>

namespace proximal {

namespace {

std::unique_ptr<NonlinearProgram> in_parameter_alone(const NonlinearProgram& program,
                                                     std::shared_ptr<LinearSolver> solver) {
  const auto functions = std::make_shared<ReducedEstimation>(program.shared_functions(), std::move(solver));
  const auto tail = [n = static_cast<std::ptrdiff_t>(functions->num_variables())](const std::vector<double>& all) {
    return std::vector<double>(all.end() - n, all.end());
  };
  const Bounds& bounds = program.variable_bounds();
  auto reduced = std::make_unique<NonlinearProgram>(
      functions, Bounds{tail(bounds.lower), tail(bounds.upper)}, Bounds{}, tail(program.host_x()));
  reduced->text = program.text + ", states eliminated";
  return reduced;
}

}  // namespace

ComponentSpec CompositeOptions::default_state_solver() {
  ComponentSpec spec("cg");
  spec.options.set("preconditioner", Value("multigrid"));
  spec.options.set("relative_tolerance", Value(1e-12));
  return spec;
}

void CompositeOptions::describe(Fields<CompositeOptions>& f) {
  using O = CompositeOptions;
  f.add_component("smooth", &O::smooth, ProblemSource::kind,
                  "f: a problem source of class optimize without constraints (bounds are kept)")
      .required();
  f.add_component("regularizer", &O::regularizer, ProximalOperator::kind, "R");
  f.add("weight", &O::weight, Range::above(0.0), "of R");
  f.add_component("state_solver", &O::state_solver, LinearSolver::kind,
                  "where f comes with states as constraints that can be eliminated ('log-conductivity')");
}

std::unique_ptr<Problem> CompositeSource::create() {
  const auto source = context_.make<ProblemSource>(options_.smooth);
  const std::unique_ptr<Problem> problem = source->create();
  const auto* program = dynamic_cast<const NonlinearProgram*>(problem.get());
  if (program == nullptr)
    throw Unsupported("problem.smooth = \"" + options_.smooth.name + "\" is a problem of class '" +
                      std::string(problem->problem_class()) +
                      "'; name one of class 'optimize' ('libsolve list' shows them)");
  std::unique_ptr<NonlinearProgram> reduced;
  if (dynamic_cast<const ParameterEstimation*>(&program->functions()) != nullptr) {
    reduced = in_parameter_alone(*program, context_.make<LinearSolver>(options_.state_solver));
    program = reduced.get();
  }
  auto made = composite_program(*program, context_.make<ProximalOperator>(options_.regularizer),
                                options_.weight);
  made->text = program->description() + ", with '" + options_.regularizer.name + "'";
  return made;
}

}  // namespace proximal
