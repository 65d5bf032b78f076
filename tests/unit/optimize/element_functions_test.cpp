#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/optimize/derivative_check.hpp>
#include <libsolve/optimize/element_functions.hpp>

namespace {

using namespace libsolve;
using Numbers = std::vector<double>;

/// A hanging chain of n links as libsolve/docs/user-programs.md has it: f = sum of heights, links
/// of length 1, coordinates (u_k, v_k) of the joints at 2k and 2k + 1, the first joint at the
/// origin.
struct Chain {
  static constexpr int term_width = 1, constraint_width = 4;
  Index n;
  Index num_variables() const { return 2 * (n + 1); }
  Index num_terms() const { return n + 1; }
  Index num_constraints() const { return n; }
  KOKKOS_FUNCTION Index term_variable(Index k, int) const { return 2 * k + 1; }
  KOKKOS_FUNCTION Index constraint_variable(Index i, int l) const { return 2 * i + l; }
  template <class T>
  KOKKOS_FUNCTION T term(Index, const T* x) const {
    return x[0];
  }
  template <class T>
  KOKKOS_FUNCTION T constraint(Index, const T* x) const {
    using Kokkos::sqrt;
    const T du = x[2] - x[0], dv = x[3] - x[1];
    return sqrt(du * du + dv * dv) - 1.0;
  }
};

/// Elements with repeated variables: term k = exp(x_k x_k+1 / 10) x_k (variables k, k + 1, k), and
/// constraint i = sin(x_i) x_i + x_0 (variables i, i, 0).
struct Repeated {
  static constexpr int term_width = 3, constraint_width = 3;
  Index n;
  Index num_variables() const { return n; }
  Index num_terms() const { return n; }
  Index num_constraints() const { return 2; }
  KOKKOS_FUNCTION Index term_variable(Index k, int l) const { return l == 1 ? (k + 1) % n : k; }
  KOKKOS_FUNCTION Index constraint_variable(Index i, int l) const { return l == 2 ? 0 : i; }
  template <class T>
  KOKKOS_FUNCTION T term(Index, const T* x) const {
    using Kokkos::exp;
    return exp(x[0] * x[1] / 10.0) * x[2];
  }
  template <class T>
  KOKKOS_FUNCTION T constraint(Index, const T* x) const {
    using Kokkos::sin;
    return sin(x[0]) * x[1] + x[2];
  }
};

struct OutOfRange : Repeated {
  KOKKOS_FUNCTION Index term_variable(Index k, int l) const { return k + l; }
};

DerivativeCheck checked(const std::shared_ptr<ProgramFunctions>& functions, const Numbers& start) {
  const auto m = static_cast<std::size_t>(functions->num_constraints());
  const Bounds free{Numbers(start.size(), -INFINITY), Numbers(start.size(), INFINITY)};
  return check_derivatives(
      NonlinearProgram(functions, free, {Numbers(m, 0.0), Numbers(m, 0.0)}, start));
}

Numbers chain_start(Index n) {
  Numbers x;
  for (Index k = 0; k <= n; ++k) {
    x.push_back(0.8 * k);
    x.push_back(-0.3 * k * (n - k) / n);
  }
  return x;
}

TEST(ElementFunctions, ValuesAndDerivativesOfAChain) {
  const auto f = make_element_functions(Chain{20});
  const Numbers x = chain_start(20);
  const HostAccess at(*f);
  double heights = 0.0;
  for (std::size_t k = 1; k < x.size(); k += 2) heights += x[k];
  EXPECT_NEAR(at.objective(x), heights, 1e-13);
  Numbers c(20), g(42);
  at.constraints(x, c);
  at.gradient(x, g);
  EXPECT_NEAR(c[0], std::hypot(x[2] - x[0], x[3] - x[1]) - 1.0, 1e-15);
  for (std::size_t j = 0; j < g.size(); ++j) EXPECT_EQ(g[j], j % 2 == 0 ? 0.0 : 1.0);
  const DerivativeCheck check = checked(f, x);
  EXPECT_TRUE(check.passed());
  EXPECT_EQ(check.kinds.size(), 6U);
}

TEST(ElementFunctions, RepeatedVariablesAddUp) {
  const auto f = make_element_functions(Repeated{5});
  EXPECT_TRUE(checked(f, {0.3, -0.8, 1.1, 0.6, -0.2}).passed());
  // c_1 = sin(x_1) x_1 + x_0: W_11 = 2 cos x - x sin x.
  const HostAccess at(*f);
  const Numbers x = {0.3, -0.8, 1.1, 0.6, -0.2};
  Numbers y(5);
  at.apply_hessian(x, 0.0, Numbers{0.0, 1.0}, Numbers{0, 1, 0, 0, 0}, y);
  EXPECT_NEAR(y[1], 2 * std::cos(-0.8) + 0.8 * std::sin(-0.8), 1e-14);
  EXPECT_EQ(y[0], 0.0);
}

/// Products by directions are those by entries.
TEST(ElementFunctions, ProductsAgreeWithEntries) {
  const auto f = make_element_functions(Chain{7});
  const HostAccess at(*f);
  const Numbers x = chain_start(7);
  Numbers v(16), lambda(7), y(16), z(16, 0.0);
  for (std::size_t j = 0; j < 16; ++j) v[j] = std::sin(double(j) + 1.0);
  for (std::size_t i = 0; i < 7; ++i) lambda[i] = std::cos(3.0 * double(i));
  const SparsePattern& p = f->hessian_pattern();
  Numbers values(p.size());
  at.hessian(x, 1.0, lambda, values);
  for (std::size_t e = 0; e < p.size(); ++e) {
    const auto i = std::size_t(p.rows[e]), j = std::size_t(p.columns[e]);
    z[i] += values[e] * v[j];
    if (i != j) z[j] += values[e] * v[i];
  }
  at.apply_hessian(x, 1.0, lambda, v, y);
  for (std::size_t j = 0; j < 16; ++j) EXPECT_NEAR(y[j], z[j], 1e-13);
}

TEST(ElementFunctions, VariablesOutOfRangeAreRefused) {
  EXPECT_THROW(make_element_functions(OutOfRange{{5}}), ShapeError);
}

}  // namespace
