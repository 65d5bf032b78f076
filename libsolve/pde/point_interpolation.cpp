#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/pde/point_interpolation.hpp>

namespace libsolve {

namespace {

/// The two cells along an axis that a place lies between, and how far it is from the first.
struct Between {
  Index low = 0;
  double fraction = 0.0;
};

Between between(const Grid& grid, std::size_t axis, double x) {
  const Index cells = grid.cells[axis];
  const double length = grid.spacing[axis] * cells;
  if (cells < 2 || !(x >= 0.0 && x <= length))
    throw ShapeError("interpolation at " + std::to_string(x) + " along an axis of " +
                     std::to_string(cells) + " cells: wants 2 of them at least and a place in [0, " +
                     std::to_string(length) + "]");
  const double at = std::clamp(x / grid.spacing[axis] - 0.5, 0.0, static_cast<double>(cells - 1));
  const Index low = std::min(static_cast<Index>(std::floor(at)), cells - 2);
  return {low, at - low};
}

template <class T>
Kokkos::View<T*, MemSpace> on_device(const std::vector<T>& values) {
  const Kokkos::View<T*, MemSpace> view("pde::interpolation", values.size());
  Kokkos::deep_copy(view, Kokkos::View<const T*, Kokkos::HostSpace>(values.data(), values.size()));
  return view;
}

}  // namespace

std::shared_ptr<CsrMatrix> point_interpolation(const Grid& grid,
                                               const std::vector<std::array<double, 3>>& points) {
  std::vector<GlobalIndex> first = {0};
  std::vector<Index> columns;
  std::vector<double> values;
  const auto dimension = static_cast<std::size_t>(grid.dimension);
  for (const auto& point : points) {
    std::array<Between, 3> axis;
    for (std::size_t a = 0; a < dimension; ++a) axis[a] = between(grid, a, point[a]);
    for (unsigned corner = 0; corner < 1U << dimension; ++corner) {
      Index column = 0, stride = 1;
      double weight = 1.0;
      for (std::size_t a = 0; a < dimension; ++a) {
        const bool high = (corner >> a & 1U) != 0;
        column += stride * (axis[a].low + (high ? 1 : 0));
        stride *= grid.cells[a];
        weight *= high ? axis[a].fraction : 1.0 - axis[a].fraction;
      }
      if (weight == 0.0) continue;
      columns.push_back(column);
      values.push_back(weight);
    }
    first.push_back(static_cast<GlobalIndex>(columns.size()));
  }
  return std::make_shared<CsrMatrix>(static_cast<GlobalIndex>(points.size()), grid.num_cells(),
                                     on_device(first), on_device(columns), on_device(values));
}

}  // namespace libsolve
