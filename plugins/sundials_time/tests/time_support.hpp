#pragma once

#include <array>
#include <cmath>
#include <libsolve/core/grid_partition.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/stencil_operator.hpp>
#include <libsolve/pde/integrated_flow.hpp>
#include <libsolve/pde/reaction_diffusion.hpp>
#include <libsolve/plugin/loader.hpp>
#include <numbers>
#include <tests/support/vectors.hpp>

#include "../arkode_integrator.hpp"
#include "../cvodes_integrator.hpp"

namespace sundials_time::test {

inline const Registry& registry() {
  static const Registry* all = [] {
    auto* made = new Registry;
    load_plugins(*made, {.files = {}, .path = "", .installed_folder = std::nullopt});
    return made;
  }();
  return *all;
}

inline libsolve::Context setting(const Communicator& comm = Communicator::self()) {
  libsolve::Context context;
  context.registry = &registry();
  context.communicator = comm;
  return context;
}

/// The five-point Laplacian on the inner nodes of the unit square with `cells` cells a side, walls at 0.
inline std::shared_ptr<const StencilOperator> laplacian(int cells, const Communicator& comm = Communicator::self()) {
  Grid grid;
  grid.dimension = 2;
  StencilOperator::Constant c;
  for (std::size_t a = 0; a < 2; ++a) {
    grid.cells[a] = cells - 1;
    grid.spacing[a] = 1.0 / cells;
    c.coupling[a] = static_cast<double>(cells) * cells;
    c.wall[a] = {c.coupling[a], c.coupling[a]};
  }
  return comm.size() > 1 ? std::make_shared<StencilOperator>(GridPartition(grid, comm), c)
                         : std::make_shared<StencilOperator>(grid, c);
}

/// sin(k pi x) sin(l pi y) at this rank's nodes, an eigenvector of it.
inline Vector sine_mode(const StencilOperator& A, int cells, int k, int l) {
  const Box& box = A.grid_partition().own();
  std::vector<double> values;
  for (Index j = box.begin[1]; j < box.end[1]; ++j)
    for (Index i = box.begin[0]; i < box.end[0]; ++i)
      values.push_back(std::sin(k * std::numbers::pi * (i + 1) / cells) *
                       std::sin(l * std::numbers::pi * (j + 1) / cells));
  const Vector mode("test::mode", A.row_partition());
  libsolve::test::assign(mode, values);
  return mode;
}

inline double eigenvalue(int cells, int k, int l) {
  const auto one = [&](int m) {
    return std::pow(2.0 * cells * std::sin(m * std::numbers::pi / (2.0 * cells)), 2);
  };
  return one(k) + one(l);
}

/// |x - factor y|_max / |factor y|_max.
inline double relative_error(const Vector& x, double factor, const Vector& y) {
  const Vector e = x.like("test::error");
  linear_combination(1.0, x, -factor, y, e);
  return norm_max(e) / (std::abs(factor) * norm_max(y));
}

template <class Integrator>
IntegratedFlow flow_of(std::shared_ptr<TimeSystem> system, double final_time,
                       const typename Integrator::Options& options,
                       const libsolve::Context& context = setting()) {
  return IntegratedFlow(std::move(system), final_time, [=] {
    return std::make_unique<Integrator>(options, context);
  });
}

}  // namespace sundials_time::test
