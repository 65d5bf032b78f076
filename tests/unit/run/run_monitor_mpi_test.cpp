#include <gtest/gtest.h>

#include <libsolve/run/run_monitor.hpp>
#include <thread>

namespace libsolve {
namespace {

/// Only one rank is told to stop; both stop, at the same iteration.
TEST(RunMonitorOnRanks, AllRanksStopAtTheSameIteration) {
  const Communicator world = Communicator::world();
  std::atomic<int> flag = 0;
  RunMonitor monitor({.comm = world, .stop_flag = &flag});
  std::int64_t iteration = 0;
  for (; iteration < 1000000; ++iteration) {
    if (world.rank() == 1 && iteration == 7) flag = 10;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (monitor.observe(iteration, {}) == Verdict::interrupted) break;
  }
  EXPECT_GE(iteration, 7);
  EXPECT_LT(iteration, 2000);
  EXPECT_EQ(world.max(static_cast<double>(iteration)), static_cast<double>(iteration));
}

}  // namespace
}  // namespace libsolve
