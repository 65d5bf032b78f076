#include "poisson_source.hpp"

#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/csr_matrix.hpp>
#include <libsolve/linear/grid_halo.hpp>

#include "fields.hpp"
#include "mask.hpp"
#include "stencil.hpp"

namespace poisson {

using libsolve::StencilOperator;
using libsolve::Vector;

Geometry make_geometry(const PoissonOptions& o) {
  const auto pick = [](const std::vector<double>& v, int a) {
    return v[v.size() == 1 ? 0 : static_cast<size_t>(a)];
  };
  Geometry g;
  g.dimension = o.dimension();
  for (int a = 0; a < g.dimension; ++a) {
    g.n[a] = g.cells[a] = o.size[static_cast<size_t>(a)];
    g.length[a] = pick(o.length, a);
    g.anisotropy[a] = pick(o.anisotropy, a);
    for (int s = 0; s < 2; ++s) {
      g.dirichlet[a][s] = o.is_dirichlet(a, s);
      g.gap[a][s] = o.centering == "vertex" && g.dirichlet[a][s] ? 1.0 : 0.5;
    }
    g.h[a] = g.length[a] / (g.n[a] - 1 + g.gap[a][0] + g.gap[a][1]);
    g.first[a] = g.gap[a][0] * g.h[a];
  }
  return g;
}

libsolve::Grid make_grid(const Geometry& g) {
  libsolve::Grid grid;
  grid.dimension = g.dimension;
  for (int a = 0; a < g.dimension; ++a) {
    grid.cells[a] = g.n[a];
    grid.spacing[a] = g.h[a];
    grid.origin[a] = g.first[a] - 0.5 * g.h[a];
  }
  return grid;
}

struct ZeroSolid {
  const unsigned char* solid;
  double* v;
  KOKKOS_INLINE_FUNCTION void operator()(Index c) const {
    if (solid[c] != 0) v[c] = 0.0;
  }
};

struct MaskToDouble {
  const unsigned char* solid;
  double* v;
  KOKKOS_INLINE_FUNCTION void operator()(Index c) const { v[c] = solid[c]; }
};

namespace {

void zero_solid(const Solid& solid, const Vector& v) {
  if (solid.extent(0) == 0) return;
  Kokkos::parallel_for("poisson::zero_solid", Policy(0, v.local_size()),
                       ZeroSolid{solid.data(), v.data()});
}

std::string describe_walls(const PoissonOptions& o) {
  bool any_dirichlet = false;
  bool any_neumann = false;
  for (int a = 0; a < o.dimension(); ++a)
    for (int s = 0; s < 2; ++s) (o.is_dirichlet(a, s) ? any_dirichlet : any_neumann) = true;
  return any_dirichlet && any_neumann ? "mixed walls"
                                      : (any_dirichlet ? "Dirichlet walls" : "Neumann walls");
}

std::string describe_problem(const PoissonOptions& o) {
  std::string text = std::to_string(o.dimension()) + "D Poisson, ";
  for (size_t a = 0; a < o.size.size(); ++a)
    text += (a == 0 ? "" : " x ") + std::to_string(o.size[a]);
  text += ", " + o.coefficient + " coefficient, " + describe_walls(o);
  if (o.mask != "none") text += ", " + o.mask_boundary + " solids (" + o.mask + ")";
  if (o.storage == "csr") text += ", assembled";
  return text;
}

}  // namespace

PoissonSource::PoissonSource(const Options& options, const libsolve::Context& context)
    : options_(options), context_(context) {}

std::unique_ptr<libsolve::Problem> PoissonSource::create() {
  const PoissonOptions& o = options_;
  const Geometry whole = make_geometry(o);
  const libsolve::Grid grid = make_grid(whole);
  const libsolve::GridPartition parts = context_.communicator.size() > 1
                                            ? libsolve::GridPartition(grid, context_.communicator)
                                            : libsolve::GridPartition(grid);
  const Geometry g = whole.with_box(parts.own());
  const auto field = [&](const char* name, const VectorView& values, const char* description) {
    return libsolve::Field{.name = name,
                           .values = Vector(values, parts.partition()),
                           .shape = {},
                           .units = {},
                           .description = description,
                           .grid = grid,
                           .box = parts.own()};
  };

  // Closing lone cells looks at their neighbours, and faces at both cells they separate.
  const Geometry around = whole.with_box(parts.extended(2));
  const bool is_cut = !(around.box() == g.box());
  const libsolve::GridHalo cut = is_cut ? libsolve::GridHalo(parts, 2) : libsolve::GridHalo();
  const auto own_part = [&](const VectorView& all) {
    if (!is_cut || all.extent(0) == 0) return all;
    const VectorView own("poisson::own", static_cast<size_t>(g.num_cells()));
    cut.take_own<double>(all, own);
    return own;
  };

  std::shared_ptr<const StencilOperator> stencil;
  std::optional<libsolve::NullSpace> null_space;
  std::vector<libsolve::Field> fields;
  const Solid solid_around = make_mask(o, around, context_);
  const bool has_solid = o.mask != "none";
  if (has_solid && o.mask_boundary == "neumann" && o.reaction == 0.0)
    close_lone_cells(around, solid_around);
  const Solid solid = own_mask(around, g, solid_around);
  if (o.coefficient == "constant" && !has_solid) {
    const auto constant = constant_stencil(g, o.value, o.reaction);
    stencil = std::make_shared<StencilOperator>(parts, constant);
    bool singular = constant.shift == 0.0;
    for (const auto& walls : constant.wall)
      singular = singular && walls[0] == 0.0 && walls[1] == 0.0;
    if (singular) null_space = libsolve::NullSpace::constants(stencil->row_partition());
  } else {
    const Vector k = make_coefficient(o, around, context_);
    auto variable = variable_stencil(around, k.view(), solid_around, o.mask_boundary == "dirichlet",
                                     o.centering == "vertex", o.value, o.reaction);
    if (is_cut) {
      for (VectorView& face : variable.face) face = own_part(face);
      variable.excess = own_part(variable.excess);
      variable.solid = solid;
    }
    bool any_dirichlet = o.reaction > 0.0;
    for (int a = 0; a < g.dimension; ++a)
      any_dirichlet = any_dirichlet || g.dirichlet[a][0] || g.dirichlet[a][1];
    if (has_solid) {
      if (o.reaction == 0.0)
        null_space = find_null_space(g, parts, variable.face, variable.excess, solid);
    } else if (!any_dirichlet) {
      null_space = libsolve::NullSpace::constants(parts.partition());
    }
    stencil = std::make_shared<StencilOperator>(parts, variable);
    fields.push_back(
        field("coefficient", own_part(k.view()), "k in -div(k grad u) + s u = f"));
  }
  if (has_solid) {
    const VectorView mask("poisson::mask", static_cast<size_t>(g.num_cells()));
    Kokkos::parallel_for("poisson::mask_field", Policy(0, g.num_cells()),
                         MaskToDouble{solid.data(), mask.data()});
    fields.push_back(field("mask", mask, "1 at solid cells, 0 elsewhere"));
  }

  const auto spread = [&](const Vector& own) { return Vector(own.view(), parts.partition()); };
  std::optional<Vector> exact;
  Vector b;
  if (o.right_hand_side == "manufactured") {
    const Manufactured m = make_manufactured(o, g);
    exact = spread(m.solution);
    b = spread(m.right_hand_side);
  } else {
    b = spread(make_right_hand_side(o, g, context_));
  }
  const Vector x = spread(make_initial_guess(o, g, context_));
  zero_solid(solid, b);
  zero_solid(solid, x);
  if (null_space) {
    null_space->project_out(b);
    null_space->project_out(x);
    if (exact) null_space->project_out(*exact);
  }

  std::shared_ptr<const libsolve::LinearOperator> A = stencil;
  if (o.storage == "csr") A = stencil->assemble();
  auto system = std::make_unique<libsolve::LinearSystem>(A, b, x);
  system->null_space = null_space;
  system->grid = grid;
  system->box = parts.own();
  system->exact_solution = exact;
  system->text = describe_problem(o);
  system->extra_data = std::move(fields);
  return system;
}

}  // namespace poisson
