#include "residual_loss.hpp"

#include <cmath>
#include <numeric>

namespace hard_constraint_experts {

namespace {

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

double plain(const SorptionGrid& grid, const std::vector<double>& u,
             std::vector<double>& gradient) {
  std::vector<double> c(u.size());
  residual(grid, std::vector<double>(u.size(), grid.initial).data(), c.data());
  const double scale = dot(c, c);
  residual(grid, u.data(), c.data());
  const double loss = 0.5 * dot(c, c) / scale;
  for (double& v : c) v /= scale;
  apply_adjoint(grid, u.data(), c.data(), gradient.data());
  return loss;
}

/// d.
std::vector<double> newton_step(const SorptionGrid& grid, const std::vector<double>& u) {
  std::vector<double> d(u.size());
  residual(grid, u.data(), d.data());
  solve_linear(grid, u.data(), d.data());
  return d;
}

double by_newton_step(const SorptionGrid& grid, const std::vector<double>& u,
                      std::vector<double>& gradient) {
  const std::vector<double> d = newton_step(grid, u);
  std::vector<double> v(u.size()), p(u.size()), curved(u.size());
  for (std::size_t k = 0; k < u.size(); ++k) v[k] = u[k] - d[k];
  const double a = dot(d, d), b = dot(v, v);
  // dL = s^T dd - a/b^2 v^T du,  s = d/b + a/b^2 v,  dd = du - c'^-1 c''(du, d);  c'^T p = s.
  for (std::size_t k = 0; k < u.size(); ++k) gradient[k] = p[k] = d[k] / b + a / (b * b) * v[k];
  solve_adjoint(grid, u.data(), p.data());
  apply_curvature(grid, u.data(), p.data(), d.data(), curved.data());
  for (std::size_t k = 0; k < u.size(); ++k) gradient[k] -= curved[k] + a / (b * b) * v[k];
  return 0.5 * a / b;
}

}  // namespace

double residual_loss(const std::string& kind, const SorptionGrid& grid,
                     const std::vector<double>& u, std::vector<double>& gradient) {
  return kind == "residual" ? plain(grid, u, gradient) : by_newton_step(grid, u, gradient);
}

double relative_newton_step(const SorptionGrid& grid, const std::vector<double>& u) {
  const std::vector<double> d = newton_step(grid, u);
  std::vector<double> v(u);
  for (std::size_t k = 0; k < u.size(); ++k) v[k] -= d[k];
  return relative_difference(u, v);
}

double relative_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double difference = 0.0;
  for (std::size_t k = 0; k < a.size(); ++k) difference += (a[k] - b[k]) * (a[k] - b[k]);
  return std::sqrt(difference / dot(b, b));
}

}  // namespace hard_constraint_experts
