#include <libsolve/core/errors.hpp>
#include <libsolve/core/large_array.hpp>
#include <libsolve/core/vector.hpp>

namespace libsolve {

Vector::Vector(const std::string& label, Partition partition)
    : view_(zero_array<double>(label, static_cast<size_t>(partition.local_size()))),
      partition_(std::move(partition)) {}

Vector::Vector(VectorView local, Partition partition)
    : view_(std::move(local)), partition_(std::move(partition)) {
  if (view_.extent(0) != static_cast<size_t>(partition_.local_size()))
    throw ShapeError("a view of " + std::to_string(view_.extent(0)) +
                     " entries cannot hold a rank's share of " +
                     std::to_string(partition_.local_size()) + " rows");
}

}  // namespace libsolve
