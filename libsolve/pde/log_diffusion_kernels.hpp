/// \file
/// Sums over the faces of cells, for LogDiffusion, of functions u_s (and p_s) in padded arrays,
///   flux (i, s):   sum over faces f to cells j  c_f (u_s,i - u_s,j)  +  e u_s,i,
///   products (i):  sum over s of
///                  [sum over faces  c_f (u_s,i - u_s,j) (p_s,i - p_s,j)  +  e u_s,i p_s,i].
/// c and e are the conductivities or what their derivatives with respect to m want, out of numbers
/// that are computed once for each m: no division and no exponential here.
#pragma once

#include <libsolve/pde/cell_spans.hpp>

namespace libsolve::detail {

/// K = 2 / (h^2 (E_i + E_j)) of the faces between a place and the next along each axis, 0 where
/// there is none, E = e^-m, e = 2 / (h^2 E) times the walls of a cell. K may be read from one plane
/// before place 0 on.
struct Conductivities {
  const double* face[3];
  const double* E;
  const double* excess;    ///< null without walls at 0
  double half_over_scale;  ///< h^2 / 2
};

/// A(m).
struct Conductance {
  static constexpr bool is_stored = true;
  Conductivities k;
  KOKKOS_INLINE_FUNCTION double face(Index, Index, double K) const { return K; }
  KOKKOS_INLINE_FUNCTION double excess(Index i) const { return k.excess[i]; }
};

/// dA/dm v: dK = h^2/2 K^2 (E_i v_i + E_j v_j).
struct ConductanceChange {
  static constexpr bool is_stored = false;
  Conductivities k;
  const double* v;
  KOKKOS_INLINE_FUNCTION double face(Index i, Index j, double K) const {
    return k.half_over_scale * K * K * (k.E[i] * v[i] + k.E[j] * v[j]);
  }
  KOKKOS_INLINE_FUNCTION double excess(Index i) const { return k.excess[i] * v[i]; }
};

/// dK/dm_i = h^2/2 K^2 E_i.
struct ConductanceDerivative {
  static constexpr bool is_stored = false;
  Conductivities k;
  KOKKOS_INLINE_FUNCTION double face(Index i, Index, double K) const {
    return k.half_over_scale * K * K * k.E[i];
  }
  KOKKOS_INLINE_FUNCTION double excess(Index i) const { return k.excess[i]; }
};

/// d(dK)/dm_i = h^2/2 K^2 E_i (h^2 K (E_i v_i + E_j v_j) - v_i).
struct ConductanceSecondDerivative {
  static constexpr bool is_stored = false;
  Conductivities k;
  const double* v;
  KOKKOS_INLINE_FUNCTION double face(Index i, Index j, double K) const {
    const double half = k.half_over_scale * K;
    return half * K * k.E[i] * (2.0 * half * (k.E[i] * v[i] + k.E[j] * v[j]) - v[i]);
  }
  KOKKOS_INLINE_FUNCTION double excess(Index i) const { return k.excess[i] * v[i]; }
};

/// c and e of the cells of a span.
struct SpanCoefficients {
  const double* face[6];
  const double* excess;
};

// One span of one function each. By themselves: among the branches around them g++ makes no SIMD.

template <int D, bool HasExcess>
[[gnu::noinline]] void flux_of_span(Index n, const SpanCoefficients& c, const AcrossFaces& across,
                                    const double* u, double shift, double* out) {
  const double *x0 = c.face[0], *x1 = c.face[1], *y0 = c.face[2], *y1 = c.face[3];
  [[maybe_unused]] const double *z0 = c.face[4], *z1 = c.face[5], *e = c.excess;
  const Index* o = across.offset;
  const double *ux0 = u + o[0], *ux1 = u + o[1], *uy0 = u + o[2], *uy1 = u + o[3];
  [[maybe_unused]] const double *uz0 = u + o[4], *uz1 = u + o[5];
#pragma omp simd
  for (Index i = 0; i < n; ++i) {
    const double v = u[i];
    double sum = (x0[i] * (v - ux0[i]) + x1[i] * (v - ux1[i])) +
                 (y0[i] * (v - uy0[i]) + y1[i] * (v - uy1[i]));
    if constexpr (D == 3) sum += z0[i] * (v - uz0[i]) + z1[i] * (v - uz1[i]);
    if constexpr (HasExcess) sum += e[i] * v;
    out[i] = sum + shift;
  }
}

template <int D, bool HasExcess>
[[gnu::noinline]] void add_products_of_span(Index n, const SpanCoefficients& c,
                                            const AcrossFaces& across, const double* u,
                                            const double* p, double* out) {
  const double *x0 = c.face[0], *x1 = c.face[1], *y0 = c.face[2], *y1 = c.face[3];
  [[maybe_unused]] const double *z0 = c.face[4], *z1 = c.face[5], *e = c.excess;
  const Index* o = across.offset;
  const double *ux0 = u + o[0], *ux1 = u + o[1], *uy0 = u + o[2], *uy1 = u + o[3];
  const double *px0 = p + o[0], *px1 = p + o[1], *py0 = p + o[2], *py1 = p + o[3];
  [[maybe_unused]] const double *uz0 = u + o[4], *uz1 = u + o[5], *pz0 = p + o[4], *pz1 = p + o[5];
#pragma omp simd
  for (Index i = 0; i < n; ++i) {
    const double v = u[i], w = p[i];
    double sum = (x0[i] * (v - ux0[i]) * (w - px0[i]) + x1[i] * (v - ux1[i]) * (w - px1[i])) +
                 (y0[i] * (v - uy0[i]) * (w - py0[i]) + y1[i] * (v - uy1[i]) * (w - py1[i]));
    if constexpr (D == 3)
      sum += z0[i] * (v - uz0[i]) * (w - pz0[i]) + z1[i] * (v - uz1[i]) * (w - pz1[i]);
    if constexpr (HasExcess) sum += e[i] * v * w;
    out[i] += sum;
  }
}

template <class Kind>
[[gnu::noinline]] void faces_of_span(Index n, const Kind& kind, Index place, Index across,
                                     const double* K, double* out) {
  const Kind local = kind;  // see row_kernels.hpp
#pragma omp simd
  for (Index i = 0; i < n; ++i) out[i] = local.face(place + i, place + across + i, K[i]);
}
template <class Kind>
[[gnu::noinline]] void excess_of_span(Index n, const Kind& kind, Index place, double* out) {
  const Kind local = kind;
#pragma omp simd
  for (Index i = 0; i < n; ++i) out[i] = local.excess(place + i);
}

/// Shorter spans, which the ends of arrays make, are done cell by cell, as devices do all of them.
inline constexpr Index few_cells = 4;

/// What both sums have in common.
template <int D, class Kind>
struct FaceSums {
  Kind kind;
  Index stride[3];
  Index num_cells, padded;  ///< from one function to the next, in vectors and in padded arrays
  int functions;

