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
  Index num_data, padded;
  double* r;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const Index s = i / num_data, k = i - s * num_data;
    double sum = d == nullptr ? 0.0 : -d[i];
    for (Index e = first[k]; e < first[k + 1]; ++e) sum += value[e] * y[s * padded + column[e]];
    r[i] = w * sum;
  }
};

struct Squares {
  const double *r, *is_counted;
  Index num_data;
  KOKKOS_FUNCTION void operator()(Index i, double& sum) const {
    sum += is_counted[i % num_data] * r[i] * r[i];
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

Observation::Observation(const GridPartition& parts, const std::vector<Point>& points)
    : layers_(parts) {
  const Grid& grid = parts.grid();
  if (points.empty()) add_all_cells(grid);
  for (std::size_t k = 0; k < points.size(); ++k)
    add_point(grid, points[k], static_cast<GlobalIndex>(k));
  num_data_ = static_cast<Index>(rows_.size());
  Q_ = on_device(rows_);
  // Q^T: rows of the rank's cells.
  std::vector<std::vector<Entry>> columns(static_cast<std::size_t>(layers_.num_padded()));
  for (std::size_t k = 0; k < rows_.size(); ++k)
    for (const Entry& e : rows_[k])
      columns[static_cast<std::size_t>(e.column)].push_back({static_cast<Index>(k), e.value});
  std::vector<std::vector<Entry>> own;
  for (Index c = 0; c < num_cells(); ++c)
    own.push_back(std::move(columns[static_cast<std::size_t>(layers_.neighbours().place(c))]));
  Qt_ = on_device(own);
  is_counted_ = Kokkos::View<double*, MemSpace>("observation::is_counted", counted_.size());
  Kokkos::deep_copy(is_counted_, Kokkos::View<const double*, Kokkos::HostSpace>(counted_.data(),
                                                                                counted_.size()));
}

void Observation::add_all_cells(const Grid& grid) {
  const Box& own = layers_.own();
  for (Index c = 0; c < num_cells(); ++c) {
    const Index line = c / own.cells(0), k = line / own.cells(1);
    const GlobalIndex x = own.begin[0] + c - line * own.cells(0);
    const GlobalIndex y = own.begin[1] + line - k * own.cells(1), z = own.begin[2] + k;
    rows_.push_back({{layers_.neighbours().place(c), 1.0}});
    numbers_.push_back(x + grid.cells[0] * (y + grid.cells[1] * z));
    counted_.push_back(1.0);
  }
}

void Observation::add_point(const Grid& grid, const Point& point, GlobalIndex number) {
  const Box &own = layers_.own(), &padded = layers_.padded_box();
  Between axis[3] = {{{0, 0}, {1.0, 0.0}}, {{0, 0}, {1.0, 0.0}}, {{0, 0}, {1.0, 0.0}}};
  for (int a = 0; a < grid.dimension; ++a)
    axis[a] = between(point[static_cast<std::size_t>(a)], grid.cells[a]);
  std::vector<Entry> row;
  bool is_here = false, is_first_here = true;
  for (int corner = 0; corner < 1 << grid.dimension; ++corner) {
    double weight = 1.0;
    Index place = 0, stride = 1;
    bool is_own = true;
    for (int a = 0; a < 3; ++a) {
      const int side = (corner >> a) & 1;
      const Index cell = axis[a].cell[side];
      weight *= axis[a].weight[side];
      is_own = is_own && cell >= own.begin[a] && cell < own.end[a];
      place += (cell - padded.begin[a]) * stride;
      stride *= padded.cells(a);
    }
    if (corner == 0) is_first_here = is_own;
    is_here = is_here || is_own;
    if (weight != 0.0) row.push_back({place, weight});
  }
  if (!is_here) return;
  rows_.push_back(std::move(row));
  numbers_.push_back(number);
  counted_.push_back(is_first_here ? 1.0 : 0.0);
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

void Observation::residual(double w, const ConstVectorView& y, const double* d,
                           const VectorView& r) const {
  const ConstVectorView padded = layers_.with_neighbours(y, room_);
  for_rows(default_space(), "observation::residual", num_data_ * layers_.functions_in(y),
           Residual{Q_.first.data(), Q_.column.data(), Q_.value.data(), padded.data(), d, w,
                    num_data_, layers_.num_padded(), r.data()});
  Kokkos::fence("observation::residual");
}

double Observation::squares(const ConstVectorView& r) const {
  return reduce_rows<Sums<1>>(default_space(), "observation::squares",
                              static_cast<Index>(r.extent(0)),
                              Squares{r.data(), is_counted_.data(), num_data_})
      .value[0];
}

void Observation::apply_transpose(int functions, const double* r, double* out) const {
  for_rows(default_space(), "observation::transpose", num_cells() * functions,
           Transpose{Qt_.first.data(), Qt_.column.data(), Qt_.value.data(), r, num_data_,
                     num_cells(), out});
  Kokkos::fence("observation::transpose");
}

}  // namespace log_conductivity
