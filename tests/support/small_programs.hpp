#pragma once

#include <cmath>
#include <functional>
#include <libsolve/optimize/nonlinear_program.hpp>
#include <limits>
#include <memory>

/// Small nonlinear programs with known solutions, written out by hand.
namespace libsolve::test {

constexpr double infinite = std::numeric_limits<double>::infinity();

/// Functions given one by one; Jacobian dense by rows, Hessian the dense lower triangle by rows. A
/// function that is missing leaves zeros.
class SmallProgram : public HostProgramFunctions {
 public:
  using Values = std::span<const double>;
  using Result = std::span<double>;
  struct Parts {
    std::function<double(Values)> f = {};
    std::function<void(Values, Result)> g = {};
    std::function<void(Values, Result)> c = {};
    std::function<void(Values, Result)> J = {};
    std::function<void(Values, double, Values, Result)> W = {};
  };

  SmallProgram(Index n, Index m, Parts parts) : n_(n), m_(m), parts_(std::move(parts)) {
    for (Index i = 0; i < m; ++i)
      for (Index j = 0; j < n; ++j) {
        jacobian_.rows.push_back(i);
        jacobian_.columns.push_back(j);
      }
    for (Index i = 0; i < n; ++i)
      for (Index j = 0; j <= i; ++j) {
        hessian_.rows.push_back(i);
        hessian_.columns.push_back(j);
      }
  }
  Index num_variables() const override { return n_; }
  Index num_constraints() const override { return m_; }
  bool has_entries() const override { return true; }
  const SparsePattern& jacobian_pattern() const override { return jacobian_; }
  const SparsePattern& hessian_pattern() const override { return hessian_; }

 protected:
  double host_objective(In x) override { return parts_.f ? parts_.f(x) : 0.0; }
  void host_gradient(In x, Out g) override {
    zero(g);
    if (parts_.g) parts_.g(x, g);
  }
  void host_constraints(In x, Out c) override {
    zero(c);
    if (parts_.c) parts_.c(x, c);
  }
  void host_jacobian(In x, Out values) override {
    zero(values);
    if (parts_.J) parts_.J(x, values);
  }
  void host_hessian(In x, double sigma, In lambda, Out values) override {
    zero(values);
    if (parts_.W) parts_.W(x, sigma, lambda, values);
  }

