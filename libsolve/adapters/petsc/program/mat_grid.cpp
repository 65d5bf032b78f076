// Entries of a matrix as faces and excess of a grid operator. All passes run over the rows of the
// rank on the host, in place on PETSc's arrays; what lies beyond a cut comes by a scatter.
#include <algorithm>
#include <cmath>
#include <libsolve/adapters/petsc/program/grid_numbering.hpp>
#include <libsolve/core/large_array.hpp>
#include <limits>
#include <vector>

namespace libsolve::petsc {

namespace {

using Host = Kokkos::DefaultHostExecutionSpace;
template <class T>
using HostArray = Kokkos::View<T*, Kokkos::HostSpace>;
using HostPolicy = Kokkos::RangePolicy<Host, Kokkos::IndexType<Index>>;

/// What two numbers that should be equal may differ by, relative: a few sums of rounding.
constexpr double rounding = 1e-14;
/// Sums of rows, relative to the diagonal entry, that an approximation may take for 0.
constexpr double most_negative = 0.5;
constexpr Index none = std::numeric_limits<Index>::max();

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

/// Numbers of other ranks' rows that this rank's entries point at.
class Ghosts {
 public:
  Ghosts(Mat mat, const AijRows& rows) : num_(rows.num_others()), num_rows_(rows.num_rows()) {
    comm_ = PetscObjectComm(reinterpret_cast<PetscObject>(mat));
    if (!rows.has_others()) return;
    check(MatGetSize(mat, &num_all_, nullptr));
    IS which = nullptr;
    check(ISCreateGeneral(PETSC_COMM_SELF, num_, rows.global_columns(), PETSC_COPY_VALUES, &which));
    check(VecCreateMPIWithArray(comm_, 1, num_rows_, num_all_, nullptr, &all_));
    check(VecCreateSeq(PETSC_COMM_SELF, num_, &here_));
    check(VecScatterCreate(all_, which, here_, nullptr, &scatter_));
    check(ISDestroy(&which));
  }
  ~Ghosts() {
    if (scatter_ == nullptr) return;
    (void)VecScatterDestroy(&scatter_);
    (void)VecDestroy(&here_);
    (void)VecDestroy(&all_);
  }
  Ghosts(const Ghosts&) = delete;
  Ghosts& operator=(const Ghosts&) = delete;

  /// Collective.
  std::vector<double> of(const double* own) const {
    std::vector<double> values(static_cast<size_t>(num_), 0.0);
    if (scatter_ == nullptr) return values;
    check(VecPlaceArray(all_, own));
    check(VecScatterBegin(scatter_, all_, here_, INSERT_VALUES, SCATTER_FORWARD));
    check(VecScatterEnd(scatter_, all_, here_, INSERT_VALUES, SCATTER_FORWARD));
    check(VecResetArray(all_));
    const PetscScalar* data = nullptr;
    check(VecGetArrayRead(here_, &data));
    std::copy(data, data + num_, values.begin());
    check(VecRestoreArrayRead(here_, &data));
    return values;
  }

 private:
  MPI_Comm comm_ = MPI_COMM_NULL;
  PetscInt num_ = 0, num_rows_ = 0, num_all_ = 0;
  Vec all_ = nullptr, here_ = nullptr;
  VecScatter scatter_ = nullptr;
};

/// One entry off the diagonal.
struct Entry {
  int direction = -2;  ///< 2 a + 1 towards the next cell along axis a, 2 a towards the one before
  double value = 0.0;
  PetscInt own = -1;    ///< the neighbour's row here, or
  PetscInt ghost = -1;  ///< its place among the ghosts
};

/// This rank's box and its rows.
struct Rows {
  Index n[3] = {1, 1, 1};      ///< cells of the box
  Index begin[3] = {0, 0, 0};  ///< where it starts
  Index whole[3] = {1, 1, 1};  ///< cells of the grid
  Index stride[3] = {1, 1, 1};
  const GridPartition* parts = nullptr;
  AijRows::Block block, others;
  bool has_others = false;
  const PetscInt* global_columns = nullptr;
  GlobalIndex first = 0;

