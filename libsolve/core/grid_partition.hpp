#pragma once

#include <array>
#include <libsolve/core/component.hpp>
#include <libsolve/core/partition.hpp>
#include <vector>

namespace libsolve {

/// A structured grid cut into one box for each rank, by planes through the whole grid. Rows are
/// numbered as PETSc's DMDA numbers them: box after box in rank order (process (p, q, r) of the
/// process grid is rank p + P (q + Q r)), x fastest inside a box; so each rank's part is contiguous
/// and a Partition describes it.
class LIBSOLVE_EXPORT GridPartition {
 public:
  /// The whole grid on one rank.
  explicit GridPartition(const Grid& grid);
  /// One box a rank, with as little surface as possible. Cuts lie at multiples of a power of two,
  /// as large as keeps boxes within an eighth of equal sizes, so that cells can be merged in pairs
  /// some times before a pair lies on both sides of a cut. Collective. ShapeError where there are
  /// not enough cells for the ranks.
  GridPartition(const Grid& grid, const Communicator& comm);
  /// Cuts given: cut[a] = 0, ..., grid.cells[a], not decreasing; the process at (p, q, r) is the
  /// rank stride * (p + P (q + Q r)), ranks in between own nothing. Collective.
  GridPartition(const Grid& grid, const Communicator& comm,
                const std::array<std::vector<Index>, 3>& cuts, int stride = 1);

  /// Even parts of n cells with cuts where the second constructor puts them, at even numbers in any
  /// case.
  static std::vector<Index> even_cuts(Index n, int parts);

  const Grid& grid() const noexcept { return grid_; }
  const Partition& partition() const noexcept { return partition_; }
  const Communicator& communicator() const noexcept { return partition_.communicator(); }
  /// Processes along the axes.
  std::array<int, 3> processes() const;
  const std::array<std::vector<Index>, 3>& cuts() const noexcept { return cuts_; }
  int stride() const noexcept { return stride_; }

  /// This rank's cells; an empty box (no cells) on ranks that own nothing.
  const Box& own() const noexcept { return own_; }
  /// own() and `width` cells around it on each axis of more than one cell, where the grid has them.
  Box extended(Index width) const;
  /// The row of a cell.
  GlobalIndex row(Index i, Index j, Index k) const;
  /// The rows of a box's cells, x fastest.
  std::vector<GlobalIndex> rows(const Box& box) const;
  /// Appends those of the cells from (begin, j, k) to (end - 1, j, k).
  void append_rows(Index begin, Index end, Index j, Index k, std::vector<GlobalIndex>& rows) const;

 private:
  void finish(const Communicator& comm);

  Grid grid_;
  Partition partition_;
  std::array<std::vector<Index>, 3> cuts_;
  int stride_ = 1;
  Box own_;
};

/// Planes of a box that lie beside another rank's cells: which sides, [axis][0 = low, 1 = high].
LIBSOLVE_EXPORT std::array<std::array<bool, 2>, 3> inner_sides(const GridPartition& grid);

}  // namespace libsolve
