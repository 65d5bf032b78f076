#include "lv_hba.hpp"

#include <cmath>
#include <libsolve/bilevel/lower_level.hpp>
#include <libsolve/bilevel/projections.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>

#include "general_iteration.hpp"

namespace lv_hba {

namespace {

/// Iterations between two questions to the monitor.
constexpr std::int64_t stride = 25;
/// Growth of the movement that is called divergence.
constexpr double too_far = 1e4;

std::vector<double> copy_of(const VectorView& view) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), view);
  return {host.data(), host.data() + host.extent(0)};
}

}  // namespace

void LvHbaOptions::describe(Fields<LvHbaOptions>& f) {
  using O = LvHbaOptions;
  f.add("alpha", &O::alpha, Range::above(0.0), "step of (x, y)");
  f.add("beta", &O::beta, Range::above(0.0), "step of z");
  f.add("eta", &O::eta, Range::above(0.0), "step of theta and lambda");
  f.add("gamma1", &O::gamma1, Range::above(0.0), "proximal parameter of theta");
  f.add("gamma2", &O::gamma2, Range::above(0.0), "proximal parameter of lambda");
  f.add("c0", &O::c0, Range::above(0.0), "penalty c_k = c0 (k + 1)^p");
  f.add("p", &O::p, Range::open(0.0, 0.5), "penalty exponent");
  f.add("r", &O::r, Range::above(0.0), "bound of the multipliers");
  f.add("iterations", &O::iterations, Range::at_least(1), "K: the paper has no stopping test");
  f.add("tolerance", &O::tolerance, Range::above(0.0),
        "of the certificate: lower-level gap, constraint violation");
  f.add_component("lower_solver", &O::lower_solver, "program-solver",
                  "solves the lower level at the returned x, for the certificate");
}

std::shared_ptr<LvHbaIteration> make_iteration(const BilevelProgram& problem,
                                               std::unique_ptr<ProgramSolver> solver) {
  if (problem.parts().iteration) return problem.parts().iteration;
  return std::make_shared<GeneralLvHba>(problem, projection_of(problem, std::move(solver)));
}

IterationState::IterationState(const BilevelProgram& problem)
    : v_("lv_hba::v", static_cast<std::size_t>(problem.num_variables())),
      theta_("lv_hba::theta", static_cast<std::size_t>(problem.num_lower())),
      lambda_("lv_hba::lambda", static_cast<std::size_t>(problem.lower().num_constraints())) {}

void IterationState::take(LvHbaIteration& iteration) {
  iteration.current(v_, theta_, lambda_);
  v = copy_of(v_);
  theta = copy_of(theta_);
  lambda = copy_of(lambda_);
}

bool IterationState::is_finite() const {
  for (const auto* a : {&v, &theta, &lambda})
    for (const double e : *a)
      if (!std::isfinite(e)) return false;
  return true;
}

Report LvHba::solve(BilevelProgram& problem, Monitor& monitor) {
  const LvHbaSettings settings{.alpha = options_.alpha,
                               .beta = options_.beta,
                               .eta = options_.eta,
                               .gamma1 = options_.gamma1,
                               .gamma2 = options_.gamma2,
                               .c0 = options_.c0,
                               .p = options_.p,
                               .r = options_.r};
  Report report;
  monitor.begin_phase("solve");
  const auto iteration =
      make_iteration(problem, context_.make<ProgramSolver>(options_.lower_solver));
  iteration->start(problem.v().view());
  IterationState state(problem), last(problem);
  state.take(*iteration);
  const HostAccess F(problem.upper());
  report.status = Status::max_iterations;
  std::int64_t k = 0;
  LvHbaProgress progress{INFINITY, INFINITY};
  double first_movement = 0.0;
  for (;;) {
    const Sample samples[] = {{"upper_objective", F.objective(state.v)},
                              {"movement", progress.movement}};
    if (const Verdict verdict = monitor.observe(k, samples); verdict != Verdict::proceed) {
      report.status = status_of(verdict);
      report.reason = "stopped after iteration " + std::to_string(k);
      break;
    }
    if (k >= options_.iterations) {
      report.reason = "K = " + std::to_string(k) + " iterations done; the last moved (x, y) by " +
                      short_number(progress.movement) +
                      " alpha. LV-HBA has no test of optimality; see the certificate";
      break;
    }
    const std::int64_t count = std::min<std::int64_t>(stride, options_.iterations - k);
    progress = iteration->run(settings, k, count);
    k += count;
    last = state;
    state.take(*iteration);
    if (k == count) first_movement = progress.movement;
    if (!state.is_finite() || progress.movement > too_far * std::max(1.0, first_movement)) {
      report.status = Status::diverged;
      report.reason = "the movement of (x, y) grew from " + short_number(first_movement) + " to " +
                      short_number(progress.movement) + " alpha after iteration " +
                      std::to_string(k) +
                      "; the steps are too long for this problem (lv-hba-scaled chooses them)";
      state = last;
      break;
    }
  }
  report.iterations = k;
  problem.set_point(state.v, state.lambda,
                    std::vector<double>(problem.lower_bound_multipliers().size()));
  problem.has_multipliers = false;
  LowerLevel level(problem, context_.make<ProgramSolver>(options_.lower_solver));
  if (report.status != Status::diverged && problem.lower().has_entries())
    (void)certify(problem, level, state.v, NAN, monitor);
  finish_report(problem, options_.tolerance, report);
  report.counts.push_back({"lower_solves", static_cast<double>(level.solves())});
  return report;
}

}  // namespace lv_hba
