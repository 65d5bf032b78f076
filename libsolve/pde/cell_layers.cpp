#include <libsolve/core/errors.hpp>
#include <libsolve/core/large_array.hpp>
#include <libsolve/pde/cell_layers.hpp>

namespace libsolve {

CellLayers::CellLayers(const GridPartition& parts)
    : own_(parts.own()),
      padded_(parts.extended(1)),
      num_cells_(static_cast<Index>(own_.num_cells())),
      num_padded_(static_cast<Index>(padded_.num_cells())) {
  Index stride = 1;
  for (int a = 0; a < 3; ++a) {
    neighbours_.n[a] = std::max<Index>(1, own_.cells(a));
    neighbours_.begin[a] = own_.begin[a];
    neighbours_.total[a] = parts.grid().cells[a];
    neighbours_.stride[a] = stride;
    neighbours_.first += (own_.begin[a] - padded_.begin[a]) * stride;
    stride *= padded_.cells(a);
  }
  if (parts.communicator().size() > 1) halo_ = std::make_shared<const GridHalo>(parts, 1);
}

int CellLayers::functions_in(const ConstVectorView& v) const {
  const auto size = static_cast<Index>(v.extent(0));
  if (num_cells_ == 0 || size % num_cells_ != 0)
    throw ShapeError(std::to_string(size) + " values are no whole number of functions on " +
                     std::to_string(num_cells_) + " cells");
  return static_cast<int>(size / num_cells_);
}

ConstVectorView CellLayers::with_neighbours(const ConstVectorView& v, VectorView& room) const {
  if (halo_ == nullptr) return v;
  const auto functions = static_cast<std::size_t>(functions_in(v));
  const auto n = static_cast<std::size_t>(num_cells_),
             padded = static_cast<std::size_t>(num_padded_);
  if (room.extent(0) < functions * padded)
    room = bare_array<double>("cell_layers::padded", functions * padded);
  Kokkos::fence("cell_layers::with_neighbours");
  for (std::size_t s = 0; s < functions; ++s)
    halo_->fetch<double>(Kokkos::subview(v, std::make_pair(s * n, (s + 1) * n)),
                         Kokkos::subview(room, std::make_pair(s * padded, (s + 1) * padded)));
  return room;
}

}  // namespace libsolve
