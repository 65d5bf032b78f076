#include "interior_point.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "krylov.hpp"

namespace sketch_newton {

namespace {

constexpr double eps = std::numeric_limits<double>::epsilon();
// Names of Waechter and Biegler (2006) in comments.
constexpr double kappa_eps = 10.0;  // error at which mu is lowered, over mu
constexpr double kappa_mu = 0.1;    // mu's linear decrease
constexpr double theta_mu = 1.5;    // mu's superlinear decrease
constexpr double tau_min = 0.99;    // fraction to the boundary
constexpr double gamma_theta = 1e-5;
constexpr double gamma_phi = 1e-5;
constexpr double delta_switch = 1.0;
constexpr double s_theta = 1.1;
constexpr double s_phi = 2.3;
constexpr double eta_phi = 1e-8;
constexpr double gamma_alpha = 0.05;
constexpr double kappa_soc = 0.99;
constexpr int most_corrections = 4;
constexpr double kappa_sigma = 1e10;
constexpr double kappa_d = 1e-5;  // damping of variables with one bound
constexpr double s_max = 100.0;
constexpr double bound_relaxation = 1e-8;
constexpr double largest_multiplier = 1e3;
constexpr double first_shift = 1e-4, least_shift = 1e-20, most_shift = 1e40;
constexpr double dual_shift = 1e-8;
/// Above it dependent rows of J are the likelier cause of a wrong inertia.
constexpr double largest_usual_shift = 1e4;
/// Shifted steps longer than this times max(1, |w|) ask for a larger shift: the matrix is nearly
/// singular.
constexpr double longest_shifted_step = 10.0;
/// Iterations without a tenth less violation, after which the restoration phase is called.
constexpr std::int64_t most_without_progress = 100;
constexpr double unbounded_below = -1e20;

bool all_finite(In x) {
  double s = 0.0;
  for (const double v : x) s += v * 0.0;
  return s == 0.0;
}

}  // namespace

Numbers Iterate::z() const {
  Numbers z(zl.size());
  for (std::size_t i = 0; i < z.size(); ++i) z[i] = zu[i] - zl[i];
  return z;
}

InteriorPoint::InteriorPoint(Form& form, const InteriorPointSettings& settings, Watch watch,
                             bool is_restoration)
    : form_(form),
      settings_(settings),
      watch_(std::move(watch)),
      is_restoration_(is_restoration),
      kkt_(settings.make_system ? settings.make_system(form)
                                : std::make_unique<KktSystem>(form, settings.dense_limit)) {
  const std::size_t n = form.n, m = form.m;
  for (std::size_t i = 0; i < n; ++i) bounded_ = bounded_ || form.has_lower(i) || form.has_upper(i);
  if (bounded_) {
    lower_ = form.lower;
    upper_ = form.upper;
  }
  for (std::size_t i = 0; i < lower_.size(); ++i) {
    lower_[i] -= bound_relaxation * std::max(1.0, std::abs(lower_[i]));
    upper_[i] += bound_relaxation * std::max(1.0, std::abs(upper_[i]));
  }
  kkt_->stop = settings.stop;
  g_.resize(n);
  c_.resize(m);
  J_.resize(form.jacobian_pattern.size());
  H_.resize(form.hessian_pattern.size());
  sigma_.resize(n);
  dw_step_.resize(n);
  dlambda_.resize(m);
  dzl_.resize(bounded_ ? n : 0);
  dzu_.resize(bounded_ ? n : 0);
  trial_w_.resize(n);
  trial_c_.resize(m);
}

double InteriorPoint::violation_max() const {
  return largest(c_);
}

/// kappa_1, kappa_2 of section 3.6.
void InteriorPoint::push_inside(Numbers& w) const {
  for (std::size_t i = 0; i < form_.n; ++i) {
    const double l = lower_[i], u = upper_[i], k = settings_.push;
    double low = -INFINITY, high = INFINITY;
    const double width = u - l;
    if (form_.has_lower(i)) low = l + std::min(k * std::max(1.0, std::abs(l)), k * width);
    if (form_.has_upper(i)) high = u - std::min(k * std::max(1.0, std::abs(u)), k * width);
    w[i] = std::max(w[i], low);
    w[i] = std::min(w[i], high);
  }
}

double InteriorPoint::barrier_objective(In w, double f) const {
  double phi = f;
  for (std::size_t i = 0; i < form_.n; ++i) {
    const bool l = form_.has_lower(i), u = form_.has_upper(i);
    if (l) phi -= mu_ * std::log(w[i] - lower_[i]);
    if (u) phi -= mu_ * std::log(upper_[i] - w[i]);
    if (l && !u) phi += kappa_d * mu_ * (w[i] - lower_[i]);
    if (u && !l) phi += kappa_d * mu_ * (upper_[i] - w[i]);
  }
  return phi;
}

Numbers InteriorPoint::barrier_gradient() const {
  Numbers d = g_;
  for (std::size_t i = 0; i < form_.n; ++i) {
    const bool l = form_.has_lower(i), u = form_.has_upper(i);
    if (l) d[i] -= mu_ / (at_.w[i] - lower_[i]);
    if (u) d[i] += mu_ / (upper_[i] - at_.w[i]);
    if (l && !u) d[i] += kappa_d * mu_;
    if (u && !l) d[i] -= kappa_d * mu_;
  }
  return d;
}

void InteriorPoint::dual_residual(Out r) const {
  for (std::size_t i = 0; i < form_.n; ++i) r[i] = bounded_ ? g_[i] - at_.zl[i] + at_.zu[i] : g_[i];
  form_.add_jacobian_adjoint(J_, at_.lambda, r);
}

double InteriorPoint::error(double mu) const {
  Numbers r(form_.n);
  dual_residual(r);
  double complementarity = 0.0;
  std::size_t bounds = 0;
  for (std::size_t i = 0; i < form_.n; ++i) {
    if (form_.has_lower(i)) {
      complementarity =
          std::max(complementarity, std::abs((at_.w[i] - lower_[i]) * at_.zl[i] - mu));
      ++bounds;
    }
    if (form_.has_upper(i)) {
      complementarity =
          std::max(complementarity, std::abs((upper_[i] - at_.w[i]) * at_.zu[i] - mu));
      ++bounds;
    }
  }
  const double z = sum_of_sizes(at_.zl) + sum_of_sizes(at_.zu), y = sum_of_sizes(at_.lambda);
  const auto scale = [](double sum, std::size_t count) {
    return count == 0 ? 1.0 : std::max(s_max, sum / static_cast<double>(count)) / s_max;
  };
  const double s_d = scale(z + y, form_.m + bounds), s_c = scale(z, bounds);
  return std::max({largest(r) / s_d, largest(c_), complementarity / s_c});
}

bool InteriorPoint::evaluate_first() {
  f_ = form_.objective(at_.w);
  form_.constraints(at_.w, c_);
  theta_ = sum_of_sizes(c_);
  phi_ = barrier_objective(at_.w, f_);
  if (!std::isfinite(f_) || !std::isfinite(theta_)) {
    why_ = !std::isfinite(f_) ? "the objective is not finite at the start"
                              : "constraints are not finite at the start";
    return false;
  }
  return evaluate_derivatives();
}

bool InteriorPoint::evaluate_derivatives() {
  form_.gradient(at_.w, g_);
  form_.jacobian(at_.w, J_);
  if (all_finite(g_) && all_finite(J_)) return true;
  why_ = all_finite(g_) ? "the Jacobian is not finite" : "the gradient is not finite";
  return false;
}

/// Section 3.6: minimise |g + J^T lambda - zl + zu|_2.
void InteriorPoint::least_squares_multipliers() {
  const std::size_t n = form_.n, m = form_.m;
  if (m == 0) return;
  std::fill(H_.begin(), H_.end(), 0.0);
  Numbers ones(n, 1.0), rhs(n + m, 0.0), x;
  kkt_->set(H_, J_, ones);
  std::fill(at_.lambda.begin(), at_.lambda.end(), 0.0);
  if (!kkt_->factor(0.0, 0.0) || !kkt_->has_right_inertia())
    if (!kkt_->factor(0.0, dual_shift)) return;
  for (std::size_t i = 0; i < n; ++i) rhs[i] = bounded_ ? -(g_[i] - at_.zl[i] + at_.zu[i]) : -g_[i];
  const double residual = kkt_->solve(rhs, x);
  const In lambda = In(x).subspan(n);
  if (residual < 1e-6 && largest(lambda) <= largest_multiplier)
    std::copy(lambda.begin(), lambda.end(), at_.lambda.begin());
}

/// eq. (7), (8); true where mu changed.
bool InteriorPoint::update_mu() {
  bool changed = false;
  const double least = settings_.least_mu;
  while (mu_ > least && (error(mu_) <= std::max(kappa_eps * mu_, settings_.tolerance) ||
                         (tiny_steps_ > 1 && !changed))) {
    mu_ = std::max(least, std::min(kappa_mu * mu_, std::pow(mu_, theta_mu)));
    tau_ = std::max(tau_min, 1.0 - mu_);
    changed = true;
    tiny_steps_ = 0;
    if (form_.set_barrier(mu_)) {
      f_ = form_.objective(at_.w);
      form_.gradient(at_.w, g_);
    }
  }
  if (changed) {
    phi_ = barrier_objective(at_.w, f_);
    filter_.clear();
  }
  return changed;
}

/// Algorithm IC of section 3.1.
bool InteriorPoint::factor_with_right_inertia() {
  dc_ = degenerate_ ? dual_shift : 0.0;
  dw_ = forced_shift_;
  for (int attempt = 0; attempt < 60; ++attempt) {
    const bool ok = kkt_->factor(dw_, dc_);
    if (!ok && is_stopped()) return false;
    if (ok && kkt_->has_right_inertia()) {
      if (dw_ > 0.0) dw_last_ = dw_;

      return true;
    }
    if (dc_ == 0.0 && form_.m > 0) {
      // Rows of J that depend on each other spoil the inertia at any dw.
      if (ok && kkt_->is_singular()) {
        dc_ = dual_shift;
        if (dw_ == 0.0) continue;
      } else if (dw_ > largest_usual_shift && violation_max() < 1e-2) {
        dc_ = dual_shift;
        dw_ = forced_shift_;
        continue;
      }
    }
    if (dw_ == 0.0)
      dw_ = dw_last_ == 0.0 ? first_shift : std::max(least_shift, dw_last_ / 3.0);
    else
      dw_ *= dw_last_ == 0.0 ? 100.0 : 8.0;
    if (dw_ > most_shift) break;
  }
  why_ = "no shift gives the Newton matrix the right inertia";
  return false;
}

/// -(gradient of phi + J^T lambda), and m zeros.
Numbers InteriorPoint::newton_rhs() const {
  Numbers rhs = barrier_gradient();
  form_.add_jacobian_adjoint(J_, at_.lambda, rhs);
  for (double& v : rhs) v = -v;
  rhs.resize(form_.n + form_.m, 0.0);
  return rhs;
}

bool InteriorPoint::compute_step() {
  const std::size_t n = form_.n, m = form_.m;
  form_.hessian(at_.w, at_.lambda, H_);
  if (!all_finite(H_)) {
    why_ = "the Hessian is not finite";
    not_finite_ = true;
    return false;
  }
  for (std::size_t i = 0; i < n; ++i) {
    sigma_[i] = 0.0;
    if (form_.has_lower(i)) sigma_[i] += at_.zl[i] / (at_.w[i] - lower_[i]);
    if (form_.has_upper(i)) sigma_[i] += at_.zu[i] / (upper_[i] - at_.w[i]);
  }
  kkt_->set(H_, J_, sigma_);
  Numbers rhs = newton_rhs(), x;
  for (std::size_t i = 0; i < m; ++i) rhs[n + i] = -c_[i];
  for (int attempt = 0;; ++attempt) {
    if (!factor_with_right_inertia()) return false;
    const double residual = kkt_->solve(rhs, x);
    if (is_stopped()) return false;
    if (residual < 1e-6 && all_finite(x)) {
      double longest = 0.0;
      for (std::size_t i = 0; i < n; ++i) longest = std::max(longest, std::abs(x[i]));
      if (dw_ > 0.0 && attempt < 8 &&
          longest > longest_shifted_step * std::max(1.0, largest(at_.w))) {
        forced_shift_ = 8.0 * dw_;
        continue;
      }
      break;
    }
    // The factors are no use: dependent rows of J first, then anything.
    if (attempt == 0 && !degenerate_ && m > 0) {
      degenerate_ = true;
    } else if (attempt < 5) {
      forced_shift_ = std::max(first_shift, 100.0 * dw_);
    } else if (all_finite(x) && residual < 1e-2) {
      break;
    } else {
      why_ = "the Newton system cannot be solved";
      return false;
    }
  }
  std::copy_n(x.begin(), n, dw_step_.begin());
  std::copy_n(x.begin() + static_cast<std::ptrdiff_t>(n), m, dlambda_.begin());
  for (std::size_t i = 0; bounded_ && i < n; ++i) {
    dzl_[i] = dzu_[i] = 0.0;
    if (form_.has_lower(i)) {
      const double s = at_.w[i] - lower_[i];
      dzl_[i] = mu_ / s - at_.zl[i] - at_.zl[i] / s * dw_step_[i];
    }
    if (form_.has_upper(i)) {
      const double s = upper_[i] - at_.w[i];
      dzu_[i] = mu_ / s - at_.zu[i] + at_.zu[i] / s * dw_step_[i];
    }
  }
  return true;
}

/// eq. (15a).
double InteriorPoint::longest_primal(In dw) const {
  double alpha = 1.0;
  for (std::size_t i = 0; i < form_.n; ++i) {
    if (form_.has_lower(i) && dw[i] < 0.0)
      alpha = std::min(alpha, -tau_ * (at_.w[i] - lower_[i]) / dw[i]);
    if (form_.has_upper(i) && dw[i] > 0.0)
      alpha = std::min(alpha, tau_ * (upper_[i] - at_.w[i]) / dw[i]);
  }
  return alpha;
}

/// eq. (15b).
double InteriorPoint::longest_dual() const {
  double alpha = 1.0;
  for (std::size_t i = 0; bounded_ && i < form_.n; ++i) {
    if (dzl_[i] < 0.0) alpha = std::min(alpha, -tau_ * at_.zl[i] / dzl_[i]);
    if (dzu_[i] < 0.0) alpha = std::min(alpha, -tau_ * at_.zu[i] / dzu_[i]);
  }
  return alpha;
}

double InteriorPoint::slope_of(In dw) const {
  const Numbers d = barrier_gradient();
  double s = 0.0;
  for (std::size_t i = 0; i < form_.n; ++i) s += d[i] * dw[i];
  return s;
}

bool InteriorPoint::acceptable_to_filter(double theta, double phi) const {
  if (!(theta < theta_max_)) return false;
  for (const Entry& e : filter_)
    if (theta >= e.theta && phi >= e.phi) return false;
  return true;
}

void InteriorPoint::augment_filter() {
  filter_.push_back({(1.0 - gamma_theta) * theta_, phi_ - gamma_phi * theta_});
}

bool InteriorPoint::accepts(double theta, double phi) const {
  const bool better = theta <= (1.0 - gamma_theta) * theta_ || phi <= phi_ - gamma_phi * theta_;
  return better && acceptable_to_filter(theta, phi);
}

/// Evaluates w + alpha dw and says whether it is acceptable: (18), (19), (20).
bool InteriorPoint::try_step(In dw, double alpha, bool& is_f_type, double slope) {
  for (std::size_t i = 0; i < form_.n; ++i) trial_w_[i] = at_.w[i] + alpha * dw[i];
  trial_f_ = form_.objective(trial_w_);
  form_.constraints(trial_w_, trial_c_);
  trial_theta_ = sum_of_sizes(trial_c_);
  trial_phi_ = barrier_objective(trial_w_, trial_f_);
  is_f_type = false;
  if (!std::isfinite(trial_phi_) || !std::isfinite(trial_theta_)) {
    trial_theta_ = INFINITY;
    return false;
  }
  const bool switching =
      slope < 0.0 && alpha * std::pow(-slope, s_phi) > delta_switch * std::pow(theta_, s_theta);
  const double rounding = 10.0 * eps * std::abs(phi_);
  bool good;
  if (switching && theta_ <= theta_min_) {
    good = trial_phi_ - phi_ <= eta_phi * alpha * slope + rounding;
    is_f_type = good;
  } else {
    good = trial_theta_ <= (1.0 - gamma_theta) * theta_ ||
           trial_phi_ - phi_ <= -gamma_phi * theta_ + rounding;
    is_f_type = switching && trial_phi_ - phi_ <= eta_phi * alpha * slope + rounding;
  }
  return good && acceptable_to_filter(trial_theta_, trial_phi_);
}

/// Section 2.4.
bool InteriorPoint::second_order_correction(double alpha_max, double slope) {
  const std::size_t n = form_.n, m = form_.m;
  Numbers c_soc(m), rhs = newton_rhs(), x;
  for (std::size_t i = 0; i < m; ++i) c_soc[i] = alpha_max * c_[i] + trial_c_[i];
  double theta_before = theta_;
  for (int k = 0; k < most_corrections; ++k) {
    if (k > 0 && trial_theta_ > kappa_soc * theta_before) return false;
    theta_before = trial_theta_;
    for (std::size_t i = 0; i < m; ++i) rhs[n + i] = -c_soc[i];
    if (!(kkt_->solve(rhs, x) < 1e-6)) return false;
    const In dw = In(x).first(n);
    const double alpha = longest_primal(dw);
    bool is_f_type = false;
    ++corrections_;
    if (try_step(dw, alpha, is_f_type, slope)) {
      std::copy(dw.begin(), dw.end(), dw_step_.begin());
      alpha_ = alpha;
      if (!is_f_type) augment_filter();
      return true;
    }
    if (!std::isfinite(trial_theta_)) return false;
    for (std::size_t i = 0; i < m; ++i) c_soc[i] = alpha * c_soc[i] + trial_c_[i];
  }
  return false;
}

void InteriorPoint::take_dual_step(double alpha_primal, double alpha_dual) {
  at_.w = trial_w_;
  f_ = trial_f_;
  c_ = trial_c_;
  theta_ = trial_theta_;
  phi_ = trial_phi_;
  for (std::size_t i = 0; i < form_.m; ++i) at_.lambda[i] += alpha_primal * dlambda_[i];
  for (std::size_t i = 0; bounded_ && i < form_.n; ++i) {
    at_.zl[i] += alpha_dual * dzl_[i];
    at_.zu[i] += alpha_dual * dzu_[i];
  }
  reset_bound_multipliers();
}

/// eq. (16); the slacks that rounding has made too small move their bounds a little (section 3.5).
void InteriorPoint::reset_bound_multipliers() {
  for (std::size_t i = 0; i < form_.n; ++i) {
    if (form_.has_lower(i)) {
      double s = at_.w[i] - lower_[i];
      const double least = eps * std::max(1.0, std::abs(lower_[i])) * 1e-2;
      if (!(s > least)) {
        lower_[i] = at_.w[i] - std::max(least, eps * std::max(1.0, std::abs(at_.w[i])));
        s = at_.w[i] - lower_[i];
      }
      at_.zl[i] = std::clamp(at_.zl[i], mu_ / (kappa_sigma * s), kappa_sigma * mu_ / s);
    }
    if (form_.has_upper(i)) {
      double s = upper_[i] - at_.w[i];
      const double least = eps * std::max(1.0, std::abs(upper_[i])) * 1e-2;
      if (!(s > least)) {
        upper_[i] = at_.w[i] + std::max(least, eps * std::max(1.0, std::abs(at_.w[i])));
        s = upper_[i] - at_.w[i];
      }
      at_.zu[i] = std::clamp(at_.zu[i], mu_ / (kappa_sigma * s), kappa_sigma * mu_ / s);
    }
  }
}

bool InteriorPoint::line_search() {
  const double slope = slope_of(dw_step_);
  const double alpha_max = longest_primal(dw_step_);
  alpha_dual_ = longest_dual();
  double relative = 0.0;
  for (std::size_t i = 0; i < form_.n; ++i)
    relative = std::max(relative, std::abs(dw_step_[i]) / (1.0 + std::abs(at_.w[i])));
  if (relative < 10.0 * eps && theta_ < 1e-4) {
    bool ignored = false;
    try_step(dw_step_, alpha_max, ignored, slope);
    if (std::isfinite(trial_theta_)) {
      ++tiny_steps_;
      alpha_ = alpha_max;
      return true;
    }
  } else {
    tiny_steps_ = 0;
  }
  double alpha_min = gamma_theta;
  if (slope < 0.0) {
    alpha_min = std::min(alpha_min, -gamma_phi * theta_ / slope);
    if (theta_ <= theta_min_)
      alpha_min =
          std::min(alpha_min, delta_switch * std::pow(theta_, s_theta) / std::pow(-slope, s_phi));
  }
  alpha_min = std::max(alpha_min * gamma_alpha, 1e-14);
  double alpha = alpha_max;
  for (int k = 0; alpha > alpha_min || k == 0; ++k, alpha *= 0.5) {
    bool is_f_type = false;
    if (try_step(dw_step_, alpha, is_f_type, slope)) {
      alpha_ = alpha;
      if (!is_f_type) augment_filter();
      return true;
    }
    if (k == 0 && trial_theta_ >= theta_ && std::isfinite(trial_theta_) && form_.m > 0) {
      if (second_order_correction(alpha_max, slope)) return true;
    }
  }
  return false;
}

InteriorPoint::End InteriorPoint::run(Iterate start) {
  at_ = std::move(start);
  mu_ = bounded_ ? settings_.mu : settings_.least_mu;
  tau_ = std::max(tau_min, 1.0 - mu_);
  if (bounded_ && settings_.push > 0.0) push_inside(at_.w);
  const std::size_t n = form_.n;
  at_.lambda.resize(form_.m, 0.0);
  if (!settings_.has_multipliers) {
    at_.zl.assign(bounded_ ? n : 0, 0.0);
    at_.zu.assign(bounded_ ? n : 0, 0.0);
    for (std::size_t i = 0; i < n; ++i) {
      if (form_.has_lower(i)) at_.zl[i] = 1.0;
      if (form_.has_upper(i)) at_.zu[i] = 1.0;
    }
  }
  if (!evaluate_first()) return End::non_finite;
  reset_bound_multipliers();
  if (!settings_.has_multipliers) least_squares_multipliers();
  theta_max_ = 1e4 * std::max(1.0, theta_);
  theta_min_ = 1e-4 * std::max(1.0, theta_);
  for (;; ++iterations_) {
    if (watch_ && watch_(*this)) return End::stopped;
    const double e = error(0.0);
    if (e <= settings_.tolerance && mu_ <= settings_.least_mu) return End::converged;
    if (iterations_ >= settings_.max_iterations) return End::max_iterations;
    if (!is_restoration_ && f_ < unbounded_below && violation_max() < 1e-4) {
      why_ = "the objective falls without end";
      return End::unbounded;
    }
    if (!is_restoration_ && largest(at_.w) > 1e20) {
      why_ = "variables grow without end";
      return f_ < -1e10 && violation_max() < 1e-4 ? End::unbounded : End::stuck;
    }
    if (theta_ < 0.9 * least_theta_) {
      least_theta_ = theta_;
      least_theta_at_ = iterations_;
    }
    update_mu();
    if (!is_restoration_ && violation_max() > 1e-6 &&
        iterations_ - least_theta_at_ > most_without_progress) {
      // The objective is followed and constraints are not: they come first for once.
      least_theta_at_ = iterations_;
      End end = End::stuck;
      if (!restore(end)) return end;
    }
    if (!compute_step())
      return is_stopped() ? End::stopped : not_finite_ ? End::non_finite : End::stuck;
    if (line_search()) {
      take_dual_step(alpha_, alpha_dual_);
      forced_shift_ = 0.0;
      if (!evaluate_derivatives()) return End::non_finite;
      if (tiny_steps_ > 3 && mu_ <= settings_.least_mu) {
        why_ = "steps are rounding";
        return End::stuck;
      }
      continue;
    }
    if (soft_restoration()) continue;
    if (violation_max() <= 1e-8 && ++retries_ < 6) {
      // Nothing to restore: the curvature was too optimistic.
      forced_shift_ = std::max(first_shift, 100.0 * dw_);
      filter_.clear();
      degenerate_ = degenerate_ || retries_ > 2;
      continue;
    }
    End end = End::stuck;
    if (is_restoration_ || form_.m == 0 || violation_max() <= 1e-10) {
      why_ = "no step along the Newton direction is acceptable";
      return end;
    }
    if (!restore(end)) return end;
  }
}

}  // namespace sketch_newton
