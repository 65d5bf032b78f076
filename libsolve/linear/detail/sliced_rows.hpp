#pragma once

#include <algorithm>
#include <functional>
#include <libsolve/core/export.hpp>
#include <libsolve/linear/detail/csr_arrays.hpp>
#include <libsolve/linear/detail/lanes.hpp>
#include <vector>

namespace libsolve::detail {

/// The layout the host's product runs on: slices of eight rows, one row per lane, entries stored
/// slice by slice with the j-th entries of the eight rows side by side (SELL-C-sigma with C = 8;
/// Kreutzer, Hager, Wellein, Fehske, Bishop, "A unified sparse matrix data format for efficient
/// general sparse matrix-vector multiplication on modern processors with wide SIMD units",
/// SIAM J. Sci. Comput. 36(5), 2014). A group is eight entries side by side.
///
/// Two kinds of slices:
///  - gathered: 8 column indices a group (12 bytes an entry); short rows are padded with zeros
///    that point at a column of their own row.
///  - banded: the entries lie on few diagonals i - j = const, one group each; a group stores the
///    column of its first lane only (8.5 bytes an entry), and x is loaded, not gathered. Matrices
///    from structured grids are of this kind nearly everywhere. A row without an entry on a
///    diagonal of its slice holds a zero there, so a non-finite x may reach up to seven
///    neighbouring rows.
///
/// Rows are taken in their natural order where that pads little, else sorted by length within
/// windows of `sort_window` rows.
struct LIBSOLVE_EXPORT SlicedRows {
  template <class T>
  using View = Kokkos::View<T*, Kokkos::HostSpace>;
  static constexpr Index sort_window = 512;

  struct Slice {
    GlobalIndex first_group = 0;
    /// 2 * position in `indices` + (1 for a banded slice).
    GlobalIndex first_index_and_kind = 0;
    bool is_banded() const { return (first_index_and_kind & 1) != 0; }
    GlobalIndex first_index() const { return first_index_and_kind >> 1; }
  };

  Index num_rows = 0;
  View<Slice> slices;       ///< one more than slices: the last holds the ends
  View<double> values;      ///< 8 a group
  View<Index> indices;      ///< 8 a group of a gathered slice, 1 a group of a banded one
  View<Index> rows;         ///< row in lane l of slice s: rows(8 s + l); empty: natural order
  View<Index> block_begin;  ///< slices that start a block of about equal work, and the end

  Index num_slices() const { return static_cast<Index>(slices.extent(0)) - 1; }
  Index num_blocks() const { return static_cast<Index>(block_begin.extent(0)) - 1; }
  double memory_bytes() const;
  /// Share of entries in banded slices, padding included; for tests and descriptions.
  double banded_share() const;
};

/// How the host stores a matrix for its product.
enum class RowLayout { compressed, sliced, sorted_slices };

/// Chooses from the lengths of the rows: slices where they hold at most 5 % (natural order) or 15 %
/// (sorted) zeros, compressed rows else. `row_length(i)` may be any callable.
template <class RowLength>
RowLayout choose_layout(Index num_rows, GlobalIndex num_nonzeros, const RowLength& row_length);

/// Sorts row numbers by decreasing length within windows, so that the rows of a slice are alike.
std::vector<Index> rows_by_length(const CsrArrays& A);

/// Builds the slices in parallel; `layout` is sliced or sorted_slices.
LIBSOLVE_EXPORT SlicedRows make_sliced_rows(const CsrArrays& A, RowLayout layout);

/// First rows of blocks of about equal work, for compressed rows: block_begin, and the end.
Kokkos::View<Index*, Kokkos::HostSpace> make_row_blocks(const CsrArrays& A);

// ---- implementation ----------------------------------------------------------------------------

template <class RowLength>
RowLayout choose_layout(Index num_rows, GlobalIndex num_nonzeros, const RowLength& row_length) {
  constexpr Index lanes = Lanes::count;
  const auto padded = [&](const auto& length_of) {
    GlobalIndex total = 0;
    for (GlobalIndex first = 0; first < num_rows; first += lanes) {
      GlobalIndex longest = 0;
      for (GlobalIndex i = first; i < std::min<GlobalIndex>(first + lanes, num_rows); ++i)
        longest = std::max(longest, static_cast<GlobalIndex>(length_of(static_cast<Index>(i))));
      total += longest * lanes;
    }
    return static_cast<double>(total);
  };
  const double nnz = static_cast<double>(num_nonzeros);
  if (padded(row_length) <= 1.05 * nnz) return RowLayout::sliced;
  std::vector<GlobalIndex> lengths(static_cast<size_t>(num_rows));
  for (Index i = 0; i < num_rows; ++i) lengths[i] = row_length(i);
  for (size_t w = 0; w < lengths.size(); w += SlicedRows::sort_window)
    std::sort(lengths.begin() + w,
              lengths.begin() + std::min(w + SlicedRows::sort_window, lengths.size()),
              std::greater<>());
  if (padded([&](Index i) { return lengths[i]; }) <= 1.15 * nnz) return RowLayout::sorted_slices;
  return RowLayout::compressed;
}

}  // namespace libsolve::detail
