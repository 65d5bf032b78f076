#include <gtest/gtest.h>

#include <array>
#include <libsolve/core/communicator.hpp>
#include <libsolve/core/config.hpp>
#include <libsolve/core/errors.hpp>

namespace {

using libsolve::Communicator;

TEST(Communicator, OnOneRankReductionsChangeNothing) {
  const Communicator self;
  EXPECT_EQ(self.rank(), 0);
  EXPECT_EQ(self.size(), 1);
  EXPECT_EQ(self.sum(2.5), 2.5);
  EXPECT_EQ(self.sum(std::int64_t{7}), 7);
  EXPECT_EQ(self.max(-1.0), -1.0);
  EXPECT_EQ(self.exclusive_scan(5), 0);
  EXPECT_TRUE(self.any(true));
  EXPECT_FALSE(self.any(false));
  EXPECT_EQ(self.broadcast(std::string("text")), "text");
  std::array<double, 2> values = {1.0, 2.0};
  self.sum(values);
  self.max(values);
  self.min(values);
  EXPECT_EQ(values, (std::array<double, 2>{1.0, 2.0}));
  self.barrier();
}

TEST(Communicator, WorldIsThatOfTheJob) {
  const Communicator world = Communicator::world();
  EXPECT_GE(world.size(), 1);
  EXPECT_EQ(world.mpi_comm() != nullptr, LIBSOLVE_HAVE_MPI != 0);
}

#if !LIBSOLVE_HAVE_MPI
TEST(Communicator, WithoutMpiACommunicatorOfItIsRefused) {
  int dummy = 0;
  EXPECT_THROW(Communicator::from_mpi(&dummy), libsolve::Unsupported);
}
#endif

}  // namespace
