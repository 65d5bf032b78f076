/// \file
/// Arrays of the size of a grid, and lists of indices.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <libsolve/core/large_array.hpp>
#include <vector>

#include "level.hpp"

namespace multigrid {

inline Kokkos::View<int*, MemSpace> index_view(const std::vector<int>& v) {
  const Kokkos::View<const int*, Kokkos::HostSpace, Kokkos::MemoryUnmanaged> host(v.data(),
                                                                                  v.size());
  Kokkos::View<int*, MemSpace> out(
      Kokkos::view_alloc("multigrid::indices", Kokkos::WithoutInitializing), v.size());
  Kokkos::deep_copy(out, host);
  return out;
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
