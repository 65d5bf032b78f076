/// \file
/// One number of several problems of one shape at a time: a SIMD register of problems on the host,
/// one problem a thread on a device.
#pragma once

#include <cmath>
#include <cstddef>
#include <libsolve/core/pack.hpp>
#include <libsolve/core/types.hpp>
#include <utility>

#if defined(__AVX__) && !defined(__CUDACC__)
#include <immintrin.h>
#endif

namespace libsolve::detail {

#if defined(__GNUC__) && !defined(__CUDACC__)
inline constexpr bool host_packs_problems = true;
#else
inline constexpr bool host_packs_problems = false;  // nvcc has no vector types
#endif

/// How `Exec` takes problems: `width` of them lie interleaved in memory, and each of `team_size`
/// threads works on width / team_size of them, whose numbers make up one `Number`.
template <class Exec>
struct ProblemLanes {
  static constexpr bool packed = runs_on_host<Exec> && host_packs_problems;
  static constexpr int team_size = runs_on_host<Exec> ? 1 : 32;
  static constexpr int width = packed ? lanes<double> : team_size;
};

KOKKOS_INLINE_FUNCTION double root(double x) {
  return Kokkos::sqrt(x);
}
template <class Number>
KOKKOS_INLINE_FUNCTION Number number(double value) {
  return Number{} + value;
}

#if defined(__GNUC__) && !defined(__CUDACC__)

/// Square roots of a register: g++ keeps the branch on errno in a loop over lanes.
inline Pack<double> root(const Pack<double>& x) {
#if defined(__AVX512F__)
  // With a mask that keeps all: g++ 12 warns of what the plain one leaves undefined.
  return reinterpret_cast<Pack<double>>(
      _mm512_maskz_sqrt_pd(static_cast<__mmask8>(-1), reinterpret_cast<__m512d>(x)));
#elif defined(__AVX__)
  return reinterpret_cast<Pack<double>>(_mm256_sqrt_pd(reinterpret_cast<__m256d>(x)));
#else
  Pack<double> r = x;
  for (int l = 0; l < lanes<double>; ++l) r[l] = std::sqrt(x[l]);
  return r;
#endif
}

/// Exchanges the off-diagonal halves of blocks of 2 D rows and columns; D = W/2, W/4, ..., 1
/// together transpose W registers.
template <int D, std::size_t... q>
inline void exchange_halves(Pack<double>& a, Pack<double>& b, std::index_sequence<q...>) {
  constexpr std::size_t d = D, w = sizeof...(q);
  const Pack<double> top = __builtin_shufflevector(a, b, ((q & d) != 0 ? w + q - d : q)...);
  b = __builtin_shufflevector(a, b, ((q & d) != 0 ? w + q : q + d)...);
  a = top;
}
template <int D = lanes<double> / 2>
inline void transpose_packs(Pack<double>* t) {
  if constexpr (D > 0) {
#pragma GCC unroll 8
    for (int l = 0; l < lanes<double>; ++l)
      if ((l & D) == 0)
        exchange_halves<D>(t[l], t[l + D], std::make_index_sequence<lanes<double>>());
    transpose_packs<D / 2>(t);
  }
}

#endif

/// Numbers of one group, interleaved: slot q of the problems is `width` doubles.
template <class Number, int width>
struct Slots {
  double* at = nullptr;  ///< on a device that of the thread's own problem

  KOKKOS_FORCEINLINE_FUNCTION Number get(int q) const {
    if constexpr (sizeof(Number) == sizeof(double))
      return at[static_cast<std::ptrdiff_t>(q) * width];
    else
      return load<double>(at + static_cast<std::ptrdiff_t>(q) * width);
  }
  KOKKOS_FORCEINLINE_FUNCTION void set(int q, const Number& value) const {
    if constexpr (sizeof(Number) == sizeof(double))
      at[static_cast<std::ptrdiff_t>(q) * width] = value;
    else
      store<double>(value, at + static_cast<std::ptrdiff_t>(q) * width);
  }
  KOKKOS_FORCEINLINE_FUNCTION Slots from(int q) const {
    return {at + static_cast<std::ptrdiff_t>(q) * width};
  }
};

/// An array of each problem, one problem after the other in memory. Lanes past the last problem
/// read the last one's; only lanes in `mask` write.
template <class Number, class T = const double>
struct ProblemArray {
  T* at = nullptr;            ///< of the first lane's problem
  std::ptrdiff_t stride = 0;  ///< from problem to problem
  int valid = 1;              ///< lanes with a problem
  unsigned mask = 1;          ///< bit l: lane l writes

  KOKKOS_FORCEINLINE_FUNCTION explicit operator bool() const { return at != nullptr; }
  KOKKOS_FORCEINLINE_FUNCTION Number get(std::ptrdiff_t i) const {
    if constexpr (sizeof(Number) == sizeof(double)) {
      return at[i];
    } else {
      Number v{};
      for (int l = 0; l < lanes<double>; ++l)
        v[l] = static_cast<double>(at[(l < valid ? l : valid - 1) * stride + i]);
      return v;
    }
  }
  KOKKOS_FORCEINLINE_FUNCTION void set(std::ptrdiff_t i, const Number& value) const {
    if constexpr (sizeof(Number) == sizeof(double))
      at[i] = static_cast<T>(value);
    else
      for (int l = 0; l < lanes<double>; ++l)
        if ((mask >> l & 1U) != 0) at[l * stride + i] = static_cast<T>(value[l]);
  }
  /// Entries [i, i + count) into every `step`-th slot.
  template <int width>
  KOKKOS_FORCEINLINE_FUNCTION void read(std::ptrdiff_t i, int count, const Slots<Number, width>& to,
                                        int step) const {
    int e = 0;
#if defined(__GNUC__) && !defined(__CUDACC__)
    if constexpr (sizeof(Number) != sizeof(double)) {
      constexpr int w = lanes<double>;
      for (; e + w <= count; e += w) {
        Number t[w];
#pragma GCC unroll 8
        for (int l = 0; l < w; ++l)
          t[l] = load<double>(at + (l < valid ? l : valid - 1) * stride + i + e);
        transpose_packs(t);
#pragma GCC unroll 8
        for (int q = 0; q < w; ++q) to.set((e + q) * step, t[q]);
      }
    }
#endif
    for (; e < count; ++e) to.set(e * step, get(i + e));
  }
  /// The reverse: entries [i, i + count) from every `step`-th slot.
  template <int width>
  KOKKOS_FORCEINLINE_FUNCTION void write(std::ptrdiff_t i, int count,
                                         const Slots<Number, width>& from, int step) const {
    int e = 0;
#if defined(__GNUC__) && !defined(__CUDACC__)
    if constexpr (sizeof(Number) != sizeof(double)) {
      constexpr int w = lanes<double>;
      for (; e + w <= count; e += w) {
        Number t[w];
#pragma GCC unroll 8
        for (int q = 0; q < w; ++q) t[q] = from.get((e + q) * step);
        transpose_packs(t);
#pragma GCC unroll 8
        for (int l = 0; l < w; ++l)
          if ((mask >> l & 1U) != 0) store<double>(t[l], at + l * stride + i + e);
      }
    }
#endif
    for (; e < count; ++e) set(i + e, from.get(e * step));
  }
};

}  // namespace libsolve::detail
