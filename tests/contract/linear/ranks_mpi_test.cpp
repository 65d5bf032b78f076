#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/grid_halo.hpp>

#include "contract_support.hpp"

/// What holds over ranks: the same problem solved on all of them together and on each alone takes
/// the same number of iterations, within one, and has the same solution.
namespace libsolve::test {
namespace {

struct Outcome {
  Report report;
  std::vector<double> x;  ///< the whole solution, natural order
};

/// The source's problem on `comm`, solved.
Outcome solve(const Communicator& comm, const Value& problem_options, const std::string& method,
              const Value& method_options) {
  Context context;
  context.registry = &all_plugins();
  context.seed = 1;
  context.communicator = comm;
  ComponentSpec source("poisson");
  source.options = problem_options;
  const auto problem = context.make<ProblemSource>(source)->create();
  auto& system = dynamic_cast<LinearSystem&>(*problem);
  ComponentSpec spec(method);
  spec.options = method_options;
  Outcome out;
  out.report = context.make<LinearSolver>(spec)->solve(system, Monitor::none());
  const GridPartition parts = comm.size() > 1 ? GridPartition(*system.grid, comm)
                                              : GridPartition(*system.grid);
  const GridHalo all(parts, Box{{0, 0, 0}, system.grid->cells});
  const VectorView x("x", static_cast<size_t>(system.grid->num_cells()));
  all.fetch<double>(system.x().view(), x);
  out.x = to_host(Vector(x, Partition(system.grid->num_cells())));
  return out;
}

Value grid(std::initializer_list<int> cells, Value options = {}) {
  std::vector<Value> size;
  for (const int n : cells) size.emplace_back(n);
  return option("size", Value(size), std::move(options));
}

void expect_same(const Value& problem, const std::string& method, const Value& options,
                 std::int64_t slack = 1) {
  const Outcome together = solve(Communicator::world(), problem, method, options);
  const Outcome alone = solve(Communicator::self(), problem, method, options);
  ASSERT_EQ(together.report.status, Status::converged) << together.report.reason;
  ASSERT_EQ(alone.report.status, Status::converged) << alone.report.reason;
  EXPECT_LE(std::abs(together.report.iterations - alone.report.iterations), slack)
      << together.report.iterations << " and " << alone.report.iterations;
  double largest = 0.0, difference = 0.0;
  for (size_t c = 0; c < alone.x.size(); ++c) {
    largest = std::max(largest, std::abs(alone.x[c]));
    difference = std::max(difference, std::abs(together.x[c] - alone.x[c]));
  }
  EXPECT_LE(difference, 1e-10 * largest);
}

Value tight(const std::string& preconditioner) {
  Value options = option("relative_tolerance", 1e-12);
  options.set("max_iterations", 2000);
  options.set("preconditioner", preconditioner);
  return options;
}

TEST(OverRanks, KrylovMethodsTakeTheSameSteps) {
  const Value problem = grid({20, 18, 16}, option("reaction", 10.0));
  for (const char* method : {"cg", "flexible-cg", "minres", "gmres"})
    for (const char* preconditioner : {"none", "jacobi", "chebyshev"}) {
      SCOPED_TRACE(std::string(method) + " with " + preconditioner);
      expect_same(problem, method, tight(preconditioner));
    }
  // Its residual jumps: rounding shifts the step that happens to meet the tolerance.
  expect_same(problem, "bicgstab", tight("jacobi"), 15);
  expect_same(problem, "lsmr",
              option("max_iterations", 5000, option("relative_tolerance", 1e-13)), 2);
}

TEST(OverRanks, AssembledMatricesTakeTheSameSteps) {
  const Value problem =
      grid({20, 18, 16}, option("storage", "csr", option("coefficient", "blocks",
                                                         option("decades", 2.0))));
  expect_same(problem, "cg", tight("jacobi"), 2);
  expect_same(problem, "gmres", tight("chebyshev"), 2);
}

TEST(OverRanks, RankLocalPreconditionersConverge) {
  const Value problem = grid({20, 18, 16});
  for (const char* preconditioner : {"ic0", "ilu0", "ssor", "block-jacobi"}) {
    SCOPED_TRACE(preconditioner);
    const Outcome together =
        solve(Communicator::world(), problem, "gmres", tight(preconditioner));
    EXPECT_EQ(together.report.status, Status::converged) << together.report.reason;
  }
}

/// Sizes that are cut more than once, odd ones, thin ones, and every kind of coarse levels.
TEST(OverRanks, MultigridTakesTheSameSteps) {
  const auto with = [](const char* key, Value value, Value options) {
    return option(key, std::move(value), std::move(options));
  };
  const std::vector<std::pair<const char*, Value>> problems = {
      {"constant", grid({64, 64, 64})},
      {"odd sizes", grid({65, 51, 70})},
      {"2D", grid({150, 131})},
      {"1D", grid({700})},
      {"small", grid({9, 8, 7})},
      {"thin", grid({100, 6, 5})},
      {"Neumann", with("boundary", "neumann", grid({40, 36, 44}))},
      {"blocks", with("coefficient", "blocks", grid({60, 60, 60}))},
      {"blocks, 2D", with("coefficient", "blocks", grid({150, 131}))},
      {"anisotropic", with("anisotropy", Value(std::vector<Value>{1.0, 1.0, 1000.0}),
                           grid({48, 48, 48}))},
      {"solids", with("mask", "spheres", grid({48, 48, 48}))},
      {"pieces", with("mask_boundary", "neumann", with("mask", "channels", grid({40, 40, 40})))},
  };
  for (const auto& [name, problem] : problems) {
    SCOPED_TRACE(name);
    expect_same(problem, "flexible-cg", tight("multigrid"));
  }
}

/// M r for the source's problem and its right-hand side r, natural order.
std::vector<double> multigrid_applied(const Communicator& comm, const Value& problem_options) {
  Context context;
  context.registry = &all_plugins();
  context.seed = 1;
  context.communicator = comm;
  ComponentSpec source("poisson");
  source.options = problem_options;
  const auto problem = context.make<ProblemSource>(source)->create();
  const auto& system = dynamic_cast<const LinearSystem&>(*problem);
  const auto M = context.make<Preconditioner>(ComponentSpec("multigrid"));
  M->setup(system);
  const Vector z = system.x().like("z");
  M->apply(system.b(), z);
  const GridPartition parts = comm.size() > 1 ? GridPartition(*system.grid, comm)
                                              : GridPartition(*system.grid);
  const GridHalo all(parts, Box{{0, 0, 0}, system.grid->cells});
  const VectorView whole("z", static_cast<size_t>(system.grid->num_cells()));
  all.fetch<double>(z.view(), whole);
  return to_host(Vector(whole, Partition(system.grid->num_cells())));
}

/// Piecewise-constant levels: the cycle over ranks is that of one rank to the last digit.
TEST(OverRanks, PiecewiseConstantCyclesHaveTheSameDigits) {
  for (const Value& problem :
       {grid({64, 48, 64}), grid({65, 51, 70}),
        grid({48, 48, 48}, option("mask", "spheres"))})
    EXPECT_EQ(multigrid_applied(Communicator::world(), problem),
              multigrid_applied(Communicator::self(), problem));
}

TEST(OverRanks, CyclesThatVisitTwice) {
  for (const char* cycle : {"V", "W", "F"}) {
    SCOPED_TRACE(cycle);
    Value options = tight("multigrid");
    Value preconditioner = option("name", "multigrid", option("cycle", cycle));
    options.set("preconditioner", preconditioner);
    expect_same(grid({64, 64, 64}), "flexible-cg", options);
    options.set("preconditioner", option("order", "symmetric", preconditioner));
    expect_same(grid({64, 48, 33}, option("coefficient", "blocks")), "cg", options);
  }
}

/// Conjugate gradients on a grid: a product needs one message to each neighbour, of one plane of
/// doubles.
TEST(OverRanks, MessagesAndReductionsAreCounted) {
  const Communicator world = Communicator::world();
  const Outcome out = solve(world, grid({8, 8, 4096}), "cg",
                            option("preconditioner", "jacobi", option("max_iterations", 20)));
  const double neighbours = world.size() > 2 ? 2.0 : 1.0;
  EXPECT_EQ(out.report.value("messages_per_iteration"), neighbours);
  EXPECT_EQ(out.report.value("message_bytes_per_iteration"), neighbours * 8 * 8 * 8);
  EXPECT_GE(out.report.value("reductions_per_iteration"), 2.0);
  EXPECT_LE(out.report.value("reductions_per_iteration"), 4.0);
  const Outcome alone = solve(Communicator::self(), grid({8, 8, 8}), "cg", {});
  EXPECT_TRUE(std::isnan(alone.report.value("messages_per_iteration")));
}

/// A set-up that fails on one rank must not leave the others waiting.
TEST(OverRanks, AFailureOnOneRankIsOneOfAll) {
  const Communicator world = Communicator::world();
  const Partition rows(world, 4);
  const Kokkos::View<GlobalIndex*, MemSpace> first("first", 5), columns("columns", 4);
  const VectorView values("values", 4);
  const auto f = Kokkos::create_mirror_view(first);
  const auto c = Kokkos::create_mirror_view(columns);
  const auto v = Kokkos::create_mirror_view(values);
  f(0) = 0;
  for (int i = 0; i < 4; ++i) {
    f(i + 1) = i + 1;
    c(i) = rows.first_row() + i;
    v(i) = world.rank() == 1 ? 0.0 : 1.0;  // a zero diagonal on one rank
  }
  Kokkos::deep_copy(first, f);
  Kokkos::deep_copy(columns, c);
  Kokkos::deep_copy(values, v);
  const auto A = std::make_shared<CsrMatrix>(rows, rows, first, columns, values);
  for (const std::string name : {"ilu0", "block-jacobi", "jacobi"}) {
    SCOPED_TRACE(name);
    const Vector b("b", rows);
    fill(b, 1.0);
    LinearSystem system(A, b, b.like("x"));
    Report report;
    try {
      report = make<LinearSolver>("gmres", option("preconditioner", name))
                   ->solve(system, Monitor::none());
    } catch (const Error&) {
      report.status = Status::breakdown;
    }
    EXPECT_NE(report.status, Status::converged);
    EXPECT_FALSE(world.any(report.status == Status::converged));
  }
}

}  // namespace
}  // namespace libsolve::test
