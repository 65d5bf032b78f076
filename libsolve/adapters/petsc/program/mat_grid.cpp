// Entries of a matrix as faces and excess of a grid operator. All passes run over the rows on the
// host, in place on PETSc's arrays.
#include <petscdmda.h>

#include <algorithm>
#include <cmath>
#include <libsolve/adapters/petsc/program/mat_entries.hpp>
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

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

/// A grid over the rows of a matrix.
struct Rows {
  Index n[3] = {1, 1, 1};
  Index stride[3] = {1, 1, 1};
  AijRows::Block block;

  void set(const std::array<Index, 3>& cells) {
    Index s = 1;
    for (int a = 0; a < 3; ++a) {
      n[a] = cells[static_cast<size_t>(a)];
      stride[a] = s;
      s *= n[a];
    }
  }
  void locate(Index c, Index* at) const {
    const Index row = c / n[0];
    at[0] = c - row * n[0];
    at[1] = row % n[1];
    at[2] = row / n[1];
  }
  /// 2 a + 1 for the next cell along axis a, 2 a for the one before, -1 for c itself, -2 for
  /// others.
  int direction(Index c, const Index* at, PetscInt column) const {
    if (column == c) return -1;
    for (int a = 0; a < 3; ++a) {
      if (at[a] + 1 < n[a] && column == c + stride[a]) return 2 * a + 1;
      if (at[a] > 0 && column == c - stride[a]) return 2 * a;
    }
    return -2;
  }
};

/// What is wrong with a row.
enum class Fault : int {
  none,
  not_neighbour,
  positive,
  diagonal,
  not_finite,
  negative_sum,
  unsymmetric
};

/// First pass: entries between neighbours only, signs, and rows without any coupling.
struct Classify {
  Rows rows;
  HostArray<unsigned char> solid;

  Fault look(Index c, bool& has_coupling) const {
    Index at[3];
    rows.locate(c, at);
    double diagonal = 0.0;
    has_coupling = false;
    for (PetscInt e = rows.block.first[c]; e < rows.block.first[c + 1]; ++e) {
      const double v = rows.block.values[e];
      const int d = rows.direction(c, at, rows.block.columns[e]);
      if (!std::isfinite(v)) return Fault::not_finite;
      if (d == -1) {
        diagonal = v;
      } else if (v != 0.0) {
        if (d == -2) return Fault::not_neighbour;
        if (v > 0.0) return Fault::positive;
        has_coupling = true;
      }
    }
    return diagonal > 0.0 ? Fault::none : Fault::diagonal;
  }
  void operator()(Index c, Index& first_bad, Index& num_solid) const {
    bool has_coupling = false;
    if (look(c, has_coupling) != Fault::none) first_bad = std::min(first_bad, c);
    solid(c) = has_coupling ? 0 : 1;
    if (!has_coupling) ++num_solid;
  }
};

/// Second pass: faces towards the next cells, and the excess. Couplings to solid cells belong to
/// the excess, as those to a wall do.
struct Fill {
  Rows rows;
  HostArray<unsigned char> solid;
  HostArray<double> face[3];
  HostArray<double> excess;

  void operator()(Index c, Index& first_bad, Index& num_dropped) const {
    Index at[3];
    rows.locate(c, at);
    double next[3] = {0.0, 0.0, 0.0};
    double diagonal = 0.0, sum = 0.0;
    for (PetscInt e = rows.block.first[c]; e < rows.block.first[c + 1]; ++e) {
      const double v = rows.block.values[e];
      const PetscInt column = rows.block.columns[e];
      if (column == c) {
        diagonal = v;
      } else if (v != 0.0) {
        if (solid(column) != 0) {
          ++num_dropped;
          continue;
        }
        const int d = rows.direction(c, at, column);
        sum -= v;
        if (d % 2 == 1) next[d / 2] = -v;
      }
    }
    for (int a = 0; a < 3; ++a)
      if (rows.n[a] > 1) face[a](c) = next[a];
    double e = diagonal - sum;
    if (std::abs(e) <= rounding * diagonal) e = 0.0;
    if (e < 0.0) first_bad = std::min(first_bad, c);
    excess(c) = e;
  }
};

