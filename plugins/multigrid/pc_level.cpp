#include "pc_level.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <libsolve/linear/stream_row.hpp>
#include <libsolve/linear/wavefront.hpp>
#include <type_traits>
#include <vector>

#include "large_view.hpp"
#include "split_grid.hpp"

namespace multigrid {

using libsolve::plan_wavefront;
using libsolve::run_wavefront;
using libsolve::WavefrontPlan;

namespace {

constexpr bool host_accessible =
    Kokkos::SpaceAccessibility<Kokkos::HostSpace, MemSpace>::accessible;

/// Where a level reads its right-hand side and where it publishes z, by value for kernels.
template <class Real>
struct Source {
  const Real* level = nullptr;
  const double* outer = nullptr;
  double scale = 1;

  KOKKOS_FORCEINLINE_FUNCTION Real operator()(std::ptrdiff_t cell) const {
    return outer ? Real(scale * outer[cell]) : level[cell];
  }
};

/// Shapes of both grids and the halved axes, squeezed.
struct Transfer {
  int cnx = 1, cny = 1, cnz = 1;
  bool x = false, y = false, z = false;
};

// --- device kernels: one cell a thread
// ------------------------------------------------------------

template <class Real>
struct LoadCell {
  SplitGrid<Real> g;
  Source<Real> source;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t index) const {
    const int m = int(index % g.half);
    const std::ptrdiff_t row = index / g.half;
    const int j = int(row % g.ny);
    const int k = int(row / g.ny);
    for (int c = 0; c < 2; ++c) {
      const int o = (c + j + k) & 1;
      if (m < g.count(o))
        g.b[g.offset(c, j, k) + m] = source(std::ptrdiff_t(g.nx) * row + 2 * m + o);
    }
  }
};

/// What a half sweep may take for granted about z.
enum class Old {
  zero_all,  ///< z = 0, own colour and neighbours; not read
  zero_own,  ///< z = 0 on the own colour; not read
  any
};

template <class Real, bool Variable>
struct RelaxCell {
  SplitGrid<Real> g;
  int colour;
  Old old;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t index) const {
    const int m = int(index % g.half);
    const std::ptrdiff_t row = index / g.half;
    const HalfRow<Real, Variable> h(g, colour, int(row % g.ny), int(row / g.ny));
    if (m >= g.count(int((colour + row % g.ny + row / g.ny) & 1))) return;
    if (old == Old::zero_all)
      h.z[m] = h.relaxed_alone(m);
    else
      h.z[m] = h.relaxed(m, old == Old::any ? h.z[m] : Real(0));
  }
};

template <class Real, bool Variable>
struct RestrictCell {
  SplitGrid<Real> g;
  Transfer t;
  bool red_only;
  Real* coarse;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t index) const {
    const int ci = int(index % t.cnx);
    const std::ptrdiff_t row = index / t.cnx;
    const int cj = int(row % t.cny);
    const int ck = int(row / t.cny);
    const int j0 = t.y ? 2 * cj : cj;
    const int k0 = t.z ? 2 * ck : ck;
    const int j1 = t.y && j0 + 1 < g.ny ? j0 + 2 : j0 + 1;
    const int k1 = t.z && k0 + 1 < g.nz ? k0 + 2 : k0 + 1;
    Real acc[2] = {0, 0};
    for (int k = k0; k < k1; ++k)
      for (int j = j0; j < j1; ++j)
        for (int c = 0; c < (red_only ? 1 : 2); ++c) {
          const int o = (c + j + k) & 1;
          if (!t.x && o != (ci & 1)) continue;
          const int m = t.x ? ci : ci / 2;
          if (m >= g.count(o)) continue;
          acc[o] += HalfRow<Real, Variable>(g, c, j, k).residual(m);
        }
    coarse[index] = t.x ? acc[0] + acc[1] : acc[ci & 1];
  }
};

template <class Real, bool Variable>
struct ProlongCell {
  SplitGrid<Real> g;
  Transfer t;
  const Real* coarse;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t index) const {
    const int m = int(index % g.half);
    const std::ptrdiff_t row = index / g.half;
    const int j = int(row % g.ny);
    const int k = int(row / g.ny);
    const Real* from =
        coarse + (std::ptrdiff_t(t.z ? k / 2 : k) * t.cny + (t.y ? j / 2 : j)) * t.cnx;
    for (int c = 0; c < 2; ++c) {
      const int o = (c + j + k) & 1;
      const HalfRow<Real, Variable> h(g, c, j, k);
      if (m < g.count(o) && h.has_parent(m)) h.z[m] += from[t.x ? m : 2 * m + o];
    }
  }
};

