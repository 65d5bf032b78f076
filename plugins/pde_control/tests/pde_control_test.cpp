#include <algorithm>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random_vector.hpp>
#include <libsolve/pde/q1_operator.hpp>
#include <numbers>
#include <tests/support/monitors.hpp>
#include <tests/support/nodes.hpp>
#include <tests/support/small_programs.hpp>

#include "control_cases.hpp"
#include "cycle.hpp"
#include "dense_factors.hpp"
#include "preconditioners.hpp"

namespace {

using namespace control_cases;
using pde_control::Cycle;
using pde_control::CycleOptions;
using pde_control::CycleProblem;

constexpr double pi = std::numbers::pi;

TEST(DenseFactors, SolveWithRowExchanges) {
  // (0 2 1; 1 0 0; 3 0 1) (1, 2, 3) = (7, 1, 6): the first pivot is zero.
  std::vector<double> x = {7.0, 1.0, 6.0};
  pde_control::DenseFactors({0, 2, 1, 1, 0, 0, 3, 0, 1}, 3).solve(x);
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(x[static_cast<std::size_t>(i)], i + 1.0, 1e-15);
  EXPECT_THROW(pde_control::DenseFactors({1, 1, 1, 1}, 2), NumericalError);
}

Vector random_vector(const Partition& partition, const char* purpose) {
  const Vector v("v", partition);
  fill_uniform(v, RandomStream(3, purpose));
  return v;
}

/// <C v, w> against <v, C w> up to rounding in float, whatever the sweeps; and that a cycle takes
/// off most of the residual.
template <int F>
void expect_symmetric_cycle(const CycleProblem& problem, const CycleOptions& options,
                            double least_reduction) {
  const Q1ControlOperator K(problem.grid, problem.stiffness * problem.stiffness, problem.diagonal);
  const Q1Operator H(problem.grid,
                     q1_mass(problem.grid) + problem.stiffness * q1_stiffness(problem.grid));
  const Partition partition = F == 2 ? K.row_partition() : problem.grid.partition();
  Cycle<F> cycle(problem, options);
  const Vector v = random_vector(partition, "v"), w = random_vector(partition, "w"),
               Cv = v.like("Cv"), Cw = w.like("Cw"), r = v.like("r");
  cycle.apply(v, Cv);
  cycle.apply(w, Cw);
  EXPECT_NEAR(dot(Cv, w), dot(v, Cw), 2e-4 * norm2(Cv) * norm2(w));
  double after = 0.0;
  if constexpr (F == 2)
    after = std::sqrt(K.residual(v, Cv, r));
  else
    after = std::sqrt(H.residual(v, Cv, r));
  EXPECT_LT(after, least_reduction * norm2(v));
  EXPECT_EQ(cycle.num_cycles, 2);
}

TEST(Cycle, IsSymmetricAndReducesResiduals) {
  for (int d = 1; d <= 3; ++d) {
    const Index n = d == 1 ? 128 : d == 2 ? 48 : 16;
    CycleProblem problem;
    problem.grid = NodeGrid(d, {n, n, n}, {1.0, 1.0, 1.0});
    for (const double alpha : {1e-2, 1e-6}) {
      problem.stiffness = std::sqrt(alpha);
      for (const char* order : {"V", "W"}) {
        CycleOptions options;
        options.cycle = order;
        expect_symmetric_cycle<1>(problem, options, 0.3);
        expect_symmetric_cycle<2>(problem, options, 0.3);
      }
    }
  }
}

TEST(Cycle, TakesFixedControls) {
  CycleProblem problem;
  problem.grid = NodeGrid(2, {32, 32, 1}, {1.0, 1.0, 1.0});
  problem.stiffness = 1e-3;
  const Vector w = test::at_nodes(problem.grid, [&](double x, double y, double) {
    return (x - 0.5) * (x - 0.5) + (y - 0.4) * (y - 0.4) < 0.09 ? 0.0 : problem.grid.cell_volume();
  });
  problem.diagonal = w.view();
  expect_symmetric_cycle<2>(problem, {}, 0.3);
}

TEST(Cycle, LeavesOutWhatIsOutsideAMask) {
  for (int d = 1; d <= 3; ++d) {
    const Index n = d == 1 ? 128 : d == 2 ? 48 : 16;
    CycleProblem problem;
    const NodeGrid box(d, {n, n, n}, {1.0, 1.0, 1.0});
    problem.grid = box.masked(test::at_nodes(box, [](double x, double y, double) {
      return 0.2 - (x - 0.5) * (x - 0.5) - (y - 0.4) * (y - 0.4);
    }));
    problem.stiffness = 1e-2;
    expect_symmetric_cycle<1>(problem, {}, 0.4);
    expect_symmetric_cycle<2>(problem, {}, 0.4);
    const Vector w("w", problem.grid.partition());
    fill(w, problem.grid.cell_volume());
    problem.diagonal = w.view();
    expect_symmetric_cycle<2>(problem, {}, 0.4);
  }
}

TEST(Cycle, SolvesGridsOfOneLevelExactly) {
  // 5 cells a side cannot be halved: the coarsest solve, in float between.
  CycleProblem problem;
  problem.grid = NodeGrid(2, {5, 5, 1}, {1.0, 1.0, 1.0});
  problem.stiffness = 0.1;
  expect_symmetric_cycle<2>(problem, {}, 1e-5);
  problem.grid = NodeGrid(2, {101, 101, 1}, {1.0, 1.0, 1.0});
  EXPECT_THROW(Cycle<2>(problem, {}), ShapeError);
}

class PdeControl : public ControlTest {};

constexpr double betas[] = {1e-2, 1e-4, 1e-6, 1e-8};

/// 1e-6 in at most 6 collective cycles or 8 Krylov steps, whatever h and beta.
TEST_F(PdeControl, StepsDoNotDependOnMeshOrBeta) {
  for (const int dimension : {2, 3})
    for (const int size : dimension == 2 ? std::vector<int>{32, 64, 128} : std::vector<int>{32})
      for (const double beta : betas) {
        const Value source = options({{"size", size}, {"dimension", dimension}, {"beta", beta}});
        const auto program = make(source);
        const Report collective = solve(*program, "collective-multigrid");
        EXPECT_TRUE(collective.converged()) << collective.reason;
        EXPECT_LE(collective.iterations, 6) << size << " " << beta;
        EXPECT_EQ(collective.value("collective_v_cycles"), collective.iterations);
        const double residual = relative_residual(*program);
        EXPECT_LE(residual, 1e-6);
        EXPECT_NEAR(residual, collective.value("relative_kkt_residual"), 1e-3 * residual + 1e-14);
        const auto again = make(source);
        const Report krylov = solve(*again, "full-space-krylov");
        EXPECT_TRUE(krylov.converged()) << krylov.reason;
        EXPECT_LE(krylov.iterations, 8) << size << " " << beta;
        EXPECT_EQ(krylov.value("krylov_iterations"), krylov.iterations);
        EXPECT_LE(relative_residual(*again), 1e-6);
      }
}

TEST_F(PdeControl, EveryPreconditionerIsRobust) {
  const std::pair<const char*, int> most_steps[] = {
      {"presb", 8}, {"zulehner", 17}, {"pearson-wathen", 26}, {"collective-multigrid", 8}};
  for (const auto& [name, most] : most_steps)
    for (const double beta : betas) {
      const auto program = make(options({{"size", 64}, {"beta", beta}}));
      const Report report =
          solve(*program, "full-space-krylov", options({{"preconditioner", Value(name)}}));
      EXPECT_TRUE(report.converged()) << name << ": " << report.reason;
      EXPECT_LE(report.iterations, most) << name << " at beta " << beta;
      EXPECT_LE(relative_residual(*program), 1e-6);
      const bool is_collective = std::string(name) == "collective-multigrid";
      EXPECT_GT(report.value(is_collective ? "collective_v_cycles" : "v_cycles"), 0.0);
    }
}

/// The known discrete optimum for the target "sine" (README of poisson_control).
TEST_F(PdeControl, FindsTheKnownDiscreteOptimum) {
  for (const int dimension : {1, 2, 3})
    for (const char* method : {"collective-multigrid", "full-space-krylov"}) {
      const int size = 16;
      const double beta = 1e-4, alpha = 2.0 * beta;
      const auto program = make(options(
          {{"size", size}, {"dimension", dimension}, {"beta", beta}, {"target", Value("sine")}}));
      const Report report = solve(*program, method, options({{"relative_tolerance", 1e-10}}));
      ASSERT_TRUE(report.converged()) << report.reason;
      const NodeGrid& grid = dynamic_cast<const Q1Control&>(program->functions()).nodes();
      const double h = 1.0 / size, cosine = std::cos(pi * h);
      const double ratio =
          dimension * ((2.0 - 2.0 * cosine) / h) / (h / 6.0 * (4.0 + 2.0 * cosine));
      const double a =
          (1.0 + alpha * dimension * dimension * std::pow(pi, 4)) / (1.0 + alpha * ratio * ratio);
      const auto sine = test::to_host(test::sine_mode(grid)), x = program->host_x(),
                 lambda = program->host_multipliers();
      for (std::size_t i = 0; i < sine.size(); ++i) {
        EXPECT_NEAR(x[i], a * sine[i], 1e-8);
        EXPECT_NEAR(x[sine.size() + i], a * ratio * sine[i], 1e-6);
        EXPECT_NEAR(lambda[i], alpha * a * ratio * sine[i], 1e-8);
      }
    }
}

/// Errors against the continuous optimum fall by 4 when cells are halved: state, control, adjoint.
TEST_F(PdeControl, OptimaAreOfSecondOrder) {
  for (const int dimension : {2, 3}) {
    double error[2][3] = {};
    for (int s = 0; s < 2; ++s) {
      const int size = 16 << s;
      const double beta = 1e-3;
      const auto program = make(options(
          {{"size", size}, {"dimension", dimension}, {"beta", beta}, {"target", Value("sine")}}));
      ASSERT_TRUE(solve(*program, "collective-multigrid", options({{"relative_tolerance", 1e-10}}))
                      .converged());
      const NodeGrid& grid = dynamic_cast<const Q1Control&>(program->functions()).nodes();
      const auto sine = test::to_host(test::sine_mode(grid)), x = program->host_x(),
                 lambda = program->host_multipliers();
      const double u = dimension * pi * pi;
      for (std::size_t i = 0; i < sine.size(); ++i) {
        error[s][0] = std::max(error[s][0], std::abs(x[i] - sine[i]));
        error[s][1] = std::max(error[s][1], std::abs(x[sine.size() + i] - u * sine[i]));
        error[s][2] = std::max(error[s][2], std::abs(lambda[i] - 2.0 * beta * u * sine[i]));
      }
    }
    for (int k = 0; k < 3; ++k) EXPECT_NEAR(std::log2(error[0][k] / error[1][k]), 2.0, 0.1);
  }
}

/// An L, a disk, and half the square: steps hardly grow, and nothing happens outside.
TEST_F(PdeControl, DomainsInsideTheSquare) {
  for (const char* domain : {"max(0.5 - x, 0.5 - y)", "0.2 - (x - 0.5)^2 - (y - 0.5)^2", "0.5 - x"})
    for (const double beta : {1e-2, 1e-6}) {
      const Value source = options({{"size", 64},
                                    {"beta", beta},
                                    {"target", Value("1 + sin(3 * x) * y")},
                                    {"boundary", Value("zero")},
                                    {"domain", Value(domain)}});
      for (const char* method : {"collective-multigrid", "full-space-krylov"}) {
        const auto program = make(source);
        const Report report = solve(*program, method, options({{"relative_tolerance", 1e-6}}));
        EXPECT_TRUE(report.converged()) << domain << " " << method << ": " << report.reason;
        EXPECT_LE(report.iterations, method == std::string("full-space-krylov") ? 14 : 7) << domain;
        EXPECT_LE(relative_residual(*program), 1e-6);
        const auto x = test::to_host(program->x());
        const auto* control = dynamic_cast<const Q1Control*>(&program->functions());
        const auto mask =
            Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), control->nodes().mask());
        double inside = 0.0;
        for (Index j = 0; j < 63; ++j)
          for (Index i = 0; i < 63; ++i) {
            const double y = x[static_cast<std::size_t>(i + 63 * j)];
            if (mask(static_cast<std::size_t>(control->nodes().rows().place(i, j, 0))) > 0.0)
              inside = std::max(inside, std::abs(y));
            else
              EXPECT_EQ(y, 0.0);
          }
        EXPECT_GT(inside, 1e-3);
      }
    }
}

