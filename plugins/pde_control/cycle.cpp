#include "cycle.hpp"

#include <algorithm>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/large_array.hpp>
#include <libsolve/core/vector_kernels.hpp>

#include "cycle_kernels.hpp"

namespace pde_control {

namespace {

/// Unknowns of a node times nodes that the coarsest level may have.
constexpr GlobalIndex most_coarsest_unknowns = 1300;
/// Levels with fewer planes on some rank are gathered.
constexpr Index least_planes = 4;
/// Where s K outweighs M on the diagonal by this, sweeps are those of a Laplacian.
constexpr double stiff_from = 20.0;
constexpr double omega_else = 0.8;

bool is_spread_thin(const NodeGrid& grid) {
  if (grid.communicator().size() == 1) return false;
  if (grid.dimension() == 1) return true;
  const std::vector<Index>& cuts = grid.all_nodes().cuts()[grid.dimension() - 1];
  for (std::size_t p = 0; p + 1 < cuts.size(); ++p)
    if (cuts[p + 1] - cuts[p] < least_planes) return true;
  return false;
}

RealView padded_array(const NodeGrid& grid) {
  return zero_array<Real>("pde_control::padded", static_cast<std::size_t>(grid.rows().padded_size));
}

}  // namespace

template <int F>
struct Cycle<F>::Level {
  NodeGrid grid;              ///< on each rank alone where the level is gathered
  NodeGrid landing;           ///< where right-hand sides arrive from the finer level
  Q1Weights mass, stiffness;  ///< stiffness times s
  RealView v[F], f[F], r[F], w;
  RealView nested[F];                ///< right-hand sides of the nested iteration
  RealView landed[F], landed_w;      ///< on `landing`; f and w where the level is not gathered
  std::unique_ptr<GridHalo> gather;  ///< null where it is not
};

template <int F>
struct Cycle<F>::Levels {
  std::vector<Level> level;
  DenseFactors coarsest;
  bool has_diagonal = false;
};

template <int F>
Cycle<F>::Cycle(const CycleProblem& problem, const CycleOptions& options)
    : options_(options), levels_(std::make_unique<Levels>()) {
  NodeGrid landing = problem.grid;
  const bool has_diagonal = F == 2 && problem.diagonal.data() != nullptr;
  levels_->has_diagonal = has_diagonal;
  for (bool gathered = false;; landing = landing.coarse()) {
    Level level;
    level.landing = landing;
    const bool gather_here =
        !gathered &&
        (is_spread_thin(landing) || (landing.communicator().size() > 1 && !landing.can_coarsen()));
    level.grid = gather_here ? landing.on_each_rank() : landing;
    for (int a = 0; a < F; ++a) {
      level.v[a] = padded_array(level.grid);
      level.f[a] = padded_array(level.grid);
      level.r[a] = padded_array(level.grid);
      level.landed[a] = gather_here ? padded_array(landing) : level.f[a];
    }
    if (has_diagonal) {
      level.w = padded_array(level.grid);
      level.landed_w = gather_here ? padded_array(landing) : level.w;
    }
    if (gather_here) {
      level.gather = std::make_unique<GridHalo>(landing.all_nodes(), level.grid.padded_box(),
                                                landing.padded_box());
      gathered = true;
      landing = level.grid;
    }
    levels_->level.push_back(std::move(level));
    if (!landing.can_coarsen()) break;
  }
  const GlobalIndex unknowns = F * levels_->level.back().grid.partition().global_size();
  if (unknowns > most_coarsest_unknowns) {
    const NodeGrid& grid = levels_->level.back().grid;
    throw ShapeError("multigrid halves the cells of a side until an odd number is left, here " +
                     std::to_string(grid.cells(0)) + " with " + std::to_string(unknowns) +
                     " unknowns, of which at most " + std::to_string(most_coarsest_unknowns) +
                     " are solved directly; choose a size with more factors 2");
  }
  set(problem.stiffness, problem.diagonal);
}

template <int F>
Cycle<F>::~Cycle() = default;
template <int F>
Cycle<F>::Cycle(Cycle&&) noexcept = default;

template <int F>
void Cycle<F>::set(double stiffness, const ConstVectorView& diagonal) {
  std::vector<Level>& level = levels_->level;
  for (Level& l : level) {
    l.mass = q1_mass(l.grid);
    l.stiffness = stiffness * q1_stiffness(l.grid);
  }
  if (levels_->has_diagonal) {
    Level& finest = level.front();
    for_nodes(default_space(), "pde_control::diagonal", finest.landing.rows(),
              PackNodes{1.0, diagonal.data(), finest.landed_w.data()});
    if (finest.gather) finest.gather->template fetch<Real>(RealConst(finest.landed_w), finest.w);
    for (std::size_t k = 1; k < level.size(); ++k) {
      level[k - 1].grid.fetch_neighbours(level[k - 1].w);
      restrict_nodes(level[k - 1].grid, level[k - 1].w, level[k].landing, level[k].landed_w);
      if (level[k].gather)
        level[k].gather->template fetch<Real>(RealConst(level[k].landed_w), level[k].w);
    }
  }
  factorise();
}

template <int F>
template <class Use>
void Cycle<F>::with_equation(const Level& l, const Use& use) const {
  Arrays<F> arrays;
  for (int a = 0; a < F; ++a) {
    arrays.v[a] = l.v[a].data();
    arrays.f[a] = l.f[a].data();
  }
  arrays.w = l.w.data();
  arrays.mask = l.grid.mask().data();
  const bool is_stiff = F == 1 || l.stiffness.centre() > stiff_from * l.mass.centre();
  arrays.omega = static_cast<Real>(options_.omega.value_or(is_stiff ? 1.0 : omega_else));
  with_dimension(l.grid.dimension(), [&](auto d) {
    constexpr int D = decltype(d)::value;
    const auto use_with = [&](auto masked) {
      constexpr bool Masked = decltype(masked)::value;
      if constexpr (F == 1)
        use(d, ScalarEquation<D, Masked>(l.mass, l.stiffness, l.grid.rows(), arrays));
      else if (levels_->has_diagonal)
        use(d, CollectiveEquation<D, true, Masked>(l.mass, l.stiffness, l.grid.rows(), arrays));
      else
        use(d, CollectiveEquation<D, false, Masked>(l.mass, l.stiffness, l.grid.rows(), arrays));
    };
    if (l.grid.has_mask())
      use_with(std::true_type());
    else
      use_with(std::false_type());
  });
}

template <int F>
void Cycle<F>::fetch(const Level& l) {
  for (const RealView& v : l.v) l.grid.fetch_neighbours(v);
}

/// One sweep over all colours. Rows of one parity do not touch each other; of a row first one half
/// of the nodes, then the other.
template <int F>
void Cycle<F>::smooth(Level& l, bool backwards) {
  with_equation(l, [&](auto d, const auto& equation) {
    constexpr int groups = 1 << (decltype(d)::value - 1);
    constexpr int per_plane = groups >= 2 && decltype(d)::value == 3 ? 2 : 1;
    for (int g = 0; g < groups; ++g) {
      const int group = backwards ? groups - 1 - g : g;
      if (g % per_plane == 0) fetch(l);
      relax_rows(l.grid.rows(), group & 1, group >> 1, backwards, equation);
    }
  });
}

template <int F>
void Cycle<F>::form_residual(Level& l) {
  fetch(l);
  with_equation(l, [&](auto, const auto& equation) {
    ResidualNodes<std::decay_t<decltype(equation)>> body{equation, {}};
    for (int a = 0; a < F; ++a) body.r[a] = l.r[a].data();
    for_nodes(default_space(), "pde_control::residual", l.grid.rows(), body);
  });
}

template <int F>
void Cycle<F>::restrict_to(const Level& fine, Level& coarse, const RealView* from, RealView* to) {
  for (int a = 0; a < F; ++a) {
    fine.grid.fetch_neighbours(from[a]);
    restrict_nodes(fine.grid, from[a], coarse.landing, coarse.gather ? coarse.landed[a] : to[a]);
    if (coarse.gather) coarse.gather->template fetch<Real>(RealConst(coarse.landed[a]), to[a]);
  }
}

template <int F>
void Cycle<F>::prolong(const Level& coarse, Level& fine, bool add) {
  fetch(coarse);
  for (int a = 0; a < F; ++a) {
    prolong_nodes(coarse.grid, coarse.v[a], fine.grid, add, fine.v[a]);
    if (fine.grid.has_mask())
      for_nodes(default_space(), "pde_control::clear_outside", fine.grid.rows(),
                ClearOutside{fine.grid.mask().data(), fine.v[a].data()});
  }
}

template <int F>
void Cycle<F>::cycle(std::size_t k) {
  std::vector<Level>& level = levels_->level;
  if (k + 1 == level.size()) return solve_coarsest();
  Level &fine = level[k], &coarse = level[k + 1];
  for (int sweep = 0; sweep < options_.sweeps; ++sweep) smooth(fine, false);
  form_residual(fine);
  restrict_to(fine, coarse, fine.r, coarse.f);
  for (const RealView& v : coarse.v) Kokkos::deep_copy(default_space(), v, Real(0));
  const bool again = options_.cycle == "W" && k + 2 < level.size();
  for (int visit = 0; visit < (again ? 2 : 1); ++visit) cycle(k + 1);
  prolong(coarse, fine, true);
  for (int sweep = 0; sweep < options_.sweeps; ++sweep) smooth(fine, true);
}

/// Row k of the matrix of all unknowns, F of each node one after the other.
template <int F>
void Cycle<F>::factorise() {
  const Level& l = levels_->level.back();
  const NodeRows& rows = l.grid.rows();
  const auto n = static_cast<std::size_t>(rows.num_nodes());
  const auto w = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), l.w);
  const auto mask = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), l.grid.mask());
  const auto is_outside = [&](const Index* node) {
    return mask.extent(0) > 0 &&
           mask(static_cast<std::size_t>(rows.place(node[0], node[1], node[2]))) == 0.0;
  };
  std::vector<double> A(F * n * F * n, 0.0);
  const auto entry = [&](std::size_t row, std::size_t column) -> double& {
    return A[row * F * n + column];
  };
  for (Index p = 0; p < rows.num_nodes(); ++p)
    for (Index s = 0; s < rows.num_nodes(); ++s) {
      const Index at[3] = {p % rows.n[0], p / rows.n[0] % rows.n[1], p / rows.n[0] / rows.n[1]};
      const Index to[3] = {s % rows.n[0], s / rows.n[0] % rows.n[1], s / rows.n[0] / rows.n[1]};
      int distance[3] = {};
      bool near = true;
      for (int a = 0; a < 3; ++a) {
        distance[a] = std::abs(static_cast<int>(at[a] - to[a]));
        near = near && distance[a] < 2;
      }
      if (!near || (p != s && (is_outside(at) || is_outside(to)))) continue;
      const int r = distance[1] + 2 * distance[2];
      const double m = l.mass.w[r][distance[0]], k = l.stiffness.w[r][distance[0]];
      const auto i = F * static_cast<std::size_t>(p), j = F * static_cast<std::size_t>(s);
      if constexpr (F == 1) {
        entry(i, j) = m + k;
      } else {
        entry(i, j) = m;
        entry(i, j + 1) = entry(i + 1, j) = k;
        if (!levels_->has_diagonal) entry(i + 1, j + 1) = -m;
        if (levels_->has_diagonal && p == s)
          entry(i + 1, j + 1) = -w(static_cast<std::size_t>(rows.place(at[0], at[1], at[2])));
      }
    }
  levels_->coarsest = DenseFactors(std::move(A), F * n);
}

