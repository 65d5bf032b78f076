#include <algorithm>
#include <array>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/linear/detail/ghost_columns.hpp>
#include <limits>
#include <string>

namespace libsolve::detail {

/// One row with entries in other ranks' columns.
struct AddGhostRow {
  const Index* row;
  const Index* first;
  const Index* column;
  const double* value;
  const double* ghost;
  const double* x;
  double* y;
  KOKKOS_FUNCTION void operator()(Index r, double& sum) const {
    double change = 0.0;
    for (Index e = first[r]; e < first[r + 1]; ++e) change += value[e] * ghost[column[e]];
    y[row[r]] += change;
    if (x != nullptr) sum += x[row[r]] * change;
  }
};

namespace {

template <class T>
Kokkos::View<const T*, MemSpace> on_device(const std::vector<T>& values) {
  const Kokkos::View<T*, MemSpace> view(
      Kokkos::view_alloc("csr_matrix::ghosts", Kokkos::WithoutInitializing), values.size());
  const auto host = Kokkos::create_mirror_view(view);
  std::copy(values.begin(), values.end(), host.data());
  Kokkos::deep_copy(view, host);
  return view;
}

template <class T>
std::vector<T> on_host(const Kokkos::View<T*, MemSpace>& view) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), view);
  return {host.data(), host.data() + host.extent(0)};
}

}  // namespace

SplitRows split_columns(const Partition& rows, const Partition& columns,
                        const CsrMatrix::RowPointers& row_pointers,
                        const CsrMatrix::GlobalColumns& global_columns,
                        const ConstVectorView& values) {
  const Kokkos::HostSpace host;
  const auto first = Kokkos::create_mirror_view_and_copy(host, row_pointers);
  const auto column = Kokkos::create_mirror_view_and_copy(host, global_columns);
  const auto value = Kokkos::create_mirror_view_and_copy(host, values);
  const Index num_rows = rows.local_size();
  const std::string what = "rows " + std::to_string(rows.first_row()) + " to " +
                           std::to_string(rows.first_row() + num_rows) +
                           " of a matrix in compressed rows: ";
  if (first.extent(0) != static_cast<size_t>(num_rows) + 1)
    throw ShapeError(what + std::to_string(first.extent(0)) + " row pointers for " +
                     std::to_string(num_rows) + " rows; there must be one more than rows");
  const auto num_entries = static_cast<GlobalIndex>(value.extent(0));
  if (column.extent(0) != value.extent(0) || first(0) != 0 || first(num_rows) != num_entries)
    throw ShapeError(what + "row pointers from " + std::to_string(first(0)) + " to " +
                     std::to_string(first(num_rows)) + " for " +
                     std::to_string(column.extent(0)) + " columns and " +
                     std::to_string(num_entries) + " values");

  SplitRows split;
  split.first = {0};
  const GlobalIndex own_begin = columns.first_row();
  const GlobalIndex own_end = own_begin + columns.local_size();
  const Kokkos::View<GlobalIndex*, Kokkos::HostSpace> own_first("csr::row_pointers",
                                                                static_cast<size_t>(num_rows) + 1);
  std::vector<Index> own_columns;
  std::vector<double> own_values;
  own_columns.reserve(static_cast<size_t>(num_entries));
  own_values.reserve(static_cast<size_t>(num_entries));
  std::vector<std::pair<GlobalIndex, double>> elsewhere;
  for (Index i = 0; i < num_rows; ++i) {
    const std::string row = "row " + std::to_string(rows.first_row() + i);
    if (first(i + 1) < first(i) || first(i + 1) > num_entries)
      throw ShapeError(what + row + " runs from entry " + std::to_string(first(i)) + " to " +
                       std::to_string(first(i + 1)) + "; row pointers must not decrease");
    elsewhere.clear();
    for (GlobalIndex e = first(i); e < first(i + 1); ++e) {
      if (column(e) < 0 || column(e) >= columns.global_size())
        throw DataError(what + row + " has a column outside [0, " +
                        std::to_string(columns.global_size()) + ")");
      if (!std::isfinite(value(e)))
        throw DataError(what + row + " has a value that is not finite");
      if (column(e) >= own_begin && column(e) < own_end) {
        own_columns.push_back(static_cast<Index>(column(e) - own_begin));
        own_values.push_back(value(e));
      } else {
        elsewhere.emplace_back(column(e), value(e));
      }
    }
    own_first(i + 1) = static_cast<GlobalIndex>(own_columns.size());
    if (elsewhere.empty()) continue;
    std::stable_sort(elsewhere.begin(), elsewhere.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    const size_t begin = split.columns.size();
    for (const auto& [j, a] : elsewhere) {
      if (split.columns.size() > begin && split.columns.back() == j) {
        split.values.back() += a;
        continue;
      }
      split.columns.push_back(j);
      split.values.push_back(a);
    }
    split.rows.push_back(i);
    split.first.push_back(static_cast<Index>(split.columns.size()));
  }
  const Kokkos::View<Index*, Kokkos::HostSpace> c("csr::columns", own_columns.size());
  const Kokkos::View<double*, Kokkos::HostSpace> v("csr::values", own_values.size());
  std::copy(own_columns.begin(), own_columns.end(), c.data());
  std::copy(own_values.begin(), own_values.end(), v.data());
  split.own = {num_rows, columns.local_size(), own_first, c, v};
  return split;
}

GhostColumns::GhostColumns(const Partition& columns, const SplitRows& split) : split_(split) {
  split_.own = {};
  std::vector<GlobalIndex> wanted = split_.columns;
  std::sort(wanted.begin(), wanted.end());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  halo_ = Halo(columns, wanted);
  ghosts_ = VectorView("csr_matrix::ghosts", wanted.size());
  std::vector<Index> places;
  places.reserve(split_.columns.size());
  for (const GlobalIndex j : split_.columns)
    places.push_back(static_cast<Index>(std::lower_bound(wanted.begin(), wanted.end(), j) -
                                        wanted.begin()));
  rows_ = on_device(split_.rows);
  first_ = on_device(split_.first);
  columns_ = on_device(places);
  values_ = on_device(split_.values);
}

void GhostColumns::begin(const Vector& x) const { halo_.begin<double>(x.view(), ghosts_); }

double GhostColumns::finish(const double* x, double* y) const {
  halo_.end<double>(ghosts_);
  return reduce_rows<Sums<1>>(default_space(), "csr_matrix::ghosts",
                              static_cast<Index>(rows_.extent(0)),
                              AddGhostRow{rows_.data(), first_.data(), columns_.data(),
                                          values_.data(), ghosts_.data(), x, y})
      .value[0];
}

void GhostColumns::add_adjoint(const Vector& x, const Vector& y) const {
  // By rows on the host: several of them add to one ghost.
  const auto from = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), x.view());
  const auto columns = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), columns_);
  const auto sums = Kokkos::create_mirror_view(ghosts_);
  Kokkos::deep_copy(sums, 0.0);
  for (size_t r = 0; r < split_.rows.size(); ++r)
    for (Index e = split_.first[r]; e < split_.first[r + 1]; ++e)
      sums(columns(e)) += split_.values[static_cast<size_t>(e)] * from(split_.rows[r]);
  Kokkos::deep_copy(ghosts_, sums);
  halo_.add(ghosts_, y.view());
}

