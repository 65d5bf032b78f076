#include "poisson_source.hpp"

#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/csr_matrix.hpp>

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
    g.n[a] = o.size[static_cast<size_t>(a)];
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
  if (context_.communicator.size() > 1)
    throw libsolve::Unsupported("the source 'poisson' works on one rank, the run has " +
                                std::to_string(context_.communicator.size()) +
                                "; start one rank with more threads");
  const Geometry g = make_geometry(o);
  const libsolve::Grid grid = make_grid(g);

  std::shared_ptr<const StencilOperator> stencil;
  std::optional<libsolve::NullSpace> null_space;
  std::vector<libsolve::Field> fields;
  const Solid solid = make_mask(o, g, context_);
  if (solid.extent(0) != 0 && o.mask_boundary == "neumann" && o.reaction == 0.0)
    close_lone_cells(g, solid);
  if (o.coefficient == "constant" && solid.extent(0) == 0) {
    const auto constant = constant_stencil(g, o.value, o.reaction);
    stencil = std::make_shared<StencilOperator>(grid, constant);
    bool singular = constant.shift == 0.0;
    for (const auto& walls : constant.wall)
      singular = singular && walls[0] == 0.0 && walls[1] == 0.0;
    if (singular) null_space = libsolve::NullSpace::constants(stencil->row_partition());
  } else {
    const Vector k = make_coefficient(o, g, context_);
    const auto variable = variable_stencil(g, k.view(), solid, o.mask_boundary == "dirichlet",
                                           o.centering == "vertex", o.value, o.reaction);
    stencil = std::make_shared<StencilOperator>(grid, variable);
    bool any_dirichlet = o.reaction > 0.0;
    for (int a = 0; a < g.dimension; ++a)
      any_dirichlet = any_dirichlet || g.dirichlet[a][0] || g.dirichlet[a][1];
    if (solid.extent(0) != 0) {
      if (o.reaction == 0.0) null_space = find_null_space(g, variable.face, variable.excess, solid);
    } else if (!any_dirichlet) {
      null_space = libsolve::NullSpace::constants(stencil->row_partition());
    }
    fields.push_back({.name = "coefficient",
                      .values = k,
                      .shape = {},
                      .units = {},
                      .description = "k in -div(k grad u) + s u = f",
                      .grid = grid});
  }
  if (solid.extent(0) != 0) {
    const Vector mask("poisson::mask", stencil->row_partition());
    Kokkos::parallel_for("poisson::mask_field", Policy(0, g.num_cells()),
                         MaskToDouble{solid.data(), mask.data()});
    fields.push_back({.name = "mask",
                      .values = mask,
                      .shape = {},
                      .units = {},
                      .description = "1 at solid cells, 0 elsewhere",
                      .grid = grid});
  }

  std::optional<Vector> exact;
  Vector b;
  if (o.right_hand_side == "manufactured") {
    const Manufactured m = make_manufactured(o, g);
    exact = m.solution;
    b = m.right_hand_side;
  } else {
    b = make_right_hand_side(o, g, context_);
  }
  const Vector x = make_initial_guess(o, g, context_);
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
  system->exact_solution = exact;
  system->text = describe_problem(o);
  system->extra_data = std::move(fields);
  return system;
}

}  // namespace poisson
