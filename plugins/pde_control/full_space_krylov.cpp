#include "full_space_krylov.hpp"

#include <algorithm>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/linear_solver.hpp>

#include "control_system.hpp"
#include "outcome.hpp"

namespace pde_control {

namespace {

ComponentSpec krylov_spec(const FullSpaceKrylovOptions& o, double absolute_tolerance) {
  std::string name = o.krylov;
  if (name == "auto") {
    const bool definite = o.preconditioner.name == "pearson-wathen" ||
                          o.preconditioner.name == "zulehner" || o.preconditioner.name == "none";
    // A solver inside that stops by its residual makes the preconditioner vary.
    const Value* solver = o.preconditioner.options.find("solver");
    const bool varies =
        solver != nullptr && !(solver->is_string() && solver->as_string() == "none");
    name = definite && !varies ? "minres" : "gmres";
  }
  ComponentSpec spec(name);
  spec.options.set("relative_tolerance", Value(0.0));
  spec.options.set("absolute_tolerance", Value(absolute_tolerance));
  spec.options.set("max_iterations", Value(o.stopping.max_iterations));
  spec.options.set("preconditioner", libsolve::detail::to_value(o.preconditioner));
  return spec;
}

}  // namespace

Report FullSpaceKrylov::solve(NonlinearProgram& problem, Monitor& monitor) {
  const EvaluationCounts before = problem.functions().counts();
  Stopwatch clock;
  ControlSystem system(problem, "full-space-krylov");
  refuse_bounds(system, "full-space-krylov");
  const std::shared_ptr<Q1ControlOperator> K = system.make_operator();
  const Vector r("pde_control::r", K->row_partition()), z = r.like("pde_control::z");
  system.start(r);
  const double reference = system.data_norm();
  const double tolerance = std::max(options_.stopping.relative_tolerance * reference,
                                    options_.stopping.absolute_tolerance);
  const auto solver = context_.make<LinearSolver>(krylov_spec(options_, below(tolerance)));
  LinearSystem linear(K, r, z);
  linear.text = system.program().description();
  monitor.begin_phase("setup");
  solver->setup(linear);
  const double setup_seconds = clock.lap();
  monitor.begin_phase("solve");
  Report report = solver->solve(linear, monitor);
  system.add(z);
  SolveCounts counts;
  const auto counted = [&](const char* name) {
    const double value = report.value(name);
    return value > 0.0 ? static_cast<std::int64_t>(value) : std::int64_t{0};
  };
  counts.v_cycles = counted("v_cycles");
  counts.collective_v_cycles = counted("collective_v_cycles");
  counts.krylov_iterations = report.iterations;
  counts.setups = 1;
  std::erase_if(report.metrics, [](const Measure& m) {
    return m.name == "v_cycles" || m.name == "collective_v_cycles";
  });
  for (const char* name : {"inner_solves", "inner_iterations", "inner_failures"}) {
    const auto is_it = [name](const Measure& m) { return m.name == name; };
    const auto at = std::find_if(report.metrics.begin(), report.metrics.end(), is_it);
    if (at == report.metrics.end()) continue;
    report.counts.push_back(*at);
    report.metrics.erase(at);
  }
  report.seconds = {{"setup", setup_seconds, "s"}, {"solve", clock.lap(), "s"}};
  counts.add_to(report);
  add_evaluation_counts(problem.functions().counts(), before, report);
  verify_control(system, reference > 0.0 ? tolerance / reference : tolerance, report);
  return report;
}

}  // namespace pde_control