 private:
  static void zero(Out values) {
    for (double& v : values) v = 0.0;
  }
  Index n_, m_;
  Parts parts_;
  SparsePattern jacobian_, hessian_;
};

inline Bounds free_bounds(std::size_t n) {
  return {std::vector<double>(n, -infinite), std::vector<double>(n, infinite)};
}

/// Hock and Schittkowski 71: min x1 x4 (x1 + x2 + x3) + x3, x1 x2 x3 x4 >= 25, |x|^2 = 40,
/// 1 <= x <= 5; f = 17.0140173 at (1, 4.7429994, 3.8211503, 1.3794082).
inline NonlinearProgram hs71() {
  using S = SmallProgram;
  S::Parts p;
  p.f = [](S::Values x) { return x[0] * x[3] * (x[0] + x[1] + x[2]) + x[2]; };
  p.g = [](S::Values x, S::Result g) {
    g[0] = x[3] * (2.0 * x[0] + x[1] + x[2]);
    g[1] = x[0] * x[3];
    g[2] = x[0] * x[3] + 1.0;
    g[3] = x[0] * (x[0] + x[1] + x[2]);
  };
  p.c = [](S::Values x, S::Result c) {
    c[0] = x[0] * x[1] * x[2] * x[3];
    c[1] = x[0] * x[0] + x[1] * x[1] + x[2] * x[2] + x[3] * x[3];
  };
  p.J = [](S::Values x, S::Result J) {
    J[0] = x[1] * x[2] * x[3];
    J[1] = x[0] * x[2] * x[3];
    J[2] = x[0] * x[1] * x[3];
    J[3] = x[0] * x[1] * x[2];
    for (std::size_t j = 0; j < 4; ++j) J[4 + j] = 2.0 * x[j];
  };
  p.W = [](S::Values x, double s, S::Values l, S::Result W) {
    W[0] = s * 2.0 * x[3] + l[1] * 2.0;
    W[1] = s * x[3] + l[0] * x[2] * x[3];
    W[2] = l[1] * 2.0;
    W[3] = s * x[3] + l[0] * x[1] * x[3];
    W[4] = l[0] * x[0] * x[3];
    W[5] = l[1] * 2.0;
    W[6] = s * (2.0 * x[0] + x[1] + x[2]) + l[0] * x[1] * x[2];
    W[7] = s * x[0] + l[0] * x[0] * x[2];
    W[8] = s * x[0] + l[0] * x[0] * x[1];
    W[9] = l[1] * 2.0;
  };
  return {std::make_shared<SmallProgram>(4, 2, p),
          {{1, 1, 1, 1}, {5, 5, 5, 5}},
          {{25, 40}, {infinite, 40}},
          {1, 5, 5, 1}};
}

/// min (x1 - 2)^2 + (x2 - 1)^2 on x1^2 + x2^2 = 1; x = (2, 1) / sqrt(5), lambda = sqrt(5) - 1.
inline NonlinearProgram nearest_on_circle() {
  using S = SmallProgram;
  S::Parts p;
  p.f = [](S::Values x) { return (x[0] - 2.0) * (x[0] - 2.0) + (x[1] - 1.0) * (x[1] - 1.0); };
  p.g = [](S::Values x, S::Result g) {
    g[0] = 2.0 * (x[0] - 2.0);
    g[1] = 2.0 * (x[1] - 1.0);
  };
  p.c = [](S::Values x, S::Result c) { c[0] = x[0] * x[0] + x[1] * x[1] - 1.0; };
  p.J = [](S::Values x, S::Result J) {
    J[0] = 2.0 * x[0];
    J[1] = 2.0 * x[1];
  };
  p.W = [](S::Values, double s, S::Values l, S::Result W) { W[0] = W[2] = 2.0 * (s + l[0]); };
  return {std::make_shared<SmallProgram>(2, 1, p), free_bounds(2), {{0}, {0}}, {1.0, 0.5}};
}

/// min 1/2 |x - t|^2 with x1 = 3 fixed, x2 <= 1, x3 free and t = (1, 2, 5): x = (3, 1, 5),
/// z = (-2, 1, 0).
inline NonlinearProgram fixed_and_bounded() {
  using S = SmallProgram;
  S::Parts p;
  p.f = [](S::Values x) {
    return 0.5 * ((x[0] - 1) * (x[0] - 1) + (x[1] - 2) * (x[1] - 2) + (x[2] - 5) * (x[2] - 5));
  };
  p.g = [](S::Values x, S::Result g) {
    g[0] = x[0] - 1.0;
    g[1] = x[1] - 2.0;
    g[2] = x[2] - 5.0;
  };
  p.W = [](S::Values, double s, S::Values, S::Result W) { W[0] = W[2] = W[5] = s; };
  return {std::make_shared<SmallProgram>(3, 0, p),
          {{3, -infinite, -infinite}, {3, 1, infinite}},
          {},
          {3, 0, 0}};
}

/// min x1 on x1^2 + x2^2 = -1: no feasible point; the violation is least, 1, at the origin.
inline NonlinearProgram infeasible_circle() {
  using S = SmallProgram;
  S::Parts p;
  p.f = [](S::Values x) { return x[0]; };
  p.g = [](S::Values, S::Result g) { g[0] = 1.0; };
  p.c = [](S::Values x, S::Result c) { c[0] = x[0] * x[0] + x[1] * x[1]; };
  p.J = [](S::Values x, S::Result J) {
    J[0] = 2.0 * x[0];
    J[1] = 2.0 * x[1];
  };
  p.W = [](S::Values, double, S::Values l, S::Result W) { W[0] = W[2] = 2.0 * l[0]; };
  return {std::make_shared<SmallProgram>(2, 1, p), free_bounds(2), {{-1}, {-1}}, {2.0, 1.0}};
}

/// min -x1 - x2 with x1 = x2: runs off to infinity.
inline NonlinearProgram unbounded_line() {
  using S = SmallProgram;
  S::Parts p;
  p.f = [](S::Values x) { return -x[0] - x[1]; };
  p.g = [](S::Values, S::Result g) { g[0] = g[1] = -1.0; };
  p.c = [](S::Values x, S::Result c) { c[0] = x[0] - x[1]; };
  p.J = [](S::Values, S::Result J) {
    J[0] = 1.0;
    J[1] = -1.0;
  };
  return {std::make_shared<SmallProgram>(2, 1, p), free_bounds(2), {{0}, {0}}, {1.0, 2.0}};
}

/// min x - log x, with NaN for x <= 0; x = 1. From `start`.
inline NonlinearProgram with_logarithm(double start) {
  using S = SmallProgram;
  S::Parts p;
  p.f = [](S::Values x) { return x[0] - std::log(x[0]); };
  p.g = [](S::Values x, S::Result g) {
    g[0] = x[0] > 0.0 ? 1.0 - 1.0 / x[0] : std::numeric_limits<double>::quiet_NaN();
  };
  p.W = [](S::Values x, double s, S::Values, S::Result W) { W[0] = s / (x[0] * x[0]); };
  return {std::make_shared<SmallProgram>(1, 0, p), free_bounds(1), {}, {start}};
}

}  // namespace libsolve::test
