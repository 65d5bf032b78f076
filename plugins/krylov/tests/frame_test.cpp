#include "krylov_solver.hpp"

#include <limits>

#include "krylov_test_support.hpp"

/// The frame around the recurrences: when it stops, and that it trusts only the true residual.
namespace krylov_test {
namespace {

TEST(Frame, EndsAnIterationForTheRightReason) {
  const auto A = test::random_spd(3, 2.0, 1);
  krylov::Solve s(*A, Monitor::none());
  s.b_norm = 1.0;
  s.tolerance = s.target = 1e-8;
  s.divergence_limit = 1e3;
  s.max_iterations = 5;
  EXPECT_FALSE(s.finish_iteration(0.5).has_value());
  EXPECT_EQ(s.iterations, 1);
  EXPECT_EQ(s.finish_iteration(1e-9)->status, Status::converged);
  const auto diverged = s.finish_iteration(2e3);
  EXPECT_EQ(diverged->status, Status::diverged);
  EXPECT_TRUE(contains(diverged->reason, "grew to 2.00e+03 at iteration 3")) << diverged->reason;
  const auto nan = s.finish_iteration(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(nan->status, Status::non_finite);
  EXPECT_TRUE(contains(nan->reason, "at iteration 4")) << nan->reason;
  EXPECT_EQ(s.finish_iteration(0.5)->status, Status::max_iterations);
  EXPECT_EQ(s.finish_iteration(0.0)->status, Status::converged) << "a solution at the limit is one";
}

/// Products rounded to single precision, residuals exact: what the recurrence believes and what is
/// true part at about 1e-7.
class RoundedProducts final : public LinearOperator {
 public:
  explicit RoundedProducts(std::shared_ptr<const test::DenseOperator> A) : A_(std::move(A)) {}
  const Partition& row_partition() const override { return A_->row_partition(); }
  const Partition& column_partition() const override { return A_->column_partition(); }
  void apply(const Vector& x, const Vector& y) const override {
    A_->apply(x, y);
    auto values = test::to_host(y);
    for (double& v : values) v = static_cast<float>(v);
    test::assign(y, values);
  }
  double residual(const Vector& b, const Vector& x, const Vector& r) const override {
    return A_->residual(b, x, r);
  }
  bool is_symmetric() const override { return true; }
  std::string description() const override { return "rounded products"; }

 private:
  std::shared_ptr<const test::DenseOperator> A_;
};

class DriftingRecurrence : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Krylov, DriftingRecurrence,
                         ::testing::Values("cg", "minres", "gmres", "bicgstab"),
                         [](const auto& info) { return std::string(info.param); });

/// Each new start from the true residual gains the seven digits of single precision.
TEST_P(DriftingRecurrence, StartsAgainFromTheTrueResidual) {
  const auto A = test::random_spd(40, 20.0, 2);
  const auto rounded = std::make_shared<RoundedProducts>(A);
  const auto consistent = test::consistent_system(A, 3);
  LinearSystem system(rounded, consistent->b(), consistent->x());
  const Report report =
      make(GetParam(), option("relative_tolerance", 1e-12))->solve(system, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_LE(true_relative_residual(*consistent), 1e-12);
  EXPECT_NEAR(report.value("relative_residual"), true_relative_residual(*consistent), 1e-15);
}

}  // namespace
}  // namespace krylov_test
