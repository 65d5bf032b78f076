/// \file
/// The finest operator on its way into a level: coefficients in natural order, and in rows split
/// into even and odd cells.
#pragma once

#include <array>
#include <cstddef>
#include <libsolve/linear/stencil_operator.hpp>

#include "level.hpp"

namespace multigrid {

/// Coefficients that somebody else holds, natural order, squeezed shape, device pointers. face[a]
/// and the parts of the excess are null where there are none.
template <class From>
struct NaturalOperator {
  std::array<int, 3> n{1, 1, 1};
  const From* face[3] = {nullptr, nullptr, nullptr};
  const From* wall = nullptr;
  const From* mass = nullptr;

  KOKKOS_INLINE_FUNCTION std::ptrdiff_t num_rows() const { return std::ptrdiff_t(n[1]) * n[2]; }

  /// The faces around the cells of row (j, k): at[i] towards the next cell, before[i] towards the
  /// one before. Where there is no neighbour `outside` stands in, which has nx numbers; along x the
  /// two ends are the caller's business.
  struct Row {
    const From *x, *y_before, *y, *z_before, *z, *wall, *mass;
  };
  KOKKOS_INLINE_FUNCTION Row row(std::ptrdiff_t r, const From* outside) const {
    const int j = int(r % n[1]);
    const int k = int(r / n[1]);
    const std::ptrdiff_t at = r * n[0];
    const std::ptrdiff_t plane = std::ptrdiff_t(n[0]) * n[1];
    return {face[0] ? face[0] + at : outside,
            face[1] && j > 0 ? face[1] + at - n[0] : outside,
            face[1] && j + 1 < n[1] ? face[1] + at : outside,
            face[2] && k > 0 ? face[2] + at - plane : outside,
            face[2] && k + 1 < n[2] ? face[2] + at : outside,
            wall ? wall + at : outside,
            mass ? mass + at : outside};
  }
};

/// Of an operator with variable storage (axes of one cell are squeezed out).
template <class Real>
NaturalOperator<Real> natural_operator(const LevelOperator<Real>& op);
NaturalOperator<double> natural_operator(const libsolve::StencilOperator& A);

/// The 7-point operator as the finest level of GridLevel stores it (SplitRows says how): faces
/// towards the next cell along x, y, z and the inverse diagonal; and its excess.
template <class Real>
struct SplitOperator {
  std::array<int, 3> n{1, 1, 1};
  int half = 0;
  std::ptrdiff_t plane = 0;
  std::ptrdiff_t length = 0;  // of one array, guard included
  View<Real> coefficients;    // four arrays
  View<Real> excess;

  [[nodiscard]] const Real* array(int q) const;
};

/// Entries times `factor`.
template <class Real, class From>
SplitOperator<Real> split_operator(const NaturalOperator<From>& op, double factor = 1.0);

template <class Real>
SplitOperator<Real> split_operator(const LevelOperator<Real>& op) {
  return split_operator<Real>(natural_operator(op));
}

}  // namespace multigrid
