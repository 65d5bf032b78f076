/// \file
/// Kernels of the 3-, 5- and 7-point operator (see StencilOperator), one trip through memory each:
///   (A x)_c = sum over faces f of c of T_f (x_c - x_neighbour) + e_c x_c.
/// On host-accessible spaces rows along x are vectorised and planes (or tiles of planes) are worked
/// on in an order that reads each operand from memory once; elsewhere one cell is one thread.
/// Sums are formed row by row: for a fixed number of threads they are the same from run to run.
#pragma once

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/core/types.hpp>
#include <libsolve/linear/stream_row.hpp>
#include <libsolve/linear/wavefront.hpp>
#include <type_traits>
#include <utility>
#include <vector>

namespace libsolve::detail {

/// Constant coefficients of a grid whose axes of one cell are squeezed out by squeeze() below.
struct ConstantStencil {
  int n[3] = {1, 1, 1};
  double T[3] = {0, 0, 0};
  double wall[3][2] = {{0, 0}, {0, 0}, {0, 0}};
  double shift = 0;
};

/// Coefficients for each cell: face[a][c] between c and its next neighbour along a, 0 at the end of
/// the axis (null where the axis has one cell), excess[c] = e_c.
struct VariableStencil {
  int n[3] = {1, 1, 1};
  const double* face[3] = {nullptr, nullptr, nullptr};
  const double* excess = nullptr;
};

/// Moves axes of one cell out of the way: (nx, ny, nz), (nx, 1, nz) or (nx, 1, 1), so that the last
/// axis is that of planes. Cells keep their place.
inline ConstantStencil squeeze(const ConstantStencil& s) {
  int axis[3] = {-1, -1, -1};
  int used = 0;
  ConstantStencil t;
  t.shift = s.shift;
  for (int a = 0; a < 3; ++a) {
    if (s.n[a] > 1)
      axis[used++] = a;
    else
      t.shift += s.wall[a][0] + s.wall[a][1];
  }
  if (used == 2) std::swap(axis[1], axis[2]);
  for (int a = 0; a < 3; ++a) {
    if (axis[a] < 0) continue;
    t.n[a] = s.n[axis[a]];
    t.T[a] = s.T[axis[a]];
    t.wall[a][0] = s.wall[axis[a]][0];
    t.wall[a][1] = s.wall[axis[a]][1];
  }
  return t;
}

inline VariableStencil squeeze(const VariableStencil& s) {
  int axis[3] = {-1, -1, -1};
  int used = 0;
  for (int a = 0; a < 3; ++a)
    if (s.n[a] > 1) axis[used++] = a;
  if (used == 2) std::swap(axis[1], axis[2]);
  VariableStencil t;
  t.excess = s.excess;
  for (int a = 0; a < 3; ++a) {
    if (axis[a] < 0) continue;
    t.n[a] = s.n[axis[a]];
    t.face[a] = s.face[axis[a]];
  }
  return t;
}

// --- one cell
// -------------------------------------------------------------------------------------

KOKKOS_INLINE_FUNCTION double stencil_cell(const ConstantStencil& s, const double* x, int i, int j,
                                           int k) {
  const std::ptrdiff_t nx = s.n[0];
  const std::ptrdiff_t plane = nx * s.n[1];
  const double* c = x + i + nx * j + plane * k;
  double e = s.shift;
  double sum = 0;
  if (i > 0)
    sum += s.T[0] * (c[0] - c[-1]);
  else if (s.n[0] > 1)
    e += s.wall[0][0];
  if (i + 1 < s.n[0])
    sum += s.T[0] * (c[0] - c[1]);
  else if (s.n[0] > 1)
    e += s.wall[0][1];
  if (j > 0)
    sum += s.T[1] * (c[0] - c[-nx]);
  else if (s.n[1] > 1)
    e += s.wall[1][0];
  if (j + 1 < s.n[1])
    sum += s.T[1] * (c[0] - c[nx]);
  else if (s.n[1] > 1)
    e += s.wall[1][1];
  if (k > 0)
    sum += s.T[2] * (c[0] - c[-plane]);
  else if (s.n[2] > 1)
    e += s.wall[2][0];
  if (k + 1 < s.n[2])
    sum += s.T[2] * (c[0] - c[plane]);
  else if (s.n[2] > 1)
    e += s.wall[2][1];
  return sum + e * c[0];
}

KOKKOS_INLINE_FUNCTION double stencil_cell(const VariableStencil& s, const double* x, int i, int j,
                                           int k) {
  const std::ptrdiff_t nx = s.n[0];
  const std::ptrdiff_t plane = nx * s.n[1];
  const std::ptrdiff_t at = i + nx * j + plane * k;
  const double* c = x + at;
  double sum = s.excess[at] * c[0];
  if (i > 0) sum += s.face[0][at - 1] * (c[0] - c[-1]);
  if (i + 1 < s.n[0]) sum += s.face[0][at] * (c[0] - c[1]);
  if (j > 0) sum += s.face[1][at - nx] * (c[0] - c[-nx]);
  if (j + 1 < s.n[1]) sum += s.face[1][at] * (c[0] - c[nx]);
  if (k > 0) sum += s.face[2][at - plane] * (c[0] - c[-plane]);
  if (k + 1 < s.n[2]) sum += s.face[2][at] * (c[0] - c[plane]);
  return sum;
}

// --- one row (host)
// -------------------------------------------------------------------------------

/// Eight doubles worked on together and written past the cache, where the processor can.
#if defined(__AVX512F__) && !defined(__CUDACC__)
inline constexpr bool has_eight = true;
typedef double Eight __attribute__((vector_size(64)));
inline Eight load_eight(const double* from) {
  return Eight(_mm512_loadu_pd(from));
}
inline void stream_eight(const Eight& v, double* to) {
  _mm512_stream_pd(to, __m512d(v));
}
#else
inline constexpr bool has_eight = false;
#endif

enum class StencilPass {
  apply,      ///< y = A x; returns 0
  apply_dot,  ///< y = A x; returns x^T y
  residual    ///< y = b - A x; returns y^T y
};

/// What a pass does with v = (A x)_i; returns the contribution to the sum.
template <StencilPass pass>
inline double emit(double v, double x, const double* b, double* y, int i) {
  if constexpr (pass == StencilPass::residual) {
    const double r = b[i] - v;
    y[i] = r;
    return r * r;
  }
  y[i] = v;
  return pass == StencilPass::apply_dot ? x * v : 0.0;
}

/// Cells between two requests for what the next row needs of memory: the hardware's own prefetching
/// starts anew with every row of a plane and comes late.
inline constexpr int prefetch_run = 64;

/// Asks for the lines of [from, from + prefetch_run), which may lie beyond the array.
inline void prefetch(const double* from) {
#if defined(__GNUC__)
  constexpr int line = 8;
  for (int i = 0; i < prefetch_run; i += line) __builtin_prefetch(from + i, 0, 3);
#else
  (void)from;
#endif
}

/// One row, written to `to`; x and b point at the whole vectors. A neighbour outside the domain is
/// replaced by the cell itself, whose difference to itself is zero. past_cache: by non-temporal
/// stores, see RowWriter.
template <StencilPass pass>
double stencil_row(const ConstantStencil& s, const double* x, const double* b, double* to, int j,
                   int k, [[maybe_unused]] bool past_cache) {
  const int n = s.n[0];
  const std::ptrdiff_t nx = n;
  const std::ptrdiff_t plane = nx * s.n[1];
  const std::ptrdiff_t at = nx * j + plane * k;
  const double* c = x + at;
  const double* ym = j > 0 ? c - nx : c;
  const double* yp = j + 1 < s.n[1] ? c + nx : c;
  const double* zm = k > 0 ? c - plane : c;
  const double* zp = k + 1 < s.n[2] ? c + plane : c;
  double e = s.shift;
  if (s.n[1] > 1) e += (j == 0 ? s.wall[1][0] : 0.0) + (j + 1 == s.n[1] ? s.wall[1][1] : 0.0);
  if (s.n[2] > 1) e += (k == 0 ? s.wall[2][0] : 0.0) + (k + 1 == s.n[2] ? s.wall[2][1] : 0.0);
  const double Tx = s.T[0];
  const double Ty = s.T[1];
  const double Tz = s.T[2];
  const double d = 2 * (Tx + Ty + Tz) + e;
  const double* from = pass == StencilPass::residual ? b + at : nullptr;
  double sum = 0;
  const auto end_cell = [&](int i, double* out) {
    const double left = i > 0 ? c[i - 1] : c[i];
    const double right = i + 1 < n ? c[i + 1] : c[i];
    double wall = 0;
    if (n > 1) wall = (i == 0 ? s.wall[0][0] : 0.0) + (i + 1 == n ? s.wall[0][1] : 0.0);
    const double v =
        (d + wall) * c[i] - Tx * (left + right) - (Ty * (ym[i] + yp[i]) + Tz * (zm[i] + zp[i]));
    sum += emit<pass>(v, c[i], from, out, i);
  };
  const auto inner_cells = [&](int begin, int end, double* out) {
#pragma omp simd reduction(+ : sum)
    for (int i = begin; i < end; ++i) {
      const double v =
          d * c[i] - Tx * (c[i - 1] + c[i + 1]) - (Ty * (ym[i] + yp[i]) + Tz * (zm[i] + zp[i]));
      sum += emit<pass>(v, c[i], from, out, i);
    }
  };
#if defined(__AVX512F__) && !defined(__CUDACC__)
  if (past_cache) {
    alignas(64) double edge[8];
    end_cell(0, edge);
    inner_cells(1, 8, edge);
    stream_eight(load_eight(edge), to);
    Eight sums{};
    for (int begin = 8; begin < n - 8; begin += prefetch_run) {
      const int end = std::min(n - 8, begin + prefetch_run);
      prefetch(zp + nx + begin);
      for (int i = begin; i < end; i += 8) {
        const Eight x_c = load_eight(c + i);
        Eight v = d * x_c - Tx * (load_eight(c + i - 1) + load_eight(c + i + 1)) -
                  (Ty * (load_eight(ym + i) + load_eight(yp + i)) +
                   Tz * (load_eight(zm + i) + load_eight(zp + i)));
        if constexpr (pass == StencilPass::residual) {
          v = load_eight(from + i) - v;
          sums += v * v;
        } else if constexpr (pass == StencilPass::apply_dot) {
          sums += x_c * v;
        }
        stream_eight(v, to + i);
      }
    }
    inner_cells(n - 8, n - 1, edge - (n - 8));
    end_cell(n - 1, edge - (n - 8));
    stream_eight(load_eight(edge), to + n - 8);
    for (int q = 0; q < 8; ++q) sum += sums[q];
    return sum;
  }
#endif
  end_cell(0, to);
  for (int begin = 1; begin < n - 1; begin += prefetch_run) {
    prefetch(zp + nx + begin);
    inner_cells(begin, std::min(n - 1, begin + prefetch_run), to);
  }
  if (n > 1) end_cell(n - 1, to);
  return sum;
}

template <StencilPass pass>
double stencil_row(const VariableStencil& s, const double* x, const double* b, double* to, int j,
                   int k, bool) {
  const int n = s.n[0];
  const std::ptrdiff_t nx = n;
  const std::ptrdiff_t plane = nx * s.n[1];
  const std::ptrdiff_t at = nx * j + plane * k;
  const double* c = x + at;
  const double* ym = j > 0 ? c - nx : c;
  const double* yp = j + 1 < s.n[1] ? c + nx : c;
  const double* zm = k > 0 ? c - plane : c;
  const double* zp = k + 1 < s.n[2] ? c + plane : c;
  // an axis of one cell: any readable coefficients do, the differences are zero
  const double* e = s.excess + at;
  const double* fx = s.face[0] ? s.face[0] + at : e;
  const double* fyp = s.face[1] ? s.face[1] + at : e;
  const double* fzp = s.face[2] ? s.face[2] + at : e;
  const double* fym = j > 0 ? fyp - nx : fyp;
  const double* fzm = k > 0 ? fzp - plane : fzp;
  const double* from = pass == StencilPass::residual ? b + at : nullptr;
  double sum = 0;
  const auto rest = [&](int i) {
    return e[i] * c[i] + (fym[i] * (c[i] - ym[i]) + fyp[i] * (c[i] - yp[i])) +
           (fzm[i] * (c[i] - zm[i]) + fzp[i] * (c[i] - zp[i]));
  };
  const auto end_cell = [&](int i) {
    double v = rest(i);
    if (i > 0) v += fx[i - 1] * (c[i] - c[i - 1]);
    if (i + 1 < n) v += fx[i] * (c[i] - c[i + 1]);
    sum += emit<pass>(v, c[i], from, to, i);
  };
  end_cell(0);
  for (int begin = 1; begin < n - 1; begin += prefetch_run) {
    const int end = std::min(n - 1, begin + prefetch_run);
    prefetch(zp + nx + begin);
#pragma omp simd reduction(+ : sum)
    for (int i = begin; i < end; ++i) {
      const double v = rest(i) + (fx[i - 1] * (c[i] - c[i - 1]) + fx[i] * (c[i] - c[i + 1]));
      sum += emit<pass>(v, c[i], from, to, i);
    }
  }
  if (n > 1) end_cell(n - 1);
  return sum;
}

// --- one cell a thread (device)
// -------------------------------------------------------------------

template <StencilPass pass, class Stencil>
struct StencilCellKernel {
  Stencil s;
  const double* x;
  const double* b;
  double* y;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t c, double& sum) const {
    const int i = int(c % s.n[0]);
    const std::ptrdiff_t row = c / s.n[0];
    const double v = stencil_cell(s, x, i, int(row % s.n[1]), int(row / s.n[1]));
    if constexpr (pass == StencilPass::residual) {
      const double r = b[c] - v;
      y[c] = r;
      sum += r * r;
    } else {
      y[c] = v;
      sum += x[c] * v;
    }
  }
};

