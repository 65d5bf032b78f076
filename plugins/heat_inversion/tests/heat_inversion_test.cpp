#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random_vector.hpp>
#include <libsolve/optimize/derivative_check.hpp>
#include <libsolve/optimize/program_solver.hpp>
#include <libsolve/pde/adjoint_test.hpp>
#include <tests/support/temporary_folder.hpp>
#include <tests/support/vectors.hpp>

#include "heat_inversion_support.hpp"

namespace {

using namespace heat_inversion;
using heat_inversion::test::functions_of;
using heat_inversion::test::make;

constexpr double pi = std::numbers::pi;

HeatInversionOptions options_of(int dimension, int size, int steps) {
  HeatInversionOptions o;
  o.dimension = dimension;
  o.size = size;
  o.steps = steps;
  return o;
}

/// prod_a sin(k_a pi x_a) at the nodes, x fastest.
std::vector<double> sine_mode(const HeatInversionOptions& o, const std::array<int, 3>& k) {
  std::vector<double> values;
  const int n = o.size - 1;
  const auto factor = [&](int axis, int i) {
    return std::sin(k[static_cast<std::size_t>(axis)] * pi * (i + 1) / o.size);
  };
  for (int c = 0; c < std::pow(n, o.dimension); ++c) {
    double value = 1.0;
    int rest = c;
    for (int a = 0; a < o.dimension; ++a, rest /= n) value *= factor(a, rest % n);
    values.push_back(value);
  }
  return values;
}

/// What N steps multiply that mode by.
double decay(const HeatInversionOptions& o, const std::array<int, 3>& k) {
  double lambda = 0.0;
  for (int a = 0; a < o.dimension; ++a)
    lambda += std::pow(2.0 * o.size * std::sin(k[static_cast<std::size_t>(a)] * pi / (2.0 * o.size)), 2);
  const double theta = o.scheme == "implicit-euler" ? 1.0 : 0.5, dt = o.final_time / o.steps;
  return std::pow((1.0 - (1.0 - theta) * dt * lambda) / (1.0 + theta * dt * lambda), o.steps);
}

/// With d = 0 and no regularization the gradient at a sine mode m is h^D R^2 m, R its decay.
TEST(HeatInversion, GradientOnSineModesIsTheClosedForm) {
  for (const int dimension : {1, 2, 3})
    for (const char* scheme : {"crank-nicolson", "implicit-euler"})
      for (const char* checkpoints : {"none", "all", "sqrt", "binomial"})
        for (const std::array<int, 3>& k : {std::array{1, 1, 1}, std::array{2, 1, 1}}) {
          HeatInversionOptions o = options_of(dimension, dimension == 3 ? 10 : 32, 20);
          o.scheme = scheme;
          o.checkpoints = checkpoints;
          o.slots = 4;
          o.data = "0";
          o.value_cost = 0.0;
          o.weight = "integral";
          const auto problem = make(o);
          const std::vector<double> m = sine_mode(o, k);
          libsolve::test::assign(problem->x(), m);
          const Vector g = problem->x().like("g");
          problem->functions().gradient(problem->x().view(), g.view());
          const double factor = std::pow(decay(o, k), 2) * std::pow(1.0 / o.size, dimension);
          const auto given = libsolve::test::to_host(g);
          double error = 0.0;
          for (std::size_t i = 0; i < m.size(); ++i)
            error = std::max(error, std::abs(given[i] - factor * m[i]));
          EXPECT_LT(error, 1e-10 * factor) << dimension << "D " << scheme << " " << checkpoints;
        }
}

TEST(HeatInversion, DerivativesAreExact) {
  for (const int dimension : {1, 2, 3})
    for (const char* checkpoints : {"all", "sqrt", "binomial"}) {
      HeatInversionOptions o = options_of(dimension, dimension == 3 ? 4 : 6, 7);
      o.reaction = {-1.0, 0.5, 3.0};
      o.checkpoints = checkpoints;
      o.slots = 3;
      o.gradient_cost = 1e-3;
      const auto problem = make(o);
      ASSERT_TRUE(problem->functions().has_entries());
      const DerivativeCheck check = check_derivatives(*problem, {.num_points = 1, .max_columns = 8});
      EXPECT_TRUE(check.passed()) << dimension << "D, " << checkpoints;
      EXPECT_TRUE(check.checked_any());
      fill_uniform(problem->x(), RandomStream(2, "x"));
      EXPECT_LT(adjoint_gaps(problem->functions(), problem->x(), 3).hessian, 1e-11);
    }
}

/// d = sin sin: (R^2 + gamma_0 + gamma_1 lambda) m = R d, with lambda the Laplacian's eigenvalue.
TEST(HeatInversion, GradientVanishesAtTheKnownOptimum) {
  HeatInversionOptions o = options_of(2, 16, 10);
  o.data = "sin(3.141592653589793*x)*sin(3.141592653589793*y)";
  o.value_cost = 1e-3;
  o.gradient_cost = 1e-4;
  const auto problem = make(o);
  const double R = decay(o, {1, 1, 1});
  const double lambda = 2.0 * std::pow(2.0 * o.size * std::sin(pi / (2.0 * o.size)), 2);
  std::vector<double> m = sine_mode(o, {1, 1, 1});
  for (double& v : m) v *= R / (R * R + o.value_cost + o.gradient_cost * lambda);
  problem->set_solution(m, {}, std::vector<double>(m.size(), 0.0));
  EXPECT_LT(problem->kkt_residual().largest(), 1e-13);
  EXPECT_GT(*std::max_element(m.begin(), m.end()), 1.0);
}

/// Steps of a gradient at a new point: N forward, N back and what the checkpoints run again. After the
/// objective at the same point only those back are left.
TEST(HeatInversion, GradientsTakeTheStepsOfTheSchedule) {
  constexpr int steps = 100;
  const auto counts_of = [&](const char* checkpoints, bool objective_first) {
    HeatInversionOptions o = options_of(2, 8, steps);
    o.reaction = {0.0, 0.0, 1.0};
    o.checkpoints = checkpoints;
    const auto problem = make(o);
    fill_uniform(problem->x(), RandomStream(2, "x"));
    if (objective_first) (void)problem->functions().objective(problem->x().view());
    const Vector g = problem->x().like("g");
    problem->functions().gradient(problem->x().view(), g.view());
    const SolveCounts counts = functions_of(*problem).solve_counts();
    EXPECT_EQ(counts.adjoint, steps);
    EXPECT_EQ(counts.incremental, 0);
    return counts.state;
  };
  EXPECT_EQ(counts_of("all", false), steps);
  EXPECT_EQ(counts_of("all", true), steps);
  EXPECT_LE(counts_of("sqrt", false), 2 * steps);
  EXPECT_GT(counts_of("sqrt", false), 3 * steps / 2);
  EXPECT_EQ(counts_of("binomial", true), binomial_advances(steps, 10) + 1);
}

TEST(HeatInversion, CheckpointsInFilesGiveTheSameGradient) {
  const libsolve::test::TemporaryFolder folder;
  const auto files = [&] {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      EXPECT_TRUE(entry.is_regular_file());
      ++count;
    }
    return count;
  };
  HeatInversionOptions o = options_of(2, 9, 12);
  o.reaction = {0.0, 1.0, 1.0};
  o.checkpoints = "sqrt";
  const auto memory = make(o);
  o.checkpoint_folder = folder.path();
  const auto gradient = [](NonlinearProgram& problem) {
    fill_uniform(problem.x(), RandomStream(2, "x"));
    const Vector g = problem.x().like("g");
    problem.functions().gradient(problem.x().view(), g.view());
    return libsolve::test::to_host(g);
  };
  {
    const auto stored = make(o);
    EXPECT_EQ(gradient(*stored), gradient(*memory));
    EXPECT_EQ(files(), static_cast<std::size_t>(keep_square_root(12).num_slots));
    EXPECT_EQ(functions_of(*stored).time_adjoint().checkpoint_bytes(), 0.0);
  }
  EXPECT_EQ(files(), 0U);
  o.checkpoint_folder = folder.path() + "/none";
  EXPECT_THROW(gradient(*make(o)), IoError);
}

