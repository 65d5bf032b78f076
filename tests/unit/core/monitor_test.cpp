#include <gtest/gtest.h>

#include <libsolve/core/monitor.hpp>

namespace {

using namespace libsolve;

TEST(Verdict, HasTheStatusOfAMethodThatStops) {
  EXPECT_EQ(libsolve::status_of(libsolve::Verdict::time_limit), libsolve::Status::time_limit);
  EXPECT_EQ(libsolve::status_of(libsolve::Verdict::interrupted), libsolve::Status::interrupted);
}

TEST(Monitor, NoneNeverStops) {
  const Sample samples[] = {{"residual_norm", 1.0}};
  for (std::int64_t i = 0; i < 3; ++i)
    EXPECT_EQ(Monitor::none().observe(i, samples), Verdict::proceed);
  Monitor::none().begin_phase("solve");
  EXPECT_EQ(&Monitor::none(), &Monitor::none());
}

/// Says stop when it is polled for the third time.
class StopsAtThirdPoll final : public Monitor {
 public:
  Verdict observe(std::int64_t, std::span<const Sample>) override {
    ++observed;
    return Verdict::proceed;
  }
  Verdict poll() override { return ++polls >= 3 ? Verdict::time_limit : Verdict::proceed; }
  int observed = 0;
  int polls = 0;
};

TEST(InnerMonitor, PassesOnTheStopAndKeepsTheIterations) {
  StopsAtThirdPoll outer;
  InnerMonitor inner(outer);
  EXPECT_FALSE(inner.wants_text());
  EXPECT_EQ(inner.observe(0, {}), Verdict::proceed);
  EXPECT_EQ(inner.observe(1, {}), Verdict::proceed);
  EXPECT_EQ(inner.observe(2, {}), Verdict::time_limit);
  EXPECT_EQ(inner.poll(), Verdict::time_limit);
  EXPECT_EQ(outer.polls, 3) << "not asked again after it said stop";
  EXPECT_EQ(outer.observed, 0);
}

}  // namespace