struct DirectionKernel {
  const double* z;
  double beta;
  double* p;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t c) const {
    p[c] = beta == 0.0 ? z[c] : z[c] + beta * p[c];
  }
};

// --- whole passes
// ---------------------------------------------------------------------------------

/// Rows of a tile, so that `streams` planes of doubles fit into a share of the last-level cache.
/// Smaller tiles, for the second level, were slower: each row of them starts the prefetchers anew.
inline int stencil_tile(int nx, int streams) {
  return std::max(16, int((8 << 20) / (8.0 * nx * streams)));
}

/// Adds up what the workers of a wavefront found, in a fixed order, each on its own cache line.
class WorkerSums {
 public:
  explicit WorkerSums(int slabs) : size_(std::size_t(2) * slabs * stride) {
    static thread_local std::vector<double> kept;  // one pass at a time: no allocation in the next
    kept.assign(size_, 0.0);
    sums_ = kept.data();
  }
  double& operator[](int worker) { return sums_[std::size_t(worker) * stride]; }
  double total() const {
    double t = 0;
    for (std::size_t i = 0; i < size_; i += stride) t += sums_[i];
    return t;
  }

 private:
  static constexpr std::size_t stride = 8;
  std::size_t size_;
  double* sums_;
};

/// Lets rows be computed in place, or, where the whole result is larger than the cache, written
/// past it: at once where whole lines can be, else from beside.
class RowWriter {
 public:
  template <class Stencil>
  RowWriter(const Stencil& s, const double* y, int slabs)
      : nx_(s.n[0]), ny_(s.n[1]), stride_(s.n[0] + 8) {
    if (sizeof(double) * nx_ * ny_ * s.n[2] < stream_bytes) return;
    past_cache_ = has_eight && std::is_same_v<Stencil, ConstantStencil> && nx_ % 8 == 0 &&
                  nx_ >= 24 && reinterpret_cast<std::uintptr_t>(y) % 64 == 0;
    if (past_cache_) return;
    static thread_local std::vector<double> kept;  // as in WorkerSums
    const std::size_t size = std::size_t(2) * slabs * stride_;
    if (kept.size() < size) kept.resize(size);
    rows_ = kept.data();
  }
  template <class ComputeRow>
  double write(int worker, double* y, int j, int k, const ComputeRow& compute_row) {
    double* to = y + nx_ * (j + ny_ * k);
    if (rows_ == nullptr) return compute_row(to, past_cache_);
    double* beside = rows_ + std::size_t(worker) * stride_;
    const double sum = compute_row(beside, false);
    stream_row(beside, int(nx_), to);
    return sum;
  }

