#include "aligned.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/large_array.hpp>

#include "large_view.hpp"
#include "split_grid.hpp"

namespace multigrid {
namespace {

using RowPolicy = Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<std::ptrdiff_t>>;

constexpr double cost_of_single = 0.1, log_tolerance = 0.5, torn_ratio = 0.1, most_torn = 1e-5;
constexpr int lines_an_axis = 16;

/// Couplings of a 7-point operator in natural order, on the host or in kernels.
template <class Real>
struct Faces {
  int n[3];
  const Real* face[3];  // null for an axis of one cell

  KOKKOS_INLINE_FUNCTION std::ptrdiff_t stride(int a) const {
    return a == 0 ? 1 : a == 1 ? n[0] : std::ptrdiff_t(n[0]) * n[1];
  }
  KOKKOS_INLINE_FUNCTION Real after(std::ptrdiff_t cell, const int* at, int a) const {
    return at[a] + 1 < n[a] ? face[a][cell] : Real(0);
  }
  KOKKOS_INLINE_FUNCTION Real largest(std::ptrdiff_t cell, const int* at) const {
    Real most = 0;
    for (int a = 0; a < 3; ++a) {
      if (n[a] == 1) continue;
      const Real t = after(cell, at, a), u = at[a] > 0 ? face[a][cell - stride(a)] : Real(0);
      most = t > most ? t : most;
      most = u > most ? u : most;
    }
    return most;
  }
};

/// s_i of aligned.hpp for the planes between cells i and i + 1.
template <class Real>
std::vector<double> plane_scores(const Faces<Real>& faces, int axis) {
  const int n = faces.n[axis];
  std::vector<double> score(std::max(0, n - 1), 0.0);
  std::vector<int> count(score.size(), 0);
  std::vector<Real> largest(n);
  const int u = (axis + 1) % 3, v = (axis + 2) % 3;
  const int du = std::max(1, faces.n[u] / lines_an_axis), dv = std::max(1, faces.n[v] / lines_an_axis);
  int at[3];
  for (at[v] = dv / 2; at[v] < faces.n[v]; at[v] += dv)
    for (at[u] = du / 2; at[u] < faces.n[u]; at[u] += du) {
      const std::ptrdiff_t first = at[u] * faces.stride(u) + at[v] * faces.stride(v);
      for (at[axis] = 0; at[axis] < n; ++at[axis])
        largest[at[axis]] = faces.largest(first + at[axis] * faces.stride(axis), at);
      for (int i = 0; i + 1 < n; ++i) {
        const double t = faces.face[axis][first + i * faces.stride(axis)];
        if (t <= 0) continue;
        ++count[i];
        const double most = std::max(largest[i], largest[i + 1]);
        if (torn_ratio * most > t)
          score[i] += std::log10(most / t) - log_tolerance;
      }
    }
  for (std::size_t i = 0; i < score.size(); ++i) score[i] /= std::max(1, count[i]);
  return score;
}

/// Counts, over a row of cells, those with a coupling inside a pair, and where it is weak.
template <class Real>
struct CountTorn {
  Faces<Real> faces;
  const Real* zero;     // a row of it
  const int* place[3];  // of cell i of the axis: 0 single, 1 first, 2 second of a pair

  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t row, std::int64_t& torn,
                                         std::int64_t& pairs) const {
    const int nx = faces.n[0];
    const int at[3] = {0, int(row % faces.n[1]), int(row / faces.n[1])};
    const Real *after[3], *before[3], *inside[3];
    for (int a = 0; a < 3; ++a) {
      const Real* f = faces.n[a] > 1 ? faces.face[a] + row * nx : zero;
      after[a] = at[a] + 1 < faces.n[a] ? f : zero;
      before[a] = at[a] > 0 ? f - faces.stride(a) : zero;
      const int p = place[a][at[a]];
      inside[a] = p == 1 ? after[a] : p == 2 ? before[a] : zero;
    }
    const Real* const x = after[0];
    Real num_torn = 0, num_pairs = 0;  // whole numbers
    const auto cell = [&](int i, Real x_before, Real x_after, Real& weak, Real& all) {
      const Real t[6] = {x_before, x_after, before[1][i], after[1][i], before[2][i], after[2][i]};
      Real most = 0;
      for (int q = 0; q < 6; ++q) most = t[q] > most ? t[q] : most;
      const int p = place[0][i];
      const Real in_x = p == 1 ? x_after : p == 2 ? x_before : Real(0);
      const Real in[3] = {in_x, inside[1][i], inside[2][i]};
      for (int a = 0; a < 3; ++a) {
        all += in[a] > 0 ? Real(1) : Real(0);
        const Real limit = in[a] > 0 ? Real(torn_ratio) * most : Real(0);
        weak += limit > in[a] ? Real(1) : Real(0);
      }
    };
    cell(0, Real(0), nx > 1 ? x[0] : Real(0), num_torn, num_pairs);
#pragma omp simd reduction(+ : num_torn, num_pairs)
    for (int i = 1; i < nx - 1; ++i) cell(i, x[i - 1], x[i], num_torn, num_pairs);
    if (nx > 1) cell(nx - 1, x[nx - 2], Real(0), num_torn, num_pairs);
    torn += std::int64_t(num_torn);
    pairs += std::int64_t(num_pairs);
  }
};

/// The cheapest pairs and singles; among equals the pairs that begin at 0.
std::vector<int> cheapest_cuts(const std::vector<double>& score, int n) {
  std::vector<double> best(n + 1, 0.0);  // of the cells from i on
  std::vector<char> pair(n + 1, 0);
  for (int i = n - 1; i >= 0; --i) {
    best[i] = best[i + 1] + cost_of_single;
    if (i + 1 < n && best[i + 2] + score[i] <= best[i]) {
      best[i] = best[i + 2] + score[i];
      pair[i] = 1;
    }
  }
  std::vector<int> first;
  for (int i = 0; i < n; i += pair[i] ? 2 : 1) {
    first.push_back(i);
  }
  first.push_back(n);
  return first;
}

template <class Real>
struct CutShape {
  int n[3], cn[3];
  const int* first[3];
  const Real* face[3];