template <class Real>
struct PublishCell {
  SplitGrid<Real> g;
  Real* level;
  double* outer;
  double scale;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t index) const {
    const int m = int(index % g.half);
    const std::ptrdiff_t row = index / g.half;
    const int j = int(row % g.ny);
    const int k = int(row / g.ny);
    for (int c = 0; c < 2; ++c) {
      const int o = (c + j + k) & 1;
      if (m >= g.count(o)) continue;
      const std::ptrdiff_t cell = std::ptrdiff_t(g.nx) * row + 2 * m + o;
      const Real z = g.z[g.offset(c, j, k) + m];
      if (outer)
        outer[cell] = scale * double(z);
      else
        level[cell] = z;
    }
  }
};

struct DotCell {
  const double* z;
  const double* rhs;
  const double* other;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t i, double& a, double& b) const {
    a += z[i] * rhs[i];
    if (other) b += z[i] * other[i];
  }
};

// --- host rows
// ------------------------------------------------------------------------------------

// The stages of a fused pass touch more streams of memory than the hardware follows: the stage that
// meets a row first asks for the rows it will meet next.
constexpr int rows_ahead = 2;

template <int write>
void prefetch(const void* from, std::size_t bytes) {
  const char* p = static_cast<const char*>(from);
  for (std::size_t at = 0; at < bytes; at += 64) __builtin_prefetch(p + at, write, 2);
}

template <class Real, class From>
void load_row(const From* __restrict__ source, double scale, int nx, Real* __restrict__ even,
              Real* __restrict__ odd) {
  const int pairs = nx / 2;
  const From f = From(scale);
#pragma omp simd
  for (int m = 0; m < pairs; ++m) {
    even[m] = Real(f * source[2 * m]);
    odd[m] = Real(f * source[2 * m + 1]);
  }
  if (nx & 1) even[pairs] = Real(f * source[nx - 1]);
}

template <class Real, class To>
void store_row(const Real* __restrict__ even, const Real* __restrict__ odd, int nx, double scale,
               To* __restrict__ to) {
  const int pairs = nx / 2;
  const To f = To(scale);
#pragma omp simd
  for (int m = 0; m < pairs; ++m) {
    to[2 * m] = f * To(even[m]);
    to[2 * m + 1] = f * To(odd[m]);
  }
  if (nx & 1) to[nx - 1] = f * To(even[pairs]);
}

/// Rows with constant coefficients. What is different at the ends of x comes from tables.
template <class Real, Old old, bool Prolong>
void relax_row_constant(const SplitGrid<Real>& g, int c, int j, int k, const Real* from) {
  const HalfRow<Real, false> h(g, c, j, k);
  const int n = Prolong ? g.count(h.o) : g.half;  // `from` has no padding
  Real* __restrict__ z = h.z;
  const Real* w = g.relax_rows + std::ptrdiff_t(2 * h.side + h.o) * g.half;
  if constexpr (old == Old::zero_all) {
#pragma omp simd
    for (int m = 0; m < n; ++m) z[m] = w[m] * h.b[m];
  } else {
    const Real keep = Real(1) - h.omega;
    const Real* t_outer = g.outer_rows + h.o * g.half;
#pragma omp simd
    for (int m = 0; m < n; ++m) {
      Real s = h.b[m] + h.tx * h.inner[m] + t_outer[m] * h.outer[m];
      s += h.ty * (h.ym[m] + h.yp[m]);
      s += h.tz * (h.zm[m] + h.zp[m]);
      s *= w[m];
      if constexpr (old == Old::any) {
        if constexpr (Prolong)
          s += keep * (z[m] + from[m]);
        else
          s += keep * z[m];
      }
      z[m] = s;
    }
  }
}

template <class Real, bool Variable, Old old>
void relax_row(const SplitGrid<Real>& g, int c, int j, int k) {
  if constexpr (Variable) {
    const HalfRow<Real, true> h(g, c, j, k);
    const int n = g.half;
    if constexpr (old == Old::zero_all) {
#pragma omp simd
      for (int m = 0; m < n; ++m) h.z[m] = h.relaxed_alone(m);
    } else {
#pragma omp simd
      for (int m = 0; m < n; ++m) h.z[m] = h.relaxed(m, old == Old::any ? h.z[m] : Real(0));
    }
  } else {
    relax_row_constant<Real, old, false>(g, c, j, k, nullptr);
  }
}

