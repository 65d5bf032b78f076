/// \file
/// Views of the size of a grid.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace multigrid {

/// Zero-filled, on the host in large pages where the system grants them: the first touch of a small
/// page costs as much as several sweeps over it.
template <class Real, class Space>
Kokkos::View<Real*, Space> large_zeros(const char* label, std::size_t n) {
  Kokkos::View<Real*, Space> v(Kokkos::view_alloc(std::string(label), Kokkos::WithoutInitializing),
                               n);
#ifdef __linux__
  if constexpr (Kokkos::SpaceAccessibility<Kokkos::HostSpace, Space>::accessible) {
    constexpr std::uintptr_t page = std::uintptr_t(1) << 21;
    const auto begin = (reinterpret_cast<std::uintptr_t>(v.data()) + page - 1) & ~(page - 1);
    const auto end = reinterpret_cast<std::uintptr_t>(v.data() + n) & ~(page - 1);
    if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
  }
#endif
  Kokkos::deep_copy(v, Real(0));
  return v;
}

/// Planes a power of two apart would compete for the same lines of the cache (1 MiB, 8 ways: 128
/// KiB apart); this pads a plane of n numbers so that any seven of them are spread.
inline std::ptrdiff_t plane_stride(std::ptrdiff_t n, std::size_t size) {
  constexpr std::ptrdiff_t way = 1 << 17;
  constexpr std::ptrdiff_t spread = way / 7 / 256 * 256;
  const std::ptrdiff_t bytes = n * std::ptrdiff_t(size);
  if (bytes < spread) return n;
  for (std::ptrdiff_t pad = 0;; pad += 256) {
    const std::ptrdiff_t at = (bytes + pad) % way;
    for (int q = 1; q < 7; ++q)
      if (std::abs(at - q * way / 7) <= 512) return (bytes + pad) / std::ptrdiff_t(size);
  }
}

}  // namespace multigrid
