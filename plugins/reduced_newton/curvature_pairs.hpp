#pragma once

#include <deque>
#include <functional>
#include <libsolve/core/vector.hpp>

namespace reduced_newton {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// An approximate inverse of a Hessian H that knows pairs (s, y = H s) from earlier runs of conjugate
/// gradients: BFGS updates of a given one (Morales, Nocedal, Automatic preconditioning by limited
/// memory quasi-Newton updating, SIAM J. Optim. 10, 2000). Symmetric positive definite where that is,
/// and exact on the last s.
class CurvaturePairs {
 public:
  explicit CurvaturePairs(int most) : most_(static_cast<std::size_t>(most)) {}
  /// Copies; pairs without positive curvature are left out, the oldest go.
  void add(const Vector& s, const Vector& y);
  std::size_t size() const { return pairs_.size(); }
  /// z = approximation of H^-1 r, `base` the one to update.
  void apply(const Vector& r, const Vector& z,
             const std::function<void(const Vector&, const Vector&)>& base) const;
  /// The pairs as `change` makes them: on another grid.
  template <class Change>
  CurvaturePairs changed(const Change& change) const {
    CurvaturePairs other(static_cast<int>(most_));
    for (const Pair& p : pairs_) {
      const auto [s, y] = change(p.s, p.y);
      other.add(s, y);
    }
    return other;
  }

 private:
  struct Pair {
    Vector s, y;
    double sy;
  };
  std::size_t most_;
  std::deque<Pair> pairs_;
};

}  // namespace reduced_newton