template <class Real, bool Variable, Old old>
void relax_rows(const SplitGrid<Real>& g, int c, int j0, int j1, int k) {
  for (int j = j0; j < j1; ++j) relax_row<Real, Variable, old>(g, c, j, k);
}

template <class Real>
const Real* coarse_row(const Transfer& t, const Real* coarse, int j, int k) {
  return coarse + (std::ptrdiff_t(t.z ? k / 2 : k) * t.cny + (t.y ? j / 2 : j)) * t.cnx;
}

template <class Real, bool Variable>
void prolong_half_row(const SplitGrid<Real>& g, const Transfer& t, const Real* coarse, int c, int j,
                      int k) {
  const Real* from = coarse_row(t, coarse, j, k);
  const int o = (c + j + k) & 1;
  const HalfRow<Real, Variable> h(g, c, j, k);
  const int n = g.count(o);
  if (t.x) {
#pragma omp simd
    for (int m = 0; m < n; ++m) h.z[m] += h.has_parent(m) ? from[m] : Real(0);
  } else {
#pragma omp simd
    for (int m = 0; m < n; ++m) h.z[m] += h.has_parent(m) ? from[2 * m + o] : Real(0);
  }
}

/// The coarse row above the fine rows j0 <= j < j1, k0 <= k < k1, cell by cell.
template <class Real, bool Variable>
void restrict_rows(const SplitGrid<Real>& g, const Transfer& t, bool red_only, int j0, int j1,
                   int k0, int k1, Real* __restrict__ acc, Real* __restrict__ coarse) {
  const int n = g.half;
  for (int m = 0; m < 2 * n; ++m) acc[m] = 0;
  for (int k = k0; k < k1; ++k) {
    for (int j = j0; j < j1; ++j) {
      for (int c = 0; c < (red_only ? 1 : 2); ++c) {
        const int o = (c + j + k) & 1;
        const HalfRow<Real, Variable> h(g, c, j, k);
        Real* to = acc + o * n;
        const int count = Variable ? n : g.count(o);
#pragma omp simd
        for (int m = 0; m < count; ++m) to[m] += h.residual(m);
      }
    }
  }
  if (t.x) {
#pragma omp simd
    for (int m = 0; m < t.cnx; ++m) coarse[m] = acc[m] + acc[n + m];
  } else {
    store_row(acc, acc + n, t.cnx, 1.0, coarse);
  }
}

/// The same with constant coefficients and x halved: in the sum of the residuals of a coarse cell
/// the faces between its children cancel, what is left is
///   sum b - sum over its outer faces of T (z_inside - z_outside) - sum of (walls + shift) z.
template <class Real>
void restrict_rows_constant(const SplitGrid<Real>& g, int cnx, int j0, int j1, int k0, int k1,
                            Real* __restrict__ acc) {
  const std::ptrdiff_t row = 2 * std::ptrdiff_t(g.half);
  const int n = g.half;
  const int last = cnx - 1;
  bool fresh = true;
  for (int k = k0; k < k1; ++k) {
    for (int j = j0; j < j1; ++j) {
      const int flip = (j + k) & 1;
      const std::ptrdiff_t even = g.offset(flip, j, k);  // colour with o = 0
      const std::ptrdiff_t odd = g.offset(1 - flip, j, k);
      const Real* z0 = g.z + even;
      const Real* z1 = g.z + odd;
      const Real* b0 = g.b + even;
      const Real* b1 = g.b + odd;
      // rows beside that lie outside the coarse cell, both colours; zeros where there is none
      const Real* side[4][2] = {
          {g.zero, g.zero}, {g.zero, g.zero}, {g.zero, g.zero}, {g.zero, g.zero}};
      Real weight = g.shift;
      int num = 0;
      auto neighbour = [&](bool exists, std::ptrdiff_t shift, Real t, Real wall) {
        weight += exists ? t : wall;
        if (!exists) return;
        side[num][0] = z0 + shift;
        side[num][1] = z1 + shift;
        ++num;
      };
      if (j == j0) neighbour(j > 0, -row, g.T[1], g.side[1][0]);
      if (j == j1 - 1) neighbour(j + 1 < g.ny, row, g.T[1], g.side[1][1]);
      const int num_y = num;
      if (k == k0) neighbour(k > 0, -g.plane, g.T[2], g.side[2][0]);
      if (k == k1 - 1) neighbour(k + 1 < g.nz, g.plane, g.T[2], g.side[2][1]);
      const Real t0 = num_y > 0 ? g.T[1] : g.T[2];
      const Real t1 = num_y > 1 ? g.T[1] : g.T[2];
      const Real tx = g.T[0];
      const auto end_lane = [&](int m) {
        const bool two = 2 * m + 1 < g.nx;
        const Real left = m > 0 ? tx * (z0[m] - z1[m - 1]) : g.side[0][0] * z0[m];
        const Real inside = z0[m] + (two ? z1[m] : Real(0));
        const Real right_z = two ? z1[m] : z0[m];
        const Real right = 2 * m + 2 < g.nx ? tx * (right_z - z0[m + 1]) : g.side[0][1] * right_z;
        Real r = b0[m] + (two ? b1[m] : Real(0)) - (left + right) - weight * inside;
        for (int s = 0; s < num; ++s)
          r += (s < num_y ? g.T[1] : g.T[2]) * (side[s][0][m] + side[s][1][m]);
        return r + (fresh ? Real(0) : acc[m]);
      };
      const Real first_value = end_lane(0);
      const Real last_value = end_lane(last);
      const Real w = weight + tx;
      const auto lane = [&](int m) {
        return ((b0[m] + b1[m]) - w * (z0[m] + z1[m])) +
               (tx * (z1[m - 1] + z0[m + 1]) +
                (t0 * (side[0][0][m] + side[0][1][m]) + t1 * (side[1][0][m] + side[1][1][m])));
      };
      if (fresh) {
#pragma omp simd
        for (int m = 0; m < n; ++m) acc[m] = lane(m);
      } else {
#pragma omp simd
        for (int m = 0; m < n; ++m) acc[m] += lane(m);
      }
      for (int s = 2; s < num; ++s) {
        const Real t = s < num_y ? g.T[1] : g.T[2];
#pragma omp simd
        for (int m = 0; m < n; ++m) acc[m] += t * (side[s][0][m] + side[s][1][m]);
      }
      acc[0] = first_value;
      acc[last] = last_value;
      fresh = false;
    }
  }
}

