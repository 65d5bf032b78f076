#pragma once

#include <functional>
#include <libsolve/bilevel/bilevel_solver.hpp>
#include <span>
#include <vector>

#include "upper_objective.hpp"

namespace bilevel_baselines {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library
using Numbers = std::vector<double>;

/// A function of the upper variables alone, whose evaluation may fail.
class ReducedFunction {
 public:
  virtual ~ReducedFunction() = default;
  /// Value and gradient at x; false where they cannot be had.
  virtual bool evaluate(std::span<const double> x, double& value, std::span<double> gradient) = 0;
  /// What its gradient is measured against, at the x of the last evaluation: the largest entry of
  /// the upper level's gradient in (x, y).
  virtual double scale() const = 0;
  /// x, which was evaluated since the last call, is the new iterate. True: the function changed by
  /// that (its inner iteration starts elsewhere), so it has to be evaluated again.
  virtual bool accept(std::span<const double> x) = 0;
  /// v = (x, y) at the iterate.
  virtual std::span<const double> point() const = 0;
};

struct DescentOptions {
  std::int64_t max_iterations = 1000;
  double tolerance = 1e-6;
  int memory = 20;
  /// Asked after evaluations that fail: one that was stopped says so.
  std::function<Verdict()> poll = [] { return Verdict::proceed; };
};

struct DescentResult {
  Status status = Status::breakdown;
  std::string reason = {};
  std::int64_t iterations = 0;
  std::int64_t evaluations = 0;
  Numbers x = {}, gradient = {};
  double value = 0.0;
  double stationarity = 0.0;
  /// Converged at a kink: the measure is that of the smallest convex combination of this many
  /// gradients at points no further than kink_radius (relative) from x. 0: of the gradient at x.
  std::size_t hull_size = 0;
};

/// How far, relative to max(1, |x|), the points may lie whose gradients decide at a kink.
inline constexpr double kink_radius = 1e-6;

/// |x - P_X(x - g)| (largest entry) over max(1, scale).
double projected_gradient(const Bounds& X, std::span<const double> x, std::span<const double> g,
                          double scale);

/// Minimises over the box X from x (projected onto it) by limited-memory BFGS on the variables that
/// no bound holds (Bertsekas, SIAM J. Control Optim. 20, 1982: those at a bound with a gradient
/// that points outwards are held), along the projected path, with a weak Wolfe search by bisection
/// and doubling, which also gets along kinks (Lewis, Overton, Math. Program. 141, 2013, Algorithm
/// 2.6). Where that search fails the function has a kink: from there, steps along the smallest
/// element of the hull of gradients within a radius, which grows by the gradient beyond the kink
/// whenever no such step goes down (Wolfe, Math. Program. Study 3, 1975; Goldstein, Math. Program.
/// 13, 1977), the radius shrinking to kink_radius. Converged: projected_gradient(), or that of the
/// smallest element within kink_radius, at most the tolerance.
/// `observe` is called each iteration with the iterate's number, value and measure.
using Observe = std::function<Verdict(std::int64_t, double value, double stationarity)>;
DescentResult minimise(ReducedFunction& function, const Bounds& X, Numbers x,
                       const DescentOptions& options, const Observe& observe);

/// The same with the upper constraints: one minimisation of `upper` for each update of its
/// multipliers, until the violation is at most the tolerance, too. `function` evaluates `upper`.
DescentResult minimise(ReducedFunction& function, UpperObjective& upper, const Bounds& X, Numbers x,
                       const DescentOptions& options, const Observe& observe);

/// That for a method: from the problem's x, told to `monitor` as "upper_objective" and
/// "projected_hypergradient"; status, reason, iterations and "upper_evaluations" go into `report`.
DescentResult descend(ReducedFunction& function, UpperObjective& upper,
                      const BilevelProgram& problem, const DescentOptions& options,
                      Monitor& monitor, Report& report);

}  // namespace bilevel_baselines
