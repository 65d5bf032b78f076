// Uses only what is installed, so that it also builds outside of the tree.
#include "richardson.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/linear/matrix_entries.hpp>
#include <limits>

namespace {

using namespace libsolve;
using richardson::Richardson;
using richardson::RichardsonOptions;

Vector vector_of(const std::vector<double>& values) {
  Vector v("test::v", Partition(static_cast<GlobalIndex>(values.size())));
  Kokkos::deep_copy(v.view(),
                    Kokkos::View<const double*, Kokkos::HostSpace>(values.data(), values.size()));
  return v;
}

std::vector<double> values_of(const Vector& v) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v.view());
  return {host.data(), host.data() + host.extent(0)};
}

/// The n x n matrix with `diagonal` on it and -1 beside it, b given, x = 0.
LinearSystem tridiagonal(double diagonal, const std::vector<double>& b, double beside = -1.0) {
  const auto n = static_cast<Index>(b.size());
  std::vector<MatrixEntry> entries;
  for (Index i = 0; i < n; ++i) {
    entries.push_back({i, i, diagonal});
    if (i > 0) entries.push_back({i, i - 1, beside});
    if (i + 1 < n) entries.push_back({i, i + 1, beside});
  }
  const std::vector<double> zero(b.size(), 0.0);
  return {make_csr_matrix(n, n, entries), vector_of(b), vector_of(zero)};
}

/// ||b - A x|| / ||b||, computed here.
double true_residual(double diagonal, const std::vector<double>& b, const std::vector<double>& x) {
  double rr = 0.0;
  double bb = 0.0;
  for (size_t i = 0; i < b.size(); ++i) {
    const double left = i > 0 ? x[i - 1] : 0.0;
    const double right = i + 1 < b.size() ? x[i + 1] : 0.0;
    const double r = b[i] - (diagonal * x[i] - left - right);
    rr += r * r;
    bb += b[i] * b[i];
  }
  return std::sqrt(rr / bb);
}

Report solve(LinearSystem& system, const RichardsonOptions& options,
             Monitor& monitor = Monitor::none()) {
  return Richardson(options, Context{}).solve(system, monitor);
}

/// A = diag(2, 4), b = (2, 4), omega = 1/4, x0 = 0:
/// x1 = b/4 = (1/2, 1); r1 = (1, 0), x2 = x1 + r1/4 = (3/4, 1); r2 = (1/2, 0).
TEST(Richardson, TakesTheStepsOfTheFormula) {
  LinearSystem system(make_csr_matrix(2, 2, {{0, 0, 2.0}, {1, 1, 4.0}}), vector_of({2.0, 4.0}),
                      vector_of({0.0, 0.0}));
  RichardsonOptions options;
  options.step = 0.25;
  options.stopping.max_iterations = 2;
  const Report report = solve(system, options);
  EXPECT_EQ(report.status, Status::max_iterations) << report.reason;
  EXPECT_EQ(report.iterations, 2);
  EXPECT_EQ(values_of(system.x()), (std::vector<double>{0.75, 1.0}));
  EXPECT_DOUBLE_EQ(report.value("residual_norm"), 0.5);
}

/// Diagonal 4 and -1 beside it: eigenvalues in (2, 6), so each step of either kind shrinks the
/// residual at least by (6 - 2) / (6 + 2) = 1/2; 1e-10 takes at most 34 steps.
TEST(Richardson, ConvergesAtTheRateOfTheTheory) {
  std::vector<double> b(101);
  for (size_t i = 0; i < b.size(); ++i) b[i] = std::sin(static_cast<double>(i) + 1.0);
  for (const bool fixed : {true, false}) {
    LinearSystem system = tridiagonal(4.0, b);
    RichardsonOptions options;
    options.stopping.relative_tolerance = 1e-10;
    if (fixed) options.step = 0.25;
    const Report report = solve(system, options);
    EXPECT_EQ(report.status, Status::converged) << report.reason;
    EXPECT_LE(report.iterations, 34);
    const double recomputed = true_residual(4.0, b, values_of(system.x()));
    EXPECT_LE(recomputed, 1e-10);
    EXPECT_NEAR(report.value("relative_residual"), recomputed, 1e-14);
  }
}