double GhostColumns::memory_bytes() const {
  return 2.0 * static_cast<double>(split_.values.size()) * (sizeof(double) + sizeof(GlobalIndex)) +
         static_cast<double>(ghosts_.extent(0)) * sizeof(double) + halo_.memory_bytes();
}

double asymmetry(const Partition& rows, const CsrArrays& own, const GhostColumns& ghosts) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const Communicator& comm = rows.communicator();
  const SplitRows& split = ghosts.split();
  if (comm.any(own.num_rows != own.num_columns)) return infinity;
  LargestDifference worst = largest_difference(own);

  // Where each of this rank's rows keeps its entries elsewhere, among those of all ranks.
  using Numbers = Kokkos::View<std::int64_t*, MemSpace>;
  const auto num_entries = static_cast<GlobalIndex>(split.columns.size());
  const Partition entries(comm, num_entries);
  std::vector<std::int64_t> begin(static_cast<size_t>(own.num_rows), 0);
  std::vector<std::int64_t> end = begin;
  for (size_t r = 0; r < split.rows.size(); ++r) {
    begin[static_cast<size_t>(split.rows[r])] = entries.first_row() + split.first[r];
    end[static_cast<size_t>(split.rows[r])] = entries.first_row() + split.first[r + 1];
  }
  // The rows that have this rank's partners, then all their entries.
  std::vector<GlobalIndex> partners = split.columns;
  std::sort(partners.begin(), partners.end());
  partners.erase(std::unique(partners.begin(), partners.end()), partners.end());
  const Halo of_rows(rows, partners);
  const Numbers first("csr::first", partners.size());
  const Numbers last("csr::last", partners.size());
  of_rows.fetch<std::int64_t>(on_device(begin), first);
  of_rows.fetch<std::int64_t>(on_device(end), last);
  const std::vector<std::int64_t> partner_begin = on_host<std::int64_t>(first);
  const std::vector<std::int64_t> partner_end = on_host<std::int64_t>(last);
  std::vector<GlobalIndex> wanted;
  std::vector<size_t> place = {0};
  for (size_t p = 0; p < partners.size(); ++p) {
    for (GlobalIndex e = partner_begin[p]; e < partner_end[p]; ++e) wanted.push_back(e);
    place.push_back(wanted.size());
  }
  const Halo of_entries(entries, wanted);
  const Numbers their_columns("csr::columns", wanted.size());
  const VectorView their_values("csr::values", wanted.size());
  of_entries.fetch<std::int64_t>(on_device(split.columns), their_columns);
  of_entries.fetch<double>(on_device(split.values), their_values);
  const std::vector<std::int64_t> column = on_host<std::int64_t>(their_columns);
  const std::vector<double> value = on_host<double>(their_values);

  for (size_t r = 0; r < split.rows.size(); ++r) {
    const GlobalIndex i = rows.first_row() + split.rows[r];
    for (Index e = split.first[r]; e < split.first[r + 1]; ++e) {
      const double a = split.values[static_cast<size_t>(e)];
      worst.entry = std::max(worst.entry, std::abs(a));
      const auto p = static_cast<size_t>(
          std::lower_bound(partners.begin(), partners.end(),
                           split.columns[static_cast<size_t>(e)]) -
          partners.begin());
      const auto from = column.begin() + static_cast<std::ptrdiff_t>(place[p]);
      const auto to = column.begin() + static_cast<std::ptrdiff_t>(place[p + 1]);
      const auto found = std::lower_bound(from, to, i);
      if (found != to && *found == i)
        worst.difference = std::max(
            worst.difference, std::abs(a - value[static_cast<size_t>(found - column.begin())]));
      else if (a != 0.0)
        worst.difference = infinity;
    }
  }
  std::array<double, 2> all = {worst.difference, worst.entry};
  comm.max(all);
  return LargestDifference{all[0], all[1]}.relative();
}

}  // namespace libsolve::detail
