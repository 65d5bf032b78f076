#pragma once

#include <libsolve/linear/stencil_operator.hpp>

#include "geometry.hpp"

namespace poisson {

/// One coefficient for the whole grid.
libsolve::StencilOperator::Constant constant_stencil(const Geometry& g, double k, double reaction);

/// Harmonic means of the two cells' coefficients on faces; walls and solids go into the excess.
/// Solid cells get the row e = sum over axes of 2 scale(axis) `solid_value`.
libsolve::StencilOperator::Variable variable_stencil(const Geometry& g, const VectorView& k,
                                                     const Solid& solid, bool solid_dirichlet,
                                                     bool vertex, double solid_value,
                                                     double reaction);

}  // namespace poisson
