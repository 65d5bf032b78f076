#include "lower_system.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>

namespace bilevel_baselines {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
/// A multiplier below this times max(1, |f'|), or a distance to a bound below this times
/// max(1, |bound|), is 0.
constexpr double zero = 1e-9;
/// A change of a degenerate constraint along the adjoint direction that is more than rounding.
constexpr double kink_above = 1e-9;
/// Growth of the residual over its least value that ends Newton's method.
constexpr double divergence = 1e3;
/// From here on a step that gains less than half has met rounding.
constexpr double settled = 1e-9;

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}
double largest(std::span<const double> v) {
  double m = 0.0;
  for (const double e : v) m = std::isnan(e) ? nan : std::max(m, std::abs(e));
  return m;
}
double dot(std::span<const double> a, std::span<const double> b) {
  double s = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) s += a[i] * b[i];
  return s;
}

}  // namespace

LowerSystem::LowerSystem(const BilevelProgram& problem)
    : problem_(&problem),
      at_(problem.lower()),
      constraints_(lower_constraints(problem)),
      nx_(problem.num_upper()),
      ny_(problem.num_lower()),
      nv_(problem.num_variables()),
      m_(problem.lower().num_constraints()),
      f_v_(at(nv_)),
      g_(at(m_)),
      Jt_lambda_(at(nv_)),
      row_bound_(at(m_), nan),
      variable_bound_(at(ny_), nan),
      place_of_variable_(at(ny_), -1),
      place_of_row_(at(m_), -1) {
  if (!problem.lower().has_entries()) return;
  hessian_.resize(problem.lower().hessian_pattern().size());
  if (m_ > 0) jacobian_.resize(problem.lower().jacobian_pattern().size());
}

LowerSystem::~LowerSystem() = default;

void LowerSystem::evaluate(const LowerPoint& p) {
  at_.gradient(p.v, f_v_);
  if (m_ == 0) return;
  at_.constraints(p.v, g_);
  at_.apply_jacobian_adjoint(p.v, p.lambda, Jt_lambda_);
}

double LowerSystem::residual(const LowerPoint& p) {
  evaluate(p);
  const BilevelParts& parts = problem_->parts();
  const std::span<const double> v(p.v);
  const auto nx = at(nx_);
  return kkt_residual(parts.lower_variables, parts.lower_constraints, v.subspan(nx), g_,
                      std::span<const double>(f_v_).subspan(nx),
                      std::span<const double>(Jt_lambda_).subspan(nx), p.lambda, p.z)
      .largest();
}

double LowerSystem::constraint_value(const LowerPoint& p, const LowerConstraint& c) const {
  const double value = c.is_variable ? p.v[at(nx_ + c.row)] : g_[at(c.row)];
  return c.sign * (value - c.bound);
}

double LowerSystem::multiplier(const LowerPoint& p, const LowerConstraint& c) const {
  return c.sign * (c.is_variable ? p.z : p.lambda)[at(c.row)];
}

void LowerSystem::hold(const LowerPoint& p) {
  std::ranges::fill(row_bound_, nan);
  std::ranges::fill(variable_bound_, nan);
  for (const LowerConstraint& c : constraints_) {
    if (!c.is_equality && !(multiplier(p, c) + constraint_value(p, c) > 0.0)) continue;
    (c.is_variable ? variable_bound_ : row_bound_)[at(c.row)] = c.bound;
  }
  number_unknowns();
}

void LowerSystem::hold_strictly(const LowerPoint& p) {
  std::ranges::fill(row_bound_, nan);
  std::ranges::fill(variable_bound_, nan);
  const double scale = zero * std::max(1.0, largest(std::span(f_v_).subspan(at(nx_))));
  degenerate_.clear();
  for (std::size_t k = 0; k < constraints_.size(); ++k) {
    const LowerConstraint& c = constraints_[k];
    const double slack = -constraint_value(p, c), l = multiplier(p, c);
    if (!c.is_equality && l <= scale) {
      if (slack <= zero * std::max(1.0, std::abs(c.bound))) degenerate_.push_back(k);
      continue;
    }
    (c.is_variable ? variable_bound_ : row_bound_)[at(c.row)] = c.bound;
  }
  number_unknowns();
}

