#pragma once

#include <array>
#include <libsolve/transport/point_cost.hpp>

namespace libsolve {

/// Two regular grids in the plane: `cells` points along each axis, the second axis fastest.
struct PlaneGrid {
  std::array<Index, 2> cells = {1, 1};
  std::array<double, 2> spacing = {1.0, 1.0};
  std::array<double, 2> origin = {0.0, 0.0};
  Index size() const { return cells[0] * cells[1]; }
};

/// A cost that is a sum over the axes, C_ij = c1(x_i1, y_j1) + c2(x_i2, y_j2): |x - y|_2^2
/// (power = 2) or |x - y|_1 (Manhattan norm), times `scale`. Its exponential is a product, so sums,
/// minima and scaling go axis by axis (Solomon et al. 2015, section 5, here by log-sum-exp, so that
/// small eps is no matter): n (m_1 + m_2) exps where the others take n m. One rank. InputError for
/// other norms.
LIBSOLVE_EXPORT std::shared_ptr<const TransportCost> make_grid_cost(
    const PlaneGrid& x, const PlaneGrid& y, const PointCostOptions& options);

}  // namespace libsolve