TEST(HeatInversion, DataAreSimulatedFromTheTruth) {
  HeatInversionOptions o = options_of(2, 12, 6);
  o.noise = 0.0;
  o.value_cost = 0.0;
  const auto problem = make(o);
  Vector truth;
  for (const Field& f : problem->data())
    if (f.name == "true_initial") truth = f.values;
  ASSERT_NE(truth.data(), nullptr);
  EXPECT_LT(problem->functions().objective(truth.view()), 1e-25);
  // Noise of the standard deviation asked for.
  o.noise = 0.1;
  o.size = 64;
  const auto noisy = make(o);
  double largest = 0.0;
  Vector true_initial;
  for (const Field& f : noisy->data())
    if (f.name == "true_initial") true_initial = f.values;
  const Vector last = functions_of(*noisy).simulate(true_initial);
  largest = norm_max(last);
  const double misfit = noisy->functions().objective(true_initial.view());
  EXPECT_NEAR(std::sqrt(2.0 * misfit / last.local_size()), 0.1 * largest, 0.005 * largest);
}

TEST(HeatInversion, InitialStatesAndDataComeFromPictures) {
  const libsolve::test::TemporaryFolder folder;
  std::ofstream(folder.file("t.pgm")) << "P2 2 2 4 0 4 1 2";
  HeatInversionOptions o = options_of(2, 12, 4);
  Context context = {};
  context.registry = &heat_inversion::test::registry();
  context.base_folder = folder.path();
  const auto data_of = [&](const std::string& initial, const std::string& data) {
    o.initial = initial;
    o.data = data;
    return libsolve::test::to_host(HeatInversionSource(o, context).create()->data().back().values);
  };
  const std::string text = "(1-y)*(0.25*(1-x)+0.5*x)+y*x";
  const auto close = [](const std::vector<double>& a, const std::vector<double>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-15);
  };
  close(data_of("t.pgm", "simulated"), data_of(text, "simulated"));
  close(data_of("0", "t.pgm"), data_of("0", text));
}

