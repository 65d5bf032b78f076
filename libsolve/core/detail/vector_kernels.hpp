#pragma once

#include <libsolve/core/types.hpp>

/// The loops below libsolve/core/vector_kernels.hpp, for any execution space. A kernel is a small
/// functor: `body(i, s...)` does what is to be done for entry i and adds its terms to the sums s.
///
/// On the host the rows are cut into chunks of contiguous work; inside a chunk the sums are kept in
/// SIMD lanes (g++ vectorises no floating-point sum unless told), and chunks go to threads in
/// contiguous shares. So a sum depends on the number of threads and on nothing else, and rounding
/// grows with the length of a chunk plus their number, not with the length of the vector.
/// On a device the same body runs in a plain range.
namespace libsolve::detail {

/// Rows of one unit of work on the host: short enough to share out small vectors, long enough that
/// starting a chunk costs nothing. A vector of one chunk is done by the calling thread.
inline constexpr Index rows_per_chunk = 4096;

/// What a kernel reduces to, joined by += as Kokkos wants it.
struct Sum {
  double s = 0.0;
  KOKKOS_FUNCTION Sum& operator+=(const Sum& other) {
    s += other.s;
    return *this;
  }
};

struct TwoSums {
  double s = 0.0;
  double t = 0.0;
  KOKKOS_FUNCTION TwoSums& operator+=(const TwoSums& other) {
    s += other.s;
    t += other.t;
    return *this;
  }
};

/// max |x_i| of the entries that are numbers, and whether there was one that is not.
struct MaxNorm {
  double max = 0.0;
  double num_nan = 0.0;
  KOKKOS_FUNCTION MaxNorm& operator+=(const MaxNorm& other) {
    max = other.max > max ? other.max : max;
    num_nan += other.num_nan;
    return *this;
  }
};

// ---- one chunk on the host ----------------------------------------------------------------------
// The body is copied into a local variable and the partial sums are an array of lanes: with the
// body behind a reference, g++ 12 reloads its pointers in every row and gathers (8 times slower),
// and with one accumulator it keeps that in memory. The order of summation is in the code, not the
// compiler's choice.

inline constexpr int num_lanes = 32;

template <class Body>
void run_rows(const Body& rows, Index begin, Index end) {
  const Body body = rows;
#pragma omp simd
  for (Index i = begin; i < end; ++i) body(i);
}

template <class Body>
void reduce_rows(const Body& rows, Index begin, Index end, Sum& total) {
  const Body body = rows;
  double s[num_lanes] = {};
  Index i = begin;
  for (; end - i >= num_lanes; i += num_lanes) {
#pragma omp simd
    for (int lane = 0; lane < num_lanes; ++lane) body(i + lane, s[lane]);
  }
  for (; i < end; ++i) body(i, s[0]);
  double sum = 0.0;
  for (int lane = 0; lane < num_lanes; ++lane) sum += s[lane];
  total.s += sum;
}

template <class Body>
void reduce_rows(const Body& rows, Index begin, Index end, TwoSums& total) {
  const Body body = rows;
  double s[num_lanes] = {};
  double t[num_lanes] = {};
  Index i = begin;
  for (; end - i >= num_lanes; i += num_lanes) {
#pragma omp simd
    for (int lane = 0; lane < num_lanes; ++lane) body(i + lane, s[lane], t[lane]);
  }
  for (; i < end; ++i) body(i, s[0], t[0]);
  TwoSums sum;
  for (int lane = 0; lane < num_lanes; ++lane) sum += TwoSums{s[lane], t[lane]};
  total += sum;
}

template <class Body>
void reduce_rows(const Body& rows, Index begin, Index end, MaxNorm& total) {
  const Body body = rows;
  double max[num_lanes] = {};
  double num_nan[num_lanes] = {};
  Index i = begin;
  for (; end - i >= num_lanes; i += num_lanes) {
#pragma omp simd
    for (int lane = 0; lane < num_lanes; ++lane) body(i + lane, max[lane], num_nan[lane]);
  }
  for (; i < end; ++i) body(i, max[0], num_nan[0]);
  for (int lane = 0; lane < num_lanes; ++lane) total += MaxNorm{max[lane], num_nan[lane]};
}

// ---- all rows -----------------------------------------------------------------------------------

/// Chunk c of `body` on the host.
template <class Body, class Result>
struct Chunks {
  Body body;
  Index num_rows;
  void operator()(Index c, Result& total) const {
    const Index begin = c * rows_per_chunk;
    const Index end = num_rows - begin > rows_per_chunk ? begin + rows_per_chunk : num_rows;
    reduce_rows(body, begin, end, total);
  }
};

template <class Body>
struct Chunks<Body, void> {
  Body body;
  Index num_rows;
  void operator()(Index c) const {
    const Index begin = c * rows_per_chunk;
    run_rows(body, begin, num_rows - begin > rows_per_chunk ? begin + rows_per_chunk : num_rows);
  }
};

/// Row i of `body` on a device.
template <class Body, class Result>
struct Rows {
  Body body;
  KOKKOS_FUNCTION void operator()(Index i, Sum& total) const { body(i, total.s); }
  KOKKOS_FUNCTION void operator()(Index i, TwoSums& total) const { body(i, total.s, total.t); }
  KOKKOS_FUNCTION void operator()(Index i, MaxNorm& total) const {
    body(i, total.max, total.num_nan);
  }
};

inline Index num_chunks(Index num_rows) {
  return num_rows / rows_per_chunk + (num_rows % rows_per_chunk != 0 ? 1 : 0);
}

/// body(i) for all i in [0, num_rows). Asynchronous on devices.
template <class Exec, class Body>
void for_rows(const Exec& exec, const char* label, Index num_rows, const Body& body) {
  if constexpr (runs_on_host<Exec>) {
    const Chunks<Body, void> chunks{body, num_rows};
    if (num_rows <= rows_per_chunk) {
      if (num_rows > 0) chunks(0);
    } else {
      using Policy = Kokkos::RangePolicy<Exec, Kokkos::IndexType<Index>>;
      Kokkos::parallel_for(label, Policy(exec, 0, num_chunks(num_rows), Kokkos::ChunkSize(1)),
                           chunks);
    }
  } else {
    Kokkos::parallel_for(
        label, Kokkos::RangePolicy<Exec, Kokkos::IndexType<Index>>(exec, 0, num_rows), body);
  }
}

/// The sums of `body` over all i in [0, num_rows). Result: Sum, TwoSums or MaxNorm.
template <class Result, class Exec, class Body>
Result reduce_rows(const Exec& exec, const char* label, Index num_rows, const Body& body) {
  Result total{};
  if constexpr (runs_on_host<Exec>) {
    const Chunks<Body, Result> chunks{body, num_rows};
    if (num_rows <= rows_per_chunk) {
      if (num_rows > 0) chunks(0, total);
    } else {
      using Policy = Kokkos::RangePolicy<Exec, Kokkos::IndexType<Index>>;
      Kokkos::parallel_reduce(label, Policy(exec, 0, num_chunks(num_rows), Kokkos::ChunkSize(1)),
                              chunks, total);
    }
  } else {
    Kokkos::parallel_reduce(label,
                            Kokkos::RangePolicy<Exec, Kokkos::IndexType<Index>>(exec, 0, num_rows),
                            Rows<Body, Result>{body}, total);
  }
  return total;
}

// ---- the bodies ---------------------------------------------------------------------------------
// Pointers, not views: the entries of a vector are contiguous, and lanes need nothing else.

struct DotBody {
  const double* x;
  const double* y;
  KOKKOS_FUNCTION void operator()(Index i, double& s) const { s += x[i] * y[i]; }
};

struct Dot2Body {
  const double* x;
  const double* y;
  const double* z;
  KOKKOS_FUNCTION void operator()(Index i, double& s, double& t) const {
    s += x[i] * y[i];
    t += x[i] * z[i];
  }
};

struct MaxNormBody {
  const double* x;
  KOKKOS_FUNCTION void operator()(Index i, double& max, double& num_nan) const {
    const double size = Kokkos::fabs(x[i]);
    max = size > max ? size : max;  // false for NaN
    num_nan += size == size ? 0.0 : 1.0;
  }
};

struct FillBody {
  double value;
  double* x;
  KOKKOS_FUNCTION void operator()(Index i) const { x[i] = value; }
};

struct CopyBody {
  const double* x;
  double* y;
  KOKKOS_FUNCTION void operator()(Index i) const { y[i] = x[i]; }
};

struct ScaleBody {
  double alpha;
  double* x;
  KOKKOS_FUNCTION void operator()(Index i) const { x[i] *= alpha; }
};

struct AxpyBody {
  double alpha;
  const double* x;
  double* y;
  KOKKOS_FUNCTION void operator()(Index i) const { y[i] += alpha * x[i]; }
};

/// z = alpha x + beta y; y may be z.
struct CombineBody {
  double alpha;
  const double* x;
  double beta;
  const double* y;
  double* z;
  KOKKOS_FUNCTION void operator()(Index i) const { z[i] = alpha * x[i] + beta * y[i]; }
};

struct ScaledCopyBody {
  double alpha;
  const double* x;
  double* y;
  KOKKOS_FUNCTION void operator()(Index i) const { y[i] = alpha * x[i]; }
};

struct MultiplyBody {
  const double* x;
  const double* y;
  double* z;
  KOKKOS_FUNCTION void operator()(Index i) const { z[i] = x[i] * y[i]; }
};

struct AxpyNormBody {
  double alpha;
  const double* x;
  double* y;
  KOKKOS_FUNCTION void operator()(Index i, double& s) const {
    const double v = y[i] + alpha * x[i];
    y[i] = v;
    s += v * v;
  }
};

struct CgUpdateBody {
  double alpha;
  const double* p;
  const double* q;
  double* x;
  double* r;
  KOKKOS_FUNCTION void operator()(Index i, double& s) const {
    x[i] += alpha * p[i];
    const double v = r[i] - alpha * q[i];
    r[i] = v;
    s += v * v;
  }
};

}  // namespace libsolve::detail