 private:
  std::ptrdiff_t nx_, ny_, stride_;
  bool past_cache_ = false;
  double* rows_ = nullptr;
};

template <StencilPass pass, class Exec, class Stencil>
double stencil_pass(const Exec& exec, const Stencil& stencil, const double* x, const double* b,
                    double* y) {
  const Stencil s = squeeze(stencil);
  if constexpr (runs_on_host<Exec>) {
    const WavefrontPlan plan =
        plan_wavefront(s.n[1], s.n[2], 1, stencil_tile(s.n[0], 6), concurrency_of(exec));
    WorkerSums sums(plan.slabs);
    RowWriter writer(s, y, plan.slabs);
    run_wavefront(plan, [&](int worker, int, int j0, int j1, int k) {
      double sum = 0;
      for (int j = j0; j < j1; ++j)
        sum += writer.write(worker, y, j, k, [&](double* to, bool past_cache) {
          return stencil_row<pass>(s, x, b, to, j, k, past_cache);
        });
      sums[worker] += sum;
    });
    return sums.total();
  } else {
    double sum = 0;
    Kokkos::parallel_reduce(kernel_label("libsolve::stencil_pass"),
                            Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::ptrdiff_t>>(
                                exec, 0, std::ptrdiff_t(s.n[0]) * s.n[1] * s.n[2]),
                            StencilCellKernel<pass, Stencil>{s, x, b, y}, sum);
    return sum;
  }
}

