#pragma once

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/linear/ordered_rows.hpp>
#include <string>

namespace relaxation {

/// Throws NumericalError, naming `asker` and the row, where a diagonal entry cannot be divided by.
inline void refuse_zero_diagonal(const libsolve::OrderedRows& M, const std::string& asker) {
  for (libsolve::Index k = 0; k < M.num_rows(); ++k) {
    const double d = M.value[M.diagonal[k]];
    if (d != 0.0 && std::isfinite(1.0 / d)) continue;
    throw libsolve::NumericalError(asker + ": the diagonal in row " + std::to_string(M.order[k]) +
                                   " is zero; use 'ilu0', or order the rows so that none is");
  }
}

}  // namespace relaxation
