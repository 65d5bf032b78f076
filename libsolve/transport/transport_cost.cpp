#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/transport/transport_cost.hpp>

namespace libsolve {

TransportCost::TransportCost(Partition rows, Index num_columns)
    : rows_(std::move(rows)), num_columns_(num_columns) {
  if (rows_.global_size() < 1 || num_columns_ < 1)
    throw ShapeError("a transport cost of " + std::to_string(rows_.global_size()) + " rows and " +
                     std::to_string(num_columns_) + " columns; it needs at least one of each");
}

TransportCost::~TransportCost() = default;

double TransportCost::maximum() const {
  if (!maximum_) maximum_ = rows_.communicator().max(local_maximum());
  return *maximum_;
}

void TransportCost::refuse_several_ranks() const {
  if (rows_.communicator().size() > 1)
    throw Unsupported("the transposed cost was asked for on " +
                      std::to_string(rows_.communicator().size()) +
                      " ranks, where rows are spread and columns are not; use one rank, or a method "
                      "that runs over ranks ('sinkhorn')");
}

}  // namespace libsolve
