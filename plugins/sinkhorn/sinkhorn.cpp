#include "sinkhorn.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <libsolve/core/text.hpp>
#include <libsolve/transport/plan_marginals.hpp>
#include <limits>

namespace sinkhorn {

void SinkhornOptions::describe(Fields<SinkhornOptions>& f) {
  using O = SinkhornOptions;
  f.add("tolerance", &O::tolerance, Range::above(0.0),
        "stop when |P 1 - a|_1 + |P^T 1 - b|_1 is at most this")
      .unit("mass");
  f.add("max_iterations", &O::max_iterations, Range::at_least(1), "sweeps over rows and columns");
  f.add("precision", &O::precision, Choices{{"double", "mixed", "float"}},
        "of the exponentials: float is good to about 1e-7 of the mass, mixed ends in double");
  f.add("scaling_start", &O::scaling_start, Range::above(0.0),
        "regularisation to begin with, in units of the largest cost");
  f.add("scaling_factor", &O::scaling_factor, Range::at_least(1.0),
        "the regularisation is divided by this from level to level; 1: no levels");
}

namespace {

/// One solve.
class Solve {
 public:
  Solve(const SinkhornOptions& options, TransportProblem& problem, Monitor& monitor)
      : options_(options), problem_(problem), monitor_(monitor), sweeps_(problem) {
    mass_ = detail::total_of(problem.a());
    single_ = options.precision != "double";
  }

  Report run() {
    const auto begin = std::chrono::steady_clock::now();
    monitor_.begin_phase("solve");
    const bool is_cold = sweeps_.start();
    const double last = problem_.regularization();
    double eps = last;
    // Potentials that somebody gave are for this eps, and may be better than floats can tell.
    if (!is_cold && options_.precision == "mixed") single_ = false;
    if (is_cold && options_.scaling_factor > 1.0)
      eps = std::max(last, options_.scaling_start * problem_.cost().maximum());
    while (!report_) {
      level(eps, eps == last);
      if (eps == last) break;
      eps = std::max(last, eps / options_.scaling_factor);
    }
    if (eps != last) sweeps_.sweep(last);  // stopped on the way: a plan of the right total at least
    Report report = *report_;
    report.iterations = sweeps_.sweeps();
    report.measures = problem_.verify();
    settle(report);
    report.seconds.push_back(
        {"solve", std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
         "s"});
    report.counts = {{"passes", static_cast<double>(sweeps_.passes())},
                     {"sinkhorn_sweeps", static_cast<double>(sweeps_.sweeps())},
                     {"repaired_sums", static_cast<double>(sweeps_.repaired())}};
    report.metrics.push_back({"memory_bytes", sweeps_.work_bytes(), "B"});
    return report;
  }

 private:
  static Report stop(Status status, std::string reason) {
    Report report;
    report.status = status;
    report.reason = std::move(reason);
    return report;
  }
  std::string so_far() const {
    return "marginal violation " + short_number(seen_) + " after " +
           std::to_string(sweeps_.sweeps()) + " sweeps, tolerance " +
           short_number(options_.tolerance);
  }
  /// What rounding leaves of the violation: exponents of size max C / eps, sums in double or float.
  double floor() const {
    const double size = problem_.cost().maximum() / problem_.regularization();
    const double of_exponents = 4.0 * std::numeric_limits<double>::epsilon() * (size + 10.0);
    return mass_ * (single_ ? of_exponents + 4e-7 : of_exponents);
  }

  /// Sweeps at one eps: to the tolerance at the last, else to a hundredth of the mass.
  void level(double eps, bool is_last) {
    const double target = is_last ? options_.tolerance : 1e-2 * mass_;
    const int most = is_last ? std::numeric_limits<int>::max() : 100;
    best_ = std::numeric_limits<double>::infinity();
    int since_best = 0;
    for (int k = 0; k < most && !report_; ++k) {
      const std::int64_t before = sweeps_.sweeps();
      const auto [violation, of_both] = sweeps_.sweep(eps, single_);
      if (std::isnan(violation)) {
        report_ = stop(Status::non_finite, "potentials or sums are not finite after " +
                                               std::to_string(before) +
                                               " sweeps at regularization " + short_number(eps));
        return;
      }
      seen_ = violation;
      const Sample samples[] = {{"marginal_violation", violation}, {"regularization", eps}};
      const Verdict verdict = monitor_.observe(before, samples);
      if (of_both) {
        since_best = violation < 0.999 * best_ ? 0 : since_best + 1;
        best_ = std::min(best_, violation);
        if (violation <= target) {
          // In float the double sums decide; from there on in double, where that is allowed.
          if (is_last && single_ && options_.precision == "mixed") {
            single_ = false;
            continue;
          }
          if (is_last) report_ = stop(Status::converged, "");
          return;
        }
        if (single_ && options_.precision == "mixed" && violation <= 20.0 * floor())
          single_ = false;
        if (is_last && since_best >= 100 && violation <= 10.0 * floor()) {
          if (single_ && options_.precision == "mixed") {
            single_ = false;
            since_best = 0;
            continue;
          }
          report_ =
              stop(Status::stagnated, "rounding allows no less: " + so_far() +
                                          (single_ ? "; set precision = \"mixed\" or \"double\""
                                                   : "; raise 'tolerance' or 'regularization'"));
        }
      }
      if (report_) return;
      if (verdict != Verdict::proceed)
        report_ = stop(status_of(verdict), so_far());
      else if (sweeps_.sweeps() >= options_.max_iterations)
        report_ = stop(Status::max_iterations, so_far());
    }
  }

  /// The recomputed violation has the last word.
  void settle(Report& report) const {
    const double violation = report.measures.front().value;
    if (std::isnan(violation)) {
      report.status = Status::non_finite;
      report.reason = "the marginals of the plan are not finite";
    } else if (report.status == Status::converged) {
      report.reason = "marginal violation " + short_number(violation) + " <= tolerance " +
                      short_number(options_.tolerance);
      if (violation > options_.tolerance) {
        report.status = Status::stagnated;
        report.reason = "the sums of the sweeps met the tolerance " +
                        short_number(options_.tolerance) + ", the recomputed violation is " +
                        short_number(violation) +
                        (single_ ? "; set precision = \"mixed\" or \"double\"" : "");
      }
    }
  }

  const SinkhornOptions& options_;
  TransportProblem& problem_;
  Monitor& monitor_;
  SinkhornSweeps sweeps_;
  double mass_ = 1.0;
  bool single_ = false;
  double best_ = std::numeric_limits<double>::infinity();
  double seen_ = 0.0;  ///< by the last sweep
  std::optional<Report> report_;
};

}  // namespace

Report Sinkhorn::solve(TransportProblem& problem, Monitor& monitor) {
  problem.set_plan(std::nullopt);
  return Solve(options_, problem, monitor).run();
}

}  // namespace sinkhorn
