#include <tests/support/monitors.hpp>
#include <tests/support/stored_state.hpp>

#include "krylov_test_support.hpp"

namespace krylov_test {
namespace {

constexpr std::int64_t stop_at = 17;

std::unique_ptr<LinearSystem> fresh_system() {
  return test::consistent_system(test::random_spd(150, 300.0, 7), 8);
}

Value options_for(const std::string& preconditioner) {
  return preconditioner.empty() ? Value() : with_preconditioner(preconditioner);
}

/// Takes the state when asked to observe iteration `stop_at`, as a snapshot does.
class SnapshotMonitor final : public Monitor {
 public:
  SnapshotMonitor(const Resumable& method, const LinearSystem& system)
      : method_(method), system_(system) {}
  Verdict observe(std::int64_t iteration, std::span<const Sample>) override {
    if (iteration != stop_at) return Verdict::proceed;
    state.emplace(method_.state());
    x = test::to_host(system_.x());
    return Verdict::proceed;
  }
  std::optional<test::MemoryState> state;
  std::vector<double> x;

 private:
  const Resumable& method_;
  const LinearSystem& system_;
};

struct Case {
  const char* method;
  const char* preconditioner;
};

class Resume : public ::testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Krylov, Resume,
                         ::testing::Values(Case{"cg", ""}, Case{"cg", "diagonal"},
                                           Case{"flexible-cg", "diagonal"}),
                         [](const auto& info) {
                           return std::string(info.param.method == std::string("cg") ? "cg_"
                                                                                     : "flexible_") +
                                  (*info.param.preconditioner == 0 ? "alone" : "preconditioned");
                         });

/// Goes on in a new solver from `state` and `x`, and compares with a solve that never stopped.
void expect_same_digits(const Case& c, const test::MemoryState& state, const std::vector<double>& x) {
  auto whole = fresh_system();
  const Report straight =
      make(c.method, options_for(c.preconditioner))->solve(*whole, Monitor::none());
  ASSERT_TRUE(straight.converged()) << straight.reason;
  ASSERT_GT(straight.iterations, stop_at + 5);

  auto system = fresh_system();
  test::assign(system->x(), x);
  const auto solver = make(c.method, options_for(c.preconditioner));
  dynamic_cast<Resumable&>(*solver).restore(state, *system);
  test::RecordingMonitor monitor;
  const Report report = solver->solve(*system, monitor);
  EXPECT_EQ(report.status, straight.status) << report.reason;
  EXPECT_EQ(report.iterations, straight.iterations);
  EXPECT_EQ(monitor.iterations.front(), stop_at);
  EXPECT_EQ(test::to_host(system->x()), test::to_host(whole->x()));  // bit for bit
  EXPECT_TRUE(dynamic_cast<Resumable&>(*solver).state().empty());    // done: nothing to go on with
}

TEST_P(Resume, FromASnapshotToTheSameDigits) {
  auto system = fresh_system();
  const auto solver = make(GetParam().method, options_for(GetParam().preconditioner));
  SnapshotMonitor monitor(dynamic_cast<Resumable&>(*solver), *system);
  ASSERT_TRUE(solver->solve(*system, monitor).converged());
  ASSERT_TRUE(monitor.state);
  expect_same_digits(GetParam(), *monitor.state, monitor.x);
}

TEST_P(Resume, AfterATimeLimitToTheSameDigits) {
  auto system = fresh_system();
  const auto solver = make(GetParam().method, options_for(GetParam().preconditioner));
  test::RecordingMonitor monitor(stop_at, Verdict::time_limit);
  ASSERT_EQ(solver->solve(*system, monitor).status, Status::time_limit);
  const test::MemoryState state(dynamic_cast<Resumable&>(*solver).state());
  expect_same_digits(GetParam(), state, test::to_host(system->x()));
}

/// Stopped before the first step of its second life, it can still have a third.
TEST_P(Resume, StoppedTwiceToTheSameDigits) {
  auto system = fresh_system();
  const auto first = make(GetParam().method, options_for(GetParam().preconditioner));
  test::RecordingMonitor stop(stop_at, Verdict::interrupted), at_once(stop_at, Verdict::time_limit);
  ASSERT_EQ(first->solve(*system, stop).status, Status::interrupted);
  const auto second = make(GetParam().method, options_for(GetParam().preconditioner));
  dynamic_cast<Resumable&>(*second).restore(
      test::MemoryState(dynamic_cast<Resumable&>(*first).state()), *system);
  ASSERT_EQ(second->solve(*system, at_once).status, Status::time_limit);
  const test::MemoryState state(dynamic_cast<Resumable&>(*second).state());
  expect_same_digits(GetParam(), state, test::to_host(system->x()));
}

TEST_P(Resume, StatesThatDoNotFitAreRefused) {
  const auto solver = make(GetParam().method, options_for(GetParam().preconditioner));
  auto& resumable = dynamic_cast<Resumable&>(*solver);
  auto system = fresh_system();
  const auto numbers = [](std::vector<double> v) { return numbers_field("recurrence", v, ""); };
  EXPECT_THROW(resumable.restore(test::MemoryState({numbers({1.0, 2.0})}), *system), DataError);
  EXPECT_THROW(resumable.restore(test::MemoryState({numbers({1, 2, 3, 4, 5})}), *system), DataError);
  EXPECT_THROW(resumable.restore(test::MemoryState({numbers({1, 2, 3, 4, 5}),
                                                    numbers_field("r", {1.0, 2.0}, "")}),
                                 *system),
               ShapeError);
}

}  // namespace
}  // namespace krylov_test