  KOKKOS_INLINE_FUNCTION std::ptrdiff_t cell(int i, int j, int k) const {
    return i + std::ptrdiff_t(n[0]) * (j + std::ptrdiff_t(n[1]) * k);
  }
};

/// F towards the next coarse cell and G inside, along each axis; walls and mass.
template <class Real>
struct SumRow {
  CutShape<Real> s;
  double strength;
  const Real *wall, *mass;
  Real *across[3], *inside[3], *cwall, *cmass;

  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t row) const {
    const int J = int(row % s.cn[1]), K = int(row / s.cn[1]);
    const std::ptrdiff_t stride[3] = {1, s.n[0], std::ptrdiff_t(s.n[0]) * s.n[1]};
    for (int I = 0; I < s.cn[0]; ++I) {
      const int at[3] = {I, J, K};
      int lo[3], hi[3];
      for (int a = 0; a < 3; ++a) {
        lo[a] = s.first[a][at[a]];
        hi[a] = s.first[a][at[a] + 1] - 1;
      }
      double out[3] = {0, 0, 0}, in[3] = {0, 0, 0}, w = 0, e = 0;
      for (int k = lo[2]; k <= hi[2]; ++k)
        for (int j = lo[1]; j <= hi[1]; ++j)
          for (int i = lo[0]; i <= hi[0]; ++i) {
            const std::ptrdiff_t cell = s.cell(i, j, k);
            const int x[3] = {i, j, k};
            double factor = 0, coupled = 0;
            int walls = 0;
            for (int a = 0; a < 3; ++a) {
              if (s.n[a] == 1) continue;
              const double t = x[a] + 1 < s.n[a] ? double(s.face[a][cell]) : 0.0;
              coupled += t + (x[a] > 0 ? double(s.face[a][cell - stride[a]]) : 0.0);
              (x[a] == hi[a] ? out[a] : in[a]) += t;
              const double part = hi[a] > lo[a] ? strength : 1.0;
              if (x[a] == 0) factor += part, ++walls;
              if (x[a] + 1 == s.n[a]) factor += part, ++walls;
            }
            if (coupled == 0) continue;  // solid or isolated
            w += wall[cell] * (walls > 0 ? factor / walls : strength);
            if (mass) e += mass[cell];
          }
      const std::ptrdiff_t to = row * s.cn[0] + I;
      for (int a = 0; a < 3; ++a) {
        across[a][to] = Real(out[a]);
        inside[a][to] = Real(in[a]);
      }
      cwall[to] = Real(w);
      if (cmass) cmass[to] = Real(e);
    }
  }
};

