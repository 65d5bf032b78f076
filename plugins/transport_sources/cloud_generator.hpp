#pragma once

#include <cstdint>
#include <libsolve/transport/transport_cost.hpp>
#include <string>
#include <vector>

namespace transport_sources {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// Names for `distribution`.
const std::vector<std::string>& distributions();

/// Points of `rows` (this rank's), drawn independently:
///   uniform   in the unit cube
///   gaussian  N(0, I)
///   ring      on the unit circle of the first two axes, plus N(0, 0.05^2) along every axis
///   blobs     N(c, 0.05^2 I) around one of five centres c, uniform in the unit cube
/// A point depends on (seed, purpose, its global row) only.
DenseBlock random_points(const std::string& distribution, const Partition& rows, int dimension,
                         std::uint64_t seed, const std::string& purpose,
                         const std::vector<double>& shift);

/// Masses uniform on [0.5, 1.5), total 1. Collective.
Vector random_masses(const Partition& rows, std::uint64_t seed, const std::string& purpose);

}  // namespace transport_sources
