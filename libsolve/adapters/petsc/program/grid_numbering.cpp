#include <mpi.h>
#include <petscdmda.h>

#include <algorithm>
#include <libsolve/adapters/petsc/program/grid_numbering.hpp>
#include <vector>

namespace libsolve::petsc {

namespace {

std::string size_text(const std::array<Index, 3>& n) {
  std::string text = std::to_string(n[0]);
  for (size_t a = 1; a < 3; ++a)
    if (n[a] > 1) text += " x " + std::to_string(n[a]);
  return text;
}

Grid grid_of(const std::array<Index, 3>& cells) {
  Grid grid;
  grid.dimension = cells[2] > 1 ? 3 : cells[1] > 1 ? 2 : 1;
  grid.cells = cells;
  return grid;
}

std::vector<Index> cuts_of(const PetscInt* lengths, PetscInt parts) {
  std::vector<Index> cuts = {0};
  for (PetscInt p = 0; p < parts; ++p) cuts.push_back(cuts.back() + static_cast<Index>(lengths[p]));
  return cuts;
}

/// False where `dm` is no DMDA of one unknown a point over the rows of the matrix.
bool from_dm(DM dm, Mat mat, const Communicator& comm, GridNumbering& out) {
  if (dm == nullptr) return false;
  PetscBool is_da = PETSC_FALSE;
  check(PetscObjectTypeCompare(reinterpret_cast<PetscObject>(dm), DMDA, &is_da));
  if (is_da == PETSC_FALSE) return false;
  PetscInt n[3] = {1, 1, 1}, p[3] = {1, 1, 1}, dof = 1, local = 0;
  check(DMDAGetInfo(dm, nullptr, &n[0], &n[1], &n[2], &p[0], &p[1], &p[2], &dof, nullptr, nullptr,
                    nullptr, nullptr, nullptr));
  const PetscInt* lengths[3] = {nullptr, nullptr, nullptr};
  check(DMDAGetOwnershipRanges(dm, &lengths[0], &lengths[1], &lengths[2]));
  check(MatGetLocalSize(mat, &local, nullptr));
  if (dof != 1 || comm.any(p[0] * p[1] * p[2] != comm.size())) return false;
  std::array<Index, 3> cells;
  std::array<std::vector<Index>, 3> cuts;
  for (size_t a = 0; a < 3; ++a) {
    cells[a] = static_cast<Index>(n[a]);
    cuts[a] = lengths[a] != nullptr ? cuts_of(lengths[a], p[a]) : std::vector<Index>{0, cells[a]};
  }
  GridPartition parts(grid_of(cells), comm, cuts);
  if (comm.any(parts.partition().local_size() != local)) return false;
  out.parts = std::move(parts);
  out.how = "DMDA " + size_text(cells);
  return true;
}

/// Distances above the diagonal at which rows of this rank have entries; more than three are a
/// fault that `reason` names.
std::vector<GlobalIndex> offsets_of(const AijRows& rows, std::string& reason) {
  std::vector<GlobalIndex> offsets;
  const auto look = [&](PetscInt i, const AijRows::Block& block, const PetscInt* global) {
    for (PetscInt e = block.first[i]; e < block.first[i + 1]; ++e) {
      const PetscInt c = block.columns[e];
      const GlobalIndex d =
          (global != nullptr ? GlobalIndex{global[c]} - rows.first_column() : c) - GlobalIndex{i};
      if (d <= 0 || block.values[e] == 0.0) continue;
      if (std::find(offsets.begin(), offsets.end(), d) != offsets.end()) continue;
      offsets.push_back(d);
      if (offsets.size() > 3) {
        reason = "its rows couple to more than three distances above the diagonal (up to row " +
                 std::to_string(rows.first_column() + i) +
                 "), so it is not a 3-, 5- or 7-point matrix in lexicographic order";
        return false;
      }
    }
    return true;
  };
  for (PetscInt i = 0; i < rows.num_rows(); ++i) {
    if (!look(i, rows.own(), nullptr)) return offsets;
    if (rows.has_others() && !look(i, rows.others(), rows.global_columns())) return offsets;
  }
  return offsets;
}

void from_bands(const AijRows& rows, const Communicator& comm, GridNumbering& out) {
  std::vector<GlobalIndex> offsets = offsets_of(rows, out.reason);
  out.reason = first_text(comm, out.reason);
  if (!out.reason.empty()) return;

  // The distances of all ranks.
  std::vector<std::int64_t> all(3 * static_cast<size_t>(comm.size()), 0);
  for (size_t k = 0; k < offsets.size(); ++k)
    all[3 * static_cast<size_t>(comm.rank()) + k] = offsets[k];
  comm.sum(all);
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  std::erase(all, 0);

  const GlobalIndex n = comm.sum(std::int64_t{rows.num_rows()});
  const bool fits = !all.empty() && all.size() <= 3 && all[0] == 1 &&
                    (all.size() < 2 || n % all[1] == 0) &&
                    (all.size() < 3 || (all[2] % all[1] == 0 && n % all[2] == 0));
  if (!fits) {
    std::string list;
    for (const GlobalIndex d : all) list += (list.empty() ? "" : ", ") + std::to_string(d);
    out.reason = all.empty()
                     ? std::string("it is diagonal")
                     : "the distances of its couplings from the diagonal (" + list +
                           ") are not 1, nx, nx ny of a grid of " + std::to_string(n) + " points";
    return;
  }
  std::array<Index, 3> cells = {static_cast<Index>(all.size() > 1 ? all[1] : n), 1, 1};
  if (all.size() == 2) cells[1] = static_cast<Index>(n / all[1]);
  if (all.size() == 3) {
    cells[1] = static_cast<Index>(all[2] / all[1]);
    cells[2] = static_cast<Index>(n / all[2]);
  }
  // Blocks of rows are boxes where they hold whole layers along the last axis.
  const GlobalIndex layer = all.back();
  const auto axis = all.size() - 1;
  if (comm.any(rows.num_rows() % layer != 0)) {
    out.reason = "it fits a grid of " + size_text(cells) +
                 ", but the rows of the ranks are no whole " + (axis == 2 ? "planes" : "lines") +
                 " of it; a DMDA cuts its grid into boxes";
    return;
  }
  std::vector<std::int64_t> layers(static_cast<size_t>(comm.size()), 0);
  layers[static_cast<size_t>(comm.rank())] = rows.num_rows() / layer;
  comm.sum(layers);
  std::array<std::vector<Index>, 3> cuts;
  for (size_t a = 0; a < 3; ++a) cuts[a] = {0, cells[a]};
  cuts[axis] = {0};
  for (const std::int64_t count : layers)
    cuts[axis].push_back(cuts[axis].back() + static_cast<Index>(count));
  out.parts = GridPartition(grid_of(cells), comm, cuts);
  out.how = "band structure " + size_text(cells);
}

}  // namespace

std::string first_text(const Communicator& comm, const std::string& text) {
  if (comm.size() == 1) return text;
  double first = text.empty() ? comm.size() : comm.rank();
  comm.min(std::span<double>(&first, 1));
  const int owner = static_cast<int>(first);
  if (owner == comm.size()) return {};
  const auto mpi = *static_cast<const MPI_Comm*>(comm.mpi_comm());
  int length = static_cast<int>(text.size());
  MPI_Bcast(&length, 1, MPI_INT, owner, mpi);
  std::string copy = text;
  copy.resize(static_cast<size_t>(length));
  MPI_Bcast(copy.data(), length, MPI_CHAR, owner, mpi);
  return copy;
}

GridNumbering grid_numbering(Mat mat, const AijRows& rows, DM dm) {
  GridNumbering result;
  const Communicator comm =
      partition_over(reinterpret_cast<PetscObject>(mat), rows.num_rows()).communicator();
  if (dm == nullptr) check(MatGetDM(mat, &dm));
  if (!from_dm(dm, mat, comm, result)) from_bands(rows, comm, result);
  return result;
}

}  // namespace libsolve::petsc
