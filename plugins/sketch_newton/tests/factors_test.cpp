#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <libsolve/core/random.hpp>

#include "../symmetric_factors.hpp"

namespace {

using sketch_newton::Inertia;
using sketch_newton::SymmetricEntries;
using sketch_newton::SymmetricFactors;

/// Lower triangle of a dense symmetric matrix; zeros outside of the diagonal are left out.
SymmetricEntries entries_of(const Eigen::MatrixXd& A) {
  SymmetricEntries e;
  e.first.push_back(0);
  for (Eigen::Index j = 0; j < A.cols(); ++j) {
    for (Eigen::Index i = j; i < A.rows(); ++i)
      if (i == j || A(i, j) != 0.0) {
        e.rows.push_back(static_cast<int>(i));
        e.values.push_back(A(i, j));
      }
    e.first.push_back(static_cast<int>(e.rows.size()));
  }
  return e;
}

/// Random symmetric matrix of n rows, about `per_row` entries in each, with [H J^T; J 0] blocks:
/// the last m rows have zeros on the diagonal, as Newton matrices of constrained problems do.
Eigen::MatrixXd random_kkt(int n, int m, double per_row, std::uint64_t seed) {
  const libsolve::RandomStream random(seed, "factors_test");
  Eigen::MatrixXd A = Eigen::MatrixXd::Zero(n + m, n + m);
  std::uint64_t k = 0;
  for (int i = 0; i < n + m; ++i)
    for (int j = 0; j < i; ++j) {
      const double u = random.uniform(k++), v = random.normal(k++);
      if (j < n && u < per_row / (n + m)) A(i, j) = A(j, i) = v;
    }
  for (int i = 0; i < n; ++i) A(i, i) = i < m ? 0.0 : 1.0 + random.normal(k++);
  for (int i = 0; i < m; ++i) A(n + i, i) = A(i, n + i) = 1.0 + random.uniform(k++);
  return A;
}

Inertia inertia_of(const Eigen::MatrixXd& A) {
  Inertia in;
  const Eigen::VectorXd e = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(A).eigenvalues();
  for (const double v : e) ++(v > 0.0 ? in.positive : in.negative);
  return in;
}

class Factors : public testing::TestWithParam<const char*> {
 protected:
  std::unique_ptr<SymmetricFactors> make() const {
    return std::string(GetParam()) == "dense" ? sketch_newton::dense_factors()
                                              : sketch_newton::sparse_factors();
  }
};

TEST_P(Factors, SolveIndefiniteSystemsAndCountEigenvalues) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    const int n = 3 + static_cast<int>(seed * 7 % 60), m = n / 3;
    const Eigen::MatrixXd A = random_kkt(n, m, 2.0 + static_cast<double>(seed % 5), seed);
    const Eigen::VectorXd x = Eigen::VectorXd::LinSpaced(n + m, -1.0, 2.0);
    const Eigen::VectorXd b = A * x;
    const auto factors = make();
    ASSERT_TRUE(factors->factor(entries_of(A)));
    std::vector<double> y(b.data(), b.data() + b.size());
    factors->solve(y);
    const double condition = Eigen::JacobiSVD<Eigen::MatrixXd>(A).singularValues()(0) /
                             Eigen::JacobiSVD<Eigen::MatrixXd>(A).singularValues()(n + m - 1);
    double error = 0.0;
    for (int i = 0; i < n + m; ++i)
      error = std::max(error, std::abs(y[static_cast<std::size_t>(i)] - x[i]));
    EXPECT_LT(error, 1e-10 * condition) << "seed " << seed;
    const Inertia found = factors->inertia(), exact = inertia_of(A);
    EXPECT_EQ(found.positive, exact.positive) << "seed " << seed;
    EXPECT_EQ(found.negative, exact.negative) << "seed " << seed;
    EXPECT_EQ(found.zero, 0u);
  }
}

/// The same object serves matrices of one pattern after another.
TEST_P(Factors, NewValuesReplaceOldOnes) {
  const auto factors = make();
  Eigen::MatrixXd A = random_kkt(20, 6, 4.0, 3);
  ASSERT_TRUE(factors->factor(entries_of(A)));
  SymmetricEntries e = entries_of(A);
  for (double& v : e.values) v *= -2.0;
  ASSERT_TRUE(factors->factor(e));
  const Eigen::VectorXd b = -2.0 * A * Eigen::VectorXd::Ones(26);
  std::vector<double> y(b.data(), b.data() + b.size());
  factors->solve(y);
  for (const double v : y) EXPECT_NEAR(v, 1.0, 1e-9);
  EXPECT_EQ(factors->inertia().positive, inertia_of(-A).positive);
}

