/// \file
/// The projection onto a box cut by a few linear rows (see projections.hpp), for any execution
/// space.
#pragma once

#include <algorithm>
#include <cmath>
#include <libsolve/bilevel/detail/projection_kernels.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <string>
#include <vector>

namespace libsolve::detail {

/// A x = b for a symmetric positive definite A (n x n, by rows), by Cholesky; b becomes x. A is
/// overwritten. False where a pivot is not positive.
inline bool solve_definite(std::vector<double>& A, std::vector<double>& b) {
  const std::size_t n = b.size();
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t k = 0; k < j; ++k) A[j * n + j] -= A[j * n + k] * A[j * n + k];
    if (!(A[j * n + j] > 0.0)) return false;
    A[j * n + j] = std::sqrt(A[j * n + j]);
    for (std::size_t i = j + 1; i < n; ++i) {
      for (std::size_t k = 0; k < j; ++k) A[i * n + j] -= A[i * n + k] * A[j * n + k];
      A[i * n + j] /= A[j * n + j];
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < i; ++k) b[i] -= A[i * n + k] * b[k];
    b[i] /= A[i * n + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k) b[i] -= A[k * n + i] * b[k];
    b[i] /= A[i * n + i];
  }
  return true;
}

/// Minimises the dual of min 1/2 |p - v|^2 over p in the box with low_i <= a_i . p <= high_i,
///   phi(mu) = -(1/2 |p - v|^2 + sum_i mu_i a_i . p) + sum_i max(high_i mu_i, low_i mu_i),
/// p(mu) = v - sum_i mu_i a_i within the box. phi is convex and piecewise quadratic.
template <class Exec>
class BoxRows {
 public:
  using Space = typename Exec::memory_space;
  using View = Kokkos::View<double*, Space>;

  /// lower, upper: n each; rows: m n numbers, row after row; low, high: m each.
  BoxRows(const std::vector<double>& lower, const std::vector<double>& upper,
          const std::vector<double>& rows, std::vector<double> low, std::vector<double> high)
      : n_(static_cast<Index>(lower.size())),
        m_(static_cast<Index>(low.size())),
        low_(std::move(low)),
        high_(std::move(high)),
        lower_(copy_of(lower)),
        upper_(copy_of(upper)),
        rows_(copy_of(rows)),
        w_(bare("projection::w", n_)),
        p_(bare("projection::p", n_)),
        is_free_(bare("projection::is_free", n_)),
        zero_("projection::zero", static_cast<std::size_t>(n_)),
        mu_(static_cast<std::size_t>(m_), 0.0),
        along_(mu_),
        lengths_(mu_) {
    for (Index i = 0; i < m_; ++i) lengths_[at(i)] = std::sqrt(sum(Product{row(i), row(i)}));
  }

  /// v <- its projection; what is not finite stays so. Throws DataError where the set is empty.
  void project(const View& v) {
    v_ = v.data();
    if (m_ == 1) {
      solve_row(0);
    } else {
      newton();
    }
    for_rows(default_space<Exec>(), "projection::copy", n_, Copy{p_.data(), v.data()});
  }

 private:
  static std::size_t at(Index i) { return static_cast<std::size_t>(i); }
  static View bare(const std::string& label, Index n) {
    return View(Kokkos::view_alloc(label, Kokkos::WithoutInitializing), at(n));
  }
  static View copy_of(const std::vector<double>& values) {
    const View copy = bare("projection::data", static_cast<Index>(values.size()));
    Kokkos::deep_copy(copy,
                      Kokkos::View<const double*, Kokkos::HostSpace>(values.data(), values.size()));
    return copy;
  }
  const double* row(Index i) const { return rows_.data() + static_cast<GlobalIndex>(i) * n_; }

  template <class Body>
  double sum(const Body& body) const {
    return reduce_rows<Sums<1>>(default_space<Exec>(), "projection::sum", n_, body).value[0];
  }

