#pragma once

#include <algorithm>
#include <libsolve/core/types.hpp>
#include <utility>
#include <vector>

/// Loops over rows at the speed of the memory bus, for any execution space. A kernel is a small
/// functor of raw pointers at namespace scope (nvcc takes no lambdas in private members):
/// `body(i)` does what is to be done for row i; for sums `body(i, s...)` adds its terms to the s.
///
///   struct Update { double alpha; const double* x; double* y;
///     KOKKOS_FUNCTION void operator()(Index i, double& s) const {
///       y[i] += alpha * x[i];
///       s += y[i] * y[i];
///     } };
///   double squared = reduce_rows<Sums<1>>(default_space(), "name", n, Update{a, x, y}).value[0];
///
/// On the host the rows are cut into chunks of contiguous work; inside a chunk the sums are kept in
/// SIMD lanes (g++ vectorises no floating-point sum unless told), and chunks go to threads in
/// contiguous shares. So a sum depends on the number of threads and on nothing else, and rounding
/// grows with the length of a chunk plus their number, not with the length of the vector.
/// On a device the same body runs in a plain range. Rows must be independent of each other.
namespace libsolve {

/// ExecSpace(), made once: Kokkos allocates a few bytes each time. For what runs in innermost loops.
template <class Exec = ExecSpace>
const Exec& default_space() {
  static const Exec* const space = new Exec;  // outlives every kernel
  return *space;
}

/// exec.concurrency(), asked once: the answer is the same for all, and asking allocates.
template <class Exec>
int concurrency_of(const Exec&) {
  static const int concurrency = default_space<Exec>().concurrency();
  return concurrency;
}

/// [0, n) for a Kokkos::parallel_for. Made like this it allocates nothing: Kokkos asks
/// a space made anew for its concurrency where it has to choose the size of chunks.
template <class Exec = ExecSpace, class I>
auto range_policy(I n) {
  using Policy = Kokkos::RangePolicy<Exec, Kokkos::IndexType<I>>;
  const auto& exec = default_space<Exec>();
  if constexpr (runs_on_host<Exec>) {
    const I share = n / (4 * static_cast<I>(concurrency_of(exec))) + 1;
    return Policy(exec, I(0), n, Kokkos::ChunkSize(static_cast<int>(share < 128 ? share : 128)));
  } else {
    return Policy(exec, I(0), n);
  }
}

/// The label of a kernel where a profiling tool listens. Otherwise a short one: Kokkos makes a
/// std::string of it, which allocates beyond 15 letters (and of the functor's type where it is "").
inline const char* kernel_label(const char* label) {
  return Kokkos::Tools::profileLibraryLoaded() ? label : "libsolve";
}

/// N sums over rows, this rank's part. Joined by += as Kokkos reductions want it.
template <int N>
struct Sums {
  static constexpr int num_values = N;
  double value[N] = {};
  KOKKOS_FUNCTION Sums& operator+=(const Sums& other) {
    for (int k = 0; k < N; ++k) value[k] += other.value[k];
    return *this;
  }
};

/// The largest of one number per row, and a sum beside it: `body(i, max, sum)`. Numbers >= 0.
struct MaxAndSum {
  static constexpr int num_values = 2;
  double value[2] = {0.0, 0.0};
  KOKKOS_FUNCTION MaxAndSum& operator+=(const MaxAndSum& other) {
    value[0] = other.value[0] > value[0] ? other.value[0] : value[0];
    value[1] += other.value[1];
    return *this;
  }
};

namespace detail {

/// Rows of one unit of work on the host: short enough to share out small vectors, long enough that
/// starting a chunk costs nothing. A vector of one chunk is done by the calling thread.
inline constexpr Index rows_per_chunk = 4096;
/// Partial sums of a chunk: four AVX-512 registers for each sum.
inline constexpr int num_lanes = 32;

// One chunk on the host. The body is copied into a local variable and the partial sums are an array
// of lanes: with the body behind a reference, g++ 12 reloads its pointers in every row and gathers
// (four times slower), and with one accumulator it keeps that in memory. So the order of summation
// stands in the code and is not the compiler's choice.

template <class Body>
void run_chunk(const Body& rows, Index begin, Index end) {
  const Body body = rows;
#pragma omp simd
  for (Index i = begin; i < end; ++i) body(i);
}

template <class Result, class Body, std::size_t... K>
void reduce_chunk(const Body& rows, Index begin, Index end, Result& total,
                  std::index_sequence<K...>) {
  const Body body = rows;
  double s[sizeof...(K)][num_lanes] = {};
  Index i = begin;
  for (; end - i >= num_lanes; i += num_lanes) {
#pragma omp simd
    for (int lane = 0; lane < num_lanes; ++lane) body(i + lane, s[K][lane]...);
  }
  for (; i < end; ++i) body(i, s[K][0]...);
  Result sum;
  for (int lane = 0; lane < num_lanes; ++lane) sum += Result{{s[K][lane]...}};
  total += sum;
}

/// Chunk c of `body` on the host.
template <class Body, class Result>
struct Chunks {
  Body body;
  Index num_rows;
  Index begin(Index c) const { return c * rows_per_chunk; }
  Index end(Index c) const {
    return num_rows - begin(c) > rows_per_chunk ? begin(c) + rows_per_chunk : num_rows;
  }
  void operator()(Index c) const { run_chunk(body, begin(c), end(c)); }
  void operator()(Index c, Result& total) const {
    reduce_chunk(body, begin(c), end(c), total, std::make_index_sequence<Result::num_values>());
  }
};

/// Row i of `body` on a device.
template <class Body, class Result>
struct Rows {
  Body body;
  KOKKOS_FUNCTION void operator()(Index i, Result& total) const {
    add(i, total, std::make_index_sequence<Result::num_values>());
  }
  template <std::size_t... K>
  KOKKOS_FUNCTION void add(Index i, Result& total, std::index_sequence<K...>) const {
    body(i, total.value[K]...);
  }
};

inline Index num_chunks(Index num_rows) {
  return num_rows / rows_per_chunk + (num_rows % rows_per_chunk != 0 ? 1 : 0);
}

/// A sum on its own cache line.
template <class Result>
struct alignas(64) Padded {
  Result value = {};
};

/// All chunks on the host: a contiguous share for each thread, added up in their order. Not a Kokkos
/// reduction, which allocates the text of its fence each time.
template <class Result, class Exec, class Chunks>
Result reduce_shares(const Exec& exec, const char* label, Index num_chunks, const Chunks& chunks) {
  using Policy = Kokkos::RangePolicy<Exec, Kokkos::IndexType<Index>>;
  static thread_local std::vector<Padded<Result>> kept;
  const Index num_shares = std::min<Index>(num_chunks, concurrency_of(exec));
  kept.assign(static_cast<std::size_t>(num_shares), {});
  Padded<Result>* const sums = kept.data();
  const auto first = [=](Index share) {
    return static_cast<Index>(GlobalIndex{num_chunks} * share / num_shares);
  };
  Kokkos::parallel_for(kernel_label(label), Policy(exec, 0, num_shares, Kokkos::ChunkSize(1)),
                       [=](Index share) {
                         Result sum{};
                         for (Index c = first(share); c < first(share + 1); ++c) chunks(c, sum);
                         sums[share].value = sum;
                       });
  Result total{};
  for (Index share = 0; share < num_shares; ++share) total += sums[share].value;
  return total;
}

}  // namespace detail

/// body(i) for all i in [0, num_rows). Asynchronous on devices.
template <class Exec, class Body>
void for_rows(const Exec& exec, const char* label, Index num_rows, const Body& body) {
  using Policy = Kokkos::RangePolicy<Exec, Kokkos::IndexType<Index>>;
  if constexpr (runs_on_host<Exec>) {
    const detail::Chunks<Body, Sums<1>> chunks{body, num_rows};
    if (num_rows > detail::rows_per_chunk)
      Kokkos::parallel_for(kernel_label(label),
                           Policy(exec, 0, detail::num_chunks(num_rows), Kokkos::ChunkSize(1)),
                           chunks);
    else if (num_rows > 0)
      chunks(0);
  } else {
    Kokkos::parallel_for(kernel_label(label), Policy(exec, 0, num_rows), body);
  }
}

/// The sums of `body` over all i in [0, num_rows) of this rank. Result: Sums<N> or MaxAndSum.
template <class Result, class Exec, class Body>
Result reduce_rows(const Exec& exec, const char* label, Index num_rows, const Body& body) {
  using Policy = Kokkos::RangePolicy<Exec, Kokkos::IndexType<Index>>;
  Result total{};
  if constexpr (runs_on_host<Exec>) {
    const detail::Chunks<Body, Result> chunks{body, num_rows};
    if (num_rows > detail::rows_per_chunk)
      total = detail::reduce_shares<Result>(exec, label, detail::num_chunks(num_rows), chunks);
    else if (num_rows > 0)
      chunks(0, total);
  } else {
    Kokkos::parallel_reduce(kernel_label(label), Policy(exec, 0, num_rows),
                            detail::Rows<Body, Result>{body}, total);
  }
  return total;
}

}  // namespace libsolve
