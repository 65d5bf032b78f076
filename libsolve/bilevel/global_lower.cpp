#include <algorithm>
#include <libsolve/bilevel/detail/lower_box.hpp>
#include <libsolve/bilevel/global_lower.hpp>
#include <libsolve/core/errors.hpp>
#include <queue>

namespace libsolve {

namespace {

using namespace detail;  // NOLINT: operators of intervals

struct Node {
  double bound = -infinity;  ///< of f over the feasible points of the box
  std::vector<Interval> y;
  std::size_t direction = 0;                                               ///< to split along
  bool operator<(const Node& other) const { return bound > other.bound; }  // smallest first
};

class LowerSearch {
 public:
  LowerSearch(const BilevelProgram& problem, std::span<const double> x,
              std::span<const double> y_best, double f_best, const LowerBoundOptions& options,
              double slack)
      : options_(options), box_(problem, x, slack) {
    result_.y.assign(y_best.begin(), y_best.end());
    result_.objective = f_best;
    box_.estimate_multipliers(y_best);
  }

  LowerBound run(const Bounds& Y) {
    Node root;
    for (std::size_t j = 0; j < Y.size(); ++j) root.y.push_back({Y.lower[j], Y.upper[j]});
    examine(std::move(root));
    while (!open_.empty() && open_.top().bound < cutoff() &&
           result_.boxes + 2 <= options_.max_boxes) {
      Node n = open_.top();
      open_.pop();
      split(std::move(n));
    }
    result_.bound = open_.empty() ? closed_ : std::min(closed_, open_.top().bound);
    result_.is_proved = result_.bound >= cutoff();
    return std::move(result_);
  }

 private:
  double cutoff() const {
    return result_.objective -
           options_.relative_tolerance * std::max(1.0, std::abs(result_.objective));
  }

  void split(Node n) {
    const std::size_t j = n.direction;
    double at = 0.0;
    if (j == n.y.size() || !split_point(n.y[j], at)) {
      closed_ = std::min(closed_, n.bound);
      return;
    }
    Node right = n;
    n.y[j].high = at;
    right.y[j].low = at;
    examine(std::move(n));
    examine(std::move(right));
  }

  /// Bounds and shrinks the box; then it waits for being split, or is done with.
  void examine(Node n) {
    constexpr int max_rounds = 4;  // of shrinking, before it is split after all
    ++result_.boxes;
    for (int round = 0; round < max_rounds; ++round) {
      if (!box_.enclose(n.y)) return;  // infeasible
      n.bound = std::max(n.bound, box_.natural_bound());
      if (box_.is_monotone_and_shrinks(n.y)) continue;
      n.bound = std::max(n.bound, box_.centred_bound(n.y, result_.objective, result_.y));
      if (n.bound >= cutoff()) break;
      const LowerBox::Cut cut = box_.cut(n.y, cutoff());
      if (cut.by_objective) closed_ = std::min(closed_, cutoff());
      if (cut.is_empty) return;
      if (!cut.shrank) break;
    }
    if (n.bound >= cutoff()) {
      closed_ = std::min(closed_, n.bound);
      return;
    }
    n.direction = box_.direction_to_split(n.y);
    open_.push(std::move(n));
  }

  LowerBoundOptions options_;
  LowerBox box_;
  LowerBound result_;
  double closed_ = infinity;  ///< bound of f over the boxes that are done with
  std::priority_queue<Node> open_;
};

}  // namespace

LowerBound bound_lower_level(const BilevelProgram& problem, std::span<const double> x,
                             std::span<const double> y_best, double f_best,
                             const LowerBoundOptions& options) {
  if (!problem.parts().lower_range)
    throw Unsupported("bounding a lower level needs enclosures of its functions, and '" +
                      problem.description() + "' offers none (BilevelParts::lower_range)");
  LowerBound found;
  for (const double slack : {0.0, 1e-8}) {
    found = LowerSearch(problem, x, y_best, f_best, options, slack)
                .run(problem.parts().lower_variables);
    if (found.bound < infinity) break;
  }
  return found;
}

}  // namespace libsolve
