#include <gtest/gtest.h>
#include <mpi.h>

#include <array>
#include <libsolve/core/communicator.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/partition.hpp>
#include <libsolve/core/vector_kernels.hpp>

namespace {

using namespace libsolve;

/// Every rank r contributes numbers made from r; R is the number of ranks.
class CommunicatorMpi : public ::testing::Test {
 protected:
  const Communicator world = Communicator::world();
  const int rank = world.rank();
  const int R = world.size();
};

TEST_F(CommunicatorMpi, ReducesOverAllRanks) {
  EXPECT_GE(R, 2);
  EXPECT_EQ(world.sum(1.0 + rank), R * (R + 1) / 2.0);
  EXPECT_EQ(world.sum(std::int64_t{1} << 40), (std::int64_t{1} << 40) * R);
  EXPECT_EQ(world.max(static_cast<double>(rank)), R - 1.0);
  std::array<double, 2> values = {static_cast<double>(rank), -static_cast<double>(rank)};
  world.min(values);
  EXPECT_EQ(values, (std::array<double, 2>{0.0, 1.0 - R}));
  EXPECT_EQ(world.exclusive_scan(10), 10 * rank);
  EXPECT_TRUE(world.any(rank == R - 1));
  EXPECT_FALSE(world.any(false));
  world.barrier();
}

TEST_F(CommunicatorMpi, BroadcastsFromRankZero) {
  EXPECT_EQ(world.broadcast(rank == 0 ? std::string("the first") : std::string("x")), "the first");
  EXPECT_EQ(world.broadcast(rank == 0 ? std::string() : std::string("x")), "");
  std::array<std::int64_t, 2> values = {rank + 5, rank + 6};
  world.broadcast(values);
  EXPECT_EQ(values, (std::array<std::int64_t, 2>{5, 6}));
}

TEST_F(CommunicatorMpi, WrapsTheCallersCommunicator) {
  MPI_Comm half = MPI_COMM_NULL;
  MPI_Comm_split(MPI_COMM_WORLD, rank, 0, &half);
  const Communicator one = Communicator::from_mpi(&half);
  EXPECT_EQ(one.size(), 1);
  EXPECT_EQ(one.sum(3.0), 3.0);
  MPI_Comm_free(&half);
}

TEST_F(CommunicatorMpi, PartitionsAreContiguousInRankOrder) {
  const Partition p(world, rank == 0 ? 3 : 0);  // a rank may have nothing
  EXPECT_EQ(p.global_size(), 3);
  EXPECT_EQ(p.first_row(), rank == 0 ? 0 : 3);
  EXPECT_EQ(p.local_size(), rank == 0 ? 3 : 0);
}

/// Two shares of 2^31 - 1 rows: the sums need more than 32 bits. Only sizes, no memory.
TEST_F(CommunicatorMpi, GlobalSizesPass32Bits) {
  const GlobalIndex share = 2147483647;
  const Partition p(world, share);
  EXPECT_EQ(p.global_size(), share * R);
  EXPECT_EQ(p.first_row(), share * rank);
  EXPECT_EQ(p.local_size(), share);
}

TEST_F(CommunicatorMpi, VectorKernelsGiveGlobalValues) {
  const Vector x("x", Partition(world, 10 + rank));
  fill(x, 2.0);
  EXPECT_EQ(dot(x, x), 4.0 * (10 * R + R * (R - 1) / 2));
  if (rank == 1) fill(x, -5.0);
  EXPECT_EQ(norm_max(x), 5.0);
}

}  // namespace
