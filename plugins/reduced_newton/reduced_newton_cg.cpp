#include "reduced_newton_cg.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/pde/cell_transfer.hpp>

#include "newton_steps.hpp"

namespace reduced_newton {

void ReducedNewtonOptions::describe(Fields<ReducedNewtonOptions>& f) {
  using O = ReducedNewtonOptions;
  f.add("relative_tolerance", &O::relative_tolerance, Range::open(0.0, 1.0),
        "stop when the reduced gradient is at most this times the one at the start");
  f.add("max_iterations", &O::max_iterations, Range::at_least(0.0),
        "Newton steps, those on coarse grids included");
  f.add("state_tolerance", &O::state_tolerance, Range::open(0.0, 1.0),
        "relative residuals of states and adjoints");
  f.add("incremental_tolerance", &O::incremental_tolerance, Range::open(0.0, 1.0),
        "relative residuals of the solves in products with the Hessian");
  f.add("coarse_grids", &O::coarse_grids, Range::closed(0, 8),
        "grids with half the cells each to begin on, where they have 8 cells a side at least");
  f.add("coarse_tolerance", &O::coarse_tolerance, Range::open(0.0, 1.0),
        "relative_tolerance on coarse grids");
  f.add("full_newton", &O::full_newton, Range::closed(0.0, 1.0),
        "Gauss-Newton's Hessian until the reduced gradient is this times the first one");
  f.add("forcing", &O::forcing, Choices{{"square-root", "linear", "quadratic"}},
        "how far conjugate gradients go, relative to the gradient g: square root of |g| / |g_first|, "
        "that itself, or 0.9 (|g| / |g_before|)^2 (Eisenstat and Walker's second choice)");
  f.add("largest_forcing", &O::largest_forcing, Range::open(0.0, 1.0), "and not less far than this");
  f.add("pairs", &O::pairs, Range::closed(0, 100000),
        "products with the Hessian kept for the preconditioner of conjugate gradients, from "
        "coarse grids, too, two vectors each; 0: the regularisation alone");
  f.add("prior_shift", &O::prior_shift, Range::above(0.0),
        "of the regularisation where it preconditions: times gradient_cost, L2");
  f.add_component("preconditioner", &O::preconditioner, Preconditioner::kind,
                  "of the state operator, a stencil");
}

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

const ParameterEstimation& structure_of(const NonlinearProgram& problem) {
  const auto* structure = dynamic_cast<const ParameterEstimation*>(&problem.functions());
  if (structure == nullptr)
    throw Unsupported("reduced-newton-cg wants the estimation of a parameter from states "
                      "(ParameterEstimation), as source 'log-conductivity' makes it; this is " +
                      problem.text);
  const auto is_free = [](double lower, double upper) {
    return lower == -INFINITY && upper == INFINITY;
  };
  const Bounds& b = problem.variable_bounds();
  std::size_t first = 0;
  while (first < b.size() && is_free(b.lower[first], b.upper[first])) ++first;
  if (problem.communicator().any(first < b.size()))
    throw Unsupported("reduced-newton-cg takes no bounds" +
                      (first < b.size() ? ", variable " + std::to_string(first + 1) + " has one"
                                        : std::string(", other ranks' variables have some")));
  return *structure;
}

/// The grids, finest first, and the transfers from each to the next coarser one.
struct Grids {
  std::vector<std::shared_ptr<const ParameterEstimation>> kept;
  std::vector<std::unique_ptr<ReducedProblem>> problems;
  std::vector<CellTransfer> transfers;
};

Grids make_grids(const ParameterEstimation& finest, const ReducedNewtonOptions& o,
                 const Context& context) {
  Grids grids;
  const ParameterEstimation* at = &finest;
  for (int k = 0;; ++k) {
    grids.problems.push_back(std::make_unique<ReducedProblem>(*at, o, context));
    if (k > 0)
      grids.transfers.emplace_back(grids.problems[grids.problems.size() - 2]->grid_partition(),
                                   grids.problems.back()->grid_partition());
    if (k == o.coarse_grids || grids.problems.back()->grid().cells[0] < 16) return grids;
    const auto coarse = at->coarse();
    if (!coarse) return grids;
    grids.kept.push_back(coarse);
    at = coarse.get();
  }
}

Iterate make_iterate(const ReducedProblem& problem) {
  Iterate at;
  at.m = problem.make_parameter("reduced_newton::m");
  at.g = problem.make_parameter("reduced_newton::g");
  at.y = problem.make_block("reduced_newton::y");
  at.p = problem.make_block("reduced_newton::p");
  return at;
}

std::vector<double> to_host(const Vector& v) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v.view());
  return std::vector<double>(host.data(), host.data() + host.extent(0));
}

