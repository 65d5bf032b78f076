#include "guard.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/random.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/linear/linear_system.hpp>

namespace multigrid {
namespace {

using libsolve::StencilOperator;
using libsolve::Vector;

struct FillNormal {
  libsolve::RandomStream stream;
  std::uint64_t first;
  double* to;
  KOKKOS_INLINE_FUNCTION void operator()(libsolve::Index i) const {
    to[i] = stream.normal(first + std::uint64_t(i));
  }
};

/// A box at a place of the stream, begun where the first levels have a coarse cell.
libsolve::Box box_at(const StencilOperator& A, const libsolve::RandomStream& stream, double part) {
  libsolve::Box box;
  for (int a = 0; a < 3; ++a) {
    const int n = A.grid().cells[a];
    const int edge = std::min(n, std::max(guard_edge, int(part * n)));
    const int places = (n - edge) / 8 + 1;
    const int first = 8 * std::min(places - 1, int(places * stream.uniform(std::uint64_t(a))));
    box.begin[a] = first;
    box.end[a] = first + edge;
  }
  return box;
}

Trial try_cycle(const libsolve::LinearSystem& system, MultigridOptions options) {
  options.coarse_size = std::min(options.coarse_size, guard_coarse_size);
  Multigrid M(options, libsolve::Context{});
  M.setup(system);
  const Vector e = system.x(), r = e.like("multigrid::guard_r"), z = e.like("multigrid::guard_z");
  const libsolve::RandomStream stream(1, "multigrid::guard");
  const auto n = e.local_size();
  libsolve::for_rows(libsolve::default_space(), "multigrid::guard_fill", n,
                     FillNormal{stream, 0, e.data()});
  Trial trial;
  double before = system.A().apply_dot(e, r);
  for (int i = 0; i < guard_cycles; ++i) {
    M.apply(r, z);
    libsolve::axpy(-1.0, z, e);
    const double energy = system.A().apply_dot(e, r);
    trial.factor = before > 0 ? std::sqrt(std::max(0.0, energy) / before) : 0.0;
    before = energy;
  }
  const Work work = M.work();
  trial.steps = steps_for(trial.factor);
  trial.setup = work.setup / double(n);
  trial.visit = work.visit / double(n);
  return trial;
}

}  // namespace

double steps_for(double factor, double most) {
  if (!(factor < 1.0)) return most;
  const double f = std::max(factor, 1e-3);
  return std::min(most, std::log(1e-8) / std::log(f / (1.0 + std::sqrt(1.0 - f * f))));
}

double grown_steps(double on_small, double on_large) {
  if (on_large <= on_small) return on_large;
  const double power = std::log(on_large / on_small) / std::log(guard_large_part / guard_part);
  return on_large * std::pow(1.0 / guard_large_part, power);
}

GuardResult compare_cycles(const StencilOperator& A, const MultigridOptions& plain,
                           const MultigridOptions& chosen, bool may_grow) {
  const libsolve::RandomStream stream(1, "multigrid::guard_boxes");
  const auto system_on = [&](double part_of_axis) {
    const auto part = A.on_box(box_at(A, stream, part_of_axis));
    const Vector x("multigrid::guard_e", part->row_partition());
    return libsolve::LinearSystem(part, x.like("multigrid::guard_b"), x);
  };
  const libsolve::LinearSystem small = system_on(guard_part);
  GuardResult result{try_cycle(small, plain), try_cycle(small, chosen)};
  if (may_grow && result.keeps_chosen()) {
    const double on_small = result.chosen.steps;
    result.chosen = try_cycle(system_on(guard_large_part), chosen);
    result.chosen.steps = grown_steps(on_small, result.chosen.steps);
  }
  return result;
}

}  // namespace multigrid
