#include <algorithm>
#include <cmath>

#include "interior_point.hpp"
#include "krylov.hpp"

/// What InteriorPoint does where no step along the Newton direction is acceptable.
namespace sketch_newton {

namespace {

/// Part of the primal-dual error that a soft restoration has to take away.
constexpr double soft_gain = 1e-4;
/// Violation, scaled, up to which a point counts as feasible.
constexpr double feasible = 1e-7;

}  // namespace

/// The full step, where it lowers the primal-dual error: what saves filter methods at points where
/// functions are flat or constraints dependent.
bool InteriorPoint::soft_restoration() {
  const double alpha = std::min(longest_primal(dw_step_), alpha_dual_);
  bool ignored = false;
  try_step(dw_step_, alpha, ignored, 0.0);
  if (!std::isfinite(trial_theta_)) return false;
  const double before = error(mu_);
  const Iterate kept = at_;
  const Numbers c = c_, g = g_, J = J_;
  const double f = f_, theta = theta_, phi = phi_;
  take_dual_step(alpha, alpha);
  if (evaluate_derivatives() && error(mu_) <= (1.0 - soft_gain) * before) {
    alpha_ = alpha;
    return true;
  }
  at_ = kept;
  c_ = c;
  g_ = g;
  J_ = J;
  f_ = f;
  theta_ = theta;
  phi_ = phi;
  return false;
}

/// Section 3.3: a point acceptable to the filter with less violation, by an interior-point solve of
/// its own. False: there is none, `end` says why.
bool InteriorPoint::restore(End& end) {
  ++restorations_;
  augment_filter();
  const double mu = std::max(mu_, violation_max());
  FeasibilityForm form(form_, at_.w, std::sqrt(mu));
  for (std::size_t i = 0; i < lower_.size(); ++i) {
    form.lower[i] = lower_[i];
    form.upper[i] = upper_[i];
  }
  InteriorPointSettings settings = settings_;
  settings.mu = mu;
  settings.tolerance = std::max(settings_.tolerance, 1e-9);
  settings.max_iterations = settings_.max_iterations - iterations_;
  settings.has_multipliers = true;
  settings.push = 0.0;
  settings.make_system = {};
  Iterate start;
  start.w = form.start(mu);
  start.lambda.assign(form.m, 0.0);
  start.zl.assign(form.n, 0.0);
  start.zu.assign(form.n, 0.0);
  for (std::size_t i = 0; i < form.n; ++i) {
    if (i < form_.n) {
      if (!bounded_) continue;
      start.zl[i] = std::min(1000.0, at_.zl[i]);
      start.zu[i] = std::min(1000.0, at_.zu[i]);
    } else {
      start.zl[i] = mu / start.w[i];
    }
  }
  const double theta_before = theta_;
  bool found = false, stopped = false;
  const std::int64_t before = iterations_;
  Numbers c(form_.m);
  const Watch watch = [&](const InteriorPoint& inner) {
    iterations_ = before + inner.iterations();
    if (watch_ && !is_restoration_ && watch_(*this)) {
      stopped = true;
      return true;
    }
    if (inner.iterations() == 0) return false;
    const In w = In(inner.iterate().w).first(form_.n);
    const double f = form_.objective(w);
    form_.constraints(w, c);
    const double theta = sum_of_sizes(c), phi = barrier_objective(w, f);
    found = std::isfinite(phi) && theta <= 0.9 * theta_before && accepts(theta, phi);
    return found;
  };
  InteriorPoint inner(form, settings, watch, true);
  const End how = inner.run(start);
  iterations_ = before + inner.iterations();
  other_factorisations_ += inner.factorisations();
  other_solves_ += inner.solves();
  other_flops_ += inner.flops();
  corrections_ += inner.corrections();
  if (stopped) {
    end = End::stopped;
    return false;
  }
  std::copy_n(inner.iterate().w.begin(), form_.n, at_.w.begin());
  f_ = form_.objective(at_.w);
  form_.constraints(at_.w, c_);
  theta_ = sum_of_sizes(c_);
  phi_ = barrier_objective(at_.w, f_);
  if (!found) {
    if (how == End::max_iterations) {
      end = how;
    } else if (std::isfinite(theta_) && violation_max() <= feasible && std::isfinite(phi_) &&
               ++restored_ < 4) {
      // Feasible, but no better for the filter: go on from there with an empty one.
      found = true;
      filter_.clear();
    } else {
      end = how == End::converged ? End::infeasible : End::stuck;
      why_ = how == End::converged ? "the violation of the constraints has a local minimum here"
                                   : "the restoration phase ended: " + inner.why();
    }
    if (!found) return false;
  }
  for (std::size_t i = 0; bounded_ && i < form_.n; ++i) {
    at_.zl[i] = inner.iterate().zl[i];
    at_.zu[i] = inner.iterate().zu[i];
    if (at_.zl[i] > 1000.0 || at_.zu[i] > 1000.0) {
      for (std::size_t k = 0; k < form_.n; ++k) {
        at_.zl[k] = form_.has_lower(k) ? 1.0 : 0.0;
        at_.zu[k] = form_.has_upper(k) ? 1.0 : 0.0;
      }
      break;
    }
  }
  reset_bound_multipliers();
  if (!evaluate_derivatives()) {
    end = End::non_finite;
    return false;
  }
  least_squares_multipliers();
  return true;
}

}  // namespace sketch_newton
