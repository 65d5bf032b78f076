#include <algorithm>
#include <cmath>
#include <libsolve/bilevel/global_lower.hpp>
#include <libsolve/bilevel/lower_kkt.hpp>
#include <libsolve/bilevel/lower_level.hpp>
#include <libsolve/core/random.hpp>
#include <limits>

namespace libsolve {

namespace {

/// A lower-level point that is feasible to this (relative) may lower the value; one that is not
/// cannot.
constexpr double feasible_enough = 1e-8;
/// The lower level is solved again to this.
constexpr double solved_enough = 1e-6;
/// How far a lower solution may be from y, relative to max(1, |y|), for its bound.
constexpr double reach = 10.0;
/// Starts beside y for a lower level that is neither convex nor enclosed.
constexpr int num_tries = 8;
/// A multiplier and a distance that are both below this belong to a degenerate constraint.
constexpr double degenerate_below = 1e-8;

std::size_t size_of(Index n) {
  return static_cast<std::size_t>(n);
}

/// sum |lambda (g - bound)| + sum |grad L| reach: for a convex lower level no point of Y whose
/// entries are within reach (10 max(1, |y_j|), less where Y ends before) is lower than f at
/// the solution s by more. Where the smallest value lies at infinity, y is large and so is the
/// bound.
double duality_bound(const BilevelProgram& problem, std::span<const double> x,
                     const LowerLevel::Solution& s) {
  const BilevelParts& p = problem.parts();
  const HostAccess lower(*p.lower);
  std::vector<double> v(x.begin(), x.end());
  v.insert(v.end(), s.y.begin(), s.y.end());
  std::vector<double> f_v(v.size()), Jt_lambda(v.size()), g(p.lower_constraints.size());
  lower.gradient(v, f_v);
  lower.constraints(v, g);
  const std::vector<double>& lambda = s.lambda;
  const std::vector<double>& z = s.z;
  if (!g.empty()) lower.apply_jacobian_adjoint(v, lambda, Jt_lambda);
  double bound = 0.0;
  const auto slack = [](double multiplier, double value, double low, double high) {
    if (multiplier == 0.0) return 0.0;
    return std::abs(multiplier * (multiplier > 0.0 ? high - value : value - low));
  };
  for (std::size_t i = 0; i < g.size(); ++i)
    bound += slack(lambda[i], g[i], p.lower_constraints.lower[i], p.lower_constraints.upper[i]);
  const std::size_t nx = size_of(p.num_upper);
  double along = 0.0;
  for (std::size_t j = 0; j < z.size(); ++j) {
    const double y = v[nx + j];
    bound += slack(z[j], y, p.lower_variables.lower[j], p.lower_variables.upper[j]);
    const double slope = f_v[nx + j] + Jt_lambda[nx + j] + z[j];
    const double far = reach * std::max(1.0, std::abs(y));
    const double to_bound =
        slope > 0.0 ? y - p.lower_variables.lower[j] : p.lower_variables.upper[j] - y;
    along += std::abs(slope) * std::min(far, std::max(0.0, to_bound));
  }
  return bound + along;
}

Index count_degenerate(const BilevelProgram& problem) {
  const BilevelParts& p = problem.parts();
  const std::vector<double> v = problem.host_v();
  std::vector<double> g(p.lower_constraints.size());
  HostAccess(*p.lower).constraints(v, g);
  Index count = 0;
  for (const LowerConstraint& c : lower_constraints(problem)) {
    if (c.is_equality) continue;
    const double value = c.is_variable ? v[size_of(p.num_upper + c.row)] : g[size_of(c.row)];
    const double multiplier = c.is_variable ? problem.lower_bound_multipliers()[size_of(c.row)]
                                            : problem.lower_multipliers()[size_of(c.row)];
    const double scale = std::max(1.0, std::abs(c.bound));
    if (std::abs(value - c.bound) <= degenerate_below * scale &&
        std::abs(multiplier) <= degenerate_below)
      ++count;
  }
  return count;
}

/// y moved by up to 0.01, 0.1, 1, 10 (relative to its size) along drawn directions, both ways,
/// within Y.
std::vector<double> beside(const BilevelProgram& problem, std::span<const double> y, int k) {
  const RandomStream random(1, "bilevel::certify");
  const Bounds& Y = problem.parts().lower_variables;
  std::vector<double> moved(y.begin(), y.end());
  const auto direction = static_cast<std::uint64_t>(k / 2);
  const double reach = (k % 2 == 0 ? 1.0 : -1.0) * std::pow(10.0, k / 2 - 2);
  for (std::size_t j = 0; j < moved.size(); ++j) {
    const double u = random.uniform(direction * moved.size() + j, -1.0, 1.0);
    moved[j] = std::clamp(moved[j] + reach * std::max(1.0, std::abs(moved[j])) * u, Y.lower[j],
                          Y.upper[j]);
  }
  return moved;
}

/// How much f changes around y: the median of its changes to points up to 0.01, 0.1 and 1 away. So
/// units of f, and constants added to it, do not matter to what is called a small gap.
double variation(const BilevelProgram& problem, const HostAccess& lower, std::span<const double> x,
                 std::span<const double> y, double f) {
  std::vector<double> v(x.begin(), x.end());
  v.resize(x.size() + y.size());
  std::vector<double> changes;
  for (int k = 0; k < 6; ++k) {
    const std::vector<double> moved = beside(problem, y, k);
    std::copy(moved.begin(), moved.end(), v.begin() + static_cast<std::ptrdiff_t>(x.size()));
    const double change = std::abs(lower.objective(v) - f);
    if (std::isfinite(change) && change > 0.0) changes.push_back(change);
  }
  // Below the rounding of f nothing can be told apart.
  const double least = 1e-8 * std::abs(f);
  if (changes.empty()) return std::max(1.0, std::abs(f));
  std::nth_element(changes.begin(),
                   changes.begin() + static_cast<std::ptrdiff_t>(changes.size() / 2),
                   changes.end());
  return std::max(least, changes[changes.size() / 2]);
}

}  // namespace

BilevelCertificate certify(BilevelProgram& problem, LowerLevel& level, std::span<const double> v,
                           double upper_stationarity, Monitor& monitor) {
  const BilevelParts& p = problem.parts();
  const std::span<const double> x = v.first(size_of(p.num_upper)), y = v.subspan(x.size());
  const bool use_multipliers = problem.has_multipliers;
  const LowerLevel::Solution s = level.solve(
      x, y, use_multipliers ? std::span<const double>(problem.lower_multipliers()) : x.first(0),
      use_multipliers ? std::span<const double>(problem.lower_bound_multipliers()) : x.first(0),
      monitor);

  // The point keeps its y where that is as good: of several solutions of the lower level it is the
  // one the upper level wants.
  const HostAccess lower(*p.lower);
  problem.set_point(v, s.lambda, s.z);
  const double f = lower.objective(v);
  const double scale = variation(problem, lower, x, y, f);
  const bool is_solved = s.residual.largest() <= solved_enough;
  const LowerResidual mine = lower_residual(problem);
  BilevelCertificate c;
  c.lower_objective = f;
  const bool is_as_good = mine.kkt.constraint_violation <= feasible_enough &&
                          (!is_solved || f - s.objective <= feasible_enough * scale);
  std::vector<double> taken(v.begin(), v.end());
  const auto take = [&](const LowerLevel::Solution& better) {
    std::copy(better.y.begin(), better.y.end(), taken.begin() + p.num_upper);
    problem.set_point(taken, better.lambda, better.z);
    c.lower_objective = better.objective;
  };
  if (!is_as_good && is_solved) take(s);

  // What KKT points cannot say of a lower level that is not convex: from a maximum a solver goes
  // nowhere, so others are asked for from points beside it.
  double lowest = s.objective;
  bool is_bounded = false;
  if (!p.lower_is_convex && p.lower_range != nullptr && is_solved) {
    const std::span<const double> at = std::span<const double>(taken).subspan(x.size());
    LowerBoundOptions options;
    options.relative_tolerance *= scale / std::max(1.0, std::abs(c.lower_objective));
    const LowerBound bound = bound_lower_level(problem, x, at, c.lower_objective, options);
    is_bounded = bound.is_proved;
    lowest = std::min(lowest, is_bounded ? bound.bound : bound.objective);
    if (bound.objective < c.lower_objective - feasible_enough * scale) {
      const LowerLevel::Solution found = level.solve(x, bound.y, {}, {}, monitor);
      if (found.residual.largest() <= solved_enough && found.objective < c.lower_objective)
        take(found);
      lowest = std::min(lowest, c.lower_objective);
    }
  }
  for (int k = 0; k < num_tries && !p.lower_is_convex && !is_bounded; ++k) {
    const LowerLevel::Solution other = level.solve(
        x, beside(problem, std::span<const double>(taken).subspan(x.size()), k), {}, {}, monitor);
    if (!(other.residual.largest() <= solved_enough)) continue;
    lowest = std::min(lowest, other.objective);
    if (other.objective < c.lower_objective - feasible_enough * scale) take(other);
  }
  const LowerResidual r = lower_residual(problem);
  c.lower_kkt_residual = r.kkt.largest();
  c.constraint_violation = r.violation;
  c.upper_objective = HostAccess(*p.upper).objective(taken);
  c.upper_stationarity = upper_stationarity;
  c.degenerate_constraints = count_degenerate(problem);
  c.lower_is_proved = is_solved && (p.lower_is_convex || is_bounded);
  const double gap = c.lower_objective - lowest;
  c.lower_gap =
      !is_solved || std::isnan(gap) ? std::numeric_limits<double>::infinity() : std::max(0.0, gap);
  if (p.lower_is_convex && is_solved) c.lower_gap += duality_bound(problem, x, s);
  c.lower_gap /= scale;
  if (!(c.lower_gap >= 0.0)) c.lower_gap = std::numeric_limits<double>::infinity();
  problem.set_certificate(c);
  return c;
}

}  // namespace libsolve