/// Third pass: the entry towards the cell before is that cell's entry towards this one.
struct CheckSymmetry {
  Rows rows;
  HostArray<unsigned char> solid;
  HostArray<double> face[3];

  void operator()(Index c, Index& first_bad) const {
    if (solid(c) != 0) return;
    Index at[3];
    rows.locate(c, at);
    double before[3] = {0.0, 0.0, 0.0};
    for (PetscInt e = rows.block.first[c]; e < rows.block.first[c + 1]; ++e) {
      const int d = rows.direction(c, at, rows.block.columns[e]);
      if (d >= 0 && d % 2 == 0) before[d / 2] = -rows.block.values[e];
    }
    for (int a = 0; a < 3; ++a) {
      if (at[a] == 0) continue;
      const Index neighbour = c - rows.stride[a];
      if (solid(neighbour) != 0) continue;
      const double other = face[a](neighbour);
      if (!(std::abs(before[a] - other) <= rounding * std::max(before[a], other)))
        first_bad = std::min(first_bad, c);
    }
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
      if (rows.n[a] == 1) continue;
      const double T = constant.coupling[a];
      diagonal += 2.0 * T;
      if (at[a] == 0) e += constant.wall[a][0];
      if (at[a] + 1 == rows.n[a])
        e += constant.wall[a][1];
      else
        same = same && std::abs(face[a](c) - T) <= rounding * T;
    }
    if (!same || std::abs(excess(c) - e) > rounding * diagonal) ++num_others;
  }
};

/// The rows of the matrix as text for messages: "row 17 (cell 1, 2, 0)".
std::string row_text(const Rows& rows, Index c) {
  Index at[3];
  rows.locate(c, at);
  return "row " + std::to_string(c) + " (point " + std::to_string(at[0]) + ", " +
         std::to_string(at[1]) + ", " + std::to_string(at[2]) + ")";
}

std::string fault_text(const Classify& pass, Index c) {
  bool has_coupling = false;
  const Rows& rows = pass.rows;
  const std::string where = row_text(rows, c);
  const Fault fault = pass.look(c, has_coupling);
  if (fault == Fault::diagonal) return where + " has no positive diagonal entry";
  if (fault == Fault::not_finite) return where + " has an entry that is not finite";
  Index at[3];
  rows.locate(c, at);
  for (PetscInt e = rows.block.first[c]; e < rows.block.first[c + 1]; ++e) {
    const double v = rows.block.values[e];
    const int d = rows.direction(c, at, rows.block.columns[e]);
    if (v == 0.0 || d == -1) continue;
    if (fault == Fault::not_neighbour && d == -2)
      return where + " is coupled to row " + std::to_string(rows.block.columns[e]) +
             ", which is no neighbour along an axis (periodic grids and stencils with corners are "
             "of this kind)";
    if (fault == Fault::positive && v > 0.0)
      return where + " has the positive off-diagonal entry " + number(v);
  }
  return where + " does not fit";
}

std::string size_text(const std::array<Index, 3>& n) {
  std::string text = std::to_string(n[0]);
  for (size_t a = 1; a < 3; ++a)
    if (n[a] > 1) text += " x " + std::to_string(n[a]);
  return text;
}

/// The coefficients where they are the same everywhere: nothing has to be stored then.
bool find_constant(const Fill& filled, StencilOperator::Constant& out) {
  const Rows& rows = filled.rows;
  Index middle[3] = {0, 0, 0};
  for (int a = 0; a < 3; ++a) {
    if (rows.n[a] == 1) continue;
    if (rows.n[a] == 2) return false;  // no cell without a wall, so that the shift is not known
    middle[a] = 1;
  }
  const auto cell = [&](int axis, Index at) {
    Index c = 0;
    for (int a = 0; a < 3; ++a) c += rows.stride[a] * (a == axis ? at : middle[a]);
    return c;
  };
  out = {};
  out.shift = filled.excess(cell(-1, 0));
  for (int a = 0; a < 3; ++a) {
    if (rows.n[a] == 1) continue;
    const auto i = static_cast<size_t>(a);
    out.coupling[i] = filled.face[a](cell(-1, 0));
    if (out.coupling[i] == 0.0) return false;
    for (const size_t side : {size_t(0), size_t(1)}) {
      double wall = filled.excess(cell(a, side == 0 ? 0 : rows.n[a] - 1)) - out.shift;
      if (std::abs(wall) <= rounding * out.coupling[i]) wall = 0.0;
      if (wall < 0.0) return false;
      out.wall[i][side] = wall;
    }
  }
  Index num_others = 0;
  const CheckConstant pass{
      rows, out, {filled.face[0], filled.face[1], filled.face[2]}, filled.excess};
  Kokkos::parallel_reduce("petsc::check_constant", HostPolicy(0, rows.n[0] * rows.n[1] * rows.n[2]),
                          pass, num_others);
  return num_others == 0;
}

