#include <algorithm>
#include <cmath>
#include <libsolve/core/random.hpp>
#include <libsolve/optimize/derivative_check.hpp>
#include <limits>
#include <numeric>
#include <utility>

namespace libsolve {

namespace {

using Numbers = std::vector<double>;

std::size_t at_index(Index k) {
  return static_cast<std::size_t>(k);
}

double largest(std::span<const double> v) {
  double value = 0.0;
  for (const double x : v) value = std::max(value, std::abs(x));
  return value;
}

/// A difference, and how far it may be off.
struct Difference {
  Numbers value, error;
};

enum Kind : std::size_t { gradient, jacobian, hessian, product, adjoint, hessian_product };
constexpr const char* kind_names[] = {"gradient", "Jacobian", "Hessian", "J v", "J' w", "W v"};
constexpr double step = 2e-5;

class Checker {
 public:
  Checker(const NonlinearProgram& program, const DerivativeCheckOptions& options)
      : program_(program),
        options_(options),
        at_(program.functions()),
        n_(at_index(program.num_variables())),
        m_(at_index(program.num_constraints())),
        has_entries_(program.functions().has_entries()),
        variable_names_(program.functions().variable_names()),
        constraint_names_(program.functions().constraint_names()),
        random_(options.seed, "check_derivatives") {
    for (const char* name : kind_names) result_.kinds.push_back({.kind = name});
    result_.tolerance = options.tolerance;
  }

  DerivativeCheck run() {
    for (int k = 0; k < options_.num_points; ++k) check_at(point(k));
    result_.num_points = options_.num_points;
    std::erase_if(result_.kinds, [](const DerivativeDefect& d) { return d.num_checked == 0; });
    return result_;
  }

 private:
  double draw(double low, double high) { return random_.uniform(drawn_++, low, high); }
  static double step_of(double x) { return step * std::max(1.0, std::abs(x)); }

  std::string variable(std::size_t j) const {
    return j < variable_names_.size() && !variable_names_[j].empty() ? variable_names_[j]
                                                                     : "x" + std::to_string(j + 1);
  }
  std::string constraint(std::size_t i) const {
    return i < constraint_names_.size() && !constraint_names_[i].empty()
               ? constraint_names_[i]
               : "c" + std::to_string(i + 1);
  }

  /// The start (k = 0) or a point near it, with room for differences.
  Numbers point(int k) {
    Numbers x = program_.host_x();
    const Bounds& b = program_.variable_bounds();
    for (std::size_t j = 0; j < n_; ++j) {
      if (k > 0) x[j] += draw(-0.1, 0.1) * std::max(1.0, std::abs(x[j]));
      const double margin = std::min(2.0 * step_of(x[j]), 0.25 * (b.upper[j] - b.lower[j]));
      x[j] = std::min(std::max(x[j], b.lower[j] + margin), b.upper[j] - margin);
    }
    return x;
  }

  /// f, c and the Lagrangian's gradient, one after the other.
  Numbers all_at(const Numbers& x) {
    Numbers values(1 + m_ + n_);
    const std::span<double> c(values.data() + 1, m_), g(values.data() + 1 + m_, n_);
    values[0] = at_.objective(x);
    at_.constraints(x, c);
    at_.gradient(x, g);
    if (m_ == 0) return values;
    if (has_entries_) {
      const SparsePattern& p = at_.functions().jacobian_pattern();
      Numbers entries(p.size());
      at_.jacobian(x, entries);
      for (std::size_t e = 0; e < entries.size(); ++e)
        g[at_index(p.columns[e])] += entries[e] * lambda_[at_index(p.rows[e])];
    } else {
      Numbers Jt(n_);
      at_.apply_jacobian_adjoint(x, lambda_, Jt);
      for (std::size_t j = 0; j < n_; ++j) g[j] += Jt[j];
    }
    return values;
  }