TEST_F(PdeControl, PlainCyclesConvergeToo) {
  const auto program = make(options({{"size", 64}, {"beta", 1e-4}}));
  const Report report = solve(*program, "collective-multigrid",
                              options({{"accelerated", false}, {"nested_iteration", false}}));
  EXPECT_TRUE(report.converged()) << report.reason;
  EXPECT_LE(report.iterations, 12);
  EXPECT_LE(relative_residual(*program), 1e-6);
}

TEST_F(PdeControl, StartsFromWhatIsThere) {
  const auto program = make(options({{"size", 64}, {"beta", 1e-4}}));
  ASSERT_TRUE(solve(*program, "collective-multigrid").converged());
  const Report again = solve(*program, "collective-multigrid");
  EXPECT_TRUE(again.converged());
  EXPECT_LE(again.iterations, 1);
  const Report further =
      solve(*program, "full-space-krylov", options({{"relative_tolerance", 1e-9}}));
  EXPECT_TRUE(further.converged()) << further.reason;
  EXPECT_LE(relative_residual(*program), 1e-9);
}

TEST_F(PdeControl, LumpedControlsAndOddSizes) {
  for (const char* method : {"collective-multigrid", "full-space-krylov"}) {
    const auto program =
        make(options({{"size", 72}, {"beta", 1e-5}, {"control_mass", Value("lumped")}}));
    const Report report = solve(*program, method);
    EXPECT_TRUE(report.converged()) << report.reason;
    EXPECT_LE(relative_residual(*program), 1e-6);
  }
}

