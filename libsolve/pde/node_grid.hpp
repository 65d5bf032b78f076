#pragma once

#include <array>
#include <libsolve/core/grid_partition.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/linear/grid_halo.hpp>
#include <memory>

namespace libsolve {

/// Where the inner nodes of a rank lie in padded arrays, for kernels. Inner node (i, j, k) of the
/// rank, 0 <= i < n[0], ..., is entry i + n[0] (j + n[1] k) of vectors and entry place(i, j, k) of
/// padded arrays.
struct NodeRows {
  Index n[3] = {0, 1, 1};       ///< inner nodes of this rank along each axis; 1 on unused axes
  Index begin[3] = {1, 0, 0};   ///< number of the first in the whole grid, boundary = 0
  Index stride[3] = {1, 0, 0};  ///< in padded arrays
  Index first = 0;              ///< place of inner node (0, 0, 0)
  Index padded_size = 0;
  KOKKOS_INLINE_FUNCTION Index place(Index i, Index j, Index k) const {
    return first + i + j * stride[1] + k * stride[2];
  }
  KOKKOS_INLINE_FUNCTION Index num_rows() const { return n[1] * n[2]; }
  KOKKOS_INLINE_FUNCTION Index num_nodes() const { return n[0] * n[1] * n[2]; }
};

/// The nodes of a box cut into equal cells, cells(a) >= 2 along axis a, cells(a) + 1 nodes. Those
/// inside carry unknowns, those on the boundary given values. 1 to 3 axes, x fastest.
///
/// Vectors hold the inner nodes. Padded arrays hold them and one more layer on each side, the
/// boundary or the next rank's nodes, so that stencils need no branches. Over ranks the nodes are
/// cut by planes across the last axis (a rank may have none); halo() brings the neighbours' planes.
class LIBSOLVE_EXPORT NodeGrid {
 public:
  NodeGrid() = default;
  /// Collective. ShapeError for fewer than 2 cells along an axis or too many nodes on a rank.
  NodeGrid(int dimension, const std::array<Index, 3>& cells, const std::array<double, 3>& length,
           const Communicator& comm = Communicator::self());
  /// Cut at given planes (GridPartition's cuts of the nodes along the last axis). Collective.
  NodeGrid(int dimension, const std::array<Index, 3>& cells, const std::array<double, 3>& length,
           const Communicator& comm, const std::vector<Index>& cuts);

  int dimension() const noexcept { return dimension_; }
  Index cells(int axis) const noexcept { return cells_[axis]; }  ///< 1 on unused axes
  double spacing(int axis) const noexcept { return spacing_[axis]; }
  double cell_volume() const noexcept;
  /// Inner nodes: how vectors lie over the ranks.
  const Partition& partition() const noexcept { return inner_; }
  const Communicator& communicator() const noexcept { return inner_.communicator(); }
  const NodeRows& rows() const noexcept { return rows_; }
  /// All nodes, boundary included, as the cells of a grid cut over the ranks.
  const GridPartition& all_nodes() const noexcept { return *all_; }
  /// The nodes of this rank's padded arrays, numbered as in all_nodes().
  const Box& padded_box() const noexcept { return padded_; }

  /// Coordinate of node `index` of the whole grid, boundary = 0.
  double coordinate(int axis, Index index) const noexcept { return spacing_[axis] * index; }

  /// Every second node: cells(a) / 2 along each axis, on the ranks that have them in this grid. Masks
  /// come along.
  bool can_coarsen() const noexcept;
  NodeGrid coarse() const;
  /// The same nodes, all of them on each rank alone. Collective.
  NodeGrid on_each_rank() const;

  /// The same nodes as a domain inside the box: those with inside(i) > 0 (a vector over the inner
  /// nodes), the others, and the boundary of the domain through them, being fixed at 0. Operators
  /// A on such grids are P A P + (I - P) a, P the projection onto the nodes inside, a the diagonal entry
  /// of A, so that nodes outside are unknowns of their own. Collective.
  NodeGrid masked(const Vector& inside) const;
  bool has_mask() const noexcept { return mask_.data() != nullptr; }
  /// 1 inside, 0 outside, in a padded array; empty without a mask.
  const ConstVectorView& mask() const noexcept { return mask_; }
  /// out = P v; a copy without a mask.
  void keep_inside(const ConstVectorView& v, const VectorView& out) const;
  /// out = P out + (I - P) factor v.
  void set_outside(double factor, const ConstVectorView& v, const VectorView& out) const;

