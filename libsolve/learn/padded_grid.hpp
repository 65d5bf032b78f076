#pragma once

#include <Kokkos_Core.hpp>
#include <array>
#include <cstddef>

namespace libsolve::learn {

/// Where the numbers of a tensor lie: for each channel a grid of cells with a layer of zeros around
/// it along the axes in use, x fastest, so that a convolution reads beyond the walls without asking
/// and runs over whole planes as one long row.
struct PaddedGrid {
  std::array<int, 3> cells = {1, 1, 1};
  std::array<int, 3> pad = {0, 0, 0};  ///< 1 along the axes in use

  PaddedGrid() = default;
  PaddedGrid(int dimension, std::array<int, 3> n) : cells(n) {
    for (int a = 0; a < 3; ++a) {
      pad[a] = a < dimension ? 1 : 0;
      if (a >= dimension) cells[a] = 1;
    }
  }
  KOKKOS_INLINE_FUNCTION int row() const { return cells[0] + 2 * pad[0]; }
  KOKKOS_INLINE_FUNCTION int plane() const { return row() * (cells[1] + 2 * pad[1]); }
  /// From one channel to the next; behind the last plane there is room for vectors that begin
  /// inside and end outside.
  KOKKOS_INLINE_FUNCTION std::ptrdiff_t channel() const {
    const std::ptrdiff_t n = std::ptrdiff_t{plane()} * (cells[2] + 2 * pad[2]) + 2 * row() + 144;
    return (n + 15) / 16 * 16;
  }
  /// Of cell (i, j, k) in its channel.
  KOKKOS_INLINE_FUNCTION std::ptrdiff_t at(int i, int j, int k) const {
    return i + pad[0] + std::ptrdiff_t{row()} * (j + pad[1]) +
           std::ptrdiff_t{plane()} * (k + pad[2]);
  }
  std::size_t num_cells() const {
    return std::size_t(cells[0]) * std::size_t(cells[1]) * std::size_t(cells[2]);
  }
  /// The grid of half the resolution: an odd number of cells is rounded up, the missing ones are 0.
  PaddedGrid coarser() const {
    PaddedGrid g = *this;
    for (int a = 0; a < 3; ++a)
      if (pad[a] != 0) g.cells[a] = (cells[a] + 1) / 2;
    return g;
  }
  bool operator==(const PaddedGrid&) const = default;
};

}  // namespace libsolve::learn
