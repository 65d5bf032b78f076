#include <gtest/gtest.h>

#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/pde/integrated_flow.hpp>
#include <tests/support/vectors.hpp>

namespace {

using namespace libsolve;

/// y' = y; nothing but its partition is asked for here.
class Growth final : public TimeSystem {
 public:
  const Partition& partition() const override { return partition_; }
  bool is_linear() const override { return true; }
  void rate(double, const Vector& y, const Vector& out) override { copy(y, out); }
  void apply_jacobian(double, const Vector&, const Vector& v, const Vector& out) override {
    copy(v, out);
  }
  void apply_jacobian_adjoint(double, const Vector&, const Vector& p, const Vector& out) override {
    copy(p, out);
  }
  NewtonMatrix newton_matrix(double, const Vector&) override { return {}; }

 private:
  Partition partition_ = Partition(3);
};

/// y(T) = 2 y(0), but for a negative y(0), of which it knows nothing.
class Doubling final : public TimeIntegrator {
 public:
  void begin(std::shared_ptr<TimeSystem>, double) override {}
  void forward(const Vector& y0, const Vector& y) override {
    ++counts_.runs;
    if (libsolve::test::to_host(y0)[0] < 0.0) throw BackendError("no integrator for this");
    linear_combination(2.0, y0, 0.0, y0, y);
  }
  void backward(const Vector& p) override { scale(2.0, p); }
  IntegrationCounts forward_counts() const override { return counts_; }
  IntegrationCounts backward_counts() const override { return {}; }
  std::string reason() const override { return {}; }

 private:
  IntegrationCounts counts_ = {};
};

/// The state kept for a start that comes again is never that of another start whose run was broken
/// off.
TEST(IntegratedFlow, KeepsNoStateOfARunThatThrew) {
  const auto system = std::make_shared<Growth>();
  IntegratedFlow flow(system, 1.0, [] { return std::make_unique<Doubling>(); });
  const Vector up("up", system->partition()), down = up.like("down");
  fill(up, 1.0);
  fill(down, -1.0);
  EXPECT_EQ(norm_max(flow.forward(up)), 2.0);
  EXPECT_EQ(norm_max(flow.forward(up)), 2.0);
  EXPECT_EQ(flow.forward_counts().runs, 1);  // kept
  EXPECT_THROW(flow.forward(down), BackendError);
  EXPECT_THROW(flow.forward(down), BackendError);
  EXPECT_EQ(norm_max(flow.forward(up)), 2.0);
  EXPECT_EQ(flow.forward_counts().runs, 4);
}

}  // namespace