// --- the level
// ------------------------------------------------------------------------------------

template <class Real, bool Variable>
class PcLevel final : public Level<Real> {
 public:
  PcLevel(const LevelOperator<Real>& op, const CoarsenAxes& axes, const PcOptions& options);

  Shape shape() const override { return shape_; }
  Shape coarse_shape() const override { return coarse_shape_; }
  std::size_t bytes() const override { return bytes_; }
  void descend(const Rhs<Real>& rhs, Start start, const View<Real>& coarse_rhs) override;
  void ascend(const Rhs<Real>& rhs, const ConstView<Real>& coarse_z, Result<Real>& result) override;

 private:
  void build_constant(const LevelOperator<Real>& op);
  void build_variable(const LevelOperator<Real>& op);
  View<Real> allocate(const char* label, std::size_t n);
  void descend_fused(const Source<Real>& source, Start start, Real* coarse);
  void descend_unfused(const Source<Real>& source, Start start, Real* coarse);
  void ascend_fused(const Source<Real>& source, const Real* coarse, Result<Real>& result);
  void ascend_unfused(const Source<Real>& source, const Real* coarse, Result<Real>& result);
  bool red_only() const { return options_.omega == 1.0; }
  int post_colour(int half_sweep) const {
    const bool swapped = options_.order == SweepOrder::symmetric;
    return (half_sweep & 1) ^ (swapped ? 1 : 0);
  }
  WavefrontPlan plan(int stages) const;

  Shape shape_, coarse_shape_;
  PcOptions options_;
  SplitGrid<Real> g_;
  Transfer t_;
  std::size_t bytes_ = 0;
  View<Real> z_, b_, zero_, tables_, coefficients_;
  Kokkos::View<double*, Kokkos::HostSpace> row_dots_;
};

template <class Real, bool Variable>
View<Real> PcLevel<Real, Variable>::allocate(const char* label, std::size_t n) {
  bytes_ += n * sizeof(Real);
  return libsolve::zero_array<Real>(label, n);
}

// Room before and behind, so that the outer neighbour of the first and last cell can be read; what
// is read there is multiplied by zero.
constexpr int guard = 16;

