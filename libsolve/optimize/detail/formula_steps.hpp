/// \file
/// One step of a formula: its value, its derivatives by the operands, and which of them vanish.
#pragma once

#include <cmath>
#include <libsolve/optimize/formula.hpp>
#include <numbers>

namespace libsolve::detail {

/// phi(a, b) with phi_a, phi_b, phi_aa, phi_ab, phi_bb.
struct FormulaStep {
  double value = 0.0;
  double a = 0.0, b = 0.0;
  double aa = 0.0, ab = 0.0, bb = 0.0;
};

inline FormulaStep power_step(double a, double b, bool by_exponent) {
  if (!by_exponent && b == 2.0) return {a * a, 2.0 * a, 0.0, 2.0};
  FormulaStep s;
  s.value = std::pow(a, b);
  // Factors that are 0 end the series, also where the power would be infinite at 0.
  s.a = b == 0.0 ? 0.0 : b * std::pow(a, b - 1.0);
  s.aa = b == 0.0 || b == 1.0 ? 0.0 : b * (b - 1.0) * std::pow(a, b - 2.0);
  if (!by_exponent) return s;
  const double log_a = std::log(a);
  s.b = s.value * log_a;
  s.ab = std::pow(a, b - 1.0) * (1.0 + b * log_a);
  s.bb = s.b * log_a;
  return s;
}

inline FormulaStep evaluate_step(const FormulaNode& n, double a, double b) {
  using Op = FormulaNode::Op;
  switch (n.op) {
    case Op::variable:
    case Op::constant:
      return {n.number};
    case Op::add:
      return {a + b, 1.0, 1.0};
    case Op::subtract:
      return {a - b, 1.0, -1.0};
    case Op::multiply:
      return {a * b, b, a, 0.0, 1.0, 0.0};
    case Op::divide: {
      const double q = a / b, r = 1.0 / b;
      return {q, r, -q * r, 0.0, -r * r, 2.0 * q * r * r};
    }
    case Op::negate:
      return {-a, -1.0};
    case Op::power:
      return power_step(a, b, true);
    case Op::power_constant:
      return power_step(a, n.number, false);
    case Op::sin:
      return {std::sin(a), std::cos(a), 0.0, -std::sin(a)};
    case Op::cos:
      return {std::cos(a), -std::sin(a), 0.0, -std::cos(a)};
    case Op::tan: {
      const double t = std::tan(a), d = 1.0 + t * t;
      return {t, d, 0.0, 2.0 * t * d};
    }
    case Op::asin: {
      const double d = 1.0 / std::sqrt(1.0 - a * a);
      return {std::asin(a), d, 0.0, a * d * d * d};
    }
    case Op::acos: {
      const double d = -1.0 / std::sqrt(1.0 - a * a);
      return {std::acos(a), d, 0.0, a * d * d * d};
    }
    case Op::atan: {
      const double d = 1.0 / (1.0 + a * a);
      return {std::atan(a), d, 0.0, -2.0 * a * d * d};
    }
    case Op::sinh:
      return {std::sinh(a), std::cosh(a), 0.0, std::sinh(a)};
    case Op::cosh:
      return {std::cosh(a), std::sinh(a), 0.0, std::cosh(a)};
    case Op::tanh: {
      const double t = std::tanh(a), d = 1.0 - t * t;
      return {t, d, 0.0, -2.0 * t * d};
    }
    case Op::exp: {
      const double e = std::exp(a);
      return {e, e, 0.0, e};
    }
    case Op::log:
      return {std::log(a), a >= 0.0 ? 1.0 / a : NAN, 0.0, -1.0 / (a * a)};
    case Op::log10: {
      const double c = std::numbers::log10e;
      return {std::log10(a), a >= 0.0 ? c / a : NAN, 0.0, -c / (a * a)};
    }
    case Op::sqrt: {
      const double s = std::sqrt(a);
      return {s, 0.5 / s, 0.0, -0.25 / (s * s * s)};
    }
    case Op::abs:
      return {std::abs(a), a > 0.0 ? 1.0 : a < 0.0 ? -1.0 : 0.0 * a};
    case Op::min:
    case Op::max: {
      const bool first = n.op == Op::min ? a <= b : a >= b;
      const bool undefined = std::isnan(a) || std::isnan(b);
      return {undefined ? NAN : first ? a : b, first ? 1.0 : 0.0, first ? 0.0 : 1.0};
    }
  }
  return {};
}

/// Second derivatives of the operation that are not 0 everywhere.
struct Curvature {
  bool aa = false, ab = false, bb = false;
};
inline Curvature curvature_of(FormulaNode::Op op) {
  using Op = FormulaNode::Op;
  switch (op) {
    case Op::variable:
    case Op::constant:
    case Op::add:
    case Op::subtract:
    case Op::negate:
    case Op::abs:
    case Op::min:
    case Op::max:
      return {};
    case Op::multiply:
      return {false, true, false};
    case Op::divide:
      return {false, true, true};
    case Op::power:
      return {true, true, true};
    default:
      return {true, false, false};
  }
}

}  // namespace libsolve::detail
