/// \file
/// Arithmetic of intervals, rounded outwards. Every result holds the values of the operation at all
/// points of its operands where it is defined; an interval with low > high is empty: the operation
/// is defined nowhere. Ends may be infinite, and 0 times infinity is 0.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <libsolve/bilevel/value_range.hpp>
#include <limits>
#include <numbers>

namespace libsolve::detail {

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr Interval everything = {-infinity, infinity};
inline constexpr Interval nothing = {infinity, -infinity};

inline bool is_empty(const Interval& a) {
  return !(a.low <= a.high);
}
inline bool contains_zero(const Interval& a) {
  return a.low <= 0.0 && a.high >= 0.0;
}
inline double width(const Interval& a) {
  return a.high - a.low;
}

/// The next double above; NaN becomes infinity.
inline double up(double v) {
  if (!(v < infinity)) return infinity;
  if (v == 0.0) return std::numeric_limits<double>::denorm_min();
  const auto bits = std::bit_cast<std::int64_t>(v);
  return std::bit_cast<double>(v > 0.0 ? bits + 1 : bits - 1);
}
inline double down(double v) {
  return -up(-v);
}
/// Functions of the C library, whose results may be off by a few units in the last place.
inline Interval widened(double low, double high) {
  constexpr double ulps = 4.0 * std::numeric_limits<double>::epsilon();
  constexpr double tiny = std::numeric_limits<double>::min();
  return {std::isfinite(low) ? down(low - ulps * std::abs(low) - tiny) : down(low),
          std::isfinite(high) ? up(high + ulps * std::abs(high) + tiny) : up(high)};
}
/// Within what the function can take as values.
inline Interval clipped(const Interval& a, double low, double high) {
  return {std::max(a.low, low), std::min(a.high, high)};
}

inline Interval operator-(const Interval& a) {
  return {-a.high, -a.low};
}
inline Interval operator+(const Interval& a, const Interval& b) {
  if (is_empty(a) || is_empty(b)) return nothing;
  const double low = a.low + b.low, high = a.high + b.high;  // 0 is exact
  return {low == 0.0 ? 0.0 : down(low), high == 0.0 ? 0.0 : up(high)};
}
inline Interval operator-(const Interval& a, const Interval& b) {
  return a + -b;
}

inline double product_of_ends(double a, double b) {
  return a == 0.0 || b == 0.0 ? 0.0 : a * b;
}
inline Interval operator*(const Interval& a, const Interval& b) {
  if (is_empty(a) || is_empty(b)) return nothing;
  if ((a.low == 0.0 && a.high == 0.0) || (b.low == 0.0 && b.high == 0.0)) return {0.0, 0.0};
  if (b.low == 1.0 && b.high == 1.0) return a;
  if (a.low == 1.0 && a.high == 1.0) return b;
  const double p = product_of_ends(a.low, b.low), q = product_of_ends(a.low, b.high);
  const double r = product_of_ends(a.high, b.low), s = product_of_ends(a.high, b.high);
  Interval product = {down(std::min(std::min(p, q), std::min(r, s))),
                      up(std::max(std::max(p, q), std::max(r, s)))};
  // Rounding leaves the signs that the operands prove.
  if ((a.low >= 0.0 && b.low >= 0.0) || (a.high <= 0.0 && b.high <= 0.0))
    product.low = std::max(product.low, 0.0);
  if ((a.low >= 0.0 && b.high <= 0.0) || (a.high <= 0.0 && b.low >= 0.0))
    product.high = std::min(product.high, 0.0);
  return product;
}
inline Interval reciprocal(const Interval& b) {
  if (is_empty(b)) return nothing;
  if (b.low > 0.0) return {std::max(0.0, down(1.0 / b.high)), up(1.0 / b.low)};
  if (b.high < 0.0) return {down(1.0 / b.high), std::min(0.0, up(1.0 / b.low))};
  if (b.low == 0.0 && b.high > 0.0) return {std::max(0.0, down(1.0 / b.high)), infinity};
  if (b.high == 0.0 && b.low < 0.0) return {-infinity, std::min(0.0, up(1.0 / b.low))};
  return everything;
}
inline Interval operator/(const Interval& a, const Interval& b) {
  if (is_empty(a) || is_empty(b)) return nothing;
  if (b.low > 0.0 || b.high < 0.0) {
    if (b.low == b.high) {  // by a number: one rounding
      const double p = a.low / b.low, q = a.high / b.low;
      return {down(std::min(p, q)), up(std::max(p, q))};
    }
  }
  return a * reciprocal(b);
}
inline Interval intersection(const Interval& a, const Interval& b) {
  return {std::max(a.low, b.low), std::min(a.high, b.high)};
}
inline Interval hull(const Interval& a, const Interval& b) {
  if (is_empty(a)) return b;
  if (is_empty(b)) return a;
  return {std::min(a.low, b.low), std::max(a.high, b.high)};
}

inline Interval square(const Interval& a) {
  if (is_empty(a)) return nothing;
  const double p = a.low * a.low, q = a.high * a.high;
  if (contains_zero(a)) return {0.0, up(std::max(p, q))};
  return {std::max(0.0, down(std::min(p, q))), up(std::max(p, q))};
}

inline bool is_whole(double p) {
  return std::abs(p) < 1e9 && p == std::floor(p);
}
inline bool is_even(double p) {
  return is_whole(p) && std::fmod(p, 2.0) == 0.0;
}

/// a^p; where p is not whole, of the a >= 0.
inline Interval power(const Interval& a, double p) {
  if (is_empty(a)) return nothing;
  if (p == 0.0) return {1.0, 1.0};
  if (p == 1.0) return a;
  if (p == 2.0) return square(a);
  if (p < 0.0) return reciprocal(power(a, -p));
  if (is_even(p)) {
    const double p_low = std::pow(a.low, p), p_high = std::pow(a.high, p);
    const double least = contains_zero(a) ? 0.0 : std::min(p_low, p_high);
    return clipped(widened(least, std::max(p_low, p_high)), 0.0, infinity);
  }
  if (is_whole(p)) return widened(std::pow(a.low, p), std::pow(a.high, p));
  if (a.high < 0.0) return nothing;
  return clipped(widened(std::pow(std::max(a.low, 0.0), p), std::pow(a.high, p)), 0.0, infinity);
}

inline Interval exp(const Interval& a) {
  if (is_empty(a)) return nothing;
  return clipped(widened(std::exp(a.low), std::exp(a.high)), 0.0, infinity);
}
inline Interval log(const Interval& a) {
  if (is_empty(a) || a.high < 0.0) return nothing;
  return widened(std::log(std::max(a.low, 0.0)), std::log(a.high));
}
inline Interval sqrt(const Interval& a) {
  if (is_empty(a) || a.high < 0.0) return nothing;
  return clipped(widened(std::sqrt(std::max(a.low, 0.0)), std::sqrt(a.high)), 0.0, infinity);
}
inline Interval abs(const Interval& a) {
  if (is_empty(a)) return nothing;
  const double p = std::abs(a.low), q = std::abs(a.high);
  return {contains_zero(a) ? 0.0 : std::min(p, q), std::max(p, q)};
}

/// Whether a holds a point phase + k period, or nearly so.
inline bool meets(const Interval& a, double phase, double period) {
  constexpr double largest = 1e6;  // beyond it the remainder is too uncertain
  if (!(std::abs(a.low) <= largest && std::abs(a.high) <= largest)) return true;
  constexpr double slack = 1e-9;
  return std::floor((a.high - phase) / period + slack) >=
         std::ceil((a.low - phase) / period - slack);
}
inline Interval cos(const Interval& a) {
  if (is_empty(a)) return nothing;
  if (!std::isfinite(a.low) || !std::isfinite(a.high)) return {-1.0, 1.0};
  constexpr double pi = std::numbers::pi;
  const double p = std::cos(a.low), q = std::cos(a.high);
  return clipped(widened(meets(a, pi, 2.0 * pi) ? -1.0 : std::min(p, q),
                         meets(a, 0.0, 2.0 * pi) ? 1.0 : std::max(p, q)),
                 -1.0, 1.0);
}
inline Interval sin(const Interval& a) {
  if (is_empty(a)) return nothing;
  if (!std::isfinite(a.low) || !std::isfinite(a.high)) return {-1.0, 1.0};
  constexpr double pi = std::numbers::pi;
  const double p = std::sin(a.low), q = std::sin(a.high);
  return clipped(widened(meets(a, -0.5 * pi, 2.0 * pi) ? -1.0 : std::min(p, q),
                         meets(a, 0.5 * pi, 2.0 * pi) ? 1.0 : std::max(p, q)),
                 -1.0, 1.0);
}
inline Interval tan(const Interval& a) {
  if (is_empty(a)) return nothing;
  if (meets(a, 0.5 * std::numbers::pi, std::numbers::pi)) return everything;
  return widened(std::tan(a.low), std::tan(a.high));
}
inline Interval asin(const Interval& a) {
  const Interval c = clipped(a, -1.0, 1.0);
  return is_empty(c) ? nothing : widened(std::asin(c.low), std::asin(c.high));
}
inline Interval acos(const Interval& a) {
  const Interval c = clipped(a, -1.0, 1.0);
  return is_empty(c) ? nothing : widened(std::acos(c.high), std::acos(c.low));
}
inline Interval atan(const Interval& a) {
  return is_empty(a) ? nothing : widened(std::atan(a.low), std::atan(a.high));
}
inline Interval sinh(const Interval& a) {
  return is_empty(a) ? nothing : widened(std::sinh(a.low), std::sinh(a.high));
}
inline Interval cosh(const Interval& a) {
  if (is_empty(a)) return nothing;
  const Interval c = abs(a);
  return clipped(widened(std::cosh(c.low), std::cosh(c.high)), 1.0, infinity);
}
inline Interval tanh(const Interval& a) {
  return is_empty(a) ? nothing : clipped(widened(std::tanh(a.low), std::tanh(a.high)), -1.0, 1.0);
}

}  // namespace libsolve::detail