TEST_F(PdeControl, ZeroDataNeedNoSteps) {
  for (const char* method :
       {"collective-multigrid", "full-space-krylov", "primal-dual-active-set"}) {
    const auto program =
        make(options({{"size", 8}, {"target", Value("0*x")}, {"control_mass", Value("lumped")}}));
    const Report report = solve(*program, method);
    EXPECT_TRUE(report.converged()) << method << ": " << report.reason;
    EXPECT_EQ(norm_max(program->x()), 0.0);
  }
}

TEST_F(PdeControl, LimitsAndStopsAreTold) {
  const auto program = make(options({{"size", 32}}));
  EXPECT_EQ(solve(*program, "collective-multigrid",
                  options({{"max_iterations", 1}, {"relative_tolerance", 1e-10}}))
                .status,
            Status::max_iterations);
  const auto stopped = make(options({{"size", 32}}));
  test::RecordingMonitor monitor(1, Verdict::interrupted);
  EXPECT_EQ(solve(*stopped, "collective-multigrid", {}, monitor).status, Status::interrupted);
  EXPECT_EQ(monitor.names.front(), "relative_kkt_residual");
  // What there was after that step is kept.
  EXPECT_GT(norm_max(stopped->x()), 0.0);
}

/// Networks, tuned relaxation, sweeps and polynomials in place of the cycles for H: nearly the
/// steps of the default, the same solution.
TEST_F(PdeControl, SystemsWithHTakeAnySolverByName) {
  const Value tuned = options({{"name", Value("tuned")}, {"solver", rough("cg", "ssor")}});
  // In 3D the network is asked for a cycle, whatever the size of the grid.
  const Value learned = options({{"name", Value("learned-multigrid")}, {"min_cells", 1}});
  struct Case {
    int dimension;
    Value solver;
  };
  const Case cases[] = {{2, rough("flexible-cg", "dcdm")},
                        {2, options({{"name", Value("dcdm")}, {"relative_tolerance", 1e-2}})},
                        {2, rough("cg", "ssor")},
                        {2, rough("cg", "chebyshev")},
                        {2, tuned},
                        {3, rough("cg", learned)},
                        {3, rough("flexible-cg", "dcdm")}};
  for (const char* name : {"presb", "zulehner", "pearson-wathen"})
    for (const Case& c : cases) {
      const Value source = options(
          {{"size", c.dimension == 2 ? 32 : 16}, {"dimension", c.dimension}, {"beta", 1e-4}});
      const auto expected = make(source), program = make(source);
      const int steps = static_cast<int>(
          solve(*expected, "full-space-krylov", options({{"preconditioner", Value(name)}}))
              .iterations);
      const Value inside = options({{"name", Value(name)}, {"solver", c.solver}});
      const Report report =
          solve(*program, "full-space-krylov", options({{"preconditioner", inside}}));
      const std::string what = std::string(name) + " " + c.solver.to_text();
      ASSERT_TRUE(report.converged()) << what << ": " << report.reason;
      EXPECT_LE(report.iterations, steps + 2) << what;
      EXPECT_LE(relative_residual(*program), 1e-6) << what;
      EXPECT_GE(report.value("inner_solves"), 2.0 * static_cast<double>(report.iterations)) << what;
      EXPECT_GT(report.value("inner_iterations"), report.value("inner_solves")) << what;
      EXPECT_EQ(report.value("inner_failures"), 0.0) << what;
      EXPECT_EQ(report.value("v_cycles"), 0.0) << what;
      axpy(-1.0, expected->x(), program->x());
      EXPECT_LE(norm2(program->x()), 1e-3 * norm2(expected->x())) << what;
    }
}