  /// Inner nodes as cells around them: for Field, pictures and ParaView files.
  Grid as_cells() const;
  /// Those of this rank.
  Box cells_box() const;
  /// The same cut over the ranks as vectors are. Collective.
  GridPartition inner_nodes() const;

  /// One rank on the host: stencils go over vectors as they are (q1_rows.hpp).
  bool is_whole_on_host() const noexcept { return runs_on_host<ExecSpace> && halo_ == nullptr; }
  /// What operators keep as scratch: a padded array, or just the zeros of a boundary row.
  Index scratch_size() const noexcept {
    return is_whole_on_host() ? rows_.n[0] : rows_.padded_size;
  }

  /// Fills the layers of other ranks' nodes in a padded array. Nothing on one rank. Collective.
  template <class T>
  void fetch_neighbours(const Kokkos::View<T*, MemSpace>& padded) const;
  /// padded(inner nodes) = v, other entries as they are; and back.
  void pad(const ConstVectorView& v, const VectorView& padded) const;
  void unpad(const ConstVectorView& padded, const VectorView& v) const;

 private:
  void finish(const Communicator& comm, const std::vector<Index>& cuts);

  int dimension_ = 0;
  std::array<Index, 3> cells_ = {1, 1, 1};
  std::array<double, 3> spacing_ = {1.0, 1.0, 1.0};
  Partition inner_;
  NodeRows rows_;
  std::shared_ptr<const GridPartition> all_;
  Box padded_;
  std::shared_ptr<const GridHalo> halo_;  ///< null on one rank
  ConstVectorView mask_;
};

extern template void NodeGrid::fetch_neighbours(const Kokkos::View<float*, MemSpace>&) const;
extern template void NodeGrid::fetch_neighbours(const Kokkos::View<double*, MemSpace>&) const;

namespace detail {

/// Below this many nodes the calling thread does all of them.
inline constexpr Index nodes_worth_threads = 4096;

template <class Body>
struct NodesOfRow {
  NodeRows rows;
  Body body;
  /// Flattened: g++ gives up inlining bodies of 27 neighbours, and then SIMD.
  [[gnu::flatten]] void operator()(Index row) const {
    const Index k = row / rows.n[1], j = row - k * rows.n[1], n = rows.n[0];
    const Index place = rows.place(0, j, k), entry = row * n;
    const Body local = body;  // see row_kernels.hpp
#pragma omp simd
    for (Index i = 0; i < n; ++i) local(place + i, entry + i);
  }
};

template <class Body>
struct OneNode {
  NodeRows rows;
  Body body;
  KOKKOS_FUNCTION void operator()(Index entry) const {
    const Index row = entry / rows.n[0], k = row / rows.n[1];
    body(rows.place(entry - row * rows.n[0], row - k * rows.n[1], k), entry);
  }
};

}  // namespace detail

/// body(place in padded arrays, entry of vectors) for all inner nodes of the rank; on the host rows
/// in parallel, nodes of a row by SIMD. Nodes must be independent. Asynchronous on devices.
template <class Exec, class Body>
void for_nodes(const Exec& exec, const char* label, const NodeRows& rows, const Body& body) {
  using Policy = Kokkos::RangePolicy<Exec, Kokkos::IndexType<Index>>;
  if (rows.num_nodes() == 0) return;
  if constexpr (runs_on_host<Exec>) {
    const detail::NodesOfRow<Body> row{rows, body};
    if (rows.num_nodes() > detail::nodes_worth_threads)
      Kokkos::parallel_for(kernel_label(label), Policy(exec, 0, rows.num_rows()), row);
    else
      for (Index r = 0; r < rows.num_rows(); ++r) row(r);
  } else {
    Kokkos::parallel_for(kernel_label(label), Policy(exec, 0, rows.num_nodes()),
                         detail::OneNode<Body>{rows, body});
  }
}

/// f(std::integral_constant<int, dimension>).
template <class F>
void with_dimension(int dimension, const F& f) {
  if (dimension == 1) f(std::integral_constant<int, 1>());
  if (dimension == 2) f(std::integral_constant<int, 2>());
  if (dimension == 3) f(std::integral_constant<int, 3>());
}

}  // namespace libsolve