  struct Room {
    double values[2 * D + 1][cells_per_span];
  };
  /// The place of the face's K on a side: that between the cell before and this one, or this one
  /// and the next.
  KOKKOS_INLINE_FUNCTION const double* conductance(int side, Index place) const {
    return kind.k.face[side / 2] + place - (side % 2 == 0 ? stride[side / 2] : 0);
  }
  SpanCoefficients coefficients(const CellSpan& span, Room& room) const {
    SpanCoefficients c = {};
    for (int side = 0; side < 2 * D; ++side) {
      const double* const K = conductance(side, span.place);
      c.face[side] = Kind::is_stored ? K : room.values[side];
      if constexpr (!Kind::is_stored)
        faces_of_span(span.length, kind, span.place, span.across.offset[side], K,
                      room.values[side]);
    }
    if (kind.k.excess == nullptr) return c;
    c.excess = Kind::is_stored ? kind.k.excess + span.place : room.values[2 * D];
    if constexpr (!Kind::is_stored)
      excess_of_span(span.length, kind, span.place, room.values[2 * D]);
    return c;
  }
  KOKKOS_INLINE_FUNCTION double coefficient(int side, Index place, const AcrossFaces& a) const {
    return kind.face(place, place + a.offset[side], *conductance(side, place));
  }
  KOKKOS_INLINE_FUNCTION double excess(Index place) const {
    return kind.k.excess == nullptr ? 0.0 : kind.excess(place);
  }
};

/// out_s = flux of u_s, plus shift[s] where there is one.
template <int D, class Kind>
struct Flux {
  FaceSums<D, Kind> faces;
  const double *u, *shift;
  double* out;

