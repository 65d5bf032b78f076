#pragma once

#include <cmath>
#include <functional>
#include <libsolve/optimize/nonlinear_program.hpp>
#include <limits>
#include <memory>

namespace libsolve::test {

inline constexpr double infinity = std::numeric_limits<double>::infinity();

/// A small program from functions of x; derivatives are differences of dual-step size in long
/// double, good to 1e-12 relative for smooth functions: tests need no second copy of each formula.
class DifferencedProgram final : public HostProgramFunctions {
 public:
  using Real = long double;
  using Function = std::function<Real(std::span<const Real>)>;
  DifferencedProgram(Index n, Function f, std::vector<Function> c)
      : n_(n), f_(std::move(f)), c_(std::move(c)) {
    for (Index i = 0; i < static_cast<Index>(c_.size()); ++i)
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
  Index num_constraints() const override { return static_cast<Index>(c_.size()); }
  bool has_entries() const override { return true; }
  const SparsePattern& jacobian_pattern() const override { return jacobian_; }
  const SparsePattern& hessian_pattern() const override { return hessian_; }
  bool is_linear(Index) const override { return all_linear; }
  bool all_linear = false;

 protected:
  double host_objective(In x) override { return static_cast<double>(f_(exact(x))); }
  void host_gradient(In x, Out g) override { gradient_of(f_, x, g); }
  void host_constraints(In x, Out c) override {
    for (std::size_t i = 0; i < c_.size(); ++i) c[i] = static_cast<double>(c_[i](exact(x)));
  }
  void host_jacobian(In x, Out values) override {
    const auto n = static_cast<std::size_t>(n_);
    for (std::size_t i = 0; i < c_.size(); ++i) gradient_of(c_[i], x, values.subspan(i * n, n));
  }
  void host_hessian(In x, double sigma, In lambda, Out values) override {
    const Function L = [&](std::span<const Real> y) {
      Real sum = sigma == 0.0 ? 0.0L : sigma * f_(y);
      for (std::size_t i = 0; i < c_.size(); ++i)
        if (lambda[i] != 0.0) sum += lambda[i] * c_[i](y);
      return sum;
    };
    std::vector<Real> y = exact(x);
    for (std::size_t k = 0; k < values.size(); ++k) {
      const auto i = static_cast<std::size_t>(hessian_.rows[k]);
      const auto j = static_cast<std::size_t>(hessian_.columns[k]);
      const auto at = [&](Real a, Real b) {
        std::vector<Real> z = y;
        z[i] += a;
        z[j] += b;
        return L(z);
      };
      const Real hi = step(y[i], 2e-4L), hj = step(y[j], 2e-4L);
      const auto mixed = [&](Real s) {
        return (at(s * hi, s * hj) - at(s * hi, -s * hj) - at(-s * hi, s * hj) +
                at(-s * hi, -s * hj)) /
               (4.0L * s * s * hi * hj);
      };
      values[k] = static_cast<double>((4.0L * mixed(1.0L) - mixed(2.0L)) / 3.0L);
    }
  }

 private:
  static std::vector<Real> exact(In x) { return {x.begin(), x.end()}; }
  static Real step(Real x, Real h) { return h * std::max<Real>(1.0L, std::abs(x)); }
  void gradient_of(const Function& f, In x, Out g) const {
    std::vector<Real> y = exact(x);
    for (std::size_t j = 0; j < y.size(); ++j) {
      const Real h = step(y[j], 1e-4L), x_j = y[j];
      const auto difference = [&](Real s) {
        y[j] = x_j + s;
        const Real up = f(y);
        y[j] = x_j - s;
        const Real down = f(y);
        y[j] = x_j;
        return (up - down) / (2.0L * s);
      };
      g[j] = static_cast<double>((4.0L * difference(h) - difference(2.0L * h)) / 3.0L);
    }
  }

  Index n_;
  Function f_;
  std::vector<Function> c_;
  SparsePattern jacobian_, hessian_;
};

/// Builds one; bounds left empty are infinite for variables and 0 = c(x) for constraints.
inline std::unique_ptr<NonlinearProgram> differenced_program(
    const std::vector<double>& start, DifferencedProgram::Function f,
    std::vector<DifferencedProgram::Function> c = {}, Bounds variables = {},
    Bounds constraints = {}, bool all_linear = false) {
  const std::size_t n = start.size(), m = c.size();
  if (variables.lower.empty()) variables.lower.assign(n, -infinity);
  if (variables.upper.empty()) variables.upper.assign(n, infinity);
  if (constraints.lower.empty()) constraints.lower.assign(m, 0.0);
  if (constraints.upper.empty()) constraints.upper.assign(m, 0.0);
  auto functions =
      std::make_shared<DifferencedProgram>(static_cast<Index>(n), std::move(f), std::move(c));
  functions->all_linear = all_linear;
  return std::make_unique<NonlinearProgram>(functions, std::move(variables), std::move(constraints),
                                            start);
}

}  // namespace libsolve::test