template <class Real, bool Variable>
PcLevel<Real, Variable>::PcLevel(const LevelOperator<Real>& op, const CoarsenAxes& axes,
                                 const PcOptions& options)
    : shape_(op.shape), coarse_shape_(coarsened(op.shape, axes)), options_(options) {
  const Shape n = squeezed(shape_);
  const auto axis = squeezed_axes(shape_);
  auto halved = [&](int a) { return axis[a] >= 0 && axes[axis[a]] && shape_.n[axis[a]] > 1; };
  auto coarse_n = [&](int a) { return axis[a] >= 0 ? coarse_shape_.n[axis[a]] : 1; };
  t_ = {coarse_n(0), coarse_n(1), coarse_n(2), halved(0), halved(1), halved(2)};
  g_.nx = n.n[0];
  g_.ny = n.n[1];
  g_.nz = n.n[2];
  g_.half = ((n.n[0] + 1) / 2 + row_multiple - 1) / row_multiple * row_multiple;
  g_.omega = Real(options.omega);
  g_.plane = plane_stride(2 * g_.half * g_.ny, sizeof(Real));
  const std::size_t total = std::size_t(g_.plane) * g_.nz;
  z_ = allocate("multigrid::z", total + 2 * guard);
  b_ = allocate("multigrid::b", total + 2 * guard);
  zero_ = allocate("multigrid::zero", g_.half + 2 * guard);
  g_.z = z_.data() + guard;
  g_.b = b_.data() + guard;
  g_.zero = zero_.data() + guard;
  if constexpr (Variable)
    build_variable(op);
  else
    build_constant(op);
}

template <class Real, bool Variable>
void PcLevel<Real, Variable>::build_constant(const LevelOperator<Real>& op) {
  const auto axis = squeezed_axes(op.shape);
  double shift = op.shift;  // with the sides of axes of one cell
  for (int a = 0; a < 3; ++a)
    if (op.shape.n[a] == 1) shift += op.side[a][0] + op.side[a][1];
  g_.shift = Real(shift);
  for (int a = 0; a < 3; ++a) {
    if (axis[a] < 0) continue;
    g_.T[a] = Real(op.coupling[axis[a]]);
    for (int s = 0; s < 2; ++s) g_.side[a][s] = Real(op.side[axis[a]][s]);
  }
  for (int side = 0; side < 64; ++side) {
    double d = shift;
    for (int a = 0; a < 3; ++a) {
      if (axis[a] < 0) continue;
      const int flags = side >> (a == 0 ? 0 : 2 * a) & 3;
      for (int s = 0; s < 2; ++s) d += flags >> s & 1 ? op.side[axis[a]][s] : op.coupling[axis[a]];
    }
    g_.relax[side >> 2][side & 3] = d > 0 ? Real(options_.omega / d) : Real(0);
  }
  const int half = g_.half;
  tables_ = allocate("multigrid::tables", std::size_t(34) * half);
  auto table = Kokkos::create_mirror_view(tables_);
  for (int o = 0; o < 2; ++o) {
    for (int m = 0; m < g_.count(o); ++m) {
      const int i = 2 * m + o;
      const int ends = (i == 0 ? 1 : 0) + (i + 1 == g_.nx ? 2 : 0);
      for (int side = 0; side < 16; ++side) table[(2 * side + o) * half + m] = g_.relax[side][ends];
      if (o == 0 ? i > 0 : i + 1 < g_.nx) table[(32 + o) * half + m] = g_.T[0];
    }
  }
  Kokkos::deep_copy(tables_, table);
  g_.relax_rows = tables_.data();
  g_.outer_rows = tables_.data() + std::ptrdiff_t(32) * half;
}

/// Faces and signed inverse diagonal of one row, natural to split order.
template <class Real>
struct SplitCoefficients {
  SplitGrid<Real> g;
  Real *fx_inner, *fx_outer, *fy, *fz, *inverse;
  const Real *face_x, *face_y, *face_z, *wall, *mass;  // natural order; null where absent
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t row) const {
    const int j = int(row % g.ny);
    const int k = int(row / g.ny);
    const std::ptrdiff_t plane = std::ptrdiff_t(g.nx) * g.ny;
    for (int c = 0; c < 2; ++c) {
      const int o = (c + j + k) & 1;
      const std::ptrdiff_t to = g.offset(c, j, k);
      const int n = g.count(o);
      for (int m = 0; m < n; ++m) {
        const int i = 2 * m + o;
        const std::ptrdiff_t cell = row * g.nx + i;
        const Real xp = i + 1 < g.nx ? face_x[cell] : Real(0);
        const Real xm = i > 0 ? face_x[cell - 1] : Real(0);
        const Real yp = j + 1 < g.ny ? face_y[cell] : Real(0);
        const Real ym = j > 0 ? face_y[cell - g.nx] : Real(0);
        const Real zp = k + 1 < g.nz ? face_z[cell] : Real(0);
        const Real zm = k > 0 ? face_z[cell - plane] : Real(0);
        if (o == 0) {
          fx_inner[g.x_offset(j, k) + m] = xp;
          fx_outer[g.x_offset(j, k) + m] = xm;
        }
        fy[to + m] = yp;
        fz[to + m] = zp;
        const Real faces = ((xm + xp) + (ym + yp)) + (zm + zp);
        const Real d = faces + ((wall ? wall[cell] : Real(0)) + (mass ? mass[cell] : Real(0)));
        Real inv = d > 0 ? Real(1) / d : Real(0);
        if (faces == Real(0)) inv = -inv;
        inverse[to + m] = inv;
      }
    }
  }
};

