#pragma once

#include <libsolve/core/vector.hpp>
#include <libsolve/plugin/registry.hpp>
#include <string>

#include "geometry.hpp"

namespace poisson {

/// The smooth coefficient of README.md and its gradient along `axis`, at relative position xi.
struct SmoothCoefficient {
  double value = 1.0;
  double rate = 0.0;  ///< ln(10) decades / 2
  int dimension = 3;

  /// Exponent s(xi) = prod_a cos(2 pi xi_a + phase_a), and its derivative along axis b if b >= 0.
  KOKKOS_INLINE_FUNCTION double exponent(const double* xi, int b) const {
    double s = 1.0;
    for (int a = 0; a < dimension; ++a) {
      const double angle = two_pi * xi[a] + 0.5 * a;
      s *= a == b ? -two_pi * Kokkos::sin(angle) : Kokkos::cos(angle);
    }
    return s;
  }
  KOKKOS_INLINE_FUNCTION double operator()(const double* xi) const {
    return value * Kokkos::exp(rate * exponent(xi, -1));
  }
  /// dk / dxi_axis.
  KOKKOS_INLINE_FUNCTION double derivative(const double* xi, int axis) const {
    return (*this)(xi)*rate * exponent(xi, axis);
  }
  static constexpr double two_pi = 6.283185307179586476925286766559;
};

SmoothCoefficient make_smooth(const PoissonOptions& options);

// Vectors below are arrays over the box of `g`, on a rank of their own.

/// k for each cell.
libsolve::Vector make_coefficient(const PoissonOptions& options, const Geometry& g,
                                  const libsolve::Context& context);

/// f for each cell, without what walls add; options.right_hand_side other than "manufactured".
libsolve::Vector make_right_hand_side(const PoissonOptions& options, const Geometry& g,
                                      const libsolve::Context& context);

/// Solution u(xi) = prod_a sin(pi xi_a) + cos(xi_1 + 2 xi_2 + 3 xi_3) / 2, xi_a = x_a / length_a,
/// at the unknowns, and the right-hand side that it needs, walls included.
struct Manufactured {
  libsolve::Vector solution;
  libsolve::Vector right_hand_side;
};
Manufactured make_manufactured(const PoissonOptions& options, const Geometry& g);

libsolve::Vector make_initial_guess(const PoissonOptions& options, const Geometry& g,
                                    const libsolve::Context& context);

/// A dataset of the shape of the grid. Throws IoError, ShapeError; DataError naming the first cell
/// that is not finite.
libsolve::Vector read_field(const std::string& file, const std::string& dataset, const Geometry& g,
                            const libsolve::Context& context);

/// "cell (3, 0, 7)".
std::string cell_name(const Geometry& g, Index c);

}  // namespace poisson
