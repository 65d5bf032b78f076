#include <algorithm>
#include <cmath>
#include <libsolve/core/row_kernels.hpp>
#include <vector>

#include "passes.hpp"

namespace logistic {

namespace {

using Policy = Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<Index>>;

constexpr Index panel_rows = 128;
constexpr Index tile_rows = 4;
constexpr Index tile_columns = 16;

Index padded(Index n) {
  return (n + tile_columns - 1) / tile_columns * tile_columns;
}
std::size_t at(Index i, Index j, Index width) {
  return static_cast<std::size_t>(i) * static_cast<std::size_t>(width) +
         static_cast<std::size_t>(j);
}

/// Share s of the rows into its own n x padded(n) matrix, of which the lower triangle counts.
struct HostHessian {
  const GlobalIndex* row_pointers;
  const Index* columns;
  const double* values;
  const double* w;
  Index count;
  Index num_shares;
  Index n;
  bool is_dense;
  double* parts;

  Index first(Index share) const {
    return static_cast<Index>(GlobalIndex{count} * share / num_shares);
  }
  [[maybe_unused]] void operator()(Index share) const {
    double* const H = parts + static_cast<std::size_t>(share) * at(padded(n), 0, padded(n));
    if (is_dense)
      panels(share, H);
    else
      scatter(share, H);
  }

  void scatter(Index share, double* H) const {
    for (Index i = first(share); i < first(share + 1); ++i)
      for (GlobalIndex a = row_pointers[i]; a < row_pointers[i + 1]; ++a) {
        double* const row = H + at(columns[a], 0, padded(n));
        const double factor = w[i] * values[a];
        for (GlobalIndex b = row_pointers[i]; b <= a; ++b) row[columns[b]] += factor * values[b];
      }
  }

  /// S = rows times sqrt(w), dense; H += S^T S by tiles kept in registers.
  void panels(Index share, double* H) const {
    const Index width = padded(n);
    std::vector<double> S(at(panel_rows, 0, width));
    const Index end = first(share + 1);
    for (Index begin = first(share); begin < end; begin += panel_rows) {
      const Index length = std::min(panel_rows, end - begin);
      std::fill(S.begin(), S.end(), 0.0);
      for (Index p = 0; p < length; ++p) {
        const double root = std::sqrt(w[begin + p]);
        for (GlobalIndex k = row_pointers[begin + p]; k < row_pointers[begin + p + 1]; ++k)
          S[at(p, columns[k], width)] = root * values[k];
      }
      for (Index i = 0; i < width; i += tile_rows)
        for (Index j = 0; j < std::min(i + tile_rows, width); j += tile_columns)
          tile(S.data(), width, length, i, j, H);
    }
  }

  static void tile(const double* S, Index width, Index length, Index i, Index j, double* H) {
    double c[tile_rows][tile_columns] = {};
    for (Index p = 0; p < length; ++p) {
      const double* const row = S + at(p, 0, width);
      for (Index r = 0; r < tile_rows; ++r) {
        const double a = row[i + r];
#pragma omp simd
        for (Index k = 0; k < tile_columns; ++k) c[r][k] += a * row[j + k];
      }
    }
    for (Index r = 0; r < tile_rows; ++r) {
      double* const out = H + at(i + r, j, width);
      for (Index k = 0; k < tile_columns; ++k) out[k] += c[r][k];
    }
  }
};

/// Row i of the packed triangle: the shares in their order.
struct AddShares {
  Index n;
  Index num_shares;
  const double* parts;
  double* values;
  [[maybe_unused]] void operator()(Index i) const {
    double* const out =
        values + static_cast<std::size_t>(i) * (static_cast<std::size_t>(i) + 1) / 2;
    const std::size_t size = at(padded(n), 0, padded(n));
    for (Index j = 0; j <= i; ++j) {
      double sum = 0.0;
      for (Index s = 0; s < num_shares; ++s)
        sum += parts[static_cast<std::size_t>(s) * size + at(i, j, padded(n))];
      out[j] = sum;
    }
  }
};

/// Entry (i, j) by walking down columns i and j together: for devices.
struct ColumnPair {
  const GlobalIndex* column_pointers;
  const Index* column_rows;
  const double* column_values;
  const double* w;
  Index count;
  double* values;
  KOKKOS_FUNCTION void operator()(Index entry) const {
    auto i = static_cast<Index>((Kokkos::sqrt(8.0 * entry + 1.0) - 1.0) / 2.0);
    while (GlobalIndex{i + 1} * (i + 2) / 2 <= entry) ++i;
    while (GlobalIndex{i} * (i + 1) / 2 > entry) --i;
    const auto j = static_cast<Index>(entry - GlobalIndex{i} * (i + 1) / 2);
    GlobalIndex a = column_pointers[i], b = column_pointers[j];
    double sum = 0.0;
    while (a < column_pointers[i + 1] && b < column_pointers[j + 1]) {
      const Index row_a = column_rows[a], row_b = column_rows[b];
      if (row_a >= count || row_b >= count) break;
      if (row_a == row_b) sum += w[row_a] * column_values[a] * column_values[b];
      a += row_a <= row_b ? 1 : 0;
      b += row_b <= row_a ? 1 : 0;
    }
    values[entry] = sum;
  }
};

}  // namespace

void hessian_pass(const SampleData& data, Index count, const ConstVectorView& w,
                  const VectorView& values, bool by_columns) {
  const Index n = data.rows.num_columns;
  if constexpr (runs_on_host<ExecSpace>) {
    if (!by_columns) {
      // A scattered product costs about as much as eight in a dense tile.
      const double dense = static_cast<double>(data.rows.num_rows) * n * n;
      const bool is_dense = 8.0 * data.squared_row_lengths > dense;
      const double size = static_cast<double>(padded(n)) * padded(n);
      const auto num_shares = static_cast<Index>(
          std::clamp(std::min(8e6 / size, count / (8.0 * panel_rows)), 1.0, 16.0));
      std::vector<double> parts(static_cast<std::size_t>(num_shares) * at(padded(n), 0, padded(n)));
      Kokkos::parallel_for("logistic::hessian", Policy(0, num_shares, Kokkos::ChunkSize(1)),
                           HostHessian{data.rows.row_pointers.data(), data.rows.columns.data(),
                                       data.rows.values.data(), w.data(), count, num_shares, n,
                                       is_dense, parts.data()});
      Kokkos::parallel_for("logistic::add_shares", Policy(0, n),
                           AddShares{n, num_shares, parts.data(), values.data()});
      Kokkos::fence("logistic::hessian");
      return;
    }
  }
  Kokkos::parallel_for("logistic::hessian", Policy(0, static_cast<Index>(values.extent(0))),
                       ColumnPair{data.column_pointers.data(), data.column_rows.data(),
                                  data.column_values.data(), w.data(), count, values.data()});
  Kokkos::fence("logistic::hessian");
}

}  // namespace logistic
