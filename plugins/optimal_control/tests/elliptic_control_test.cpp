#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/random.hpp>
#include <numbers>

#include "control_functions.hpp"
#include "elliptic_control.hpp"

namespace {

using namespace libsolve;
using optimal_control::ControlFunctions;
using optimal_control::EllipticControlSource;
using optimal_control::Reaction;
using optimal_control::ReactionTerm;

std::vector<double> random_values(std::size_t n, std::string_view purpose) {
  const RandomStream stream(5, purpose);
  std::vector<double> v(n);
  for (std::size_t i = 0; i < n; ++i) v[i] = stream.uniform(i, -1.0, 1.0);
  return v;
}

VectorView to_view(const std::vector<double>& values) {
  const VectorView view("test::view", values.size());
  Kokkos::deep_copy(view,
                    Kokkos::View<const double*, Kokkos::HostSpace>(values.data(), values.size()));
  return view;
}

/// Everything against central differences, entries against products.
void expect_derivatives(Index N, ReactionTerm reaction) {
  const auto points = static_cast<std::size_t>(N) * static_cast<std::size_t>(N);
  const std::size_t n = 2 * points, m = points;
  ControlFunctions functions(N, 0.25, 1e-2, reaction, random_values(points, "target"));
  const HostAccess at(functions);
  const std::vector<double> x = random_values(n, "x"), lambda = random_values(m, "lambda"),
                            v = random_values(n, "v");
  std::vector<double> g(n), Jv(m), Jtl(n), Wv(n);
  at.gradient(x, g);
  at.apply_jacobian(x, v, Jv);
  at.apply_jacobian_adjoint(x, lambda, Jtl);
  at.apply_hessian(x, 1.5, lambda, v, Wv);
  const double step = 1e-5;
  std::vector<double> up = x, down = x, c_up(m), c_down(m), l_up(n), l_down(n), t(n);
  double gv = 0.0;
  for (std::size_t j = 0; j < n; ++j) {
    up[j] += step * v[j];
    down[j] -= step * v[j];
    gv += g[j] * v[j];
  }
  EXPECT_NEAR(gv, (at.objective(up) - at.objective(down)) / (2 * step), 1e-8);
  at.constraints(up, c_up);
  at.constraints(down, c_down);
  double from_left = 0.0, from_right = 0.0;
  for (std::size_t i = 0; i < m; ++i) {
    EXPECT_NEAR(Jv[i], (c_up[i] - c_down[i]) / (2 * step), 1e-6);
    from_left += lambda[i] * Jv[i];
  }
  for (std::size_t j = 0; j < n; ++j) from_right += Jtl[j] * v[j];
  EXPECT_NEAR(from_left, from_right, 1e-10 * std::abs(from_left) + 1e-9);
  // The Hessian from the Lagrangian's gradient 1.5 f' + J^T lambda.
  const auto lagrangian = [&](const std::vector<double>& where, std::vector<double>& out) {
    at.gradient(where, t);
    at.apply_jacobian_adjoint(where, lambda, out);
    for (std::size_t j = 0; j < n; ++j) out[j] += 1.5 * t[j];
  };
  lagrangian(up, l_up);
  lagrangian(down, l_down);
  for (std::size_t j = 0; j < n; ++j) EXPECT_NEAR(Wv[j], (l_up[j] - l_down[j]) / (2 * step), 1e-5);
  // Entries.
  const SparsePattern& J = functions.jacobian_pattern();
  const SparsePattern& W = functions.hessian_pattern();
  std::vector<double> J_values(J.size()), W_values(W.size()), y(m), z(n);
  at.jacobian(x, J_values);
  at.hessian(x, 1.5, lambda, W_values);
  for (std::size_t k = 0; k < J.size(); ++k)
    y[static_cast<std::size_t>(J.rows[k])] +=
        J_values[k] * v[static_cast<std::size_t>(J.columns[k])];
  for (std::size_t k = 0; k < W.size(); ++k) {
    ASSERT_EQ(W.rows[k], W.columns[k]);
    z[static_cast<std::size_t>(W.rows[k])] +=
        W_values[k] * v[static_cast<std::size_t>(W.columns[k])];
  }
  for (std::size_t i = 0; i < m; ++i) EXPECT_NEAR(y[i], Jv[i], 1e-10);
  for (std::size_t j = 0; j < n; ++j) EXPECT_NEAR(z[j], Wv[j], 1e-13);
}

TEST(EllipticControl, DerivativesAgreeWithDifferences) {
  for (const Reaction kind : {Reaction::none, Reaction::cubic, Reaction::exponential})
    for (const Index N : {1, 2, 9}) expect_derivatives(N, {kind, 0.7});
}

/// The structure's operator is the Jacobian's left half, D the Hessian's diagonal.
TEST(EllipticControl, OffersItsStructure) {
  const Index N = 7;
  const std::size_t points = 49;
  ControlFunctions functions(N, 0.1, 1e-3, {Reaction::cubic, 2.0}, std::vector<double>(49, 1.0));
  const std::vector<double> x = random_values(2 * points, "x"), v = random_values(points, "v"),
                            lambda = random_values(points, "lambda");
  const auto A = functions.state_operator(to_view(x));
  const Vector input(to_view(v), Partition(49)), output("test::output", Partition(49));
  A->apply(input, output);
  const auto Av = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), output.view());
  std::vector<double> direction(2 * points, 0.0), Jv(points), Wv(2 * points);
  std::copy(v.begin(), v.end(), direction.begin());
  const HostAccess at(functions);
  at.apply_jacobian(x, direction, Jv);
  for (std::size_t k = 0; k < points; ++k) EXPECT_NEAR(Av(k), Jv[k], 1e-10);
  const VectorView d("test::d", points);
  functions.state_hessian(to_view(x), 1.0, to_view(lambda), d);
  const auto D = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), d);
  at.apply_hessian(x, 1.0, lambda, direction, Wv);
  for (std::size_t k = 0; k < points; ++k) EXPECT_NEAR(D(k) * v[k], Wv[k], 1e-13);
  EXPECT_EQ(functions.grid().cells[0], N);
  EXPECT_DOUBLE_EQ(functions.grid().spacing[0], 0.125);
}

