#include <algorithm>
#include <cmath>
#include <libsolve/bilevel/lower_kkt.hpp>
#include <libsolve/core/errors.hpp>

namespace libsolve {

namespace {

std::size_t size_of(Index n) {
  return static_cast<std::size_t>(n);
}

void append(const Bounds& b, bool is_variable, std::vector<LowerConstraint>& list) {
  for (std::size_t i = 0; i < b.size(); ++i) {
    LowerConstraint c;
    c.is_variable = is_variable;
    c.row = static_cast<Index>(i);
    c.is_equality = b.is_equality(i);
    c.bound = b.upper[i];
    if (std::isfinite(b.upper[i])) list.push_back(c);
    c.sign = -1.0;
    c.bound = b.lower[i];
    if (std::isfinite(b.lower[i]) && !c.is_equality) list.push_back(c);
  }
}

/// Third derivatives by differences of second ones: the step along a direction of length 1.
constexpr double difference_step = 1e-4;

}  // namespace

std::vector<LowerConstraint> lower_constraints(const BilevelProgram& problem) {
  std::vector<LowerConstraint> list;
  append(problem.parts().lower_constraints, false, list);
  append(problem.parts().lower_variables, true, list);
  return list;
}

LowerResidual lower_residual(const BilevelProgram& problem) {
  const BilevelParts& p = problem.parts();
  const HostAccess upper(*p.upper), lower(*p.lower);
  const std::vector<double> v = problem.host_v();
  const std::size_t nx = size_of(p.num_upper);
  std::vector<double> f_v(v.size()), Jt_lambda(v.size()), g(p.lower_constraints.size());
  lower.gradient(v, f_v);
  lower.constraints(v, g);
  if (!g.empty()) lower.apply_jacobian_adjoint(v, problem.lower_multipliers(), Jt_lambda);
  const auto tail = [&](const std::vector<double>& a) { return std::span(a).subspan(nx); };
  LowerResidual r;
  r.kkt =
      kkt_residual(p.lower_variables, p.lower_constraints, tail(v), g, tail(f_v), tail(Jt_lambda),
                   problem.lower_multipliers(), problem.lower_bound_multipliers());
  std::vector<double> G(p.upper_constraints.size());
  upper.constraints(v, G);
  const std::vector<double> zero_G(G.size()), zero_x(nx);
  const KktResidual at_upper =
      kkt_residual(p.upper_variables, p.upper_constraints, std::span(v).first(nx), G, zero_x,
                   zero_x, zero_G, zero_x);
  r.violation = std::max(r.kkt.constraint_violation, at_upper.constraint_violation);
  if (std::isnan(r.kkt.constraint_violation)) r.violation = r.kkt.constraint_violation;
  if (std::isnan(at_upper.constraint_violation)) r.violation = at_upper.constraint_violation;
  return r;
}

LowerKktFunctions::LowerKktFunctions(const BilevelProgram& problem, bool with_complementarity)
    : problem_(&problem),
      upper_(problem.upper()),
      lower_functions_(problem.lower()),
      lower_(lower_constraints(problem)),
      nx_(problem.num_upper()),
      ny_(problem.num_lower()),
      nv_(problem.num_variables()),
      ng_(problem.lower().num_constraints()),
      m_(static_cast<Index>(lower_.size())),
      with_products_(with_complementarity) {
  if (!problem.upper().has_entries() || !problem.lower().has_entries())
    throw Unsupported(
        "the lower level's KKT conditions as constraints need the entries of the "
        "second derivatives; this problem (" +
        problem.description() + ") offers products only");
  for (Index k = 0; k < m_; ++k)
    if (!lower_[size_of(k)].is_equality) inequalities_.push_back(k);
  weights_.resize(size_of(ng_));
  find_patterns();
}

LowerKktFunctions::~LowerKktFunctions() = default;

Index LowerKktFunctions::row_of_upper(Index i) const noexcept {
  return ny_ + m_ + i;
}
Index LowerKktFunctions::row_of_product(Index inequality) const noexcept {
  return ny_ + m_ + problem_->upper().num_constraints() + inequality;
}
Index LowerKktFunctions::num_variables() const {
  return nv_ + m_;
}
Index LowerKktFunctions::num_constraints() const {
  return row_of_product(with_products_ ? static_cast<Index>(inequalities_.size()) : 0);
}

bool LowerKktFunctions::is_linear(Index constraint) const {
  if (constraint < ny_) {
    if (!problem_->parts().lower_is_quadratic) return false;
    return true;
  }
  if (constraint < ny_ + m_) {
    const LowerConstraint& c = lower_[size_of(constraint - ny_)];
    return c.is_variable || problem_->lower().is_linear(c.row);
  }
  const Index i = constraint - ny_ - m_;
  return i < problem_->upper().num_constraints() && problem_->upper().is_linear(i);
}

void LowerKktFunctions::lower_weights(In l) {
  std::fill(weights_.begin(), weights_.end(), 0.0);
  for (std::size_t k = 0; k < lower_.size(); ++k)
    if (!lower_[k].is_variable) weights_[size_of(lower_[k].row)] += lower_[k].sign * l[k];
}

double LowerKktFunctions::host_objective(In w) {
  return upper_.objective(w.first(size_of(nv_)));
}

void LowerKktFunctions::host_gradient(In w, Out g) {
  upper_.gradient(w.first(size_of(nv_)), g.first(size_of(nv_)));
  std::fill(g.begin() + nv_, g.end(), 0.0);
}

void LowerKktFunctions::host_constraints(In w, Out c) {
  const In v = w.first(size_of(nv_)), l = w.subspan(size_of(nv_));
  std::vector<double> f_v(v.size()), Jt_lambda(v.size()), g(size_of(ng_));
  lower_functions_.gradient(v, f_v);
  lower_weights(l);
  if (ng_ > 0) {
    lower_functions_.apply_jacobian_adjoint(v, weights_, Jt_lambda);
    lower_functions_.constraints(v, g);
  }
  for (Index j = 0; j < ny_; ++j)
    c[size_of(j)] = f_v[size_of(nx_ + j)] + Jt_lambda[size_of(nx_ + j)];
  for (std::size_t k = 0; k < lower_.size(); ++k) {
    const LowerConstraint& at = lower_[k];
    const double value = at.is_variable ? v[size_of(nx_ + at.row)] : g[size_of(at.row)];
    c[size_of(row_of(static_cast<Index>(k)))] = at.sign * (value - at.bound);
    if (at.is_variable) c[size_of(at.row)] += at.sign * l[k];
  }
  const std::size_t mG = size_of(problem_->upper().num_constraints());
  upper_.constraints(v, c.subspan(size_of(row_of_upper(0)), mG));
  if (!with_products_) return;
  for (std::size_t i = 0; i < inequalities_.size(); ++i) {
    const Index k = inequalities_[i];
    c[size_of(row_of_product(static_cast<Index>(i)))] = l[size_of(k)] * c[size_of(row_of(k))];
  }
}

// The same walk finds the patterns and fills the values, so that the two cannot differ in order:
// `put(row, column, value)` in the Jacobian, then in the Hessian.
namespace {

struct Triplets {
  SparsePattern* pattern = nullptr;  ///< filled where it is there, else values
  std::span<double> values = {};
  std::size_t next = 0;
  void put(Index row, Index column, double value) {
    if (pattern != nullptr) {
      pattern->rows.push_back(row);
      pattern->columns.push_back(column);
    } else {
      values[next++] = value;
    }
  }
};

}  // namespace

struct LowerKktFunctions::Walk {
  LowerKktFunctions& f;
  Triplets out;

