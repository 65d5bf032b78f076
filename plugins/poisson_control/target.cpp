#include "target.hpp"

#include <array>
#include <cmath>
#include <libsolve/io/spatial_function.hpp>
#include <numbers>

namespace poisson_control {

namespace {

constexpr double pi = std::numbers::pi;
using Point = std::array<double, 3>;

double rees(const Point& x, int dimension) {
  double value = 1.0;
  for (int a = 0; a < dimension; ++a)
    value *= x[static_cast<std::size_t>(a)] <= 0.5
                 ? std::pow(2.0 * x[static_cast<std::size_t>(a)] - 1.0, 2)
                 : 0.0;
  return value;
}

double sine(const Point& x, int dimension, double alpha) {
  double value = 1.0 + alpha * dimension * dimension * std::pow(pi, 4);
  for (int a = 0; a < dimension; ++a) value *= std::sin(pi * x[static_cast<std::size_t>(a)]);
  return value;
}

}  // namespace

std::string fault_of(const std::string& target, int dimension) {
  return target == "rees" || target == "sine" ? "" : fault_of_spatial_function(target, dimension);
}

std::vector<double> target_at_nodes(const std::string& target, const NodeGrid& grid, double alpha,
                                    const Context& context, const std::string& key) {
  const int dimension = grid.dimension();
  const auto make = [&]() -> SpatialFunction {
    if (target == "rees") return [dimension](const Point& x) { return rees(x, dimension); };
    if (target == "sine")
      return [dimension, alpha](const Point& x) { return sine(x, dimension, alpha); };
    return make_spatial_function(target, dimension,
                                 [&](const std::string& f) { return context.resolve_file(f); });
  };
  return values_at_places(
      grid.communicator(), grid.padded_box(), dimension,
      [&](int axis, Index i) { return grid.coordinate(axis, i); }, make,
      key + " = \"" + target + "\"");
}

}  // namespace poisson_control
