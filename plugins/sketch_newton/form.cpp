#include "form.hpp"

#include <algorithm>
#include <cmath>

namespace sketch_newton {

namespace {

constexpr double least_scale = 1e-8;

double scale_for(double gradient, double largest) {
  return std::isfinite(gradient) && gradient > largest ? std::max(least_scale, largest / gradient)
                                                       : 1.0;
}

}  // namespace

void Form::add_jacobian_adjoint(In jacobian, In lambda, Out r) const {
  for (std::size_t k = 0; k < jacobian.size(); ++k)
    r[static_cast<std::size_t>(jacobian_pattern.columns[k])] +=
        jacobian[k] * lambda[static_cast<std::size_t>(jacobian_pattern.rows[k])];
}

SlackForm::SlackForm(const NonlinearProgram& problem, double largest_gradient)
    : problem_(&problem), at_(problem.functions()) {
  const Bounds& xb = problem.variable_bounds();
  const Bounds& cb = problem.constraint_bounds();
  x_ = problem.host_x();
  g_.resize(x_.size());
  c_.resize(cb.size());
  lambda_.resize(cb.size());
  std::vector<std::ptrdiff_t> place(xb.size(), -1);
  for (std::size_t j = 0; j < xb.size(); ++j) {
    if (xb.is_equality(j)) {
      x_[j] = xb.lower[j];
      continue;
    }
    place[j] = static_cast<std::ptrdiff_t>(free_.size());
    free_.push_back(j);
    lower.push_back(xb.lower[j]);
    upper.push_back(xb.upper[j]);
  }
  std::vector<std::ptrdiff_t> row_place(cb.size(), -1);
  for (std::size_t i = 0; i < cb.size(); ++i) {
    if (cb.lower[i] == -INFINITY && cb.upper[i] == INFINITY) continue;
    row_place[i] = static_cast<std::ptrdiff_t>(rows_.size());
    rows_.push_back(i);
  }
  m = rows_.size();
  slack_.assign(m, -1);
  n = free_.size();
  for (std::size_t i = 0; i < m; ++i)
    if (!cb.is_equality(rows_[i])) slack_[i] = static_cast<std::ptrdiff_t>(n++);

  const SparsePattern& J = problem.functions().jacobian_pattern();
  as_it_is_ =
      !(largest_gradient > 0.0) && free_.size() == xb.size() && n == free_.size() && m == cb.size();
  if (!as_it_is_) {
    J_.resize(J.size());
    H_.resize(problem.functions().hessian_pattern().size());
  }
  // Scales from the gradients at the start; a point where they are not finite leaves 1.
  c_scale_.assign(m, 1.0);
  if (largest_gradient > 0.0) {
    at_.gradient(x_, g_);
    double g = 0.0;
    for (const std::size_t j : free_) g = std::max(g, std::abs(g_[j]));
    f_scale_ = scale_for(g, largest_gradient);
    if (m > 0) at_.jacobian(x_, J_);
    Numbers size(cb.size(), 0.0);
    for (std::size_t k = 0; k < J.size(); ++k)
      if (place[static_cast<std::size_t>(J.columns[k])] >= 0) {
        double& s = size[static_cast<std::size_t>(J.rows[k])];
        s = std::max(s, std::abs(J_[k]));
      }
    for (std::size_t i = 0; i < m; ++i) c_scale_[i] = scale_for(size[rows_[i]], largest_gradient);
  }
  if (as_it_is_) {
    jacobian_pattern = J;
    hessian_pattern = problem.functions().hessian_pattern();
    return;
  }
  const std::size_t most = J.size() + n - free_.size();
  jacobian_pattern.rows.reserve(most);
  jacobian_pattern.columns.reserve(most);
  jacobian_from_.reserve(J.size());
  for (std::size_t k = 0; k < J.size(); ++k) {
    const std::ptrdiff_t i = row_place[static_cast<std::size_t>(J.rows[k])];
    const std::ptrdiff_t j = place[static_cast<std::size_t>(J.columns[k])];
    if (i < 0 || j < 0) continue;
    jacobian_pattern.rows.push_back(static_cast<Index>(i));
    jacobian_pattern.columns.push_back(static_cast<Index>(j));
    jacobian_from_.push_back(static_cast<Index>(k));
  }
  for (std::size_t i = 0; i < m; ++i) {
    if (slack_[i] < 0) continue;
    jacobian_pattern.rows.push_back(static_cast<Index>(i));
    jacobian_pattern.columns.push_back(static_cast<Index>(slack_[i]));
    lower.push_back(cb.lower[rows_[i]] * c_scale_[i]);
    upper.push_back(cb.upper[rows_[i]] * c_scale_[i]);
  }
  const SparsePattern& H = problem.functions().hessian_pattern();
  hessian_pattern.rows.reserve(H.size());
  hessian_pattern.columns.reserve(H.size());
  hessian_from_.reserve(H.size());
  for (std::size_t k = 0; k < H.size(); ++k) {
    const std::ptrdiff_t i = place[static_cast<std::size_t>(H.rows[k])];
    const std::ptrdiff_t j = place[static_cast<std::size_t>(H.columns[k])];
    if (i < 0 || j < 0) continue;
    hessian_pattern.rows.push_back(static_cast<Index>(i));
    hessian_pattern.columns.push_back(static_cast<Index>(j));
    hessian_from_.push_back(static_cast<Index>(k));
  }
}

const Numbers& SlackForm::whole(In w) {
  for (std::size_t j = 0; j < free_.size(); ++j) x_[free_[j]] = w[j];
  return x_;
}

Numbers SlackForm::x_of(In w) const {
  Numbers x = x_;
  for (std::size_t j = 0; j < free_.size(); ++j) x[free_[j]] = w[j];
  return x;
}

Numbers SlackForm::from_x(In x) {
  Numbers w(n);
  for (std::size_t j = 0; j < free_.size(); ++j) w[j] = x[free_[j]];
  if (m == 0) return w;
  at_.constraints(whole(w), c_);
  for (std::size_t i = 0; i < m; ++i)
    if (slack_[i] >= 0) {
      const double c = c_[rows_[i]] * c_scale_[i];
      w[static_cast<std::size_t>(slack_[i])] = std::isfinite(c) ? c : 0.0;
    }
  return w;
}

double SlackForm::objective(In w) {
  return f_scale_ * at_.objective(whole(w));
}

void SlackForm::gradient(In w, Out g) {
  at_.gradient(whole(w), g_);
  for (std::size_t j = 0; j < free_.size(); ++j) g[j] = f_scale_ * g_[free_[j]];
  for (std::size_t j = free_.size(); j < n; ++j) g[j] = 0.0;
}

void SlackForm::constraints(In w, Out c) {
  if (m == 0) return;
  at_.constraints(whole(w), c_);
  const Bounds& b = problem_->constraint_bounds();
  for (std::size_t i = 0; i < m; ++i)
    c[i] = slack_[i] >= 0 ? c_scale_[i] * c_[rows_[i]] - w[static_cast<std::size_t>(slack_[i])]
                          : c_scale_[i] * (c_[rows_[i]] - b.lower[rows_[i]]);
}

void SlackForm::jacobian(In w, Out values) {
  if (m == 0) return;
  if (as_it_is_) return at_.jacobian(w, values);
  at_.jacobian(whole(w), J_);
  for (std::size_t k = 0; k < jacobian_from_.size(); ++k)
    values[k] = c_scale_[static_cast<std::size_t>(jacobian_pattern.rows[k])] *
                J_[static_cast<std::size_t>(jacobian_from_[k])];
  for (std::size_t k = jacobian_from_.size(); k < values.size(); ++k) values[k] = -1.0;
}

void SlackForm::weighted_hessian(In w, double sigma, In lambda, Out values) {
  if (as_it_is_) return at_.hessian(w, sigma, lambda, values);
  std::fill(lambda_.begin(), lambda_.end(), 0.0);
  for (std::size_t i = 0; i < m; ++i) lambda_[rows_[i]] = lambda[i] * c_scale_[i];
  at_.hessian(whole(w), sigma, lambda_, H_);
  for (std::size_t k = 0; k < hessian_from_.size(); ++k)
    values[k] = H_[static_cast<std::size_t>(hessian_from_[k])];
}

Numbers SlackForm::from_multipliers(In multipliers) const {
  Numbers lambda(m);
  for (std::size_t i = 0; i < m; ++i) lambda[i] = multipliers[rows_[i]] * f_scale_ / c_scale_[i];
  return lambda;
}

void SlackForm::bound_multipliers(In z, In lambda, Out zl, Out zu) const {
  const auto split = [&](std::size_t j, double value) {
    zl[j] = std::max(0.0, -value);
    zu[j] = std::max(0.0, value);
  };
  for (std::size_t j = 0; j < free_.size(); ++j) split(j, z[free_[j]] * f_scale_);
  for (std::size_t i = 0; i < m; ++i)
    if (slack_[i] >= 0) split(static_cast<std::size_t>(slack_[i]), lambda[i]);
}

void SlackForm::multipliers_of(In w, In lambda, In z, Numbers& multipliers,
                               Numbers& bound_multipliers) {
  multipliers.assign(c_.size(), 0.0);
  bound_multipliers.assign(x_.size(), 0.0);
  for (std::size_t i = 0; i < m; ++i)
    multipliers[rows_[i]] = (slack_[i] >= 0 ? z[static_cast<std::size_t>(slack_[i])] : lambda[i]) *
                            c_scale_[i] / f_scale_;
  if (free_.size() < x_.size()) {
    Numbers Jt(x_.size());
    const Numbers x = whole(w);
    at_.gradient(x, g_);
    if (!c_.empty()) at_.apply_jacobian_adjoint(x, multipliers, Jt);
    for (std::size_t j = 0; j < x_.size(); ++j) bound_multipliers[j] = -(g_[j] + Jt[j]);
  }
  for (std::size_t j = 0; j < free_.size(); ++j)
    bound_multipliers[free_[j]] = z.empty() ? 0.0 : z[j] / f_scale_;
}

KktResidual SlackForm::kkt_residual(In w, In lambda, In z) {
  Numbers multipliers, bound_multipliers;
  multipliers_of(w, lambda, z, multipliers, bound_multipliers);
  const Numbers x = whole(w);
  Numbers Jt(x.size());
  at_.gradient(x, g_);
  at_.constraints(x, c_);
  if (!c_.empty()) at_.apply_jacobian_adjoint(x, multipliers, Jt);
  return libsolve::kkt_residual(problem_->variable_bounds(), problem_->constraint_bounds(), x, c_,
                                g_, Jt, multipliers, bound_multipliers);
}

FeasibilityForm::FeasibilityForm(Form& of, In w_r, double zeta)
    : of_(of), w_r_(w_r.begin(), w_r.end()), zeta_(zeta) {
  m = of.m;
  n = of.n + 2 * m;
  lower = of.lower;
  upper = of.upper;
  lower.resize(n, 0.0);
  upper.resize(n, INFINITY);
  D2_.resize(of.n);
  for (std::size_t j = 0; j < of.n; ++j) {
    const double d = std::min(1.0, 1.0 / std::abs(w_r_[j]));
    D2_[j] = d * d;
  }
  jacobian_pattern = of.jacobian_pattern;
  for (std::size_t i = 0; i < 2 * m; ++i) {
    jacobian_pattern.rows.push_back(static_cast<Index>(i % m));
    jacobian_pattern.columns.push_back(static_cast<Index>(of.n + i));
  }
  hessian_pattern = of.hessian_pattern;
  inner_hessian_ = hessian_pattern.size();
  for (std::size_t j = 0; j < of.n; ++j) {
    hessian_pattern.rows.push_back(static_cast<Index>(j));
    hessian_pattern.columns.push_back(static_cast<Index>(j));
  }
}

Numbers FeasibilityForm::start(double mu) {
  Numbers w(n), c(m);
  std::copy(w_r_.begin(), w_r_.end(), w.begin());
  of_.constraints(w_r_, c);
  for (std::size_t i = 0; i < m; ++i) {
    // c - p + q = 0 with rho - mu/p + lambda.. = 0: the positive root of a quadratic in q.
    const double b = (mu - rho_ * c[i]) / (2.0 * rho_);
    const double q = b + std::sqrt(b * b + mu * c[i] / (2.0 * rho_));
    w[of_.n + m + i] = std::max(q, 1e-12);
    w[of_.n + i] = std::max(c[i] + q, 1e-12);
  }
  return w;
}

double FeasibilityForm::objective(In w) {
  double f = 0.0, d = 0.0;
  for (std::size_t i = of_.n; i < n; ++i) f += w[i];
  for (std::size_t j = 0; j < of_.n; ++j) d += D2_[j] * (w[j] - w_r_[j]) * (w[j] - w_r_[j]);
  return rho_ * f + 0.5 * zeta_ * d;
}
void FeasibilityForm::gradient(In w, Out g) {
  for (std::size_t j = 0; j < of_.n; ++j) g[j] = zeta_ * D2_[j] * (w[j] - w_r_[j]);
  for (std::size_t i = of_.n; i < n; ++i) g[i] = rho_;
}
void FeasibilityForm::constraints(In w, Out c) {
  of_.constraints(w.first(of_.n), c);
  for (std::size_t i = 0; i < m; ++i) c[i] += w[of_.n + m + i] - w[of_.n + i];
}
void FeasibilityForm::jacobian(In w, Out values) {
  const std::size_t k = of_.jacobian_pattern.size();
  of_.jacobian(w.first(of_.n), values.first(k));
  for (std::size_t i = 0; i < m; ++i) {
    values[k + i] = -1.0;
    values[k + m + i] = 1.0;
  }
}
void FeasibilityForm::hessian(In w, In lambda, Out values) {
  of_.constraint_hessian(w.first(of_.n), lambda, values.first(inner_hessian_));
  for (std::size_t j = 0; j < of_.n; ++j) values[inner_hessian_ + j] = zeta_ * D2_[j];
}

}  // namespace sketch_newton