  /// w <- v - sum mu_i a_i without row `skipped`.
  void move(Index skipped) {
    MoveAlongRows body{v_, rows_.data(), w_.data(), {}, n_, m_, skipped};
    std::copy(mu_.begin(), mu_.end(), body.multipliers);
    for_rows(default_space<Exec>(), "projection::move", n_, body);
  }
  struct RowSums {
    double row, slope, distance, size;
  };
  /// p from w and mu a_i.
  RowSums clamp(const double* a, double mu) {
    const auto s = reduce_rows<Sums<4>>(
        default_space<Exec>(), "projection::clamp", n_,
        ClampedRow{w_.data(), a, v_, lower_.data(), upper_.data(), p_.data(), is_free_.data(), mu});
    return {s.value[0], s.value[1], s.value[2], s.value[3]};
  }

  /// Rounding in a_i . p.
  double rounding(Index i, double size, double bound) const {
    constexpr double eps = 2.3e-16;
    return 8.0 * eps * (lengths_[at(i)] * std::sqrt(size) + std::abs(bound));
  }

  [[noreturn]] void is_empty(Index i, double value) const {
    throw DataError("the set to project onto is empty, or nearly: row " + std::to_string(i + 1) +
                    " should lie between " + format_number(low_[at(i)]) + " and " +
                    format_number(high_[at(i)]) + " and can be brought to " + short_number(value) +
                    " within the bounds of the variables and the other rows");
  }

  /// The multiplier of row i that minimises phi with the others as they are: the root of the
  /// falling function a_i . p(mu) - bound, by Newton's method within a bracket.
  void solve_row(Index i) {
    move(i);
    const double* a = row(i);
    const RowSums free = clamp(a, 0.0);
    const double bound = free.row > high_[at(i)] ? high_[at(i)] : low_[at(i)];
    if ((free.row >= low_[at(i)] && free.row <= high_[at(i)]) || !std::isfinite(free.row)) {
      mu_[at(i)] = 0.0;
      return;
    }
    const double sign = free.row > high_[at(i)] ? 1.0 : -1.0;  // of the multiplier
    const double length = lengths_[at(i)];
    if (length == 0.0) is_empty(i, 0.0);
    double inside = 0.0, outside = infinity();  // sign * mu: too small, too large
    double mu = mu_[at(i)] * sign > 0.0 ? mu_[at(i)] * sign : 0.0;
    constexpr int max_steps = 200;
    for (int step = 0; step < max_steps; ++step) {
      const RowSums s = mu == 0.0 && step == 0 ? free : clamp(a, sign * mu);
      const double excess = sign * (s.row - bound);
      if (std::abs(excess) <= rounding(i, s.size, bound)) {
        mu_[at(i)] = sign * mu;
        return;
      }
      (excess > 0.0 ? inside : outside) = mu;
      double next = mu + (s.slope > 0.0 ? excess / s.slope : infinity());
      if (!(next > inside && next < outside)) {
        if (outside < infinity())
          next = 0.5 * (inside + outside);
        else if (!(next < infinity()))
          next = 4.0 * std::max(mu, std::abs(excess) / (length * length));
      }
      if (next == mu || (outside < infinity() &&
                         outside - inside <= 4e-16 * outside)) {  // as near as doubles come
        if (std::abs(excess) <= 1e-9 * (length * std::sqrt(s.size) + std::abs(bound) + 1.0)) {
          mu_[at(i)] = sign * mu;
          return;
        }
        break;
      }
      mu = next;
    }
    is_empty(i, clamp(a, sign * mu).row);
  }
  static double infinity() { return std::numeric_limits<double>::infinity(); }

  struct State {
    double objective = 0.0;  ///< phi
    double residual = 0.0;   ///< of the rows, over their rounding
    Index worst = 0;
  };

  /// p, the rows' values and phi at mu.
  State evaluate() {
    move(m_);
    const RowSums s = clamp(zero_.data(), 0.0);
    State state;
    state.objective = -0.5 * s.distance;
    for (Index i = 0; i < m_; ++i) {
      const double value = sum(Product{row(i), p_.data()});
      const double mu = mu_[at(i)];
      along_[at(i)] = value;
      const double bound = mu > 0.0 ? high_[at(i)] : low_[at(i)];
      state.objective += mu == 0.0 ? 0.0 : mu * (bound - value);
      const double r = std::abs(value - nearest(i)) / rounding(i, s.size, nearest(i));
      if (r > state.residual) {
        state.residual = r;
        state.worst = i;
      }
    }
    return state;
  }

