/// \file
/// Pooling and upsampling between a grid and the one of half its resolution, on the host, for one
/// channel, with their adjoints.
#pragma once

#include <libsolve/learn/padded_grid.hpp>

namespace libsolve::learn::detail {

/// Children of a coarse cell along an axis.
inline int children(const PaddedGrid& fine, int axis) {
  return fine.pad[axis] != 0 ? 2 : 1;
}

/// y(C) = mean of x over the cells of C; the zeros around x stand for cells beyond an odd end.
/// Coarse planes [begin, end).
template <class T>
void pool(const PaddedGrid& fine, const PaddedGrid& coarse, const T* x, T* y, int begin, int end) {
  const int cx = children(fine, 0), cy = children(fine, 1), cz = children(fine, 2);
  const T factor = T(1) / static_cast<T>(cx * cy * cz);
  for (int k = begin; k < end; ++k)
    for (int j = 0; j < coarse.cells[1]; ++j) {
      T* const out = y + coarse.at(0, j, k);
      for (int i = 0; i < coarse.cells[0]; ++i) out[i] = T(0);
      for (int z = 0; z < cz; ++z)
        for (int v = 0; v < cy; ++v) {
          const T* const in = x + fine.at(0, cy * j + v, cz * k + z);
          if (cx == 2)
            for (int i = 0; i < coarse.cells[0]; ++i) out[i] += in[2 * i] + in[2 * i + 1];
          else
            for (int i = 0; i < coarse.cells[0]; ++i) out[i] += in[i];
        }
      for (int i = 0; i < coarse.cells[0]; ++i) out[i] *= factor;
    }
}

/// gx(c) += gy(C of c) / number of children.
template <class T>
void add_pool_gradient(const PaddedGrid& fine, const PaddedGrid& coarse, const T* gy, T* gx) {
  const int cx = children(fine, 0), cy = children(fine, 1), cz = children(fine, 2);
  const T factor = T(1) / static_cast<T>(cx * cy * cz);
  for (int k = 0; k < fine.cells[2]; ++k)
    for (int j = 0; j < fine.cells[1]; ++j) {
      const T* const in = gy + coarse.at(0, j / cy, k / cz);
      T* const out = gx + fine.at(0, j, k);
      for (int i = 0; i < fine.cells[0]; ++i) out[i] += factor * in[i / cx];
    }
}

/// y(c) = x(C of c) + s(c); s may be null. Fine planes [begin, end).
template <class T>
void upsample(const PaddedGrid& fine, const PaddedGrid& coarse, const T* x, const T* s, T* y,
              int begin, int end) {
  const int cx = children(fine, 0), cy = children(fine, 1), cz = children(fine, 2);
  for (int k = begin; k < end; ++k)
    for (int j = 0; j < fine.cells[1]; ++j) {
      const T* const in = x + coarse.at(0, j / cy, k / cz);
      const std::ptrdiff_t first = fine.at(0, j, k);
      T* const out = y + first;
      if (cx == 2) {
        int i = 0;
        for (; i + 2 <= fine.cells[0]; i += 2) out[i] = out[i + 1] = in[i / 2];
        if (i < fine.cells[0]) out[i] = in[i / 2];
      } else {
        for (int i = 0; i < fine.cells[0]; ++i) out[i] = in[i];
      }
      if (s != nullptr)
        for (int i = 0; i < fine.cells[0]; ++i) out[i] += s[first + i];
    }
}

/// gx(C) += sum of gy over the cells of C.
template <class T>
void add_upsample_gradient(const PaddedGrid& fine, const PaddedGrid& coarse, const T* gy, T* gx) {
  const int cx = children(fine, 0), cy = children(fine, 1), cz = children(fine, 2);
  for (int k = 0; k < fine.cells[2]; ++k)
    for (int j = 0; j < fine.cells[1]; ++j) {
      const T* const in = gy + fine.at(0, j, k);
      T* const out = gx + coarse.at(0, j / cy, k / cz);
      for (int i = 0; i < fine.cells[0]; ++i) out[i / cx] += in[i];
    }
}

}  // namespace libsolve::learn::detail
