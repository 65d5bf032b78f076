#pragma once

#include <libsolve/linear/csr_matrix.hpp>
#include <libsolve/transport/transport_cost.hpp>
#include <memory>
#include <span>

namespace libsolve {

/// Entries of an n x m plan on the host, in compressed rows.
struct HostPlan {
  Index num_columns = 0;
  std::span<const GlobalIndex> row_pointers;  ///< n + 1
  std::span<const Index> columns;             ///< ascending in each row
  std::span<const double> values;
  Index num_rows() const { return static_cast<Index>(row_pointers.size()) - 1; }
};

/// The Newton matrix of the dual of entropic transport with the rows eliminated,
///   S = diag(d) - P^T diag(w) P,   w = 1 / (P 1),  d = P^T 1   for a balanced problem
/// (Tang et al. 2024, section 3, times eps; Schur complement of [[diag(P 1), P], [P^T, diag(P^T
/// 1)]]). m x m, symmetric, diagonally dominant with entries <= 0 beside the diagonal; S 1 = 0
/// where P has all its entries. Kept as P and P^T: one product costs 4 nnz(P) flops. On one rank.
class LIBSOLVE_EXPORT NewtonMatrix final : public LinearOperator {
 public:
  /// w: n, d: m; all copied.
  NewtonMatrix(const HostPlan& P, std::span<const double> w, std::span<const double> d);

  const Partition& row_partition() const override { return columns_; }
  const Partition& column_partition() const override { return columns_; }
  void apply(const Vector& x, const Vector& y) const override;
  bool diagonal(const Vector& d) const override;
  bool is_symmetric() const override { return true; }
  std::string description() const override { return "Newton matrix of entropic transport"; }
  double bytes_per_apply() const override;
  double memory_bytes() const override;

  /// The same with its entries, exactly symmetric; sum over rows of (entries of the row)^2 flops.
  std::shared_ptr<const CsrMatrix> assembled() const;

 private:
  /// One of P and P^T.
  struct Rows {
    Kokkos::View<GlobalIndex*, MemSpace> first;
    Kokkos::View<Index*, MemSpace> columns;
    VectorView values;
  };
  Partition columns_;
  Rows plan_, transposed_;
  VectorView w_, d_;
};

/// The Newton matrix with nothing eliminated, [[diag(r), P], [P^T, diag(c)]], as in the paper. Null
/// vector (1, -1) where r and c are the sums of P. On one rank.
class LIBSOLVE_EXPORT BipartiteMatrix final : public LinearOperator {
 public:
  BipartiteMatrix(const HostPlan& P, std::span<const double> r, std::span<const double> c);
  const Partition& row_partition() const override { return matrix_->row_partition(); }
  const Partition& column_partition() const override { return matrix_->column_partition(); }
  void apply(const Vector& x, const Vector& y) const override { matrix_->apply(x, y); }
  bool diagonal(const Vector& d) const override { return matrix_->diagonal(d); }
  bool is_symmetric() const override { return true; }
  std::string description() const override {
    return "Newton matrix of entropic transport, both sides";
  }

 private:
  std::shared_ptr<const CsrMatrix> matrix_;
};

}  // namespace libsolve