  /// The value that row i should have, from its value and multiplier.
  double nearest(Index i) const {
    const double length = lengths_[at(i)];
    const double t = along_[at(i)] + length * length * mu_[at(i)];
    return t > high_[at(i)] ? high_[at(i)] : t < low_[at(i)] ? low_[at(i)] : t;
  }

  /// The multipliers at which the present pieces of phi, plus ridge |a_i|^2 / 2 times the squares
  /// of the steps, have their minimum; empty where they have none.
  std::vector<double> newton_point(double ridge) {
    std::vector<double> M(at(m_) * at(m_));
    for (Index i = 0; i < m_; ++i)
      for (Index k = 0; k <= i; ++k)
        M[at(i) * at(m_) + at(k)] = M[at(k) * at(m_) + at(i)] =
            sum(WeightedProduct{row(i), row(k), is_free_.data()});
    std::vector<Index> active;
    for (Index i = 0; i < m_; ++i) {
      const double target = nearest(i);
      if (target == high_[at(i)] || target == low_[at(i)]) active.push_back(i);
    }
    std::vector<double> A(active.size() * active.size()), b(active.size());
    std::vector<double> next(at(m_), 0.0);
    for (std::size_t r = 0; r < active.size(); ++r) {
      const Index i = active[r];
      b[r] = along_[at(i)] - nearest(i);
      for (Index k = 0; k < m_; ++k) b[r] += M[at(i) * at(m_) + at(k)] * mu_[at(k)];
      for (std::size_t c = 0; c < active.size(); ++c)
        A[r * active.size() + c] = M[at(i) * at(m_) + at(active[c])];
      const double added = ridge * lengths_[at(i)] * lengths_[at(i)];
      A[r * active.size() + r] += added;
      b[r] += added * mu_[at(i)];
    }
    if (!solve_definite(A, b)) return {};
    for (std::size_t r = 0; r < active.size(); ++r) next[at(active[r])] = b[r];
    return next;
  }

  /// Whether phi falls, or where rounding hides that, the residual.
  static bool falls(const State& from, const State& to) {
    const double rounding = 1e-13 * (1.0 + std::abs(from.objective));
    return to.objective < from.objective - rounding ||
           (to.objective < from.objective + rounding && to.residual < 0.9 * from.residual);
  }

  void newton() {
    constexpr int max_steps = 500;
    constexpr double enough = 1.0;  // times rounding
    State now = evaluate();
    if (!std::isfinite(now.objective)) return;
    for (int step = 0; step < max_steps && now.residual > enough; ++step) {
      const std::vector<double> before = mu_;
      State best = now;
      bool is_better = false;
      // Where no variable is free along a row the pieces are flat: then steps of the size of a
      // gradient step's.
      for (const double ridge : {1e-13, 1e-3, 0.3}) {
        const std::vector<double> next = newton_point(ridge);
        for (double t = 1.0; !next.empty() && !is_better && t > 0.05; t *= 0.5) {
          for (std::size_t i = 0; i < mu_.size(); ++i)
            mu_[i] = t == 1.0 ? next[i] : before[i] + t * (next[i] - before[i]);
          best = evaluate();
          is_better = falls(now, best);
        }
        if (is_better) break;
        mu_ = before;
        evaluate();
      }
      if (is_better) {
        now = best;
        continue;
      }
      for (Index i = 0; i < m_; ++i) solve_row(i);
      const State swept = evaluate();
      const bool is_stuck = !falls(now, swept);
      now = swept;
      if (is_stuck) break;
    }
    constexpr double still_right = 1e5;  // times rounding, for rows that are nearly dependent
    if (now.residual > still_right) is_empty(now.worst, along_[at(now.worst)]);
  }

  Index n_, m_;
  std::vector<double> low_, high_;
  View lower_, upper_, rows_, w_, p_, is_free_, zero_;
  std::vector<double> mu_, along_, lengths_;
  const double* v_ = nullptr;
};

}  // namespace libsolve::detail
