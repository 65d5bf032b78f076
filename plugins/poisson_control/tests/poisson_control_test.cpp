#include "poisson_control.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random_vector.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/io/hdf5_file.hpp>
#include <libsolve/optimize/derivative_check.hpp>
#include <libsolve/pde/adjoint_test.hpp>
#include <numbers>
#include <tests/support/nodes.hpp>
#include <tests/support/temporary_folder.hpp>

#include "control_functions.hpp"
#include "target.hpp"

namespace {

using namespace libsolve;
using poisson_control::PoissonControlOptions;
using poisson_control::PoissonControlSource;

constexpr double pi = std::numbers::pi;

std::unique_ptr<NonlinearProgram> make(const PoissonControlOptions& options,
                                       const Context& context = {}) {
  auto problem = PoissonControlSource(options, context).create();
  return std::unique_ptr<NonlinearProgram>(dynamic_cast<NonlinearProgram*>(problem.release()));
}

PoissonControlOptions options_of(int dimension, int size) {
  PoissonControlOptions o;
  o.dimension = dimension;
  o.size = size;
  return o;
}

TEST(PoissonControl, DerivativesAreExact) {
  for (int d = 1; d <= 3; ++d)
    for (const char* mass : {"consistent", "lumped"})
      for (const char* boundary : {"target", "zero"}) {
        PoissonControlOptions o = options_of(d, d == 3 ? 4 : 7);
        o.control_mass = mass;
        o.boundary = boundary;
        o.beta = 0.1;
        const auto problem = make(o);
        const DerivativeCheck check = check_derivatives(*problem);
        EXPECT_TRUE(check.passed()) << d << "D, " << mass << ", " << boundary;
        EXPECT_TRUE(check.checked_any());
        fill_uniform(problem->x(), RandomStream(2, "x"));
        const ProgramAdjointGaps gaps = adjoint_gaps(problem->functions(), problem->x(), 3);
        EXPECT_LT(gaps.jacobian, 1e-14);
        EXPECT_LT(gaps.hessian, 1e-14);
      }
}

TEST(PoissonControl, DerivativesOnADomainAreExact) {
  for (int d = 1; d <= 3; ++d) {
    PoissonControlOptions o = options_of(d, d == 3 ? 5 : 9);
    o.boundary = "zero";
    o.target = "1 + x";
    o.domain = "0.3 - (x - 0.4)^2 - 0.2 * y";
    o.beta = 0.1;
    const auto problem = make(o);
    EXPECT_TRUE(check_derivatives(*problem).passed()) << d;
    fill_uniform(problem->x(), RandomStream(2, "x"));
    const ProgramAdjointGaps gaps = adjoint_gaps(problem->functions(), problem->x(), 3);
    EXPECT_LT(gaps.jacobian, 1e-14);
    EXPECT_LT(gaps.hessian, 1e-14);
  }
  PoissonControlOptions o = options_of(2, 8);
  o.boundary = "zero";
  o.domain = "-1 - x";
  EXPECT_THROW(make(o), DataError);
  o.domain = "0.5 - x";
  o.control_lower = 1.0;
  const auto problem = make(o);
  // Bounds that exclude 0 hold inside alone.
  const auto& lower = problem->variable_bounds().lower;
  EXPECT_EQ(lower[49], 1.0);
  EXPECT_EQ(lower[49 + 6], -INFINITY);
  EXPECT_EQ(problem->host_x()[49 + 6], 0.0);
}

TEST(PoissonControl, ObjectiveIsTheIntegral) {
  // y = 0 on the boundary and inside, y_d = 1 + x: 1/2 int (1 + x)^2 = 7/6, exact with Q1 elements.
  for (int d = 2; d <= 3; ++d) {
    PoissonControlOptions o = options_of(d, 6);
    o.boundary = "zero";
    o.target = "1 + x";
    o.weight = "integral";
    const auto problem = make(o);
    EXPECT_NEAR(problem->functions().objective(problem->x().view()), 7.0 / 6.0, 1e-13);
    // With y = y_d on the boundary only the inner nodes miss; at y = y_d nothing does.
    o.boundary = "target";
    const auto fitted = make(o);
    const auto& functions = dynamic_cast<const Q1Control&>(fitted->functions());
    const Vector y =
        test::at_nodes(functions.nodes(), [](double x, double, double) { return 1 + x; });
    std::vector<double> x = test::to_host(y);
    x.resize(2 * x.size(), 0.0);
    test::assign(fitted->x(), x);
    EXPECT_NEAR(fitted->functions().objective(fitted->x().view()), 0.0, 1e-28);
    // 1 + x is harmonic: with u = 0 the state equation holds.
    const Vector c("c", fitted->multipliers().partition());
    fitted->functions().constraints(fitted->x().view(), c.view());
    EXPECT_LT(norm_max(c), 1e-13);
  }
}

/// The sine is an eigenvector of K and M, K s = kappa s, M s = mu s, so that the discrete optimum
/// is known: y = a s, u = (kappa / mu) y, lambda = alpha u, a = (1 + alpha D^2 pi^4) / (1 + alpha
/// (kappa / mu)^2).
TEST(PoissonControl, ConditionsHoldAtTheKnownOptimum) {
  for (int d = 1; d <= 3; ++d)
    for (const char* convention : {"beta", "half-beta"}) {
      PoissonControlOptions o = options_of(d, 8);
      o.target = "sine";
      o.convention = convention;
      o.beta = 1e-3;
      const double alpha = o.convention == "beta" ? 2e-3 : 1e-3;
      const auto problem = make(o);
      const auto& functions = dynamic_cast<const Q1Control&>(problem->functions());
      EXPECT_DOUBLE_EQ(functions.control_cost(), alpha);
      const NodeGrid& grid = functions.nodes();
      const double cosine = std::cos(pi * grid.spacing(0)), h = grid.spacing(0);
      const double mu1 = h / 6.0 * (4.0 + 2.0 * cosine), kappa1 = (2.0 - 2.0 * cosine) / h;
      const double ratio = d * kappa1 / mu1;
      const double a = (1.0 + alpha * d * d * std::pow(pi, 4)) / (1.0 + alpha * ratio * ratio);
      EXPECT_NEAR(a, 1.0, 0.1);
      std::vector<double> x = test::to_host(test::sine_mode(grid)), lambda;
      const std::size_t n = x.size();
      for (double& y : x) y *= a;
      for (std::size_t i = 0; i < n; ++i) {
        x.push_back(ratio * x[i]);
        lambda.push_back(alpha * ratio * x[i]);
      }
      problem->set_solution(x, lambda, std::vector<double>(2 * n, 0.0));
      EXPECT_LT(problem->kkt_residual().largest(), 1e-11) << d << "D";
    }
}

TEST(PoissonControl, FieldsHaveTheGridOfTheNodes) {
  const auto problem = make(options_of(2, 5));
  int with_grid = 0;
  for (const Field& f : problem->solution())
    if (f.grid) {
      ++with_grid;
      EXPECT_EQ(f.grid->num_cells(), 16);
      EXPECT_EQ(f.values.local_size(), 16);
    }
  EXPECT_EQ(with_grid, 4);  // state, control, adjoint, target
}

TEST(PoissonControl, TargetsComeFromFilesAndFormulas) {
  const test::TemporaryFolder folder;
  const std::string path = (std::filesystem::path(folder.path()) / "t.h5").string();
  {
    // 1 + x + 10 y on 2 x 3 values (rows y), which linear interpolation keeps.
    const std::vector<double> values = {1.0, 1.5, 2.0, 11.0, 11.5, 12.0};
    auto file = Hdf5File::create(path);
    file.array("/target", values, {2, 3});
    file.close();
  }
  const NodeGrid grid(2, {4, 8, 1}, {1.0, 1.0, 1.0});
  const auto from_file = poisson_control::target_at_nodes(path + ":/target", grid, 1.0, {});
  const auto from_text = poisson_control::target_at_nodes("1 + x + 10*y", grid, 1.0, {});
  ASSERT_EQ(from_file.size(), 5U * 9U);
  for (std::size_t i = 0; i < from_file.size(); ++i) EXPECT_NEAR(from_file[i], from_text[i], 1e-14);
  EXPECT_THROW(poisson_control::target_at_nodes(path + ":/target",
                                                NodeGrid(3, {4, 4, 4}, {1.0, 1.0, 1.0}), 1.0, {}),
               ShapeError);
  EXPECT_THROW(poisson_control::target_at_nodes("1 / x", grid, 1.0, {}), DataError);
  EXPECT_DOUBLE_EQ(poisson_control::target_at_nodes("rees", grid, 1.0, {})[1], 0.25);
}

/// A picture of 2 x 2 pixels: the lower row is y = 0, grey values between 0 and 1.
TEST(PoissonControl, TargetsComeFromPictures) {
  const test::TemporaryFolder folder;
  std::ofstream(folder.file("t.pgm")) << "P2 2 2 4 0 4 1 2";
  Context context;
  context.base_folder = folder.path();
  const NodeGrid grid(2, {4, 8, 1}, {1.0, 1.0, 1.0});
  const auto picture = poisson_control::target_at_nodes("t.pgm", grid, 1.0, context);
  const auto text = poisson_control::target_at_nodes(
      "(1-y)*(0.25*(1-x)+0.5*x)+y*x", grid, 1.0, {});
  ASSERT_EQ(picture.size(), 5U * 9U);
  for (std::size_t i = 0; i < text.size(); ++i) EXPECT_NEAR(picture[i], text[i], 1e-15);
  EXPECT_THROW(poisson_control::target_at_nodes("u.png", grid, 1.0, context), InputError);
}

TEST(PoissonControl, RefusesBadOptions) {
  const auto fault_of = [](const PoissonControlOptions& o) {
    Diagnostics problems;
    PoissonControlOptions::check(o, "problem.", {}, problems);
    try {
      problems.throw_if_any();
    } catch (const InputError& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  PoissonControlOptions o;
  EXPECT_EQ(fault_of(o), "");
  o.target = "sin(x";
  EXPECT_NE(fault_of(o).find("target"), std::string::npos);
  o.target = "photo.png";
  EXPECT_EQ(fault_of(o), "");
  o.dimension = 3;
  EXPECT_NE(fault_of(o).find("picture"), std::string::npos);
  o.target = "sine";
  o.control_lower = 1.0;
  o.control_upper = 0.0;
  EXPECT_NE(fault_of(o).find("control_lower"), std::string::npos);
  o = {};
  o.domain = "0.5 - x";
  EXPECT_NE(fault_of(o).find("boundary"), std::string::npos);
  o.boundary = "zero";
  EXPECT_EQ(fault_of(o), "");
  o.domain = "0.5 -";
  EXPECT_NE(fault_of(o).find("domain"), std::string::npos);
  for (const char* key : {"domain", "target"}) {
    o = options_of(2, 4);
    o.boundary = "zero";
    (key == std::string("domain") ? o.domain : o.target) = "1/(x - 0.5)";
    try {
      (void)make(o);
      FAIL() << "1/0 went through";
    } catch (const DataError& e) {
      EXPECT_EQ(std::string(e.what()).find(key + std::string(" = \"1/(x - 0.5)\"")), 0U) << e.what();
    }
  }
}

TEST(PoissonControl, BoundsAreOfTheControlsAndLumpTheirMass) {
  PoissonControlOptions o = options_of(2, 4);
  o.control_upper = -0.5;
  const auto problem = make(o);
  EXPECT_TRUE(dynamic_cast<const Q1Control&>(problem->functions()).control_is_lumped());
  EXPECT_EQ(problem->variable_bounds().upper[8], INFINITY);
  EXPECT_EQ(problem->variable_bounds().upper[9], -0.5);
  EXPECT_EQ(problem->host_x()[9], -0.5);
}

}  // namespace
