#include <libsolve/core/vector_kernels.hpp>
#include <tests/support/over_ranks.hpp>

#include "contract_support.hpp"

/// What holds over ranks: the same problem solved on all of them together and on each alone takes
/// the same number of iterations, within one, and has the same solution.
namespace libsolve::test {
namespace {

RankCase case_of(const Value& problem, const std::string& method, const Value& options) {
  return {.problem = problem, .method = method, .options = options};
}

RankOutcome solve(const Communicator& comm, const Value& problem, const std::string& method,
                  const Value& options) {
  return solve_on(all_plugins(), comm, case_of(problem, method, options));
}

void expect_same(const Value& problem, const std::string& method, const Value& options,
                 std::int64_t slack = 1) {
  RankCase c = case_of(problem, method, options);
  c.slack = slack;
  expect_same_on_ranks(all_plugins(), c);
}

Value grid(std::initializer_list<int> cells, Value options = {}) {
  return grid_of(cells, std::move(options));
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
    const RankOutcome together =
        solve(Communicator::world(), problem, "gmres", tight(preconditioner));
    EXPECT_EQ(together.report.status, Status::converged) << together.report.reason;
  }
}

/// Sizes that are cut more than once, odd ones, thin ones, and every kind of coarse levels.
TEST(OverRanks, MultigridTakesTheSameSteps) {
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
std::vector<double> multigrid_applied(const Communicator& comm, const Value& problem) {
  const auto system = system_on(all_plugins(), comm, "poisson", problem);
  const auto M = make<Preconditioner>("multigrid");
  M->setup(*system);
  M->apply(system->b(), system->x());
  return whole_solution(*system);
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
  const RankOutcome out = solve(world, grid({8, 8, 4096}), "cg",
                                option("preconditioner", "jacobi", option("max_iterations", 20)));
  const double neighbours = world.size() > 2 ? 2.0 : 1.0;
  EXPECT_EQ(out.report.value("messages_per_iteration"), neighbours);
  EXPECT_EQ(out.report.value("message_bytes_per_iteration"), neighbours * 8 * 8 * 8);
  EXPECT_GE(out.report.value("reductions_per_iteration"), 2.0);
  EXPECT_LE(out.report.value("reductions_per_iteration"), 4.0);
  const RankOutcome alone = solve(Communicator::self(), grid({8, 8, 8}), "cg", {});
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