  /// Of all_at() along v, extrapolated from the steps h and h / 2.
  Difference difference_along(const Numbers& x, const Numbers& v, double h) {
    Difference d;
    Numbers slopes[2], sizes;
    for (int half = 0; half < 2; ++half) {
      const double s = half == 0 ? h : 0.5 * h;
      Numbers up = x, down = x;
      for (std::size_t j = 0; j < n_; ++j) {
        up[j] += s * v[j];
        down[j] -= s * v[j];
      }
      const Numbers ahead = all_at(up), behind = all_at(down);
      slopes[half].resize(ahead.size());
      for (std::size_t k = 0; k < ahead.size(); ++k)
        slopes[half][k] = (ahead[k] - behind[k]) / (2.0 * s);
      sizes = ahead;
    }
    const double noise = 100.0 * std::numeric_limits<double>::epsilon() / h;
    for (std::size_t k = 0; k < sizes.size(); ++k) {
      d.value.push_back((4.0 * slopes[1][k] - slopes[0][k]) / 3.0);
      d.error.push_back(std::abs(slopes[1][k] - slopes[0][k]) +
                        noise * std::max(1.0, std::abs(sizes[k])));
    }
    return d;
  }

  template <class Name>
  void compare(Kind kind, double given, double difference, double error, double row_size,
               const Name& where) {
    if (!std::isfinite(difference)) {
      ++result_.num_skipped;
      return;
    }
    DerivativeDefect& worst = result_.kinds[kind];
    ++worst.num_checked;
    double relative = std::numeric_limits<double>::infinity(), excess = relative;
    if (std::isfinite(given)) {
      const double size =
          std::max({std::abs(given), std::abs(difference), 1e-4 * row_size, 1e-300});
      relative = std::abs(given - difference) / size;
      excess = std::max(0.0, relative - error / size);
    }
    if (std::pair(excess, relative) > std::pair(worst.excess, worst.relative) ||
        worst.num_checked == 1) {
      worst.excess = excess;
      worst.where = where();
      worst.given = given;
      worst.difference = difference;
      worst.relative = relative;
    }
  }

  std::vector<std::size_t> columns() {
    std::vector<std::size_t> all(n_);
    std::iota(all.begin(), all.end(), std::size_t{0});
    const std::size_t count = std::min(n_, at_index(options_.max_columns));
    if (count == n_) return all;
    for (std::size_t k = 0; k < count; ++k)
      std::swap(all[k], all[k + static_cast<std::size_t>(draw(0.0, static_cast<double>(n_ - k)))]);
    all.resize(count);
    return all;
  }

  void check_at(const Numbers& x) {
    lambda_.resize(m_);
    for (double& l : lambda_) l = draw(-1.0, 1.0);
    Numbers g(n_);
    at_.gradient(x, g);
    if (has_entries_) read_entries(x);
    for (const std::size_t j : columns()) {
      Numbers unit(n_, 0.0);
      unit[j] = 1.0;
      const Difference d = difference_along(x, unit, step_of(x[j]));
      check_column(x, j, unit, g, d);
    }
    check_products(x);
  }

  void read_entries(const Numbers& x) {
    J_values_.resize(at_.functions().jacobian_pattern().size());
    W_values_.resize(at_.functions().hessian_pattern().size());
    if (m_ > 0) at_.jacobian(x, J_values_);
    at_.hessian(x, 1.0, lambda_, W_values_);
    row_sizes_.assign(m_, 0.0);
    const std::vector<Index>& rows = at_.functions().jacobian_pattern().rows;
    for (std::size_t e = 0; e < rows.size(); ++e) {
      double& size = row_sizes_[at_index(rows[e])];
      size = std::max(size, std::abs(J_values_[e]));
    }
  }