/// omega = 1 > 2 / lambda_min: every component grows.
TEST(Richardson, AStepTooLongDiverges) {
  LinearSystem system = tridiagonal(4.0, std::vector<double>(20, 1.0));
  RichardsonOptions options;
  options.step = 1.0;
  const Report report = solve(system, options);
  EXPECT_EQ(report.status, Status::diverged);
  EXPECT_NE(report.reason.find("lower 'step'"), std::string::npos) << report.reason;
}

/// A = [0 1; -1 0] turns every residual by a right angle: r^T A r = 0.
TEST(Richardson, AnOperatorWithoutDefiniteSymmetricPartIsABreakdown) {
  LinearSystem system(make_csr_matrix(2, 2, {{0, 1, 1.0}, {1, 0, -1.0}}), vector_of({1.0, 0.0}),
                      vector_of({0.0, 0.0}));
  const Report report = solve(system, {});
  EXPECT_EQ(report.status, Status::breakdown);
  EXPECT_NE(report.reason.find("gmres"), std::string::npos) << report.reason;
}

TEST(Richardson, ZeroRightHandSideGivesZero) {
  LinearSystem system = tridiagonal(4.0, std::vector<double>(7, 0.0));
  fill(system.x(), 3.0);
  const Report report = solve(system, {});
  EXPECT_EQ(report.status, Status::converged);
  EXPECT_EQ(report.iterations, 0);
  EXPECT_EQ(values_of(system.x()), std::vector<double>(7, 0.0));
}

TEST(Richardson, NotANumberIsAStatus) {
  LinearSystem system = tridiagonal(4.0, {1.0, std::numeric_limits<double>::quiet_NaN()});
  EXPECT_EQ(solve(system, {}).status, Status::non_finite);
}

/// Asks to stop in iteration 3 and keeps what it was told.
class StopsAtThree final : public Monitor {
 public:
  Verdict observe(std::int64_t iteration, std::span<const Sample> samples) override {
    EXPECT_EQ(iteration, static_cast<std::int64_t>(norms.size()));
    EXPECT_EQ(samples[0].name, "residual_norm");
    norms.push_back(samples[0].value);
    return iteration < 3 ? Verdict::proceed : Verdict::interrupted;
  }
  std::vector<double> norms;
};

TEST(Richardson, StopsWhenTheMonitorSaysSo) {
  LinearSystem system = tridiagonal(4.0, std::vector<double>(50, 1.0));
  StopsAtThree monitor;
  const Report report = solve(system, {}, monitor);
  EXPECT_EQ(report.status, Status::interrupted);
  EXPECT_EQ(report.iterations, 3);
  ASSERT_EQ(monitor.norms.size(), 4U);
  for (size_t i = 1; i < 4; ++i) EXPECT_LT(monitor.norms[i], monitor.norms[i - 1]);
}

TEST(Richardson, RefusesARectangularOperator) {
  LinearSystem system(make_csr_matrix(2, 1, {{0, 0, 1.0}}), vector_of({1.0, 0.0}),
                      vector_of({0.0}));
  EXPECT_THROW(solve(system, {}), Unsupported);
}

TEST(Richardson, OptionsAreCheckedByTheirDescription) {
  Value table;
  table.set("stepp", 1.0);
  table.set("step", -1.0);
  Diagnostics problems;
  parse_options<RichardsonOptions>(table, "method.", "linear-solver 'richardson'", problems);
  ASSERT_EQ(problems.problems().size(), 2U);
  EXPECT_NE(problems.problems()[0].message.find("'step'"), std::string::npos);
  EXPECT_EQ(problems.problems()[1].message, "must be > 0, is -1.0");
}

}  // namespace
