// What a StencilOperator does beyond the cuts between ranks: a coupling T to a cell u of another
// rank is T u_c in the rank's own part (as a wall link is) and -T u that comes through the halo.
#include <algorithm>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/large_array.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/core/together.hpp>
#include <libsolve/linear/csr_matrix.hpp>
#include <libsolve/linear/detail/stencil_interface.hpp>
#include <libsolve/linear/grid_halo.hpp>

namespace libsolve {
namespace detail {

using Side = StencilOperator::Interface::Side;

/// Local index of cell i of a side's plane.
KOKKOS_INLINE_FUNCTION Index cell_of(const Side& s, Index i) {
  return s.first_cell + (i % s.size[0]) * s.stride[0] + (i / s.size[0]) * s.stride[1];
}

struct SubtractGhosts {
  Side side;
  const double* coupling;
  const double* ghost;
  const double* x;
  double* y;
  KOKKOS_FUNCTION void operator()(Index i, double& sum) const {
    const Index c = cell_of(side, i);
    const double change = -(coupling != nullptr ? coupling[i] : side.constant) * ghost[i];
    y[c] += change;
    sum += x[c] * change;
  }
};

struct SubtractGhostsOnly {
  Side side;
  const double* coupling;
  const double* ghost;
  double* y;
  KOKKOS_FUNCTION void operator()(Index i) const {
    y[cell_of(side, i)] -= (coupling != nullptr ? coupling[i] : side.constant) * ghost[i];
  }
};

struct AddCouplings {
  Side side;
  const double* coupling;
  double* to;
  KOKKOS_FUNCTION void operator()(Index i) const {
    to[cell_of(side, i)] += coupling != nullptr ? coupling[i] : side.constant;
  }
};

/// The plane's faces go to a place of their own and become 0.
struct TakeFaces {
  Side side;
  double* face;
  double* coupling;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const Index c = cell_of(side, i);
    coupling[i] = face[c];
    face[c] = 0.0;
  }
};

struct PutFaces {
  Side side;
  const double* coupling;
  double* face;
  KOKKOS_FUNCTION void operator()(Index i) const { face[cell_of(side, i)] = coupling[i]; }
};

struct CheckCouplings {
  const double* coupling;
  KOKKOS_FUNCTION void operator()(Index i, double& wrong) const {
    if (!(coupling[i] >= 0.0) || !Kokkos::isfinite(coupling[i])) wrong += 1.0;
  }
};

/// Line `line` of the cells along an axis: its last face becomes 0.
struct ZeroLastFace {
  double* face;
  Index n, inner;  ///< cells along the axis; cells before it
  KOKKOS_FUNCTION void operator()(Index line) const {
    face[line % inner + GlobalIndex{inner} * (n - 1) + GlobalIndex{inner} * n * (line / inner)] =
        0.0;
  }
};

void zero_last_faces(const Grid& grid, int axis, const VectorView& face) {
  Index inner = 1;
  for (int a = 0; a < axis; ++a) inner *= grid.cells[a];
  for_rows(default_space(), "stencil::zero_last_faces",
           static_cast<Index>(grid.num_cells() / grid.cells[axis]),
           ZeroLastFace{face.data(), grid.cells[axis], inner});
}

struct MaskToNumber {
  const unsigned char* mask;
  double* number;
  KOKKOS_FUNCTION void operator()(Index c) const { number[c] = mask[c]; }
};

struct NumberToMask {
  const double* number;
  unsigned char* mask;
  KOKKOS_FUNCTION void operator()(Index c) const {
    mask[c] = static_cast<unsigned char>(number[c]);
  }
};

std::vector<Side> cut_sides(const GridPartition& grid, std::vector<GlobalIndex>& beyond) {
  std::vector<Side> sides;
  const Box& own = grid.own();
  const auto inner = inner_sides(grid);
  const Index stride[3] = {1, own.cells(0), own.cells(0) * own.cells(1)};
  for (int a = 0; a < 3; ++a)
    for (int end = 0; end < 2; ++end) {
      if (!inner[a][end]) continue;
      const int u = a == 0 ? 1 : 0;
      const int v = a == 2 ? 1 : 2;
      Side side;
      side.axis = a;
      side.end = end;
      side.first_cell = end == 0 ? 0 : (own.cells(a) - 1) * stride[a];
      side.size[0] = own.cells(u);
      side.size[1] = own.cells(v);
      side.stride[0] = stride[u];
      side.stride[1] = stride[v];
      side.first_ghost = static_cast<Index>(beyond.size());
      Box plane = own;
      plane.begin[a] = end == 0 ? own.begin[a] - 1 : own.end[a];
      plane.end[a] = plane.begin[a] + 1;
      const auto rows = grid.rows(plane);
      beyond.insert(beyond.end(), rows.begin(), rows.end());
      sides.push_back(side);
    }
  return sides;
}

double subtract_ghosts(const StencilOperator::Interface& interface, const double* x, double* y) {
  double sum = 0.0;
  for (const Side& s : interface.sides) {
    const double* ghost = interface.ghosts.data() + s.first_ghost;
    if (x == nullptr) {
      for_rows(default_space(), "stencil::ghosts", s.num_cells(),
               SubtractGhostsOnly{s, s.coupling.data(), ghost, y});
      continue;
    }
    sum += reduce_rows<Sums<1>>(default_space(), "stencil::ghosts", s.num_cells(),
                                SubtractGhosts{s, s.coupling.data(), ghost, x, y})
               .value[0];
  }
  return sum;
}

void add_couplings(const StencilOperator::Interface& interface, double* to) {
  for (const Side& s : interface.sides)
    for_rows(default_space(), "stencil::couplings", s.num_cells(),
             AddCouplings{s, s.coupling.data(), to});
}

}  // namespace detail