void LowerSystem::number_unknowns() {
  num_free_ = num_held_rows_ = 0;
  for (Index j = 0; j < ny_; ++j)
    place_of_variable_[at(j)] = std::isnan(variable_bound_[at(j)]) ? num_free_++ : -1;
  for (Index i = 0; i < m_; ++i)
    place_of_row_[at(i)] = std::isnan(row_bound_[at(i)]) ? -1 : num_free_ + num_held_rows_++;
}

/// Needs evaluate() and which constraints are held.
bool LowerSystem::factor(const LowerPoint& p) {
  entries_.clear();
  const auto add = [&](Index a, Index b, double value) {
    entries_.push_back({a, b, value});
    if (a != b) entries_.push_back({b, a, value});
  };
  const SparsePattern& W = problem_->lower().hessian_pattern();
  at_.hessian(p.v, 1.0, p.lambda, hessian_);
  for (std::size_t e = 0; e < W.size(); ++e) {
    if (W.rows[e] < nx_ || W.columns[e] < nx_) continue;
    const Index a = place_of_variable_[at(W.rows[e] - nx_)];
    const Index b = place_of_variable_[at(W.columns[e] - nx_)];
    if (a >= 0 && b >= 0) add(a, b, hessian_[e]);
  }
  if (m_ > 0) {
    const SparsePattern& J = problem_->lower().jacobian_pattern();
    at_.jacobian(p.v, jacobian_);
    for (std::size_t e = 0; e < J.size(); ++e) {
      if (J.columns[e] < nx_) continue;
      const Index a = place_of_row_[at(J.rows[e])];
      const Index b = place_of_variable_[at(J.columns[e] - nx_)];
      if (a >= 0 && b >= 0) add(a, b, jacobian_[e]);
    }
  }
  ++factorisations_;
  return factors_.factor(num_free_, num_held_rows_, entries_);
}

/// W d + A^T lambda+ = -f_y and A d = bound - g, d = bound - y for the y that are held.
void LowerSystem::newton_step(LowerPoint& p) {
  const auto nx = at(nx_);
  Numbers d(at(nv_)), W_d(at(nv_)), A_d(at(m_));
  for (std::size_t j = 0; j < at(ny_); ++j)
    if (place_of_variable_[j] < 0) d[nx + j] = variable_bound_[j] - p.v[nx + j];
  at_.apply_hessian(p.v, 1.0, p.lambda, d, W_d);
  if (m_ > 0) at_.apply_jacobian(p.v, d, A_d);
  Numbers rhs(at(num_free_ + num_held_rows_));
  for (std::size_t j = 0; j < at(ny_); ++j)
    if (place_of_variable_[j] >= 0) rhs[at(place_of_variable_[j])] = -f_v_[nx + j] - W_d[nx + j];
  for (std::size_t i = 0; i < at(m_); ++i)
    if (place_of_row_[i] >= 0) rhs[at(place_of_row_[i])] = row_bound_[i] - g_[i] - A_d[i];
  factors_.solve(rhs);

  for (std::size_t j = 0; j < at(ny_); ++j)
    if (place_of_variable_[j] >= 0) d[nx + j] = rhs[at(place_of_variable_[j])];
  at_.apply_hessian(p.v, 1.0, p.lambda, d, W_d);
  Numbers lambda(at(m_));
  for (std::size_t i = 0; i < at(m_); ++i)
    if (place_of_row_[i] >= 0) lambda[i] = rhs[at(place_of_row_[i])];
  Numbers Jt(at(nv_));
  if (m_ > 0) at_.apply_jacobian_adjoint(p.v, lambda, Jt);
  for (std::size_t j = 0; j < at(ny_); ++j) {
    p.z[j] = 0.0;
    if (place_of_variable_[j] < 0) p.z[j] = -(f_v_[nx + j] + W_d[nx + j] + Jt[nx + j]);
  }
  p.lambda = std::move(lambda);
  for (std::size_t j = nx; j < p.v.size(); ++j) {
    p.v[j] += d[j];
    // Exactly there, so that rounding does not make it inactive.
    if (place_of_variable_[j - nx] < 0) p.v[j] = variable_bound_[j - nx];
  }
  ++newton_steps_;
}

