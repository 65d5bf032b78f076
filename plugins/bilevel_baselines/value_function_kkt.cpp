#include "value_function_kkt.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>

namespace bilevel_baselines {

void ValueFunctionKktOptions::describe(Fields<ValueFunctionKktOptions>& f) {
  using O = ValueFunctionKktOptions;
  f.add("tolerance", &O::tolerance, Range::above(0.0),
        "of each part of the certificate: KKT residual, lower-level gap, violation");
  f.add("first_relaxation", &O::first_relaxation, Range::above(0.0),
        "of the complementarity products, in the first program");
  f.add("last_relaxation", &O::last_relaxation, Range::at_least(0.0), "in the last one");
  f.add("reduction", &O::reduction, Range::open(0.0, 1.0), "from one program to the next");
  f.add("solve_lower_first", &O::solve_lower_first,
        "start from the lower level's solution at the x given, and its multipliers");
  f.add_component("solver", &O::solver, ProgramSolver::kind, "of the relaxed programs");
  f.add_component("lower_solver", &O::lower_solver, ProgramSolver::kind,
                  "of the lower level, at the start and for the certificate");
}

namespace {

/// The program R(t) of a bilevel program: everything but the bounds stays from t to t.
class Relaxed {
 public:
  explicit Relaxed(const BilevelProgram& problem)
      : problem_(problem), functions_(std::make_shared<LowerKktFunctions>(problem, true)) {
    const auto n = static_cast<std::size_t>(functions_->num_variables());
    const auto nv = static_cast<std::size_t>(problem.num_variables());
    variables_ = {std::vector<double>(n, -INFINITY), std::vector<double>(n, INFINITY)};
    const Bounds& X = problem.parts().upper_variables;
    for (std::size_t i = 0; i < X.size(); ++i) {
      variables_.lower[i] = X.lower[i];
      variables_.upper[i] = X.upper[i];
    }
    for (std::size_t k = 0; k < functions_->lower().size(); ++k)
      if (!functions_->lower()[k].is_equality) variables_.lower[nv + k] = 0.0;
  }

  std::unique_ptr<NonlinearProgram> at(double t, const Numbers& start) const {
    Bounds rows{std::vector<double>(static_cast<std::size_t>(functions_->num_constraints()), 0.0),
                {}};
    rows.upper = rows.lower;
    const auto set = [&](Index row, double low, double high) {
      rows.lower[static_cast<std::size_t>(row)] = low;
      rows.upper[static_cast<std::size_t>(row)] = high;
    };
    Index inequality = 0;
    for (std::size_t k = 0; k < functions_->lower().size(); ++k) {
      if (functions_->lower()[k].is_equality) continue;
      set(functions_->row_of(static_cast<Index>(k)), -INFINITY, 0.0);
      set(functions_->row_of_product(inequality++), -t, INFINITY);
    }
    const Bounds& G = problem_.parts().upper_constraints;
    for (std::size_t i = 0; i < G.size(); ++i)
      set(functions_->row_of_upper(static_cast<Index>(i)), G.lower[i], G.upper[i]);
    auto program = std::make_unique<NonlinearProgram>(functions_, variables_, rows, start);
    program->text =
        problem_.parts().text + ", its lower level by KKT conditions relaxed to " + short_number(t);
    return program;
  }

  /// (x, y, l) from a point with multipliers, and back.
  Numbers join(const LowerPoint& p) const {
    Numbers w = p.v;
    for (const LowerConstraint& c : functions_->lower()) {
      const double l = c.sign * (c.is_variable ? p.z : p.lambda)[static_cast<std::size_t>(c.row)];
      w.push_back(c.is_equality ? l : std::max(0.0, l));
    }
    return w;
  }
  LowerPoint split(const Numbers& w, LowerPoint like) const {
    const std::size_t nv = like.v.size();
    std::copy_n(w.begin(), nv, like.v.begin());
    std::ranges::fill(like.lambda, 0.0);
    std::ranges::fill(like.z, 0.0);
    for (std::size_t k = 0; k < functions_->lower().size(); ++k) {
      const LowerConstraint& c = functions_->lower()[k];
      (c.is_variable ? like.z : like.lambda)[static_cast<std::size_t>(c.row)] += c.sign * w[nv + k];
    }
    return like;
  }

 private:
  const BilevelProgram& problem_;
  std::shared_ptr<LowerKktFunctions> functions_;
  Bounds variables_;
};

}  // namespace

Report ValueFunctionKkt::solve(BilevelProgram& problem, Monitor& monitor) {
  const Relaxed relaxed(problem);
  const auto solver = context_.make<ProgramSolver>(options_.solver);
  LowerLevel level(problem, context_.make<ProgramSolver>(options_.lower_solver));
  LowerTracker tracker(problem, level);
  LowerPoint p = tracker.start();
  Numbers w = relaxed.join(p);
  if (options_.solve_lower_first && !problem.has_multipliers) {
    LowerPoint solved = p;
    const std::span<const double> v(p.v);
    if (tracker.solve(v.first(static_cast<std::size_t>(problem.num_upper())), false, solved,
                      monitor))
      w = relaxed.join(solved);
  }

  Report report;
  std::unique_ptr<NonlinearProgram> program;
  std::int64_t inner = 0;
  std::vector<double> multipliers, bound_multipliers;
  double t = options_.first_relaxation;
  for (;; t = std::max(options_.last_relaxation, t * options_.reduction)) {
    program = relaxed.at(t, w);
    if (!multipliers.empty()) {
      program->set_solution(w, multipliers, bound_multipliers);
      program->has_multipliers = true;
    }
    InnerMonitor quiet(monitor);
    const Report r = solver->solve(*program, quiet);
    inner += r.iterations;
    report.status = r.status;
    report.reason = "relaxed to " + short_number(t) + ": " + r.reason;
    w = program->host_x();
    const double residual = program->kkt_residual().largest();
    const Sample samples[] = {
        {"upper_objective",
         HostAccess(problem.upper()).objective(std::span<const double>(w).first(p.v.size()))},
        {"kkt_residual", residual},
        {"relaxation", t}};
    const Verdict verdict = monitor.observe(report.iterations++, samples);
    multipliers = program->host_multipliers();
    bound_multipliers = program->host_bound_multipliers();
    if (!r.converged()) multipliers.clear();  // a start from scratch is safer
    if (verdict != Verdict::proceed) report.status = status_of(verdict);
    if (report.status == Status::time_limit || report.status == Status::interrupted) break;
    if (t <= options_.last_relaxation) break;
  }
  // Too small for its own tolerance: what the certificate says of the point counts.
  const double stationarity = program->kkt_residual().largest();
  if (stationarity <= options_.tolerance && report.status == Status::stagnated)
    report.status = Status::converged;
  p = relaxed.split(w, std::move(p));
  report.counts.push_back({"solver_iterations", static_cast<double>(inner)});
  tracker.add_counts(report);
  certify_and_report(problem, level, p, stationarity, options_.tolerance, monitor, report);
  return report;
}

}  // namespace bilevel_baselines
