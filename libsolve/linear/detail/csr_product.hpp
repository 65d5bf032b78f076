#pragma once

#include <libsolve/core/types.hpp>
#include <libsolve/linear/detail/sliced_rows.hpp>

/// The product of a matrix in compressed rows: kernels, and what is done with each row of A x.
namespace libsolve::detail {

/// y = A x, returns 0.
struct StoreProduct {
  double* y;
  static constexpr bool reduces = false;
  KOKKOS_INLINE_FUNCTION double row(Index i, double ax) const {
    y[i] = ax;
    return 0.0;
  }
  Lanes rows(GlobalIndex first, const Lanes& ax) const {
    ax.store(y + first);
    return {};
  }
};

/// y = A x, returns x^T y.
struct StoreProductAndDot {
  const double* x;
  double* y;
  static constexpr bool reduces = true;
  KOKKOS_INLINE_FUNCTION double row(Index i, double ax) const {
    y[i] = ax;
    return x[i] * ax;
  }
  Lanes rows(GlobalIndex first, const Lanes& ax) const {
    ax.store(y + first);
    Lanes dot;
    dot.add_product(Lanes::load(x + first), ax);
    return dot;
  }
};

/// r = b - A x, returns r^T r.
struct StoreResidual {
  const double* b;
  double* r;
  static constexpr bool reduces = true;
  KOKKOS_INLINE_FUNCTION double row(Index i, double ax) const {
    const double value = b[i] - ax;
    r[i] = value;
    return value * value;
  }
  Lanes rows(GlobalIndex first, const Lanes& ax) const {
    const Lanes value = Lanes::difference(Lanes::load(b + first), ax);
    value.store(r + first);
    Lanes dot;
    dot.add_product(value, value);
    return dot;
  }
};

/// One block of slices (host).
template <class Use>
struct SlicedProduct {
  SlicedRows A;
  const double* x;
  Use use;

  void operator()(Index block, double& sum) const {
    const double* values = A.values.data();
    const Index* rows = A.rows.extent(0) == 0 ? nullptr : A.rows.data();
    Lanes total;
    double tail = 0.0;
    for (Index s = A.block_begin(block); s < A.block_begin(block + 1); ++s) {
      const SlicedRows::Slice slice = A.slices(s);
      const double* v = values + Lanes::count * slice.first_group;
      const double* end = values + Lanes::count * A.slices(s + 1).first_group;
      const Index* index = A.indices.data() + slice.first_index();
      Lanes ax;
      if (slice.is_banded()) {
        for (; v != end; v += Lanes::count, ++index)
          ax.add_product(Lanes::load(v), Lanes::load(x + *index));
      } else {
        for (; v != end; v += Lanes::count, index += Lanes::count)
          ax.add_product(Lanes::load(v), Lanes::gather(x, index));
      }
      const GlobalIndex first = GlobalIndex{s} * Lanes::count;
      if (rows == nullptr && first + Lanes::count <= A.num_rows) {
        const Lanes part = use.rows(first, ax);
        if constexpr (Use::reduces) total.add(part);
      } else {
        double lane[Lanes::count];
        ax.store(lane);
        for (int l = 0; l < Lanes::count && first + l < A.num_rows; ++l)
          tail +=
              use.row(rows == nullptr ? static_cast<Index>(first + l) : rows[first + l], lane[l]);
      }
    }
    if constexpr (Use::reduces) sum += total.sum() + tail;
  }
};

/// One block of compressed rows (host): rows too uneven for slices.
template <class Use>
struct RowProduct {
  CsrArrays A;
  Kokkos::View<Index*, Kokkos::HostSpace> block_begin;
  const double* x;
  Use use;

