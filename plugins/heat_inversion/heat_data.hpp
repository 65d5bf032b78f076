#pragma once

#include <libsolve/core/grid_partition.hpp>
#include <libsolve/plugin/registry.hpp>
#include <string>
#include <vector>

namespace heat_inversion {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// The option `key`, a function of the place (libsolve/io/spatial_function.hpp), at the inner nodes that
/// this rank has, x fastest. Collective.
std::vector<double> values_at_nodes(const std::string& key, const std::string& text,
                                    const GridPartition& parts, const Context& context);

/// Adds normal noise of standard deviation `level` times the largest |value|; the same on any number
/// of ranks. Collective.
void add_noise(const GridPartition& parts, double level, std::uint64_t seed,
               std::vector<double>& values);

}  // namespace heat_inversion
