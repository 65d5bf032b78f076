/// \file
/// Direct solver of the coarsest level: banded L D L^T in double, vanishing pivots skipped.
#pragma once

#include <memory>
#include <vector>

#include "level.hpp"

namespace multigrid {

/// A symmetric positive semi-definite matrix of a coarsest grid, as entries on the host; only
/// row >= column is used, duplicates add up.
struct BandMatrix {
  Shape shape;
  int size = 0;
  struct Entry {
    int row, column;
    double value;
  };
  std::vector<Entry> entries;
};

/// A = L D L^T with the bandwidth the entries have. A pivot below 1e-10 of its diagonal entry is
/// skipped (the unknown is set to zero), so that singular problems, a pure Neumann problem or
/// several pieces of it, need no special care: for a consistent right-hand side the result is a
/// solution. Work: size * bandwidth^2 to factorise, 2 size * bandwidth a solve; storage size *
/// bandwidth.
template <class Real>
std::unique_ptr<CoarseSolver<Real>> make_band_solver(const BandMatrix& matrix);

/// The matrix of a 7-point operator.
template <class Real>
BandMatrix band_matrix(const LevelOperator<Real>& op);

}  // namespace multigrid
