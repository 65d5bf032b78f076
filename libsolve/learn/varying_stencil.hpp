#pragma once

#include <cstddef>
#include <libsolve/core/export.hpp>
#include <libsolve/learn/padded_grid.hpp>

namespace libsolve::learn {

/// A convolution whose kernel differs from cell to cell:
///   y(c) = sum_t w_t(c) x(c + t),  t in {-1, 0, 1}^dimension, zeros beyond the walls.
/// x, y and their gradients are one channel of a PaddedGrid; w has one channel for each of the
/// 3^dimension places, x fastest, so w_t(c) = w[t grid.channel() + place of c]. On the host, by the
/// calling thread; float and double.
LIBSOLVE_EXPORT int num_places(const PaddedGrid& grid);

/// y = W x.
template <class T>
LIBSOLVE_EXPORT void apply_stencil(const PaddedGrid& grid, const T* w, const T* x, T* y);

/// The adjoint by x: gx += W^T gy.
template <class T>
LIBSOLVE_EXPORT void add_stencil_input_gradient(const PaddedGrid& grid, const T* w, const T* gy,
                                                T* gx);

/// The gradient by the entries: gw_t(c) += gy(c) x(c + t).
template <class T>
LIBSOLVE_EXPORT void add_stencil_weight_gradient(const PaddedGrid& grid, const T* x, const T* gy,
                                                 T* gw);

}  // namespace libsolve::learn
