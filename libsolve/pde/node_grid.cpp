#include <algorithm>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/large_array.hpp>
#include <libsolve/pde/node_grid.hpp>
#include <limits>
#include <string>

namespace libsolve {

namespace detail {

struct PadNodes {
  const double* v;
  double* padded;
  KOKKOS_FUNCTION void operator()(Index place, Index entry) const { padded[place] = v[entry]; }
};

struct UnpadNodes {
  const double* padded;
  double* v;
  KOKKOS_FUNCTION void operator()(Index place, Index entry) const { v[entry] = padded[place]; }
};

struct MaskFromVector {
  const double* inside;
  double* mask;
  KOKKOS_FUNCTION void operator()(Index place, Index entry) const {
    mask[place] = inside[entry] > 0.0 ? 1.0 : 0.0;
  }
};

/// The mask of every second node.
struct CoarseMask {
  NodeRows fine, coarse;
  const double* from;
  double* to;
  KOKKOS_FUNCTION void operator()(Index place, Index entry) const {
    const Index row = entry / coarse.n[0], k = row / coarse.n[1];
    const Index at[3] = {coarse.begin[0] + entry - row * coarse.n[0],
                         coarse.begin[1] + row - k * coarse.n[1], coarse.begin[2] + k};
    Index source = fine.first;
    for (int a = 0; a < 3; ++a) source += (2 * at[a] - fine.begin[a]) * fine.stride[a];
    to[place] = from[source];
  }
};

struct KeepInside {
  const double *mask, *v;
  double* out;
  KOKKOS_FUNCTION void operator()(Index place, Index entry) const {
    out[entry] = mask[place] > 0.0 ? v[entry] : 0.0;
  }
};

struct SetOutside {
  const double* mask;
  double factor;
  const double* v;
  double* out;
  KOKKOS_FUNCTION void operator()(Index place, Index entry) const {
    out[entry] = mask[place] > 0.0 ? out[entry] : factor * v[entry];
  }
};

}  // namespace detail

NodeGrid::NodeGrid(int dimension, const std::array<Index, 3>& cells,
                   const std::array<double, 3>& length, const Communicator& comm)
    : NodeGrid(
          dimension, cells, length, comm,
          GridPartition::even_cuts(
              cells[static_cast<std::size_t>(std::clamp(dimension, 1, 3) - 1)] + 1, comm.size())) {}

NodeGrid::NodeGrid(int dimension, const std::array<Index, 3>& cells,
                   const std::array<double, 3>& length, const Communicator& comm,
                   const std::vector<Index>& cuts)
    : dimension_(dimension) {
  if (dimension < 1 || dimension > 3)
    throw ShapeError("a grid of nodes has 1 to 3 axes, asked for " + std::to_string(dimension));
  for (int a = 0; a < dimension; ++a) {
    if (cells[a] < 2)
      throw ShapeError("a grid of nodes needs 2 cells along each axis, has " +
                       std::to_string(cells[a]) + " along axis " + std::to_string(a));
    cells_[a] = cells[a];
    spacing_[a] = length[a] / cells[a];
  }
  finish(comm, cuts);
}

void NodeGrid::finish(const Communicator& comm, const std::vector<Index>& cuts) {
  Grid nodes;
  nodes.dimension = dimension_;
  nodes.spacing = spacing_;
  std::array<std::vector<Index>, 3> all_cuts;
  for (int a = 0; a < 3; ++a) {
    nodes.cells[a] = a < dimension_ ? cells_[a] + 1 : 1;
    all_cuts[a] = {0, nodes.cells[a]};
  }
  all_cuts[dimension_ - 1] = cuts;
  all_ = std::make_shared<const GridPartition>(nodes, comm, all_cuts);
  const Box own = all_->own();
  padded_ = all_->extended(1);
  for (int a = 0; a < dimension_; ++a) {
    rows_.begin[a] = std::max<Index>(1, own.begin[a]);
    rows_.n[a] = std::max<Index>(0, std::min(cells_[a], own.end[a]) - rows_.begin[a]);
  }
  GlobalIndex size = 1;
  for (int a = 0; a < 3; ++a) {
    rows_.stride[a] = a < dimension_ ? static_cast<Index>(size) : 0;
    size *= padded_.cells(a);
    if (a < dimension_) rows_.first += rows_.stride[a] * (rows_.begin[a] - padded_.begin[a]);
    if (size > std::numeric_limits<Index>::max())
      throw ShapeError("a rank has " + std::to_string(size) + " nodes, more than 2^31 - 1");
  }
  rows_.padded_size = static_cast<Index>(size);
  if (rows_.num_nodes() == 0) rows_.n[0] = 0;
  inner_ = comm.size() == 1 ? Partition(rows_.num_nodes()) : Partition(comm, rows_.num_nodes());
  if (comm.size() > 1) halo_ = std::make_shared<const GridHalo>(*all_, padded_, padded_);
}

double NodeGrid::cell_volume() const noexcept {
  double volume = 1.0;
  for (int a = 0; a < dimension_; ++a) volume *= spacing_[a];
  return volume;
}

bool NodeGrid::can_coarsen() const noexcept {
  for (int a = 0; a < dimension_; ++a)
    if (cells_[a] % 2 != 0 || cells_[a] < 4) return false;
  return true;
}

NodeGrid NodeGrid::coarse() const {
  std::array<Index, 3> cells = {1, 1, 1};
  std::array<double, 3> length = {1.0, 1.0, 1.0};
  for (int a = 0; a < dimension_; ++a) {
    cells[a] = cells_[a] / 2;
    length[a] = spacing_[a] * cells_[a];
  }
  std::vector<Index> cuts = all_->cuts()[dimension_ - 1];
  for (Index& cut : cuts) cut = (cut + 1) / 2;
  cuts.back() = cells[dimension_ - 1] + 1;
  NodeGrid grid(dimension_, cells, length, communicator(), cuts);
  if (has_mask()) {
    const VectorView mask =
        zero_array<double>("node_grid::mask", static_cast<std::size_t>(grid.rows_.padded_size));
    for_nodes(default_space(), "node_grid::coarse_mask", grid.rows_,
              detail::CoarseMask{rows_, grid.rows_, mask_.data(), mask.data()});
    grid.fetch_neighbours(mask);
    grid.mask_ = mask;
  }
  return grid;
}

NodeGrid NodeGrid::on_each_rank() const {
  std::array<double, 3> length = {1.0, 1.0, 1.0};
  for (int a = 0; a < dimension_; ++a) length[a] = spacing_[a] * cells_[a];
  NodeGrid grid(dimension_, cells_, length);
  if (has_mask()) {
    const VectorView mask =
        zero_array<double>("node_grid::mask", static_cast<std::size_t>(grid.rows_.padded_size));
    Kokkos::fence("node_grid::on_each_rank");
    GridHalo(*all_, grid.padded_, padded_).fetch<double>(mask_, mask);
    grid.mask_ = mask;
  }
  return grid;
}

NodeGrid NodeGrid::masked(const Vector& inside) const {
  NodeGrid grid = *this;
  const VectorView mask =
      zero_array<double>("node_grid::mask", static_cast<std::size_t>(rows_.padded_size));
  for_nodes(default_space(), "node_grid::mask", rows_,
            detail::MaskFromVector{inside.data(), mask.data()});
  fetch_neighbours(mask);
  grid.mask_ = mask;
  return grid;
}

void NodeGrid::keep_inside(const ConstVectorView& v, const VectorView& out) const {
  if (!has_mask()) return Kokkos::deep_copy(default_space(), out, v);
  for_nodes(default_space(), "node_grid::keep_inside", rows_,
            detail::KeepInside{mask_.data(), v.data(), out.data()});
}

void NodeGrid::set_outside(double factor, const ConstVectorView& v, const VectorView& out) const {
  if (!has_mask()) return;
  for_nodes(default_space(), "node_grid::set_outside", rows_,
            detail::SetOutside{mask_.data(), factor, v.data(), out.data()});
}

Grid NodeGrid::as_cells() const {
  Grid grid;
  grid.dimension = dimension_;
  for (int a = 0; a < dimension_; ++a) {
    grid.cells[a] = cells_[a] - 1;
    grid.spacing[a] = spacing_[a];
    grid.origin[a] = 0.5 * spacing_[a];
  }
  return grid;
}

Box NodeGrid::cells_box() const {
  Box box;
  for (int a = 0; a < dimension_; ++a) {
    box.begin[a] = rows_.begin[a] - 1;
    box.end[a] = box.begin[a] + rows_.n[a];
  }
  return box;
}

GridPartition NodeGrid::inner_nodes() const {
  const Grid grid = as_cells();
  if (communicator().size() == 1) return GridPartition(grid);
  std::array<std::vector<Index>, 3> cuts;
  for (int a = 0; a < 3; ++a) cuts[a] = {0, grid.cells[a]};
  std::vector<Index>& last = cuts[dimension_ - 1];
  last = all_->cuts()[dimension_ - 1];
  for (Index& cut : last) cut = std::clamp<Index>(cut - 1, 0, cells_[dimension_ - 1] - 1);
  last.back() = cells_[dimension_ - 1] - 1;
  return GridPartition(grid, communicator(), cuts);
}

template <class T>
void NodeGrid::fetch_neighbours(const Kokkos::View<T*, MemSpace>& padded) const {
  if (halo_ == nullptr) return;
  Kokkos::fence("node_grid::fetch_neighbours");
  halo_->fetch<T>(Kokkos::View<const T*, MemSpace>(padded), padded);
}

template void NodeGrid::fetch_neighbours(const Kokkos::View<float*, MemSpace>&) const;
template void NodeGrid::fetch_neighbours(const Kokkos::View<double*, MemSpace>&) const;

void NodeGrid::pad(const ConstVectorView& v, const VectorView& padded) const {
  for_nodes(default_space(), "node_grid::pad", rows_, detail::PadNodes{v.data(), padded.data()});
}

void NodeGrid::unpad(const ConstVectorView& padded, const VectorView& v) const {
  for_nodes(default_space(), "node_grid::unpad", rows_,
            detail::UnpadNodes{padded.data(), v.data()});
}

}  // namespace libsolve