/// F becomes T.
template <class Real>
struct SeriesRow {
  int cn[3];
  double strength;
  Real* across[3];
  const Real* inside[3];

  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t cell) const {
    const std::ptrdiff_t stride[3] = {1, cn[0], std::ptrdiff_t(cn[0]) * cn[1]};
    const int at[3] = {int(cell % cn[0]), int(cell / cn[0] % cn[1]), int(cell / stride[2])};
    for (int a = 0; a < 3; ++a) {
      const double f = across[a][cell];
      if (at[a] + 1 >= cn[a] || f <= 0) continue;
      const double g0 = inside[a][cell], g1 = inside[a][cell + stride[a]];
      const double resistance = 1 + (g0 > 0 ? 0.5 * f / g0 : 0.0) + (g1 > 0 ? 0.5 * f / g1 : 0.0);
      const double part = 2 * strength / resistance;
      const double least = strength;
      across[a][cell] = Real(f * (part > 1 ? 1.0 : part < least ? least : part));
    }
  }
};

}  // namespace

namespace {

template <class Real>
CutGrid cut(const Faces<Real>& on_device, const Faces<Real>& on_host, const CoarsenAxes& axes) {
  CutGrid grid;
  grid.axes = axes;
  const View<Real> zero("multigrid::zero", std::size_t(on_host.n[0]));
  CountTorn<Real> count{on_device, zero.data(), {}};
  Kokkos::View<int*, MemSpace> place[3];
  for (int a = 0; a < 3; ++a) {
    const int n = on_host.n[a];
    if (!axes[a] || n == 1) {
      for (int i = 0; i <= n; ++i) grid.cuts[a].push_back(i);
    } else {
      grid.cuts[a] = cheapest_cuts(plane_scores(on_host, a), n);
    }
    std::vector<int> places(n, 0);
    for (std::size_t c = 0; c + 1 < grid.cuts[a].size(); ++c) {
      const int first = grid.cuts[a][c];
      if (grid.cuts[a][c + 1] - first > 1) places[first] = 1, places[first + 1] = 2;
      if (axes[a] && n > 1 && first != 2 * int(c)) grid.is_regular = false;
    }
    place[a] = index_view(places);
    count.place[a] = place[a].data();
  }
  std::int64_t torn = 0, pairs = 0;
  Kokkos::parallel_reduce("multigrid::count_torn",
                          RowPolicy(0, std::ptrdiff_t(on_host.n[1]) * on_host.n[2]), count, torn,
                          pairs);
  grid.torn = pairs > 0 ? double(torn) / double(pairs) : 0.0;
  return grid;
}

}  // namespace

bool CutGrid::fits(const Shape& fine) const {
  const double shrinks = double(fine.size()) / double(shape().size());
  return torn <= most_torn && shrinks >= (repeats(fine, axes) ? 2.0 : 1.5);
}

template <class Real>
CutGrid cut_axes(const LevelOperator<Real>& op_in, const CoarsenAxes& axes) {
  const LevelOperator<Real> op = expanded(op_in);
  Faces<Real> faces{}, host{};
  decltype(Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), op.face[0])) copy[3];
  for (int a = 0; a < 3; ++a) {
    copy[a] = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), op.face[a]);
    faces.n[a] = host.n[a] = op.shape.n[a];
    faces.face[a] = op.face[a].data();
    host.face[a] = copy[a].data();
  }
  return cut(faces, host, axes);
}

std::optional<CutGrid> aligned_grid(const libsolve::StencilOperator& A, double semi_coarsening) {
  if (A.is_constant() || A.row_partition().communicator().size() > 1) return {};
  Faces<double> faces{}, host{};
  Kokkos::View<const double*, Kokkos::HostSpace> copy[3];
  std::array<double, 3> strength = {0, 0, 0};
  Shape shape;
  for (int a = 0; a < 3; ++a) shape.n[a] = A.grid().cells[a];
  const auto of_squeezed = axis_strengths(natural_operator(A));
  const auto axis = squeezed_axes(shape);
  for (int a = 0; a < 3; ++a)
    if (axis[a] >= 0) strength[axis[a]] = of_squeezed[a];
  for (int a = 0; a < 3; ++a) {
    faces.n[a] = host.n[a] = shape.n[a];
    if (shape.n[a] == 1) continue;
    copy[a] = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), A.variable().face[a]);
    faces.face[a] = A.variable().face[a].data();
    host.face[a] = copy[a].data();
  }
  CutGrid grid = cut(faces, host, halved_axes(shape, strength, semi_coarsening));
  if (!grid.fits(shape)) return {};
  return grid;
}

