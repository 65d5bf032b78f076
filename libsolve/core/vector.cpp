#include <algorithm>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/large_array.hpp>
#include <libsolve/core/vector.hpp>

namespace libsolve {

namespace {

/// Entries up to which starting the threads costs more than writing zeros.
constexpr std::size_t small = 4096;

VectorView zeros(const std::string& label, std::size_t n) {
  if constexpr (runs_on_host<ExecSpace>) {
    if (n <= small) {
      const VectorView v = bare_array<double>(label, n);
      std::fill_n(v.data(), n, 0.0);
      return v;
    }
  }
  return zero_array<double>(label, n);
}

}  // namespace

Vector::Vector(const std::string& label, Partition partition)
    : view_(zeros(label, static_cast<size_t>(partition.local_size()))),
      partition_(std::move(partition)) {}

Vector::Vector(VectorView local, Partition partition)
    : view_(std::move(local)), partition_(std::move(partition)) {
  if (view_.extent(0) != static_cast<size_t>(partition_.local_size()))
    throw ShapeError("a view of " + std::to_string(view_.extent(0)) +
                     " entries cannot hold a rank's share of " +
                     std::to_string(partition_.local_size()) + " rows");
}

}  // namespace libsolve
