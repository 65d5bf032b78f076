#include "heat_data.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/random.hpp>
#include <libsolve/io/spatial_function.hpp>
#include <libsolve/pde/inner_nodes.hpp>

namespace heat_inversion {

namespace {

/// visit(i, j, k) for the cells of this rank, x fastest.
template <class Visit>
void for_own(const GridPartition& parts, const Visit& visit) {
  const Box& box = parts.own();
  for (Index k = box.begin[2]; k < box.end[2]; ++k)
    for (Index j = box.begin[1]; j < box.end[1]; ++j)
      for (Index i = box.begin[0]; i < box.end[0]; ++i) visit(i, j, k);
}

}  // namespace

std::vector<double> values_at_nodes(const std::string& key, const std::string& text,
                                    const GridPartition& parts, const Context& context) {
  const Grid& grid = parts.grid();
  return values_at_places(
      parts.communicator(), parts.own(), grid.dimension,
      [&](int, Index i) { return node_coordinate(parts, i); },
      [&] {
        return make_spatial_function(text, grid.dimension,
                                     [&](const std::string& f) { return context.resolve_file(f); });
      },
      key + " '" + text + "'");
}

void add_noise(const GridPartition& parts, double level, std::uint64_t seed,
               std::vector<double>& values) {
  double largest = 0.0;
  for (const double v : values) largest = std::max(largest, std::abs(v));
  largest = parts.communicator().max(largest);
  const RandomStream stream(seed, "heat_inversion::noise");
  const Grid& grid = parts.grid();
  std::size_t at = 0;
  for_own(parts, [&](Index i, Index j, Index k) {
    const auto node = static_cast<std::uint64_t>(
        i + grid.cells[0] * (j + GlobalIndex{grid.cells[1]} * k));
    values[at++] += level * largest * stream.normal(node);
  });
}

}  // namespace heat_inversion
