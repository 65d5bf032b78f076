#pragma once

#include <array>
#include <cmath>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/pde/evolution.hpp>
#include <tests/support/vectors.hpp>

namespace libsolve::test {

/// Three coupled equations over N steps, with everything in them that an Evolution may have: with b =
/// y_{n-1}, y = y_n, parameters m = (u_1, ..., u_N, w), u_n for each step, w shared,
///   c_i = y_i - b_i + dt (sum_j A_ij y_j - u_{n,i} + e (w_i b_i y_{i+1} + y_i^3 + sin(b_i) exp(w_i))),
/// i + 1 cyclic, e = 0 where it is linear (then - w_i is added in place of the bracket); g_n = 1/2 |y -
/// d_n|^2 (or with 1/4 |y|^4 + 1/2 (y_0 w_0)^2 too) for all n or for N alone, r = 1/2 0.1 |m|^2 (+ 1/4 |m|^4).
class SmallEvolution final : public Evolution {
 public:
  static constexpr std::size_t size = 3;
  using Three = std::array<double, size>;
  bool is_nonlinear = true, tracks_all = true, has_quartic_costs = false;
  double spoilt = 0.0;  ///< added to E^T
  int steps = 9;

  SmallEvolution(bool nonlinear, bool all) : is_nonlinear(nonlinear), tracks_all(all) {}

  const Partition& state_partition() const override { return state_; }
  const Partition& parameter_partition() const override {
    parameter_ = Partition(static_cast<GlobalIndex>(size) * (steps + 1));
    return parameter_;
  }
  int num_steps() const override { return steps; }
  bool is_linear() const override { return !is_nonlinear; }
  bool has_step_cost(int n) const override { return tracks_all || n == steps; }
  bool has_quadratic_costs() const override { return !has_quartic_costs; }
  void initial_state(const Vector& y0) const override { assign(y0, {0.5, -0.3, 0.8}); }

  void residual(int n, const Point& at, const Vector& out) override {
    put(out, residual_of(n, get(at.before), get(at.y), to_host(at.m)));
  }
  void solve_step(int n, const Vector& before, const Vector& m, const Vector& y) override {
    Three x = get(y);
    for (int k = 0; k < 30; ++k) {
      const Three c = residual_of(n, get(before), x, to_host(m));
      const Three d = solved(state_matrix(get(before), x, to_host(m)), c);
      for (std::size_t i = 0; i < size; ++i) x[i] -= d[i];
    }
    put(y, x);
  }
  void apply_state(int, const Point& at, const Vector& v, const Vector& out) override {
    put(out, times(C(at), get(v)));
  }
  void apply_state_adjoint(int, const Point& at, const Vector& p, const Vector& out) override {
    put(out, times(transposed(C(at)), get(p)));
  }
  void solve_tangent(int, const Point& at, const Vector& r, const Vector& v) override {
    put(v, solved(C(at), get(r)));
  }
  void solve_adjoint(int, const Point& at, const Vector& r, const Vector& p) override {
    put(p, solved(transposed(C(at)), get(r)));
  }
  void apply_before(int, const Point& at, const Vector& v, const Vector& out) override {
    Three e = E(at), x = get(v);
    for (std::size_t i = 0; i < size; ++i) x[i] *= e[i];
    put(out, x);
  }
  void apply_before_adjoint(int, const Point& at, const Vector& p, const Vector& out) override {
    Three e = E(at), x = get(p);
    for (std::size_t i = 0; i < size; ++i) x[i] *= e[i] + spoilt;
    put(out, x);
  }
  void apply_parameter(int n, const Point& at, const Vector& q, const Vector& out) override {
    const Three d = D(at);
    const auto values = to_host(q);
    Three x;
    for (std::size_t i = 0; i < size; ++i)
      x[i] = -dt * values[own(n) + i] + d[i] * values[shared() + i];
    put(out, x);
  }
  void add_parameter_adjoint(int n, const Point& at, const Vector& p, const Vector& out) override {
    const Three d = D(at), x = get(p);
    auto values = to_host(out);
    for (std::size_t i = 0; i < size; ++i) {
      values[own(n) + i] -= dt * x[i];
      values[shared() + i] += d[i] * x[i];
    }
    assign(out, values);
  }
  void add_second_derivative(int, const Point& at, const Vector& multiplier, const Triple& along,
                             const Triple& out) override {
    if (!is_nonlinear) return;
    const Three b = get(at.before), y = get(at.y), p = get(multiplier);
    const Three vb = get(along.before), vy = get(along.y);
    const auto m = to_host(at.m), vm = to_host(along.m);
    Three ob = get(out.before), oy = get(out.y);
    auto om = to_host(out.m);
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t j = (i + 1) % size;
      const double w = m[shared() + i], vw = vm[shared() + i], s = dt * p[i];
      ob[i] += s * (w * vy[j] + vw * y[j] - std::sin(b[i]) * std::exp(w) * vb[i] +
                    std::cos(b[i]) * std::exp(w) * vw);
      oy[j] += s * (w * vb[i] + vw * b[i]);
      oy[i] += s * 6.0 * y[i] * vy[i];
      om[shared() + i] += s * (b[i] * vy[j] + y[j] * vb[i] + std::cos(b[i]) * std::exp(w) * vb[i] +
                               std::sin(b[i]) * std::exp(w) * vw);
    }
    put(out.before, ob);
    put(out.y, oy);
    assign(out.m, om);
  }

