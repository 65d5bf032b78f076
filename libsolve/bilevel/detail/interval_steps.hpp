/// \file
/// One step of a formula over intervals: its values and its derivatives by the operands.
#pragma once

#include <libsolve/bilevel/detail/interval_math.hpp>
#include <libsolve/optimize/formula.hpp>

namespace libsolve::detail {

struct IntervalStep {
  Interval value = {};
  Interval a = {0.0, 0.0}, b = {0.0, 0.0};  ///< derivatives by the operands
  bool is_cut = false;                      ///< not defined for all values of the operands
};

inline constexpr Interval one = {1.0, 1.0};

inline IntervalStep power_step(const Interval& a, double p) {
  // a^(p - 1) of whole p is defined wherever a^p is.
  return {power(a, p),
          Interval{p, p} * power(a, p - 1.0),
          {0.0, 0.0},
          (!is_whole(p) && a.low < 0.0) || (p < 0.0 && contains_zero(a))};
}

inline IntervalStep power_step(const Interval& a, const Interval& b) {
  if (b.low == b.high) {
    IntervalStep s = power_step(a, b.low);
    s.b = s.value * log(a);
    s.is_cut = s.is_cut || a.low <= 0.0;  // b's derivative needs a > 0
    return s;
  }
  const Interval base = clipped(a, 0.0, infinity);
  const Interval log_a = log(base), value = exp(b * log_a);
  return {value, b * exp((b - one) * log_a), value * log_a, a.low <= 0.0};
}

/// 1 / sqrt(1 - a^2)
inline Interval arc_slope(const Interval& a) {
  return reciprocal(sqrt(one - square(clipped(a, -1.0, 1.0))));
}

inline IntervalStep smallest_step(const Interval& a, const Interval& b, bool is_max) {
  if (is_empty(a) || is_empty(b)) return {nothing, everything, everything, true};
  const Interval either = {0.0, 1.0}, none = {0.0, 0.0};
  const bool a_below = a.high < b.low, b_below = b.high < a.low;
  const bool takes_a = is_max ? b_below : a_below, takes_b = is_max ? a_below : b_below;
  const Interval value = is_max ? Interval{std::max(a.low, b.low), std::max(a.high, b.high)}
                                : Interval{std::min(a.low, b.low), std::min(a.high, b.high)};
  return {value, takes_a ? one : takes_b ? none : either, takes_b ? one : takes_a ? none : either};
}

inline IntervalStep evaluate_step(const FormulaNode& n, const Interval& a, const Interval& b) {
  using Op = FormulaNode::Op;
  switch (n.op) {
    case Op::variable:
      break;
    case Op::constant:
      return {{n.number, n.number}};
    case Op::add:
      return {a + b, one, one};
    case Op::subtract:
      return {a - b, one, -one};
    case Op::multiply:
      return {a * b, b, a};
    case Op::divide: {
      const Interval q = a / b, r = reciprocal(b);
      return {q, r, -(q * r), contains_zero(b)};
    }
    case Op::negate:
      return {-a, -one};
    case Op::power:
      return power_step(a, b);
    case Op::power_constant:
      return power_step(a, n.number);
    case Op::sin:
      return {sin(a), cos(a)};
    case Op::cos:
      return {cos(a), -sin(a)};
    case Op::tan: {
      const Interval t = tan(a);
      return {t, one + square(t), {0.0, 0.0}, t.low == -infinity};
    }
    case Op::asin:
      return {asin(a), arc_slope(a), {0.0, 0.0}, a.low < -1.0 || a.high > 1.0};
    case Op::acos:
      return {acos(a), -arc_slope(a), {0.0, 0.0}, a.low < -1.0 || a.high > 1.0};
    case Op::atan:
      return {atan(a), reciprocal(one + square(a))};
    case Op::sinh:
      return {sinh(a), cosh(a)};
    case Op::cosh:
      return {cosh(a), sinh(a)};
    case Op::tanh: {
      const Interval t = tanh(a);
      return {t, clipped(one - square(t), 0.0, 1.0)};
    }
    case Op::exp: {
      const Interval e = exp(a);
      return {e, e};
    }
    case Op::log:
      return {log(a), reciprocal(clipped(a, 0.0, infinity)), {0.0, 0.0}, a.low <= 0.0};
    case Op::log10: {
      constexpr double c = std::numbers::log10e;
      const Interval factor = widened(c, c);
      return {log(a) * factor,
              factor * reciprocal(clipped(a, 0.0, infinity)),
              {0.0, 0.0},
              a.low <= 0.0};
    }
    case Op::sqrt: {
      const Interval s = sqrt(a);
      return {s, Interval{0.5, 0.5} * reciprocal(s), {0.0, 0.0}, a.low < 0.0};
    }
    case Op::abs:
      return {abs(a), a.low > 0.0 ? one : a.high < 0.0 ? -one : Interval{-1.0, 1.0}};
    case Op::min:
      return smallest_step(a, b, false);
    case Op::max:
      return smallest_step(a, b, true);
  }
  return {everything};
}

}  // namespace libsolve::detail