/// The grid that the offsets of the nonzero entries from the diagonal suggest; {0, 0, 0} and a
/// reason where none does.
std::array<Index, 3> grid_of_bands(const AijRows& rows, std::string& reason) {
  const PetscInt n = rows.num_rows();
  const AijRows::Block& block = rows.own();
  std::vector<PetscInt> offsets;
  for (PetscInt i = 0; i < n; ++i) {
    for (PetscInt e = block.first[i]; e < block.first[i + 1]; ++e) {
      const PetscInt d = block.columns[e] - i;
      if (d <= 0 || block.values[e] == 0.0) continue;
      if (std::find(offsets.begin(), offsets.end(), d) != offsets.end()) continue;
      offsets.push_back(d);
      if (offsets.size() > 3) {
        reason = "its rows couple to more than three distances above the diagonal (row " +
                 std::to_string(i) +
                 " is the first), so it is not a 3-, 5- or 7-point matrix in "
                 "lexicographic order";
        return {0, 0, 0};
      }
    }
  }
  std::sort(offsets.begin(), offsets.end());
  std::array<Index, 3> cells = {static_cast<Index>(n), 1, 1};
  const bool fits = !offsets.empty() && offsets[0] == 1 &&
                    (offsets.size() < 2 || n % offsets[1] == 0) &&
                    (offsets.size() < 3 || (offsets[2] % offsets[1] == 0 && n % offsets[2] == 0));
  if (!fits) {
    std::string list;
    for (const PetscInt d : offsets) list += (list.empty() ? "" : ", ") + std::to_string(d);
    reason = offsets.empty()
                 ? std::string("it is diagonal")
                 : "the distances of its couplings from the diagonal (" + list +
                       ") are not 1, nx, nx ny of a grid of " + std::to_string(n) + " points";
    return {0, 0, 0};
  }
  if (offsets.size() > 1) {
    cells[0] = static_cast<Index>(offsets[1]);
    cells[1] = static_cast<Index>(n / offsets[1]);
  }
  if (offsets.size() > 2) {
    cells[1] = static_cast<Index>(offsets[2] / offsets[1]);
    cells[2] = static_cast<Index>(n / offsets[2]);
  }
  return cells;
}

/// The sizes of a DMDA with one unknown a point; {0, 0, 0} where `dm` is another kind of DM, has
/// more unknowns a point or not `num_rows` of them.
std::array<Index, 3> grid_of_dm(DM dm, PetscInt num_rows) {
  if (dm == nullptr) return {0, 0, 0};
  PetscBool is_da = PETSC_FALSE;
  check(PetscObjectTypeCompare(reinterpret_cast<PetscObject>(dm), DMDA, &is_da));
  if (is_da == PETSC_FALSE) return {0, 0, 0};
  PetscInt M = 1, N = 1, P = 1, dof = 1;
  check(DMDAGetInfo(dm, nullptr, &M, &N, &P, nullptr, nullptr, nullptr, &dof, nullptr, nullptr,
                    nullptr, nullptr, nullptr));
  const auto points = static_cast<GlobalIndex>(M) * N * P;
  if (dof != 1 || points != num_rows) return {0, 0, 0};
  return {static_cast<Index>(M), static_cast<Index>(N), static_cast<Index>(P)};
}

}  // namespace

