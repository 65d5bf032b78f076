#include "rank_setup.hpp"

#include <algorithm>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "box_cubes.hpp"
#include "split_grid.hpp"

namespace multigrid {
namespace {

using libsolve::Communicator;
using libsolve::Grid;
using libsolve::StencilOperator;
using Cuts = std::array<std::vector<libsolve::Index>, 3>;

// ---- boxes --------------------------------------------------------------------------------------

Grid grid_of(const std::array<int, 3>& n) {
  Grid grid;
  for (int a = 0; a < 3; ++a) grid.cells[a] = n[a];
  return grid;
}

std::array<int, 3> cells_of(const Box& box) { return {box.cells(0), box.cells(1), box.cells(2)}; }

int count(const std::array<int, 3>& processes) {
  return processes[0] * processes[1] * processes[2];
}

bool is_whole(const GridPartition& parts) { return count(parts.processes()) == 1; }

GridPartition on_one_rank(const Grid& grid, const Communicator& comm) {
  return GridPartition(
      grid, comm, Cuts{{{0, grid.cells[0]}, {0, grid.cells[1]}, {0, grid.cells[2]}}}, comm.size());
}

/// The same cells in boxes that can be halved and are not too thin, on fewer ranks where it must
/// be. Cuts at even numbers: a pair of cells that becomes one is not separated.
GridPartition fit(const GridPartition& parts) {
  const Grid& grid = parts.grid();
  std::array<int, 3> processes = parts.processes();
  bool fits = true;
  for (int a = 0; a < 3; ++a) {
    const auto& cuts = parts.cuts()[a];
    libsolve::Index thinnest = grid.cells[a];
    bool even = true;
    for (size_t c = 1; c < cuts.size(); ++c) {
      thinnest = std::min(thinnest, cuts[c] - cuts[c - 1]);
      even = even && (c + 1 == cuts.size() || cuts[c] % 2 == 0);
    }
    if (processes[a] == 1) continue;
    // Boxes of a sixteenth less than even parts come with cuts at powers of two.
    if (even && thinnest >= fewest_cells - fewest_cells / 8) continue;
    fits = false;
    while (processes[a] > 1 && grid.cells[a] / processes[a] < fewest_cells)
      processes[a] = (processes[a] + 1) / 2;
  }
  if (fits) return parts;
  if (count(processes) == 1) return on_one_rank(grid, parts.communicator());
  Cuts cuts;
  for (int a = 0; a < 3; ++a) cuts[a] = GridPartition::even_cuts(grid.cells[a], processes[a]);
  return GridPartition(grid, parts.communicator(), cuts,
                       parts.communicator().size() / count(processes));
}

int halved_length(int n) { return (n + 1) / 2; }

/// The coarse cells of a box; its ends lie at even numbers or at the end of the grid.
Box halved_box(const Box& box, const std::array<bool, 3>& halved) {
  Box coarse = box;
  for (int a = 0; a < 3; ++a)
    if (halved[a]) {
      coarse.begin[a] = box.begin[a] / 2;
      coarse.end[a] = halved_length(box.end[a]);
    }
  return coarse;
}

GridPartition halved_partition(const GridPartition& parts, const std::array<bool, 3>& halved) {
  Grid grid = parts.grid();
  Cuts cuts = parts.cuts();
  for (int a = 0; a < 3; ++a) {
    if (!halved[a]) continue;
    grid.cells[a] = halved_length(grid.cells[a]);
    for (auto& c : cuts[a]) c = halved_length(c);
  }
  return GridPartition(grid, parts.communicator(), cuts, parts.stride());
}

/// Axes of one cell moved as split_grid.hpp does; cells keep their numbers, and so do rows.
GridPartition squeezed(const GridPartition& parts) {
  Shape shape;
  for (int a = 0; a < 3; ++a) shape.n[a] = parts.grid().cells[a];
  const auto axis = squeezed_axes(shape);
  Cuts cuts;
  for (int a = 0; a < 3; ++a) {
    if (axis[a] >= 0)
      cuts[a] = parts.cuts()[axis[a]];
    else
      cuts[a] = {0, 1};
  }
  return GridPartition(grid_of(squeezed(shape).n), parts.communicator(), cuts, parts.stride());
}

/// One colour of one sweep moves what is wrong by one cell, and red and black are two; kept even, so
/// that colours and pairs of cells are those of the whole grid.
int cells_around(int pre_sweeps, int post_sweeps) { return 2 * (pre_sweeps + post_sweeps); }

// ---- coefficients on their way to the next boxes ------------------------------------------------

/// What `halo` fetches from an array over its source; an empty one stands for zeros.
template <class Real>
View<Real> moved(const View<Real>& values, const Box& from_box, const GridHalo& halo) {
  const View<Real> source =
      values.extent(0) != 0
          ? values
          : View<Real>("multigrid::source", std::size_t(from_box.num_cells()));
  const View<Real> to("multigrid::moved", std::size_t(halo.box().num_cells()));
  halo.fetch<Real>(source, to);
  return to;
}

template <class Real>
struct ZeroEnd {
  Real* face;
  int n, inner;  // cells along the axis; cells before it
  KOKKOS_INLINE_FUNCTION void operator()(libsolve::Index line) const {
    face[line % inner + std::ptrdiff_t(inner) * (n - 1) +
         std::ptrdiff_t(inner) * n * (line / inner)] = Real(0);
  }
};

/// What all ranks know of the operator on one grid, whether they have cells of it or not.
struct GridFacts {
  bool is_constant = true;
  bool has_mass = false;
  std::array<double, 3> last_width{1, 1, 1};
};

/// The constant operator on a box: sides inside the grid have no walls.
template <class Real>
LevelOperator<Real> on_box(const LevelOperator<Real>& whole, const Box& box) {
  LevelOperator<Real> op = whole;
  op.shape.n = cells_of(box);
  for (int a = 0; a < 3; ++a) {
    if (box.begin[a] > 0) op.side[a][0] = 0.0;
    if (box.end[a] < whole.shape.n[a]) {
      op.side[a][1] = 0.0;
      op.last_width[a] = 1.0;
    }
  }
  return op;
}

template <class Real>
LevelOperator<Real> moved(const LevelOperator<Real>& op, const GridFacts& facts,
                          const GridPartition& from, const Box& from_box, const GridPartition& next,
                          const Box& box) {
  const GridHalo halo(from, box, from_box);
  LevelOperator<Real> out;
  out.shape.n = cells_of(box);
  out.is_constant = false;
  for (int a = 0; a < 3; ++a) {
    out.face[a] = moved(op.face[a], from_box, halo);
    const bool at_end = box.end[a] == next.grid().cells[a];
    out.last_width[a] = at_end ? facts.last_width[a] : 1.0;
    if (at_end || box.num_cells() == 0) continue;
    int inner = 1;
    for (int b = 0; b < a; ++b) inner *= out.shape.n[b];
    libsolve::for_rows(libsolve::default_space(), "multigrid::zero_end",
                       libsolve::Index(out.shape.size() / out.shape.n[a]),
                       ZeroEnd<Real>{out.face[a].data(), out.shape.n[a], inner});
  }
  out.wall = moved(op.wall, from_box, halo);
  if (facts.has_mass) out.mass = moved(op.mass, from_box, halo);
  return out;
}

template <class Real>
BoxElements<Real> moved(const BoxElements<Real>& elements, const GridPartition& from,
                        const Box& from_box, const Box& box) {
  const GridHalo halo(from, box, from_box);
  BoxElements<Real> out;
  out.n = cells_of(box);
  out.stride = box::rounded_up(out.n[0] + 1, 8);
  const auto rows = [](const std::array<int, 3>& n) { return std::ptrdiff_t(n[1]) * n[2]; };
  out.values = box::host_zeros<Real>(rows(out.n) * box::num_pairs * out.stride + box::tail);
  const View<Real> all("multigrid::element", std::size_t(from_box.num_cells()));
  const auto host = Kokkos::create_mirror_view(all);
  for (int p = 0; p < box::num_pairs; ++p) {
    const int nx = from_box.cells(0);
    if (elements.values.extent(0) != 0)
      for (std::ptrdiff_t r = 0; r < rows(elements.n); ++r) {
        const Real* source = elements.values.data() + (r * box::num_pairs + p) * elements.stride;
        std::copy(source, source + nx, host.data() + r * nx);
      }
    Kokkos::deep_copy(all, host);
    const auto got = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(),
                                                         moved(all, from_box, halo));
    for (std::ptrdiff_t r = 0; box.num_cells() > 0 && r < rows(out.n); ++r)
      std::copy(got.data() + r * out.n[0], got.data() + (r + 1) * out.n[0],
                out.values.data() + (r * box::num_pairs + p) * out.stride);
  }
  return out;
}

/// Whether any rank's operator has mass; then all that have cells get the array.
template <class Real>
bool share_mass(LevelOperator<Real>& op, const Communicator& comm) {
  const bool any = comm.any(op.mass.extent(0) != 0);
  if (any && op.mass.extent(0) == 0 && op.wall.extent(0) != 0)
    op.mass = View<Real>("multigrid::mass", op.wall.extent(0));
  return any;
}

}  // namespace

