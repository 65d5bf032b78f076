#include <libsolve/core/errors.hpp>
#include <libsolve/core/partition.hpp>
#include <limits>
#include <string>

namespace libsolve {

namespace {
Index narrow(GlobalIndex size) {
  if (size < 0 || size > std::numeric_limits<Index>::max())
    throw ShapeError("a rank's share of " + std::to_string(size) + " rows does not fit 0 to " +
                     std::to_string(std::numeric_limits<Index>::max()) +
                     "; run on more ranks or make the problem smaller");
  return static_cast<Index>(size);
}
}  // namespace

Partition::Partition(GlobalIndex global_size)
    : global_size_(global_size), local_size_(narrow(global_size)) {}

Partition::Partition(Communicator comm, GlobalIndex local_size)
    : comm_(std::move(comm)), local_size_(narrow(local_size)) {
  global_size_ = comm_.sum(std::int64_t{local_size});
  first_row_ = comm_.exclusive_scan(local_size);
}

}  // namespace libsolve
