#include <libsolve/plugin/loader.hpp>
#include <tests/support/transport_problems.hpp>

#include "sparse_transport_test_support.hpp"

namespace sparse_transport_test {
namespace {

/// `quadratic` with its default start, which is another plugin's.
class NewtonSteps : public ::testing::Test {
 protected:
  NewtonSteps() {
    load_plugins(registry_, {.files = {}, .path = "", .installed_folder = std::nullopt});
    context_.registry = &registry_;
  }
  /// Sizes and steps as the issue has them; the plan's sums are formed here.
  void expect_few(TransportProblem& problem, const std::string& what) {
    const Report report =
        context_.make<TransportSolver>(ComponentSpec("quadratic"))->solve(problem, Monitor::none());
    EXPECT_TRUE(report.converged()) << what << ": " << report.reason;
    EXPECT_LE(report.value("newton_steps"), 30.0) << what;
    EXPECT_EQ(report.value("newton_steps"), static_cast<double>(report.iterations)) << what;
    EXPECT_GT(report.value("passes"), report.value("newton_steps")) << what;
    const Numbers a = values_of(problem.a()), b = values_of(problem.b());
    Numbers rows(a.size(), 0.0), columns(b.size(), 0.0);
    const Matrix P = plan_of(problem);
    for (std::size_t i = 0; i < a.size(); ++i)
      for (std::size_t j = 0; j < b.size(); ++j) {
        rows[i] += P[i][j];
        columns[j] += P[i][j];
      }
    double violation = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) violation += std::abs(rows[i] - a[i]);
    for (std::size_t j = 0; j < b.size(); ++j) violation += std::abs(columns[j] - b[j]);
    EXPECT_LE(violation, 1.01e-10) << what;
  }
  Registry registry_;
  Context context_;
};

TEST_F(NewtonSteps, AreAtMostThirtyAtRealSizes) {
  for (const double eta : {1e-3, 1e-4}) {
    const std::string at = " at eta " + std::to_string(eta);
    expect_few(*test::random_assignment(1000, eta), "random" + at);
    expect_few(*test::random_clouds({.n = 1000, .m = 1000}, eta), "2D" + at);
    expect_few(*test::random_clouds({.n = 1000, .m = 1000, .dimension = 3}, eta), "3D" + at);
  }
  expect_few(*test::digit_images(28, PointNorm::euclidean, 1e-2), "drawings");
}

/// Interrupted from the first moment on: nobody goes on to work.
class Impatient final : public Monitor {
 public:
  Verdict observe(std::int64_t, std::span<const Sample>) override { return Verdict::interrupted; }
  Verdict poll() override {
    ++polls;
    return Verdict::interrupted;
  }
  int polls = 0;
};

TEST_F(NewtonSteps, AStartEndsWithItsMethod) {
  const auto problem = test::random_assignment(300, 1e-3);
  for (const char* name : {"exact", "quadratic"}) {
    Impatient monitor;
    // Without the loaded plugins: the start is by sweeps, eight of them at least.
    const double all = make_method(name)->solve(*problem, Monitor::none()).value("passes");
    const Report report = make_method(name)->solve(*problem, monitor);
    EXPECT_EQ(report.status, Status::interrupted) << name;
    EXPECT_GT(monitor.polls, 0) << name;
    EXPECT_LE(report.value("passes"), all - 5.0) << name;
  }
}

}  // namespace
}  // namespace sparse_transport_test
