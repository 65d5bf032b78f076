/// \file
/// Kernels of multigrid cycles on padded arrays of nodes.
#pragma once

#include "equations.hpp"

namespace pde_control {

using RealConst = Kokkos::View<const Real*, MemSpace>;

/// padded = scale v.
struct PackNodes {
  double scale;
  const double* v;
  Real* padded;
  KOKKOS_FUNCTION void operator()(Index place, Index entry) const {
    padded[place] = static_cast<Real>(scale * v[entry]);
  }
};

/// v = 0 outside the mask.
struct ClearOutside {
  const double* mask;
  Real* v;
  KOKKOS_FUNCTION void operator()(Index place, Index) const {
    v[place] *= static_cast<Real>(mask[place]);
  }
};

/// Nodes outside the mask, each by itself: h z = r, or (m, s; s, -w) (z_0, z_1) = (r_0, r_1).
template <int F>
struct SolveOutside {
  double m, s;
  const double* mask;
  const Real* w;  ///< null: m
  const double* r[F];
  double* z[F];
  KOKKOS_FUNCTION void operator()(Index place, Index entry) const {
    if (mask[place] > 0.0) return;
    if constexpr (F == 1) {
      z[0][entry] = r[0][entry] / (m + s);
    } else {
      const double n = w == nullptr ? m : static_cast<double>(w[place]);
      const double inverse = 1.0 / (m * n + s * s), f = r[0][entry], g = r[1][entry];
      z[0][entry] = (n * f + s * g) * inverse;
      z[1][entry] = (s * f - m * g) * inverse;
    }
  }
};

/// out = scale v at the nodes `own`, from an array laid out as `rows`.
struct StoreNodes {
  NodeRows own, rows;
  double scale;
  const Real* v;
  double* out;
  KOKKOS_FUNCTION void operator()(Index i, Index j, Index k) const {
    const Index c = place_of(rows, own.begin[0] + i, own.begin[1] + j, own.begin[2] + k);
    out[i + own.n[0] * (j + own.n[1] * k)] = scale * static_cast<double>(v[c]);
  }
};

template <class Equation>
struct ResidualNodes {
  Equation equation;
  Real* r[Equation::num_fields];
  KOKKOS_FUNCTION void operator()(Index place, Index) const {
    Real values[Equation::num_fields];
    equation.residual(place, values);
    for (int a = 0; a < Equation::num_fields; ++a) r[a][place] = values[a];
  }
};

/// Nodes of one colour: numbers start + 2 (i, j, k) of the rank.
struct Colour {
  Index start[3];
  Index n[3];
};

/// The colour of nodes whose numbers in the whole grid are odd (1) or even (0) along each axis.
inline Colour colour_of(const NodeRows& rows, int x, int y, int z) {
  const int parity[3] = {x, y, z};
  Colour c{};
  for (int a = 0; a < 3; ++a) {
    const bool is_used = a == 0 || rows.stride[a] > 0;
    c.start[a] = is_used ? ((rows.begin[a] + parity[a]) & 1) : 0;
    c.n[a] = is_used ? (rows.n[a] - c.start[a] + 1) / 2 : (parity[a] == 0 ? rows.n[a] : 0);
  }
  return c;
}

template <class Equation>
struct RelaxNodes {
  NodeRows rows;
  Colour colour;
  Equation equation;
  KOKKOS_FUNCTION void operator()(Index i, Index j, Index k) const {
    equation.relax(
        rows.place(colour.start[0] + 2 * i, colour.start[1] + 2 * j, colour.start[2] + 2 * k));
  }
};

/// Both halves of a row, on the host.
template <class Equation>
struct RelaxRow {
  NodeRows rows;
  Colour half[2];  ///< the same rows
  Equation equation;
  void operator()(Index row) const {
    const Equation local = equation;
    const Index k = row / half[0].n[1], j = row - k * half[0].n[1];
    for (const Colour& c : half) {
      const Index first = rows.place(c.start[0], c.start[1] + 2 * j, c.start[2] + 2 * k);
      const Index n = c.n[0];
#pragma omp simd
      for (Index i = 0; i < n; ++i) local.relax(first + 2 * i);
    }
  }
};

/// All nodes of the rows of these parities along y and z: even ones of a row, then odd ones, or the
/// other way round.
template <class Equation>
void relax_rows(const NodeRows& rows, int y, int z, bool backwards, const Equation& equation) {
  const int first = backwards ? 1 : 0;
  const Colour half[2] = {colour_of(rows, first, y, z), colour_of(rows, 1 - first, y, z)};
  const Index num_rows = half[0].n[1] * half[0].n[2];
  if (num_rows <= 0 || rows.n[0] == 0) return;
  if constexpr (runs_on_host<ExecSpace>) {
    detail::for_host_rows("pde_control::relax", num_rows, GlobalIndex{rows.n[0]} * num_rows,
                          RelaxRow<Equation>{rows, {half[0], half[1]}, equation});
  } else {
    for (const Colour& c : half)
      for_points("pde_control::relax", c.n, RelaxNodes<Equation>{rows, c, equation});
  }
}

/// coarse = P^T fine at its own nodes: weights 2^-(|dx| + |dy| + |dz|).
template <int D>
struct RestrictNodes {
  NodeRows coarse, fine;
  const Real* from;
  Real* to;
  KOKKOS_FUNCTION void operator()(Index i, Index j, Index k) const {
    const Index at[3] = {coarse.begin[0] + i, coarse.begin[1] + j, coarse.begin[2] + k};
    const Index c = place_of(fine, 2 * at[0], D > 1 ? 2 * at[1] : 0, D > 2 ? 2 * at[2] : 0);
    const Q1Sums<D, Real> sums(from, c, fine.stride[1], fine.stride[2]);
    Real total = 0;
    for (int r = 0; r < Q1Sums<D, Real>::num_rows; ++r) {
      const Real weight = r == 0 ? Real(1) : r == 3 ? Real(0.25) : Real(0.5);
      total += weight * (sums.centre[r] + Real(0.5) * sums.beside[r]);
    }
    to[coarse.place(i, j, k)] = total;
  }
};

inline void restrict_nodes(const NodeGrid& fine, const RealView& from, const NodeGrid& coarse,
                           const RealView& to) {
  with_dimension(fine.dimension(), [&](auto d) {
    for_points(
        "pde_control::restrict", coarse.rows().n,
        RestrictNodes<decltype(d)::value>{coarse.rows(), fine.rows(), from.data(), to.data()});
  });
}

/// fine (+)= P coarse: the mean of the coarse nodes around a fine one.
template <int D, bool Add>
struct ProlongNodes {
  NodeRows fine, coarse;
  const Real* from;
  Real* to;
  KOKKOS_FUNCTION void operator()(Index i, Index j, Index k) const {
    const Index x = fine.begin[0] + i, y = fine.begin[1] + j, z = fine.begin[2] + k;
    Real sum = 0;
    for (int corner = 0; corner < 1 << D; ++corner) {
      const Index cx = (x + (corner & 1)) >> 1;
      const Index cy = D > 1 ? (y + ((corner >> 1) & 1)) >> 1 : 0;
      const Index cz = D > 2 ? (z + ((corner >> 2) & 1)) >> 1 : 0;
      sum += from[place_of(coarse, cx, cy, cz)];
    }
    const Index c = fine.place(i, j, k);
    const Real value = sum * (Real(1) / Real(1 << D));
    if constexpr (Add)
      to[c] += value;
    else
      to[c] = value;
  }
};

inline void prolong_nodes(const NodeGrid& coarse, const RealView& from, const NodeGrid& fine,
                          bool add, const RealView& to) {
  with_dimension(fine.dimension(), [&](auto d) {
    constexpr int D = decltype(d)::value;
    if (add)
      for_points("pde_control::prolong", fine.rows().n,
                 ProlongNodes<D, true>{fine.rows(), coarse.rows(), from.data(), to.data()});
    else
      for_points("pde_control::prolong", fine.rows().n,
                 ProlongNodes<D, false>{fine.rows(), coarse.rows(), from.data(), to.data()});
  });
}

}  // namespace pde_control
