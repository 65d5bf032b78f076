#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/bilevel/lower_kkt.hpp>
#include <libsolve/bilevel/separable.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/optimize/derivative_check.hpp>

#include "../models.hpp"
#include "../synthetic_source.hpp"

namespace lvhba_synthetic {
namespace {

using Numbers = std::vector<double>;

std::unique_ptr<BilevelProgram> make(const std::string& problem, int size,
                                     const std::string& start = "zero") {
  SyntheticOptions o;
  o.problem = problem;
  o.size = size;
  o.start = start;
  auto made = SyntheticSource(o, Context{}).create();
  return std::unique_ptr<BilevelProgram>(dynamic_cast<BilevelProgram*>(made.release()));
}

class EachProblem : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Synthetic, EachProblem,
                         testing::Values("merely-convex", "bilinear", "strongly-convex"));

TEST_P(EachProblem, DerivativesAgreeWithDifferences) {
  const auto problem = make(GetParam(), 6, "random");
  for (const auto& functions : {problem->parts().upper, problem->parts().lower}) {
    const auto m = static_cast<std::size_t>(functions->num_constraints());
    const Numbers low(18, -INFINITY), high(18, INFINITY);
    const auto n = static_cast<std::size_t>(problem->num_variables());
    const DerivativeCheck check = check_derivatives(
        NonlinearProgram(functions, {Numbers(n, -INFINITY), Numbers(n, INFINITY)},
                         {Numbers(m, -INFINITY), Numbers(m, INFINITY)}, problem->parts().start));
    EXPECT_TRUE(check.checked_any());
    EXPECT_TRUE(check.passed());
  }
}

TEST(Synthetic, KnownSolutionsSatisfyTheLowerLevelsConditions) {
  for (const char* name : {"merely-convex", "bilinear"}) {
    const auto problem = make(name, 50);
    problem->set_point(problem->parts().reference, Numbers{-1.0}, Numbers(100, 0.0));
    const LowerResidual r = lower_residual(*problem);
    EXPECT_LT(r.kkt.largest(), 1e-12) << name;
    const double F = HostAccess(problem->upper()).objective(problem->parts().reference);
    EXPECT_NEAR(F, name == std::string("merely-convex") ? 0.05 * 50.0 : 0.0, 1e-12);
  }
}

TEST(Synthetic, RowsMustNotExceedTheSize) {
  SyntheticOptions o;
  o.problem = "strongly-convex";
  o.size = 5;
  o.rows = 6;
  EXPECT_THROW(SyntheticSource(o, Context{}).create(), InputError);
}

/// Algorithm 1 of the paper, line by line, on problem A or B with its one equality.
struct Plain {
  Index n;
  bool is_a;
  Numbers x, y, theta;
  double lambda = 0.0, z = 0.0;

  void step(const LvHbaSettings& s, std::int64_t k) {
    const auto N = static_cast<std::size_t>(n);
    const double scale = s.row_length / std::sqrt(3.0 * static_cast<double>(n));
    const double c = s.c0 * std::pow(static_cast<double>(k + 1), s.p);
    double g = 0.0;
    for (const double e : x) g += e;
    for (const double e : theta) g += e;
    const double next_lambda = lambda + s.eta * (scale * g - (lambda - z) / s.gamma2);
    Numbers next(2 * N), dx(N), dy(2 * N);
    for (std::size_t i = 0; i < N; ++i) {
      const double l = lambda * scale;
      next[i] = theta[i] - s.eta * (theta[i] - x[i] + l + (theta[i] - y[i]) / s.gamma1);
      next[N + i] = theta[N + i] - s.eta * (1.0 + l + (theta[N + i] - y[N + i]) / s.gamma1);
    }
    for (std::size_t i = 0; i < N; ++i) {
      const double Fx = is_a ? x[i] - y[N + i] : y[i] - 2.0;
      const double Fy1 = is_a ? y[i] - 1.0 : x[i] - 1.0;
      const double Fy2 = is_a ? y[N + i] - x[i] : 2.0 * (y[N + i] + 3.0);
      dx[i] = Fx / c - y[i] + next[i] - next_lambda * scale;
      dy[i] = Fy1 / c + y[i] - x[i] - (y[i] - next[i]) / s.gamma1;
      dy[N + i] = Fy2 / c + 1.0 - (y[N + i] - next[N + i]) / s.gamma1;
    }
    double sum = 0.0;
    for (std::size_t i = 0; i < N; ++i) sum += x[i] -= s.alpha * dx[i];
    for (std::size_t i = 0; i < 2 * N; ++i) sum += y[i] -= s.alpha * dy[i];
    const double shift = sum / (3.0 * static_cast<double>(n));
    for (double& e : x) e -= shift;
    for (double& e : y) e -= shift;
    z += s.beta * (next_lambda - z) / s.gamma2;
    theta = next;
    lambda = next_lambda;
  }
};

TEST(Synthetic, OnePassIterationIsThePapersAlgorithm) {
  for (const char* name : {"merely-convex", "bilinear"}) {
    const auto problem = make(name, 5000, "random");
    const Numbers start = problem->parts().start;
    Plain plain{
        5000, name == std::string("merely-convex"), Numbers(start.begin(), start.begin() + 5000),
        Numbers(start.begin() + 5000, start.end()), Numbers(start.begin() + 5000, start.end())};
    LvHbaSettings s;
    s.row_length = 1.5;
    LvHbaIteration& iteration = *problem->parts().iteration;
    iteration.start(problem->v().view());
    for (std::int64_t k = 0; k < 40; ++k) plain.step(s, k);
    (void)iteration.run(s, 0, 15);
    const LvHbaProgress progress = iteration.run(s, 15, 25);
    const Vector v("v", Partition(15000)), theta("theta", Partition(10000)),
        lambda("lambda", Partition(1));
    iteration.current(v.view(), theta.view(), lambda.view());
    const auto at = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v.view());
    const auto lower = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), theta.view());
    const auto multiplier = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), lambda.view());
    double worst = 0.0;
    for (std::size_t i = 0; i < 5000; ++i) worst = std::max(worst, std::abs(at(i) - plain.x[i]));
    for (std::size_t i = 0; i < 10000; ++i) {
      worst = std::max(worst, std::abs(at(5000 + i) - plain.y[i]));
      worst = std::max(worst, std::abs(lower(i) - plain.theta[i]));
    }
    EXPECT_LT(worst, 1e-11) << name;
    EXPECT_NEAR(multiplier(0), plain.lambda * 1.5 / std::sqrt(15000.0), 1e-11);
    EXPECT_GT(progress.movement, 0.0);
  }
}

}  // namespace
}  // namespace lvhba_synthetic
