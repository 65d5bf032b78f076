#include <algorithm>
#include <cmath>
#include <libsolve/linear/detail/csr_arrays.hpp>
#include <limits>
#include <vector>

namespace libsolve::detail {
namespace {

using HostExec = Kokkos::DefaultHostExecutionSpace;
using Rows = Kokkos::RangePolicy<HostExec, Kokkos::IndexType<Index>>;

enum Fault : int { none, decreasing, column, not_finite };

/// First faulty row and whether every row is sorted.
struct FindFaults {
  CsrArrays A;
  GlobalIndex num_entries;

  struct value_type {
    Index row;
    int unsorted;
  };
  void init(value_type& v) const { v = {std::numeric_limits<Index>::max(), 0}; }
  void join(value_type& a, const value_type& b) const {
    a.row = std::min(a.row, b.row);
    a.unsorted |= b.unsorted;
  }
  void operator()(Index i, value_type& found) const {
    bool unsorted = false;
    if (fault(i, unsorted) != none) found.row = std::min(found.row, i);
    found.unsorted |= unsorted ? 1 : 0;
  }
  Fault fault(Index i, bool& unsorted) const {
    const GlobalIndex begin = A.row_pointers(i);
    const GlobalIndex end = A.row_pointers(i + 1);
    if (begin < 0 || end < begin || end > num_entries) return decreasing;
    Fault found = none;
    for (GlobalIndex k = begin; k < end; ++k) {
      const Index c = A.columns(k);
      if (c < 0 || c >= A.num_columns) return column;
      if (!std::isfinite(A.values(k))) found = not_finite;
      if (k > begin && c <= A.columns(k - 1)) unsorted = true;
    }
    return found;
  }
};

struct LargestAsymmetry {
  CsrArrays A;
  /// largest[0]: |a_ij - a_ji|, largest[1]: |a_ij|.
  struct value_type {
    double difference;
    double entry;
  };
  void init(value_type& v) const { v = {0.0, 0.0}; }
  void join(value_type& a, const value_type& b) const {
    a.difference = std::max(a.difference, b.difference);
    a.entry = std::max(a.entry, b.entry);
  }
  void operator()(Index i, value_type& worst) const {
    for (GlobalIndex k = A.row_pointers(i); k < A.row_pointers(i + 1); ++k) {
      const Index j = A.columns(k);
      const double a = A.values(k);
      worst.entry = std::max(worst.entry, std::abs(a));
      if (j == i) continue;
      const Index* begin = A.columns.data() + A.row_pointers(j);
      const Index* end = A.columns.data() + A.row_pointers(j + 1);
      const Index* partner = std::lower_bound(begin, end, i);
      const bool found = partner != end && *partner == i;
      if (!found && a != 0.0)
        worst.difference = std::numeric_limits<double>::infinity();
      else if (found)
        worst.difference =
            std::max(worst.difference, std::abs(a - A.values(partner - A.columns.data())));
    }
  }
};

}  // namespace

CsrCheck check_csr(const CsrArrays& A) {
  CsrCheck check;
  const auto shape = [&](std::string text) {
    check.shape_fault = true;
    check.fault = std::move(text);
    return check;
  };
  const auto num_entries = static_cast<GlobalIndex>(A.values.extent(0));
  if (A.columns.extent(0) != A.values.extent(0))
    return shape(std::to_string(A.columns.extent(0)) + " column indices for " +
                 std::to_string(num_entries) + " values");
  if (A.row_pointers.extent(0) != static_cast<size_t>(A.num_rows) + 1)
    return shape(std::to_string(A.row_pointers.extent(0)) + " row pointers for " +
                 std::to_string(A.num_rows) + " rows; there must be one more than rows");
  if (A.row_pointers(0) != 0 || A.row_pointers(A.num_rows) != num_entries)
    return shape("row pointers run from " + std::to_string(A.row_pointers(0)) + " to " +
                 std::to_string(A.row_pointers(A.num_rows)) + "; they must run from 0 to the " +
                 std::to_string(num_entries) + " entries");

  const FindFaults find{A, num_entries};
  FindFaults::value_type found{};
  Kokkos::parallel_reduce("csr_arrays::check", Rows(0, A.num_rows), find, found);
  check.rows_are_sorted = found.unsorted == 0;
  if (found.row >= A.num_rows) return check;
  bool unsorted = false;
  const Index i = found.row;
  const std::string row = "row " + std::to_string(i);
  switch (find.fault(i, unsorted)) {
    case decreasing:
      return shape(row + " runs from entry " + std::to_string(A.row_pointers(i)) + " to " +
                   std::to_string(A.row_pointers(i + 1)) + "; row pointers must not decrease");
    case column:
      check.fault = row + " has a column outside [0, " + std::to_string(A.num_columns) + ")";
      break;
    case not_finite:
      check.fault = row + " has a value that is not finite";
      break;
    case none:
      break;
  }
  return check;
}

CsrArrays sort_rows(const CsrArrays& A) {
  // Small rows dominate: one scratch for all, serially. Stable, so that duplicates are summed in
  // the order they were written and the sum does not depend on the sorting.
  Kokkos::View<GlobalIndex*, Kokkos::HostSpace> row_pointers("csr::row_pointers", A.num_rows + 1);
  std::vector<GlobalIndex> order;
  std::vector<Index> columns;
  std::vector<double> values;
  columns.reserve(A.columns.extent(0));
  values.reserve(A.columns.extent(0));
  for (Index i = 0; i < A.num_rows; ++i) {
    order.clear();
    for (GlobalIndex k = A.row_pointers(i); k < A.row_pointers(i + 1); ++k) order.push_back(k);
    std::stable_sort(order.begin(), order.end(),
                     [&](GlobalIndex a, GlobalIndex b) { return A.columns(a) < A.columns(b); });
    const size_t row_start = columns.size();
    for (const GlobalIndex k : order) {
      if (columns.size() > row_start && columns.back() == A.columns(k)) {
        values.back() += A.values(k);
      } else {
        columns.push_back(A.columns(k));
        values.push_back(A.values(k));
      }
    }
    row_pointers(i + 1) = static_cast<GlobalIndex>(columns.size());
  }
  Kokkos::View<Index*, Kokkos::HostSpace> c(
      Kokkos::view_alloc("csr::columns", Kokkos::WithoutInitializing), columns.size());
  Kokkos::View<double*, Kokkos::HostSpace> v(
      Kokkos::view_alloc("csr::values", Kokkos::WithoutInitializing), values.size());
  std::copy(columns.begin(), columns.end(), c.data());
  std::copy(values.begin(), values.end(), v.data());
  return {A.num_rows, A.num_columns, row_pointers, c, v};
}

CsrArrays transpose(const CsrArrays& A) {
  Kokkos::View<GlobalIndex*, Kokkos::HostSpace> row_pointers("csr::row_pointers",
                                                             A.num_columns + 1);
  const GlobalIndex nnz = A.num_nonzeros();
  Kokkos::View<Index*, Kokkos::HostSpace> columns(
      Kokkos::view_alloc("csr::columns", Kokkos::WithoutInitializing), nnz);
  Kokkos::View<double*, Kokkos::HostSpace> values(
      Kokkos::view_alloc("csr::values", Kokkos::WithoutInitializing), nnz);
  for (GlobalIndex k = 0; k < nnz; ++k) ++row_pointers(A.columns(k) + 1);
  for (Index j = 0; j < A.num_columns; ++j) row_pointers(j + 1) += row_pointers(j);
  std::vector<GlobalIndex> next(row_pointers.data(), row_pointers.data() + A.num_columns);
  for (Index i = 0; i < A.num_rows; ++i)
    for (GlobalIndex k = A.row_pointers(i); k < A.row_pointers(i + 1); ++k) {
      const GlobalIndex to = next[A.columns(k)]++;
      columns(to) = i;
      values(to) = A.values(k);
    }
  return {A.num_columns, A.num_rows, row_pointers, columns, values};
}

LargestDifference largest_difference(const CsrArrays& A) {
  LargestAsymmetry::value_type worst{};
  Kokkos::parallel_reduce("csr_arrays::asymmetry", Rows(0, A.num_rows), LargestAsymmetry{A}, worst);
  return {worst.difference, worst.entry};
}

double asymmetry(const CsrArrays& A) {
  if (A.num_rows != A.num_columns) return std::numeric_limits<double>::infinity();
  return largest_difference(A).relative();
}

}  // namespace libsolve::detail