/// State, adjoint and parameter equation at the end, from the program's functions: the first two
/// relative to the source and to the misfit's gradient, the last in the dual norm.
struct Residuals {
  double state = 0.0, adjoint = 0.0, gradient = 0.0;
};
Residuals residuals_of(const NonlinearProgram& problem, const ParameterEstimation& structure,
                       const ReducedProblem& reduced) {
  ProgramFunctions& functions = problem.functions();
  const Vector c = problem.multipliers().like("c"), g = problem.x().like("g"), Jt = g.like("Jt");
  functions.constraints(problem.x().view(), c.view());
  functions.gradient(problem.x().view(), g.view());
  functions.apply_jacobian_adjoint(problem.x().view(), problem.multipliers().view(), Jt.view());
  const auto num_states = static_cast<std::size_t>(problem.num_constraints());
  const auto states = [&](const Vector& v) {
    return Vector(VectorView(Kokkos::subview(v.view(), std::make_pair(std::size_t{0}, num_states))),
                  c.partition());
  };
  const Vector b = c.like("b");
  Kokkos::deep_copy(b.view(), structure.sources());
  const double misfit = norm2(states(g)), source = norm2(b);
  axpy(1.0, Jt, g);
  Residuals r;
  r.state = norm2(c) / (source > 0.0 ? source : 1.0);
  r.adjoint = norm2(states(g)) / (misfit > 0.0 ? misfit : 1.0);
  const Vector m = reduced.make_parameter("reduced_newton::g");
  Kokkos::deep_copy(m.view(),
                    Kokkos::subview(g.view(), std::make_pair(num_states, g.view().extent(0))));
  r.gradient = reduced.dual_norm(m);
  return r;
}

void add_counts(const Grids& grids, Report& report) {
  SolveCounts all;
  double weighted = 0.0, weighted_blocks = 0.0;
  const auto finest = static_cast<double>(grids.problems[0]->grid().num_cells());
  for (const auto& p : grids.problems) {
    const double share = static_cast<double>(p->grid().num_cells()) / finest;
    weighted += share * static_cast<double>(p->counts.solves());
    weighted_blocks += share * static_cast<double>(p->counts.blocks);
    all.state += p->counts.state;
    all.adjoint += p->counts.adjoint;
    all.incremental += p->counts.incremental;
    all.blocks += p->counts.blocks;
    all.cycles += p->counts.cycles;
    all.setups += p->counts.setups;
    all.unconverged += p->counts.unconverged;
    all.newton += p->counts.newton;
    all.cg += p->counts.cg;
  }
  const SolveCounts& fine = grids.problems[0]->counts;
  const auto add = [&](const char* name, std::int64_t value) {
    report.counts.push_back({name, static_cast<double>(value)});
  };
  add("state_solves", fine.state);
  add("adjoint_solves", fine.adjoint);
  add("incremental_solves", fine.incremental);
  add("newton_steps", fine.newton);
  add("cg_iterations", fine.cg);
  add("coarse_grid_solves", all.solves() - fine.solves());
  add("coarse_newton_steps", all.newton - fine.newton);
  add("coarse_cg_iterations", all.cg - fine.cg);
  add("block_solves", fine.blocks);
  add("v_cycles", all.cycles);
  add("setups", all.setups);
  if (all.unconverged > 0) {
    add("unconverged_solves", all.unconverged);
    report.notes.push_back(std::to_string(all.unconverged) + " of " + std::to_string(all.blocks) +
                           " solves of the state operator ended above their tolerance");
  }
  report.counts.push_back({"linear_pde_solves", weighted});
  report.counts.push_back({"linear_pde_block_solves", weighted_blocks});
}

}  // namespace