/// Two equal rows of the Jacobian: one eigenvalue is zero, and it is seen.
TEST_P(Factors, DependentRowsAreZeroEigenvalues) {
  Eigen::MatrixXd A = Eigen::MatrixXd::Zero(5, 5);
  A.diagonal() << 1.0, 2.0, 3.0, 0.0, 0.0;
  for (int j = 0; j < 3; ++j) A(3, j) = A(j, 3) = A(4, j) = A(j, 4) = 1.0;
  const auto factors = make();
  ASSERT_TRUE(factors->factor(entries_of(A)));
  EXPECT_EQ(factors->inertia().positive, 3u);
  EXPECT_EQ(factors->inertia().negative, 1u);
  EXPECT_EQ(factors->inertia().zero, 1u);
}

/// Four copies of a row: the nullity is three, whatever rounding leaves of it.
TEST_P(Factors, RoundingIsNoEigenvalue) {
  const libsolve::RandomStream random(11, "factors_test");
  Eigen::MatrixXd A = Eigen::MatrixXd::Zero(10, 10);
  for (int j = 0; j < 6; ++j) {
    A(j, j) = 1.0 + random.uniform(static_cast<std::uint64_t>(j));
    for (int i = 6; i < 10; ++i)
      A(i, j) = A(j, i) = random.uniform(static_cast<std::uint64_t>(j) + 100);
  }
  const auto factors = make();
  ASSERT_TRUE(factors->factor(entries_of(A)));
  EXPECT_EQ(factors->inertia().positive, 6u);
  EXPECT_EQ(factors->inertia().negative, 1u);
  EXPECT_EQ(factors->inertia().zero, 3u);
}

TEST_P(Factors, NumbersThatAreNotFiniteAreRefused) {
  Eigen::MatrixXd A = Eigen::MatrixXd::Identity(4, 4);
  A(2, 1) = A(1, 2) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(make()->factor(entries_of(A)));
}

/// A band of 3000 rows has fronts of a few rows: as many operations as rows, not their square.
TEST(SparseFactors, WorkGrowsWithTheBandNotWithTheSize) {
  const auto band = [](int n) {
    SymmetricEntries e;
    e.first.push_back(0);
    for (int j = 0; j < n; ++j) {
      for (int i = j; i < std::min(n, j + 3); ++i) {
        e.rows.push_back(i);
        e.values.push_back(i == j ? 4.0 : -1.0);
      }
      e.first.push_back(static_cast<int>(e.rows.size()));
    }
    return e;
  };
  const auto factors = sketch_newton::sparse_factors();
  ASSERT_TRUE(factors->factor(band(3000)));
  EXPECT_LT(factors->flops(), 3000.0 * 300.0);
}

/// A linear objective with one dense constraint: every diagonal is 0, and all columns would wait
/// for the last one, a dense block of them that no machine holds. It says so at once.
TEST(SparseFactors, TooManyColumnsWithoutPivotsAreRefused) {
  const int n = 200000;
  SymmetricEntries e;
  for (int j = 0; j <= n; ++j) {
    e.first.push_back(static_cast<int>(e.rows.size()));
    e.rows.push_back(j);
    e.values.push_back(0.0);
    if (j == n) break;
    e.rows.push_back(n);
    e.values.push_back(1.0);
  }
  e.first.push_back(static_cast<int>(e.rows.size()));
  const auto factors = sketch_newton::sparse_factors();
  EXPECT_FALSE(factors->factor(e));
  for (int j = 0; j < n; ++j)
    e.values[static_cast<std::size_t>(e.first[static_cast<std::size_t>(j)])] = 1.0;
  EXPECT_TRUE(factors->factor(e));
  EXPECT_EQ(factors->inertia().negative, 1u);
}

/// A factorisation of many operations asks, and ends when told to.
TEST(SparseFactors, LongWorkCanBeStopped) {
  const int n = 900;
  const Eigen::MatrixXd A = random_kkt(n, 0, 0.9 * n, 1) + 50.0 * Eigen::MatrixXd::Identity(n, n);
  const auto factors = sketch_newton::sparse_factors();
  int asked = 0;
  factors->stop = [&asked] { return ++asked > 0; };
  EXPECT_FALSE(factors->factor(entries_of(A)));
  EXPECT_EQ(asked, 1);
}

INSTANTIATE_TEST_SUITE_P(Kinds, Factors, testing::Values("dense", "sparse"),
                         [](const auto& kind) { return std::string(kind.param); });

}  // namespace
