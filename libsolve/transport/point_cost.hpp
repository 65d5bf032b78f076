#pragma once

#include <libsolve/transport/transport_cost.hpp>

namespace libsolve {

enum class PointNorm { euclidean, manhattan };

/// C_ij = |x_i - y_j|^p * scale, never stored.
struct PointCostOptions {
  PointNorm norm = PointNorm::euclidean;
  double power = 2.0;  ///< p > 0; for the Manhattan norm 1
  double scale = 1.0;  ///< 1 / max |x - y|^p makes the largest cost 1
};

/// Points: x of this rank (rows.local_size() x d), y all of them (m x d), same units. Throws
/// ShapeError where dimensions differ, DataError where a coordinate is not finite, InputError for
/// options without sense, on all ranks of `rows` where on one: collective. Both clouds are moved to the mean of y. O((n + m) d) memory.
LIBSOLVE_EXPORT std::shared_ptr<const TransportCost> make_point_cost(
    const DenseBlock& x, const DenseBlock& y, const PointCostOptions& options, const Partition& rows);
inline std::shared_ptr<const TransportCost> make_point_cost(const DenseBlock& x, const DenseBlock& y,
                                                            const PointCostOptions& options = {}) {
  return make_point_cost(x, y, options, Partition(static_cast<GlobalIndex>(x.extent(0))));
}

}  // namespace libsolve
