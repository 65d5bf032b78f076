#include "polish.hpp"

#include <algorithm>
#include <cmath>

#include "krylov.hpp"

namespace sketch_newton {

namespace {

constexpr int most_exchanges = 8;
constexpr int most_steps = 6;
/// Steps go on while each reduces the error to this part.
constexpr double least_progress = 0.5;
constexpr double enough = 1e-13;
constexpr double dual_shift = 1e-10;

}  // namespace

Polish::Polish(SlackForm& form, std::size_t dense_limit) : form_(form), dense_limit_(dense_limit) {}

void Polish::prepare() {
  if (kkt_) return;
  kkt_ = std::make_unique<KktSystem>(form_, dense_limit_);
  kkt_->stop = stop;
  side_.assign(form_.n, Side::none);
  held_.assign(form_.n, 0);
  g_.resize(form_.n);
  c_.resize(form_.m);
  J_.resize(form_.jacobian_pattern.size());
  H_.resize(form_.hessian_pattern.size());
  r_.resize(form_.n);
}

/// r = g + J^T lambda for all variables; the largest entry of free ones and of c.
double Polish::stationarity_and_violation(const Iterate& at) {
  form_.gradient(at.w, g_);
  form_.constraints(at.w, c_);
  form_.jacobian(at.w, J_);
  r_ = g_;
  form_.add_jacobian_adjoint(J_, at.lambda, r_);
  double e = largest(c_);
  for (std::size_t i = 0; i < form_.n; ++i)
    if (!held_[i] && !(std::abs(r_[i]) <= e)) e = std::abs(r_[i]);
  return e;
}

bool Polish::newton(Iterate& at) {
  const std::size_t n = form_.n, m = form_.m;
  for (std::size_t i = 0; i < n; ++i) {
    held_[i] = side_[i] != Side::none;
    if (side_[i] == Side::lower) at.w[i] = form_.lower[i];
    if (side_[i] == Side::upper) at.w[i] = form_.upper[i];
  }
  kkt_->hold(held_);
  double error = stationarity_and_violation(at);
  const Numbers none(n, 0.0);
  Numbers rhs(n + m), x;
  for (int k = 0; k < most_steps; ++k) {
    if (!std::isfinite(error)) return false;
    if (error <= enough) return true;
    form_.hessian(at.w, at.lambda, H_);
    kkt_->set(H_, J_, none);
    if (!kkt_->factor(0.0, 0.0)) return false;
    if (!kkt_->has_right_inertia()) {
      if (!kkt_->factor(0.0, dual_shift)) return false;
      if (!kkt_->has_right_inertia()) return false;
    }
    for (std::size_t i = 0; i < n; ++i) rhs[i] = held_[i] ? 0.0 : -r_[i];
    for (std::size_t i = 0; i < m; ++i) rhs[n + i] = -c_[i];
    if (!(kkt_->solve(rhs, x) < 1e-4)) return false;
    ++steps_;
    const Iterate before = at;
    for (std::size_t i = 0; i < n; ++i) at.w[i] += x[i];
    for (std::size_t i = 0; i < m; ++i) at.lambda[i] += x[n + i];
    const double now = stationarity_and_violation(at);
    if (!(now < least_progress * error)) {
      // Rounding, or too far away.
      const bool was_better = !(now < error);
      if (was_better) {
        at = before;
        error = stationarity_and_violation(at);
      }
      return k > 0 && error < 1e-6;
    }
    error = now;
  }
  return error < 1e-6;
}

void Polish::set_multipliers(Iterate& at) {
  at.zl.resize(form_.n);
  at.zu.resize(form_.n);
  for (std::size_t i = 0; i < form_.n; ++i) {
    at.zl[i] = side_[i] == Side::lower ? std::max(0.0, r_[i]) : 0.0;
    at.zu[i] = side_[i] == Side::upper ? std::max(0.0, -r_[i]) : 0.0;
  }
}

/// Bounds to add and to drop; false where none is.
bool Polish::exchange(Iterate& at) {
  bool changed = false;
  const double small = 1e-9 * std::max(1.0, largest(g_));
  for (std::size_t i = 0; i < form_.n; ++i) {
    if (side_[i] == Side::lower && r_[i] < -small) {
      side_[i] = Side::none;
      changed = true;
    } else if (side_[i] == Side::upper && r_[i] > small) {
      side_[i] = Side::none;
      changed = true;
    } else if (side_[i] == Side::none) {
      if (form_.lower[i] - at.w[i] > 1e-9 * std::max(1.0, std::abs(form_.lower[i]))) {
        side_[i] = Side::lower;
        changed = true;
      } else if (at.w[i] - form_.upper[i] > 1e-9 * std::max(1.0, std::abs(form_.upper[i]))) {
        side_[i] = Side::upper;
        changed = true;
      }
    }
  }
  return changed;
}

bool Polish::run(Iterate& at, double wanted) {
  prepare();
  Iterate trial = at;
  for (std::size_t i = 0; i < form_.n; ++i) {
    side_[i] = Side::none;
    const double to_lower = at.w[i] - form_.lower[i], to_upper = form_.upper[i] - at.w[i];
    if (form_.has_lower(i) && at.zl[i] > to_lower) side_[i] = Side::lower;
    if (form_.has_upper(i) && at.zu[i] > to_upper &&
        (side_[i] == Side::none || at.zu[i] > at.zl[i]))
      side_[i] = Side::upper;
  }
  for (int round = 0; round < most_exchanges; ++round) {
    if (stop && stop()) return false;
    if (!newton(trial)) return false;
    if (exchange(trial)) continue;
    set_multipliers(trial);
    residual_ = form_.kkt_residual(trial.w, trial.lambda, trial.z());
    if (!(residual_.largest() <= wanted)) return false;
    at = std::move(trial);
    return true;
  }
  return false;
}

}  // namespace sketch_newton
