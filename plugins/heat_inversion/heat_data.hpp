#pragma once

#include <libsolve/core/grid_partition.hpp>
#include <string>
#include <vector>

namespace heat_inversion {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// A formula in x, y, z at the inner nodes that this rank has, x fastest; unused coordinates are 0.
/// Throws FormulaError, DataError (values that are not finite).
std::vector<double> formula_at_nodes(const std::string& formula, const GridPartition& parts);

/// What is wrong with it as a formula; "" where nothing is.
std::string fault_of(const std::string& formula);

/// Adds normal noise of standard deviation `level` times the largest |value|; the same on any number
/// of ranks. Collective.
void add_noise(const GridPartition& parts, double level, std::uint64_t seed,
               std::vector<double>& values);

}  // namespace heat_inversion
