/// \file
/// The activation g(t) = log(1 + exp(beta t)) / beta and g'(t), in a form that compilers vectorise.
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

namespace learned_proximal {

/// exp(t) for t <= 0; 0 where that is below 4e-18, so that products of some are no denormal
/// numbers, which are slow. Error: some units in the last place.
template <class T>
inline T exp_of_negative(T t) {
  constexpr bool is_double = std::is_same_v<T, double>;
  using Bits = std::conditional_t<is_double, std::int64_t, std::int32_t>;
  // Adding it leaves an integer in the low bits of the fraction.
  constexpr T magic = is_double ? T(0x1.8p52) : T(0x1.8p23);
  constexpr T lowest = T(-40.0);
  constexpr T per_ln2 = T(1.4426950408889634074);
  // ln 2 in two parts, the first short enough for exact products.
  constexpr T ln2_high = is_double ? T(0x1.62e42fefa38p-1) : T(0x1.62ep-1);
  constexpr T ln2_low = is_double ? T(0x1.ef35793c7673p-45) : T(0x1.0bfbe8p-15);
  const T x = t < lowest ? lowest : t;
  const T shifted = x * per_ln2 + magic;
  const T n = shifted - magic;
  const T r = (x - n * ln2_high) - n * ln2_low;
  T p;
  if constexpr (is_double) {
    p = T(1.0 / 6227020800.0);
    p = p * r + T(1.0 / 479001600.0);
    p = p * r + T(1.0 / 39916800.0);
    p = p * r + T(1.0 / 3628800.0);
    p = p * r + T(1.0 / 362880.0);
    p = p * r + T(1.0 / 40320.0);
    p = p * r + T(1.0 / 5040.0);
  } else {
    p = T(1.0 / 5040.0);
  }
  p = p * r + T(1.0 / 720.0);
  p = p * r + T(1.0 / 120.0);
  p = p * r + T(1.0 / 24.0);
  p = p * r + T(1.0 / 6.0);
  p = p * r + T(0.5);
  p = p * r + T(1.0);
  p = p * r + T(1.0);
  // times 2^n, by the exponent
  constexpr int fraction = is_double ? 52 : 23;
  const T scaled = std::bit_cast<T>(
      static_cast<Bits>(std::bit_cast<Bits>(p) + (std::bit_cast<Bits>(shifted) << fraction)));
  return t < lowest ? T(0) : scaled;
}

/// log(1 + u) for 0 <= u <= 1, as 2 atanh(u / (2 + u)).
template <class T>
inline T log_of_one_plus(T u) {
  const T s = u / (T(2) + u), q = s * s;  // q <= 1/9
  T p;
  if constexpr (std::is_same_v<T, double>) {
    p = T(2.0 / 35.0);
    p = p * q + T(2.0 / 33.0);
    p = p * q + T(2.0 / 31.0);
    p = p * q + T(2.0 / 29.0);
    p = p * q + T(2.0 / 27.0);
    p = p * q + T(2.0 / 25.0);
    p = p * q + T(2.0 / 23.0);
    p = p * q + T(2.0 / 21.0);
    p = p * q + T(2.0 / 19.0);
    p = p * q + T(2.0 / 17.0);
  } else {
    p = T(2.0 / 17.0);
  }
  p = p * q + T(2.0 / 15.0);
  p = p * q + T(2.0 / 13.0);
  p = p * q + T(2.0 / 11.0);
  p = p * q + T(2.0 / 9.0);
  p = p * q + T(2.0 / 7.0);
  p = p * q + T(2.0 / 5.0);
  p = p * q + T(2.0 / 3.0);
  p = p * q + T(2.0);
  return p * s;
}

/// g(t) and g'(t); g'' = beta g' (1 - g').
template <class T>
inline void softplus(T t, T beta, T& g, T& slope) {
  const T u = exp_of_negative<T>(t > T(0) ? -beta * t : beta * t);
  const T inverse = T(1) / (T(1) + u);
  g = (t > T(0) ? t : T(0)) + log_of_one_plus<T>(u) / beta;
  slope = t > T(0) ? inverse : u * inverse;
}

}  // namespace learned_proximal
