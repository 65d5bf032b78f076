#pragma once

#include <Kokkos_Core.hpp>
#include <type_traits>

/// Numbers that carry a derivative, for code that is a template over its number type, in kernels,
/// too.
///
/// Dual<double>, x + eps with eps^2 = 0: a function evaluated at {x, v} has the slope f'(x) v.
/// Dual<Dual<double>> (SecondDual): at {{x, v}, {w, 0}} it is {{f, f' v}, {f' w, v f'' w}}
/// (hyper-dual numbers: Fike, Alonso, The development of hyper-dual numbers for exact
/// second-derivative calculations, AIAA 2011-886). Exact to rounding; where a function is not
/// defined, NaN.
///
///   template <class T>
///   KOKKOS_FUNCTION T energy(const T& x, const T& y) { return exp(x * y) + pow(x, 3.0) / y; }
///
/// Call functions without a namespace, after `using Kokkos::exp, Kokkos::pow;`: those are for
/// doubles, the ones below are found for dual numbers. Comparisons compare values. At a kink (abs,
/// min, max) the derivative is one side's, 0 for abs at 0.
namespace libsolve {

template <class T = double>
struct Dual {
  T value = T(0.0);
  T slope = T(0.0);

  KOKKOS_DEFAULTED_FUNCTION constexpr Dual() = default;
  KOKKOS_FUNCTION constexpr Dual(const T& v, const T& s) : value(v), slope(s) {}
  /// A constant.
  template <class Number>
  requires std::is_arithmetic_v<Number> KOKKOS_FUNCTION constexpr Dual(Number v)
      : value(static_cast<double>(v)) {}
  KOKKOS_FUNCTION constexpr Dual(const T& v) requires(!std::is_arithmetic_v<T>) : value(v) {}

  KOKKOS_FUNCTION constexpr Dual& operator+=(const Dual& b) { return *this = *this + b; }
  KOKKOS_FUNCTION constexpr Dual& operator-=(const Dual& b) { return *this = *this - b; }
  KOKKOS_FUNCTION constexpr Dual& operator*=(const Dual& b) { return *this = *this * b; }
  KOKKOS_FUNCTION constexpr Dual& operator/=(const Dual& b) { return *this = *this / b; }

