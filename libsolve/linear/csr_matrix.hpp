#pragma once

#include <libsolve/core/linear_operator.hpp>
#include <memory>
#include <span>

namespace libsolve {

/// Sparse matrix in compressed rows: 64-bit row pointers, 32-bit columns, double values. Column
/// indices of a row are sorted and unique. The product runs on a layout chosen at construction for
/// the speed of the memory bus (see csr_matrix.cpp); the plain arrays stay available.
///
/// On several ranks each holds a block of rows. The entries in its own columns are the arrays below
/// (the diagonal block, with local columns); the others are kept apart, and the entries of x they
/// need come through a Halo while the own block is worked on.
class LIBSOLVE_EXPORT CsrMatrix final : public LinearOperator {
 public:
  using RowPointers = Kokkos::View<const GlobalIndex*, MemSpace>;
  using Columns = Kokkos::View<const Index*, MemSpace>;

  /// Takes the views without a copy. Throws ShapeError where lengths do not fit, DataError where
  /// columns are out of range or a value is not finite; unsorted rows are sorted into a copy,
  /// duplicates are summed.
  CsrMatrix(GlobalIndex num_rows, GlobalIndex num_columns, RowPointers row_pointers,
            Columns columns, ConstVectorView values);
  using GlobalColumns = Kokkos::View<const GlobalIndex*, MemSpace>;
  /// This rank's rows, with columns counted over all ranks. Collective; throws on all ranks where
  /// it throws on one.
  CsrMatrix(const Partition& rows, const Partition& columns, const RowPointers& row_pointers,
            const GlobalColumns& global_columns, const ConstVectorView& values);
  ~CsrMatrix() override;

  const RowPointers& row_pointers() const noexcept { return row_pointers_; }
  const Columns& columns() const noexcept { return columns_; }
  const ConstVectorView& values() const noexcept { return values_; }
  /// Entries of this rank's rows in other ranks' columns.
  struct OffRankEntries {
    std::span<const Index> rows;           ///< those that have some, ascending
    std::span<const Index> first;          ///< rows.size() + 1, into columns and values
    std::span<const GlobalIndex> columns;  ///< global; sorted and unique in each row
    std::span<const double> values;
  };
  /// On the host, kept with the matrix; empty on one rank.
  OffRankEntries off_rank_entries() const;
  /// Over all ranks.
  GlobalIndex num_nonzeros() const noexcept { return num_nonzeros_; }

  /// max |a_ij - a_ji| / max |a_ij|, computed (and kept) at the first call; infinity for a
  /// rectangular matrix or an unsymmetric pattern with nonzero values. Collective at that call.
  double asymmetry() const;

  const Partition& row_partition() const override { return rows_; }
  const Partition& column_partition() const override { return cols_; }
  void apply(const Vector& x, const Vector& y) const override;
  void apply_adjoint(const Vector& x, const Vector& y) const override;
  bool diagonal(const Vector& d) const override;
  /// asymmetry() <= 1e-14.
  bool is_symmetric() const override;
  std::string description() const override;
  double bytes_per_apply() const override;
  double memory_bytes() const override;
  double apply_dot(const Vector& x, const Vector& y) const override;
  double residual(const Vector& b, const Vector& x, const Vector& r) const override;

 private:
  struct Impl;
  void prepare();
  Partition rows_;
  Partition cols_;
  RowPointers row_pointers_;
  Columns columns_;
  ConstVectorView values_;
  GlobalIndex num_nonzeros_ = 0;
  std::unique_ptr<Impl> impl_;
};

}  // namespace libsolve
