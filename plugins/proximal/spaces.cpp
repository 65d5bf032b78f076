#include "spaces.hpp"

#include <libsolve/core/errors.hpp>
#include <string>

namespace proximal {

Grid whole_grid(const char* name, const ProximalSpace& space) {
  if (!space.grid)
    throw Unsupported(std::string("regulariser '") + name + "' needs functions on a grid, and '" + space.what +
                      "' has none that its variables are values on; use 'soft-threshold' or 'box'");
  if (space.partition.communicator().size() > 1)
    throw Unsupported(std::string("regulariser '") + name + "' works on one rank, and '" + space.what +
                      "' lies over " + std::to_string(space.partition.communicator().size()) +
                      "; use one rank, or 'soft-threshold' or 'box'");
  return *space.grid;
}

VectorView on_device(const std::vector<double>& values) {
  const VectorView view("proximal::bounds", values.size());
  Kokkos::deep_copy(view,
                    Kokkos::View<const double*, Kokkos::HostSpace>(values.data(), values.size()));
  return view;
}

}  // namespace proximal
