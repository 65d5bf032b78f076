#include "observation.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/row_kernels.hpp>

namespace log_conductivity {

namespace {

struct Residual {
  const Index *first, *column;
  const double *value, *y, *d;
  double w;
  Index num_data, num_cells;
  double* r;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const Index s = i / num_data, k = i - s * num_data;
    double sum = d == nullptr ? 0.0 : -d[i];
    for (Index e = first[k]; e < first[k + 1]; ++e) sum += value[e] * y[s * num_cells + column[e]];
    r[i] = w * sum;
  }
};

struct Transpose {
  const Index *first, *column;
  const double *value, *r;
  Index num_data, num_cells;
  double* out;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const Index s = i / num_cells, c = i - s * num_cells;
    double sum = 0.0;
    for (Index e = first[c]; e < first[c + 1]; ++e) sum += value[e] * r[s * num_data + column[e]];
    out[i] = sum;
  }
};

/// The two cells along an axis that x lies between, and their weights.
struct Between {
  Index cell[2];
  double weight[2];
};
Between between(double x, Index cells) {
  const double at = std::clamp(x * cells - 0.5, 0.0, static_cast<double>(cells - 1));
  const Index low = std::min(static_cast<Index>(std::floor(at)), cells - 2);
  const double t = at - low;
  return {{low, low + 1}, {1.0 - t, t}};
}

}  // namespace

Observation::Observation(const Grid& grid, const std::vector<Point>& points)
    : num_cells_(static_cast<Index>(grid.num_cells())),
      num_data_(points.empty() ? num_cells_ : static_cast<Index>(points.size())) {
  rows_.resize(static_cast<std::size_t>(num_data_));
  if (points.empty())
    for (Index i = 0; i < num_cells_; ++i) rows_[static_cast<std::size_t>(i)] = {{i, 1.0}};
  for (std::size_t k = 0; k < points.size(); ++k) {
    Between axis[3] = {{{0, 0}, {1.0, 0.0}}, {{0, 0}, {1.0, 0.0}}, {{0, 0}, {1.0, 0.0}}};
    for (int a = 0; a < grid.dimension; ++a) axis[a] = between(points[k][a], grid.cells[a]);
    for (int corner = 0; corner < 1 << grid.dimension; ++corner) {
      const int x = corner & 1, y = (corner >> 1) & 1, z = (corner >> 2) & 1;
      const double weight = axis[0].weight[x] * axis[1].weight[y] * axis[2].weight[z];
      if (weight != 0.0)
        rows_[k].push_back({axis[0].cell[x] + grid.cells[0] * (axis[1].cell[y] +
                                                               grid.cells[1] * axis[2].cell[z]),
                            weight});
    }
  }
  Q_ = on_device(rows_);
  std::vector<std::vector<Entry>> columns(static_cast<std::size_t>(num_cells_));
  for (std::size_t k = 0; k < rows_.size(); ++k)
    for (const Entry& e : rows_[k])
      columns[static_cast<std::size_t>(e.column)].push_back({static_cast<Index>(k), e.value});
  Qt_ = on_device(columns);
}

Observation::Sparse Observation::on_device(const std::vector<std::vector<Entry>>& rows) {
  std::vector<Index> first = {0}, column;
  std::vector<double> value;
  for (const auto& row : rows) {
    for (const Entry& e : row) {
      column.push_back(e.column);
      value.push_back(e.value);
    }
    first.push_back(static_cast<Index>(column.size()));
  }
  Sparse s;
  const auto copy = [](const auto& from, const char* label, auto& to) {
    using To = std::decay_t<decltype(to)>;
    to = To(label, from.size());
    Kokkos::deep_copy(to, Kokkos::View<typename To::const_value_type*, Kokkos::HostSpace>(
                              from.data(), from.size()));
  };
  copy(first, "observation::first", s.first);
  copy(column, "observation::column", s.column);
  copy(value, "observation::value", s.value);
  return s;
}

void Observation::residual(int functions, double w, const double* y, const double* d,
                           double* r) const {
  for_rows(default_space(), "observation::residual", num_data_ * functions,
           Residual{Q_.first.data(), Q_.column.data(), Q_.value.data(), y, d, w, num_data_,
                    num_cells_, r});
  Kokkos::fence("observation::residual");
}

void Observation::apply_transpose(int functions, const double* r, double* out) const {
  for_rows(default_space(), "observation::transpose", num_cells_ * functions,
           Transpose{Qt_.first.data(), Qt_.column.data(), Qt_.value.data(), r, num_data_, num_cells_,
                     out});
  Kokkos::fence("observation::transpose");
}

}  // namespace log_conductivity
