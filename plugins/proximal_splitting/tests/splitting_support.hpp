#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/random.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/plugin/loader.hpp>
#include <memory>
#include <tests/support/differenced_programs.hpp>
#include <tests/support/monitors.hpp>
#include <tests/support/vectors.hpp>

#include "../admm.hpp"
#include "../fista.hpp"

namespace proximal_splitting::test {

using libsolve::test::infinity;
using libsolve::test::to_host;
using libsolve::test::to_vector;

inline Context context() {
  static const Registry* all = [] {
    auto* made = new Registry;
    load_plugins(*made, {.files = {}, .path = "", .installed_folder = std::nullopt});
    return made;
  }();
  Context c;
  c.registry = all;
  return c;
}

inline ComponentSpec spec(const std::string& name, std::initializer_list<std::pair<const char*, Value>> options = {}) {
  ComponentSpec made(name);
  for (const auto& [key, value] : options) made.options.set(key, value);
  return made;
}

/// f = 1/2 |A x - b|^2, A with m rows of normal numbers over sqrt(m), times `scale` of the column.
class LeastSquares final : public HostProgramFunctions {
 public:
  LeastSquares(Index m, Index n, double spread, std::uint64_t seed) : m_(m), n_(n) {
    const RandomStream stream(seed, "least squares");
    for (Index i = 0; i < m * n; ++i) {
      const double scale = std::pow(spread, -static_cast<double>(i % n) / std::max<Index>(1, n - 1));
      A_.push_back(scale * stream.normal(static_cast<std::uint64_t>(i)) / std::sqrt(m));
    }
    for (Index i = 0; i < m; ++i) b_.push_back(stream.normal(static_cast<std::uint64_t>(m * n + i)));
    for (Index i = 0; i < n; ++i)
      for (Index j = 0; j <= i; ++j) {
        hessian_.rows.push_back(i);
        hessian_.columns.push_back(j);
      }
  }
  Index num_variables() const override { return n_; }
  Index num_constraints() const override { return 0; }
  bool has_entries() const override { return true; }
  const SparsePattern& jacobian_pattern() const override { return jacobian_; }
  const SparsePattern& hessian_pattern() const override { return hessian_; }
  double entry(Index i, Index j) const { return A_[static_cast<std::size_t>(i * n_ + j)]; }

 protected:
  std::vector<double> residual(In x) const {
    std::vector<double> r(b_);
    for (Index i = 0; i < m_; ++i) {
      r[static_cast<std::size_t>(i)] *= -1.0;
      for (Index j = 0; j < n_; ++j)
        r[static_cast<std::size_t>(i)] += entry(i, j) * x[static_cast<std::size_t>(j)];
    }
    return r;
  }
  double host_objective(In x) override {
    double sum = 0.0;
    for (const double r : residual(x)) sum += r * r;
    return 0.5 * sum;
  }
  void host_gradient(In x, Out g) override {
    const auto r = residual(x);
    for (Index j = 0; j < n_; ++j) {
      g[static_cast<std::size_t>(j)] = 0.0;
      for (Index i = 0; i < m_; ++i)
        g[static_cast<std::size_t>(j)] += entry(i, j) * r[static_cast<std::size_t>(i)];
    }
  }
  void host_constraints(In, Out) override {}
  void host_jacobian(In, Out) override {}
  void host_hessian(In, double sigma, In, Out values) override {
    for (std::size_t k = 0; k < values.size(); ++k) {
      values[k] = 0.0;
      for (Index i = 0; i < m_; ++i)
        values[k] += sigma * entry(i, hessian_.rows[k]) * entry(i, hessian_.columns[k]);
    }
  }

 private:
  Index m_, n_;
  std::vector<double> A_, b_;
  SparsePattern jacobian_, hessian_;
};

inline std::unique_ptr<NonlinearProgram> least_squares(Index m, Index n, double spread = 1.0,
                                                       std::uint64_t seed = 1) {
  const auto size = static_cast<std::size_t>(n);
  return std::make_unique<NonlinearProgram>(
      std::make_shared<LeastSquares>(m, n, spread, seed),
      Bounds{std::vector<double>(size, -infinity), std::vector<double>(size, infinity)}, Bounds{},
      std::vector<double>(size, 0.0));
}

/// f + weight R, R by name.
inline std::unique_ptr<NonlinearProgram> with(const NonlinearProgram& f, const ComponentSpec& R,
                                              double weight) {
  return composite_program(f, context().make<ProximalOperator>(R), weight);
}

inline double measure(const NonlinearProgram& problem, const std::string& name) {
  for (const Measure& m : problem.verify())
    if (m.name == name) return m.value;
  ADD_FAILURE() << "no measure " << name;
  return NAN;
}

}  // namespace proximal_splitting::test