template <class Real, bool Variable>
void PcLevel<Real, Variable>::build_variable(const LevelOperator<Real>& op) {
  const auto axis = squeezed_axes(op.shape);
  const std::size_t total = std::size_t(g_.plane) * g_.nz;
  coefficients_ = allocate("multigrid::coefficients", 4 * total + 6 * guard);
  Real* at = coefficients_.data() + guard;
  Real* f[5];
  for (int i = 0; i < 5; ++i) {
    f[i] = at;
    at += (i < 2 ? total / 2 : total) + guard;
  }
  const SplitCoefficients<Real> kernel{g_,
                                       f[0],
                                       f[1],
                                       f[2],
                                       f[3],
                                       f[4],
                                       axis[0] >= 0 ? op.face[axis[0]].data() : nullptr,
                                       axis[1] >= 0 ? op.face[axis[1]].data() : nullptr,
                                       axis[2] >= 0 ? op.face[axis[2]].data() : nullptr,
                                       op.wall.data(),
                                       op.mass.data()};
  Kokkos::parallel_for("multigrid::split_coefficients",
                       Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<std::ptrdiff_t>>(
                           0, std::ptrdiff_t(g_.ny) * g_.nz),
                       kernel);
  g_.fx_inner = f[0];
  g_.fx_outer = f[1];
  g_.fy = f[2];
  g_.fz = f[3];
  g_.inverse = f[4];
}

template <class Real, bool Variable>
WavefrontPlan PcLevel<Real, Variable>::plan(int stages) const {
  int tile = options_.tile;
  if (tile <= 0) {
    // (stages + 2) planes of b, z and coefficients of a tile within half of a 1 MiB L2
    const double row_bytes = 2.0 * g_.half * sizeof(Real) * (Variable ? 6 : 2);
    tile = std::max(16, int(0.5 * (1 << 20) / (row_bytes * (stages + 2))));
  }
  const int threads =
      options_.slabs > 0 ? options_.slabs : Kokkos::DefaultHostExecutionSpace().concurrency();
  WavefrontPlan plan = plan_wavefront(g_.ny, g_.nz, stages, tile, threads);
  return plan;
}

template <class Real, bool Variable>
void PcLevel<Real, Variable>::descend_fused(const Source<Real>& source, Start start, Real* coarse) {
  const int half_sweeps = 2 * options_.pre_sweeps;
  const bool from_zero = start == Start::zero;
  const SplitGrid<Real> g = g_;
  const Transfer t = t_;
  const bool only_red = red_only();
  const std::size_t row_bytes = 2 * sizeof(Real) * g.half;
  const WavefrontPlan wave = plan(half_sweeps + 1);
  std::vector<Real> scratch(std::size_t(2) * wave.slabs * 2 * g.half);
  run_wavefront(wave, [&](int worker, int s, int row0, int row1, int k) {
    if (s < half_sweeps) {
      const int c = s & 1;
      if (from_zero && s == 0) {
        for (int j = row0; j < row1; ++j) {
          const std::ptrdiff_t row = std::ptrdiff_t(k) * g.ny + j;
          const int flip = (j + k) & 1;
          prefetch<1>(g.b + g.offset(0, j + rows_ahead, k), row_bytes);
          prefetch<1>(g.z + g.offset(0, j + rows_ahead, k), row_bytes);
          Real* even = g.b + g.offset(flip, j, k);
          Real* odd = g.b + g.offset(1 - flip, j, k);
          if (source.outer) {
            prefetch<0>(source.outer + (row + rows_ahead) * g.nx, g.nx * sizeof(double));
            load_row(source.outer + row * g.nx, source.scale, g.nx, even, odd);
          } else {
            load_row(source.level + row * g.nx, 1.0, g.nx, even, odd);
          }
        }
        relax_rows<Real, Variable, Old::zero_all>(g, c, row0, row1, k);
      } else if (from_zero && s == 1) {
        relax_rows<Real, Variable, Old::zero_own>(g, c, row0, row1, k);
      } else {
        relax_rows<Real, Variable, Old::any>(g, c, row0, row1, k);
      }
      return;
    }
    // residual and restriction, at the last fine row of each coarse row
    if (t.z && !(k & 1) && k + 1 < g.nz) return;
    const int ck = t.z ? k / 2 : k;
    const int k0 = t.z ? 2 * ck : ck;
    Real* acc = scratch.data() + std::size_t(worker) * 2 * g.half;
    for (int j = row0; j < row1; ++j) {
      if (t.y && !(j & 1) && j + 1 < g.ny) continue;
      const int cj = t.y ? j / 2 : j;
      const int j0 = t.y ? 2 * cj : cj;
      Real* to = coarse + (std::ptrdiff_t(ck) * t.cny + cj) * t.cnx;
      if constexpr (!Variable) {
        if (t.x) {
          restrict_rows_constant(g, t.cnx, j0, j + 1, k0, k + 1, acc);
          for (int m = 0; m < t.cnx; ++m) to[m] = acc[m];
          continue;
        }
      }
      restrict_rows<Real, Variable>(g, t, only_red, j0, j + 1, k0, k + 1, acc, to);
    }
  });
}