  double step_cost(int n, const Vector& y, const Vector& m) override {
    const Three x = get(y), d = data(n);
    const double w = to_host(m)[shared()];
    double sum = 0.5 * quartic() * x[0] * x[0] * w * w;
    for (std::size_t i = 0; i < size; ++i)
      sum += 0.5 * (x[i] - d[i]) * (x[i] - d[i]) + 0.25 * quartic() * std::pow(x[i], 4);
    return sum;
  }
  void step_cost_gradient(int n, const Vector& y, const Vector& m, const Vector& out_y,
                          const Vector& out_m) override {
    Three x = get(y), d = data(n), g;
    for (std::size_t i = 0; i < size; ++i) g[i] = x[i] - d[i] + quartic() * std::pow(x[i], 3);
    if (has_quartic_costs) {
      const double w = to_host(m)[shared()];
      g[0] += x[0] * w * w;
      auto g_m = to_host(out_m);
      g_m[shared()] += x[0] * x[0] * w;
      assign(out_m, g_m);
    }
    put(out_y, g);
  }
  void step_cost_hessian(int, const Vector& y, const Vector& m, const Vector& v, const Vector& q,
                         const Vector& out_y, const Vector& out_m) override {
    Three g = get(v);
    if (has_quartic_costs) {
      const Three x = get(y), vy = get(v);
      const double w = to_host(m)[shared()], vw = to_host(q)[shared()];
      for (std::size_t i = 0; i < size; ++i) g[i] *= 1.0 + 3.0 * x[i] * x[i];
      g[0] += vy[0] * w * w + 2.0 * x[0] * w * vw;
      auto g_m = to_host(out_m);
      g_m[shared()] += 2.0 * x[0] * vy[0] * w + x[0] * x[0] * vw;
      assign(out_m, g_m);
    }
    put(out_y, g);
  }
  double parameter_cost(const Vector& m) override {
    double sum = 0.0;
    for (const double x : to_host(m)) sum += 0.05 * x * x + 0.25 * quartic() * std::pow(x, 4);
    return sum;
  }
  void add_parameter_cost_gradient(const Vector& m, const Vector& out) override {
    const auto x = to_host(m);
    auto g = to_host(out);
    for (std::size_t i = 0; i < x.size(); ++i) g[i] += 0.1 * x[i] + quartic() * std::pow(x[i], 3);
    assign(out, g);
  }
  void add_parameter_cost_hessian(const Vector& m, const Vector& q, const Vector& out) override {
    const auto x = to_host(m), v = to_host(q);
    auto g = to_host(out);
    for (std::size_t i = 0; i < x.size(); ++i) g[i] += (0.1 + 3.0 * quartic() * x[i] * x[i]) * v[i];
    assign(out, g);
  }
  std::vector<int> shown_steps() const override { return {0, 4, steps}; }
  std::vector<Field> fields(const std::vector<Vector>& states, const std::vector<Vector>& adjoints,
                            const Vector& m) const override {
    std::vector<Field> all(1);
    all[0].name = "m";
    all[0].values = m;
    for (std::size_t k = 0; k < states.size(); ++k)
      for (const bool is_state : {true, false}) {
        Field f;
        f.name = (is_state ? "y" : "p") + std::to_string(k);
        f.values = is_state ? states[k] : adjoints[k];
        all.push_back(f);
      }
    return all;
  }

