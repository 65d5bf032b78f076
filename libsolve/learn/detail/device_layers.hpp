/// \file
/// The layers of a network for any execution space, one cell or number at a time: what devices run,
/// and what the fast path of the host is tested against. Formulas: learn/plan.hpp.
#pragma once

#include <libsolve/core/types.hpp>
#include <libsolve/learn/padded_grid.hpp>

namespace libsolve::learn::detail {

/// Cell number n of a channel, x fastest.
struct CellOf {
  int at[3];
  KOKKOS_INLINE_FUNCTION CellOf(const PaddedGrid& g, std::ptrdiff_t n) {
    at[0] = static_cast<int>(n % g.cells[0]);
    n /= g.cells[0];
    at[1] = static_cast<int>(n % g.cells[1]);
    at[2] = static_cast<int>(n / g.cells[1]);
  }
};

/// Result number n = cell + cells * output channel. `weights` as in Plan: [o][i][z][y][x].
struct ConvolveCell {
  PaddedGrid grid;
  int inputs, width;
  std::ptrdiff_t cells;
  bool has_relu;
  const float* x;
  const float* weights;
  const float* biases;  ///< or null
  const float* s;       ///< or null
  float* y;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t n) const {
    const int o = static_cast<int>(n / cells);
    const CellOf c(grid, n % cells);
    const std::ptrdiff_t at = grid.at(c.at[0], c.at[1], c.at[2]);
    int e[3];
    for (int a = 0; a < 3; ++a) e[a] = grid.pad[a] != 0 ? width : 1;
    const int taps = e[0] * e[1] * e[2];
    float sum = biases != nullptr ? biases[o] : 0.0f;
    for (int i = 0; i < inputs; ++i) {
      const float* w = weights + (std::ptrdiff_t{o} * inputs + i) * taps;
      const float* const in = x + i * grid.channel() + at;
      for (int z = 0; z < e[2]; ++z)
        for (int v = 0; v < e[1]; ++v)
          for (int u = 0; u < e[0]; ++u)
            sum += *w++ * in[(u - e[0] / 2) + std::ptrdiff_t{grid.row()} * (v - e[1] / 2) +
                             std::ptrdiff_t{grid.plane()} * (z - e[2] / 2)];
    }
    if (has_relu && !(sum > 0.0f)) sum = 0.0f;
    const std::ptrdiff_t to = o * grid.channel() + at;
    y[to] = s != nullptr ? sum + s[to] : sum;
  }
};

/// Result number n = coarse cell + cells * channel.
struct PoolCell {
  PaddedGrid fine, coarse;
  std::ptrdiff_t cells;
  const float* x;
  float* y;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t n) const {
    const std::ptrdiff_t channel = n / cells;
    const CellOf c(coarse, n % cells);
    int e[3];
    for (int a = 0; a < 3; ++a) e[a] = fine.pad[a] != 0 ? 2 : 1;
    float sum = 0.0f;
    for (int z = 0; z < e[2]; ++z)
      for (int v = 0; v < e[1]; ++v)
        for (int u = 0; u < e[0]; ++u)
          sum += x[channel * fine.channel() +
                   fine.at(e[0] * c.at[0] + u, e[1] * c.at[1] + v, e[2] * c.at[2] + z)];
    y[channel * coarse.channel() + coarse.at(c.at[0], c.at[1], c.at[2])] =
        sum / static_cast<float>(e[0] * e[1] * e[2]);
  }
};

/// Result number n = fine cell + cells * channel.
struct UpsampleCell {
  PaddedGrid fine, coarse;
  std::ptrdiff_t cells;
  const float* x;
  const float* s;  ///< or null
  float* y;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t n) const {
    const std::ptrdiff_t channel = n / cells;
    const CellOf c(fine, n % cells);
    int at[3];
    for (int a = 0; a < 3; ++a) at[a] = fine.pad[a] != 0 ? c.at[a] / 2 : c.at[a];
    const std::ptrdiff_t to = channel * fine.channel() + fine.at(c.at[0], c.at[1], c.at[2]);
    const float v = x[channel * coarse.channel() + coarse.at(at[0], at[1], at[2])];
    y[to] = s != nullptr ? v + s[to] : v;
  }
};

}  // namespace libsolve::learn::detail
