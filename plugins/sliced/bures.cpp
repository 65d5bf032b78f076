#include "bures.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace sliced {

namespace {

using Matrix = std::vector<double>;

std::size_t order_of(const Matrix& m) {
  return static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(m.size()))));
}

Matrix product(const Matrix& p, const Matrix& q) {
  const std::size_t d = order_of(p);
  Matrix r(d * d, 0.0);
  for (std::size_t i = 0; i < d; ++i)
    for (std::size_t k = 0; k < d; ++k)
      for (std::size_t j = 0; j < d; ++j) r[i * d + j] += p[i * d + k] * q[k * d + j];
  return r;
}

/// V diag(f(eigenvalue)) V^T.
template <class F>
Matrix function_of(const Matrix& m, const F& f) {
  const Eigen e = eigen_of(m);
  const std::size_t d = e.values.size();
  Matrix r(d * d, 0.0);
  for (std::size_t k = 0; k < d; ++k) {
    const double value = f(std::max(e.values[k], 0.0));
    for (std::size_t i = 0; i < d; ++i)
      for (std::size_t j = 0; j < d; ++j)
        r[i * d + j] += value * e.vectors[i * d + k] * e.vectors[j * d + k];
  }
  return r;
}

double trace(const Matrix& m) {
  const std::size_t d = order_of(m);
  double sum = 0.0;
  for (std::size_t i = 0; i < d; ++i) sum += m[i * d + i];
  return sum;
}

Matrix with_ridge(Matrix m, double ridge, double size) {
  const std::size_t d = order_of(m);
  for (std::size_t i = 0; i < d; ++i) m[i * d + i] += ridge * size / static_cast<double>(d);
  return m;
}

/// Turns rows and columns p, q of `a` so that a_pq = 0, and the columns of `v` with them.
void rotate(Matrix& a, Matrix& v, std::size_t d, std::size_t p, std::size_t q) {
  const double apq = a[p * d + q];
  const double theta = (a[q * d + q] - a[p * d + p]) / (2.0 * apq);
  const double t = std::copysign(1.0, theta) / (std::abs(theta) + std::hypot(1.0, theta));
  const double c = 1.0 / std::hypot(1.0, t);
  const double s = t * c;
  for (std::size_t k = 0; k < d; ++k) {
    const double kp = a[k * d + p], kq = a[k * d + q];
    a[k * d + p] = c * kp - s * kq;
    a[k * d + q] = s * kp + c * kq;
  }
  for (std::size_t k = 0; k < d; ++k) {
    const double pk = a[p * d + k], qk = a[q * d + k];
    a[p * d + k] = c * pk - s * qk;
    a[q * d + k] = s * pk + c * qk;
    const double vp = v[k * d + p], vq = v[k * d + q];
    v[k * d + p] = c * vp - s * vq;
    v[k * d + q] = s * vp + c * vq;
  }
}

}  // namespace

Eigen eigen_of(const Matrix& matrix) {
  const std::size_t d = order_of(matrix);
  Matrix a = matrix;
  Matrix v(d * d, 0.0);
  for (std::size_t i = 0; i < d; ++i) v[i * d + i] = 1.0;
  double whole = 0.0;
  for (const double x : a) whole += x * x;
  constexpr int most_sweeps = 60;
  for (int sweep = 0; sweep < most_sweeps; ++sweep) {
    double outside = 0.0;
    for (std::size_t i = 0; i < d; ++i)
      for (std::size_t j = i + 1; j < d; ++j) outside += 2.0 * a[i * d + j] * a[i * d + j];
    if (!(outside > 1e-32 * whole)) break;
    for (std::size_t p = 0; p < d; ++p)
      for (std::size_t q = p + 1; q < d; ++q)
        if (a[p * d + q] != 0.0) rotate(a, v, d, p, q);
  }
  std::vector<std::size_t> order(d);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t i, std::size_t j) { return a[i * d + i] < a[j * d + j]; });
  Eigen e{std::vector<double>(d), Matrix(d * d)};
  for (std::size_t k = 0; k < d; ++k) {
    e.values[k] = a[order[k] * d + order[k]];
    for (std::size_t i = 0; i < d; ++i) e.vectors[i * d + k] = v[i * d + order[k]];
  }
  return e;
}

Matrix square_root(const Matrix& matrix) {
  return function_of(matrix, [](double t) { return std::sqrt(t); });
}

double bures_wasserstein_squared(const Gaussian& x, const Gaussian& y) {
  const Matrix root = square_root(x.covariance);
  double sum = trace(x.covariance) + trace(y.covariance) -
               2.0 * trace(square_root(product(product(root, y.covariance), root)));
  for (std::size_t d = 0; d < x.mean.size(); ++d)
    sum += (x.mean[d] - y.mean[d]) * (x.mean[d] - y.mean[d]);
  return std::max(sum, 0.0);
}

GaussianMap map_between(const Gaussian& x, const Gaussian& y, double ridge) {
  const double size = std::max(trace(x.covariance) + trace(y.covariance), 1e-300);
  const Matrix A = with_ridge(x.covariance, ridge, size);
  const Matrix B = with_ridge(y.covariance, ridge, size);
  const Matrix root = square_root(A);
  const Matrix inverse_root = function_of(A, [](double t) { return 1.0 / std::sqrt(t); });
  const Matrix middle = product(product(root, B), root);
  GaussianMap map;
  map.forward = product(product(inverse_root, square_root(middle)), inverse_root);
  map.backward = function_of(map.forward, [](double t) { return 1.0 / t; });
  return map;
}

}  // namespace sliced