/// Grids that cannot be halved often enough for the cycles, and domains inside the box, too; minres
/// says why it is the wrong one.
TEST_F(PdeControl, SolversByNameTakeAnyGrid) {
  const Value ssor = options({{"name", Value("zulehner")}, {"solver", rough("cg", "ssor")}});
  const auto odd = make(options({{"size", 101}}));
  EXPECT_TRUE(solve(*odd, "full-space-krylov", options({{"preconditioner", ssor}})).converged());
  EXPECT_LE(relative_residual(*odd), 1e-6);
  const Value source = options({{"size", 48},
                                {"boundary", Value("zero")},
                                {"domain", Value("0.2 - (x - 0.5)^2 - (y - 0.5)^2")}});
  const std::int64_t steps = solve(*make(source), "full-space-krylov").iterations;
  for (const char* inner : {"multigrid", "ic0"}) {
    const auto disc = make(source);
    const Value presb = options({{"name", Value("presb")}, {"solver", rough("cg", inner)}});
    const Report report = solve(*disc, "full-space-krylov", options({{"preconditioner", presb}}));
    EXPECT_TRUE(report.converged()) << inner << ": " << report.reason;
    EXPECT_LE(report.iterations, steps + 2) << inner;
    EXPECT_LE(relative_residual(*disc), 1e-6) << inner;
  }
  const Value wrong = options({{"preconditioner", ssor}, {"krylov", Value("minres")}});
  EXPECT_THROW((void)solve(*odd, "full-space-krylov", wrong), Unsupported);
}

