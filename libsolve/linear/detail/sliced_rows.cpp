#include <algorithm>
#include <functional>
#include <libsolve/linear/detail/sliced_rows.hpp>
#include <limits>
#include <numeric>

namespace libsolve::detail {
namespace {

using HostExec = Kokkos::DefaultHostExecutionSpace;
constexpr Index lanes = Lanes::count;
/// Work of a block in groups of eight entries: some 100 kB of matrix, several thousand blocks for
/// a matrix beyond the caches.
constexpr GlobalIndex groups_per_block = 1024;

using SliceRange =
    Kokkos::RangePolicy<HostExec, Kokkos::IndexType<Index>, Kokkos::Schedule<Kokkos::Static>>;

/// The rows of one slice while it is being built.
struct SliceBuilder {
  const CsrArrays& A;
  const SlicedRows::View<Index>& rows;
  GlobalIndex begin[lanes];
  GlobalIndex end[lanes];
  Index row[lanes];
  Index num = 0;          ///< rows in the slice: eight but for the last one
  GlobalIndex width = 0;  ///< longest row

  SliceBuilder(const CsrArrays& matrix, const SlicedRows::View<Index>& order, Index s)
      : A(matrix), rows(order) {
    num = std::min<Index>(lanes, A.num_rows - s * lanes);
    for (Index l = 0; l < num; ++l) {
      row[l] = rows.extent(0) == 0 ? s * lanes + l : rows(s * lanes + l);
      begin[l] = A.row_pointers(row[l]);
      end[l] = A.row_pointers(row[l] + 1);
      width = std::max(width, end[l] - begin[l]);
    }
  }

  /// Calls use(offset, entry[lane] or -1) for each diagonal of the slice in ascending order, until
  /// it returns false. Returns the number of diagonals seen.
  template <class Use>
  GlobalIndex for_each_diagonal(const Use& use) const {
    GlobalIndex next[lanes];
    std::copy(begin, begin + num, next);
    GlobalIndex count = 0;
    for (;;) {
      constexpr GlobalIndex none = std::numeric_limits<GlobalIndex>::max();
      GlobalIndex offset = none;
      for (Index l = 0; l < num; ++l)
        if (next[l] < end[l])
          offset = std::min<GlobalIndex>(offset, GlobalIndex{A.columns(next[l])} - row[l]);
      if (offset == none) return count;
      ++count;
      GlobalIndex entry[lanes];
      for (Index l = 0; l < num; ++l) {
        const bool hit = next[l] < end[l] && GlobalIndex{A.columns(next[l])} - row[l] == offset;
        entry[l] = hit ? next[l]++ : -1;
      }
      if (!use(offset, entry)) return count;
    }
  }

  /// Groups of the banded form, or 0 where that is no gain or not possible.
  GlobalIndex banded_groups() const {
    if (num < lanes || rows.extent(0) != 0) return 0;
    // 68 bytes a banded group, 96 a gathered one; and no more multiplications than half again.
    const GlobalIndex limit = width * 96 / 68;
    bool fits = true;
    const GlobalIndex count = for_each_diagonal([&](GlobalIndex offset, const GlobalIndex*) {
      const GlobalIndex first = row[0] + offset;
      fits = fits && first >= 0 && first + lanes <= A.num_columns;
      return fits;
    });
    return fits && count <= limit ? count : 0;
  }

  void fill_gathered(double* values, Index* indices) const {
    for (GlobalIndex j = 0; j < width; ++j)
      for (Index l = 0; l < lanes; ++l) {
        const bool has = l < num && begin[l] + j < end[l];
        // Zeros point at the row's own last column, so that they touch nothing the row does not.
        const GlobalIndex k = has ? begin[l] + j : (l < num && end[l] > begin[l] ? end[l] - 1 : -1);
        values[lanes * j + l] = has ? A.values(k) : 0.0;
        indices[lanes * j + l] = k >= 0 ? A.columns(k) : 0;
      }
  }

