#include "coloured_sweep.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/core/together.hpp>
#include <libsolve/linear/assembled.hpp>
#include <numeric>

namespace relaxation {

/// d_i = (omega r_i - omega sum over earlier colours of a_ij d_j) / a_ii for the row at place k.
struct ColourRow {
  const Index* rows;
  const GlobalIndex* row_pointers;
  const Index* columns;
  const double* values;
  const double* inverse_diagonal;
  const double* r;
  const double* ghosts;
  double* d;
  double omega;
  Index num_rows;
  Index first;
  KOKKOS_FUNCTION void operator()(Index place) const {
    const Index k = first + place;
    double sum = omega * r[rows[k]];
    for (GlobalIndex e = row_pointers[k]; e < row_pointers[k + 1]; ++e) {
      const Index j = columns[e];
      sum -= omega * values[e] * (j < num_rows ? d[j] : ghosts[j - num_rows]);
    }
    d[rows[k]] = sum * inverse_diagonal[k];
  }
};

namespace {

/// One entry beside the diagonal: its column, as ColouredSweep counts them, and in the whole matrix.
struct Entry {
  Index column;
  GlobalIndex global;
  double value;
};

struct LocalRows {
  std::vector<std::vector<Entry>> entries;
  std::vector<double> diagonal;
  std::vector<GlobalIndex> wanted;  ///< columns of other ranks, ascending
};

LocalRows local_rows(const CsrMatrix& A) {
  const HostCsr own = host_csr(A);
  const CsrMatrix::OffRankEntries others = A.off_rank_entries();
  const GlobalIndex first = A.column_partition().first_row();
  LocalRows out;
  out.entries.resize(static_cast<size_t>(own.num_rows));
  out.diagonal.assign(static_cast<size_t>(own.num_rows), 0.0);
  for (Index i = 0; i < own.num_rows; ++i)
    for (GlobalIndex e = own.begin(i); e < own.end(i); ++e) {
      if (own.columns(e) == i)
        out.diagonal[i] = own.values(e);
      else
        out.entries[i].push_back({own.columns(e), first + own.columns(e), own.values(e)});
    }
  out.wanted.assign(others.columns.begin(), others.columns.end());
  std::sort(out.wanted.begin(), out.wanted.end());
  out.wanted.erase(std::unique(out.wanted.begin(), out.wanted.end()), out.wanted.end());
  for (size_t k = 0; k < others.rows.size(); ++k)
    for (Index e = others.first[k]; e < others.first[k + 1]; ++e) {
      const auto place = std::lower_bound(out.wanted.begin(), out.wanted.end(), others.columns[e]);
      out.entries[others.rows[k]].push_back(
          {own.num_rows + static_cast<Index>(place - out.wanted.begin()), others.columns[e],
           others.values[e]});
    }
  return out;
}

template <class T>
Kokkos::View<T*, MemSpace> to_view(const std::string& label, const std::vector<T>& v) {
  Kokkos::View<T*, MemSpace> view(Kokkos::view_alloc(label, Kokkos::WithoutInitializing), v.size());
  Kokkos::deep_copy(view, Kokkos::View<const T*, Kokkos::HostSpace>(v.data(), v.size()));
  return view;
}

/// Colours of own rows and, behind them, of the halo's. A row takes the smallest colour that no
/// neighbour with a smaller number has, once all of these have theirs; those on other ranks tell theirs in
/// rounds, at most as many as there are ranks.
std::vector<std::int64_t> greedy_colours(const LocalRows& rows, const Halo& halo,
                                         const Partition& partition) {
  constexpr std::int64_t none = -1;
  const size_t n = rows.entries.size();
  std::vector<std::int64_t> colour(n + rows.wanted.size(), none);
  std::vector<size_t> left(n);
  std::iota(left.begin(), left.end(), size_t{0});
  const Kokkos::View<std::int64_t*, MemSpace> own("relaxation::own_colours", n);
  const Kokkos::View<std::int64_t*, MemSpace> others("relaxation::other_colours",
                                                     rows.wanted.size());
  for (;;) {
    std::vector<size_t> waiting;
    std::vector<std::int64_t> taken;
    for (const size_t i : left) {
      const GlobalIndex number = partition.first_row() + static_cast<GlobalIndex>(i);
      taken.clear();
      for (const Entry& e : rows.entries[i])
        if (e.global < number) taken.push_back(colour[e.column]);
      std::sort(taken.begin(), taken.end());
      if (!taken.empty() && taken.front() == none) {
        waiting.push_back(i);
        continue;
      }
      std::int64_t free = 0;
      for (const std::int64_t c : taken)
        if (c == free) ++free;
      colour[i] = free;
    }
    left = std::move(waiting);
    const Kokkos::View<const std::int64_t*, Kokkos::HostSpace> told(colour.data(), n);
    Kokkos::deep_copy(own, told);
    halo.fetch<std::int64_t>(own, others);
    Kokkos::fence();
    const Kokkos::View<std::int64_t*, Kokkos::HostSpace> heard(colour.data() + n,
                                                               rows.wanted.size());
    Kokkos::deep_copy(heard, others);
    if (partition.communicator().sum(static_cast<double>(left.size())) == 0.0) return colour;
  }
}

void refuse_zero_diagonal(const LocalRows& rows, const Partition& partition,
                          const std::string& asker) {
  for (size_t i = 0; i < rows.diagonal.size(); ++i) {
    const double d = rows.diagonal[i];
    if (d != 0.0 && std::isfinite(1.0 / d)) continue;
    throw NumericalError(asker + ": the diagonal in row " +
                         std::to_string(partition.first_row() + static_cast<GlobalIndex>(i)) +
                         " is zero; order the rows so that none is, or use gmres");
  }
}

}  // namespace

ColouredSweep::ColouredSweep(const CsrMatrix& A, const std::string& asker) {
  if (!std::isfinite(A.asymmetry()))
    throw Unsupported(asker + " over several ranks needs a matrix with a symmetric pattern, and " +
                      A.description() + " has none; use gmres, or one rank");
  const Partition& partition = A.row_partition();
  const Communicator& comm = partition.communicator();
  const LocalRows local = local_rows(A);
  together(comm, [&] { refuse_zero_diagonal(local, partition, asker); });
  halo_ = Halo(A.column_partition(), local.wanted);
  ghosts_ = VectorView("relaxation::ghosts", local.wanted.size());
  const std::vector<std::int64_t> colour = greedy_colours(local, halo_, partition);

  const auto n = static_cast<Index>(local.entries.size());
  const double own_colours =
      n == 0 ? 0.0 : 1.0 + static_cast<double>(*std::max_element(colour.begin(), colour.begin() + n));
  const auto num_colours = static_cast<size_t>(comm.max(own_colours));
  std::vector<Index> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](Index a, Index b) { return colour[a] < colour[b]; });
  first_.assign(num_colours + 1, 0);
  for (Index i = 0; i < n; ++i) ++first_[static_cast<size_t>(colour[i]) + 1];
  std::partial_sum(first_.begin(), first_.end(), first_.begin());

  std::vector<GlobalIndex> row_pointers = {0};
  std::vector<Index> columns;
  std::vector<double> values, inverse;
  for (const Index i : order) {
    std::vector<Entry> earlier;
    for (const Entry& e : local.entries[i])
      if (colour[e.column] < colour[i]) earlier.push_back(e);
    std::sort(earlier.begin(), earlier.end(), [&](const Entry& a, const Entry& b) {
      return colour[a.column] != colour[b.column] ? colour[a.column] < colour[b.column]
                                                  : a.global < b.global;
    });
    for (const Entry& e : earlier) {
      columns.push_back(e.column);
      values.push_back(e.value);
    }
    row_pointers.push_back(static_cast<GlobalIndex>(columns.size()));
    inverse.push_back(1.0 / local.diagonal[i]);
  }
  rows_ = to_view("relaxation::rows", order);
  row_pointers_ = to_view("relaxation::row_pointers", row_pointers);
  columns_ = to_view("relaxation::columns", columns);
  values_ = to_view("relaxation::values", values);
  inverse_diagonal_ = to_view("relaxation::inverse_diagonal", inverse);
}

void ColouredSweep::solve(const Vector& r, const Vector& d, double omega) const {
  for (size_t c = 0; c + 1 < first_.size(); ++c) {
    if (c > 0) halo_.fetch<double>(d.view(), ghosts_);
    const ColourRow row{rows_.data(),   row_pointers_.data(),     columns_.data(),
                        values_.data(), inverse_diagonal_.data(), r.data(),
                        ghosts_.data(), d.data(),                 omega,
                        d.local_size(), first_[c]};
    for_rows(ExecSpace(), "relaxation::colour", first_[c + 1] - first_[c], row);
  }
}

double ColouredSweep::memory_bytes() const {
  return 12.0 * static_cast<double>(values_.extent(0)) +
         20.0 * static_cast<double>(rows_.extent(0)) +
         8.0 * static_cast<double>(ghosts_.extent(0)) + halo_.memory_bytes();
}

}  // namespace relaxation