GridMatrix grid_matrix(Mat mat, DM dm) {
  GridMatrix result;
  PetscMPIInt size = 1;
  if (MPI_Comm_size(PetscObjectComm(reinterpret_cast<PetscObject>(mat)), &size) != MPI_SUCCESS)
    throw BackendError("MPI_Comm_size failed");
  if (size > 1) {
    result.reason = "the matrix lies on " + std::to_string(size) +
                    " ranks, and multigrid works on one so far; on several use -pc_type bjacobi "
                    "-sub_pc_type libsolve -sub_pc_libsolve_method ic0, or -pc_type gamg";
    return result;
  }
  const AijRows entries(mat);
  if (!entries.is_aij()) {
    MatType type = nullptr;
    check(MatGetType(mat, &type));
    result.reason = "a matrix of type " + std::string(type != nullptr ? type : "none") +
                    " shows no entries; assemble one of type aij (KSPSetOperators takes it as the "
                    "second matrix)";
    return result;
  }
  if (entries.num_rows() != entries.num_columns() || entries.num_rows() == 0) {
    result.reason = "the matrix is not square, or has no rows";
    return result;
  }

  if (dm == nullptr) check(MatGetDM(mat, &dm));
  std::array<Index, 3> cells = grid_of_dm(dm, entries.num_rows());
  if (cells[0] > 0) {
    result.how = "DMDA " + size_text(cells);
  } else {
    cells = grid_of_bands(entries, result.reason);
    if (cells[0] == 0) return result;
    result.how = "band structure " + size_text(cells);
  }

  Rows rows;
  rows.set(cells);
  rows.block = entries.own();
  const auto n = static_cast<Index>(entries.num_rows());
  constexpr Index none = std::numeric_limits<Index>::max();
  Classify classify{rows, bare_array<unsigned char, Kokkos::HostSpace>("petsc::solid", size_t(n))};
  Index bad = none, num_solid = 0;
  Kokkos::parallel_reduce("petsc::classify_rows", HostPolicy(0, n), classify,
                          Kokkos::Min<Index>(bad), num_solid);
  if (bad != none) {
    result.reason = fault_text(classify, bad);
    return result;
  }
  if (num_solid == n) {
    result.reason = "it is diagonal";
    return result;
  }

  Fill fill{
      rows, classify.solid, {}, bare_array<double, Kokkos::HostSpace>("petsc::excess", size_t(n))};
  for (size_t a = 0; a < 3; ++a)
    if (cells[a] > 1)
      fill.face[a] = bare_array<double, Kokkos::HostSpace>("petsc::face", size_t(n));
  Index num_dropped = 0;
  Kokkos::parallel_reduce("petsc::fill_faces", HostPolicy(0, n), fill, Kokkos::Min<Index>(bad),
                          num_dropped);
  if (bad != none) {
    result.reason = row_text(rows, bad) + " sums up to " + number(fill.excess(bad)) +
                    ", less than 0: the off-diagonal entries outweigh the diagonal one";
    return result;
  }
  const CheckSymmetry check_symmetry{rows, fill.solid, {fill.face[0], fill.face[1], fill.face[2]}};
  Kokkos::parallel_reduce("petsc::check_symmetry", HostPolicy(0, n), check_symmetry,
                          Kokkos::Min<Index>(bad));
  if (bad != none) {
    result.reason =
        row_text(rows, bad) +
        " is not symmetric to the row of the point before it: the entries a_ij and a_ji "
        "differ (a convection term makes this)";
    return result;
  }
  result.is_exact = num_dropped == 0;

  Grid grid;
  grid.dimension = cells[2] > 1 ? 3 : cells[1] > 1 ? 2 : 1;
  grid.cells = cells;
  StencilOperator::Constant constant;
  if (num_solid == 0 && find_constant(fill, constant)) {
    result.A = std::make_shared<StencilOperator>(grid, constant);
    return result;
  }
  using Kokkos::create_mirror_view_and_copy;
  const MemSpace memory;
  StencilOperator::Variable variable;
  for (size_t a = 0; a < 3; ++a)
    if (cells[a] > 1) variable.face[a] = create_mirror_view_and_copy(memory, fill.face[a]);
  variable.excess = create_mirror_view_and_copy(memory, fill.excess);
  if (num_solid > 0) variable.solid = create_mirror_view_and_copy(memory, fill.solid);
  result.A = std::make_shared<StencilOperator>(grid, std::move(variable));
  return result;
}

}  // namespace libsolve::petsc
