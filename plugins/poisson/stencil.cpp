#include "stencil.hpp"

#include <libsolve/core/large_array.hpp>

namespace poisson {

namespace {

VectorView allocate(const char* label, size_t n) {
  return libsolve::bare_array<double>(label, n);
}

}  // namespace

/// Faces and excess of one cell. What lies beyond a box that ends inside the grid is left out.
struct FillStencil {
  Geometry g;
  const double* k;
  const unsigned char* solid;  ///< null: no solid cell
  double solid_link;           ///< of a cell to a solid neighbour, times scale(axis) k
  double solid_excess;
  double reaction;
  double* face[3];
  double* excess;

  KOKKOS_INLINE_FUNCTION void operator()(Index c) const {
    Index at[3];
    g.locate(c, at);
    const bool is_solid = solid != nullptr && solid[c] != 0;
    const double kc = k[c];
    double e = reaction;
    Index stride = 1;
    for (int a = 0; a < 3; ++a) {
      const double scale = g.scale(a);
      double f = 0.0;
      if (g.holds_after(a, at[a])) {
        const Index next = c + stride;
        if (solid != nullptr && solid[next] != 0)
          e += solid_link * scale * kc;
        else
          f = 2.0 * kc / (kc + k[next]) * k[next] * scale;
      } else if (a < g.dimension && at[a] + 1 == g.n[a]) {
        e += g.wall_scale(a, 1) * kc;
      }
      if (g.holds_before(a, at[a])) {
        if (solid != nullptr && solid[c - stride] != 0) e += solid_link * scale * kc;
      } else if (a < g.dimension && at[a] == 0) {
        e += g.wall_scale(a, 0) * kc;
      }
      if (face[a] != nullptr) face[a][c] = is_solid ? 0.0 : f;
      stride *= g.cells[a];
    }
    excess[c] = is_solid ? solid_excess : e;
  }
};

libsolve::StencilOperator::Constant constant_stencil(const Geometry& g, double k, double reaction) {
  libsolve::StencilOperator::Constant c;
  c.shift = reaction;
  for (int a = 0; a < g.dimension; ++a) {
    c.coupling[a] = k * g.scale(a);
    for (int s = 0; s < 2; ++s) c.wall[a][s] = k * g.wall_scale(a, s);
  }
  return c;
}

libsolve::StencilOperator::Variable variable_stencil(const Geometry& g, const VectorView& k,
                                                     const Solid& solid, bool solid_dirichlet,
                                                     bool vertex, double solid_value,
                                                     double reaction) {
  const auto n = static_cast<size_t>(g.num_cells());
  libsolve::StencilOperator::Variable v;
  FillStencil body{.g = g,
                   .k = k.data(),
                   .solid = solid.extent(0) == 0 ? nullptr : solid.data(),
                   .solid_link = !solid_dirichlet ? 0.0 : (vertex ? 1.0 : 2.0),
                   .solid_excess = 0.0,
                   .reaction = reaction,
                   .face = {nullptr, nullptr, nullptr},
                   .excess = nullptr};
  const char* labels[3] = {"poisson::face_x", "poisson::face_y", "poisson::face_z"};
  for (int a = 0; a < g.dimension; ++a) {
    body.solid_excess += 2.0 * solid_value * g.scale(a);
    if (g.n[a] == 1) continue;
    v.face[a] = allocate(labels[a], n);
    body.face[a] = v.face[a].data();
  }
  v.excess = allocate("poisson::excess", n);
  body.excess = v.excess.data();
  v.solid = solid;
  Kokkos::parallel_for("poisson::fill_stencil", Policy(0, g.num_cells()), body);
  return v;
}

}  // namespace poisson