TEST_F(PdeControl, RefusesWhatItCannotSolve) {
  const auto bounded = make(options({{"size", 8}, {"control_upper", 0.0}}));
  EXPECT_THROW((void)solve(*bounded, "collective-multigrid"), Unsupported);
  EXPECT_THROW((void)solve(*bounded, "full-space-krylov"), Unsupported);
  const auto consistent =
      make(options({{"size", 8}, {"control_upper", 0.0}, {"control_mass", Value("consistent")}}));
  EXPECT_THROW((void)solve(*consistent, "primal-dual-active-set"), Unsupported);
  const auto odd = make(options({{"size", 101}}));
  EXPECT_THROW((void)solve(*odd, "collective-multigrid"), ShapeError);
  NonlinearProgram other(std::make_shared<test::SmallProgram>(1, 0, test::SmallProgram::Parts{}),
                         Bounds{{-1.0}, {1.0}}, Bounds{}, {0.0});
  for (const char* method : {"collective-multigrid", "full-space-krylov", "primal-dual-active-set"})
    EXPECT_THROW((void)solve(other, method), Unsupported);
  // A preconditioner for this system given another one.
  const auto presb = context(Communicator::self()).make<Preconditioner>(ComponentSpec("presb"));
  const NodeGrid grid(2, {4, 4, 1}, {1.0, 1.0, 1.0});
  const Vector b("b", grid.partition());
  const LinearSystem mass(std::make_shared<Q1Operator>(grid, q1_mass(grid)), b, b.like("x"));
  EXPECT_THROW(presb->setup(mass), Unsupported);
}

/// Bounds hold exactly, signs and complementarity too; so this is the optimum of a convex program.
void expect_optimal(NonlinearProgram& program, double tolerance) {
  EXPECT_EQ(program.kkt_residual().complementarity, 0.0);
  EXPECT_LE(relative_residual(program), tolerance);
  const auto x = program.host_x(), z = program.host_bound_multipliers();
  const Bounds& bounds = program.variable_bounds();
  for (std::size_t i = 0; i < x.size(); ++i) {
    EXPECT_LE(x[i], bounds.upper[i]);
    EXPECT_GE(x[i], bounds.lower[i]);
    if (z[i] > 0.0) {
      EXPECT_EQ(x[i], bounds.upper[i]);
    }
    if (z[i] < 0.0) {
      EXPECT_EQ(x[i], bounds.lower[i]);
    }
  }
}

Value bounded_case(int size, double alpha) {
  return options({{"size", size},
                  {"beta", alpha},
                  {"convention", Value("half-beta")},
                  {"target", Value("sin(2*pi*x) * sin(2*pi*y) * exp(2*x) / 6")},
                  {"boundary", Value("zero")},
                  {"control_upper", 0.0}});
}

