#pragma once

#include <array>
#include <libsolve/linear/halo.hpp>
#include <libsolve/linear/stencil_operator.hpp>
#include <string>
#include <vector>

namespace libsolve {

struct StencilOperator::Interface {
  /// One side of the box along a cut: cells of the plane, in x-fastest order.
  struct Side {
    int axis = 0;
    int end = 0;           ///< 0 low, 1 high
    Index first_cell = 0;  ///< local index of the plane's first cell
    Index size[2] = {1, 1};
    Index stride[2] = {1, 1};
    Index first_ghost = 0;  ///< of its neighbours beyond the cut, in `ghosts`
    double constant = 0.0;  ///< coupling of every face, where `coupling` is empty
    VectorView coupling = {};

    Index num_cells() const { return size[0] * size[1]; }
  };
  std::vector<Side> sides = {};
  Halo halo = {};
  VectorView ghosts = {};  ///< one exchange at a time, as with the halo
};

namespace detail {

/// `parts`, or ShapeError where a rank has no cell.
const GridPartition& checked(const GridPartition& parts);

/// ShapeError where `length` is not the number of cells of this rank's box.
void check_length(size_t length, const Box& own, const std::string& what);

/// The sides of a rank's box that lie along cuts, and the rows of the cells beyond them.
std::vector<StencilOperator::Interface::Side> cut_sides(const GridPartition& grid,
                                                        std::vector<GlobalIndex>& beyond);

/// y_c -= coupling * ghost over the sides; returns the sum of x_c times what y_c changed by, 0
/// without `x`.
double subtract_ghosts(const StencilOperator::Interface& interface, const double* x, double* y);

/// to(plane) += coupling over the sides, for diagonals.
void add_couplings(const StencilOperator::Interface& interface, double* to);

}  // namespace detail

}  // namespace libsolve
