#include <atomic>
#include <cstdint>
#include <libsolve/core/large_array.hpp>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace libsolve::detail {

std::size_t next_array_offset() noexcept {
  // 25 lines: any few arrays in a row are spread over the 64 sets of a first-level cache.
  static std::atomic<std::size_t> count{0};
  return count.fetch_add(1, std::memory_order_relaxed) % 32 * 1600;
}

void ask_for_large_pages(void* begin, std::size_t bytes) noexcept {
#ifdef __linux__
  constexpr std::uintptr_t page = std::uintptr_t{1} << 21;
  const auto first = (reinterpret_cast<std::uintptr_t>(begin) + page - 1) & ~(page - 1);
  const auto last = (reinterpret_cast<std::uintptr_t>(begin) + bytes) & ~(page - 1);
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
#else
  (void)begin, (void)bytes;
#endif
}

}  // namespace libsolve::detail
