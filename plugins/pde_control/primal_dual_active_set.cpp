#include "primal_dual_active_set.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/large_array.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/core/vector_kernels.hpp>

#include "active_set.hpp"
#include "control_system.hpp"
#include "outcome.hpp"

namespace pde_control {

namespace {

/// Nested grids go down to this many cells a side.
constexpr Index coarsest_cells = 8;
/// Continuation starts here and goes down by tens.
constexpr double first_control_cost = 1e-2;
/// It gives up where alpha may not even fall to this part of itself.
constexpr double least_progress = 0.8;
/// Accuracy of the systems while the sets change, relative to the data.
constexpr double early_accuracy = 1e-4;
/// Active sets that a start may try for one alpha, and the part of the unknowns whose change does
/// not matter there.
constexpr int most_steps_of_start = 12;
constexpr double settled_part = 500.0;
/// After each so many sets on the finest grid half of the nodes changing means that Newton's method
/// does not see the solution from here: a start from zero, then one along the path.
constexpr std::int64_t sets_of_attempt = 8;
/// Sets hang on lambda / alpha: where single nodes go on changing the systems are solved more and
/// more accurately, down to this.
constexpr double last_accuracy = 1e-13;

using End = CollectiveSolver::End;

class Solve {
 public:
  Solve(NonlinearProgram& program, const PrimalDualActiveSetOptions& options, Monitor& monitor)
      : system_(program, "primal-dual-active-set"), options_(options), monitor_(monitor) {
    if (system_.has_bounds() && !system_.control().control_is_lumped())
      throw Unsupported(
          "primal-dual-active-set needs the lumped mass matrix for bounded controls "
          "(control_mass = \"lumped\"), so that bounds hold node by node; this is " +
          program.description());
  }
  Report run();

 private:
  ActiveSetProblem::Data finest_data();
  std::unique_ptr<ActiveSetProblem> start();
  bool settle(ActiveSetProblem& problem);
  bool follow_path(ActiveSetProblem& problem);
  std::int64_t start_again(ActiveSetProblem& problem, int attempt);
  void take_counts(const ActiveSetProblem& problem);
  void store(const ActiveSetProblem& problem);
  bool go_on() {
    if (verdict_ == Verdict::proceed) verdict_ = monitor_.poll();
    return verdict_ == Verdict::proceed;
  }
  CollectiveSolver::Settings settings() const {
    return {options_, true, true, options_.max_cycles};
  }