/// Newton's method on the quadratic: the optimum solves (R^2 + gamma_0) m = R d mode by mode.
TEST(HeatInversion, NewtonCgRecoversTheInitialState) {
  Context context;
  context.registry = &heat_inversion::test::registry();
  HeatInversionOptions o = options_of(2, 24, 10);
  o.data = "sin(3.141592653589793*x)*(sin(3.141592653589793*y)-0.5*sin(6.283185307179586*y))";
  const auto problem = make(o);
  (void)problem->solution();  // as for its size, before a solve
  const auto method = context.make<ProgramSolver>(ComponentSpec("newton-cg"));
  const Report report = method->solve(*problem, Monitor::none());
  EXPECT_TRUE(report.converged()) << report.reason;
  const auto first = sine_mode(o, {1, 1, 1}), second = sine_mode(o, {1, 2, 1});
  const auto factor = [&](const std::array<int, 3>& k) {
    return decay(o, k) / (std::pow(decay(o, k), 2) + o.value_cost);
  };
  const double a = factor({1, 1, 1}), b = -0.5 * factor({1, 2, 1});
  const auto m = problem->host_x();
  for (std::size_t i = 0; i < m.size(); ++i)
    EXPECT_NEAR(m[i], a * first[i] + b * second[i], 1e-4 * a);
  EXPECT_LT(problem->kkt_residual().largest(), 1e-8);
  // A gradient: the objective before it has run forward.
  EXPECT_EQ(report.value("adjoint_solves"), 10.0 * report.value("gradient_evaluations"));
  EXPECT_EQ(report.value("incremental_solves"), 20.0 * report.value("cg_iterations"));
  EXPECT_EQ(report.value("state_solves"), 10.0 * report.value("objective_evaluations"));
  EXPECT_GT(report.value("krylov_iterations"), 0.0);
}

