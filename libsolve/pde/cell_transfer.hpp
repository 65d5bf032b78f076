#pragma once

#include <libsolve/linear/grid_halo.hpp>
#include <libsolve/pde/cell_layers.hpp>

namespace libsolve {

/// Values of cells between a grid and the one with half the cells along each axis, each cut over
/// the ranks in its own way. Vectors hold one or more functions, one after the other.
class LIBSOLVE_EXPORT CellTransfer {
 public:
  /// ShapeError where the cells are not twice as many. Collective.
  CellTransfer(const GridPartition& fine, const GridPartition& coarse);

  /// fine = factor * (bi- or tri-)linear interpolation between the coarse centres, constant beyond
  /// the outermost ones. Collective.
  void interpolate(int functions, double factor, const ConstVectorView& coarse,
                   const VectorView& fine) const;
  /// coarse = the mean over the children. Collective.
  void average(int functions, const ConstVectorView& fine, const VectorView& coarse) const;

 private:
  Box fine_, coarse_;           ///< the rank's own
  Box parents_, children_;      ///< what they need of the other grid
  std::array<Index, 3> total_;  ///< coarse cells
  GridHalo to_parents_, to_children_;
};

}  // namespace libsolve
