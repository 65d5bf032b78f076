#include <gtest/gtest.h>

#include <libsolve/core/monitor.hpp>

namespace {

using namespace libsolve;

TEST(Monitor, NoneNeverStops) {
  const Sample samples[] = {{"residual_norm", 1.0}};
  for (std::int64_t i = 0; i < 3; ++i)
    EXPECT_EQ(Monitor::none().observe(i, samples), Verdict::proceed);
  Monitor::none().begin_phase("solve");
  EXPECT_EQ(&Monitor::none(), &Monitor::none());
}

}  // namespace