  // Friends, so that a double on either side becomes a constant.
  friend KOKKOS_FUNCTION constexpr Dual operator+(const Dual& a, const Dual& b) {
    return {a.value + b.value, a.slope + b.slope};
  }
  friend KOKKOS_FUNCTION constexpr Dual operator-(const Dual& a, const Dual& b) {
    return {a.value - b.value, a.slope - b.slope};
  }
  friend KOKKOS_FUNCTION constexpr Dual operator*(const Dual& a, const Dual& b) {
    return {a.value * b.value, a.slope * b.value + a.value * b.slope};
  }
  friend KOKKOS_FUNCTION constexpr Dual operator/(const Dual& a, const Dual& b) {
    const T q = a.value / b.value;
    return {q, (a.slope - q * b.slope) / b.value};
  }
  friend KOKKOS_FUNCTION constexpr Dual operator-(const Dual& a) { return {-a.value, -a.slope}; }
  friend KOKKOS_FUNCTION constexpr Dual operator+(const Dual& a) { return a; }
  friend KOKKOS_FUNCTION constexpr bool operator<(const Dual& a, const Dual& b) {
    return a.value < b.value;
  }
  friend KOKKOS_FUNCTION constexpr bool operator>(const Dual& a, const Dual& b) { return b < a; }
  friend KOKKOS_FUNCTION constexpr bool operator<=(const Dual& a, const Dual& b) {
    return a.value <= b.value;
  }
  friend KOKKOS_FUNCTION constexpr bool operator>=(const Dual& a, const Dual& b) { return b <= a; }
  friend KOKKOS_FUNCTION constexpr bool operator==(const Dual& a, const Dual& b) {
    return a.value == b.value;
  }
};

using FirstDual = Dual<double>;
using SecondDual = Dual<Dual<double>>;

/// The double within.
KOKKOS_FUNCTION constexpr double value_of(double a) {
  return a;
}
template <class T>
KOKKOS_FUNCTION constexpr double value_of(const Dual<T>& a) {
  return value_of(a.value);
}

namespace detail::math {
using Kokkos::abs, Kokkos::acos, Kokkos::asin, Kokkos::atan, Kokkos::cos, Kokkos::cosh, Kokkos::exp,
    Kokkos::log, Kokkos::log10, Kokkos::pow, Kokkos::sin, Kokkos::sinh, Kokkos::sqrt, Kokkos::tan,
    Kokkos::tanh;
}  // namespace detail::math

template <class T>
KOKKOS_FUNCTION Dual<T> sin(const Dual<T>& a) {
  using namespace detail::math;
  return {sin(a.value), cos(a.value) * a.slope};
}
template <class T>
KOKKOS_FUNCTION Dual<T> cos(const Dual<T>& a) {
  using namespace detail::math;
  return {cos(a.value), -sin(a.value) * a.slope};
}
template <class T>
KOKKOS_FUNCTION Dual<T> tan(const Dual<T>& a) {
  using namespace detail::math;
  const T t = tan(a.value);
  return {t, (1.0 + t * t) * a.slope};
}
template <class T>
KOKKOS_FUNCTION Dual<T> asin(const Dual<T>& a) {
  using namespace detail::math;
  return {asin(a.value), a.slope / sqrt(1.0 - a.value * a.value)};
}
template <class T>
KOKKOS_FUNCTION Dual<T> acos(const Dual<T>& a) {
  using namespace detail::math;
  return {acos(a.value), -a.slope / sqrt(1.0 - a.value * a.value)};
}
template <class T>
KOKKOS_FUNCTION Dual<T> atan(const Dual<T>& a) {
  using namespace detail::math;
  return {atan(a.value), a.slope / (1.0 + a.value * a.value)};
}
template <class T>
KOKKOS_FUNCTION Dual<T> sinh(const Dual<T>& a) {
  using namespace detail::math;
  return {sinh(a.value), cosh(a.value) * a.slope};
}
template <class T>
KOKKOS_FUNCTION Dual<T> cosh(const Dual<T>& a) {
  using namespace detail::math;
  return {cosh(a.value), sinh(a.value) * a.slope};
}
template <class T>
KOKKOS_FUNCTION Dual<T> tanh(const Dual<T>& a) {
  using namespace detail::math;
  const T t = tanh(a.value);
  return {t, (1.0 - t * t) * a.slope};
}
template <class T>
KOKKOS_FUNCTION Dual<T> exp(const Dual<T>& a) {
  using namespace detail::math;
  const T e = exp(a.value);
  return {e, e * a.slope};
}
template <class T>
KOKKOS_FUNCTION Dual<T> log(const Dual<T>& a) {
  using namespace detail::math;
  return {log(a.value), a.slope / a.value};
}
template <class T>
KOKKOS_FUNCTION Dual<T> log10(const Dual<T>& a) {
  using namespace detail::math;
  constexpr double log10_e = 0.43429448190325182765;
  return {log10(a.value), log10_e * a.slope / a.value};
}
template <class T>
KOKKOS_FUNCTION Dual<T> sqrt(const Dual<T>& a) {
  using namespace detail::math;
  const T s = sqrt(a.value);
  return {s, 0.5 * a.slope / s};
}
template <class T>
KOKKOS_FUNCTION Dual<T> abs(const Dual<T>& a) {
  using namespace detail::math;
  const double x = value_of(a);
  const double sign = x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : 0.0 * x;
  return {abs(a.value), sign * a.slope};
}
/// A constant exponent, whole ones for any base.
template <class T>
KOKKOS_FUNCTION Dual<T> pow(const Dual<T>& a, double p) {
  using namespace detail::math;
  if (p == 0.0) return {T(1.0), T(0.0)};
  if (p == 1.0) return a;
  if (p == 2.0) return a * a;
  return {pow(a.value, p), p * pow(a.value, p - 1.0) * a.slope};
}
template <class T>
KOKKOS_FUNCTION Dual<T> pow(const Dual<T>& a, int p) {
  using namespace detail::math;
  return pow(a, static_cast<double>(p));
}
/// A positive base.
template <class T>
KOKKOS_FUNCTION Dual<T> pow(const Dual<T>& a, const Dual<T>& p) {
  using namespace detail::math;
  return exp(p * log(a));
}
template <class T>
KOKKOS_FUNCTION Dual<T> pow(double a, const Dual<T>& p) {
  using namespace detail::math;
  return exp(p * Kokkos::log(a));
}
template <class T>
KOKKOS_FUNCTION Dual<T> min(const Dual<T>& a, const Dual<T>& b) {
  return b < a ? b : a;
}
template <class T>
KOKKOS_FUNCTION Dual<T> max(const Dual<T>& a, const Dual<T>& b) {
  return a < b ? b : a;
}

}  // namespace libsolve
