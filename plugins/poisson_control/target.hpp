#pragma once

#include <libsolve/pde/node_grid.hpp>
#include <libsolve/plugin/registry.hpp>
#include <string>
#include <vector>

namespace poisson_control {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// y_d at all nodes of this rank's padded arrays, boundary included. `target`:
///   "rees"   prod (2 x_a - 1)^2 where all x_a <= 1/2, else 0 (Rees, Dollar, Wathen 2010, problem
///            1)
///   "sine"   (1 + alpha D^2 pi^4) prod sin(pi x_a): then y = prod sin(pi x_a), u = D pi^2 y,
///            p = -alpha u
///   else what libsolve/io/spatial_function.hpp reads: a dataset, a picture, a formula.
/// `key` is the option that it came from, for messages. Throws what values_at_places() and
/// make_spatial_function() do. Collective.
std::vector<double> target_at_nodes(const std::string& target, const NodeGrid& grid, double alpha,
                                    const Context& context, const std::string& key = "target");

/// "" or what is wrong with it, files unread.
std::string fault_of(const std::string& target, int dimension);

}  // namespace poisson_control
