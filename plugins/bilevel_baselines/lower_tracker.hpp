#pragma once

#include <libsolve/bilevel/bilevel_solver.hpp>
#include <libsolve/bilevel/lower_level.hpp>
#include <libsolve/plugin/registry.hpp>

#include "lower_system.hpp"
#include "upper_objective.hpp"

namespace bilevel_baselines {

/// The default of `lower_solver`.
ComponentSpec default_lower_solver();

/// y(x) at one x after the other, to rounding: the problem's own solution where it has one, or
/// Newton's method from the solution before where the lower level is convex and has entries, else,
/// and where that fails, the program solver and Newton's method on its active set.
class LowerTracker {
 public:
  /// `problem` and `level` outlive it.
  LowerTracker(const BilevelProgram& problem, LowerLevel& level);

  /// The problem's point as a start.
  LowerPoint start() const;
  /// p: a start on entry (its multipliers used where `has_multipliers`), the solution at x on
  /// return. False where there is none to 1e-7.
  bool solve(std::span<const double> x, bool has_multipliers, LowerPoint& p, Monitor& monitor);
  LowerSystem& system() noexcept { return system_; }
  void add_counts(Report& report) const;

 private:
  const BilevelProgram* problem_;
  LowerLevel* level_;
  LowerSystem system_;
};

/// The certificate of p with its upper stationarity; "converged" becomes "stagnated" where the
/// certificate found a lower y elsewhere, for which the stationarity does not hold.
void certify_and_report(BilevelProgram& problem, LowerLevel& level, const LowerPoint& p,
                        double stationarity, double tolerance, Monitor& monitor, Report& report);

/// The last steps of every method here: the lower level solved at the x of `p`, the projected
/// gradient of Phi there by implicit differentiation ("cg" where there are no entries), the
/// certificate, and the report's last word. At a kink (`hull_size` > 0) the measure is
/// `hull_stationarity`, that of the smallest convex combination of hypergradients around x.
void finish(BilevelProgram& problem, LowerLevel& level, LowerTracker& tracker,
            UpperObjective& upper, LowerPoint p, bool has_multipliers, double tolerance,
            Monitor& monitor, Report& report, std::size_t hull_size = 0,
            double hull_stationarity = 0.0);

}  // namespace bilevel_baselines