template <class Real, bool Variable>
void PcLevel<Real, Variable>::ascend_fused(const Source<Real>& source, const Real* coarse,
                                           Result<Real>& result) {
  const int half_sweeps = 2 * options_.post_sweeps;
  const SplitGrid<Real> g = g_;
  const Transfer t = t_;
  const std::ptrdiff_t rows = std::ptrdiff_t(g.ny) * g.nz;
  const bool merge = !Variable && t.x && half_sweeps > 0;
  const bool dots = result.is_outer();
  const double* other = result.other.data();
  if (dots && row_dots_.extent(0) == 0)
    row_dots_ = Kokkos::View<double*, Kokkos::HostSpace>("multigrid::row_dots", 2 * rows);
  double* row_dots = row_dots_.data();
  const std::size_t row_bytes = 2 * sizeof(Real) * g.half;
  WavefrontPlan wave = plan(half_sweeps + 1);
  wave.turn = 1;  // the last stage waits for memory most
  std::vector<double> scratch(std::size_t(2) * wave.slabs * (g.nx + 8));
  const bool bypass = dots && std::size_t(rows) * g.nx * sizeof(double) >= libsolve::stream_bytes;
  run_wavefront(wave, [&](int worker, int s, int row0, int row1, int k) {
    if (s == 0) {
      // the colour relaxed first gets its correction while it is relaxed, where that is possible
      const int c = post_colour(0);
      for (int j = row0; j < row1; ++j) {
        prefetch<0>(g.b + g.offset(0, j + rows_ahead, k), row_bytes);
        prefetch<1>(g.z + g.offset(0, j + rows_ahead, k), row_bytes);
        prolong_half_row<Real, Variable>(g, t, coarse, 1 - c, j, k);
        if (!merge) prolong_half_row<Real, Variable>(g, t, coarse, c, j, k);
      }
    } else if (s == 1 && merge) {
      if constexpr (!Variable)
        for (int j = row0; j < row1; ++j)
          relax_row_constant<Real, Old::any, true>(g, post_colour(0), j, k,
                                                   coarse_row(t, coarse, j, k));
    } else {
      relax_rows<Real, Variable, Old::any>(g, post_colour(s - 1), row0, row1, k);
    }
    if (s < half_sweeps) return;
    double* buffer = scratch.data() + std::size_t(worker) * (g.nx + 8);
    for (int j = row0; j < row1; ++j) {
      const std::ptrdiff_t row = std::ptrdiff_t(k) * g.ny + j;
      const int flip = (j + k) & 1;
      const Real* even = g.z + g.offset(flip, j, k);
      const Real* odd = g.z + g.offset(1 - flip, j, k);
      if (!dots) {
        store_row(even, odd, g.nx, 1.0, result.level.data() + row * g.nx);
        continue;
      }
      double* to = result.outer.data() + row * g.nx;
      double* z = bypass ? buffer : to;
      if (!bypass) prefetch<1>(to + rows_ahead * g.nx, g.nx * sizeof(double));
      if (other) prefetch<0>(other + (row + rows_ahead) * g.nx, g.nx * sizeof(double));
      store_row(even, odd, g.nx, result.scale, z);
      // rhs from the level's own copy, already in the cache
      const Real* bs = g.b + g.offset(0, j, k);
      const Real* zs = g.z + g.offset(0, j, k);
      double a = 0, b = 0;
#pragma omp simd reduction(+ : a)
      for (int m = 0; m < 2 * g.half; ++m) a += double(bs[m]) * double(zs[m]);
      if (other) {
        const double* q = other + row * g.nx;
#pragma omp simd reduction(+ : b)
        for (int i = 0; i < g.nx; ++i) b += z[i] * q[i];
      }
      if (bypass) libsolve::stream_row(z, g.nx, to);
      row_dots[2 * row] = a;
      row_dots[2 * row + 1] = b;
    }
  });
  if (!dots) return;
  double a = 0, b = 0;
#pragma omp simd reduction(+ : a, b)
  for (std::ptrdiff_t row = 0; row < rows; ++row) {
    a += row_dots[2 * row];
    b += row_dots[2 * row + 1];
  }
  result.dot_rhs = a * (result.scale / source.scale);
  result.dot_other = b;
}