  ControlSystem system_;
  const PrimalDualActiveSetOptions& options_;
  Monitor& monitor_;
  Verdict verdict_ = Verdict::proceed;
  SolveCounts counts_;
  std::int64_t start_sets_ = 0;
  double cycle_work_ = 0.0;  ///< of coarse grids, in nodes
};

/// b and d are what the conditions leave at y = 0, lambda = 0, u = 0.
ActiveSetProblem::Data Solve::finest_data() {
  NonlinearProgram& program = system_.program();
  const NodeGrid& grid = system_.grid();
  const Index n = grid.partition().local_size();
  const auto size = static_cast<std::size_t>(n);
  const double over_weight = 1.0 / system_.control().weight();
  const Vector zero = program.x().like("pde_control::zero"), g = zero.like("pde_control::g");
  ActiveSetProblem::Data data;
  data.grid = grid;
  const Vector b("pde_control::b", grid.partition()), d("pde_control::d", grid.partition());
  program.functions().gradient(zero.view(), g.view());
  program.functions().constraints(zero.view(), d.view());
  axpby(-over_weight, Vector(part_of(g.view(), n, 0), grid.partition()), 0.0, b);
  scale(-over_weight, d);
  data.b = b.view();
  data.d = d.view();
  const auto bound = [&](const std::vector<double>& values) {
    const VectorView v = bare_array<double>("pde_control::bound", size);
    Kokkos::deep_copy(v,
                      Kokkos::View<const double*, Kokkos::HostSpace>(values.data() + size, size));
    return v;
  };
  data.lower = bound(program.variable_bounds().lower);
  data.upper = bound(program.variable_bounds().upper);
  return data;
}

/// Active sets for the current alpha until next to none changes; false where they do not settle.
bool Solve::settle(ActiveSetProblem& problem) {
  for (int k = 0; k < most_steps_of_start && go_on(); ++k) {
    const ActiveSetProblem::Step step = problem.step(early_accuracy * problem.data_norm(),
                                                     [&](std::int64_t, double) { return go_on(); });
    ++start_sets_;
    if (step.end != End::solved) return false;
    if (settled_part * static_cast<double>(problem.num_changes()) <=
        static_cast<double>(problem.solution().global_size()))
      return true;
  }
  return false;
}

/// Goes from a large alpha down to that of the problem, by tens, or by less where sets do not
/// settle. False: it got stuck; the solution is that of the last alpha.
bool Solve::follow_path(ActiveSetProblem& problem) {
  const double final_cost = system_.control().control_cost();
  double cost = std::max(first_control_cost, final_cost), factor = 0.1;
  problem.set_control_cost(cost);
  if (!settle(problem)) return false;
  const Vector kept = problem.solution().like("pde_control::kept");
  while (cost > final_cost && go_on()) {
    const double next = std::max(final_cost, factor * cost);
    copy(problem.solution(), kept);
    problem.set_control_cost(next);
    if (settle(problem)) {
      cost = next;
      continue;
    }
    problem.set_control_cost(cost);
    copy(kept, problem.solution());
    factor = std::sqrt(factor);
    if (factor > least_progress) break;
  }
  problem.set_control_cost(final_cost);
  return cost == final_cost;
}

void Solve::take_counts(const ActiveSetProblem& problem) {
  counts_.collective_v_cycles += problem.cycles();
  counts_.setups += problem.setups();
}

/// The finest problem, started from those of coarser grids.
std::unique_ptr<ActiveSetProblem> Solve::start() {
  std::vector<ActiveSetProblem::Data> data = {finest_data()};
  const auto thin = [](const NodeGrid& grid) {
    const Communicator& comm = grid.communicator();
    return comm.size() > 1 && -comm.max(-static_cast<double>(grid.partition().local_size())) < 1.0;
  };
  if (options_.nested_grids)
    while (data.back().grid.can_coarsen() && data.back().grid.cells(0) > coarsest_cells &&
           !thin(data.back().grid.coarse()))
      data.push_back(coarse_data(data.back()));
  std::unique_ptr<ActiveSetProblem> before;
  for (std::size_t k = data.size(); k-- > 0;) {
    auto problem =
        std::make_unique<ActiveSetProblem>(data[k], system_.control().control_cost(), settings());
    if (before != nullptr) problem->start_from(*before);
    if (k > 0) {
      const bool is_settled = before != nullptr && settle(*problem);
      if (!is_settled && options_.continuation)
        follow_path(*problem);
      else if (before == nullptr)
        settle(*problem);
      cycle_work_ += static_cast<double>(problem->cycles()) *
                     static_cast<double>(data[k].grid.partition().global_size());
      take_counts(*problem);
    }
    before = std::move(problem);
  }
  return before;
}

/// Returns the active sets that it took.
std::int64_t Solve::start_again(ActiveSetProblem& problem, int attempt) {
  problem.forget();
  if (attempt < 2 || !options_.continuation) return 0;
  const std::int64_t before = start_sets_;
  follow_path(problem);
  const std::int64_t taken = start_sets_ - before;
  start_sets_ = before;
  return taken;
}

void Solve::store(const ActiveSetProblem& problem) {
  NonlinearProgram& program = system_.program();
  const Index n = problem.num_nodes();
  const double weight = system_.control().weight();
  const Vector& solution = problem.solution();
  const Partition& nodes = system_.grid().partition();
  copy(Vector(part_of(solution.view(), n, 0), nodes),
       Vector(part_of(program.x().view(), n, 0), nodes));
  axpby(std::sqrt(system_.control().control_cost()), Vector(part_of(solution.view(), n, 1), nodes),
        0.0, program.multipliers());
  fill(program.bound_multipliers(), 0.0);
  const Vector z(part_of(program.bound_multipliers().view(), n, 1), nodes);
  problem.controls(part_of(program.x().view(), n, 1), z.view());
  scale(weight, z);
  program.has_multipliers = true;
}

Report Solve::run() {
  NonlinearProgram& program = system_.program();
  const EvaluationCounts before = program.functions().counts();
  Stopwatch clock;
  Report report;
  monitor_.begin_phase("start");
  const std::unique_ptr<ActiveSetProblem> problem = start();
  report.seconds.push_back({"start", clock.lap(), "s"});
  monitor_.begin_phase("solve");
  const double reference = problem->data_norm();
  const double tolerance = std::max(options_.stopping.relative_tolerance * reference,
                                    options_.stopping.absolute_tolerance);
  End end = End::limit;
  double residual = 0.0;
  std::int64_t sets = 0, changed = 0;
  int attempt = 0;
  double accuracy = std::max(early_accuracy * reference, tolerance);
  while (verdict_ == Verdict::proceed && sets < options_.stopping.max_iterations) {
    const ActiveSetProblem::Step step =
        problem->step(below(accuracy), [&](std::int64_t, double) { return go_on(); });
    if (step.changed > 0 || sets == 0) ++sets;
    residual = step.residual;
    end = step.end;
    changed = problem->num_changes();
    const Sample samples[] = {
        {"changed_nodes", static_cast<double>(changed)},
        {"linear_residual", reference > 0.0 ? residual / reference : residual}};
    if (verdict_ == Verdict::proceed) verdict_ = monitor_.observe(sets, samples);
    if (end != End::solved) break;
    if (changed == 0 && accuracy <= tolerance) break;
    end = End::limit;
    if (attempt < 2 && sets >= (attempt + 1) * sets_of_attempt &&
        changed * 4 > problem->solution().global_size()) {
      sets += start_again(*problem, ++attempt);
      continue;
    }
    const bool is_near = changed * 1000 < problem->solution().global_size();
    if (is_near && accuracy > tolerance)
      accuracy = tolerance;
    else if (is_near)
      accuracy = std::max(0.1 * accuracy, std::min(tolerance, last_accuracy * reference));
  }
  store(*problem);
  take_counts(*problem);
  report.seconds.push_back({"solve", clock.lap(), "s"});
  report.iterations = sets;
  if (end == End::solved && changed == 0) {
    report.status = Status::converged;
    report.reason = "the active sets repeat after " + std::to_string(sets) +
                    " on this grid; linear residual " + short_number(residual);
  } else {
    describe_end(verdict_ == Verdict::proceed ? end : End::stopped, verdict_, problem->cycles(),
                 residual, accuracy, report);
    report.reason += "; " + std::to_string(changed) + " nodes would change sets after " +
                     std::to_string(sets) + " active sets";
  }
  counts_.add_to(report);
  report.counts.push_back({"active_sets_of_start", static_cast<double>(start_sets_)});
  add_evaluation_counts(program.functions().counts(), before, report);
  const double nodes = static_cast<double>(system_.grid().partition().global_size());
  report.metrics = {
      {"memory_bytes", problem->memory_bytes(), "B"},
      {"fine_grid_cycles", static_cast<double>(problem->cycles()) + cycle_work_ / nodes, ""}};
  verify_control(system_, reference > 0.0 ? tolerance / reference : tolerance, report);
  return report;
}

}  // namespace

Report PrimalDualActiveSet::solve(NonlinearProgram& problem, Monitor& monitor) {
  return Solve(problem, options_, monitor).run();
}

}  // namespace pde_control