  Rows(const GridPartition& grid, const AijRows& entries)
      : parts(&grid),
        block(entries.own()),
        others(entries.others()),
        has_others(entries.has_others()),
        global_columns(entries.global_columns()),
        first(entries.first_column()) {
    Index s = 1;
    for (int a = 0; a < 3; ++a) {
      n[a] = grid.own().cells(a);
      begin[a] = grid.own().begin[static_cast<size_t>(a)];
      whole[a] = grid.grid().cells[static_cast<size_t>(a)];
      stride[a] = s;
      s *= n[a];
    }
  }
  Index count() const { return n[0] * n[1] * n[2]; }
  /// Position in the whole grid.
  void locate(Index c, Index* at) const {
    const Index row = c / n[0];
    at[0] = begin[0] + c - row * n[0];
    at[1] = begin[1] + row % n[1];
    at[2] = begin[2] + row / n[1];
  }
  int direction_here(Index c, const Index* at, PetscInt column) const {
    for (int a = 0; a < 3; ++a) {
      if (at[a] + 1 < begin[a] + n[a] && column == c + stride[a]) return 2 * a + 1;
      if (at[a] > begin[a] && column == c - stride[a]) return 2 * a;
    }
    return -2;
  }
  int direction_beyond(const Index* at, GlobalIndex column) const {
    for (int a = 0; a < 3; ++a)
      for (const int side : {0, 1}) {
        Index cell[3] = {at[0], at[1], at[2]};
        cell[a] += side == 1 ? 1 : -1;
        const bool is_beyond = side == 1 ? cell[a] == begin[a] + n[a] : cell[a] < begin[a];
        if (is_beyond && cell[a] >= 0 && cell[a] < whole[a] &&
            parts->row(cell[0], cell[1], cell[2]) == column)
          return 2 * a + side;
      }
    return -2;
  }
  /// Calls use(Entry) for each nonzero entry off the diagonal; returns the diagonal one.
  template <class Use>
  double visit(Index c, const Index* at, const Use& use) const {
    double diagonal = 0.0;
    for (PetscInt e = block.first[c]; e < block.first[c + 1]; ++e) {
      const double v = block.values[e];
      if (block.columns[e] == c)
        diagonal = v;
      else if (v != 0.0)
        use(Entry{direction_here(c, at, block.columns[e]), v, block.columns[e], -1});
    }
    if (has_others)
      for (PetscInt e = others.first[c]; e < others.first[c + 1]; ++e) {
        const PetscInt ghost = others.columns[e];
        if (others.values[e] != 0.0)
          use(Entry{direction_beyond(at, global_columns[ghost]), others.values[e], -1, ghost});
      }
    return diagonal;
  }
  std::string text(Index c) const {
    Index at[3];
    locate(c, at);
    return "row " + std::to_string(first + c) + " (point " + std::to_string(at[0]) + ", " +
           std::to_string(at[1]) + ", " + std::to_string(at[2]) + ")";
  }
};

/// Rows without any coupling; of the ghosts, too.
struct Solid {
  HostArray<double> own;  ///< 1 or 0
  std::vector<double> ghosts;
  bool at(const Entry& e) const {
    return e.own >= 0 ? own(e.own) != 0.0 : ghosts[static_cast<size_t>(e.ghost)] != 0.0;
  }
};

/// First pass: entries between neighbours only, their signs, and rows without any coupling.
struct Classify {
  Rows rows;
  HostArray<double> solid;

