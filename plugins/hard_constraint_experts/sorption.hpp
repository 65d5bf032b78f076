#pragma once

#include <cmath>
#include <libsolve/core/types.hpp>

namespace hard_constraint_experts {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// A solute in a porous medium that sorbs by Freundlich's isotherm. Lengths and times are the
/// caller's, concentrations parts of that at the inlet. Mass in a unit of pore space, with K = (1 -
/// porosity) / porosity density freundlich:
///   M(u) = u + K (u + floor)^exponent,  R = M',  for u >= 0,
/// and with R(0) below 0, so that Newton's method may pass there.
struct Sorption {
  double diffusivity = 5e-4;  ///< D
  double porosity = 0.29;
  double density = 2880.0;
  double freundlich = 3.5e-4;
  double exponent = 0.874;
  double floor = 1e-6;

  double capacity() const { return (1.0 - porosity) / porosity * density * freundlich; }
  double mass(double u) const {
    const double v = u > 0.0 ? u : 0.0, below = u - v;
    return v + capacity() * std::pow(v + floor, exponent) +
           (below < 0.0 ? below * retardation(0.0) : 0.0);
  }
  /// R(u), at least 1.
  double retardation(double u) const {
    return 1.0 + capacity() * exponent * std::pow((u > 0.0 ? u : 0.0) + floor, exponent - 1.0);
  }
  /// R'(u).
  double retardation_slope(double u) const {
    if (!(u > 0.0)) return 0.0;
    return capacity() * exponent * (exponent - 1.0) * std::pow(u + floor, exponent - 2.0);
  }
};

}  // namespace hard_constraint_experts
