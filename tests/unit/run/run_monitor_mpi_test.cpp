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

/// The same between observations.
TEST(RunMonitorOnRanks, AllRanksStopAtTheSamePoll) {
  const Communicator world = Communicator::world();
  std::atomic<int> flag = 0;
  RunMonitor monitor({.comm = world, .stop_flag = &flag});
  EXPECT_EQ(monitor.observe(0, {}), Verdict::proceed);
  std::int64_t polls = 0;
  for (; polls < 1000000; ++polls) {
    if (world.rank() == 0 && polls == 7) flag = 2;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (monitor.poll() == Verdict::interrupted) break;
  }
  EXPECT_GE(polls, 7);
  EXPECT_LT(polls, 2000);
  EXPECT_EQ(world.max(static_cast<double>(polls)), static_cast<double>(polls));
  EXPECT_EQ(monitor.poll(), Verdict::interrupted);
  EXPECT_EQ(monitor.history().iteration.size(), 1U);
}

}  // namespace
}  // namespace libsolve
