#include "collective_multigrid.hpp"

#include <chrono>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/core/vector_kernels.hpp>

#include "collective_solver.hpp"
#include "control_system.hpp"
#include "outcome.hpp"

namespace pde_control {

Report CollectiveMultigridSolver::solve(NonlinearProgram& problem, Monitor& monitor) {
  const EvaluationCounts before = problem.functions().counts();
  Stopwatch clock;
  ControlSystem system(problem, "collective-multigrid");
  refuse_bounds(system, "collective-multigrid");
  monitor.begin_phase("setup");
  const std::shared_ptr<Q1ControlOperator> K = system.make_operator();
  CollectiveSolver solver(K, {options_, options_.nested_iteration, options_.accelerated,
                              options_.stopping.max_iterations});
  Report report;
  report.seconds.push_back({"setup", clock.lap(), "s"});
  monitor.begin_phase("solve");
  const Vector r("pde_control::r", K->row_partition()), z = r.like("pde_control::z");
  system.start(r);
  const double reference = system.data_norm();
  const double tolerance = std::max(options_.stopping.relative_tolerance * reference,
                                    options_.stopping.absolute_tolerance);
  Verdict verdict = Verdict::proceed;
  const auto watch = [&](std::int64_t iteration, double residual) {
    const Sample sample{"relative_kkt_residual", reference > 0.0 ? residual / reference : residual};
    verdict = monitor.observe(iteration, {&sample, 1});
    return verdict == Verdict::proceed;
  };
  const CollectiveSolver::End end =
      solver.solve(z, r, below(tolerance), options_.nested_iteration, watch);
  system.add(z);
  report.seconds.push_back({"solve", clock.lap(), "s"});
  report.iterations = solver.iterations();
  describe_end(end, verdict, solver.iterations(), solver.residual_norm(), tolerance, report);
  SolveCounts counts;
  counts.collective_v_cycles = solver.iterations();
  counts.setups = solver.setups();
  counts.add_to(report);
  add_evaluation_counts(problem.functions().counts(), before, report);
  report.metrics = {{"memory_bytes", solver.memory_bytes(), "B"},
                    {"levels", static_cast<double>(solver.num_levels()), ""}};
  verify_control(system, reference > 0.0 ? tolerance / reference : tolerance, report);
  return report;
}

}  // namespace pde_control
