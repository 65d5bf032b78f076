#include <gtest/gtest.h>

#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/csr_matrix.hpp>
#include <libsolve/plugin/loader.hpp>
#include <tests/support/over_ranks.hpp>
#include <tests/support/preconditioners.hpp>

#include "methods.hpp"

/// PETSc's, hypre's and MUMPS' methods on the ranks together and on each alone.
namespace {

using namespace libsolve;
using namespace petsc_plugin;
using test::contains;
using test::grid_of;
using test::RankCase;
using test::with;

/// The methods of the build, as users reach them.
const Registry& all_plugins() {
  static const Registry* registry = [] {
    auto* r = new Registry;  // never destroyed: nothing may run after main
    load_plugins(*r, {.files = {}, .path = "", .installed_folder = std::nullopt});
    return r;
  }();
  return *registry;
}

Value tight(double tolerance = 1e-12) {
  return with("relative_tolerance", tolerance);
}

Value blocks(Value options = {}) {
  return with("coefficient", "blocks", with("decades", 6.0, std::move(options)));
}

struct Problem {
  const char* name;
  Value options;
  /// By which algebraic multigrid may differ: it chooses aggregates and coarse points rank by rank.
  std::int64_t slack = 1;
};

std::vector<Problem> grids() {
  return {{"constant", grid_of({16, 14, 15})},
          {"blocks", blocks(grid_of({16, 14, 15})), 8},
          {"matrix", with("storage", "csr", blocks(grid_of({12, 14, 10}))), 8},
          {"2D", grid_of({40, 33})},
          {"Neumann", with("boundary", "neumann", grid_of({16, 16, 16}))}};
}

// ---- the same on any number of ranks ------------------------------------------------------------

/// PFMG's levels and sweeps do not know of ranks: the same steps.
TEST(PetscRanks, PfmgTakesTheSameSteps) {
  for (const Problem& p : grids()) {
    if (p.name == std::string("matrix")) continue;
    SCOPED_TRACE(p.name);
    test::expect_same_on_ranks(all_plugins(),
                               {.problem = p.options, .method = "hypre-pfmg", .options = tight()});
  }
}

/// Small ones: MUMPS sends many messages, each a turn of a busy machine.
TEST(PetscRanks, FactorsOfMumpsNeedOneStep) {
  const std::vector<Problem> small = {
      {"constant", grid_of({7, 6, 8})},
      {"blocks", blocks(grid_of({7, 6, 8}))},
      {"matrix", with("storage", "csr", blocks(grid_of({6, 7, 5})))},
      {"Neumann", with("boundary", "neumann", grid_of({12, 11}))}};
  for (const Problem& p : small) {
    SCOPED_TRACE(p.name);
    test::expect_same_on_ranks(all_plugins(),
                               {.problem = p.options, .method = "mumps", .options = tight()});
  }
}

TEST(PetscRanks, AlgebraicMultigridTakesNearlyTheSameSteps) {
  for (const char* method : {"petsc-gamg", "hypre-boomeramg"})
    for (const Problem& p : grids()) {
      SCOPED_TRACE(std::string(method) + ", " + p.name);
      test::expect_same_on_ranks(
          all_plugins(),
          {.problem = p.options, .method = method, .options = tight(), .slack = p.slack});
    }
}

TEST(PetscRanks, PreconditionersServeOurMethods) {
  for (const char* preconditioner : {"petsc-gamg", "hypre-boomeramg", "hypre-pfmg"}) {
    SCOPED_TRACE(preconditioner);
    test::expect_same_on_ranks(all_plugins(),
                               {.problem = grid_of({14, 12, 15}),
                                .method = "cg",
                                .options = with("preconditioner", preconditioner, tight()),
                                .slack = 2});
  }
}

/// Products by our operator in PETSc's Krylov method.
TEST(PetscRanks, ShellsMultiplyOverRanks) {
  Value options = with("options", "-ksp_type cg -pc_type jacobi", tight());
  options.set("matrix_free", true);
  test::expect_same_on_ranks(
      all_plugins(), {.problem = grid_of({14, 12, 10}), .method = "petsc", .options = options});
}

// ---- matrices by rows ---------------------------------------------------------------------------

template <class T>
Kokkos::View<T*, MemSpace> device(const std::vector<T>& v) {
  const Kokkos::View<T*, MemSpace> d("test", v.size());
  const auto h = Kokkos::create_mirror_view(d);
  std::copy(v.begin(), v.end(), h.data());
  Kokkos::deep_copy(d, h);
  return d;
}

/// Rows of a matrix that `entry(i, j)` gives; the rank's share of n of them.
template <class Entry>
std::shared_ptr<CsrMatrix> matrix_of(const Communicator& comm, Index n, const Entry& entry) {
  const Partition rows(comm, n / comm.size() + (comm.rank() < n % comm.size() ? 1 : 0));
  std::vector<GlobalIndex> first = {0}, columns;
  std::vector<double> values;
  for (Index l = 0; l < rows.local_size(); ++l) {
    for (Index j = 0; j < n; ++j) {
      const double a = entry(static_cast<Index>(rows.first_row()) + l, j);
      if (a == 0.0) continue;
      columns.push_back(j);
      values.push_back(a);
    }
    first.push_back(static_cast<GlobalIndex>(columns.size()));
  }
  return std::make_shared<CsrMatrix>(rows, rows, device(first), device(columns), device(values));
}

/// b = A x for x_i = i + 1.
std::unique_ptr<LinearSystem> system_of(const std::shared_ptr<CsrMatrix>& A) {
  const Partition& rows = A->row_partition();
  const Vector x("x", rows), b("b", rows);
  std::vector<double> values(static_cast<size_t>(rows.local_size()));
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<double>(rows.first_row()) + static_cast<double>(i) + 1.0;
  test::assign(x, values);
  A->apply(x, b);
  auto system = std::make_unique<LinearSystem>(A, b, x.like("start"));
  system->exact_solution = x;
  return system;
}

double error_of(const LinearSystem& system) {
  const Vector e = system.x().like("e");
  linear_combination(1.0, system.x(), -1.0, *system.exact_solution, e);
  return norm2(e) / norm2(*system.exact_solution);
}

/// Unsymmetric, entries far from the diagonal.
double far_apart(Index i, Index j) {
  if (i == j) return 9.0 + 0.1 * i;
  const Index d = std::abs(i - j);
  return d == 1 || d == 7 || d == 23 ? (i < j ? -1.0 : -2.0) / (1.0 + d) : 0.0;
}

using MumpsSolver = LinearMethod<DirectOptions<Mumps>>;
using AnyPetsc = LinearMethod<IterativeOptions<AnyKsp>>;

TEST(PetscRanks, UnsymmetricMatrices) {
  const auto A = matrix_of(Communicator::world(), 61, far_apart);
  auto system = system_of(A);
  const Report factors = MumpsSolver({}, {}).solve(*system, Monitor::none());
  EXPECT_TRUE(factors.converged()) << factors.reason;
  EXPECT_LE(error_of(*system), 1e-12);
  EXPECT_LE(factors.iterations, 2);

  AnyPetsc::Options options;
  options.options = "-ksp_type gmres -pc_type asm";
  options.criteria.relative_tolerance = 1e-12;
  fill(system->x(), 0.0);
  const Report report = AnyPetsc(options, {}).solve(*system, Monitor::none());
  EXPECT_TRUE(report.converged()) << report.reason;
  EXPECT_LE(error_of(*system), 1e-10);
}

/// Three rows: the last of four ranks has none.
TEST(PetscRanks, RanksWithoutRows) {
  const auto A = matrix_of(Communicator::world(), 3, [](Index i, Index j) {
    return i == j ? 2.0 : std::abs(i - j) == 1 ? -1.0 : 0.0;
  });
  const auto check = [&](LinearSolver& solver) {
    auto system = system_of(A);
    const Report report = solver.solve(*system, Monitor::none());
    EXPECT_TRUE(report.converged()) << report.reason;
    EXPECT_LE(error_of(*system), 1e-7);
  };
  MumpsSolver mumps({}, {});
  check(mumps);
  LinearMethod<IterativeOptions<BoomerAmg>> boomer({}, {});
  check(boomer);
  LinearMethod<IterativeOptions<Gamg>> gamg({}, {});
  check(gamg);
}

/// Two chains, 0..8 and 9..19, each without a Dirichlet end; the second begins inside a rank.
TEST(PetscRanks, EachComponentOfTheNullSpaceIsPinnedOnce) {
  const auto A = matrix_of(Communicator::world(), 20, [](Index i, Index j) {
    const auto linked = [](Index a) { return a >= 0 && a < 19 && a != 8; };  // a with a + 1
    if (i == j) return (linked(i) ? 1.0 : 0.0) + (linked(i - 1) ? 1.0 : 0.0);
    return std::abs(i - j) == 1 && linked(std::min(i, j)) ? -1.0 : 0.0;
  });
  auto system = system_of(A);
  const Partition& rows = A->row_partition();
  std::vector<Index> labels(static_cast<size_t>(rows.local_size()));
  for (size_t i = 0; i < labels.size(); ++i)
    labels[i] = rows.first_row() + static_cast<GlobalIndex>(i) <= 8 ? 0 : 1;
  system->null_space = NullSpace(device(labels), 2, rows);
  system->null_space->project_out(*system->exact_solution);
  const auto pinned = one_row_of_each_component(*system->null_space, rows);
  EXPECT_EQ(rows.communicator().sum(static_cast<std::int64_t>(pinned.size())), 2);
  const Report report = MumpsSolver({}, {}).solve(*system, Monitor::none());
  EXPECT_TRUE(report.converged()) << report.reason;
  EXPECT_LE(error_of(*system), 1e-12);
}

// ---- what is told -------------------------------------------------------------------------------

/// Bytes are those of all ranks, applications are those of the whole.
TEST(PetscRanks, MetricsAreThoseOfAllRanks) {
  const RankCase c = {.problem = grid_of({32, 32, 32}), .method = "hypre-pfmg"};
  const Report together = solve_on(all_plugins(), Communicator::world(), c).report;
  const Report alone = solve_on(all_plugins(), Communicator::self(), c).report;
  EXPECT_GE(together.value("memory_bytes"), 0.9 * alone.value("memory_bytes"));
  EXPECT_LE(together.value("memory_bytes"), 2.0 * alone.value("memory_bytes"));
  EXPECT_EQ(together.value("preconditioner_applications"),
            alone.value("preconditioner_applications"));
  const RankCase direct = {.problem = grid_of({8, 8, 8}), .method = "mumps"};
  const Report factors = solve_on(all_plugins(), Communicator::world(), direct).report;
  const double most = Communicator::world().max(factors.value("factor_entries"));
  EXPECT_EQ(factors.value("factor_entries"), most);
  EXPECT_GT(most, 8.0 * 8 * 8 * 4);
}

// ---- failures -----------------------------------------------------------------------------------

template <class Expected>
std::string refusal(const RankCase& c) {
  return test::message_of<Expected>(
      [&] { (void)solve_on(all_plugins(), Communicator::world(), c); });
}

TEST(PetscRanks, FactorsOfPetscRefuseAndNameMumps) {
  const std::string message =
      refusal<Unsupported>({.problem = grid_of({8, 8, 8}), .method = "petsc-lu"});
  EXPECT_TRUE(contains(message, "use mumps")) << message;
}

TEST(PetscRanks, WordsThatNoRankUsesAreRefusedOnAll) {
  const std::string message = refusal<InputError>(
      {.problem = grid_of({8, 8, 8}),
       .method = "petsc",
       .options = with("options", "-ksp_type cg -pc_type jacobi -pc_jacoby_type rowmax")});
  EXPECT_TRUE(contains(message, "-pc_jacoby_type")) << message;
}

/// A zero pivot in the block of the last rank ends all of them with the same words.
TEST(PetscRanks, AFailureOnOneRankIsOneOfAll) {
  const Communicator world = Communicator::world();
  const auto A = matrix_of(world, 4 * world.size(), [&](Index i, Index j) {
    // Blocks ((1, 1), (1, 1)) on the last rank, and elsewhere a chain that reaches it.
    if (std::min(i, j) >= 4 * (world.size() - 1)) return i / 2 == j / 2 ? 1.0 : 0.0;
    return i == j ? 2.0 : std::abs(i - j) == 1 ? -0.5 : 0.0;
  });
  auto system = system_of(A);
  AnyPetsc::Options options;
  options.options = "-ksp_type gmres -pc_type bjacobi -sub_pc_type ilu";
  const Report report = AnyPetsc(options, {}).solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::breakdown) << report.reason;
  EXPECT_EQ(world.broadcast(report.reason), report.reason);
}

}  // namespace