namespace {

/// The rank's box as a grid of its own.
Grid grid_of(const Grid& whole, const Box& box) {
  Grid grid = whole;
  for (int a = 0; a < 3; ++a) {
    grid.cells[a] = std::max<Index>(1, box.cells(a));
    grid.origin[a] += whole.spacing[a] * box.begin[a];
  }
  return grid;
}

VectorView allocate(const char* label, GlobalIndex n) {
  return bare_array<double>(label, static_cast<size_t>(n));
}

}  // namespace

StencilOperator::StencilOperator(const GridPartition& grid, Constant coefficients)
    : parts_(detail::checked(grid)), is_constant_(true), constant_(coefficients) {
  check_constant();
  local_grid_ = grid_of(parts_.grid(), parts_.own());
  local_constant_ = constant_;
  if (parts_.communicator().size() == 1) return;
  auto interface = std::make_unique<Interface>();
  std::vector<GlobalIndex> beyond;
  interface->sides = detail::cut_sides(parts_, beyond);
  for (Interface::Side& s : interface->sides) {
    s.constant = constant_.coupling[s.axis];
    local_constant_.wall[s.axis][s.end] = s.constant;
  }
  interface->halo = Halo(parts_.partition(), beyond);
  interface->ghosts = VectorView("stencil::ghosts", beyond.size());
  interface_ = std::move(interface);
}

StencilOperator::StencilOperator(const GridPartition& grid, Variable coefficients)
    : parts_(detail::checked(grid)), is_constant_(false), variable_(std::move(coefficients)) {
  local_grid_ = grid_of(parts_.grid(), parts_.own());
  together(parts_.communicator(), [&] { check_lengths(); });
  std::unique_ptr<Interface> interface;
  if (parts_.communicator().size() > 1) {
    interface = std::make_unique<Interface>();
    std::vector<GlobalIndex> beyond;
    interface->sides = detail::cut_sides(parts_, beyond);
    interface->halo = Halo(parts_.partition(), beyond);
    interface->ghosts = VectorView("stencil::ghosts", beyond.size());
    // Those to the next rank are here; those to the one before are the next ones of its cells.
    for (int a = 0; a < 3; ++a) {
      if (parts_.grid().cells[a] == 1) continue;
      interface->halo.fetch<double>(variable_.face[a], interface->ghosts);
      for (Interface::Side& s : interface->sides) {
        if (s.axis != a) continue;
        s.coupling = VectorView("stencil::coupling", static_cast<size_t>(s.num_cells()));
        const Index first = s.first_ghost;
        if (s.end == 0)
          Kokkos::deep_copy(s.coupling,
                            Kokkos::subview(interface->ghosts,
                                            std::pair<Index, Index>(first, first + s.num_cells())));
        else
          for_rows(default_space(), "stencil::take_faces", s.num_cells(),
                   detail::TakeFaces{s, variable_.face[a].data(), s.coupling.data()});
      }
    }
    double wrong = 0.0;
    for (const Interface::Side& s : interface->sides)
      wrong += reduce_rows<Sums<1>>(default_space(), "stencil::check_couplings", s.num_cells(),
                                    detail::CheckCouplings{s.coupling.data()})
                   .value[0];
    if (parts_.communicator().sum(wrong) > 0.0)
      throw DataError("couplings across the cuts between ranks must be finite and not negative");
  }
  together(parts_.communicator(), [&] { check_end_faces(); });
  local_variable_ = variable_;
  if (!interface) return;
  local_variable_.excess = allocate("stencil::local_excess", parts_.partition().local_size());
  Kokkos::deep_copy(local_variable_.excess, variable_.excess);
  detail::add_couplings(*interface, local_variable_.excess.data());
  interface_ = std::move(interface);
}

