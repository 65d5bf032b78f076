#include "passes.hpp"

#include <algorithm>
#include <libsolve/core/large_array.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <vector>

#include "logistic_loss.hpp"

namespace logistic {

namespace {

using Policy = Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<Index>>;

constexpr Index rows_at_once = 256;

/// Raw pointers of the rows.
struct RowsOf {
  const GlobalIndex* row_pointers;
  const Index* columns;
  const double* values;
  explicit RowsOf(const SampleData& d)
      : row_pointers(d.rows.row_pointers.data()),
        columns(d.rows.columns.data()),
        values(d.rows.values.data()) {}
  KOKKOS_INLINE_FUNCTION double dot(Index i, const double* x) const {
    double sum = 0.0;
    for (GlobalIndex k = row_pointers[i]; k < row_pointers[i + 1]; ++k)
      sum += values[k] * x[columns[k]];
    return sum;
  }
  KOKKOS_INLINE_FUNCTION void add(Index i, double factor, double* g) const {
    for (GlobalIndex k = row_pointers[i]; k < row_pointers[i + 1]; ++k)
      g[columns[k]] += factor * values[k];
  }
};

/// Shares of the rows for the host: by the sizes alone.
struct Shares {
  Index count;
  Index num;
  Shares(Index rows, Index columns)
      : count(rows),
        num(std::clamp(
            std::min<Index>(4'000'000 / std::max<Index>(columns, 1), rows / (2 * rows_at_once)), 1,
            32)) {}
  Index first(Index share) const { return static_cast<Index>(GlobalIndex{count} * share / num); }
};

// ---- host: one pass over the rows ---------------------------------------------------------------

/// Share s of the loss: its sum, its gradient, and the weights of its rows.
struct HostLoss {
  RowsOf rows;
  Shares shares;
  Index n;
  const double* x;
  double* w;
  double* gradients;  // a row of n for each share
  double* sums;
  [[maybe_unused]] void operator()(Index share) const {
    double* const g = gradients + static_cast<std::size_t>(share) * static_cast<std::size_t>(n);
    std::fill(g, g + n, 0.0);
    const double scale = 1.0 / static_cast<double>(shares.count);
    double margin[rows_at_once], slope[rows_at_once];
    double sum = 0.0;
    const Index end = shares.first(share + 1);
    for (Index at = shares.first(share); at < end; at += rows_at_once) {
      const Index length = std::min(rows_at_once, end - at);
      for (Index i = 0; i < length; ++i) margin[i] = rows.dot(at + i, x);
      double* const weight = w + at;
#pragma omp simd reduction(+ : sum)
      for (Index i = 0; i < length; ++i) {
        const Loss loss = loss_at(margin[i]);
        sum += loss.value;
        slope[i] = scale * loss.slope;
        weight[i] = scale * loss.curvature;
      }
      for (Index i = 0; i < length; ++i) rows.add(at + i, slope[i], g);
    }
    sums[share] = sum;
  }
};

struct HostProduct {
  RowsOf rows;
  Shares shares;
  Index n;
  const double* w;
  const double* v;
  double* products;
  [[maybe_unused]] void operator()(Index share) const {
    double* const y = products + static_cast<std::size_t>(share) * static_cast<std::size_t>(n);
    std::fill(y, y + n, 0.0);
    for (Index i = shares.first(share); i < shares.first(share + 1); ++i)
      rows.add(i, w[i] * rows.dot(i, v), y);
  }
};

void add_up(const std::vector<double>& parts, Index num, const VectorView& out) {
  const std::size_t n = out.extent(0);
  for (std::size_t j = 0; j < n; ++j) out(j) = parts[j];
  for (std::size_t s = 1; s < static_cast<std::size_t>(num); ++s)
    for (std::size_t j = 0; j < n; ++j) out(j) += parts[s * n + j];
}

// ---- elsewhere: rows, then columns --------------------------------------------------------------

struct RowLoss {
  RowsOf rows;
  double scale;
  const double* x;
  double* w;
  double* slope;
  KOKKOS_FUNCTION void operator()(Index i, double& sum) const {
    const Loss loss = loss_at(rows.dot(i, x));
    sum += loss.value;
    slope[i] = scale * loss.slope;
    w[i] = scale * loss.curvature;
  }
};

struct RowProduct {
  RowsOf rows;
  const double* w;
  const double* v;
  double* out;
  KOKKOS_FUNCTION void operator()(Index i) const { out[i] = w[i] * rows.dot(i, v); }
};

using Team = Kokkos::TeamPolicy<ExecSpace>;

/// y_j = sum over i < count of z_ij t_i: a team a column.
struct ColumnSums {
  const GlobalIndex* column_pointers;
  const Index* column_rows;
  const double* column_values;
  Index count;
  const double* t;
  double* y;
  KOKKOS_FUNCTION void operator()(const Team::member_type& team) const {
    const auto j = static_cast<Index>(team.league_rank());
    double total = 0.0;
    const GlobalIndex begin = column_pointers[j];
    Kokkos::parallel_reduce(Kokkos::TeamThreadRange(team, column_pointers[j + 1] - begin),
                            Column{*this, begin}, total);
    Kokkos::single(Kokkos::PerTeam(team), Store{y + j, total});
  }
  struct Column {
    const ColumnSums& of;
    GlobalIndex begin;
    KOKKOS_FUNCTION void operator()(GlobalIndex k, double& sum) const {
      const Index row = of.column_rows[begin + k];
      if (row < of.count) sum += of.column_values[begin + k] * of.t[row];
    }
  };
  struct Store {
    double* to;
    double value;
    KOKKOS_FUNCTION void operator()() const { *to = value; }
  };
};

void sum_columns(const SampleData& data, Index count, const double* t, const VectorView& y) {
  Kokkos::parallel_for("logistic::column_sums",
                       Team(static_cast<int>(data.rows.num_columns), Kokkos::AUTO),
                       ColumnSums{data.column_pointers.data(), data.column_rows.data(),
                                  data.column_values.data(), count, t, y.data()});
  Kokkos::fence("logistic::column_sums");
}

}  // namespace

double loss_pass(const SampleData& data, Index count, const ConstVectorView& x, const VectorView& g,
                 const VectorView& w, bool by_columns) {
  const double scale = 1.0 / static_cast<double>(count);
  if constexpr (runs_on_host<ExecSpace>) {
    if (!by_columns) {
      const Shares shares(count, data.rows.num_columns);
      const auto num = static_cast<std::size_t>(shares.num);
      std::vector<double> gradients(num * g.extent(0)), sums(num);
      Kokkos::parallel_for("logistic::loss", Policy(0, shares.num, Kokkos::ChunkSize(1)),
                           HostLoss{RowsOf(data), shares, data.rows.num_columns, x.data(), w.data(),
                                    gradients.data(), sums.data()});
      Kokkos::fence("logistic::loss");
      add_up(gradients, shares.num, g);
      double sum = 0.0;
      for (const double s : sums) sum += s;
      return scale * sum;
    }
  }
  const VectorView slope = bare_array<double>("logistic::slope", static_cast<std::size_t>(count));
  double sum = 0.0;
  Kokkos::parallel_reduce("logistic::loss", Policy(0, count),
                          RowLoss{RowsOf(data), scale, x.data(), w.data(), slope.data()}, sum);
  sum_columns(data, count, slope.data(), g);
  return scale * sum;
}

void product_pass(const SampleData& data, Index count, const ConstVectorView& w,
                  const ConstVectorView& v, const VectorView& y, const VectorView& work,
                  bool by_columns) {
  if constexpr (runs_on_host<ExecSpace>) {
    if (!by_columns) {
      const Shares shares(count, data.rows.num_columns);
      std::vector<double> products(static_cast<std::size_t>(shares.num) * y.extent(0));
      Kokkos::parallel_for("logistic::product", Policy(0, shares.num, Kokkos::ChunkSize(1)),
                           HostProduct{RowsOf(data), shares, data.rows.num_columns, w.data(),
                                       v.data(), products.data()});
      Kokkos::fence("logistic::product");
      add_up(products, shares.num, y);
      return;
    }
  }
  Kokkos::parallel_for("logistic::product", Policy(0, count),
                       RowProduct{RowsOf(data), w.data(), v.data(), work.data()});
  sum_columns(data, count, work.data(), y);
}

}  // namespace logistic