double LowerSystem::improve(LowerPoint& p, int max_steps, double tolerance) {
  double best = residual(p);
  if (!(best > tolerance)) return best;
  LowerPoint now = p;
  for (int k = 0; k < max_steps; ++k) {
    hold(now);  // evaluated by residual()
    if (!factor(now)) break;
    newton_step(now);
    const double r = residual(now);
    if (!std::isfinite(r)) break;
    const bool is_at_rounding = best <= settled && r > 0.5 * best;
    if (r < best || !std::isfinite(best)) {
      best = r;
      p = now;
      if (best <= tolerance) break;
    } else if (r > divergence * best) {
      break;
    }
    if (is_at_rounding) break;
  }
  return best;
}

/// The projection onto the null space of the held rows of g_y, [I A^T; A 0] [p; q] = [r; 0].
struct LowerSystem::Projector {
  SaddleFactors factors;
  std::size_t num_free, size;
  Projector(LowerSystem& s, const LowerPoint& p)
      : num_free(at(s.num_free_)), size(at(s.num_free_ + s.num_held_rows_)) {
    std::vector<SaddleFactors::Entry> entries;
    for (Index j = 0; j < s.num_free_; ++j) entries.push_back({j, j, 1.0});
    Numbers unit(at(s.m_)), row(at(s.nv_));
    for (Index i = 0; i < s.m_; ++i) {
      const Index a = s.place_of_row_[at(i)];
      if (a < 0) continue;
      unit[at(i)] = 1.0;
      s.at_.apply_jacobian_adjoint(p.v, unit, row);
      unit[at(i)] = 0.0;
      for (Index j = 0; j < s.ny_; ++j) {
        const Index b = s.place_of_variable_[at(j)];
        const double value = row[at(s.nx_ + j)];
        if (b < 0 || value == 0.0) continue;
        entries.push_back({a, b, value});
        entries.push_back({b, a, value});
      }
    }
    (void)factors.factor(s.num_free_, s.num_held_rows_, entries);
  }
  /// r (free variables) -> its projection, and the row weights behind it.
  Numbers operator()(std::span<const double> r) const {
    Numbers x(size);
    std::copy(r.begin(), r.end(), x.begin());
    if (size > num_free) factors.solve(x);
    return x;
  }
};

AdjointResult LowerSystem::by_products(const LowerPoint& p, std::span<const double> H_v,
                                       const AdjointOptions& options, std::span<double> direction,
                                       std::span<double> row_weights) {
  AdjointResult result;
  const Projector project(*this, p);
  const auto n = project.num_free;
  Numbers wide(at(nv_)), W_wide(at(nv_));
  const auto spread = [&](std::span<const double> x, std::span<double> out) {
    for (std::size_t j = 0; j < at(ny_); ++j)
      out[at(nx_) + j] = place_of_variable_[j] < 0 ? 0.0 : x[at(place_of_variable_[j])];
  };
  const auto multiply = [&](std::span<const double> x) {
    spread(x, wide);
    at_.apply_hessian(p.v, 1.0, p.lambda, wide, W_wide);
    ++result.products;
    Numbers out(n);
    for (std::size_t j = 0; j < at(ny_); ++j)
      if (place_of_variable_[j] >= 0) out[at(place_of_variable_[j])] = W_wide[at(nx_) + j];
    return out;
  };
  Numbers x(n), r(n);
  for (std::size_t j = 0; j < at(ny_); ++j)
    if (place_of_variable_[j] >= 0) r[at(place_of_variable_[j])] = -H_v[at(nx_) + j];
  Numbers g = project(r);
  Numbers d(g.begin(), g.begin() + static_cast<std::ptrdiff_t>(n));
  const auto head = [&](const Numbers& v) { return std::span<const double>(v).first(n); };
  const double target = options.tolerance * std::sqrt(dot(head(g), head(g)));
  const bool is_cg = options.solver == "cg";
  double scale = 0.0;  // L of the Neumann series
  if (!is_cg) {
    for (std::size_t j = 0; j < n; ++j) d[j] = 1.0 + 0.5 * std::sin(static_cast<double>(j));
    for (int k = 0; k < 50; ++k) {
      const double norm = std::sqrt(dot(d, d));
      if (norm == 0.0) break;
      for (double& e : d) e /= norm;
      d = project(multiply(d));
      d.resize(n);
      scale = std::sqrt(dot(d, d));
    }
    scale *= 1.05;  // power iteration comes from below
  }
  double rho = dot(head(g), head(g));
  for (int k = 0; k < options.max_terms && std::sqrt(rho) > target; ++k) {
    if (is_cg) {
      const Numbers W_d = multiply(d);
      const double curvature = dot(d, W_d);
      if (!(curvature > 0.0)) break;
      const double alpha = rho / curvature;
      for (std::size_t j = 0; j < n; ++j) x[j] += alpha * d[j];
      for (std::size_t j = 0; j < n; ++j) r[j] -= alpha * W_d[j];
    } else {
      if (!(scale > 0.0)) break;
      for (std::size_t j = 0; j < n; ++j) d[j] = g[j] / scale;
      const Numbers W_d = multiply(d);
      for (std::size_t j = 0; j < n; ++j) x[j] += d[j];
      for (std::size_t j = 0; j < n; ++j) r[j] -= W_d[j];
    }
    g = project(r);
    const double next = dot(head(g), head(g));
    if (is_cg)
      for (std::size_t j = 0; j < n; ++j) d[j] = g[j] + next / rho * d[j];
    rho = next;
  }
  result.is_solved = std::sqrt(rho) <= target;
  spread(x, direction);
  for (std::size_t i = 0; i < at(m_); ++i)
    row_weights[i] = place_of_row_[i] < 0 ? 0.0 : g[at(place_of_row_[i])];
  return result;
}

