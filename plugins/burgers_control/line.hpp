#pragma once

#include <libsolve/core/row_kernels.hpp>

namespace burgers_control {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// Linear elements on a line of cells of width h; n inner nodes carry unknowns, zero on both ends. With
/// hats phi_i, for functions v, p, y by their values at inner nodes:
struct Line {
  Index n = 0;
  double h = 0.0;

  KOKKOS_INLINE_FUNCTION double at(const double* v, Index i) const {
    return i >= 0 && i < n ? v[i] : 0.0;
  }
  /// int v phi_i.
  KOKKOS_INLINE_FUNCTION double mass(const double* v, Index i) const {
    return h / 6.0 * (at(v, i - 1) + 4.0 * v[i] + at(v, i + 1));
  }
  /// int v_x phi_i,x.
  KOKKOS_INLINE_FUNCTION double stiffness(const double* v, Index i) const {
    return (2.0 * v[i] - at(v, i - 1) - at(v, i + 1)) / h;
  }
  /// int (y v)_x phi_i: what int y y_x phi_i changes by along v; half of it at v = y is that itself.
  KOKKOS_INLINE_FUNCTION double convection(const double* y, const double* v, Index i) const {
    const double yl = at(y, i - 1), yr = at(y, i + 1), vl = at(v, i - 1), vr = at(v, i + 1);
    const double right = y[i] * vr + yr * v[i] + 2.0 * yr * vr;
    const double left = y[i] * vl + yl * v[i] + 2.0 * yl * vl;
    return (right - left) / 6.0;
  }
  /// int p (v phi_i)_x = -int p_x v phi_i: the adjoint of convection(v, .) on p, and the second
  /// derivative of int p y y_x along v.
  KOKKOS_INLINE_FUNCTION double convection_adjoint(const double* p, const double* v, Index i) const {
    const double left = (p[i] - at(p, i - 1)) * (at(v, i - 1) + 2.0 * v[i]);
    const double right = (at(p, i + 1) - p[i]) * (2.0 * v[i] + at(v, i + 1));
    return -(left + right) / 6.0;
  }
};

}  // namespace burgers_control
