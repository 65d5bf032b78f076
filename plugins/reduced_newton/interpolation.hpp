#pragma once

#include <libsolve/core/component.hpp>

namespace reduced_newton {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// fine = factor * (bi- or tri-)linear interpolation of cell values from a grid with half the cells,
/// constant beyond the outermost centres; several functions one after the other.
void interpolate(const Grid& fine_grid, int functions, double factor, const Vector& coarse,
                 const Vector& fine);

}  // namespace reduced_newton
