#pragma once

#include <libsolve/optimize/proximal_operator.hpp>
#include <vector>

namespace proximal {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

inline constexpr const char* measure_help =
    "integral: the sum times the volume of a cell (1 without a grid); nodes: the sum";

/// The grid of a space that has one, on one rank; else Unsupported with the operator's name.
Grid whole_grid(const char* name, const ProximalSpace& space);

VectorView on_device(const std::vector<double>& values);

}  // namespace proximal
