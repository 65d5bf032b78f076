#include "lower_tracker.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/text.hpp>

#include "descent.hpp"

namespace bilevel_baselines {

namespace {

constexpr double aim = 1e-13, good_enough = 1e-10, acceptable = 1e-7;
constexpr int steps_from_a_neighbour = 30, steps_of_polish = 8;
/// How far (relative) Newton's method may go from what a solver found for a lower level that is not
/// convex: further away is another solution.
constexpr double nearby = 1e-3;

bool is_near(std::span<const double> a, std::span<const double> b) {
  double distance = 0.0, size = 1.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    distance = std::max(distance, std::abs(a[i] - b[i]));
    size = std::max(size, std::abs(b[i]));
  }
  return distance <= nearby * size;
}

}  // namespace

ComponentSpec default_lower_solver() {
  ComponentSpec spec("sketch-newton");
  spec.options.set("tolerance", Value(1e-9));
  return spec;
}

LowerTracker::LowerTracker(const BilevelProgram& problem, LowerLevel& level)
    : problem_(&problem), level_(&level), system_(problem) {}

LowerPoint LowerTracker::start() const {
  return {problem_->host_v(), problem_->lower_multipliers(), problem_->lower_bound_multipliers()};
}

bool LowerTracker::solve(std::span<const double> x, bool has_multipliers, LowerPoint& p,
                         Monitor& monitor) {
  const bool has_entries = problem_->lower().has_entries();
  const bool is_convex = problem_->parts().lower_is_convex;
  std::ranges::copy(x, p.v.begin());
  if (problem_->parts().lower_solution) {
    const LowerSolution own = problem_->parts().lower_solution(x);
    LowerPoint found = p;
    std::ranges::copy(own.y, found.v.begin() + static_cast<std::ptrdiff_t>(x.size()));
    found.lambda = own.lambda;
    found.z = own.z;
    if (system_.residual(found) <= good_enough) {
      p = std::move(found);
      return true;
    }
  }
  if (has_multipliers && has_entries && is_convex) {
    LowerPoint tracked = p;
    if (system_.improve(tracked, steps_from_a_neighbour, aim) <= good_enough) {
      p = std::move(tracked);
      return true;
    }
  }
  const std::span<const double> none;
  const LowerLevel::Solution s =
      level_->solve(x, std::span<const double>(p.v).subspan(x.size()),
                    has_multipliers ? std::span<const double>(p.lambda) : none,
                    has_multipliers ? std::span<const double>(p.z) : none, monitor);
  std::ranges::copy(s.y, p.v.begin() + static_cast<std::ptrdiff_t>(x.size()));
  p.lambda = s.lambda;
  p.z = s.z;
  double residual = s.residual.largest();
  if (has_entries) {
    LowerPoint polished = p;
    const double r = system_.improve(polished, steps_of_polish, aim);
    if (!(r >= residual) && (is_convex || is_near(polished.v, p.v))) {
      residual = r;
      p = std::move(polished);
    }
  }
  return residual <= acceptable;
}

void LowerTracker::add_counts(Report& report) const {
  report.counts.push_back({"lower_solves", static_cast<double>(level_->solves())});
  report.counts.push_back({"lower_iterations", static_cast<double>(level_->iterations())});
  report.counts.push_back({"lower_newton_steps", static_cast<double>(system_.newton_steps())});
  report.counts.push_back({"factorisations", static_cast<double>(system_.factorisations())});
}

void certify_and_report(BilevelProgram& problem, LowerLevel& level, const LowerPoint& p,
                        double stationarity, double tolerance, Monitor& monitor, Report& report) {
  problem.set_point(p.v, p.lambda, p.z);
  (void)certify(problem, level, p.v, stationarity, monitor);
  if (report.converged() && !is_near(problem.host_v(), p.v)) {
    report.status = Status::stagnated;
    report.reason =
        "the lower level has a lower value elsewhere than at the y found (" + report.reason + ")";
  }
  finish_report(problem, tolerance, report);
}

void finish(BilevelProgram& problem, LowerLevel& level, LowerTracker& tracker,
            UpperObjective& upper, LowerPoint p, bool has_multipliers, double tolerance,
            Monitor& monitor, Report& report, std::size_t hull_size, double hull_stationarity) {
  double stationarity = std::numeric_limits<double>::quiet_NaN();
  const auto nx = static_cast<std::size_t>(problem.num_upper());
  const Numbers x(p.v.begin(), p.v.begin() + static_cast<std::ptrdiff_t>(nx));
  if (tracker.solve(x, has_multipliers, p, monitor)) {
    Numbers H_v(p.v.size()), gradient(nx);
    upper.gradient(p.v, H_v);
    double scale = 0.0;
    for (const double e : H_v) scale = std::max(scale, std::abs(e));
    AdjointOptions options;
    if (!problem.lower().has_entries()) options.solver = "cg";
    const AdjointResult adjoint = tracker.system().hypergradient(p, H_v, options, gradient);
    if (adjoint.is_solved)
      stationarity = projected_gradient(problem.parts().upper_variables, x, gradient, scale);
    else
      report.notes.push_back(
          "the lower level's solution has no derivative at the end: its KKT system is singular");
  }
  if (hull_size > 0 && !(stationarity <= hull_stationarity)) {
    stationarity = hull_stationarity;
    report.notes.push_back(
        "the end is a kink of the upper objective: its stationarity is that of the "
        "smallest convex combination of " +
        std::to_string(hull_size) + " hypergradients within " + short_number(kink_radius) +
        " of x (relative)");
  }
  tracker.add_counts(report);
  certify_and_report(problem, level, p, stationarity, tolerance, monitor, report);
}

}  // namespace bilevel_baselines
