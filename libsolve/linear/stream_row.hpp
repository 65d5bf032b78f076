/// \file
/// Writes past the cache.
#pragma once

#include <cstddef>
#include <cstdint>
#if defined(__AVX__) && !defined(__CUDACC__)
#include <immintrin.h>
#endif

namespace libsolve {

/// Results of at least this many bytes have left the cache before they are read again.
inline constexpr std::size_t stream_bytes = std::size_t(12) << 20;

/// to = from, without first reading what was in `to`, as ordinary stores do, nor keeping it in the
/// cache: half the traffic. Rows of n doubles on the host; `from` should be in the first-level
/// cache. Such stores are not ordered with others: before another thread may read `to`, the one
/// that wrote calls finish_streams() (run_wavefront does so for its workers).
inline void stream_row(const double* from, int n, double* to) {
  int i = 0;
#if defined(__AVX512F__) && !defined(__CUDACC__)
  for (; i < n && (reinterpret_cast<std::uintptr_t>(to + i) & 63) != 0; ++i) to[i] = from[i];
  for (; i + 8 <= n; i += 8) _mm512_stream_pd(to + i, _mm512_loadu_pd(from + i));
#elif defined(__AVX__) && !defined(__CUDACC__)
  for (; i < n && (reinterpret_cast<std::uintptr_t>(to + i) & 31) != 0; ++i) to[i] = from[i];
  for (; i + 4 <= n; i += 4) _mm256_stream_pd(to + i, _mm256_loadu_pd(from + i));
#endif
  for (; i < n; ++i) to[i] = from[i];
}

/// What this thread has streamed comes before whatever it stores next: a barrier, the end of a
/// parallel loop. Once for each worker and pass, not for each row.
inline void finish_streams() {
#if defined(__AVX__) && !defined(__CUDACC__)
  _mm_sfence();
#endif
}

}  // namespace libsolve