  void fill_banded(double* values, Index* indices) const {
    GlobalIndex j = 0;
    for_each_diagonal([&](GlobalIndex offset, const GlobalIndex* entry) {
      for (Index l = 0; l < lanes; ++l)
        values[lanes * j + l] = entry[l] >= 0 ? A.values(entry[l]) : 0.0;
      indices[j++] = static_cast<Index>(row[0] + offset);
      return true;
    });
  }
};

/// Pass 1: groups and indices of each slice, stored one place up for the prefix sum.
struct MeasureSlices {
  CsrArrays A;
  SlicedRows S;
  void operator()(Index s) const {
    const SliceBuilder slice(A, S.rows, s);
    const GlobalIndex banded = slice.banded_groups();
    S.slices(s + 1).first_group = banded > 0 ? banded : slice.width;
    S.slices(s + 1).first_index_and_kind = banded > 0 ? 2 * banded + 1 : 2 * lanes * slice.width;
  }
};

/// Pass 2.
struct FillSlices {
  CsrArrays A;
  SlicedRows S;
  void operator()(Index s) const {
    const SliceBuilder slice(A, S.rows, s);
    double* values = S.values.data() + lanes * S.slices(s).first_group;
    Index* indices = S.indices.data() + S.slices(s).first_index();
    if (S.slices(s).is_banded())
      slice.fill_banded(values, indices);
    else
      slice.fill_gathered(values, indices);
  }
};

/// Starts of blocks of about `work_per_block`, where `work_before(i)` is the work before item i.
template <class WorkBefore>
Kokkos::View<Index*, Kokkos::HostSpace> equal_blocks(Index num_items, GlobalIndex work_per_block,
                                                     const WorkBefore& work_before) {
  std::vector<Index> begin = {0};
  for (Index i = 1; i < num_items; ++i)
    if (work_before(i) - work_before(begin.back()) >= work_per_block) begin.push_back(i);
  if (num_items > 0) begin.push_back(num_items);
  Kokkos::View<Index*, Kokkos::HostSpace> view("csr::block_begin", begin.size());
  std::copy(begin.begin(), begin.end(), view.data());
  return view;
}

}  // namespace

double SlicedRows::memory_bytes() const {
  return static_cast<double>(slices.span() * sizeof(Slice) + values.span() * sizeof(double) +
                             (indices.span() + rows.span() + block_begin.span()) * sizeof(Index));
}

double SlicedRows::banded_share() const {
  GlobalIndex banded = 0;
  for (Index s = 0; s < num_slices(); ++s)
    if (slices(s).is_banded()) banded += slices(s + 1).first_group - slices(s).first_group;
  const GlobalIndex total = slices(num_slices()).first_group;
  return total == 0 ? 0.0 : static_cast<double>(banded) / static_cast<double>(total);
}

std::vector<Index> rows_by_length(const CsrArrays& A) {
  std::vector<Index> rows(static_cast<size_t>(A.num_rows));
  std::iota(rows.begin(), rows.end(), 0);
  const auto length = [&](Index i) { return A.row_pointers(i + 1) - A.row_pointers(i); };
  for (size_t w = 0; w < rows.size(); w += SlicedRows::sort_window)
    std::stable_sort(rows.begin() + w,
                     rows.begin() + std::min(w + SlicedRows::sort_window, rows.size()),
                     [&](Index a, Index b) { return length(a) > length(b); });
  return rows;
}

SlicedRows make_sliced_rows(const CsrArrays& A, RowLayout layout) {
  SlicedRows S;
  S.num_rows = A.num_rows;
  const Index num_slices = static_cast<Index>((GlobalIndex{A.num_rows} + lanes - 1) / lanes);
  S.slices =
      SlicedRows::View<SlicedRows::Slice>("csr::slices", static_cast<size_t>(num_slices) + 1);
  if (layout == RowLayout::sorted_slices) {
    const std::vector<Index> rows = rows_by_length(A);
    S.rows = SlicedRows::View<Index>("csr::rows", rows.size());
    std::copy(rows.begin(), rows.end(), S.rows.data());
  }
  Kokkos::parallel_for("csr_matrix::measure_slices", SliceRange(0, num_slices),
                       MeasureSlices{A, S});
  GlobalIndex group = 0;
  GlobalIndex index = 0;
  for (Index s = 0; s <= num_slices; ++s) {  // the sizes of slice s still lie one place up
    const SlicedRows::Slice own = s < num_slices ? S.slices(s + 1) : SlicedRows::Slice{};
    S.slices(s) = {group, 2 * index + (own.is_banded() ? 1 : 0)};
    group += own.first_group;
    index += own.first_index();
  }
  S.values = SlicedRows::View<double>(
      Kokkos::view_alloc("csr::slice_values", Kokkos::WithoutInitializing), lanes * group);
  S.indices = SlicedRows::View<Index>(
      Kokkos::view_alloc("csr::slice_indices", Kokkos::WithoutInitializing), index);
  Kokkos::parallel_for("csr_matrix::fill_slices", SliceRange(0, num_slices), FillSlices{A, S});
  S.block_begin = equal_blocks(num_slices, groups_per_block,
                               [&](Index s) { return S.slices(s).first_group + s; });
  return S;
}

Kokkos::View<Index*, Kokkos::HostSpace> make_row_blocks(const CsrArrays& A) {
  return equal_blocks(A.num_rows, lanes * groups_per_block,
                      [&](Index i) { return A.row_pointers(i) + i; });
}

}  // namespace libsolve::detail