AdjointResult LowerSystem::hypergradient(const LowerPoint& p, std::span<const double> H_v,
                                         const AdjointOptions& options,
                                         std::span<double> gradient) {
  const auto nx = at(nx_);
  evaluate(p);
  hold_strictly(p);
  Numbers direction(at(nv_)), weights(at(m_)), W_direction(at(nv_)), Jt(at(nv_));
  AdjointResult result;
  if (options.solver == "direct") {
    Numbers x(at(num_free_ + num_held_rows_));
    for (std::size_t j = 0; j < at(ny_); ++j)
      if (place_of_variable_[j] >= 0) x[at(place_of_variable_[j])] = -H_v[nx + j];
    result.is_solved = factor(p);
    if (result.is_solved) factors_.solve(x);
    for (std::size_t j = 0; j < at(ny_); ++j)
      if (place_of_variable_[j] >= 0) direction[nx + j] = x[at(place_of_variable_[j])];
    for (std::size_t i = 0; i < at(m_); ++i)
      if (place_of_row_[i] >= 0) weights[i] = x[at(place_of_row_[i])];
    result.is_singular = factors_.is_singular();
  } else {
    result = by_products(p, H_v, options, direction, weights);
  }
  at_.apply_hessian(p.v, 1.0, p.lambda, direction, W_direction);
  ++result.products;
  if (m_ > 0) at_.apply_jacobian_adjoint(p.v, weights, Jt);
  double defect = 0.0, size = 1.0;
  for (std::size_t j = 0; j < at(ny_); ++j) {
    if (place_of_variable_[j] < 0) continue;
    defect = std::max(defect, std::abs(W_direction[nx + j] + Jt[nx + j] + H_v[nx + j]));
    size = std::max(size, std::abs(H_v[nx + j]));
  }
  if (!(defect <= 1e-7 * size)) result.is_solved = false;
  for (std::size_t i = 0; i < nx; ++i) gradient[i] = H_v[i] + W_direction[i] + Jt[i];
  result.degenerate = static_cast<Index>(degenerate_.size());
  if (degenerate_.empty()) return result;
  // Held, a constraint would change the solution where the adjoint direction moves its value.
  Numbers moved(at(m_));
  if (m_ > 0) at_.apply_jacobian(p.v, direction, moved);
  const double seen = kink_above * std::max(largest(direction), std::abs(largest(H_v)));
  for (const std::size_t k : degenerate_) {
    const LowerConstraint& c = constraints_[k];
    if (std::abs(c.is_variable ? direction[nx + at(c.row)] : moved[at(c.row)]) > seen)
      ++result.kinks;
  }
  return result;
}

}  // namespace bilevel_baselines
