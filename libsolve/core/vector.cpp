#include <cstdint>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector.hpp>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace libsolve {
namespace {

/// Zero-filled; on the host in large pages where the system grants them, since the first touch of
/// small pages costs a solver as much as several iterations.
VectorView zeros(const std::string& label, size_t n) {
  VectorView v(Kokkos::view_alloc(label, Kokkos::WithoutInitializing), n);
#ifdef __linux__
  if constexpr (Kokkos::SpaceAccessibility<Kokkos::HostSpace, MemSpace>::accessible) {
    constexpr std::uintptr_t page = std::uintptr_t{1} << 21;
    const auto begin = (reinterpret_cast<std::uintptr_t>(v.data()) + page - 1) & ~(page - 1);
    const auto end = reinterpret_cast<std::uintptr_t>(v.data() + n) & ~(page - 1);
    if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
  }
#endif
  Kokkos::deep_copy(v, 0.0);
  return v;
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
