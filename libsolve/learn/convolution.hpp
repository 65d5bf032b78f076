/// \file
/// Convolutions on the host, forward, at the speed of the multiply-add units.
///
/// A channel is a padded grid (PaddedGrid), so the cells of a plane follow each other as one row of
/// numbers with zeros between the rows: registers run along it, and what they compute between the
/// rows is overwritten by zeros. A tile is CO output channels on KT planes and XV registers: an
/// input register is read once for the up to three planes it belongs to and all CO channels.
#pragma once

#include <algorithm>
#include <cstddef>
#include <libsolve/core/pack.hpp>
#include <libsolve/learn/padded_grid.hpp>
#include <vector>

namespace libsolve::learn::detail {

using namespace libsolve::detail;  // the SIMD registers of core/pack.hpp

/// One convolution: y = act(b + W x) + s. All tensors of one grid; y may be s.
template <class T>
struct Convolution {
  PaddedGrid grid;
  int inputs = 1;
  int outputs = 1;
  int width = 3;
  const T* x = nullptr;
  const T* weights = nullptr;  ///< as pack_weights() puts them
  const T* biases = nullptr;   ///< or null
  const T* s = nullptr;        ///< or null
  T* y = nullptr;
  bool has_relu = false;
  /// Entries of the kernel along an axis.
  int extent(int axis) const { return grid.pad[axis] != 0 ? width : 1; }
};

/// Channels of a block that starts where `left` are to be done.
inline int block_of(int left) {
  return left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
}

/// Weights [o][i][z][y][x] in blocks of output channels: [block][i][y][x][z][o in block]. With
/// `transposed` those of the adjoint: inputs and outputs change places, the kernel is mirrored.
template <class T>
void pack_weights(const T* w, int inputs, int outputs, int ez, int ey, int ex, bool transposed,
                  T* packed) {
  const int taps = ez * ey * ex;
  const int from = transposed ? outputs : inputs;
  const int to = transposed ? inputs : outputs;
  for (int first = 0; first < to;) {
    const int block = block_of(to - first);
    for (int i = 0; i < from; ++i)
      for (int y = 0; y < ey; ++y)
        for (int x = 0; x < ex; ++x)
          for (int z = 0; z < ez; ++z)
            for (int o = first; o < first + block; ++o) {
              const int tap = (z * ey + y) * ex + x;
              *packed++ = transposed ? w[std::ptrdiff_t(i * inputs + o) * taps + (taps - 1 - tap)]
                                     : w[std::ptrdiff_t(o * inputs + i) * taps + tap];
            }
    first += block;
  }
}

/// Planes k0 to k0 + KT - 1, output channels o0 to o0 + CO - 1.
template <class T, int CO, int KZ, int KT, int XV>
void convolve_tile(const Convolution<T>& a, int o0, int k0) {
  using P = Pack<T>;
  constexpr int W = lanes<T>;
  const PaddedGrid& g = a.grid;
  const int row = g.row(), ey = a.extent(1), ex = a.extent(0);
  const std::ptrdiff_t plane = g.plane(), channel = g.channel();
  const int length = (g.cells[1] - 1) * row + g.cells[0];
  const std::ptrdiff_t first = g.at(0, 0, k0);
  const std::ptrdiff_t lowest =
      first - (KZ == 3 ? plane : 0) - (ey == 3 ? row : 0) - (ex == 3 ? 1 : 0);
  const T* const block = a.weights + std::ptrdiff_t(o0) * a.inputs * KZ * ey * ex;

  for (int f = 0; f < length; f += XV * W) {
    P sum[CO][KT][XV];
    for (int o = 0; o < CO; ++o) {
      const P b = a.biases != nullptr ? all<T>(a.biases[o0 + o]) : all<T>(T(0));
      for (int k = 0; k < KT; ++k)
        for (int v = 0; v < XV; ++v) sum[o][k][v] = b;
    }
    for (int o = 0; o < CO; ++o)
      for (int k = 0; k < KT; ++k)
        for (int v = 0; v < XV; ++v)
          __builtin_prefetch(a.y + (o0 + o) * channel + first + k * plane + f + (XV + v) * W, 1);
    const T* w = block;
    for (int i = 0; i < a.inputs; ++i) {
      const T* const corner = a.x + i * channel + lowest + f;
      // What the next registers need first: the last row they touch, on every plane.
      for (int kz = 0; kz < KT + KZ - 1; ++kz)
        for (int v = 0; v < XV; ++v)
          __builtin_prefetch(corner + (ey - 1) * row + kz * plane + (XV + v) * W + ex - 1);
      for (int dy = 0; dy < ey; ++dy)
        for (int dx = 0; dx < ex; ++dx, w += KZ * CO) {
          const T* p = corner + dy * row + dx;
#pragma GCC unroll 8
          for (int kz = 0; kz < KT + KZ - 1; ++kz) {
            P x[XV];
#pragma GCC unroll 8
            for (int v = 0; v < XV; ++v) x[v] = load<T>(p + kz * plane + v * W);
#pragma GCC unroll 8
            for (int k = 0; k < KT; ++k) {
              const int z = kz - k;
              if (z < 0 || z >= KZ) continue;
#pragma GCC unroll 8
              for (int o = 0; o < CO; ++o)
#pragma GCC unroll 8
                for (int v = 0; v < XV; ++v) sum[o][k][v] += w[z * CO + o] * x[v];
            }
          }
        }
    }
    for (int o = 0; o < CO; ++o)
      for (int k = 0; k < KT; ++k)
        for (int v = 0; v < XV; ++v) {
          const int left = length - f - v * W;
          if (left <= 0) break;
          const std::ptrdiff_t at = (o0 + o) * channel + first + k * plane + f + v * W;
          P y = sum[o][k][v];
          if (a.has_relu) y = positive_part<T>(y);
          if (left >= W) {
            if (a.s != nullptr) y += load<T>(a.s + at);
            store<T>(y, a.y + at);
          } else {
            if (a.s != nullptr) y += load_first<T>(a.s + at, left);
            store_first<T>(y, a.y + at, left);
          }
        }
  }
  // Zeros between the rows again.
  for (int o = 0; o < CO; ++o)
    for (int k = 0; k < KT; ++k) {
      T* y = a.y + (o0 + o) * channel + first + k * plane + g.cells[0];
      for (int j = 0; j + 1 < g.cells[1]; ++j, y += row) y[0] = y[1] = T(0);
    }
}

template <class T, int CO, int KZ>
void convolve_planes(const Convolution<T>& a, int o0, int begin, int end) {
  constexpr int planes = CO <= 2 ? 4 : 3;
  constexpr int registers = CO == 1 ? 4 : CO == 8 ? 1 : 2;
  int k = begin;
  for (; k + planes <= end; k += planes) convolve_tile<T, CO, KZ, planes, registers>(a, o0, k);
  for (; k + 2 <= end; k += 2) convolve_tile<T, CO, KZ, 2, registers>(a, o0, k);
  for (; k < end; ++k) convolve_tile<T, CO, KZ, 1, registers>(a, o0, k);
}

/// with<CO>(o) for blocks of CO output channels from o on, until all are done.
template <class With>
void for_channel_blocks(int outputs, const With& with) {
  for (int o = 0; o < outputs;) {
    const int block = block_of(outputs - o);
    if (block == 8)
      with.template operator()<8>(o);
    else if (block == 4)
      with.template operator()<4>(o);
    else if (block == 2)
      with.template operator()<2>(o);
    else
      with.template operator()<1>(o);
    o += block;
  }
}

/// All output channels of planes [begin, end).
template <class T>
void convolve(const Convolution<T>& a, int begin, int end) {
  const auto with = [&]<int CO>(int o0) {
    if (a.extent(2) == 3)
      convolve_planes<T, CO, 3>(a, o0, begin, end);
    else
      convolve_planes<T, CO, 1>(a, o0, begin, end);
  };
  for_channel_blocks(a.outputs, with);
}

}  // namespace libsolve::learn::detail