  /// h: values of the lower Hessian; a: of the Jacobian of g; A: of G; c: the rows' values at w.
  void jacobian(In h, In a, In A, In c, In l) {
    const SparsePattern& H = f.problem_->lower().hessian_pattern();
    for (std::size_t e = 0; e < H.size(); ++e) {
      const Index i = H.rows[e], j = H.columns[e];
      const double value = h.empty() ? 0.0 : h[e];
      if (i >= f.nx_) out.put(i - f.nx_, j, value);
      if (j >= f.nx_ && i != j) out.put(j - f.nx_, i, value);
    }
    const auto each = [&](Index k, const auto& use) {
      const LowerConstraint& at = f.lower_[size_of(k)];
      if (at.is_variable) {
        use(f.nx_ + at.row, at.sign);
        return;
      }
      for (const std::size_t e : f.entries_of_row_[size_of(at.row)])
        use(f.problem_->lower().jacobian_pattern().columns[e], at.sign * (a.empty() ? 0.0 : a[e]));
    };
    for (Index k = 0; k < f.m_; ++k)
      each(k, [&](Index column, double value) {
        if (column >= f.nx_) out.put(column - f.nx_, f.nv_ + k, value);
        out.put(f.row_of(k), column, value);
      });
    const SparsePattern& U = f.problem_->upper().jacobian_pattern();
    for (std::size_t e = 0; e < U.size(); ++e)
      out.put(f.row_of_upper(U.rows[e]), U.columns[e], A.empty() ? 0.0 : A[e]);
    if (!f.with_products_) return;
    for (std::size_t i = 0; i < f.inequalities_.size(); ++i) {
      const Index k = f.inequalities_[i], row = f.row_of_product(static_cast<Index>(i));
      const double weight = l.empty() ? 0.0 : l[size_of(k)];
      each(k, [&](Index column, double value) { out.put(row, column, weight * value); });
      out.put(row, f.nv_ + k, c.empty() ? 0.0 : c[size_of(f.row_of(k))]);
    }
  }

