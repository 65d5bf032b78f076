#pragma once

#include <libsolve/core/vector.hpp>
#include <libsolve/linear/csr_matrix.hpp>
#include <libsolve/linear/detail/csr_arrays.hpp>
#include <libsolve/linear/halo.hpp>
#include <vector>

/// The part of a distributed matrix that lies in other ranks' columns.
namespace libsolve::detail {

/// One rank's rows in two parts, on the host.
struct SplitRows {
  CsrArrays own;                        ///< entries in own columns, counted locally
  std::vector<Index> rows;              ///< those with entries elsewhere, ascending
  std::vector<Index> first;             ///< rows.size() + 1, into columns and values
  std::vector<GlobalIndex> columns;     ///< global, sorted and unique in each row
  std::vector<double> values;
};

/// Throws ShapeError where lengths do not fit, DataError for columns out of range and values that
/// are not finite.
SplitRows split_columns(const Partition& rows, const Partition& columns,
                        const CsrMatrix::RowPointers& row_pointers,
                        const CsrMatrix::GlobalColumns& global_columns,
                        const ConstVectorView& values);

class GhostColumns {
 public:
  GhostColumns(const Partition& columns, const SplitRows& split);

  /// Starts fetching the entries of x; one product at a time.
  void begin(const Vector& x) const;
  /// y += this part times x; returns the sum of x_i times the change of y_i (0 without `x`).
  double finish(const double* x, double* y) const;
  /// y += this part's transpose times x.
  void add_adjoint(const Vector& x, const Vector& y) const;
  double memory_bytes() const;

  /// Host copies, for looking at entries.
  const SplitRows& split() const { return split_; }

 private:
  SplitRows split_;
  Halo halo_;
  VectorView ghosts_;
  Kokkos::View<const Index*, MemSpace> rows_;
  Kokkos::View<const Index*, MemSpace> first_;
  Kokkos::View<const Index*, MemSpace> columns_;  ///< into ghosts_
  ConstVectorView values_;
};

/// As asymmetry() of csr_arrays.hpp, over all ranks. Collective.
double asymmetry(const Partition& rows, const CsrArrays& own, const GhostColumns& ghosts);

}  // namespace libsolve::detail