  /// "" or what is wrong with row c.
  std::string fault(Index c) const {
    Index at[3];
    rows.locate(c, at);
    std::string text;
    const double diagonal = rows.visit(c, at, [&](const Entry& e) {
      if (!text.empty()) return;
      if (!std::isfinite(e.value)) {
        text = " has an entry that is not finite";
      } else if (e.direction == -2) {
        text =
            " is coupled to row " +
            std::to_string(e.own >= 0 ? rows.first + e.own : rows.global_columns[e.ghost]) +
            ", which is no neighbour along an axis (periodic grids and stencils with corners are "
            "of this kind)";
      } else if (e.value > 0.0) {
        text = " has the positive off-diagonal entry " + number(e.value);
      }
    });
    if (text.empty() && !(diagonal > 0.0 && std::isfinite(diagonal)))
      text = " has no positive diagonal entry";
    return text.empty() ? text : rows.text(c) + text;
  }
  void operator()(Index c, Index& first_bad, Index& num_solid) const {
    Index at[3];
    rows.locate(c, at);
    bool has_coupling = false, is_bad = false;
    const double diagonal = rows.visit(c, at, [&](const Entry& e) {
      has_coupling = true;
      is_bad = is_bad || e.direction == -2 || !(e.value < 0.0) || !std::isfinite(e.value);
    });
    if (is_bad || !(diagonal > 0.0 && std::isfinite(diagonal))) first_bad = std::min(first_bad, c);
    solid(c) = has_coupling ? 0.0 : 1.0;
    if (!has_coupling) ++num_solid;
  }
};

/// Second pass: faces towards the next cells, and the excess. Couplings to solid cells belong to
/// the excess, as those to a wall do.
struct Fill {
  Rows rows;
  const Solid* solid;
  HostArray<double> face[3];
  HostArray<double> excess;

  void operator()(Index c, Index& first_bad, Index& num_dropped, Index& num_negative) const {
    Index at[3];
    rows.locate(c, at);
    double next[3] = {0.0, 0.0, 0.0};
    double sum = 0.0;
    const double diagonal = rows.visit(c, at, [&](const Entry& e) {
      if (solid->at(e)) {
        ++num_dropped;
        return;
      }
      sum -= e.value;
      if (e.direction % 2 == 1) next[e.direction / 2] = -e.value;
    });
    for (int a = 0; a < 3; ++a)
      if (rows.whole[a] > 1) face[a](c) = next[a];
    double e = diagonal - sum;
    if (std::abs(e) <= rounding * diagonal) e = 0.0;
    if (e < -most_negative * diagonal) {
      first_bad = std::min(first_bad, c);
    } else if (e < 0.0) {
      ++num_negative;
      e = 0.0;
    }
    excess(c) = e;
  }
};

/// Third pass: the entry towards the cell before is that cell's entry towards this one. Across cuts
/// the entries of both kinds are counted: they come in pairs.
struct CheckSymmetry {
  Rows rows;
  const Solid* solid;
  HostArray<double> face[3];
  const std::vector<double>* ghost_face;  ///< one for each axis

  void operator()(Index c, Index& first_bad, std::int64_t& unpaired) const {
    if (solid->own(c) != 0.0) return;
    Index at[3];
    rows.locate(c, at);
    double before[3] = {0.0, 0.0, 0.0};
    bool differs = false;
    const auto same = [](double a, double b) {
      return std::abs(a - b) <= rounding * std::max(a, b);
    };
    rows.visit(c, at, [&](const Entry& e) {
      if (solid->at(e)) return;
      const int a = e.direction / 2;
      if (e.ghost >= 0) {
        unpaired += e.direction % 2 == 1 ? 1 : -1;
        if (e.direction % 2 == 0)
          differs = differs || !same(-e.value, ghost_face[a][static_cast<size_t>(e.ghost)]);
      } else if (e.direction % 2 == 0) {
        before[a] = -e.value;
      }
    });
    for (int a = 0; a < 3; ++a) {
      if (at[a] == rows.begin[a]) continue;
      const Index neighbour = c - rows.stride[a];
      if (solid->own(neighbour) == 0.0) differs = differs || !same(before[a], face[a](neighbour));
    }
    if (differs) first_bad = std::min(first_bad, c);
  }
};

/// Whether all cells have these constant coefficients.
struct CheckConstant {
  Rows rows;
  StencilOperator::Constant constant;
  HostArray<double> face[3];
  HostArray<double> excess;

