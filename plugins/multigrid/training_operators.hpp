/// \file
/// Operators that `learned-multigrid` is trained on: families drawn at random, or the user's own.
#pragma once

#include <libsolve/linear/linear_system.hpp>
#include <libsolve/plugin/registry.hpp>
#include <memory>
#include <string>
#include <vector>

namespace multigrid {

/// Operator `index` of the families, in turn: "jumps" (blocks, layers), "masks" (spheres, boxes,
/// channels), "anisotropy", "mixtures" of them. Options of the source `poisson` but for its size;
/// numbers from (seed, index). Blocks of 5, 7, 11, 16 and 20 along an axis are left for tests.
[[nodiscard]] libsolve::Value family_operator(const std::string& family, std::uint64_t seed,
                                              int index);

/// The system of `spec` with its own random numbers.
[[nodiscard]] std::unique_ptr<libsolve::Problem> make_system(const libsolve::Context& context,
                                                             libsolve::ComponentSpec spec,
                                                             std::uint64_t seed);

}  // namespace multigrid