GridPartition renumbered(const GridPartition& parts, const GridPartition& like) {
  return parts.grid().cells == like.grid().cells ? parts : squeezed(parts);
}

template <class Real>
RankCycle<Real> build_rank_hierarchy(const StencilOperator& A, const CoarseningChoice& choice,
                                     const HierarchyOptions& options) {
  const Communicator& comm = A.row_partition().communicator();
  const int width = cells_around(options.smoothing.pre_sweeps, options.smoothing.post_sweeps);
  GridPartition parts = fit(A.grid_partition());
  Box box = parts.extended(width);
  RankCycle<Real> cycle{parts, box, {}};

  GridFacts facts;
  facts.is_constant = A.is_constant();
  LevelOperator<Real> whole;  // constant coefficients: known to all
  LevelOperator<Real> op;
  if (facts.is_constant) {
    whole = constant_operator<Real>(A.grid(), A.constant(),
                                    power_of_two_near(choice.largest_coupling));
    op = on_box(whole, box);
  } else {
    const auto part = A.on_box(box);
    if (part) op = finest_operator<Real>(*part, choice.largest_coupling).op;
    facts.has_mass = share_mass(op, comm);
  }

  while (!is_whole(parts) && parts.grid().num_cells() > options.coarse_size) {
    const std::array<int, 3> n = {parts.grid().cells[0], parts.grid().cells[1],
                                  parts.grid().cells[2]};
    std::array<double, 3> strength{0, 0, 0};
    if (facts.is_constant) {
      strength = axis_strengths(whole);
    } else {
      if (box.num_cells() > 0) strength = axis_strengths(op);
      comm.sum(strength);
    }
    const CoarsenAxes axes = halved_axes({n}, strength, options.semi_coarsening);
    const GridPartition coarse = halved_partition(parts, axes);
    const GridPartition next = coarse.grid().num_cells() > options.coarse_size
                                   ? fit(coarse)
                                   : on_one_rank(coarse.grid(), comm);
    const Box coarse_box = halved_box(box, axes);
    const Box next_box = next.extended(width);
    const bool has_cells = box.num_cells() > 0;
    auto level = has_cells ? make_pc_level<Real>(op, axes, options.smoothing) : nullptr;

    // Constant coefficients stay so where the whole grid's do.
    bool stays_constant = facts.is_constant;
    for (int a = 0; a < 3; ++a) stays_constant = stays_constant && (!axes[a] || n[a] % 2 == 0);
    if (stays_constant) {
      whole = coarsen(whole, axes, options.strength);
      op = on_box(whole, next_box);
    } else {
      LevelOperator<Real> below;
      if (has_cells) below = coarsen(op, axes, options.strength, false);
      facts.has_mass = share_mass(below, comm);
      facts.is_constant = false;
      for (int a = 0; a < 3; ++a)
        if (axes[a])
          facts.last_width[a] = (n[a] % 2 != 0 ? facts.last_width[a] : 1 + facts.last_width[a]) / 2;
      op = moved(below, facts, coarse, coarse_box, next, next_box);
    }
    cycle.hierarchy.add(std::move(level), repeats({n}, axes), coarse, coarse_box, next, next_box);
    parts = next;
    box = next_box;
  }
  if (!is_whole(parts)) {  // a grid that is small enough for the direct solver
    const GridPartition one = on_one_rank(parts.grid(), comm);
    cycle.finest = one;
    cycle.box = one.own();
    const auto part = A.on_box(one.own());
    if (part) op = finest_operator<Real>(*part, choice.largest_coupling).op;
    parts = one;
  }
  if (parts.own().num_cells() > 0) cycle.hierarchy.set_bottom(build_hierarchy<Real>(op, options));
  return cycle;
}

