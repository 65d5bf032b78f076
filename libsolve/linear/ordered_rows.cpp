#include <algorithm>
#include <libsolve/linear/ordered_rows.hpp>
#include <libsolve/linear/ordering.hpp>
#include <utility>

namespace libsolve {

OrderedRows make_ordered_rows(const HostCsr& A, std::vector<Index> order, RowPart part) {
  OrderedRows M;
  M.order = std::move(order);
  const std::vector<Index> place = places(M.order);
  M.begin.push_back(0);
  struct Entry {
    Index column;
    double value;
  };
  std::vector<Entry> row;
  for (Index k = 0; k < A.num_rows; ++k) {
    const Index i = M.order[k];
    row.clear();
    bool has_diagonal = false;
    for (GlobalIndex e = A.begin(i); e < A.end(i); ++e) {
      const Index c = place[A.columns(e)];
      if (part == RowPart::lower && c > k) continue;
      has_diagonal = has_diagonal || c == k;
      row.push_back({c, A.values(e)});
    }
    if (!has_diagonal) row.push_back({k, 0.0});
    std::sort(row.begin(), row.end(),
              [](const Entry& a, const Entry& b) { return a.column < b.column; });
    for (const Entry& e : row) {
      if (e.column == k) M.diagonal.push_back(static_cast<GlobalIndex>(M.column.size()));
      M.column.push_back(e.column);
      M.value.push_back(e.value);
    }
    M.begin.push_back(static_cast<GlobalIndex>(M.column.size()));
  }
  return M;
}

namespace {

/// Rows `first`, first + step, ... of M: entries [begin(k), end(k)) and the diagonal.
template <class Begin, class End>
SparseTriangle triangle(const OrderedRows& M, Index first, Index step, bool diagonal_is_one,
                        const Begin& begin, const End& end) {
  SparseTriangle::Rows rows;
  rows.row_pointers.push_back(0);
  for (Index n = 0, k = first; n < M.num_rows(); ++n, k += step) {
    for (GlobalIndex e = begin(k); e < end(k); ++e) {
      rows.columns.push_back(M.order[M.column[e]]);
      rows.values.push_back(M.value[e]);
    }
    rows.order.push_back(M.order[k]);
    rows.inverse_diagonal.push_back(diagonal_is_one ? 1.0 : 1.0 / M.value[M.diagonal[k]]);
    rows.row_pointers.push_back(static_cast<GlobalIndex>(rows.columns.size()));
  }
  return SparseTriangle(std::move(rows));
}

}  // namespace

SparseTriangle lower_triangle(const OrderedRows& M, bool diagonal_is_one) {
  return triangle(
      M, 0, 1, diagonal_is_one, [&](Index k) { return M.begin[k]; },
      [&](Index k) { return M.diagonal[k]; });
}

SparseTriangle upper_triangle(const OrderedRows& M) {
  return triangle(
      M, M.num_rows() - 1, -1, false, [&](Index k) { return M.diagonal[k] + 1; },
      [&](Index k) { return M.begin[k + 1]; });
}

SparseTriangle transposed_lower_triangle(const OrderedRows& M) {
  const Index n = M.num_rows();
  SparseTriangle::Rows rows;
  // Row k of the transpose comes at place n - 1 - k: the last row depends on nothing.
  rows.row_pointers.assign(static_cast<size_t>(n) + 1, 0);
  for (Index k = 0; k < n; ++k)
    for (GlobalIndex e = M.begin[k]; e < M.diagonal[k]; ++e) ++rows.row_pointers[n - M.column[e]];
  for (Index k = 0; k < n; ++k) rows.row_pointers[k + 1] += rows.row_pointers[k];
  rows.columns.resize(static_cast<size_t>(rows.row_pointers[n]));
  rows.values.resize(rows.columns.size());
  std::vector<GlobalIndex> next(rows.row_pointers.begin(), rows.row_pointers.end() - 1);
  for (Index k = 0; k < n; ++k)
    for (GlobalIndex e = M.begin[k]; e < M.diagonal[k]; ++e) {
      const GlobalIndex to = next[n - 1 - M.column[e]]++;
      rows.columns[to] = M.order[k];
      rows.values[to] = M.value[e];
    }
  for (Index k = n; k-- > 0;) {
    rows.order.push_back(M.order[k]);
    rows.inverse_diagonal.push_back(1.0 / M.value[M.diagonal[k]]);
  }
  return SparseTriangle(std::move(rows));
}

}  // namespace libsolve