  void operator()(Index c, Index& num_others) const {
    Index at[3];
    rows.locate(c, at);
    double e = constant.shift, diagonal = constant.shift;
    bool same = true;
    for (size_t a = 0; a < 3; ++a) {
      if (rows.whole[a] == 1) continue;
      const double T = constant.coupling[a];
      diagonal += 2.0 * T;
      if (at[a] == 0) e += constant.wall[a][0];
      if (at[a] + 1 == rows.whole[a])
        e += constant.wall[a][1];
      else
        same = same && std::abs(face[a](c) - T) <= rounding * T;
    }
    if (!same || std::abs(excess(c) - e) > rounding * diagonal) ++num_others;
  }
};

/// The coefficients where they are the same everywhere: nothing has to be stored then. Collective.
bool find_constant(const Fill& filled, const Communicator& comm, StencilOperator::Constant& out) {
  const Rows& rows = filled.rows;
  Index middle[3] = {0, 0, 0};
  for (int a = 0; a < 3; ++a) {
    if (rows.whole[a] == 1) continue;
    if (rows.whole[a] == 2) return false;  // no cell without a wall, so that the shift is not known
    middle[a] = 1;
  }
  // The row of a cell away from the walls but for one axis; -1 where another rank has it.
  const auto cell = [&](int axis, Index position) -> Index {
    Index c = 0;
    for (int a = 0; a < 3; ++a) {
      const Index at = a == axis ? position : middle[a];
      if (at < rows.begin[a] || at >= rows.begin[a] + rows.n[a]) return -1;
      c += rows.stride[a] * (at - rows.begin[a]);
    }
    return c;
  };
  // Shift, couplings, walls, from the ranks that have these cells.
  double found[10] = {};
  if (const Index c = cell(-1, 0); c >= 0) {
    found[0] = filled.excess(c);
    for (int a = 0; a < 3; ++a)
      if (rows.whole[a] > 1) found[1 + a] = filled.face[a](c);
  }
  for (int a = 0; a < 3; ++a)
    for (const int side : {0, 1})
      if (const Index c = cell(a, side == 0 ? 0 : rows.whole[a] - 1); rows.whole[a] > 1 && c >= 0)
        found[4 + 2 * a + side] = filled.excess(c);
  comm.sum(found);
  out = {};
  out.shift = found[0];
  for (size_t a = 0; a < 3; ++a) {
    if (rows.whole[a] == 1) continue;
    out.coupling[a] = found[1 + a];
    if (out.coupling[a] == 0.0) return false;
    for (const size_t side : {size_t(0), size_t(1)}) {
      double wall = found[4 + 2 * a + side] - out.shift;
      if (std::abs(wall) <= rounding * out.coupling[a]) wall = 0.0;
      if (wall < 0.0) return false;
      out.wall[a][side] = wall;
    }
  }
  Index num_others = 0;
  const CheckConstant pass{
      rows, out, {filled.face[0], filled.face[1], filled.face[2]}, filled.excess};
  Kokkos::parallel_reduce("petsc::check_constant", HostPolicy(0, rows.count()), pass, num_others);
  return comm.sum(std::int64_t{num_others}) == 0;
}

HostArray<double> host_numbers(const char* label, Index n) {
  return bare_array<double, Kokkos::HostSpace>(label, static_cast<size_t>(n));
}

/// "" or why not.
std::string read(Mat mat, const AijRows& entries, const GridPartition& parts, GridMatrix& result) {
  const Communicator& comm = parts.communicator();
  const Rows rows(parts, entries);
  const Index n = rows.count();
  const auto agreed = [&](Index bad, const auto& text) {
    return first_text(comm, bad != none ? text(bad) : std::string());
  };

  const Classify classify{rows, host_numbers("petsc::solid", n)};
  Index bad = none, num_solid = 0;
  Kokkos::parallel_reduce("petsc::classify_rows", HostPolicy(0, n), classify,
                          Kokkos::Min<Index>(bad), num_solid);
  std::string reason = agreed(bad, [&](Index c) { return classify.fault(c); });
  if (!reason.empty()) return reason;
  const std::int64_t all_solid = comm.sum(std::int64_t{num_solid});
  if (all_solid == parts.partition().global_size()) return "it is diagonal";

  const Ghosts ghosts(mat, entries);
  const Solid solid{classify.solid, ghosts.of(classify.solid.data())};
  Fill fill{rows, &solid, {}, host_numbers("petsc::excess", n)};
  for (int a = 0; a < 3; ++a)
    if (rows.whole[a] > 1) fill.face[a] = host_numbers("petsc::face", n);
  Index num_dropped = 0, num_negative = 0;
  Kokkos::parallel_reduce("petsc::fill_faces", HostPolicy(0, n), fill, Kokkos::Min<Index>(bad),
                          num_dropped, num_negative);
  reason = agreed(bad, [&](Index c) {
    return rows.text(c) + " sums up to " + number(fill.excess(c)) +
           ", far less than 0: the off-diagonal entries outweigh the diagonal one";
  });
  if (!reason.empty()) return reason;

  std::vector<double> ghost_face[3];
  for (int a = 0; a < 3; ++a)
    if (rows.whole[a] > 1) ghost_face[a] = ghosts.of(fill.face[a].data());
  std::int64_t unpaired = 0;
  const CheckSymmetry symmetry{
      rows, &solid, {fill.face[0], fill.face[1], fill.face[2]}, ghost_face};
  Kokkos::parallel_reduce("petsc::check_symmetry", HostPolicy(0, n), symmetry,
                          Kokkos::Min<Index>(bad), unpaired);
  reason = agreed(bad, [&](Index c) {
    return rows.text(c) +
           " is not symmetric to the row of the point before it: the entries a_ij and a_ji differ "
           "(a convection term makes this)";
  });
  if (!reason.empty()) return reason;
  if (comm.sum(unpaired) != 0) return "it is not symmetric between ranks: some a_ij have no a_ji";
  using Likeness = GridMatrix::Likeness;
  const std::int64_t all_negative = comm.sum(std::int64_t{num_negative});
  if (comm.sum(std::int64_t{num_dropped}) > 0) result.likeness = Likeness::without_solid;
  if (all_negative > 0) {
    result.likeness = Likeness::approximate;
    result.how += ", sums of " + std::to_string(all_negative) + " rows raised to 0";
  }

  StencilOperator::Constant constant;
  if (all_solid == 0 && find_constant(fill, comm, constant)) {
    result.A = std::make_shared<StencilOperator>(parts, constant);
    return {};
  }
  using Kokkos::create_mirror_view_and_copy;
  const MemSpace memory;
  StencilOperator::Variable variable;
  for (size_t a = 0; a < 3; ++a)
    if (rows.whole[a] > 1) variable.face[a] = create_mirror_view_and_copy(memory, fill.face[a]);
  variable.excess = create_mirror_view_and_copy(memory, fill.excess);
  if (all_solid > 0) {
    const HostArray<unsigned char> flags("petsc::solid", static_cast<size_t>(n));
    for (Index c = 0; c < n; ++c) flags(c) = classify.solid(c) != 0.0 ? 1 : 0;
    variable.solid = create_mirror_view_and_copy(memory, flags);
  }
  result.A = std::make_shared<StencilOperator>(parts, std::move(variable));
  return {};
}

}  // namespace

GridMatrix grid_matrix(Mat mat, DM dm) {
  GridMatrix result;
  const AijRows entries(mat);
  if (!entries.is_aij()) {
    MatType type = nullptr;
    check(MatGetType(mat, &type));
    result.reason = "a matrix of type " + std::string(type != nullptr ? type : "none") +
                    " shows no entries; assemble one of type aij (KSPSetOperators takes it as the "
                    "second matrix)";
    return result;
  }
  PetscInt m = 0, n = 0;
  check(MatGetSize(mat, &m, &n));
  if (m != n || m == 0) {
    result.reason = "the matrix is not square, or has no rows";
    return result;
  }
  const GridNumbering numbering = grid_numbering(mat, entries, dm);
  if (!numbering.parts) {
    result.reason = numbering.reason;
    return result;
  }
  result.how = numbering.how;
  result.reason = read(mat, entries, *numbering.parts, result);
  return result;
}

}  // namespace libsolve::petsc
