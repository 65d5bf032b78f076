#include "random_problems.hpp"

#include <cmath>
#include <libsolve/core/random.hpp>

namespace libsolve::test {

namespace {
std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}
}  // namespace

std::vector<double> log_spectrum(Index n, double condition) {
  std::vector<double> values(size(n), 1.0);
  for (Index k = 0; k < n; ++k)
    if (n > 1) values[size(k)] = std::pow(condition, -static_cast<double>(k) / (n - 1));
  return values;
}

std::vector<double> random_vector(Index n, std::uint64_t seed) {
  const RandomStream stream(seed, "test");
  std::vector<double> values(size(n));
  for (Index i = 0; i < n; ++i) values[size(i)] = stream.normal(static_cast<std::uint64_t>(i));
  return values;
}

std::vector<std::vector<double>> random_orthonormal(Index n, Index num, std::uint64_t seed) {
  // Gram-Schmidt, twice, on normal vectors.
  std::vector<std::vector<double>> q;
  for (Index j = 0; j < num; ++j) {
    std::vector<double> v = random_vector(n, seed * 1000003u + static_cast<std::uint64_t>(j));
    for (int pass = 0; pass < 2; ++pass)
      for (const auto& u : q) {
        double h = 0.0;
        for (Index i = 0; i < n; ++i) h += u[size(i)] * v[size(i)];
        for (Index i = 0; i < n; ++i) v[size(i)] -= h * u[size(i)];
      }
    const double length = norm(v);
    for (double& x : v) x /= length;
    q.push_back(std::move(v));
  }
  return q;
}

namespace {
std::shared_ptr<DenseOperator> product(const std::vector<std::vector<double>>& U,
                                       const std::vector<double>& spectrum,
                                       const std::vector<std::vector<double>>& V, bool symmetric) {
  const std::size_t m = U.front().size();
  const std::size_t n = V.front().size();
  std::vector<double> entries(m * n, 0.0);
  for (std::size_t k = 0; k < spectrum.size(); ++k)
    for (std::size_t i = 0; i < m; ++i)
      for (std::size_t j = 0; j < n; ++j) {
        // The same bits for (i, j) and (j, i) where the matrix is symmetric.
        const double uv = symmetric && j > i ? V[k][j] * U[k][i] : U[k][i] * V[k][j];
        entries[i * n + j] += spectrum[k] * uv;
      }
  return std::make_shared<DenseOperator>(static_cast<Index>(m), static_cast<Index>(n),
                                         std::move(entries), symmetric);
}
}  // namespace

std::shared_ptr<DenseOperator> random_symmetric(const std::vector<double>& spectrum,
                                                std::uint64_t seed) {
  const Index n = static_cast<Index>(spectrum.size());
  const auto Q = random_orthonormal(n, n, seed);
  return product(Q, spectrum, Q, true);
}

std::shared_ptr<DenseOperator> random_with_singular_values(Index m,
                                                           const std::vector<double>& spectrum,
                                                           std::uint64_t seed) {
  const Index n = static_cast<Index>(spectrum.size());
  const Index k = std::min(m, n);
  const std::vector<double> values(spectrum.begin(), spectrum.begin() + k);
  return product(random_orthonormal(m, k, 2 * seed), values, random_orthonormal(n, k, 2 * seed + 1),
                 false);
}

std::shared_ptr<DenseOperator> random_spd(Index n, double condition, std::uint64_t seed) {
  return random_symmetric(log_spectrum(n, condition), seed);
}

std::shared_ptr<DenseOperator> random_indefinite(Index n, double condition, std::uint64_t seed) {
  std::vector<double> spectrum = log_spectrum(n, condition);
  for (Index k = 0; k < n; k += 2) spectrum[size(k)] = -spectrum[size(k)];
  return random_symmetric(spectrum, seed);
}

std::shared_ptr<DenseOperator> random_unsymmetric(Index n, std::uint64_t seed) {
  std::vector<double> entries = random_vector(n * n, seed);
  for (double& a : entries) a *= 0.5 / std::sqrt(static_cast<double>(n));
  for (Index i = 0; i < n; ++i) entries[size(i) * size(n) + size(i)] += 1.0;
  return std::make_shared<DenseOperator>(n, n, std::move(entries), false);
}

std::shared_ptr<DenseOperator> path_laplacian(Index n) {
  std::vector<double> entries(size(n) * size(n), 0.0);
  auto A = std::make_shared<DenseOperator>(n, n, std::move(entries), true);
  for (Index i = 0; i + 1 < n; ++i) {
    (*A)(i, i) += 1.0;
    (*A)(i + 1, i + 1) += 1.0;
    (*A)(i, i + 1) -= 1.0;
    (*A)(i + 1, i) -= 1.0;
  }
  return A;
}

std::unique_ptr<LinearSystem> consistent_system(std::shared_ptr<const DenseOperator> A,
                                                std::uint64_t seed) {
  const std::vector<double> x = random_vector(A->column_partition().local_size(), seed);
  auto system = system_with(A, A->times(x));
  system->exact_solution = to_vector(x);
  return system;
}

std::unique_ptr<LinearSystem> system_with(std::shared_ptr<const DenseOperator> A,
                                          const std::vector<double>& b) {
  const Vector x("test::x", A->column_partition());
  return std::make_unique<LinearSystem>(A, to_vector(b), x);
}

}  // namespace libsolve::test