template <class Real>
RankCycle<Real> build_rank_box_hierarchy(const StencilOperator& A, const CoarseningChoice& choice,
                                         const BoxOptions& options) {
  const Communicator& comm = A.row_partition().communicator();
  const int width = cells_around(options.smoothing.pre_sweeps, options.smoothing.post_sweeps);
  const GridPartition given = fit(A.grid_partition());
  auto part = A.on_box(given.extended(width));
  GridPartition parts = squeezed(given);
  Box box = parts.extended(width);
  RankCycle<Real> cycle{parts, box, {}};
  const bool is_one_rank = is_whole(parts);

  // The finest level, from coefficients of any storage.
  const double scale = 1.0 / power_of_two_near(choice.largest_coupling);
  std::array<double, 3> strength = {0, 0, 0};
  LevelOperator<Real> stored;
  if (part && part->is_constant())
    stored = expanded(multigrid::squeezed(finest_operator<Real>(*part, choice.largest_coupling).op));
  if (is_one_rank) {
    if (part)
      cycle.hierarchy.set_bottom(
          part->is_constant()
              ? build_box_hierarchy<Real>(natural_operator(stored), 1.0, options)
              : build_box_hierarchy<Real>(natural_operator(*part), scale, options));
    return cycle;
  }
  SplitOperator<Real> fine;
  if (part && part->is_constant()) {
    strength = axis_strengths(natural_operator(stored));
    fine = split_operator<Real>(natural_operator(stored));
  } else if (part) {
    strength = axis_strengths(natural_operator(*part));
    fine = split_operator<Real>(natural_operator(*part), scale);
  }
  comm.sum(strength);
  part.reset();  // the levels have what they need of it

  BoxOperator<Real> op;
  BoxElements<Real> elements;
  for (bool finest = true; !is_whole(parts); finest = false) {
    const std::array<int, 3> n = {parts.grid().cells[0], parts.grid().cells[1],
                                  parts.grid().cells[2]};
    const bool has_cells = box.num_cells() > 0;
    if (!finest) {
      strength = has_cells ? axis_strengths(op) : std::array<double, 3>{0, 0, 0};
      comm.sum(strength);
    }
    auto halved = strong_axes(n, strength, options.semi_coarsening);
    if (!halved[0] && !halved[1] && !halved[2]) halved = coarsen_all({n});  // nothing is coupled
    const GridPartition coarse = halved_partition(parts, halved);
    const GridPartition next = coarse.grid().num_cells() > options.direct_size
                                   ? fit(coarse)
                                   : on_one_rank(coarse.grid(), comm);
    const Box coarse_box = halved_box(box, halved);
    const Box next_box = next.extended(width);
    BoxCoarse<Real> below;
    std::unique_ptr<Level<Real>> level;
    if (has_cells && finest) {
      below = coarsen_box(fine, halved);
      level = make_box_fine_level(fine, below.weights, options.smoothing);
      fine = {};
    } else if (has_cells) {
      below = coarsen_box(op, elements, halved);
      level = make_box_level(op, below.weights, options.smoothing);
    }
    below.op = {};
    elements = moved(below.elements, coarse, coarse_box, next_box);
    if (next_box.num_cells() > 0) op = assemble(elements);
    const bool twice =
        !finest && repeats(parts.grid().num_cells(), coarse.grid().num_cells());
    cycle.hierarchy.add(std::move(level), twice, coarse, coarse_box, next, next_box);
    parts = next;
    box = next_box;
  }
  if (parts.own().num_cells() > 0) {
    auto bottom = std::make_unique<Hierarchy<Real>>();
    add_box_levels(*bottom, std::move(op), std::move(elements), options);
    cycle.hierarchy.set_bottom(std::move(bottom));
  }
  return cycle;
}

