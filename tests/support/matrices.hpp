#pragma once

#include <cmath>
#include <libsolve/core/random.hpp>
#include <libsolve/linear/matrix_entries.hpp>
#include <tests/support/vectors.hpp>
#include <vector>

/// Small matrices and vectors for tests, with dense copies to recompute everything from.
namespace libsolve::test {

using Dense = std::vector<std::vector<double>>;

/// Uniform on [-1, 1).
inline std::vector<double> random_values(size_t n, std::uint64_t seed = 1) {
  const RandomStream stream(seed, "test::random_values");
  std::vector<double> v(n);
  for (size_t i = 0; i < n; ++i) v[i] = stream.uniform(i, -1.0, 1.0);
  return v;
}

inline Dense zeros(Index rows, Index columns) {
  return Dense(static_cast<size_t>(rows), std::vector<double>(static_cast<size_t>(columns), 0.0));
}

inline Dense to_dense(const std::vector<MatrixEntry>& entries, Index rows, Index columns) {
  Dense D = zeros(rows, columns);
  for (const MatrixEntry& e : entries) D[e.row][e.column] += e.value;
  return D;
}

inline Dense to_dense(const CsrMatrix& A) {
  using Kokkos::create_mirror_view_and_copy;
  const Kokkos::HostSpace host;
  const auto p = create_mirror_view_and_copy(host, A.row_pointers());
  const auto c = create_mirror_view_and_copy(host, A.columns());
  const auto v = create_mirror_view_and_copy(host, A.values());
  Dense D = zeros(static_cast<Index>(A.num_rows()), static_cast<Index>(A.num_columns()));
  for (size_t i = 0; i < D.size(); ++i)
    for (GlobalIndex k = p(i); k < p(i + 1); ++k) D[i][c(k)] += v(k);
  return D;
}

inline std::shared_ptr<CsrMatrix> to_csr(const Dense& D) {
  std::vector<MatrixEntry> entries;
  for (size_t i = 0; i < D.size(); ++i)
    for (size_t j = 0; j < D[i].size(); ++j)
      if (D[i][j] != 0.0)
        entries.push_back({static_cast<Index>(i), static_cast<Index>(j), D[i][j]});
  return make_csr_matrix(static_cast<GlobalIndex>(D.size()),
                         D.empty() ? 0 : static_cast<GlobalIndex>(D[0].size()), entries);
}

inline std::vector<double> multiply(const Dense& D, const std::vector<double>& x) {
  std::vector<double> y(D.size(), 0.0);
  for (size_t i = 0; i < D.size(); ++i)
    for (size_t j = 0; j < D[i].size(); ++j) y[i] += D[i][j] * x[j];
  return y;
}

/// Solves D x = b by elimination with partial pivoting.
inline std::vector<double> solve(Dense D, std::vector<double> b) {
  const size_t n = b.size();
  for (size_t k = 0; k < n; ++k) {
    size_t pivot = k;
    for (size_t i = k + 1; i < n; ++i)
      if (std::abs(D[i][k]) > std::abs(D[pivot][k])) pivot = i;
    std::swap(D[k], D[pivot]);
    std::swap(b[k], b[pivot]);
    for (size_t i = k + 1; i < n; ++i) {
      const double f = D[i][k] / D[k][k];
      for (size_t j = k; j < n; ++j) D[i][j] -= f * D[k][j];
      b[i] -= f * b[k];
    }
  }
  for (size_t k = n; k-- > 0;) {
    for (size_t j = k + 1; j < n; ++j) b[k] -= D[k][j] * b[j];
    b[k] /= D[k][k];
  }
  return b;
}

/// Random entries: row lengths vary from 0 to twice `mean_length`, columns anywhere.
inline std::vector<MatrixEntry> random_entries(Index rows, Index columns, Index mean_length,
                                               std::uint64_t seed = 1) {
  const RandomStream stream(seed, "test::random_entries");
  std::vector<MatrixEntry> entries;
  std::uint64_t at = 0;
  for (Index i = 0; i < rows; ++i) {
    const auto length = static_cast<Index>(stream.uniform(at++, 0.0, 2.0 * mean_length + 1.0));
    for (Index k = 0; k < length && columns > 0; ++k) {
      const auto j = static_cast<Index>(stream.uniform(at++, 0.0, columns));
      entries.push_back({i, j, stream.uniform(at++, -1.0, 1.0)});
    }
  }
  return entries;
}

/// Symmetric, strictly diagonally dominant, positive definite; about `mean_length` entries a row.
inline std::shared_ptr<CsrMatrix> random_spd(Index n, Index mean_length, std::uint64_t seed = 1) {
  const std::vector<MatrixEntry> lower =
      random_entries(n, n, std::max<Index>(1, mean_length / 2), seed);
  std::vector<MatrixEntry> entries;
  std::vector<double> row_sum(static_cast<size_t>(n), 0.0);
  for (const MatrixEntry& e : lower) {
    if (e.row == e.column) continue;
    entries.push_back(e);
    entries.push_back({e.column, e.row, e.value});
    row_sum[e.row] += std::abs(e.value);
    row_sum[e.column] += std::abs(e.value);
  }
  for (Index i = 0; i < n; ++i) entries.push_back({i, i, 1.01 * row_sum[i] + 0.1});
  return make_csr_matrix(n, n, entries);
}

/// The 5-point Laplacian of an nx x ny grid with Dirichlet walls (2-point for ny = 1).
inline std::shared_ptr<CsrMatrix> laplacian(Index nx, Index ny = 1) {
  std::vector<MatrixEntry> entries;
  for (Index y = 0; y < ny; ++y)
    for (Index x = 0; x < nx; ++x) {
      const Index c = x + nx * y;
      entries.push_back({c, c, ny == 1 ? 2.0 : 4.0});
      if (x > 0) entries.push_back({c, c - 1, -1.0});
      if (x + 1 < nx) entries.push_back({c, c + 1, -1.0});
      if (y > 0) entries.push_back({c, c - nx, -1.0});
      if (y + 1 < ny) entries.push_back({c, c + nx, -1.0});
    }
  return make_csr_matrix(GlobalIndex{nx} * ny, GlobalIndex{nx} * ny, entries);
}

inline double max_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double worst = a.size() == b.size() ? 0.0 : INFINITY;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const double d = std::abs(a[i] - b[i]);
    if (!(d <= worst)) worst = d;  // NaN counts
  }
  return worst;
}

}  // namespace libsolve::test