template <class Kernel>
void for_cells(const char* label, std::ptrdiff_t n, const Kernel& kernel) {
  Kokkos::parallel_for(
      label, Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<std::ptrdiff_t>>(0, n), kernel);
}

template <class Real, bool Variable>
void PcLevel<Real, Variable>::descend_unfused(const Source<Real>& source, Start start,
                                              Real* coarse) {
  const std::ptrdiff_t cells = std::ptrdiff_t(g_.half) * g_.ny * g_.nz;
  if (start == Start::zero) for_cells("multigrid::load", cells, LoadCell<Real>{g_, source});
  for (int s = 0; s < 2 * options_.pre_sweeps; ++s) {
    const Old old =
        start == Start::zero && s < 2 ? (s == 0 ? Old::zero_all : Old::zero_own) : Old::any;
    for_cells("multigrid::relax", cells, RelaxCell<Real, Variable>{g_, s & 1, old});
  }
  for_cells("multigrid::restrict", std::ptrdiff_t(t_.cnx) * t_.cny * t_.cnz,
            RestrictCell<Real, Variable>{g_, t_, red_only(), coarse});
}

template <class Real, bool Variable>
void PcLevel<Real, Variable>::ascend_unfused(const Source<Real>& source, const Real* coarse,
                                             Result<Real>& result) {
  const std::ptrdiff_t cells = std::ptrdiff_t(g_.half) * g_.ny * g_.nz;
  for_cells("multigrid::prolong", cells, ProlongCell<Real, Variable>{g_, t_, coarse});
  for (int s = 0; s < 2 * options_.post_sweeps; ++s)
    for_cells("multigrid::relax", cells, RelaxCell<Real, Variable>{g_, post_colour(s), Old::any});
  for_cells("multigrid::publish", cells,
            PublishCell<Real>{g_, result.level.data(), result.outer.data(), result.scale});
  if (!result.is_outer()) return;
  Kokkos::parallel_reduce(
      "multigrid::dots",
      Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<std::ptrdiff_t>>(0, shape_.size()),
      DotCell{result.outer.data(), source.outer, result.other.data()}, result.dot_rhs,
      result.dot_other);
}

template <class Real, bool Variable>
void PcLevel<Real, Variable>::descend(const Rhs<Real>& rhs, Start start,
                                      const View<Real>& coarse_rhs) {
  const Source<Real> source{rhs.level.data(), rhs.outer.data(), rhs.scale};
  if constexpr (host_accessible) {
    if (options_.fused) return descend_fused(source, start, coarse_rhs.data());
  }
  descend_unfused(source, start, coarse_rhs.data());
}

template <class Real, bool Variable>
void PcLevel<Real, Variable>::ascend(const Rhs<Real>& rhs, const ConstView<Real>& coarse_z,
                                     Result<Real>& result) {
  const Source<Real> source{rhs.level.data(), rhs.outer.data(), rhs.scale};
  if constexpr (host_accessible) {
    if (options_.fused) return ascend_fused(source, coarse_z.data(), result);
  }
  ascend_unfused(source, coarse_z.data(), result);
}

}  // namespace

template <class Real>
std::unique_ptr<Level<Real>> make_pc_level(const LevelOperator<Real>& op, const CoarsenAxes& axes,
                                           const PcOptions& options) {
  if (op.is_constant) return std::make_unique<PcLevel<Real, false>>(op, axes, options);
  return std::make_unique<PcLevel<Real, true>>(op, axes, options);
}

template std::unique_ptr<Level<float>> make_pc_level(const LevelOperator<float>&,
                                                     const CoarsenAxes&, const PcOptions&);
template std::unique_ptr<Level<double>> make_pc_level(const LevelOperator<double>&,
                                                      const CoarsenAxes&, const PcOptions&);

}  // namespace multigrid