template <class Real>
RankCycle<Real> build_rank_pieces_hierarchy(const StencilOperator& A,
                                            const CoarseningChoice& choice,
                                            const PieceOptions& options,
                                            const GridSmoothing& smoothing) {
  if (A.grid().num_cells() > std::numeric_limits<libsolve::Index>::max())
    throw libsolve::Unsupported(
        "multigrid puts levels of connected pieces on one rank, which cannot hold " +
        std::to_string(A.grid().num_cells()) +
        " cells; use coarsening = \"operator-dependent\"");
  const GridPartition one = on_one_rank(A.grid(), A.row_partition().communicator());
  RankCycle<Real> cycle{one, one.own(), {}};
  const auto whole = A.on_box(one.own());
  if (whole)
    cycle.hierarchy.set_bottom(build_pieces_hierarchy<Real>(
        finest_operator<Real>(*whole, choice.largest_coupling).op, options, smoothing));
  return cycle;
}

#define MULTIGRID_INSTANTIATE(Real)                                                           \
  template RankCycle<Real> build_rank_hierarchy(const StencilOperator&, const CoarseningChoice&, \
                                                const HierarchyOptions&);                     \
  template RankCycle<Real> build_rank_box_hierarchy(                                          \
      const StencilOperator&, const CoarseningChoice&, const BoxOptions&);                    \
  template RankCycle<Real> build_rank_pieces_hierarchy(                                       \
      const StencilOperator&, const CoarseningChoice&, const PieceOptions&, const GridSmoothing&);
MULTIGRID_INSTANTIATE(float)
MULTIGRID_INSTANTIATE(double)

}  // namespace multigrid
