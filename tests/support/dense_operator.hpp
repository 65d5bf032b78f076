#pragma once

#include <libsolve/core/linear_operator.hpp>
#include <tests/support/vectors.hpp>
#include <vector>

namespace libsolve::test {

/// A small matrix, row by row, as an operator: the answer a test can check by hand. Products are
/// plain loops on the host.
class DenseOperator final : public LinearOperator {
 public:
  /// `symmetric` is what the operator declares; it is not checked, so that a test can lie.
  DenseOperator(Index num_rows, Index num_columns, std::vector<double> entries, bool symmetric);
  ~DenseOperator() override;

  double operator()(Index i, Index j) const { return entries_[at(i, j)]; }
  double& operator()(Index i, Index j) { return entries_[at(i, j)]; }
  /// A x and A^T x on the host.
  std::vector<double> times(const std::vector<double>& x) const;
  std::vector<double> adjoint_times(const std::vector<double>& x) const;
  std::int64_t num_applications() const { return num_applications_; }

  const Partition& row_partition() const override { return rows_; }
  const Partition& column_partition() const override { return columns_; }
  void apply(const Vector& x, const Vector& y) const override;
  void apply_adjoint(const Vector& x, const Vector& y) const override;
  bool diagonal(const Vector& d) const override;
  bool is_symmetric() const override { return symmetric_; }
  std::string description() const override;
  double memory_bytes() const override { return 8.0 * static_cast<double>(entries_.size()); }

 private:
  std::size_t at(Index i, Index j) const {
    return static_cast<std::size_t>(i) * static_cast<std::size_t>(columns_.local_size()) +
           static_cast<std::size_t>(j);
  }
  Partition rows_;
  Partition columns_;
  std::vector<double> entries_;
  bool symmetric_;
  mutable std::int64_t num_applications_ = 0;
};

double norm(const std::vector<double>& v);
/// b - A x.
std::vector<double> residual(const DenseOperator& A, const std::vector<double>& b,
                             const std::vector<double>& x);

}  // namespace libsolve::test
