#pragma once

#include <Kokkos_Core.hpp>
#include <array>
#include <libsolve/core/component.hpp>

#include "poisson_options.hpp"

namespace poisson {

using libsolve::GlobalIndex;
using libsolve::Index;
using libsolve::MemSpace;
using libsolve::VectorView;
using Solid = Kokkos::View<unsigned char*, MemSpace>;
using Policy = Kokkos::RangePolicy<libsolve::ExecSpace, Kokkos::IndexType<Index>>;

/// The grid as kernels need it, and the box of it that arrays hold: trivially copyable. Unused axes
/// have n = 1. Cells of the box are counted by c, x fastest; positions and walls are those of the
/// grid.
struct Geometry {
  int dimension = 3;
  Index n[3] = {1, 1, 1};      ///< of the whole grid
  Index begin[3] = {0, 0, 0};  ///< first cell of the box
  Index cells[3] = {1, 1, 1};  ///< of the box
  double length[3] = {1.0, 1.0, 1.0};
  double h[3] = {1.0, 1.0, 1.0};      ///< distance of neighbouring unknowns
  double first[3] = {0.0, 0.0, 0.0};  ///< position of the first unknown
  /// Distance of a wall from the unknown next to it, in h: 1/2, or 1 at Dirichlet walls of
  /// vertex-centred grids.
  double gap[3][2] = {{0.5, 0.5}, {0.5, 0.5}, {0.5, 0.5}};
  bool dirichlet[3][2] = {};
  double anisotropy[3] = {1.0, 1.0, 1.0};

  /// Of the box.
  Index num_cells() const { return cells[0] * cells[1] * cells[2]; }

  /// Where cell c of the box lies in the grid.
  KOKKOS_INLINE_FUNCTION void locate(Index c, Index* at) const {
    const Index row = c / cells[0];
    at[0] = begin[0] + c - row * cells[0];
    at[1] = begin[1] + row % cells[1];
    at[2] = begin[2] + row / cells[1];
  }
  /// Whether the box holds the cell, and its c there.
  KOKKOS_INLINE_FUNCTION bool holds(const Index* at) const {
    bool inside = true;
    for (int a = 0; a < 3; ++a)
      inside = inside && at[a] >= begin[a] && at[a] < begin[a] + cells[a];
    return inside;
  }
  KOKKOS_INLINE_FUNCTION Index cell(const Index* at) const {
    return (at[0] - begin[0]) +
           cells[0] * ((at[1] - begin[1]) + cells[1] * (at[2] - begin[2]));
  }
  /// Whether the box holds the cell before or after one at `i` along an axis.
  KOKKOS_INLINE_FUNCTION bool holds_before(int axis, Index i) const { return i > begin[axis]; }
  KOKKOS_INLINE_FUNCTION bool holds_after(int axis, Index i) const {
    return i + 1 < begin[axis] + cells[axis];
  }
  /// The number of cell c in the whole grid, x fastest: random numbers go by it, and are the same
  /// for any number of ranks.
  KOKKOS_INLINE_FUNCTION std::uint64_t natural_index(Index c) const {
    Index at[3];
    locate(c, at);
    return static_cast<std::uint64_t>(at[0]) +
           static_cast<std::uint64_t>(n[0]) *
               (static_cast<std::uint64_t>(at[1]) +
                static_cast<std::uint64_t>(n[1]) * static_cast<std::uint64_t>(at[2]));
  }
  libsolve::Box box() const {
    return {{begin[0], begin[1], begin[2]},
            {begin[0] + cells[0], begin[1] + cells[1], begin[2] + cells[2]}};
  }
  /// The same grid, arrays of another box.
  Geometry with_box(const libsolve::Box& box) const {
    Geometry g = *this;
    for (int a = 0; a < 3; ++a) {
      g.begin[a] = box.begin[a];
      g.cells[a] = box.cells(a);
    }
    return g;
  }
  KOKKOS_INLINE_FUNCTION double position(int axis, Index i) const {
    return first[axis] + h[axis] * i;
  }
  /// anisotropy_a / h_a^2: times k, the coefficient of a face.
  KOKKOS_INLINE_FUNCTION double scale(int axis) const {
    return anisotropy[axis] / (h[axis] * h[axis]);
  }
  /// Coefficient of the link to a wall or solid over `distance` (in h), for k = 1.
  KOKKOS_INLINE_FUNCTION double wall_scale(int axis, int side) const {
    return dirichlet[axis][side] ? scale(axis) / gap[axis][side] : 0.0;
  }
};

/// The box is the whole grid.
Geometry make_geometry(const PoissonOptions& options);
/// The grid of the results file: cells of size h around the unknowns.
libsolve::Grid make_grid(const Geometry& g);

}  // namespace poisson
