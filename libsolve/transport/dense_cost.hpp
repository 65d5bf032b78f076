#pragma once

#include <libsolve/transport/transport_cost.hpp>

namespace libsolve {

/// A stored cost: `rows` of this rank times all columns, copied into rows of whole registers.
/// Throws ShapeError where `C` has not rows.local_size() rows; DataError where an entry is
/// negative or not finite, naming it; on all ranks of `rows` where on one: collective.
LIBSOLVE_EXPORT std::shared_ptr<const TransportCost> make_dense_cost(
    const DenseBlock& C, const Partition& rows, const std::string& text = "cost matrix");
inline std::shared_ptr<const TransportCost> make_dense_cost(const DenseBlock& C) {
  return make_dense_cost(C, Partition(static_cast<GlobalIndex>(C.extent(0))));
}

}  // namespace libsolve
