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

/// The grid as kernels need it: trivially copyable. Unused axes have n = 1.
struct Geometry {
  int dimension = 3;
  Index n[3] = {1, 1, 1};
  double length[3] = {1.0, 1.0, 1.0};
  double h[3] = {1.0, 1.0, 1.0};      ///< distance of neighbouring unknowns
  double first[3] = {0.0, 0.0, 0.0};  ///< position of the first unknown
  /// Distance of a wall from the unknown next to it, in h: 1/2, or 1 at Dirichlet walls of
  /// vertex-centred grids.
  double gap[3][2] = {{0.5, 0.5}, {0.5, 0.5}, {0.5, 0.5}};
  bool dirichlet[3][2] = {};
  double anisotropy[3] = {1.0, 1.0, 1.0};

  Index num_cells() const { return n[0] * n[1] * n[2]; }

  KOKKOS_INLINE_FUNCTION void locate(Index c, Index* at) const {
    const Index row = c / n[0];
    at[0] = c - row * n[0];
    at[1] = row % n[1];
    at[2] = row / n[1];
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

Geometry make_geometry(const PoissonOptions& options);
/// The grid of the results file: cells of size h around the unknowns.
libsolve::Grid make_grid(const Geometry& g);

}  // namespace poisson
