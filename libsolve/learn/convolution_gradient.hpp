/// \file
/// The gradient of a convolution's weights and biases on the host; that of its input is the
/// convolution with the adjoint's weights (pack_weights, transposed).
#pragma once

#include <libsolve/learn/convolution.hpp>

namespace libsolve::learn::detail {

/// dw[o][i][z][y][.] += sum_c g_o(c) x_i(c + t) for CO channels, one i and one z, NY rows of the
/// kernel from y0, EX entries each. g: zero beyond the walls.
template <class T, int CO, int NY, int EX>
void weight_gradient_tile(const Convolution<T>& a, const T* g, int o0, int i, int z, int y0,
                          T* dw) {
  using P = Pack<T>;
  constexpr int W = lanes<T>;
  const PaddedGrid& grid = a.grid;
  const int row = grid.row(), ez = a.extent(2), ey = a.extent(1);
  const std::ptrdiff_t plane = grid.plane(), channel = grid.channel();
  const int length = (grid.cells[1] - 1) * row + grid.cells[0];
  const std::ptrdiff_t corner =
      (ez == 3 ? z - 1 : 0) * plane + ((ey == 3 ? y0 - 1 : 0)) * row - (EX == 3 ? 1 : 0);
  P sum[CO][NY][EX] = {};
  for (int k = 0; k < grid.cells[2]; ++k) {
    const std::ptrdiff_t first = grid.at(0, 0, k);
    const T* const gk = g + o0 * channel + first;
    const T* const xk = a.x + i * channel + first + corner;
    for (int f = 0; f < length; f += W) {
      P go[CO];
      if (length - f >= W) {
#pragma GCC unroll 8
        for (int o = 0; o < CO; ++o) go[o] = load<T>(gk + o * channel + f);
      } else {
        for (int o = 0; o < CO; ++o) go[o] = load_first<T>(gk + o * channel + f, length - f);
      }
#pragma GCC unroll 3
      for (int y = 0; y < NY; ++y)
#pragma GCC unroll 3
        for (int x = 0; x < EX; ++x) {
          const P in = load<T>(xk + y * row + x + f);
#pragma GCC unroll 8
          for (int o = 0; o < CO; ++o) sum[o][y][x] += go[o] * in;
        }
    }
  }
  for (int o = 0; o < CO; ++o)
    for (int y = 0; y < NY; ++y)
      for (int x = 0; x < EX; ++x)
        dw[((std::ptrdiff_t((o0 + o) * a.inputs + i) * ez + z) * ey + y0 + y) * EX + x] +=
            sum_of<T>(sum[o][y][x]);
}

template <class T, int CO, int EX>
void weight_gradient_block(const Convolution<T>& a, const T* g, int o0, T* dw) {
  const int ey = a.extent(1);
  for (int i = 0; i < a.inputs; ++i)
    for (int z = 0; z < a.extent(2); ++z) {
      if (CO <= 2 && ey == 3)
        weight_gradient_tile<T, CO, 3, EX>(a, g, o0, i, z, 0, dw);
      else
        for (int y = 0; y < ey; ++y) weight_gradient_tile<T, CO, 1, EX>(a, g, o0, i, z, y, dw);
    }
}

/// Adds the gradients for one sample. g: of the convolution's sum before the activation.
template <class T>
void add_parameter_gradients(const Convolution<T>& a, const T* g, T* dw, T* db) {
  const auto with = [&]<int CO>(int o0) {
    if (a.extent(0) == 3)
      weight_gradient_block<T, CO, 3>(a, g, o0, dw);
    else
      weight_gradient_block<T, CO, 1>(a, g, o0, dw);
  };
  for_channel_blocks(a.outputs, with);
  if (db == nullptr) return;
  const PaddedGrid& grid = a.grid;
  for (int o = 0; o < a.outputs; ++o)
    for (int k = 0; k < grid.cells[2]; ++k)
      for (int j = 0; j < grid.cells[1]; ++j) {
        const T* const row = g + o * grid.channel() + grid.at(0, j, k);
        T sum = T(0);
        for (int i = 0; i < grid.cells[0]; ++i) sum += row[i];
        db[o] += sum;
      }
}

}  // namespace libsolve::learn::detail
