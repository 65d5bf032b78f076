#include "search.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/bilevel/global_lower.hpp>
#include <libsolve/core/random.hpp>

namespace lv_hba {

namespace {

constexpr Index most_variables = 40;  ///< of a problem that is searched everywhere
constexpr std::size_t most_inequalities = 20;
constexpr int most_answers = 8;            ///< of the lower level to one piece
constexpr int num_samples = 8;             ///< points beside the start and the best one
constexpr int most_failures = 2;           ///< of a piece, before it is left
constexpr std::size_t most_minima = 3;     ///< of a piece that are different
constexpr double slope_step = 1e-5;        ///< for a response's derivative
constexpr double steepest = 1e3;           ///< of a response that goes on along its branch
constexpr std::size_t most_biactive = 8;   ///< degenerate constraints whose choices are all tried
constexpr double degenerate_below = 1e-7;  ///< of multiplier and distance

std::size_t size_of(Index n) {
  return static_cast<std::size_t>(n);
}

/// Calls use(active) for each choice of at most `most` of the inequalities.
template <class Use>
void each_subset(const std::vector<LowerConstraint>& list, std::size_t most, const Use& use) {
  std::vector<std::size_t> inequalities;
  ActiveSet active(list.size());
  for (std::size_t k = 0; k < list.size(); ++k) {
    active[k] = list[k].is_equality;
    if (!list[k].is_equality) inequalities.push_back(k);
  }
  const auto choose = [&](const auto& self, std::size_t from, std::size_t left) -> void {
    use(active);
    for (std::size_t i = from; left > 0 && i < inequalities.size(); ++i) {
      active[inequalities[i]] = true;
      self(self, i + 1, left - 1);
      active[inequalities[i]] = false;
    }
  };
  choose(choose, 0, most);
}

}  // namespace

Search::Search(BilevelProgram& problem, Pieces* pieces, LowerLevel& level, double tolerance,
               std::uint64_t seed, Monitor& monitor)
    : problem_(problem),
      pieces_(pieces),
      level_(level),
      tolerance_(tolerance),
      seed_(seed),
      monitor_(monitor) {
  if (pieces == nullptr || problem.lower().num_constraints() == 0) return;
  for (const Index column : problem.lower().jacobian_pattern().columns)
    lower_depends_on_x_ = lower_depends_on_x_ || column < problem.num_upper();
}

bool Search::is_small(const BilevelProgram& problem) {
  return problem.num_variables() <= most_variables &&
         lower_constraints(problem).size() <= most_inequalities;
}

bool Search::is_stopped() {
  return monitor_.poll() != Verdict::proceed;
}

/// Whether the certificate of the problem's point (set by certify) makes it the best one.
bool Search::accept(const KktPoint& at, double stationarity) {
  const BilevelCertificate& c = *problem_.certificate();
  if (!(c.lower_gap <= tolerance_ && c.constraint_violation <= tolerance_ &&
        std::isfinite(c.upper_objective)))
    return false;
  const double margin = 1e-9 * std::max(1.0, std::abs(c.upper_objective));
  if (best_) {
    const double before = best_->certificate.upper_objective;
    const bool is_lower = c.upper_objective < before - margin;
    const bool is_better_solved =
        c.upper_objective < before + margin && stationarity < best_->certificate.upper_stationarity;
    if (!is_lower && !is_better_solved) return false;
  }
  best_ = Best{at, c};
  return true;
}

ActiveSet Search::active_at(const KktPoint& at) {
  std::vector<double> lambda, z;
  two_sided(problem_, at.l, lambda, z);
  problem_.set_point(at.v, lambda, z);
  return active_set(problem_, at.v, lambda, z);
}

KktPoint Search::lower_solution_at(std::span<const double> x, std::span<const double> y) {
  LowerLevel::Solution s = level_.solve(x, y, {}, {}, monitor_);
  if (!problem_.parts().lower_is_convex && problem_.parts().lower_range != nullptr &&
      s.residual.largest() <= tolerance_) {
    const LowerBound bound = bound_lower_level(problem_, x, s.y, s.objective);
    if (bound.objective < s.objective) s = level_.solve(x, bound.y, {}, {}, monitor_);
  }
  KktPoint at;
  at.v.assign(x.begin(), x.end());
  at.v.insert(at.v.end(), s.y.begin(), s.y.end());
  at.l = one_sided(problem_, s.lambda, s.z);
  return at;
}

bool Search::offer(std::span<const double> v, std::span<const double> lambda,
                   std::span<const double> z, double stationarity) {
  problem_.set_point(v, lambda, z);
  (void)certify(problem_, level_, v, stationarity, monitor_);
  return accept({{v.begin(), v.end()}, one_sided(problem_, lambda, z)}, stationarity);
}

bool Search::offer_certified() {
  return accept({problem_.host_v(), one_sided(problem_, problem_.lower_multipliers(),
                                              problem_.lower_bound_multipliers())},
                problem_.certificate()->upper_stationarity);
}

Cut Search::make_cut(const std::vector<double>& v) {
  const auto nx = size_of(problem_.num_upper());
  Cut cut{{v.begin(), v.begin() + problem_.num_upper()},
          {v.begin() + problem_.num_upper(), v.end()}};
  cut.slope.assign(nx * cut.y.size(), 0.0);
  if (!lower_depends_on_x_) return cut;
  for (std::size_t j = 0; j < nx; ++j) {
    const double step = slope_step * std::max(1.0, std::abs(cut.x[j]));
    std::vector<double> x = cut.x;
    x[j] += step;
    const LowerLevel::Solution s = level_.solve(x, cut.y, {}, {}, monitor_);
    for (std::size_t b = 0; b < cut.y.size(); ++b) {
      const double slope = (s.y[b] - cut.y[b]) / step;
      if (s.residual.largest() <= tolerance_ && std::abs(slope) < steepest)
        cut.slope[j * cut.y.size() + b] = slope;
    }
  }
  return cut;
}

bool Search::drop_invalid_cuts(const std::vector<double>& v) {
  if (!lower_depends_on_x_) return false;
  const HostAccess lower(problem_.lower());
  const BilevelParts& p = problem_.parts();
  const auto is_outside = [](double value, double low, double high) {
    return !(value >= low - 1e-7 * std::max(1.0, std::abs(low)) &&
             value <= high + 1e-7 * std::max(1.0, std::abs(high)));
  };
  const std::size_t before = cuts_.size();
  std::erase_if(cuts_, [&](const Cut& cut) {
    const std::vector<double> at = cut.response(v);
    if (std::abs(lower.objective(v) - lower.objective(at)) >
        1e-6 * std::max(1.0, std::abs(lower.objective(v))))
      return false;  // not active
    std::vector<double> g(p.lower_constraints.size());
    lower.constraints(at, g);
    bool is_invalid = false;
    for (std::size_t i = 0; i < g.size(); ++i)
      is_invalid = is_invalid ||
                   is_outside(g[i], p.lower_constraints.lower[i], p.lower_constraints.upper[i]);
    for (std::size_t j = 0; j < cut.y.size(); ++j)
      is_invalid = is_invalid || is_outside(at[cut.x.size() + j], p.lower_variables.lower[j],
                                            p.lower_variables.upper[j]);
    return is_invalid;
  });
  return cuts_.size() < before;
}

Search::Outcome Search::try_piece(const ActiveSet& active, const KktPoint& from) {
  Outcome outcome;
  const Cuts before = cuts_;
  KktPoint start = from;
  for (int answer = 0; answer < most_answers && !is_stopped(); ++answer) {
    Pieces::Solution s = pieces_->solve(active, start, cuts_, monitor_);
    const auto is_solved = [&] {
      return s.residual <= std::max(tolerance_, 1e-6) && std::isfinite(s.F);
    };
    // A cut may leave nothing near the point that it cuts off.
    if (!is_solved() && answer > 0) s = pieces_->solve(active, from, cuts_, monitor_);
    if (!is_solved()) break;
    outcome.is_solved = true;
    outcome.F = s.F;
    // A cut whose response is not feasible at this x forbids too much: without it, again.
    if (drop_invalid_cuts(s.at.v)) {
      start = s.at;
      continue;
    }
    const double margin = 1e-9 * std::max(1.0, std::abs(s.F));
    if (best_ && s.F > best_->certificate.upper_objective + margin) break;
    std::vector<double> lambda, z;
    two_sided(problem_, s.at.l, lambda, z);
    problem_.set_point(s.at.v, lambda, z);
    const BilevelCertificate c = certify(problem_, level_, s.at.v, s.residual, monitor_);
    const std::vector<double> answered = problem_.host_v();
    if (answered == s.at.v) {
      outcome.is_better = accept(s.at, s.residual) || outcome.is_better;
      break;
    }
    // The lower level answers with something better: a point of its own, and a cut.
    const KktPoint reply{answered, one_sided(problem_, problem_.lower_multipliers(),
                                             problem_.lower_bound_multipliers())};
    BilevelCertificate of_reply = c;
    of_reply.upper_stationarity = INFINITY;
    problem_.set_certificate(of_reply);
    outcome.is_better = accept(reply, INFINITY) || outcome.is_better;
    if (problem_.parts().lower_is_convex) break;  // the piece's multipliers were not good enough
    cuts_.push_back(make_cut(answered));
    ++num_cuts_;
    start = s.at;
  }
  // A response is a cut for other pieces only where it is feasible at every x.
  if (lower_depends_on_x_) cuts_ = before;
  return outcome;
}

std::vector<std::size_t> Search::degenerate(const KktPoint& at) const {
  const std::vector<LowerConstraint> list = lower_constraints(problem_);
  std::vector<double> g(problem_.lower_multipliers().size());
  HostAccess(problem_.lower()).constraints(at.v, g);
  std::vector<std::size_t> found;
  for (std::size_t k = 0; k < list.size(); ++k) {
    const LowerConstraint& c = list[k];
    const double value =
        c.is_variable ? at.v[size_of(problem_.num_upper() + c.row)] : g[size_of(c.row)];
    if (!c.is_equality && std::abs(at.l[k]) <= degenerate_below &&
        std::abs(value - c.bound) <= degenerate_below)
      found.push_back(k);
  }
  return found;
}

void Search::neighbours() {
  bool is_better = best_.has_value();
  while (is_better && !is_stopped()) {
    is_better = false;
    const KktPoint at = best_->at;
    const std::vector<std::size_t> biactive = degenerate(at);
    if (pieces_ == nullptr || biactive.size() > most_biactive) {
      // Of that many pieces around the point nothing is known.
      if (!biactive.empty()) best_->certificate.upper_stationarity = NAN;
      return;
    }
    const ActiveSet active = active_at(at);
    if (!(best_->certificate.upper_stationarity <= tolerance_))
      is_better = try_piece(active, at).is_better;
    for (std::size_t choice = 0; choice < (std::size_t{1} << biactive.size()) && !is_better;
         ++choice) {
      if (biactive.empty() || is_stopped()) break;
      ActiveSet other = active;
      for (std::size_t k = 0; k < biactive.size(); ++k)
        other[biactive[k]] = (choice >> k & 1U) != 0;
      is_better = try_piece(other, at).is_better;
    }
  }
}

void Search::leave_unverified() {
  if (best_ && !degenerate(best_->at).empty()) best_->certificate.upper_stationarity = NAN;
}

std::vector<KktPoint> Search::starting_points() {
  const auto nx = size_of(problem_.num_upper());
  const Bounds& bounds = problem_.variable_bounds();
  const std::vector<double>& start = problem_.parts().start;
  std::vector<KktPoint> points;
  if (best_) points.push_back(best_->at);
  // A Kronecker sequence with the powers of the root of z^(d + 1) = z + 1 (Roberts 2018): even for
  // few points; the seed shifts it.
  const RandomStream random(seed_, "lv_hba::search");
  double root = 1.5;
  for (int k = 0; k < 30; ++k)
    root = std::pow(1.0 + root, 1.0 / (static_cast<double>(start.size()) + 1.0));
  for (int s = 0; s <= num_samples && !is_stopped(); ++s) {
    std::vector<double> v = start;
    for (std::size_t j = 0; s > 0 && j < v.size(); ++j) {
      const double low = bounds.lower[j], high = bounds.upper[j];
      const double position = random.uniform(j) + s * std::pow(root, -static_cast<double>(j + 1));
      const double u = position - std::floor(position);
      const double reach = std::max(2.0, 2.0 * std::abs(start[j]));
      const double a =
          std::max(low, std::isfinite(high) ? std::max(low, high - 100.0) : start[j] - reach);
      const double b =
          std::min(high, std::isfinite(low) ? std::min(high, low + 100.0) : start[j] + reach);
      v[j] = std::isfinite(a) && std::isfinite(b) ? a + u * (b - a) : start[j];
    }
    points.push_back(lower_solution_at(std::span(v).first(nx), std::span(v).subspan(nx)));
  }
  return points;
}

void Search::everywhere(std::int64_t most) {
  const std::vector<KktPoint> points = starting_points();
  const std::int64_t first = pieces_->solves();
  const auto has_effort = [&] { return pieces_->solves() - first < most && !is_stopped(); };
  // The pieces that the points are on, then all of them, each until nothing new comes of it.
  for (const KktPoint& at : points)
    if (has_effort()) (void)try_piece(active_at(at), at);
  neighbours();
  const auto size = size_of(problem_.num_lower());
  each_subset(pieces_->constraints(), size, [&](const ActiveSet& active) {
    int failures = 0;
    std::vector<double> found;
    for (const KktPoint& at : points) {
      if (!has_effort() || failures == most_failures || found.size() == most_minima) return;
      const Outcome o = try_piece(active, at);
      if (!o.is_solved) {
        ++failures;
        continue;
      }
      for (const double F : found)
        if (std::abs(F - o.F) <= 1e-6 * std::max(1.0, std::abs(F))) return;
      found.push_back(o.F);
    }
  });
  neighbours();
}

}  // namespace lv_hba
