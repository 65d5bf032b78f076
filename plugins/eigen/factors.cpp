#include "factors.hpp"

#include <Eigen/Dense>
#include <Eigen/SparseCholesky>
#include <Eigen/SparseLU>
#include <cmath>
#include <limits>
#include <vector>

namespace eigen {

namespace {

using Sparse = Eigen::SparseMatrix<double, Eigen::ColMajor, int>;
using ConstVector = Eigen::Map<const Eigen::VectorXd>;
using MutableVector = Eigen::Map<Eigen::VectorXd>;

Sparse to_sparse(const Entries& A) {
  const std::vector<int> row_pointers(A.row_pointers.begin(), A.row_pointers.end());
  return Eigen::Map<const Eigen::SparseMatrix<double, Eigen::RowMajor, int>>(
      A.num_rows, A.num_rows, static_cast<Eigen::Index>(A.values.size()), row_pointers.data(),
      A.columns.data(), A.values.data());
}

class SparseLdlt final : public Factors {
 public:
  std::string factor(const Entries& A) override {
    n_ = A.num_rows;
    ldlt_.compute(to_sparse(A));
    if (ldlt_.info() != Eigen::Success) return "a pivot of L D L^T is zero";
    const Eigen::VectorXd d = ldlt_.vectorD();
    for (Eigen::Index i = 0; i < d.size(); ++i)
      if (!std::isfinite(d[i]) || d[i] == 0.0) return "a pivot of L D L^T is zero or overflows";
    return {};
  }
  void solve(const double* b, double* x) const override {
    MutableVector(x, n_) = ldlt_.solve(ConstVector(b, n_));
  }
  double num_entries() const override {
    return static_cast<double>(ldlt_.matrixL().nestedExpression().nonZeros() + n_);
  }
  std::string kind() const override { return "L D L^T"; }

 private:
  Eigen::Index n_ = 0;
  Eigen::SimplicialLDLT<Sparse> ldlt_;
};

class SparseLu final : public Factors {
 public:
  std::string factor(const Entries& A) override {
    n_ = A.num_rows;
    const Sparse matrix = to_sparse(A);
    lu_.compute(matrix);
    if (lu_.info() != Eigen::Success) {
      std::string why = lu_.lastErrorMessage();
      for (char& c : why) c = c == '\n' ? ' ' : c;
      return why.empty() ? "the matrix is singular" : "the matrix is singular: " + why;
    }
    return {};
  }
  void solve(const double* b, double* x) const override {
    MutableVector(x, n_) = lu_.solve(ConstVector(b, n_));
  }
  double num_entries() const override { return static_cast<double>(lu_.nnzL() + lu_.nnzU()); }
  std::string kind() const override { return "L U"; }

 private:
  Eigen::Index n_ = 0;
  Eigen::SparseLU<Sparse> lu_;
};

class Dense final : public Factors {
 public:
  std::string factor(const Entries& A) override {
    n_ = A.num_rows;
    Eigen::MatrixXd matrix = Eigen::MatrixXd::Zero(n_, n_);
    for (Eigen::Index i = 0; i < n_; ++i)
      for (auto e = static_cast<size_t>(A.row_pointers[static_cast<size_t>(i)]);
           e < static_cast<size_t>(A.row_pointers[static_cast<size_t>(i) + 1]); ++e)
        matrix(i, A.columns[e]) += A.values[e];
    if (A.is_symmetric) {
      ldlt_.compute(matrix);
      use_ldlt_ = ldlt_.info() == Eigen::Success && (ldlt_.isPositive() || ldlt_.isNegative()) &&
                  ldlt_.rcond() > std::numeric_limits<double>::epsilon();
      if (use_ldlt_) return {};
    }
    lu_.compute(matrix);
    const double rcond = n_ > 0 ? lu_.rcond() : 1.0;
    if (!(rcond > 0.01 * std::numeric_limits<double>::epsilon()))
      return "the matrix is singular to working precision (reciprocal condition number " +
             std::to_string(rcond) + ")";
    return {};
  }
  void solve(const double* b, double* x) const override {
    if (use_ldlt_)
      MutableVector(x, n_) = ldlt_.solve(ConstVector(b, n_));
    else
      MutableVector(x, n_) = lu_.solve(ConstVector(b, n_));
  }
  double num_entries() const override { return static_cast<double>(n_) * static_cast<double>(n_); }
  std::string kind() const override { return use_ldlt_ ? "dense L D L^T" : "dense L U"; }

 private:
  Eigen::Index n_ = 0;
  bool use_ldlt_ = false;
  Eigen::LDLT<Eigen::MatrixXd> ldlt_;
  Eigen::PartialPivLU<Eigen::MatrixXd> lu_;
};

}  // namespace

std::unique_ptr<Factors> sparse_ldlt() {
  return std::make_unique<SparseLdlt>();
}
std::unique_ptr<Factors> sparse_lu() {
  return std::make_unique<SparseLu>();
}
std::unique_ptr<Factors> dense() {
  return std::make_unique<Dense>();
}

}  // namespace eigen
