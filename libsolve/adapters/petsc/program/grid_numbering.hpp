#pragma once

#include <libsolve/adapters/petsc/program/mat_entries.hpp>
#include <libsolve/core/grid_partition.hpp>
#include <optional>
#include <string>

namespace libsolve::petsc {

/// Where the rows of a matrix lie on a structured grid, and the boxes of the ranks.
struct GridNumbering {
  std::optional<GridPartition> parts;  ///< none: `reason` says why
  std::string how = {};                ///< "DMDA 65 x 65"
  std::string reason = {};
};

/// The DMDA's grid and boxes where `dm` (or the DM that made the matrix) is a DMDA of one unknown a
/// point that fits the matrix; else the grid whose lexicographic numbering (x fastest) fits the
/// bands: entries at the distances 1, nx, nx ny from the diagonal, each rank with whole lines (2D)
/// or planes (3D). Collective, the same answer on all ranks.
GridNumbering grid_numbering(Mat mat, const AijRows& rows, DM dm);

/// The text of the first rank that has one, on all ranks.
std::string first_text(const Communicator& comm, const std::string& text);

}  // namespace libsolve::petsc