  void operator()(const CellSpan& span) const {
    if (span.length < few_cells) return cells(span);
    typename FaceSums<D, Kind>::Room room;
    const SpanCoefficients c = faces.coefficients(span, room);
    for (Index s = 0; s < faces.functions; ++s) {
      const double* const of_s = u + s * faces.padded + span.place;
      double* const to = out + s * faces.num_cells + span.entry;
      const double by = shift == nullptr ? 0.0 : shift[s];
      if (c.excess == nullptr)
        flux_of_span<D, false>(span.length, c, span.across, of_s, by, to);
      else
        flux_of_span<D, true>(span.length, c, span.across, of_s, by, to);
    }
  }
  void cells(const CellSpan& span) const {
    for (Index i = 0; i < span.length; ++i) cell(span.place + i, span.entry + i, span.across);
  }
  KOKKOS_FUNCTION void cell(Index place, Index entry, const AcrossFaces& across) const {
    double c[2 * D];
    for (int side = 0; side < 2 * D; ++side) c[side] = faces.coefficient(side, place, across);
    const double e = faces.excess(place);
    const double* of_s = u + place;
    for (Index s = 0; s < faces.functions; ++s, of_s += faces.padded) {
      double sum = e * of_s[0] + (shift == nullptr ? 0.0 : shift[s]);
      for (int side = 0; side < 2 * D; ++side)
        sum += c[side] * (of_s[0] - of_s[across.offset[side]]);
      out[s * faces.num_cells + entry] = sum;
    }
  }
};

/// out = products of u_s and p_s.
template <int D, class Kind>
struct Products {
  FaceSums<D, Kind> faces;
  const double *u, *p;
  double* out;

  void operator()(const CellSpan& span) const {
    if (span.length < few_cells) return cells(span);
    typename FaceSums<D, Kind>::Room room;
    const SpanCoefficients c = faces.coefficients(span, room);
    double sum[cells_per_span] = {};
    for (Index s = 0; s < faces.functions; ++s) {
      const Index at = s * faces.padded + span.place;
      if (c.excess == nullptr)
        add_products_of_span<D, false>(span.length, c, span.across, u + at, p + at, sum);
      else
        add_products_of_span<D, true>(span.length, c, span.across, u + at, p + at, sum);
    }
    std::copy(sum, sum + span.length, out + span.entry);
  }
  void cells(const CellSpan& span) const {
    for (Index i = 0; i < span.length; ++i) cell(span.place + i, span.entry + i, span.across);
  }
  KOKKOS_FUNCTION void cell(Index place, Index entry, const AcrossFaces& across) const {
    double c[2 * D];
    for (int side = 0; side < 2 * D; ++side) c[side] = faces.coefficient(side, place, across);
    const double e = faces.excess(place);
    double sum = 0.0;
    for (Index s = 0; s < faces.functions; ++s) {
      const double *v = u + s * faces.padded + place, *w = p + s * faces.padded + place;
      sum += e * v[0] * w[0];
      for (int side = 0; side < 2 * D; ++side)
        sum += c[side] * (v[0] - v[across.offset[side]]) * (w[0] - w[across.offset[side]]);
    }
    out[entry] = sum;
  }
};

}  // namespace libsolve::detail
