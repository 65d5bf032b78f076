/// \file
/// Arrays of the size of the problem.
#pragma once

#include <cstddef>
#include <libsolve/core/export.hpp>
#include <libsolve/core/types.hpp>
#include <string>
#include <utility>

namespace libsolve {

namespace detail {

/// Bytes, a multiple of a cache line, by which the next array starts after the start of a page.
LIBSOLVE_EXPORT std::size_t next_array_offset() noexcept;
inline constexpr std::size_t largest_array_offset = 31 * 1600;
/// Asks the system to back [begin, begin + bytes) with large pages; a hint, for host memory.
LIBSOLVE_EXPORT void ask_for_large_pages(void* begin, std::size_t bytes) noexcept;

}  // namespace detail

/// An array of n entries, not initialised. On the host a large one comes in large pages where the
/// system grants them, since the first touch of small ones costs a solver as much as several
/// iterations, and starts at another place in its page than the arrays before it: entry i of all
/// arrays would otherwise compete for the same few lines of the caches, which costs a kernel with
/// six operands a quarter of its speed.
template <class T, class Space = MemSpace>
Kokkos::View<T*, Space> bare_array(const std::string& label, std::size_t n) {
  constexpr std::size_t large = std::size_t(1) << 18;
  const auto bare = Kokkos::view_alloc(label, Kokkos::WithoutInitializing);
  if constexpr (Kokkos::SpaceAccessibility<Kokkos::HostSpace, Space>::accessible) {
    if (n * sizeof(T) >= large) {
      const std::size_t offset = detail::next_array_offset() / sizeof(T);
      const Kokkos::View<T*, Space> whole(bare, n + detail::largest_array_offset / sizeof(T));
      detail::ask_for_large_pages(whole.data(), whole.span() * sizeof(T));
      return Kokkos::subview(whole, std::make_pair(offset, offset + n));
    }
  }
  return Kokkos::View<T*, Space>(bare, n);
}

/// The same, filled with zeros by the threads that will work on it.
template <class T, class Space = MemSpace>
Kokkos::View<T*, Space> zero_array(const std::string& label, std::size_t n) {
  const Kokkos::View<T*, Space> v = bare_array<T, Space>(label, n);
  Kokkos::deep_copy(v, T(0));
  return v;
}

}  // namespace libsolve