/// At most 10 active sets on the grid asked for, down to alpha 1e-8 at every h.
TEST_F(PdeControl, ActiveSetsRepeatSoon) {
  for (const int size : {32, 64, 128})
    for (const double alpha : {1e-2, 1e-4, 1e-6, 1e-8}) {
      const auto program = make(bounded_case(size, alpha));
      const Report report = solve(*program, "primal-dual-active-set");
      EXPECT_TRUE(report.converged()) << report.reason;
      EXPECT_LE(report.iterations, 10) << size << ", alpha " << alpha;
      EXPECT_GT(report.value("collective_v_cycles"), 0.0);
      expect_optimal(*program, 1e-8);
    }
}

TEST_F(PdeControl, ActiveSetsWithBoundsOnBothSides) {
  for (const int dimension : {2, 3}) {
    const auto program =
        make(options({{"size", dimension == 2 ? 64 : 16},
                      {"dimension", dimension},
                      {"beta", 1e-5},
                      {"target", Value("sin(2*pi*x) * sin(2*pi*y) * exp(2*x) / 6")},
                      {"boundary", Value("zero")},
                      {"control_lower", -2.0},
                      {"control_upper", 3.0}}));
    const Report report = solve(*program, "primal-dual-active-set");
    ASSERT_TRUE(report.converged()) << report.reason;
    expect_optimal(*program, 1e-8);
    const auto z = program->host_bound_multipliers();
    EXPECT_TRUE(std::any_of(z.begin(), z.end(), [](double v) { return v > 0.0; }));
    EXPECT_TRUE(std::any_of(z.begin(), z.end(), [](double v) { return v < 0.0; }));
  }
}

/// Nodes outside of a domain have neither state nor control: the sets are of those inside.
TEST_F(PdeControl, ActiveSetsOnADomain) {
  for (const char* domain : {"0.2 - (x - 0.5)^2 - (y - 0.5)^2", "max(0.5 - x, 0.5 - y)"}) {
    Value source = bounded_case(32, 1e-5);
    source.set("control_lower", Value(-3.0));
    source.set("domain", Value(domain));
    const auto program = make(source);
    const Report report = solve(*program, "primal-dual-active-set");
    ASSERT_TRUE(report.converged()) << domain << ": " << report.reason;
    expect_optimal(*program, 1e-8);
    EXPECT_LT(program->kkt_residual().largest(), 1e-6) << domain;
    const auto z = program->host_bound_multipliers(), x = program->host_x();
    EXPECT_TRUE(std::any_of(z.begin(), z.end(), [](double v) { return v > 0.0; })) << domain;
    const std::size_t n = x.size() / 2;
    std::size_t num_outside = 0;
    for (std::size_t i = 0; i < n; ++i) {
      if (std::isfinite(program->variable_bounds().lower[n + i])) continue;
      ++num_outside;
      // Unknowns of their own, solved as the others are: to 1e-8.
      EXPECT_NEAR(x[i], 0.0, 1e-8);
      EXPECT_NEAR(x[n + i], 0.0, 1e-8);
    }
    EXPECT_GT(num_outside, 100U) << domain;
  }
}

/// From the coarser grids' solutions the sets flip for ever here (the boundary values are rough for
/// them): the method notices, and starts from zero.
TEST_F(PdeControl, ActiveSetsStartAgainWhereTheyFlip) {
  const auto program = make(
      options({{"size", 64}, {"beta", 1e-8}, {"control_lower", -20.0}, {"control_upper", 3.0}}));
  const Report report = solve(*program, "primal-dual-active-set");
  ASSERT_TRUE(report.converged()) << report.reason;
  EXPECT_GT(report.iterations, 8);
  expect_optimal(*program, 1e-8);
}

TEST_F(PdeControl, ActiveSetsFromZeroAndWithoutBounds) {
  const auto program = make(bounded_case(32, 1e-4));
  const Report report =
      solve(*program, "primal-dual-active-set", options({{"nested_grids", false}}));
  EXPECT_TRUE(report.converged()) << report.reason;
  EXPECT_LE(report.iterations, 10);
  expect_optimal(*program, 1e-8);
  // Without bounds there is one set, and the solution is that of the other methods.
  const Value free = options({{"size", 32}, {"control_mass", Value("lumped")}});
  const auto one = make(free), other = make(free);
  ASSERT_TRUE(solve(*one, "primal-dual-active-set").converged());
  ASSERT_TRUE(
      solve(*other, "collective-multigrid", options({{"relative_tolerance", 1e-9}})).converged());
  axpy(-1.0, one->x(), other->x());
  EXPECT_LT(norm_max(other->x()), 1e-6 * norm_max(one->x()));
}

}  // namespace
