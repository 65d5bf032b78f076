#include "log_conductivity.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random_vector.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/optimize/derivative_check.hpp>
#include <libsolve/pde/adjoint_test.hpp>
#include <numbers>
#include <tests/support/nodes.hpp>

#include "conductivity_functions.hpp"
#include "true_data.hpp"

namespace {

using namespace libsolve;
using log_conductivity::ConductivityFunctions;
using log_conductivity::LogConductivityOptions;
using log_conductivity::LogConductivitySource;
using log_conductivity::Observation;

std::unique_ptr<NonlinearProgram> make(const LogConductivityOptions& options) {
  auto problem = LogConductivitySource(options, {}).create();
  return std::unique_ptr<NonlinearProgram>(dynamic_cast<NonlinearProgram*>(problem.release()));
}

LogConductivityOptions options_of(const char* observations, int dimension, int size) {
  LogConductivityOptions o;
  o.observations = observations;
  o.dimension = dimension;
  o.size = size;
  o.num_sources = 3;
  o.num_points = 9;
  return o;
}

/// Counted by 32 bits on a rank; nothing of this size is made.
TEST(LogConductivity, TooManyVariablesAreRefused) {
  for (const char* observations : {"full", "points"}) {
    LogConductivityOptions o = options_of(observations, 3, 1024);
    try {
      (void)make(o);
      FAIL() << "more variables than numbers for them";
    } catch (const ShapeError& e) {
      EXPECT_EQ(std::string(e.what()).find("size = 1024"), 0U) << e.what();
    }
  }
}

TEST(LogConductivity, DerivativesAreExact) {
  for (const char* observations : {"full", "points"})
    for (int d = 2; d <= 3; ++d) {
      LogConductivityOptions o = options_of(observations, d, d == 2 ? 6 : 4);
      o.gradient_cost = 0.3;
      o.value_cost = 0.2;
      const auto problem = make(o);
      ASSERT_TRUE(problem->functions().has_entries());
      fill_uniform(problem->x(), RandomStream(2, "x"));
      const DerivativeCheck check = check_derivatives(*problem);
      EXPECT_TRUE(check.checked_any());
      EXPECT_TRUE(check.passed()) << observations << ", " << d << "D";
      for (const auto& kind : check.kinds)
        if (!check.passed())
          ADD_FAILURE() << kind.kind << " at " << kind.where << ": " << kind.given << " against "
                        << kind.difference;
      const ProgramAdjointGaps gaps = adjoint_gaps(problem->functions(), problem->x(), 3);
      EXPECT_LT(gaps.jacobian, 1e-14);
      EXPECT_LT(gaps.hessian, 1e-14);
    }
}

/// -div(e^x grad y) = b with y = sin(pi x) sin(pi y): second order.
TEST(LogConductivity, StatesConvergeAtSecondOrder) {
  constexpr double pi = std::numbers::pi;
  double errors[2];
  for (int level = 0; level < 2; ++level) {
    const Index N = level == 0 ? 32 : 64;
    const LogDiffusion A(2, N, LogDiffusion::Walls::fixed);
    std::vector<double> m, b, exact;
    for (Index c = 0; c < N * N; ++c) {
      const double x = (c % N + 0.5) / N, y = (c / N + 0.5) / N;
      m.push_back(x);
      exact.push_back(std::sin(pi * x) * std::sin(pi * y));
      b.push_back(std::exp(x) * std::sin(pi * y) *
                  (2.0 * pi * pi * std::sin(pi * x) - pi * std::cos(pi * x)));
    }
    const std::vector<double> y = log_conductivity::solve_states(A, m, b);
    double sum = 0.0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += std::pow(y[i] - exact[i], 2);
    errors[level] = std::sqrt(sum / static_cast<double>(y.size()));
  }
  EXPECT_NEAR(std::log2(errors[0] / errors[1]), 2.0, 0.1);
}

/// With insulated walls constants go to themselves, whatever m is.
TEST(LogConductivity, InsulatedOperatorKeepsConstants) {
  LogDiffusion A(3, 5, LogDiffusion::Walls::insulated);
  const Vector m("m", Partition(125)), ones = m.like("ones"), out = m.like("out");
  fill_uniform(m, RandomStream(1, "m"));
  fill(ones, 1.0);
  A.set_parameter(m.view());
  A.apply(ones.view(), out.view());
  axpy(-1.0, ones, out);
  EXPECT_LT(norm_max(out), 1e-11);
}

/// The stencil is the operator, and blocks are the functions one by one.
TEST(LogConductivity, BlocksAndStencilAgree) {
  for (int d = 2; d <= 3; ++d) {
    LogDiffusion A(d, 6, LogDiffusion::Walls::fixed);
    const Index n = A.num_cells();
    const Vector m("m", Partition(n)), one = m.like("one"), y("y", Partition(2 * n)),
        out = y.like("out");
    fill_uniform(m, RandomStream(1, "m"));
    fill_uniform(y, RandomStream(1, "y"));
    A.set_parameter(m.view());
    A.apply(y.view(), out.view());
    const auto stencil = A.stencil();
    for (Index s = 0; s < 2; ++s) {
      const auto range = std::make_pair(static_cast<std::size_t>(s * n),
                                        static_cast<std::size_t>((s + 1) * n));
      stencil->apply(Vector(VectorView(Kokkos::subview(y.view(), range)), Partition(n)), one);
      axpy(-1.0, Vector(VectorView(Kokkos::subview(out.view(), range)), Partition(n)), one);
      EXPECT_LT(norm_max(one), 1e-11);
    }
  }
}

TEST(LogConductivity, PointsSeeLinearFunctionsExactly) {
  const LogDiffusion A(3, 6, LogDiffusion::Walls::insulated);
  const std::vector<Observation::Point> points = {{0.2, 0.5, 0.7}, {0.11, 0.9, 0.33}};
  const Observation Q(A.grid_partition(), points);
  const Vector y("y", Partition(A.num_cells())), r("r", Partition(2));
  std::vector<double> values;
  for (Index c = 0; c < A.num_cells(); ++c)
    values.push_back(1.0 + (c % 6 + 0.5) / 6 - 2.0 * (c / 6 % 6 + 0.5) / 6 +
                     3.0 * (c / 36 + 0.5) / 6);
  test::assign(y, values);
  Q.residual(1.0, y.view(), nullptr, r.view());
  const std::vector<double> seen = test::to_host(r);
  for (std::size_t k = 0; k < 2; ++k)
    EXPECT_NEAR(seen[k], 1.0 + points[k][0] - 2.0 * points[k][1] + 3.0 * points[k][2], 1e-13);
}

/// Half the cells: the functional of smooth functions hardly changes.
TEST(LogConductivity, CoarseProblemIsTheSameProblem) {
  for (const char* observations : {"full", "points"}) {
    LogConductivityOptions o = options_of(observations, 2, 64);
    o.noise = 0.0;
    const auto problem = make(o);
    const auto& fine = dynamic_cast<const ConductivityFunctions&>(problem->functions());
    const auto coarse = std::dynamic_pointer_cast<const ConductivityFunctions>(fine.coarse());
    ASSERT_TRUE(coarse);
    const auto misfit = [](const ConductivityFunctions& f) {
      const auto& made = f.made_of();
      const std::vector<double> m(static_cast<std::size_t>(made.cells * made.cells), made.reference);
      const std::vector<double> y =
          log_conductivity::solve_states(f.make_diffusion(), m, made.sources);
      const Vector v("y", Partition(static_cast<GlobalIndex>(y.size())));
      test::assign(v, y);
      return f.misfit(v.view());
    };
    EXPECT_NEAR(misfit(*coarse) / misfit(fine), 1.0, 0.02) << observations;
  }
}

TEST(LogConductivity, DataComeFromTheTruth) {
  LogConductivityOptions o = options_of("points", 3, 8);
  o.noise = 0.0;
  const auto problem = make(o);
  const auto& f = dynamic_cast<const ConductivityFunctions&>(problem->functions());
  const auto& made = f.made_of();
  std::vector<double> x =
      log_conductivity::solve_states(f.make_diffusion(), made.truth, made.sources);
  const Vector y("y", Partition(static_cast<GlobalIndex>(x.size())));
  test::assign(y, x);
  EXPECT_LT(f.misfit(y.view()), 1e-24);
  x.insert(x.end(), made.truth.begin(), made.truth.end());
  test::assign(problem->x(), x);
  const Vector c("c", problem->multipliers().partition());
  problem->functions().constraints(problem->x().view(), c.view());
  EXPECT_LT(norm_max(c), 1e-10);
}

}  // namespace
