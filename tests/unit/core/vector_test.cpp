#include <gtest/gtest.h>

#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector.hpp>
#include <tests/support/vectors.hpp>

namespace {

using namespace libsolve;
using test::to_host;

TEST(Vector, StartsAtZeroWithItsLabel) {
  const Vector v("family::v", Partition(GlobalIndex{5}));
  EXPECT_EQ(v.global_size(), 5);
  EXPECT_EQ(v.local_size(), 5);
  EXPECT_EQ(v.view().label(), "family::v");
  EXPECT_EQ(to_host(v), std::vector<double>(5, 0.0));
  EXPECT_EQ(Vector().global_size(), 0);
  EXPECT_EQ(Vector().data(), nullptr);
}

TEST(Vector, CopiesShareTheData) {
  const Vector v = test::to_vector({1.0, 2.0});
  const Vector w = v;
  Kokkos::deep_copy(w.view(), 7.0);
  EXPECT_EQ(to_host(v), (std::vector<double>{7.0, 7.0}));
  EXPECT_EQ(v.data(), w.data());
}

TEST(Vector, WrapsTheCallersView) {
  const VectorView view("caller", 3);
  const Vector v(view, Partition(GlobalIndex{3}));
  EXPECT_EQ(v.data(), view.data());
  EXPECT_THROW(Vector(view, Partition(GlobalIndex{4})), ShapeError);
}

TEST(Vector, LikeIsNewAndZero) {
  const Vector v = test::to_vector({1.0, 2.0});
  const Vector w = v.like("w");
  EXPECT_EQ(w.partition(), v.partition());
  EXPECT_NE(w.data(), v.data());
  EXPECT_EQ(to_host(w), (std::vector<double>{0.0, 0.0}));
}

TEST(Vector, MayBeEmpty) {
  const Vector v("empty", Partition(GlobalIndex{0}));
  EXPECT_EQ(v.local_size(), 0);
  EXPECT_TRUE(to_host(v).empty());
}

}  // namespace
