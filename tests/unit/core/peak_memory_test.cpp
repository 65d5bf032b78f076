#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <libsolve/core/peak_memory.hpp>
#include <vector>

namespace {

using namespace libsolve;

/// Pages count when they are touched, and stay counted after they are given back.
TEST(PeakMemory, CountsWhatWasTouched) {
  if (!std::filesystem::exists("/proc/self/clear_refs")) GTEST_SKIP() << "no /proc/self/clear_refs";
  constexpr std::size_t size = std::size_t{64} << 20;
  // Used before: its pages may not be taken for new.
  { const std::vector<char> earlier(size, 'a'); }
  const PeakMemory memory;
  EXPECT_LT(memory.bytes(), 0.1 * size);
  void* untouched = std::malloc(size);
  ASSERT_NE(untouched, nullptr);
  EXPECT_LT(memory.bytes(), 0.1 * size);
  std::free(untouched);
  {
    const std::vector<char> touched(size, 'b');
    ASSERT_EQ(touched[size / 2], 'b');
  }
  EXPECT_GT(memory.bytes(), 0.9 * size);
  EXPECT_LT(memory.bytes(), 1.5 * size);
}

}  // namespace