template <int F>
void Cycle<F>::solve_coarsest() {
  Level& l = levels_->level.back();
  const NodeRows& rows = l.grid.rows();
  Kokkos::fence("pde_control::coarsest");
  const auto mask = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), l.grid.mask());
  std::vector<double> x(F * static_cast<std::size_t>(rows.num_nodes()));
  const auto place = [&](Index p) {
    return static_cast<std::size_t>(
        rows.place(p % rows.n[0], p / rows.n[0] % rows.n[1], p / rows.n[0] / rows.n[1]));
  };
  for (int a = 0; a < F; ++a) {
    const auto f = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), l.f[a]);
    for (Index p = 0; p < rows.num_nodes(); ++p)
      x[static_cast<std::size_t>(F * p + a)] =
          mask.extent(0) > 0 && mask(place(p)) == 0.0 ? Real(0) : f(place(p));
  }
  levels_->coarsest.solve(x);
  for (int a = 0; a < F; ++a) {
    const auto v = Kokkos::create_mirror_view(l.v[a]);
    if (v.data() != l.v[a].data()) Kokkos::deep_copy(v, Real(0));
    for (Index p = 0; p < rows.num_nodes(); ++p)
      v(place(p)) = static_cast<Real>(x[static_cast<std::size_t>(F * p + a)]);
    Kokkos::deep_copy(l.v[a], v);
  }
}

