#include "krylov.hpp"

#include <algorithm>
#include <cmath>

namespace sketch_newton {

namespace {

double dot(In x, In y) {
  double s = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) s += x[i] * y[i];
  return s;
}

void residual(const Multiply& multiply, In b, In x, Out r) {
  multiply(x, r);
  for (std::size_t i = 0; i < b.size(); ++i) r[i] = b[i] - r[i];
}

}  // namespace

double largest(In x) {
  double s = 0.0;
  for (const double v : x) {
    if (std::isnan(v)) return v;
    s = std::max(s, std::abs(v));
  }
  return s;
}

double sum_of_sizes(In x) {
  double s = 0.0;
  for (const double v : x) s += std::abs(v);
  return s;
}

double flexible_gmres(const Multiply& multiply, const Multiply& precondition, In b, Out x,
                      double relative, std::size_t steps, const Stop& stop_now) {
  const std::size_t size = b.size();
  Numbers r(size);
  residual(multiply, b, x, r);
  const double beta = std::sqrt(dot(r, r));
  const double stop = relative * std::sqrt(dot(b, b));
  if (beta > stop) {
    std::vector<Numbers> V, Z, h;  // h: columns of the Hessenberg matrix, rotated
    Numbers cosine, sine, g{beta};
    for (double& v : r) v /= beta;
    V.push_back(r);
    while (Z.size() < steps && std::abs(g.back()) > stop && !(stop_now && stop_now())) {
      Numbers z(size), w(size);
      precondition(V.back(), z);
      multiply(z, w);
      Numbers column(V.size() + 1);
      for (int pass = 0; pass < 2; ++pass)
        for (std::size_t i = 0; i < V.size(); ++i) {
          const double s = dot(V[i], w);
          column[i] += s;
          for (std::size_t k = 0; k < size; ++k) w[k] -= s * V[i][k];
        }
      const double norm = std::sqrt(dot(w, w));
      column.back() = norm;
      if (!std::isfinite(norm)) break;
      for (std::size_t i = 0; i < cosine.size(); ++i) {
        const double a = column[i], c = column[i + 1];
        column[i] = cosine[i] * a + sine[i] * c;
        column[i + 1] = cosine[i] * c - sine[i] * a;
      }
      const std::size_t k = cosine.size();
      const double length = std::hypot(column[k], column[k + 1]);
      if (length == 0.0) break;
      cosine.push_back(column[k] / length);
      sine.push_back(column[k + 1] / length);
      column[k] = length;
      const double last = g[k];
      g[k] = cosine[k] * last;
      g.push_back(-sine[k] * last);
      h.push_back(std::move(column));
      Z.push_back(std::move(z));
      if (norm == 0.0) break;
      for (double& v : w) v /= norm;
      V.push_back(std::move(w));
    }
    Numbers y(Z.size());
    for (std::size_t k = Z.size(); k-- > 0;) {
      y[k] = g[k];
      for (std::size_t j = k + 1; j < Z.size(); ++j) y[k] -= h[j][k] * y[j];
      y[k] /= h[k][k];
    }
    for (std::size_t k = 0; k < Z.size(); ++k)
      for (std::size_t i = 0; i < size; ++i) x[i] += y[k] * Z[k][i];
  }
  residual(multiply, b, x, r);
  return largest(r) / largest(b);
}

double minres(const Multiply& multiply, In scale, In b, Out x, double relative,
              std::int64_t most_steps, std::int64_t& steps, const Stop& stop_now) {
  const std::size_t size = b.size();
  Numbers v(size), v_old(size, 0.0), w(size, 0.0), w_old(size, 0.0), w_older(size), Av(size),
      t(size), y(size, 0.0);
  for (std::size_t i = 0; i < size; ++i) v[i] = scale[i] * b[i];
  double beta = std::sqrt(dot(v, v)), eta = beta;
  const double stop = relative * beta;
  double c = 1.0, c_old = 1.0, s = 0.0, s_old = 0.0, beta_old = 0.0;
  if (beta > 0.0)
    for (double& e : v) e /= beta;
  steps = 0;
  while (std::abs(eta) > stop && steps < most_steps) {
    if (steps % 64 == 0 && stop_now && stop_now()) break;
    ++steps;
    for (std::size_t i = 0; i < size; ++i) t[i] = scale[i] * v[i];
    multiply(t, Av);
    for (std::size_t i = 0; i < size; ++i)
      Av[i] = scale[i] * Av[i] - (steps > 1 ? beta * v_old[i] : 0.0);
    const double a = dot(v, Av);
    for (std::size_t i = 0; i < size; ++i) Av[i] -= a * v[i];
    beta_old = steps > 1 ? beta : 0.0;
    const double beta_new = std::sqrt(dot(Av, Av));
    const double rho0 = c * a - c_old * s * beta_old;
    const double rho1 = std::hypot(rho0, beta_new);
    const double rho2 = s * a + c_old * c * beta_old;
    const double rho3 = s_old * beta_old;
    if (rho1 == 0.0) break;
    c_old = c;
    s_old = s;
    c = rho0 / rho1;
    s = beta_new / rho1;
    std::swap(w_older, w_old);
    std::swap(w_old, w);
    for (std::size_t i = 0; i < size; ++i) {
      w[i] = (v[i] - rho3 * w_older[i] - rho2 * w_old[i]) / rho1;
      y[i] += c * eta * w[i];
    }
    eta *= -s;
    std::swap(v_old, v);
    beta = beta_new;
    if (beta == 0.0) break;
    for (std::size_t i = 0; i < size; ++i) v[i] = Av[i] / beta;
  }
  for (std::size_t i = 0; i < size; ++i) x[i] = scale[i] * y[i];
  residual(multiply, b, x, t);
  return largest(t) / largest(b);
}

}  // namespace sketch_newton