Report ReducedNewtonCg::solve(NonlinearProgram& problem, Monitor& monitor) {
  const EvaluationCounts before = problem.functions().counts();
  const ParameterEstimation& structure = structure_of(problem);
  const auto begin = Clock::now();
  monitor.begin_phase("setup");
  Grids grids = make_grids(structure, options_, context_);
  const double setup_seconds = seconds_since(begin);
  monitor.begin_phase("solve");
  const auto solve_begin = Clock::now();

  const std::size_t last = grids.problems.size() - 1;
  ReducedProblem& finest = *grids.problems[0];
  const std::vector<double> x = problem.host_x();
  const auto num_states = static_cast<std::size_t>(problem.num_constraints());
  std::vector<Vector> start(grids.problems.size());
  start[0] = finest.make_parameter("reduced_newton::start");
  Kokkos::deep_copy(start[0].view(),
                    Kokkos::View<const double*, Kokkos::HostSpace>(x.data() + num_states,
                                                                   x.size() - num_states));
  for (std::size_t k = 1; k <= last; ++k) {
    start[k] = grids.problems[k]->make_parameter("reduced_newton::start");
    grids.transfers[k - 1].average(1, start[k - 1].view(), start[k].view());
  }

  CurvaturePairs pairs(options_.pairs);
  Iterate at = make_iterate(*grids.problems[last]);
  copy(start[last], at.m);
  if (last == 0)
    Kokkos::deep_copy(at.y.view(),
                      Kokkos::View<const double*, Kokkos::HostSpace>(x.data(), num_states));
  double reference = 0.0;
  NewtonOutcome outcome;
  std::int64_t iteration = 0;
  for (std::size_t k = last;; --k) {
    ReducedProblem& here = *grids.problems[k];
    if (k < last) {
      // Parameter, states, adjoints and what is known of the Hessian come from the coarse grid.
      ReducedProblem& coarse = *grids.problems[k + 1];
      Iterate finer = make_iterate(here);
      const double ratio = here.density() / coarse.density();
      const CellTransfer& transfer = grids.transfers[k];
      transfer.interpolate(1, 1.0, at.m.view(), finer.m.view());
      transfer.interpolate(here.num_sources(), 1.0, at.y.view(), finer.y.view());
      transfer.interpolate(here.num_sources(), ratio, at.p.view(), finer.p.view());
      pairs = pairs.changed([&](const Vector& s, const Vector& y) {
        const Vector fs = here.make_parameter("s"), fy = here.make_parameter("y");
        transfer.interpolate(1, 1.0, s.view(), fs.view());
        transfer.interpolate(1, ratio, y.view(), fy.view());
        return std::make_pair(fs, fy);
      });
      at = finer;
    }
    NewtonSteps steps(here, options_, pairs, monitor);
    outcome = steps.run(at, k == 0 ? options_.relative_tolerance : options_.coarse_tolerance,
                        reference, iteration);
    if (k == last) reference = outcome.first_gradient_norm;
    if (k == 0) break;
    if (outcome.status == Status::non_finite || outcome.status == Status::interrupted ||
        outcome.status == Status::time_limit)
      break;
  }

  Report report;
  report.iterations = iteration;
  report.status = outcome.status;
  report.reason = outcome.reason;
  report.seconds = {{"setup", setup_seconds, "s"}, {"solve", seconds_since(solve_begin), "s"}};
  if (at.m.global_size() == start[0].global_size()) {
    std::vector<double> solution = to_host(at.y);
    const std::vector<double> m = to_host(at.m);
    solution.insert(solution.end(), m.begin(), m.end());
    problem.set_solution(solution, to_host(at.p), std::vector<double>(solution.size(), 0.0));
    const Residuals r = residuals_of(problem, structure, finest);
    const double gradient = r.gradient / reference;
    const double states = std::max(r.state, r.adjoint);
    report.measures = problem.verify();
    report.measures.insert(report.measures.begin(), {{"reduced_gradient", gradient},
                                                     {"state_residual", r.state},
                                                     {"adjoint_residual", r.adjoint}});
    if (report.converged() && !(gradient <= 1.01 * options_.relative_tolerance &&
                                states <= 1.01 * options_.state_tolerance)) {
      report.status = Status::stagnated;
      report.reason = "recomputed: reduced gradient " + short_number(gradient) +
                      ", states and adjoints " + short_number(states) + " (" + outcome.reason + ")";
    }
    report.metrics.push_back({"misfit", finest.misfit(at.y)});
    report.metrics.push_back({"regularization", at.objective - finest.misfit(at.y)});
  }
  add_counts(grids, report);
  report.metrics.push_back({"grids", static_cast<double>(grids.problems.size())});
  add_evaluation_counts(problem.functions().counts(), before, report);
  return report;
}

}  // namespace reduced_newton