template <int F>
void Cycle<F>::load(const Vector& r, double scale) {
  Level& l = levels_->level.front();
  const auto n = static_cast<std::size_t>(l.landing.rows().num_nodes());
  for (int a = 0; a < F; ++a) {
    for_nodes(default_space(), "pde_control::load", l.landing.rows(),
              PackNodes{scale, r.data() + static_cast<std::size_t>(a) * n, l.landed[a].data()});
    if (l.gather) l.gather->template fetch<Real>(RealConst(l.landed[a]), l.f[a]);
  }
}

template <int F>
void Cycle<F>::solve_outside(const Vector& r, const Vector& z) {
  const Level& l = levels_->level.front();
  if (!l.landing.has_mask()) return;
  const auto n = static_cast<std::size_t>(l.landing.rows().num_nodes());
  SolveOutside<F> body{l.mass.centre(), l.stiffness.centre(), l.landing.mask().data(),
                       l.landed_w.data(), {}, {}};
  for (int a = 0; a < F; ++a) {
    body.r[a] = r.data() + static_cast<std::size_t>(a) * n;
    body.z[a] = z.data() + static_cast<std::size_t>(a) * n;
  }
  for_nodes(default_space(), "pde_control::outside", l.landing.rows(), body);
  Kokkos::fence("pde_control::outside");
}

