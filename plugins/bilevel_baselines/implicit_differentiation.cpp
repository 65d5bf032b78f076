#include "implicit_differentiation.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>

#include "descent.hpp"

namespace bilevel_baselines {

void ImplicitDifferentiationOptions::describe(Fields<ImplicitDifferentiationOptions>& f) {
  using O = ImplicitDifferentiationOptions;
  f.add("tolerance", &O::tolerance, Range::above(0.0),
        "of each part of the certificate: projected hypergradient, lower-level gap, violation");
  f.add("max_iterations", &O::max_iterations, Range::at_least(0.0), "steps of the upper variables");
  f.add("memory", &O::memory, Range::at_least(1.0), "pairs of steps that BFGS remembers");
  f.add("solver", &O::solver, Choices{{"auto", "direct", "cg", "neumann"}},
        "of the adjoint system; auto: direct where there are entries, else cg");
  f.add("solver_tolerance", &O::solver_tolerance, Range::above(0.0),
        "of cg and the Neumann series, relative");
  f.add("max_terms", &O::max_terms, Range::at_least(1.0), "of cg and the Neumann series");
  f.add_component("lower_solver", &O::lower_solver, ProgramSolver::kind,
                  "solves the lower level where Newton's method from a neighbour does not");
}

namespace {

class Phi final : public ReducedFunction {
 public:
  Phi(const BilevelProgram& problem, LowerTracker& tracker, UpperObjective& upper,
      const AdjointOptions& options, Monitor& monitor)
      : tracker_(tracker),
        upper_(upper),
        options_(options),
        monitor_(monitor),
        here_(tracker.start()),
        has_multipliers_(problem.has_multipliers) {}

  bool evaluate(std::span<const double> x, double& value, std::span<double> gradient) override {
    LowerPoint p = here_;
    if (!tracker_.solve(x, has_multipliers_, p, monitor_)) {
      ++failed;
      return false;
    }
    Numbers H_v(p.v.size());
    value = upper_.value(p.v);
    upper_.gradient(p.v, H_v);
    scale_ = 0.0;
    for (const double e : H_v) scale_ = std::max(scale_, std::abs(e));
    const AdjointResult adjoint = tracker_.system().hypergradient(p, H_v, options_, gradient);
    products += adjoint.products;
    if (adjoint.kinks > 0) ++kinks;
    if (adjoint.is_singular) ++singular;
    if (!adjoint.is_solved) ++unsolved;
    trials_.push_back(std::move(p));
    return true;
  }
  double scale() const override { return scale_; }
  bool accept(std::span<const double> x) override {
    for (LowerPoint& p : trials_)
      if (std::equal(x.begin(), x.end(), p.v.begin())) {
        here_ = std::move(p);
        has_multipliers_ = true;
        break;
      }
    trials_.clear();
    return false;
  }
  std::span<const double> point() const override { return here_.v; }
  const LowerPoint& here() const { return here_; }
  bool has_multipliers() const { return has_multipliers_; }

  std::int64_t products = 0, kinks = 0, singular = 0, unsolved = 0, failed = 0;

 private:
  LowerTracker& tracker_;
  UpperObjective& upper_;
  AdjointOptions options_;
  Monitor& monitor_;
  LowerPoint here_;
  std::vector<LowerPoint> trials_;
  bool has_multipliers_;
  double scale_ = 1.0;
};

}  // namespace

Report ImplicitDifferentiation::solve(BilevelProgram& problem, Monitor& monitor) {
  const bool has_entries = problem.lower().has_entries();
  if (options_.solver == "direct" && !has_entries)
    throw Unsupported(
        "method 'implicit-differentiation' with solver = \"direct\" needs the entries of the lower "
        "level's derivatives, " +
        problem.parts().text + " offers products only; use solver = \"cg\" or \"neumann\"");
  AdjointOptions adjoint{.solver = options_.solver,
                         .tolerance = options_.solver_tolerance,
                         .max_terms = options_.max_terms};
  if (adjoint.solver == "auto") adjoint.solver = has_entries ? "direct" : "cg";
  LowerLevel level(problem, context_.make<ProgramSolver>(options_.lower_solver));
  LowerTracker tracker(problem, level);
  UpperObjective upper(problem);
  Phi phi(problem, tracker, upper, adjoint, monitor);
  Report report;
  const DescentResult d = descend(phi, upper, problem,
                                  {.max_iterations = options_.max_iterations,
                                   .tolerance = options_.tolerance,
                                   .memory = options_.memory},
                                  monitor, report);
  report.counts.push_back({"hessian_products", static_cast<double>(phi.products)});
  report.counts.push_back({"degenerate_hypergradients", static_cast<double>(phi.kinks)});
  report.counts.push_back({"singular_hypergradients", static_cast<double>(phi.singular)});
  report.counts.push_back({"unsolved_lower_levels", static_cast<double>(phi.failed)});
  if (phi.kinks > 0)
    report.notes.push_back(
        std::to_string(phi.kinks) +
        " hypergradient(s) at degenerate active sets: one of several, that with such constraints "
        "inactive");
  if (phi.singular > 0)
    report.notes.push_back(std::to_string(phi.singular) +
                           " hypergradient(s) from singular KKT systems (the lower level's "
                           "solution is not unique): least-squares solutions");
  if (phi.unsolved > 0)
    report.notes.push_back(std::to_string(phi.unsolved) +
                           " adjoint system(s) were not solved to the tolerance");
  finish(problem, level, tracker, upper, phi.here(), phi.has_multipliers(), options_.tolerance,
         monitor, report, d.hull_size, d.stationarity);
  return report;
}

}  // namespace bilevel_baselines
