#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/run/run_monitor.hpp>
#include <thread>

namespace libsolve {
namespace {

void pause(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

TEST(RunMonitor, HistoryHasOneColumnForEachMeasure) {
  RunMonitor monitor({});
  const Sample first[] = {{"a", 1.0}};
  const Sample second[] = {{"b", 3.0}, {"a", 2.0}};
  EXPECT_EQ(monitor.observe(0, first), Verdict::proceed);
  EXPECT_EQ(monitor.observe(1, second), Verdict::proceed);
  EXPECT_EQ(monitor.observe(2, first), Verdict::proceed);
  const History& h = monitor.history();
  EXPECT_EQ(h.iteration, (std::vector<std::int64_t>{0, 1, 2}));
  EXPECT_EQ(h.names, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(h.columns[0], (std::vector<double>{1.0, 2.0, 1.0}));
  EXPECT_TRUE(std::isnan(h.columns[1][0]));
  EXPECT_EQ(h.columns[1][1], 3.0);
  EXPECT_TRUE(std::isnan(h.columns[1][2]));
  EXPECT_LE(h.seconds[0], h.seconds[2]);
}

TEST(RunMonitor, StopFlagInterrupts) {
  std::atomic<int> flag = 0;
  RunMonitor monitor({.stop_flag = &flag});
  EXPECT_EQ(monitor.observe(0, {}), Verdict::proceed);
  flag = 15;
  EXPECT_EQ(monitor.observe(1, {}), Verdict::interrupted);
  EXPECT_EQ(monitor.verdict(), Verdict::interrupted);
}

TEST(RunMonitor, TimeLimitCountsFromTheStartOfTheRun) {
  const auto start = RunMonitor::Clock::now();
  pause(0.02);
  RunMonitor early({.start = start, .time_limit_s = 10.0});
  EXPECT_EQ(early.observe(0, {}), Verdict::proceed);
  RunMonitor late({.start = start, .time_limit_s = 0.01});
  EXPECT_EQ(late.observe(0, {}), Verdict::time_limit);
}

/// Inside an iteration: the same stops, no rows, no snapshots.
TEST(RunMonitor, PollStopsWithoutAnIteration) {
  std::atomic<int> flag = 0;
  int snapshots = 0;
  RunMonitor monitor(
      {.stop_flag = &flag, .snapshot = [&] { ++snapshots; }, .snapshot_interval_s = 0.0});
  EXPECT_EQ(monitor.poll(), Verdict::proceed);
  flag = 2;
  EXPECT_EQ(monitor.poll(), Verdict::interrupted);
  EXPECT_EQ(monitor.verdict(), Verdict::interrupted);
  flag = 0;
  EXPECT_EQ(monitor.observe(0, {}), Verdict::interrupted) << "it keeps to what it said";
  EXPECT_EQ(monitor.history().iteration.size(), 1U);
  EXPECT_EQ(snapshots, 0);
  RunMonitor late({.start = RunMonitor::Clock::now(), .time_limit_s = 0.01});
  pause(0.02);
  EXPECT_EQ(late.poll(), Verdict::time_limit);
}

/// Each snapshot waits for its interval, and for twenty times what the last one took.
TEST(RunMonitor, SnapshotsComeAtTheirIntervalAndStayCheap) {
  int taken = 0;
  RunMonitor monitor({.snapshot =
                          [&] {
                            ++taken;
                            pause(0.01);
                          },
                      .snapshot_interval_s = 0.02});
  monitor.observe(0, {});
  EXPECT_EQ(taken, 0);
  pause(0.03);
  monitor.observe(1, {});
  EXPECT_EQ(taken, 1);
  pause(0.05);  // beyond the interval, within the share
  monitor.observe(2, {});
  EXPECT_EQ(taken, 1);
}

}  // namespace
}  // namespace libsolve