  void operator()(Index block, double& sum) const {
    const double* values = A.values.data();
    const Index* columns = A.columns.data();
    double total = 0.0;
    for (Index i = block_begin(block); i < block_begin(block + 1); ++i) {
      GlobalIndex k = A.row_pointers(i);
      const GlobalIndex end = A.row_pointers(i + 1);
      double ax = 0.0;
      if (end - k >= 2 * Lanes::count) {
        Lanes lanes;
        for (; k + Lanes::count <= end; k += Lanes::count)
          lanes.add_product(Lanes::load(values + k), Lanes::gather(x, columns + k));
        ax = lanes.sum();
      }
      for (; k < end; ++k) ax += values[k] * x[columns[k]];
      total += use.row(i, ax);
    }
    if constexpr (Use::reduces) sum += total;
  }
};

/// So little work (some 30 000 entries) that the calling thread does it sooner than threads start.
inline constexpr Index few_blocks = 4;

/// Runs one of the two above over its blocks; the sum is the same for a given number of threads.
template <class Exec, class Product>
double run_blocks(const Exec& exec, Index num_blocks, const Product& product) {
  double sum = 0.0;
  if (num_blocks <= few_blocks) {
    for (Index block = 0; block < num_blocks; ++block) product(block, sum);
    return sum;
  }
  Kokkos::parallel_reduce(
      "csr_matrix::product",
      Kokkos::RangePolicy<Exec, Kokkos::IndexType<Index>, Kokkos::Schedule<Kokkos::Static>>(
          exec, 0, num_blocks),
      product, sum);
  return sum;
}

/// Any execution space: a few lanes of a team share a row.
template <class Exec, class Use>
struct TeamRowProduct {
  using Memory = typename Exec::memory_space;
  using Policy = Kokkos::TeamPolicy<Exec, Kokkos::IndexType<Index>>;
  using Member = typename Policy::member_type;
  static constexpr Index rows_per_team = 128;

  Index num_rows;
  Kokkos::View<const GlobalIndex*, Memory> row_pointers;
  Kokkos::View<const Index*, Memory> columns;
  Kokkos::View<const double*, Memory> values;
  const double* x;
  Use use;

  KOKKOS_INLINE_FUNCTION void operator()(const Member& team, double& sum) const {
    const Index first = team.league_rank() * rows_per_team;
    const Index count = num_rows - first < rows_per_team ? num_rows - first : rows_per_team;
    double team_sum = 0.0;
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(team, count),
        [&](const Index local, double& part) {
          const Index i = first + local;
          const GlobalIndex begin = row_pointers(i);
          const Index length = static_cast<Index>(row_pointers(i + 1) - begin);
          double ax = 0.0;
          Kokkos::parallel_reduce(
              Kokkos::ThreadVectorRange(team, length),
              [&](const Index k, double& a) { a += values(begin + k) * x[columns(begin + k)]; },
              ax);
          double contribution = 0.0;
          Kokkos::single(
              Kokkos::PerThread(team), [&](double& c) { c = use.row(i, ax); }, contribution);
          part += contribution;
        },
        team_sum);
    Kokkos::single(Kokkos::PerTeam(team), [&]() { sum += team_sum; });
  }
};

/// Runs TeamRowProduct with about as many lanes a row as a row has entries.
template <class Exec, class Use, class RowPointers, class Columns, class Values>
double run_teams(const Exec& exec, const RowPointers& row_pointers, const Columns& columns,
                 const Values& values, const double* x, const Use& use) {
  using Product = TeamRowProduct<Exec, Use>;
  const Index num_rows = static_cast<Index>(row_pointers.extent(0)) - 1;
  double sum = 0.0;
  if (num_rows <= 0) return sum;
  int lanes = 1;
  const double mean = static_cast<double>(values.extent(0)) / num_rows;
  const int most = runs_on_host<Exec> ? 1 : 32;
  while (lanes < most && 2 * lanes <= mean) lanes *= 2;
  const Index teams = (num_rows + Product::rows_per_team - 1) / Product::rows_per_team;
  const Product product{num_rows, row_pointers, columns, values, x, use};
  Kokkos::parallel_reduce("csr_matrix::product",
                          typename Product::Policy(exec, teams, Kokkos::AUTO, lanes), product, sum);
  return sum;
}

}  // namespace libsolve::detail
