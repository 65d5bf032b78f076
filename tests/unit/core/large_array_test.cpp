#include <gtest/gtest.h>

#include <cstdint>
#include <libsolve/core/large_array.hpp>
#include <set>
#include <vector>

namespace {

std::uintptr_t place(const void* data) {
  return reinterpret_cast<std::uintptr_t>(data) % 4096;
}

TEST(LargeArray, IsZeroFilledAndOfTheAskedLength) {
  for (const std::size_t n : {std::size_t(0), std::size_t(7), std::size_t(300'001)}) {
    const auto v = libsolve::zero_array<double>("test::v", n);
    ASSERT_EQ(v.extent(0), n);
    const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v);
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(host(i), 0.0);
  }
}

TEST(LargeArray, StartsWithALineOfTheCacheAtDifferentPlacesOfTheirPages) {
  if (!Kokkos::SpaceAccessibility<Kokkos::HostSpace, libsolve::MemSpace>::accessible)
    GTEST_SKIP() << "a device has other caches";
  std::set<std::uintptr_t> places;
  std::vector<Kokkos::View<float*, libsolve::MemSpace>> arrays;
  for (int q = 0; q < 8; ++q) {
    arrays.push_back(libsolve::bare_array<float>("test::v", 1 << 20));
    EXPECT_EQ(place(arrays.back().data()) % 64, 0u);
    places.insert(place(arrays.back().data()));
  }
  EXPECT_GE(places.size(), 7u);
}

TEST(LargeArray, OwnsItsMemory) {
  auto v = libsolve::zero_array<double>("test::v", 1 << 20);
  const auto copy = v;
  v = {};
  EXPECT_EQ(copy.use_count(), 1);
  Kokkos::deep_copy(copy, 1.0);
}

}  // namespace
