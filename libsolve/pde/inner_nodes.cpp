#include <libsolve/core/errors.hpp>
#include <libsolve/pde/inner_nodes.hpp>

namespace libsolve {

GridPartition inner_nodes(int dimension, Index cells, const Communicator& comm) {
  if (dimension < 1 || dimension > 3 || cells < 2)
    throw ShapeError("inner nodes: wants 1 to 3 axes with 2 cells at least, got " +
                     std::to_string(dimension) + " with " + std::to_string(cells));
  Grid grid;
  grid.dimension = dimension;
  for (std::size_t a = 0; a < static_cast<std::size_t>(dimension); ++a) {
    grid.cells[a] = cells - 1;
    grid.spacing[a] = 1.0 / cells;
    grid.origin[a] = 0.5 * grid.spacing[a];
  }
  return comm.size() > 1 ? GridPartition(grid, comm) : GridPartition(grid);
}

std::shared_ptr<StencilOperator> node_diffusion(const GridPartition& nodes, double shift,
                                                double factor) {
  StencilOperator::Constant c;
  c.shift = shift;
  const Grid& grid = nodes.grid();
  // Walls a whole spacing away from the outermost nodes.
  for (std::size_t a = 0; a < static_cast<std::size_t>(grid.dimension); ++a) {
    c.coupling[a] = factor / (grid.spacing[a] * grid.spacing[a]);
    c.wall[a] = {c.coupling[a], c.coupling[a]};
  }
  return std::make_shared<StencilOperator>(nodes, c);
}

}  // namespace libsolve
