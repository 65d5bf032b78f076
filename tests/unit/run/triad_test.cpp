#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/run/triad.hpp>

namespace libsolve {
namespace {

/// Passes take 3, 5, 7, ... seconds on this clock.
double slowing_clock() {
  static int calls = 0;
  const int call = calls++;
  return static_cast<double>(call * call + call);
}

TEST(Triad, CountsThreeDoublesAnElementInTheBestPass) {
  const Triad triad(1000, slowing_clock);
  // call 0 at 0 s, call 1 at 2 s; the next pass from 6 s to 12 s, and so on
  EXPECT_DOUBLE_EQ(triad.seconds_per_double(3), 2.0 / 3000.0);
  EXPECT_DOUBLE_EQ(triad.seconds_per_double(2), 14.0 / 3000.0);
}

TEST(Triad, IsMeasuredByTheWallClockUnlessAnotherIsGiven) {
  const double seconds = Triad(1 << 20).seconds_per_double(2);
  EXPECT_GT(seconds, 1e-12);  // 8 TB/s
  EXPECT_LT(seconds, 1e-6);   // 8 MB/s
}

}  // namespace
}  // namespace libsolve