 private:
  using Matrix = std::array<Three, size>;
  static constexpr double dt = 0.2;
  static constexpr Matrix A = {{{1.0, 0.3, -0.2}, {-0.4, 0.8, 0.1}, {0.2, 0.5, 1.5}}};

  double quartic() const { return has_quartic_costs ? 1.0 : 0.0; }
  double e() const { return is_nonlinear ? 1.0 : 0.0; }
  std::size_t own(int n) const { return size * static_cast<std::size_t>(n - 1); }
  std::size_t shared() const { return size * static_cast<std::size_t>(steps); }
  static Three data(int n) { return {0.3 + 0.1 * n, std::sin(n), -0.2}; }
  static Three get(const Vector& v) {
    const auto x = to_host(v);
    return {x[0], x[1], x[2]};
  }
  static void put(const Vector& v, const Three& x) { assign(v, {x[0], x[1], x[2]}); }

  Three residual_of(int n, const Three& b, const Three& y, const std::vector<double>& m) const {
    Three c;
    for (std::size_t i = 0; i < size; ++i) {
      const double w = m[shared() + i];
      c[i] = -m[own(n) + i] - (1.0 - e()) * w;
      for (std::size_t j = 0; j < size; ++j) c[i] += A[i][j] * y[j];
      if (is_nonlinear)
        c[i] += w * b[i] * y[(i + 1) % size] + std::pow(y[i], 3) + std::sin(b[i]) * std::exp(w);
      c[i] = y[i] - b[i] + dt * c[i];
    }
    return c;
  }
  Matrix state_matrix(const Three& b, const Three& y, const std::vector<double>& m) const {
    Matrix c = {};
    for (std::size_t i = 0; i < size; ++i) {
      for (std::size_t j = 0; j < size; ++j) c[i][j] = (i == j ? 1.0 : 0.0) + dt * A[i][j];
      if (!is_nonlinear) continue;
      c[i][(i + 1) % size] += dt * m[shared() + i] * b[i];
      c[i][i] += dt * 3.0 * y[i] * y[i];
    }
    return c;
  }
  Matrix C(const Point& at) const {
    return is_nonlinear ? state_matrix(get(at.before), get(at.y), to_host(at.m))
                        : state_matrix({}, {}, {});
  }
  Three E(const Point& at) const {
    if (!is_nonlinear) return {-1.0, -1.0, -1.0};
    const Three b = get(at.before), y = get(at.y);
    const auto m = to_host(at.m);
    Three d;
    for (std::size_t i = 0; i < size; ++i) {
      const double w = m[shared() + i];
      d[i] = -1.0 + dt * (w * y[(i + 1) % size] + std::cos(b[i]) * std::exp(w));
    }
    return d;
  }
  Three D(const Point& at) const {
    if (!is_nonlinear) return {-dt, -dt, -dt};
    const Three b = get(at.before), y = get(at.y);
    const auto m = to_host(at.m);
    Three d;
    for (std::size_t i = 0; i < size; ++i)
      d[i] = dt * (b[i] * y[(i + 1) % size] + std::sin(b[i]) * std::exp(m[shared() + i]));
    return d;
  }
  static Three times(const Matrix& a, const Three& x) {
    Three y = {};
    for (std::size_t i = 0; i < size; ++i)
      for (std::size_t j = 0; j < size; ++j) y[i] += a[i][j] * x[j];
    return y;
  }
  static Matrix transposed(const Matrix& a) {
    Matrix t;
    for (std::size_t i = 0; i < size; ++i)
      for (std::size_t j = 0; j < size; ++j) t[i][j] = a[j][i];
    return t;
  }
  /// Gauss without pivots: these matrices are diagonally dominant.
  static Three solved(Matrix a, Three r) {
    for (std::size_t k = 0; k < size; ++k)
      for (std::size_t i = k + 1; i < size; ++i) {
        const double f = a[i][k] / a[k][k];
        for (std::size_t j = k; j < size; ++j) a[i][j] -= f * a[k][j];
        r[i] -= f * r[k];
      }
    for (std::size_t i = size; i-- > 0;) {
      for (std::size_t j = i + 1; j < size; ++j) r[i] -= a[i][j] * r[j];
      r[i] /= a[i][i];
    }
    return r;
  }

  Partition state_ = Partition(static_cast<GlobalIndex>(size));
  mutable Partition parameter_;
};

}  // namespace libsolve::test