/// y = A x. x and y: one double a cell, accessible from `exec`, no aliasing (here and below).
/// Moves x and y once (and, with variable coefficients, four doubles a cell).
template <class Exec, class Stencil>
void stencil_apply(const Exec& exec, const Stencil& s, const double* x, double* y) {
  stencil_pass<StencilPass::apply>(exec, s, x, nullptr, y);
}

/// y = A x; returns x^T y (over this rank's cells).
template <class Exec, class Stencil>
double stencil_apply_dot(const Exec& exec, const Stencil& s, const double* x, double* y) {
  return stencil_pass<StencilPass::apply_dot>(exec, s, x, nullptr, y);
}

/// r = b - A x; returns r^T r.
template <class Exec, class Stencil>
double stencil_residual(const Exec& exec, const Stencil& s, const double* b, const double* x,
                        double* r) {
  return stencil_pass<StencilPass::residual>(exec, s, x, b, r);
}

/// p = z + beta p (beta = 0: p = z, the old p is not read), q = A p; returns p^T q. The product
/// follows one plane behind the update, so p is read from and written to memory once.
template <class Exec, class Stencil>
double stencil_update_apply_dot(const Exec& exec, const Stencil& stencil, const double* z,
                                double beta, double* p, double* q) {
  const Stencil s = squeeze(stencil);
  if constexpr (runs_on_host<Exec>) {
    const WavefrontPlan plan =
        plan_wavefront(s.n[1], s.n[2], 2, stencil_tile(s.n[0], 8), concurrency_of(exec));
    WorkerSums sums(plan.slabs);
    RowWriter writer(s, q, plan.slabs);
    run_wavefront(plan, [&](int worker, int stage, int j0, int j1, int k) {
      if (stage == 0) {
        const std::ptrdiff_t nx = s.n[0];
        const std::ptrdiff_t from = nx * (j0 + std::ptrdiff_t(s.n[1]) * k);
        const std::ptrdiff_t n = nx * (j1 - j0);
        double* to = p + from;
        const double* add = z + from;
        if (beta == 0.0) {
#pragma omp simd
          for (std::ptrdiff_t i = 0; i < n; ++i) to[i] = add[i];
        } else {
#pragma omp simd
          for (std::ptrdiff_t i = 0; i < n; ++i) to[i] = add[i] + beta * to[i];
        }
        return;
      }
      double sum = 0;
      for (int j = j0; j < j1; ++j)
        sum += writer.write(worker, q, j, k, [&](double* to, bool past_cache) {
          return stencil_row<StencilPass::apply_dot>(s, p, nullptr, to, j, k, past_cache);
        });
      sums[worker] += sum;
    });
    return sums.total();
  } else {
    Kokkos::parallel_for(kernel_label("libsolve::update_direction"),
                         Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::ptrdiff_t>>(
                             exec, 0, std::ptrdiff_t(s.n[0]) * s.n[1] * s.n[2]),
                         DirectionKernel{z, beta, p});
    return stencil_pass<StencilPass::apply_dot>(exec, s, p, nullptr, q);
  }
}

}  // namespace libsolve::detail