  /// Column j of J and of W.
  void columns_at(const Numbers& x, std::size_t j, const Numbers& unit, Numbers& J, Numbers& W) {
    if (!has_entries_) {
      if (m_ > 0) at_.apply_jacobian(x, unit, J);
      at_.apply_hessian(x, 1.0, lambda_, unit, W);
      row_sizes_.assign(m_, largest(J));
      return;
    }
    const SparsePattern& p = at_.functions().jacobian_pattern();
    for (std::size_t e = 0; e < p.size(); ++e)
      if (at_index(p.columns[e]) == j) J[at_index(p.rows[e])] += J_values_[e];
    const SparsePattern& q = at_.functions().hessian_pattern();
    for (std::size_t e = 0; e < q.size(); ++e) {
      const std::size_t row = at_index(q.rows[e]), column = at_index(q.columns[e]);
      if (column == j) W[row] += W_values_[e];
      if (row == j && row != column) W[column] += W_values_[e];
    }
  }

  void check_column(const Numbers& x, std::size_t j, const Numbers& unit, const Numbers& g,
                    const Difference& d) {
    Numbers J(m_, 0.0), W(n_, 0.0);
    columns_at(x, j, unit, J, W);
    compare(gradient, g[j], d.value[0], d.error[0], largest(g), [&] { return variable(j); });
    for (std::size_t i = 0; i < m_; ++i)
      compare(jacobian, J[i], d.value[1 + i], d.error[1 + i], row_sizes_[i],
              [&] { return constraint(i) + " by " + variable(j); });
    const double size = largest(W);
    for (std::size_t i = 0; i < n_; ++i)
      compare(hessian, W[i], d.value[1 + m_ + i], d.error[1 + m_ + i], size,
              [&] { return variable(i) + ", " + variable(j); });
  }

  void check_products(const Numbers& x) {
    Numbers v(n_), w(m_), Jv(m_), Jw(n_), Wv(n_);
    for (std::size_t j = 0; j < n_; ++j) v[j] = draw(-1.0, 1.0) * std::max(1.0, std::abs(x[j]));
    for (double& value : w) value = draw(-1.0, 1.0);
    const Difference d = difference_along(x, v, step);
    at_.apply_hessian(x, 1.0, lambda_, v, Wv);
    for (std::size_t j = 0; j < n_; ++j)
      compare(hessian_product, Wv[j], d.value[1 + m_ + j], d.error[1 + m_ + j], largest(Wv),
              [&] { return variable(j); });
    if (m_ == 0) return;
    at_.apply_jacobian(x, v, Jv);
    at_.apply_jacobian_adjoint(x, w, Jw);
    double left = 0.0, right = 0.0, sizes = 0.0;
    for (std::size_t i = 0; i < m_; ++i) {
      compare(product, Jv[i], d.value[1 + i], d.error[1 + i], largest(Jv),
              [&] { return constraint(i); });
      left += Jv[i] * w[i];
      sizes += std::abs(Jv[i] * w[i]);
    }
    for (std::size_t j = 0; j < n_; ++j) {
      right += Jw[j] * v[j];
      sizes += std::abs(Jw[j] * v[j]);
    }
    compare(adjoint, right, left, 1e-13 * sizes * std::sqrt(static_cast<double>(n_ + m_)), sizes,
            [] { return std::string("<J' w, v> against <w, J v>"); });
  }

  const NonlinearProgram& program_;
  const DerivativeCheckOptions& options_;
  HostAccess at_;
  std::size_t n_, m_;
  bool has_entries_;
  std::vector<std::string> variable_names_, constraint_names_;
  RandomStream random_;
  std::uint64_t drawn_ = 0;
  Numbers lambda_, J_values_, W_values_, row_sizes_;
  DerivativeCheck result_;
};

}  // namespace

bool DerivativeCheck::passed() const {
  return std::all_of(kinds.begin(), kinds.end(),
                     [&](const DerivativeDefect& d) { return d.excess <= tolerance; });
}

bool DerivativeCheck::checked_any() const {
  return !kinds.empty();
}

DerivativeCheck check_derivatives(const NonlinearProgram& program,
                                  const DerivativeCheckOptions& options) {
  return Checker(program, options).run();
}

}  // namespace libsolve
