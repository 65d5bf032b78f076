#include <gtest/gtest.h>

#include <libsolve/core/errors.hpp>
#include <libsolve/core/partition.hpp>
#include <limits>

namespace {

using namespace libsolve;

TEST(Partition, OnOneRankHoldsAllRows) {
  const Partition p(GlobalIndex{17});
  EXPECT_EQ(p.global_size(), 17);
  EXPECT_EQ(p.first_row(), 0);
  EXPECT_EQ(p.local_size(), 17);
  EXPECT_EQ(p.communicator().size(), 1);
  EXPECT_EQ(Partition().global_size(), 0);
}

TEST(Partition, ARanksShareHasAtMost31Bits) {
  const GlobalIndex most = std::numeric_limits<Index>::max();
  EXPECT_EQ(Partition(most).local_size(), most);  // sizes only: nothing is allocated
  EXPECT_THROW(Partition(most + 1), ShapeError);
  EXPECT_THROW(Partition(GlobalIndex{-1}), ShapeError);
  EXPECT_THROW(Partition(Communicator(), most + 1), ShapeError);
  try {
    const Partition p(GlobalIndex{5'000'000'000});
    FAIL() << "no error";
  } catch (const ShapeError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("5000000000"), std::string::npos) << text;
    EXPECT_NE(text.find("more ranks"), std::string::npos) << text;
  }
}

TEST(Partition, EqualityIsOfSizes) {
  EXPECT_EQ(Partition(GlobalIndex{3}), Partition(Communicator(), 3));
  EXPECT_FALSE(Partition(GlobalIndex{3}) == Partition(GlobalIndex{4}));
}

}  // namespace
