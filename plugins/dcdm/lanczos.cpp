#include "lanczos.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <limits>
#include <numeric>

namespace dcdm {

TridiagonalEigen tridiagonal_eigen(std::vector<double> d, std::vector<double> e) {
  const int n = static_cast<int>(d.size());
  e.resize(d.size(), 0.0);
  // Row k holds the k-th eigenvector: a rotation mixes two rows, which are contiguous.
  std::vector<std::vector<double>> z(d.size(), std::vector<double>(d.size(), 0.0));
  for (int k = 0; k < n; ++k) z[size_t(k)][size_t(k)] = 1.0;
  constexpr int max_sweeps = 60;
  for (int l = 0; l < n; ++l) {
    for (int sweep = 0;; ++sweep) {
      int m = l;
      for (; m + 1 < n; ++m) {
        const double scale = std::abs(d[size_t(m)]) + std::abs(d[size_t(m + 1)]);
        if (std::abs(e[size_t(m)]) <= std::numeric_limits<double>::epsilon() * scale) break;
      }
      if (m == l) break;
      if (sweep == max_sweeps)
        throw NumericalError("the eigenvalues of the Lanczos matrix were not found in " +
                             std::to_string(max_sweeps) + " QL steps each");
      double g = (d[size_t(l + 1)] - d[size_t(l)]) / (2.0 * e[size_t(l)]);
      g = d[size_t(m)] - d[size_t(l)] + e[size_t(l)] / (g + std::copysign(std::hypot(g, 1.0), g));
      double s = 1.0, c = 1.0, p = 0.0;
      int i = m - 1;
      for (; i >= l; --i) {
        const size_t k = size_t(i);
        double f = s * e[k];
        const double b = c * e[k];
        const double r = std::hypot(f, g);
        e[k + 1] = r;
        if (r == 0.0) {  // the matrix has come apart
          d[k + 1] -= p;
          e[size_t(m)] = 0.0;
          break;
        }
        s = f / r;
        c = g / r;
        g = d[k + 1] - p;
        const double t = (d[k] - g) * s + 2.0 * c * b;
        p = s * t;
        d[k + 1] = g + p;
        g = c * t - b;
        double* const low = z[k].data();
        double* const high = z[k + 1].data();
        for (int q = 0; q < n; ++q) {
          f = high[q];
          high[q] = s * low[q] + c * f;
          low[q] = c * low[q] - s * f;
        }
      }
      if (i >= l) continue;
      d[size_t(l)] -= p;
      e[size_t(l)] = g;
      e[size_t(m)] = 0.0;
    }
  }
  std::vector<size_t> order(d.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return d[a] < d[b]; });
  TridiagonalEigen result;
  for (const size_t k : order) {
    result.values.push_back(d[k]);
    result.vectors.push_back(std::move(z[k]));
  }
  return result;
}

RitzPairs lanczos(const HostOperator& A, std::vector<double> start, int m) {
  std::vector<std::vector<double>> basis;
  std::vector<double> diagonal, beside;
  std::vector<double> v = std::move(start), w(A.size());
  double last_norm = normalise(v);
  while (static_cast<int>(basis.size()) < m && last_norm > 0.0) {
    basis.push_back(v);
    A.apply(v.data(), w.data());
    diagonal.push_back(dot(v, w));
    for (int twice = 0; twice < 2; ++twice)
      for (const auto& b : basis) add(-dot(b, w), b, w);
    last_norm = normalise(w);
    if (last_norm <= 1e-12 * A.largest_diagonal()) break;  // an invariant space
    beside.push_back(last_norm);
    std::swap(v, w);
  }
  beside.resize(diagonal.empty() ? 0 : diagonal.size() - 1);
  const TridiagonalEigen eigen = tridiagonal_eigen(diagonal, beside);
  RitzPairs pairs;
  pairs.values = eigen.values;
  for (const auto& y : eigen.vectors) {
    std::vector<double> x(A.size(), 0.0);
    for (size_t k = 0; k < basis.size(); ++k) add(y[k], basis[k], x);
    pairs.vectors.push_back(std::move(x));
  }
  return pairs;
}

}  // namespace dcdm