template <class Real>
LevelOperator<Real> coarsen(const LevelOperator<Real>& op_in, const Cuts& cuts, double strength) {
  const LevelOperator<Real> op = expanded(op_in);
  LevelOperator<Real> coarse;
  coarse.is_constant = false;
  CutShape<Real> s{};
  Kokkos::View<int*, MemSpace> first[3];
  for (int a = 0; a < 3; ++a) {
    first[a] = index_view(cuts[a]);
    s.first[a] = first[a].data();
    s.n[a] = op.shape.n[a];
    s.cn[a] = coarse.shape.n[a] = int(cuts[a].size()) - 1;
    s.face[a] = op.face[a].data();
  }
  const auto cells = std::size_t(coarse.shape.size());
  SumRow<Real> sum{s, strength, op.wall.data(), op.mass.data(), {}, {}, nullptr, nullptr};
  SeriesRow<Real> series{};
  series.strength = strength;
  View<Real> inside[3];
  for (int a = 0; a < 3; ++a) {
    coarse.face[a] = libsolve::bare_array<Real>("multigrid::face", cells);
    inside[a] = libsolve::bare_array<Real>("multigrid::inside", cells);
    sum.across[a] = series.across[a] = coarse.face[a].data();
    sum.inside[a] = inside[a].data();
    series.inside[a] = inside[a].data();
    series.cn[a] = s.cn[a];
  }
  coarse.wall = libsolve::bare_array<Real>("multigrid::wall", cells);
  sum.cwall = coarse.wall.data();
  if (op.mass.data() != nullptr) {
    coarse.mass = libsolve::bare_array<Real>("multigrid::mass", cells);
    sum.cmass = coarse.mass.data();
  }
  Kokkos::parallel_for("multigrid::coarsen_cut",
                       RowPolicy(0, std::ptrdiff_t(s.cn[1]) * s.cn[2]), sum);
  Kokkos::parallel_for("multigrid::series_cut", RowPolicy(0, std::ptrdiff_t(cells)), series);
  Kokkos::fence("multigrid::coarsen_cut");
  return coarse;
}

template <class Real>
std::unique_ptr<Hierarchy<Real>> build_aligned_hierarchy(LevelOperator<Real> op,
                                                         const HierarchyOptions& options,
                                                         const BoxOptions& box,
                                                         const std::optional<CutGrid>& finest) {
  auto hierarchy = std::make_unique<Hierarchy<Real>>();
  while (op.shape.size() > options.coarse_size) {
    const CoarsenAxes axes = halved_axes(op.shape, axis_strengths(op), options.semi_coarsening);
    const bool known = finest && hierarchy->num_levels() == 1 && finest->axes == axes;
    const CutGrid grid = known ? *finest : cut_axes(op, axes);
    if (!grid.fits(op.shape)) {
      add_box_hierarchy(*hierarchy, op, box);
      return hierarchy;
    }
    if (grid.is_regular) {
      hierarchy->add(make_pc_level<Real>(op, axes, options.smoothing), repeats(op.shape, axes));
      op = coarsen(op, axes, options.strength);
    } else {
      hierarchy->add(make_pc_level<Real>(op, axes, options.smoothing, &grid.cuts),
                     repeats(op.shape, axes));
      op = coarsen(op, grid.cuts, options.strength);
    }
  }
  hierarchy->set_coarse_solver(make_band_solver<Real>(band_matrix(op)));
  return hierarchy;
}

#define MULTIGRID_INSTANTIATE(Real)                                                             \
  template CutGrid cut_axes(const LevelOperator<Real>&, const CoarsenAxes&);                    \
  template LevelOperator<Real> coarsen(const LevelOperator<Real>&, const Cuts&, double);        \
  template std::unique_ptr<Hierarchy<Real>> build_aligned_hierarchy(                            \
      LevelOperator<Real>, const HierarchyOptions&, const BoxOptions&,                         \
      const std::optional<CutGrid>&);
MULTIGRID_INSTANTIATE(float)
MULTIGRID_INSTANTIATE(double)

}  // namespace multigrid
