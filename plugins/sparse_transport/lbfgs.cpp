#include <cmath>
#include <deque>
#include <numeric>

#include "newton.hpp"

namespace sparse_transport {

namespace {

using Numbers = std::vector<double>;

double dot(const Numbers& x, const Numbers& y) {
  return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
}

/// The negated dual as a function of one vector: alpha and beta, or alpha alone.
struct Objective {
  KSparseDual& dual;
  bool semi_dual;
  DualPoint at(const Numbers& y, Potentials& x) const {
    const auto n = static_cast<std::ptrdiff_t>(dual.a().size());
    x.alpha.assign(y.begin(), y.begin() + n);
    if (semi_dual) return dual.at_semi_dual(x);
    x.beta.assign(y.begin() + n, y.end());
    return dual.at(x);
  }
  Numbers gradient(const DualPoint& p) const {
    Numbers g = p.of_rows;
    if (!semi_dual) g.insert(g.end(), p.of_columns.begin(), p.of_columns.end());
    return g;
  }
};

/// Curvature pairs and the two-loop recursion (Nocedal 1980).
class InverseHessian {
 public:
  void add(Numbers s, Numbers y) {
    const double sy = dot(s, y);
    if (!(sy > 1e-16 * dot(y, y))) return;
    if (pairs_.size() == 10) pairs_.pop_front();
    pairs_.push_back({std::move(s), std::move(y), 1.0 / sy});
  }
  void forget() { pairs_.clear(); }
  bool empty() const { return pairs_.empty(); }
  Numbers direction(Numbers q, double first_scale) const {
    Numbers alpha(pairs_.size());
    for (std::size_t k = pairs_.size(); k-- > 0;) {
      alpha[k] = pairs_[k].rho * dot(pairs_[k].s, q);
      for (std::size_t i = 0; i < q.size(); ++i) q[i] -= alpha[k] * pairs_[k].y[i];
    }
    double scale = first_scale;
    if (!pairs_.empty()) scale = 1.0 / (pairs_.back().rho * dot(pairs_.back().y, pairs_.back().y));
    for (double& x : q) x *= scale;
    for (std::size_t k = 0; k < pairs_.size(); ++k) {
      const double beta = pairs_[k].rho * dot(pairs_[k].y, q);
      for (std::size_t i = 0; i < q.size(); ++i) q[i] += (alpha[k] - beta) * pairs_[k].s[i];
    }
    for (double& x : q) x = -x;
    return q;
  }

 private:
  struct Pair {
    Numbers s, y;
    double rho;
  };
  std::deque<Pair> pairs_;
};

}  // namespace

void ascend_by_lbfgs(Ascent& s, bool semi_dual) {
  const Objective objective{s.dual, semi_dual};
  Numbers y = s.x.alpha;
  if (!semi_dual) y.insert(y.end(), s.x.beta.begin(), s.x.beta.end());
  s.stages = 1;
  s.point = objective.at(y, s.x);
  Numbers gradient = objective.gradient(s.point);
  InverseHessian inverse;
  while (!(s.point.violation <= s.tolerance)) {
    if (s.has_to_stop()) return;
    const Numbers d = inverse.direction(gradient, s.dual.rule.gamma);
    const double slope = dot(d, gradient);
    bool moved = false;
    for (double step = 1.0; step > 1e-12 && !moved; step *= 0.5) {
      Numbers there = y;
      for (std::size_t i = 0; i < y.size(); ++i) there[i] += step * d[i];
      Potentials x = s.x;
      DualPoint p = objective.at(there, x);
      if (p.value > s.point.value + 1e-4 * step * slope) continue;
      moved = true;
      Numbers g = objective.gradient(p), by = g, move = d;
      for (std::size_t i = 0; i < y.size(); ++i) {
        by[i] -= gradient[i];
        move[i] *= step;
      }
      inverse.add(std::move(move), std::move(by));
      y = std::move(there);
      s.x = std::move(x);
      s.point = std::move(p);
      gradient = std::move(g);
      ++s.iterations;
    }
    if (moved) continue;
    if (inverse.empty()) {  // not even along the gradient: a kink, or rounding
      s.status = Status::stagnated;
      return;
    }
    inverse.forget();
  }
  s.status = Status::converged;
}

}  // namespace sparse_transport
