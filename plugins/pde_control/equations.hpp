/// \file
/// The equations of one node, for kernels: residual, and the relaxation that makes it zero.
#pragma once

#include <libsolve/pde/q1_stencil.hpp>

#include "points.hpp"

namespace pde_control {

/// Pointers to the padded arrays of F unknown functions and their right-hand sides.
template <int F>
struct Arrays {
  Real* v[F];
  const Real* f[F];
  const Real* w = nullptr;  ///< diagonal of W where it is one
  const double* mask = nullptr;  ///< NodeGrid's where it has one: nodes outside stay as they are
  Real omega = 1;           ///< relaxation factor
};

/// (M + s K) v = f.
template <int D, bool Masked>
struct ScalarEquation {
  static constexpr int num_fields = 1;
  Q1Stencil<D, Real> H;
  Arrays<1> at;

  ScalarEquation(const Q1Weights& mass, const Q1Weights& stiffness, const NodeRows& rows,
                 const Arrays<1>& arrays)
      : H(mass + stiffness, rows), at(arrays) {}
  KOKKOS_FORCEINLINE_FUNCTION void residual(Index c, Real* r) const {
    r[0] = at.f[0][c] - H(at.v[0], c);
    if constexpr (Masked) r[0] *= static_cast<Real>(at.mask[c]);
  }
  KOKKOS_FORCEINLINE_FUNCTION void relax(Index c) const {
    Real r[1];
    residual(c, r);
    at.v[0][c] += at.omega * r[0] / H.w[0][0];
  }
};

/// M y + s K q = f,  s K y - W q = g, W = M or diagonal; y and q of a node are found together.
template <int D, bool Diagonal, bool Masked>
struct CollectiveEquation {
  static constexpr int num_fields = 2;
  Q1Stencil<D, Real> M, S;
  Arrays<2> at;

  CollectiveEquation(const Q1Weights& mass, const Q1Weights& stiffness, const NodeRows& rows,
                     const Arrays<2>& arrays)
      : M(mass, rows), S(stiffness, rows), at(arrays) {}
  KOKKOS_FORCEINLINE_FUNCTION void residual(Index c, Real* r) const {
    const Q1Sums<D, Real> y(at.v[0], c, M.sy, M.sz), q(at.v[1], c, M.sy, M.sz);
    r[0] = at.f[0][c] - M(y) - S(q);
    if constexpr (Diagonal)
      r[1] = at.f[1][c] - S(y) + at.w[c] * at.v[1][c];
    else
      r[1] = at.f[1][c] - S(y) + M(q);
    if constexpr (Masked) {
      r[0] *= static_cast<Real>(at.mask[c]);
      r[1] *= static_cast<Real>(at.mask[c]);
    }
  }
  /// (m, s; s, -n)^-1 = (n, s; s, -m) / (m n + s^2).
  KOKKOS_FORCEINLINE_FUNCTION void relax(Index c) const {
    Real r[2];
    residual(c, r);
    const Real m = M.w[0][0], s = S.w[0][0];
    Real n = m;
    if constexpr (Diagonal) n = at.w[c];
    const Real inverse = at.omega / (m * n + s * s);
    at.v[0][c] += (n * r[0] + s * r[1]) * inverse;
    at.v[1][c] += (s * r[0] - m * r[1]) * inverse;
  }
};

}  // namespace pde_control
