#pragma once

#include <gtest/gtest.h>

#include <libsolve/linear/linear_system.hpp>
#include <libsolve/linear/preconditioner.hpp>
#include <string>
#include <tests/support/matrices.hpp>

/// Preconditioners as dense matrices, to compare with their definitions.
namespace libsolve::test {

inline LinearSystem make_system(std::shared_ptr<const LinearOperator> A) {
  const Vector b("test::b", A->row_partition());
  const Vector x("test::x", A->column_partition());
  return LinearSystem(std::move(A), b, x);
}

/// The matrix of the map r -> z, column by column.
inline Dense as_dense(Preconditioner& M, Index n) {
  Dense D = zeros(n, n);
  for (Index j = 0; j < n; ++j) {
    std::vector<double> unit(static_cast<size_t>(n), 0.0);
    unit[j] = 1.0;
    const Vector r = to_vector(unit);
    const Vector z = r.like("test::z");
    M.apply(r, z);
    const auto column = to_host(z);
    for (Index i = 0; i < n; ++i) D[i][j] = column[i];
  }
  return D;
}

inline Dense multiply(const Dense& A, const Dense& B) {
  Dense C = zeros(static_cast<Index>(A.size()), static_cast<Index>(B[0].size()));
  for (size_t i = 0; i < A.size(); ++i)
    for (size_t k = 0; k < B.size(); ++k)
      for (size_t j = 0; j < B[0].size(); ++j) C[i][j] += A[i][k] * B[k][j];
  return C;
}

inline Dense transpose(const Dense& A) {
  Dense T = zeros(static_cast<Index>(A[0].size()), static_cast<Index>(A.size()));
  for (size_t i = 0; i < A.size(); ++i)
    for (size_t j = 0; j < A[0].size(); ++j) T[j][i] = A[i][j];
  return T;
}

inline Dense identity(Index n) {
  Dense D = zeros(n, n);
  for (Index i = 0; i < n; ++i) D[i][i] = 1.0;
  return D;
}

inline double max_difference(const Dense& A, const Dense& B) {
  double worst = A.size() == B.size() ? 0.0 : INFINITY;
  for (size_t i = 0; i < std::min(A.size(), B.size()); ++i)
    worst = std::max(worst, max_difference(A[i], B[i]));
  return worst;
}

/// z, r^T z and q^T z of the fused call are those of apply and of dot products.
inline void expect_fused_dots_agree(Preconditioner& M, Index n) {
  const auto r = random_values(static_cast<size_t>(n), 11);
  const auto q = random_values(static_cast<size_t>(n), 12);
  const Vector vr = to_vector(r);
  const Vector vq = to_vector(q);
  const Vector z = vr.like("test::z");
  M.apply(vr, z);
  const auto expected = to_host(z);
  double rz = 0.0;
  double qz = 0.0;
  double size = 0.0;
  for (Index i = 0; i < n; ++i) {
    rz += r[i] * expected[i];
    qz += q[i] * expected[i];
    size += std::abs(expected[i]);
  }
  const DotPair both = M.apply_with_dots(vr, z, &vq);
  EXPECT_EQ(to_host(z), expected);
  EXPECT_NEAR(both.xy, rz, 1e-14 * n * size);
  EXPECT_NEAR(both.xz, qz, 1e-14 * n * size);
  EXPECT_NEAR(M.apply_with_dots(vr, z, nullptr).xy, rz, 1e-14 * n * size);
}

/// What an exception of type E says; "" where there is none.
template <class E, class Call>
std::string message_of(const Call& call) {
  try {
    call();
  } catch (const E& error) {
    return error.what();
  }
  return {};
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace libsolve::test