std::shared_ptr<CsrMatrix> StencilOperator::assemble_with_ghosts() const {
  const auto block = is_constant_ ? StencilOperator(local_grid_, local_constant_).assemble()
                                  : StencilOperator(local_grid_, local_variable_).assemble();
  const Kokkos::HostSpace host;
  const auto first = Kokkos::create_mirror_view_and_copy(host, block->row_pointers());
  const auto column = Kokkos::create_mirror_view_and_copy(host, block->columns());
  const auto value = Kokkos::create_mirror_view_and_copy(host, block->values());
  const Index num_rows = parts_.partition().local_size();

  // What each row gets from beyond the cuts.
  std::vector<GlobalIndex> beyond;
  detail::cut_sides(parts_, beyond);
  std::vector<GlobalIndex> count(static_cast<size_t>(num_rows) + 1, 0);
  const auto for_ghosts = [&](const auto& use) {
    for (const Interface::Side& s : interface_->sides) {
      const auto coupling = Kokkos::create_mirror_view_and_copy(host, s.coupling);
      for (Index i = 0; i < s.num_cells(); ++i) {
        const double t = s.coupling.extent(0) != 0 ? coupling(i) : s.constant;
        if (t != 0.0) use(detail::cell_of(s, i), beyond[static_cast<size_t>(s.first_ghost + i)], -t);
      }
    }
  };
  for_ghosts([&](Index row, GlobalIndex, double) { ++count[static_cast<size_t>(row) + 1]; });
  for (Index i = 0; i < num_rows; ++i)
    count[static_cast<size_t>(i) + 1] += count[static_cast<size_t>(i)] + first(i + 1) - first(i);
  const auto total = static_cast<size_t>(count.back());
  const Kokkos::View<GlobalIndex*, MemSpace> row_pointers("stencil::row_pointers", count.size());
  const Kokkos::View<GlobalIndex*, MemSpace> columns("stencil::columns", total);
  const VectorView values("stencil::values", total);
  const auto p = Kokkos::create_mirror_view(row_pointers);
  const auto c = Kokkos::create_mirror_view(columns);
  const auto v = Kokkos::create_mirror_view(values);
  std::copy(count.begin(), count.end(), p.data());
  const GlobalIndex first_row = parts_.partition().first_row();
  for (Index i = 0; i < num_rows; ++i) {
    GlobalIndex& at = count[static_cast<size_t>(i)];
    for (GlobalIndex e = first(i); e < first(i + 1); ++e, ++at) {
      c(at) = first_row + column(e);
      v(at) = value(e);
    }
  }
  for_ghosts([&](Index row, GlobalIndex ghost, double t) {
    const GlobalIndex at = count[static_cast<size_t>(row)]++;
    c(at) = ghost;
    v(at) = t;
  });
  Kokkos::deep_copy(row_pointers, p);
  Kokkos::deep_copy(columns, c);
  Kokkos::deep_copy(values, v);
  return std::make_shared<CsrMatrix>(parts_.partition(), parts_.partition(), row_pointers, columns,
                                     values);
}

std::shared_ptr<StencilOperator> StencilOperator::on_box(const Box& box) const {
  const Grid grid = grid_of(parts_.grid(), box);
  const bool is_empty = box.num_cells() == 0;
  if (is_constant_) {
    if (is_empty) return nullptr;
    Constant c = constant_;
    for (int a = 0; a < 3; ++a) {
      if (box.begin[a] > 0) c.wall[a][0] = 0.0;
      if (box.end[a] < parts_.grid().cells[a]) c.wall[a][1] = 0.0;
    }
    return std::make_shared<StencilOperator>(grid, c);
  }
  const GridHalo halo(parts_, box);
  Variable v;
  const auto fetched = [&](const VectorView& own, const char* label) {
    const VectorView all = allocate(label, box.num_cells());
    halo.fetch<double>(own, all);
    return all;
  };
  for (int a = 0; a < 3; ++a) {
    if (parts_.grid().cells[a] == 1) continue;
    // with the faces that the constructor took out
    VectorView face = variable_.face[a];
    if (interface_) {
      face = allocate("stencil::face", parts_.partition().local_size());
      Kokkos::deep_copy(face, variable_.face[a]);
      for (const Interface::Side& s : interface_->sides)
        if (s.axis == a && s.end == 1)
          for_rows(default_space(), "stencil::put_faces", s.num_cells(),
                   detail::PutFaces{s, s.coupling.data(), face.data()});
    }
    v.face[a] = fetched(face, "stencil::face");
    // nothing lies beyond the box
    if (!is_empty && box.end[a] < parts_.grid().cells[a])
      detail::zero_last_faces(grid, a, v.face[a]);
  }
  v.excess = fetched(variable_.excess, "stencil::excess");
  if (parts_.communicator().any(variable_.solid.extent(0) != 0)) {
    const VectorView solid("stencil::solid", static_cast<size_t>(parts_.partition().local_size()));
    for_rows(default_space(), "stencil::solid", static_cast<Index>(variable_.solid.extent(0)),
             detail::MaskToNumber{variable_.solid.data(), solid.data()});
    const VectorView all = fetched(solid, "stencil::solid");
    const Kokkos::View<unsigned char*, MemSpace> mask("stencil::solid", all.extent(0));
    for_rows(default_space(), "stencil::solid", static_cast<Index>(all.extent(0)),
             detail::NumberToMask{all.data(), mask.data()});
    v.solid = mask;
  }
  if (is_empty) return nullptr;
  return std::make_shared<StencilOperator>(grid, v);
}

}  // namespace libsolve
