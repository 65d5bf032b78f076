#pragma once

#include <libsolve/core/grid_partition.hpp>
#include <libsolve/linear/grid_halo.hpp>
#include <memory>

namespace libsolve {

/// Where the cells of a rank's box lie in padded arrays, which hold them and the next cells of
/// other ranks, and where the cells around one lie, for kernels. Cell (i, j, k) of the box has
/// index i + n0 (j + n1 k) in vectors; on one rank the places in padded arrays are the same.
struct CellNeighbours {
  Index n[3] = {1, 1, 1};       ///< cells of the rank
  Index begin[3] = {0, 0, 0};   ///< of its first cell, in the whole grid
  Index total[3] = {1, 1, 1};   ///< cells of the whole grid
  Index first = 0;              ///< place of the first cell
  Index stride[3] = {1, 1, 1};  ///< in padded arrays
  /// A cell's place, those of the cells across its faces, and how many of its faces are walls.
  struct Around {
    Index place;
    Index cell[6];
    int count, walls;
  };
  KOKKOS_INLINE_FUNCTION Index place(Index i) const {
    const Index rest = i / n[0], k = rest / n[1];
    return first + (i - rest * n[0]) + (rest - k * n[1]) * stride[1] + k * stride[2];
  }
  KOKKOS_INLINE_FUNCTION Around operator()(Index i) const {
    const Index line = i / n[0], k = line / n[1];
    const Index at[3] = {i - line * n[0], line - k * n[1], k};
    Around a;
    a.count = a.walls = 0;
    a.place = first + at[0] + at[1] * stride[1] + at[2] * stride[2];
    for (int axis = 0; axis < 3; ++axis) {
      if (total[axis] == 1) continue;
      if (begin[axis] + at[axis] > 0)
        a.cell[a.count++] = a.place - stride[axis];
      else
        ++a.walls;
      if (begin[axis] + at[axis] + 1 < total[axis])
        a.cell[a.count++] = a.place + stride[axis];
      else
        ++a.walls;
    }
    return a;
  }
};

/// The cells of a rank's box and one layer around it, where the grid has it, edges and corners
/// included: padded arrays of one or more functions, one after the other.
class LIBSOLVE_EXPORT CellLayers {
 public:
  CellLayers() = default;
  /// Collective.
  explicit CellLayers(const GridPartition& parts);

  const CellNeighbours& neighbours() const noexcept { return neighbours_; }
  const Box& own() const noexcept { return own_; }
  const Box& padded_box() const noexcept { return padded_; }
  Index num_cells() const noexcept { return num_cells_; }
  Index num_padded() const noexcept { return num_padded_; }
  /// Functions in a vector. ShapeError where it holds no whole number of them.
  int functions_in(const ConstVectorView& v) const;
  /// The padded arrays of the functions in v: v itself on one rank, else in `room`, which is made
  /// larger where it has to be. Collective.
  ConstVectorView with_neighbours(const ConstVectorView& v, VectorView& room) const;

 private:
  Box own_, padded_;
  Index num_cells_ = 0, num_padded_ = 0;
  CellNeighbours neighbours_;
  std::shared_ptr<const GridHalo> halo_;  ///< null on one rank
};

}  // namespace libsolve