/// In place of the theta scheme; the minimum is that of the differential equation, mode by mode.
TEST(HeatInversion, IntegratorsFindTheInitialStateToTheirTolerance) {
  if (heat_inversion::test::registry().find(TimeIntegrator::kind, "cvodes") == nullptr)
    GTEST_SKIP() << "built without SUNDIALS";
  Context context;
  context.registry = &heat_inversion::test::registry();
  for (const char* integrator : {"cvodes", "arkode"}) {
    HeatInversionOptions o = options_of(2, 16, 1);
    o.integrator = ComponentSpec(integrator);
    o.integrator.options.set("relative_tolerance", Value(1e-8));
    o.integrator.options.set("absolute_tolerance", Value(1e-11));
    o.data = "sin(3.141592653589793*x)*sin(3.141592653589793*y)";
    const auto problem = make(o);
    ComponentSpec method("newton-cg");
    method.options.set("tolerance", Value(1e-6));
    const Report report = context.make<ProgramSolver>(method)->solve(*problem, Monitor::none());
    EXPECT_TRUE(report.converged()) << report.reason;
    const auto mode = sine_mode(o, {1, 1, 1});
    const double lambda = 2.0 * std::pow(2.0 * o.size * std::sin(pi / (2.0 * o.size)), 2);
    const double R = std::exp(-lambda * o.final_time), factor = R / (R * R + o.value_cost);
    const auto m = problem->host_x();
    for (std::size_t i = 0; i < m.size(); ++i) EXPECT_NEAR(m[i], factor * mode[i], 1e-4 * factor);
    EXPECT_GT(report.value("state_solves"), 0.0);
    EXPECT_GT(report.value("adjoint_solves"), 0.0);
    EXPECT_GT(report.value("incremental_solves"), 0.0);
    EXPECT_GT(report.value("rate_evaluations"), report.value("newton_iterations"));
    EXPECT_GT(report.value("linear_iterations"), 0.0);
    EXPECT_EQ(report.value("failed_runs"), 0.0);
  }
}

TEST(HeatInversion, IntegratorsOfAReactionNeedAnAdjoint) {
  if (heat_inversion::test::registry().find(TimeIntegrator::kind, "cvodes") == nullptr)
    GTEST_SKIP() << "built without SUNDIALS";
  HeatInversionOptions o = options_of(2, 6, 1);
  o.reaction = {-1.0, 0.5, 3.0};
  o.integrator = ComponentSpec("arkode");
  try {
    make(o);
    FAIL() << "ARKODE has no adjoint of it";
  } catch (const Unsupported& e) {
    EXPECT_NE(std::string(e.what()).find("problem.integrator"), std::string::npos) << e.what();
  }
  o.integrator = ComponentSpec("cvodes");
  o.integrator.options.set("relative_tolerance", Value(1e-10));
  o.integrator.options.set("absolute_tolerance", Value(1e-12));
  const auto problem = make(o);
  // Derivatives agree with differences as far as the tolerance lets them.
  fill_uniform(problem->x(), RandomStream(2, "x"));
  const Vector x = problem->x(), v = x.like("v"), g = x.like("g"), up = x.like("up"), at = x.like("at");
  fill_uniform(v, RandomStream(3, "v"));
  ProgramFunctions& f = problem->functions();
  f.gradient(x.view(), g.view());
  const double eps = 1e-3;
  linear_combination(1.0, x, eps, v, at);
  const double above = f.objective(at.view());
  f.gradient(at.view(), up.view());
  linear_combination(1.0, x, -eps, v, at);
  const double below = f.objective(at.view());
  const Vector down = x.like("down"), product = x.like("product");
  f.gradient(at.view(), down.view());
  EXPECT_NEAR(dot(g, v), (above - below) / (2.0 * eps), 1e-6 * norm2(g) * norm2(v));
  f.apply_hessian(x.view(), 1.0, problem->multipliers().view(), v.view(), product.view());
  linear_combination(0.5 / eps, up, -0.5 / eps, down, at);
  axpy(-1.0, product, at);
  EXPECT_LT(norm2(at), 1e-5 * norm2(product));
}