  /// H: of F + G with their weights; h: of the lower functions, all that multiplies their entries;
  /// cross(k): entries of row k of g for (l_k, v).
  template <class Cross>
  void hessian(In H, In h, const Cross& cross) {
    const SparsePattern& U = f.problem_->upper().hessian_pattern();
    for (std::size_t e = 0; e < U.size(); ++e)
      out.put(U.rows[e], U.columns[e], H.empty() ? 0.0 : H[e]);
    const SparsePattern& L = f.problem_->lower().hessian_pattern();
    for (std::size_t e = 0; e < L.size(); ++e)
      out.put(L.rows[e], L.columns[e], h.empty() ? 0.0 : h[e]);
    for (Index k = 0; k < f.m_; ++k) {
      const LowerConstraint& at = f.lower_[size_of(k)];
      const bool has_product = f.with_products_ && !at.is_equality;
      if (at.is_variable) {
        if (has_product) out.put(f.nv_ + k, f.nx_ + at.row, cross(k, f.nx_ + at.row, 0));
        continue;
      }
      if (!has_product && f.problem_->lower().is_linear(at.row)) continue;
      for (const std::size_t e : f.entries_of_row_[size_of(at.row)]) {
        const Index column = f.problem_->lower().jacobian_pattern().columns[e];
        out.put(f.nv_ + k, column, cross(k, column, e));
      }
    }
  }
};

void LowerKktFunctions::find_patterns() {
  entries_of_row_.assign(size_of(ng_), {});
  if (ng_ > 0) {
    const SparsePattern& J = problem_->lower().jacobian_pattern();
    for (std::size_t e = 0; e < J.size(); ++e) entries_of_row_[size_of(J.rows[e])].push_back(e);
  }
  Walk to_jacobian{*this, {&jacobian_}};
  to_jacobian.jacobian({}, {}, {}, {}, {});
  Walk to_hessian{*this, {&hessian_}};
  to_hessian.hessian({}, {}, [](Index, Index, std::size_t) { return 0.0; });
}

void LowerKktFunctions::host_jacobian(In w, Out values) {
  const In v = w.first(size_of(nv_)), l = w.subspan(size_of(nv_));
  std::vector<double> c;
  if (with_products_) {
    c.resize(size_of(num_constraints()));
    host_constraints(w, c);
  }
  lower_weights(l);
  std::vector<double> h(problem_->lower().hessian_pattern().size());
  lower_functions_.hessian(v, 1.0, weights_, h);
  std::vector<double> a, A;
  if (ng_ > 0) {
    a.resize(problem_->lower().jacobian_pattern().size());
    lower_functions_.jacobian(v, a);
  }
  if (problem_->upper().num_constraints() > 0) {
    A.resize(problem_->upper().jacobian_pattern().size());
    upper_.jacobian(v, A);
  }
  Walk{*this, {nullptr, values}}.jacobian(h, a, A, c, l);
}

void LowerKktFunctions::add_third_derivatives(In v, In p, Out h) {
  if (problem_->parts().lower_is_quadratic) return;
  double length = 0.0, size = 1.0;
  for (const double d : p) length = std::max(length, std::abs(d));
  for (const double d : v) size = std::max(size, std::abs(d));
  if (!(length > 0.0)) return;
  const double step = difference_step * size / length;
  std::vector<double> shifted(v.begin(), v.end()), ahead(h.size()), behind(h.size());
  const auto move = [&](double by) {
    for (std::size_t j = 0; j < p.size(); ++j)
      shifted[size_of(nx_) + j] = v[size_of(nx_) + j] + by * p[j];
  };
  move(step);
  lower_functions_.hessian(shifted, 1.0, weights_, ahead);
  move(-step);
  lower_functions_.hessian(shifted, 1.0, weights_, behind);
  for (std::size_t e = 0; e < h.size(); ++e) h[e] += (ahead[e] - behind[e]) / (2.0 * step);
}

void LowerKktFunctions::host_hessian(In w, double sigma, In multipliers, Out values) {
  const In v = w.first(size_of(nv_)), l = w.subspan(size_of(nv_));
  const In p = multipliers.first(size_of(ny_));
  const In q = multipliers.subspan(size_of(row_of(0)), size_of(m_));
  const std::size_t mG = size_of(problem_->upper().num_constraints());
  const In r = with_products_ ? multipliers.subspan(size_of(row_of_product(0))) : In();
  std::vector<double> H(problem_->upper().hessian_pattern().size());
  upper_.hessian(v, sigma, multipliers.subspan(size_of(row_of_upper(0)), mG), H);

  // What multiplies g_k'': the row's own multiplier and, of l_k times it, the product's.
  std::vector<double> q_all(q.begin(), q.end()), product(size_of(m_)), c;
  for (std::size_t i = 0; i < r.size(); ++i) {
    const std::size_t k = size_of(inequalities_[i]);
    product[k] = r[i];
    q_all[k] += r[i] * l[k];
  }
  lower_weights(q_all);
  std::vector<double> h(problem_->lower().hessian_pattern().size());
  lower_functions_.hessian(v, 0.0, weights_, h);
  lower_weights(l);
  add_third_derivatives(v, p, h);

  std::vector<double> a;
  if (ng_ > 0 && with_products_) {
    a.resize(problem_->lower().jacobian_pattern().size());
    lower_functions_.jacobian(v, a);
  }
  // (g_k)_vy p for the nonlinear constraint at hand, found once for all its entries.
  std::vector<double> direction(v.size()), bent(v.size()), unit(size_of(ng_));
  std::copy(p.begin(), p.end(), direction.begin() + nx_);
  Index bent_row = -1;
  const auto cross = [&](Index k, Index column, std::size_t e) {
    const LowerConstraint& at = lower_[size_of(k)];
    if (at.is_variable) return product[size_of(k)] * at.sign;
    double value = a.empty() ? 0.0 : product[size_of(k)] * a[e];
    if (!problem_->lower().is_linear(at.row)) {
      if (bent_row != at.row) {
        unit[size_of(at.row)] = 1.0;
        lower_functions_.apply_hessian(v, 0.0, unit, direction, bent);
        unit[size_of(at.row)] = 0.0;
        bent_row = at.row;
      }
      value += bent[size_of(column)];
    }
    return at.sign * value;
  };
  Walk{*this, {nullptr, values}}.hessian(H, h, cross);
}

}  // namespace libsolve
