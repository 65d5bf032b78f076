#pragma once

#include <libsolve/core/row_kernels.hpp>

namespace proximal {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// A grid of cells, x fastest, and one over its spacings; 1 and 0 on unused axes.
struct Cells {
  Index n[3] = {1, 1, 1};
  double inverse_spacing[3] = {0.0, 0.0, 0.0};
  KOKKOS_INLINE_FUNCTION Index num_cells() const { return n[0] * n[1] * n[2]; }
  KOKKOS_INLINE_FUNCTION Index num_rows() const { return n[1] * n[2]; }
};

// Kernels go over rows of cells, all with the same x and y-z place. `kernel.row(j, k)` has the pointers of
// a row, with neighbours of cells at the edge where the formula needs no branch; of the row,
// `first(i, sum)`, `inner(i, sum)` and `last(i, sum)` are the cell at the low end, between, at the high
// end, and `only` where a row has one cell. They add to `sum`.

namespace detail {

/// Below this many cells the calling thread does all of them.
inline constexpr Index cells_worth_threads = 8192;

template <class Row>
[[gnu::noinline, gnu::flatten]] double over_row(const Row& given, Index n) {
  const Row row = given;  // see row_kernels.hpp
  double sum = 0.0;
  if (n == 1) {
    row.only(0, sum);
    return sum;
  }
  row.first(0, sum);
#pragma omp simd reduction(+ : sum)
  for (Index i = 1; i < n - 1; ++i) row.inner(i, sum);
  row.last(n - 1, sum);
  return sum;
}

template <class Kernel>
struct HostRow {
  Kernel kernel;
  Cells cells;
  void operator()(Index r, double& sum) const {
    sum += over_row(kernel.row(r % cells.n[1], r / cells.n[1]), cells.n[0]);
  }
};

template <class Kernel>
struct DeviceCell {
  Kernel kernel;
  Cells cells;
  KOKKOS_FUNCTION void operator()(Index c, double& sum) const {
    const Index r = c / cells.n[0], i = c - r * cells.n[0], last = cells.n[0] - 1;
    const auto row = kernel.row(r % cells.n[1], r / cells.n[1]);
    if (last == 0)
      row.only(i, sum);
    else if (i == 0)
      row.first(i, sum);
    else if (i == last)
      row.last(i, sum);
    else
      row.inner(i, sum);
  }
};

}  // namespace detail

/// Does all cells; returns the sum, the same for a given number of threads. Complete on return.
template <class Exec, class Kernel>
double reduce_cells(const Exec& exec, const char* label, const Cells& cells, const Kernel& kernel) {
  using Policy = Kokkos::RangePolicy<Exec, Kokkos::IndexType<Index>>;
  double sum = 0.0;
  if constexpr (runs_on_host<Exec>) {
    const detail::HostRow<Kernel> row{kernel, cells};
    if (cells.num_cells() > detail::cells_worth_threads)
      Kokkos::parallel_reduce(kernel_label(label), Policy(exec, 0, cells.num_rows()), row, sum);
    else
      for (Index r = 0; r < cells.num_rows(); ++r) row(r, sum);
  } else {
    Kokkos::parallel_reduce(kernel_label(label), Policy(exec, 0, cells.num_cells()),
                            detail::DeviceCell<Kernel>{kernel, cells}, sum);
  }
  return sum;
}

}  // namespace proximal