/// Whatever solves the steps, here to 1e-13: a network, or a relaxation factor tuned from step to
/// step.
TEST(HeatInversion, StepsTakeLearnedAndTunedSolvers) {
  const auto inner = [](const char* name, const char* preconditioner) {
    ComponentSpec spec(name);
    spec.options.set("preconditioner", Value(preconditioner));
    spec.options.set("relative_tolerance", Value(1e-13));
    return spec;
  };
  const auto tuned = [&](const char* tuner) {
    ComponentSpec spec("tuned");
    spec.options.set("solver", libsolve::detail::to_value(inner("cg", "ssor")));
    Value how;
    how.set("name", Value(tuner));
    spec.options.set("tuner", how);
    if (std::string(tuner) == "chebcb")
      spec.options.set("context_range", Value(Value::Array{Value(0.0), Value(1.0)}));
    return spec;
  };
  HeatInversionOptions o = options_of(2, 24, 12);
  o.weight = "integral";
  o.data = "0";
  o.value_cost = 0.0;
  const std::array<int, 3> k = {2, 1, 1};
  const std::vector<double> m = sine_mode(o, k);
  const double factor = std::pow(decay(o, k), 2) / std::pow(o.size, 2);
  for (const ComponentSpec& solver :
       {inner("cg", "learned-multigrid"), inner("flexible-cg", "dcdm"), tuned("relax-prior"),
        tuned("tsallis-inf"), tuned("chebcb")}) {
    o.solver = solver;
    const auto problem = make(o);
    const Vector x = problem->x(), g = x.like("g");
    libsolve::test::assign(x, m);
    problem->functions().gradient(x.view(), g.view());
    axpy(-factor, x, g);
    EXPECT_LT(norm2(g), 1e-10 * factor * norm2(x))
        << solver.name << " " << solver.options.to_text();
  }
}

TEST(HeatInversion, UnsolvedStepsGiveNaN) {
  HeatInversionOptions o = options_of(2, 16, 3);
  o.solver.options.set("max_iterations", Value(std::int64_t{1}));
  o.solver.options.set("preconditioner", Value("none"));
  o.data = "0";
  const auto problem = make(o);
  fill_uniform(problem->x(), RandomStream(2, "x"));
  EXPECT_TRUE(std::isnan(problem->functions().objective(problem->x().view())));
  EXPECT_GT(functions_of(*problem).scheme().counts().failures, 0);
  EXPECT_NE(functions_of(*problem).fault().find("time step"), std::string::npos);
  o.data = "simulated";
  try {
    (void)make(o);
    ADD_FAILURE() << "data that are not finite were taken";
  } catch (const DataError& e) {
    EXPECT_NE(std::string(e.what()).find("the simulated data are not finite: the system of a time "
                                         "step was not solved"), std::string::npos) << e.what();
  }
}

TEST(HeatInversion, RefusesBadOptions) {
  const auto fault_of = [](const HeatInversionOptions& o) {
    Diagnostics problems;
    HeatInversionOptions::check(o, "problem.", {}, problems);
    try {
      problems.throw_if_any();
    } catch (const InputError& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  HeatInversionOptions o;
  EXPECT_EQ(fault_of(o), "");
  o.initial = "sin(x";
  EXPECT_NE(fault_of(o).find("initial"), std::string::npos);
  o = {};
  o.reaction = {1.0, 2.0, 3.0, 4.0};
  EXPECT_NE(fault_of(o).find("reaction"), std::string::npos);
  o.reaction = {0.0, 1.0};
  o.checkpoints = "none";
  EXPECT_NE(fault_of(o).find("checkpoints"), std::string::npos);
  o.integrator = ComponentSpec("cvodes");  // which keeps states in its own way
  EXPECT_EQ(fault_of(o), "");
}

}  // namespace
