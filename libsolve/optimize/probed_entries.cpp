#include <algorithm>
#include <libsolve/optimize/probed_entries.hpp>

namespace libsolve {

namespace {

std::size_t at_index(Index i) {
  return static_cast<std::size_t>(i);
}

using HostView = Kokkos::View<double*, Kokkos::HostSpace>;

/// A product with a vector of the host.
class Multiply {
 public:
  Multiply(Index rows, Index columns)
      : v_("optimize::probe", at_index(columns)),
        out_("optimize::probed", at_index(rows)),
        v_host_(Kokkos::create_mirror_view(v_)),
        out_host_(Kokkos::create_mirror_view(out_)) {}
  HostView in() const { return v_host_; }
  HostView out(const ProbedEntries::Product& product) const {
    Kokkos::deep_copy(v_, v_host_);
    product(v_, out_);
    Kokkos::deep_copy(out_host_, out_);
    return out_host_;
  }

 private:
  VectorView v_, out_;
  HostView v_host_, out_host_;
};

}  // namespace

ProbedEntries::ProbedEntries(Index num_rows, Index num_columns,
                             const std::vector<Product>& products)
    : num_rows_(num_rows), num_columns_(num_columns), rows_of_column_(at_index(num_columns)) {
  const Multiply multiply(num_rows, num_columns);
  std::vector<std::vector<Index>> columns_of_row(at_index(num_rows));
  std::vector<bool> has_entry(at_index(num_rows));
  for (Index j = 0; j < num_columns; ++j) {
    has_entry.assign(at_index(num_rows), false);
    multiply.in()(at_index(j)) = 1.0;
    for (const Product& product : products) {
      const HostView column = multiply.out(product);
      for (Index i = 0; i < num_rows; ++i)
        if (column(at_index(i)) != 0.0) has_entry[at_index(i)] = true;
    }
    multiply.in()(at_index(j)) = 0.0;
    for (Index i = 0; i < num_rows; ++i) {
      if (!has_entry[at_index(i)]) continue;
      rows_of_column_[at_index(j)].push_back(i);
      columns_of_row[at_index(i)].push_back(j);
    }
  }
  colour_columns(columns_of_row);
}

void ProbedEntries::colour_columns(const std::vector<std::vector<Index>>& columns_of_row) {
  colour_.assign(at_index(num_columns_), -1);
  std::vector<Index> taken_by;  // of each colour, the last column that may not have it
  for (Index j = 0; j < num_columns_; ++j) {
    for (const Index i : rows_of_column_[at_index(j)])
      for (const Index other : columns_of_row[at_index(i)])
        if (other < j) taken_by[at_index(colour_[at_index(other)])] = j;
    const auto free = std::find_if(taken_by.begin(), taken_by.end(),
                                   [j](Index column) { return column != j; });
    colour_[at_index(j)] = static_cast<Index>(free - taken_by.begin());
    if (free == taken_by.end()) taken_by.push_back(-1);
  }
  num_colours_ = static_cast<Index>(taken_by.size());
}

SparsePattern ProbedEntries::pattern(bool lower_triangle) const {
  SparsePattern p;
  for (Index j = 0; j < num_columns_; ++j)
    for (const Index i : rows_of_column_[at_index(j)]) {
      if (lower_triangle && i < j) continue;
      p.rows.push_back(i);
      p.columns.push_back(j);
    }
  return p;
}

void ProbedEntries::values(const Product& product, bool lower_triangle,
                           const VectorView& values) const {
  const Multiply multiply(num_rows_, num_columns_);
  std::vector<std::size_t> begin = {0};  // of each column's entries
  for (Index j = 0; j < num_columns_; ++j) {
    const auto& rows = rows_of_column_[at_index(j)];
    begin.push_back(begin.back() +
                    static_cast<std::size_t>(std::count_if(rows.begin(), rows.end(), [&](Index i) {
                      return !lower_triangle || i >= j;
                    })));
  }
  const auto host = Kokkos::create_mirror_view(values);
  for (Index c = 0; c < num_colours_; ++c) {
    for (Index j = 0; j < num_columns_; ++j)
      multiply.in()(at_index(j)) = colour_[at_index(j)] == c ? 1.0 : 0.0;
    const HostView sums = multiply.out(product);
    for (Index j = 0; j < num_columns_; ++j) {
      if (colour_[at_index(j)] != c) continue;
      std::size_t at = begin[at_index(j)];
      for (const Index i : rows_of_column_[at_index(j)])
        if (!lower_triangle || i >= j) host(at++) = sums(at_index(i));
    }
  }
  Kokkos::deep_copy(values, host);
}

}  // namespace libsolve