/// c at (y, u) = (sin sin, 2 pi^2 sin sin + its cube) falls as h^2: the observed order.
TEST(EllipticControl, StateEquationIsSecondOrder) {
  double errors[2] = {};
  for (int level = 0; level < 2; ++level) {
    const Index N = level == 0 ? 15 : 31;
    const double h = 1.0 / (N + 1.0), pi = std::numbers::pi;
    const auto points = static_cast<std::size_t>(N) * static_cast<std::size_t>(N);
    ControlFunctions functions(N, 1.0, 1.0, {Reaction::cubic, 1.0},
                               std::vector<double>(points, 0.0));
    std::vector<double> x(2 * points), c(points);
    for (std::size_t k = 0; k < points; ++k) {
      const double x1 = (static_cast<double>(k % static_cast<std::size_t>(N)) + 1.0) * h;
      const double x2 = (static_cast<double>(k / static_cast<std::size_t>(N)) + 1.0) * h;
      const double y = std::sin(pi * x1) * std::sin(pi * x2);
      x[k] = y;
      x[points + k] = 2.0 * pi * pi * y + y * y * y;
    }
    HostAccess(functions).constraints(x, c);
    for (const double r : c) errors[level] = std::max(errors[level], std::abs(r));
  }
  EXPECT_NEAR(std::log2(errors[0] / errors[1]), 2.0, 0.1);
}

TEST(EllipticControlSource, MakesTheProgramWithItsBounds) {
  EllipticControlSource source({.size = 5, .control_upper = 3.0, .state_upper = 0.5}, {});
  const auto problem = source.create();
  const auto& program = dynamic_cast<const NonlinearProgram&>(*problem);
  EXPECT_EQ(program.num_variables(), 50);
  EXPECT_EQ(program.num_constraints(), 25);
  EXPECT_EQ(program.variable_bounds().upper[0], 0.5);
  EXPECT_EQ(program.variable_bounds().upper[49], 3.0);
  EXPECT_EQ(program.variable_bounds().lower[49], -INFINITY);
  EXPECT_NE(dynamic_cast<ControlStructure*>(&program.functions()), nullptr);
}

}  // namespace