template <int F>
void Cycle<F>::store(double scale, const Vector& z) {
  const Level& l = levels_->level.front();
  const auto n = static_cast<std::size_t>(l.landing.rows().num_nodes());
  const NodeRows& own = l.landing.rows();
  for (int a = 0; a < F; ++a)
    for_points("pde_control::store", own.n,
               StoreNodes{own, l.grid.rows(), scale, l.v[a].data(),
                          z.data() + static_cast<std::size_t>(a) * n});
  Kokkos::fence("pde_control::store");
}

template <int F>
void Cycle<F>::apply(const Vector& r, const Vector& z) {
  const double size = norm_max(r);
  if (size == 0.0) return fill(z, 0.0);
  load(r, 1.0 / size);
  for (const RealView& v : levels_->level.front().v) Kokkos::deep_copy(default_space(), v, Real(0));
  cycle(0);
  store(size, z);
  solve_outside(r, z);
  ++num_cycles;
}

template <int F>
void Cycle<F>::apply_nested(const Vector& r, const Vector& z) {
  const double size = norm_max(r);
  if (size == 0.0) return fill(z, 0.0);
  std::vector<Level>& level = levels_->level;
  for (std::size_t k = 1; k < level.size(); ++k)
    for (int a = 0; a < F; ++a)
      if (level[k].nested[a].data() == nullptr) level[k].nested[a] = padded_array(level[k].grid);
  load(r, 1.0 / size);
  for (std::size_t k = 1; k < level.size(); ++k)
    restrict_to(level[k - 1], level[k], k == 1 ? level[0].f : level[k - 1].nested, level[k].nested);
  for (std::size_t k = level.size(); k-- > 0;) {
    if (k > 0)
      for (int a = 0; a < F; ++a)
        Kokkos::deep_copy(default_space(), level[k].f[a], level[k].nested[a]);
    if (k + 1 < level.size()) prolong(level[k + 1], level[k], false);
    cycle(k);
  }
  store(size, z);
  solve_outside(r, z);
  ++num_cycles;
}

template <int F>
int Cycle<F>::num_levels() const {
  return static_cast<int>(levels_->level.size());
}

template <int F>
double Cycle<F>::memory_bytes() const {
  double reals = 0.0;
  for (const Level& l : levels_->level) {
    for (int a = 0; a < F; ++a)
      reals += static_cast<double>(l.v[a].extent(0) + l.f[a].extent(0) + l.r[a].extent(0) +
                                   l.nested[a].extent(0) + (l.gather ? l.landed[a].extent(0) : 0));
    reals += static_cast<double>(l.w.extent(0));
  }
  return sizeof(Real) * reals;
}

template class Cycle<1>;
template class Cycle<2>;

}  // namespace pde_control
