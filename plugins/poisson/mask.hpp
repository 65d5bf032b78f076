#pragma once

#include <libsolve/core/grid_partition.hpp>
#include <libsolve/linear/null_space.hpp>
#include <libsolve/plugin/registry.hpp>
#include <optional>

#include "geometry.hpp"

namespace poisson {

/// 1 at solid cells of the box, 0 elsewhere; empty for mask = "none".
Solid make_mask(const PoissonOptions& options, const Geometry& g, const libsolve::Context& context);

/// With Neumann solids: cells that touch neither fluid nor a Dirichlet wall become solid.
void close_lone_cells(const Geometry& g, const Solid& solid);

/// The cells of a smaller box of the same grid.
Solid own_mask(const Geometry& around, const Geometry& own, const Solid& solid);

/// Labels the connected components (by faces > 0) in which every excess is 0, over all ranks;
/// empty where there is none. `face`: those of the rank's box, faces to the next rank's cells
/// included. Collective.
std::optional<libsolve::NullSpace> find_null_space(const Geometry& g,
                                                   const libsolve::GridPartition& parts,
                                                   const std::array<VectorView, 3>& face,
                                                   const VectorView& excess, const Solid& solid);

}  // namespace poisson
