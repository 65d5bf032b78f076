#pragma once

#include <libsolve/core/grid_partition.hpp>
#include <libsolve/linear/stencil_operator.hpp>
#include <memory>

/// Finite differences on the unit interval, square or cube, zero on the boundary: cells^D cells, the
/// (cells - 1)^D inner nodes carry values. Grids and boxes are those of cells around the nodes.
namespace libsolve {

/// Cut over the ranks of `comm`. ShapeError for fewer than 2 cells or not enough nodes for the ranks.
/// Collective.
LIBSOLVE_EXPORT GridPartition inner_nodes(int dimension, Index cells, const Communicator& comm);
/// Coordinate of node i along any axis.
inline double node_coordinate(const GridPartition& nodes, Index i) {
  return nodes.grid().spacing[0] * (i + 1);
}
/// shift I - factor Laplace by the (2 D + 1)-point stencil, errors O(h^2).
LIBSOLVE_EXPORT std::shared_ptr<StencilOperator> node_diffusion(const GridPartition& nodes,
                                                                double shift, double factor);

}  // namespace libsolve
