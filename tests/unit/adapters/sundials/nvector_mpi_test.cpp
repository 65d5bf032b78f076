// Two ranks with shares of different length: reductions go over both, local ones do not.
#include <gtest/gtest.h>

#include <libsolve/adapters/sundials/nvector.hpp>
#include <libsolve/core/vector_kernels.hpp>

namespace libsolve {
namespace {

struct Shares {
  Communicator world = Communicator::world();
  Partition partition{world, world.rank() == 0 ? 5 : 8};
  sun::Context context{world};
  Vector v{"v", partition};
  Vector w{"w", partition};
  sun::NVectorPointer x{sun::make_nvector(v, context)};
  sun::NVectorPointer y{sun::make_nvector(w, context)};
  double mine = static_cast<double>(world.rank() + 1);
  double n = static_cast<double>(partition.global_size());
  double local = static_cast<double>(partition.local_size());

  Shares() {
    fill(v, mine);  // 1 on rank 0, 2 on rank 1
    fill(w, 1.0);
  }
};

TEST(NVectorOverRanks, ReductionsSeeAllRanks) {
  const Shares s;
  ASSERT_EQ(s.world.size(), 2);
  EXPECT_EQ(N_VGetLength(s.x.get()), 13);
  EXPECT_EQ(N_VDotProd(s.x.get(), s.y.get()), 5.0 + 16.0);
  EXPECT_EQ(N_VMaxNorm(s.x.get()), 2.0);
  EXPECT_EQ(N_VMin(s.x.get()), 1.0);
  EXPECT_EQ(N_VL1Norm(s.x.get()), 21.0);
  EXPECT_NEAR(N_VWrmsNorm(s.x.get(), s.y.get()), std::sqrt((5.0 + 32.0) / 13.0), 1e-15);
  EXPECT_EQ(N_VMinQuotient(s.y.get(), s.x.get()), 0.5);
  sunrealtype dots[2];
  N_Vector ys[] = {s.x.get(), s.y.get()};
  ASSERT_EQ(N_VDotProdMulti(2, s.x.get(), ys, dots), 0);
  EXPECT_EQ(dots[0], 37.0);
  EXPECT_EQ(dots[1], 21.0);
}

TEST(NVectorOverRanks, OneRankDecidesATestForAll) {
  const Shares s;
  if (s.world.rank() == 1) fill(s.v, 0.0);
  EXPECT_FALSE(N_VInvTest(s.x.get(), s.y.get()));
  EXPECT_EQ(N_VInvTestLocal(s.x.get(), s.y.get()), s.world.rank() == 0 ? SUNTRUE : SUNFALSE);
}

TEST(NVectorOverRanks, LocalReductionsSeeOneRank) {
  const Shares s;
  EXPECT_EQ(N_VDotProdLocal(s.x.get(), s.y.get()), s.mine * s.local);
  EXPECT_EQ(N_VMaxNormLocal(s.x.get()), s.mine);
  EXPECT_EQ(N_VMinLocal(s.x.get()), s.mine);
  sunrealtype dots[1];
  N_Vector ys[] = {s.y.get()};
  ASSERT_EQ(N_VDotProdMultiLocal(1, s.x.get(), ys, dots), 0);
  EXPECT_EQ(dots[0], s.mine * s.local);
  ASSERT_EQ(N_VDotProdMultiAllReduce(1, s.x.get(), dots), 0);
  EXPECT_EQ(dots[0], 21.0);
}

}  // namespace
}  // namespace libsolve
