#pragma once

#include <array>
#include <libsolve/core/component.hpp>
#include <libsolve/linear/csr_matrix.hpp>
#include <memory>
#include <vector>

namespace libsolve {

/// Q with (Q y)_k = y(points[k]) by (bi- or tri-)linear interpolation between the centres of the cells
/// of a grid whose corner is the origin; where a point is closer to a wall than they are, the nearest
/// ones' value. One rank. ShapeError for fewer than 2 cells along an axis or points outside of the grid.
LIBSOLVE_EXPORT std::shared_ptr<CsrMatrix> point_interpolation(
    const Grid& grid, const std::vector<std::array<double, 3>>& points);

}  // namespace libsolve
