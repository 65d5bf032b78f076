#include <algorithm>
#include <libsolve/linear/sparse_triangle.hpp>
#include <string>

namespace libsolve {

namespace detail {

/// y_i = (s x_i - w sum_j t_ij y_j) / t_ii for the row stored at place k, s and w the scaling.
struct SolveRow {
  Kokkos::View<const Index*, MemSpace> order;
  Kokkos::View<const GlobalIndex*, MemSpace> row_pointers;
  Kokkos::View<const Index*, MemSpace> columns;
  Kokkos::View<const double*, MemSpace> values;
  Kokkos::View<const double*, MemSpace> inverse_diagonal;
  const double* x;
  double* y;
  Index first;
  Index last;
  SparseTriangle::Scaling scaling;

  KOKKOS_INLINE_FUNCTION void operator()(Index k) const {
    const Index i = order(k);
    double sum = scaling.right_hand_side * x[i];
    for (GlobalIndex e = row_pointers(k); e < row_pointers(k + 1); ++e)
      sum -= scaling.off_diagonal * values(e) * y[columns(e)];
    y[i] = sum * inverse_diagonal(k);
  }
};

/// One thread does rows [first, last) in order.
struct SolveRowsInOrder : SolveRow {
  KOKKOS_INLINE_FUNCTION void operator()(Index) const {
    for (Index k = first; k < last; ++k) SolveRow::operator()(k);
  }
};

}  // namespace detail

namespace {

/// Rows of a level below which sharing it costs more than it gains.
constexpr Index smallest_parallel_level = runs_on_host<ExecSpace> ? 512 : 32;

template <class T>
Kokkos::View<const T*, MemSpace> to_view(const std::string& label, const std::vector<T>& v) {
  Kokkos::View<T*, MemSpace> view(Kokkos::view_alloc(label, Kokkos::WithoutInitializing), v.size());
  Kokkos::deep_copy(view, Kokkos::View<const T*, Kokkos::HostSpace>(v.data(), v.size()));
  return view;
}

/// Level of each row by its place in the order, from 0.
std::vector<Index> find_levels(const SparseTriangle::Rows& rows) {
  const auto n = static_cast<Index>(rows.order.size());
  std::vector<Index> level_of_row(rows.order.size(), 0);
  std::vector<Index> level(rows.order.size(), 0);
  for (Index k = 0; k < n; ++k) {
    Index own = 0;
    for (GlobalIndex e = rows.row_pointers[k]; e < rows.row_pointers[k + 1]; ++e)
      own = std::max(own, level_of_row[rows.columns[e]] + 1);
    level[k] = own;
    level_of_row[rows.order[k]] = own;
  }
  return level;
}

/// The same rows, those at place from[k] now at place k.
SparseTriangle::Rows reordered(const SparseTriangle::Rows& rows, const std::vector<Index>& from) {
  SparseTriangle::Rows out;
  out.row_pointers.push_back(0);
  out.columns.reserve(rows.columns.size());
  out.values.reserve(rows.values.size());
  for (const Index k : from) {
    out.order.push_back(rows.order[k]);
    out.inverse_diagonal.push_back(rows.inverse_diagonal[k]);
    for (GlobalIndex e = rows.row_pointers[k]; e < rows.row_pointers[k + 1]; ++e) {
      out.columns.push_back(rows.columns[e]);
      out.values.push_back(rows.values[e]);
    }
    out.row_pointers.push_back(static_cast<GlobalIndex>(out.columns.size()));
  }
  return out;
}

}  // namespace

SparseTriangle::SparseTriangle(Rows rows)
    : SparseTriangle(std::move(rows), ExecSpace().concurrency() > 1) {}

SparseTriangle::SparseTriangle(Rows rows, bool parallel) {
  const auto n = static_cast<Index>(rows.order.size());
  const std::vector<Index> level = find_levels(rows);
  num_levels_ = n == 0 ? 0 : *std::max_element(level.begin(), level.end()) + 1;
  if (!parallel) {
    if (n > 0) stages_.push_back({0, n, false});
  } else {
    // Counting sort by level; the order within a level stays.
    std::vector<Index> begin(static_cast<size_t>(num_levels_) + 1, 0);
    for (const Index l : level) ++begin[l + 1];
    for (Index l = 0; l < num_levels_; ++l) begin[l + 1] += begin[l];
    std::vector<Index> from(rows.order.size());
    std::vector<Index> next(begin);
    for (Index k = 0; k < n; ++k) from[next[level[k]]++] = k;
    rows = reordered(rows, from);
    for (Index l = 0; l < num_levels_; ++l) {
      const bool shared = begin[l + 1] - begin[l] >= smallest_parallel_level;
      if (!shared && !stages_.empty() && !stages_.back().is_parallel)
        stages_.back().end = begin[l + 1];
      else
        stages_.push_back({begin[l], begin[l + 1], shared});
    }
  }
  order_ = to_view("sparse_triangle::order", rows.order);
  row_pointers_ = to_view("sparse_triangle::row_pointers", rows.row_pointers);
  columns_ = to_view("sparse_triangle::columns", rows.columns);
  values_ = to_view("sparse_triangle::values", rows.values);
  inverse_diagonal_ = to_view("sparse_triangle::inverse_diagonal", rows.inverse_diagonal);
}

void SparseTriangle::solve(const VectorView& x, const VectorView& y, Scaling scaling) const {
  using Range = Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<Index>>;
  for (const Stage& stage : stages_) {
    const detail::SolveRow row{order_,   row_pointers_, columns_,    values_,  inverse_diagonal_,
                               x.data(), y.data(),      stage.begin, stage.end, scaling};
    if (stage.is_parallel) {
      Kokkos::parallel_for("sparse_triangle::level", Range(stage.begin, stage.end), row);
    } else if constexpr (runs_on_host<ExecSpace>) {
      detail::SolveRowsInOrder{row}(0);
    } else {
      Kokkos::parallel_for("sparse_triangle::rows", Range(0, 1), detail::SolveRowsInOrder{row});
    }
  }
}

double SparseTriangle::memory_bytes() const {
  return static_cast<double>((order_.span() + columns_.span()) * sizeof(Index) +
                             row_pointers_.span() * sizeof(GlobalIndex) +
                             (values_.span() + inverse_diagonal_.span()) * sizeof(double));
}

}  // namespace libsolve
