#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/io/matrix_market.hpp>
#include <libsolve/plugin/loader.hpp>
#include <tests/support/dense_operator.hpp>
#include <tests/support/monitors.hpp>
#include <tests/support/preconditioners.hpp>

#include "methods.hpp"

namespace {

using namespace libsolve;
using namespace petsc_plugin;
using test::contains;

using Petsc = LinearMethod<IterativeOptions<AnyKsp>>;
using Boomer = LinearMethod<IterativeOptions<BoomerAmg>>;
using PfmgSolver = LinearMethod<IterativeOptions<petsc_plugin::Pfmg>>;
using MumpsSolver = LinearMethod<DirectOptions<Mumps>>;

/// n^3 cells, coupling 1; variable: blocks of 4 cells with couplings of 1 and 1000 in turn.
std::shared_ptr<StencilOperator> poisson(Index n, bool variable, bool neumann = false) {
  Grid grid;
  grid.cells = {n, n, n};
  const double wall = neumann ? 0.0 : 2.0;
  StencilOperator::Constant c;
  c.coupling = {1.0, 1.0, 1.0};
  c.wall = {{{wall, wall}, {wall, wall}, {wall, wall}}};
  if (!variable) return std::make_shared<StencilOperator>(grid, c);
  const auto size = static_cast<size_t>(n) * n * n;
  std::vector<double> face[3], excess(size, 0.0);
  const auto k_of = [](Index i, Index j, Index k) {
    return (i / 4 + j / 4 + k / 4) % 2 == 0 ? 1.0 : 1000.0;
  };
  for (auto& f : face) f.assign(size, 0.0);
  for (Index k = 0; k < n; ++k)
    for (Index j = 0; j < n; ++j)
      for (Index i = 0; i < n; ++i) {
        const size_t at =
            static_cast<size_t>(i) + static_cast<size_t>(n) * (j + static_cast<size_t>(n) * k);
        const double own = k_of(i, j, k);
        const Index next[3][3] = {{i + 1, j, k}, {i, j + 1, k}, {i, j, k + 1}};
        const Index here[3] = {i, j, k};
        for (int a = 0; a < 3; ++a) {
          if (here[a] + 1 < n) {
            const double other = k_of(next[a][0], next[a][1], next[a][2]);
            face[a][at] = 2.0 * own * other / (own + other);
          } else {
            excess[at] += wall * own;
          }
          if (here[a] == 0) excess[at] += wall * own;
        }
      }
  StencilOperator::Variable v;
  for (size_t a = 0; a < 3; ++a) v.face[a] = test::to_vector(face[a]).view();
  v.excess = test::to_vector(excess).view();
  return std::make_shared<StencilOperator>(grid, v);
}

/// b = A x for a random x, which is kept as the exact solution.
std::unique_ptr<LinearSystem> consistent(std::shared_ptr<const LinearOperator> A) {
  const Vector x = test::to_vector(test::random_values(static_cast<size_t>(A->num_columns()), 3));
  const Vector b("test::b", A->row_partition());
  A->apply(x, b);
  auto system = std::make_unique<LinearSystem>(A, b, x.like("test::x"));
  system->exact_solution = x;
  return system;
}

double relative_error(const LinearSystem& system) {
  const Vector e = system.x().like("test::e");
  linear_combination(1.0, system.x(), -1.0, *system.exact_solution, e);
  return norm2(e) / norm2(*system.exact_solution);
}

/// ||b - A x|| / ||b|| by the operator.
double relative_residual(const LinearSystem& system) {
  const Vector r = system.b().like("test::r");
  return std::sqrt(system.A().residual(system.b(), system.x(), r)) / norm2(system.b());
}

bool notes_have(const Report& report, const std::string& part) {
  for (const std::string& note : report.notes)
    if (contains(note, part)) return true;
  return false;
}

// ---- answers
// --------------------------------------------------------------------------------------

/// Every name gives the same answer, that of the matrix's own data.
TEST(Petsc, EveryNameFindsTheSameSolution) {
  for (const bool variable : {false, true}) {
    const auto A = poisson(16, variable);
    const auto check = [&](LinearSolver& solver, const char* name) {
      SCOPED_TRACE(name);
      auto system = consistent(A);
      const Report report = solver.solve(*system, Monitor::none());
      EXPECT_TRUE(report.converged()) << report.reason;
      EXPECT_LE(relative_residual(*system), 1e-10);
      EXPECT_LE(relative_error(*system), 1e-6);
    };
    const auto tight = [](auto options) {
      options.criteria.relative_tolerance = 1e-10;
      return options;
    };
    Petsc any(tight(Petsc::Options{}), {});
    check(any, "petsc");
    LinearMethod<IterativeOptions<Gamg>> gamg(tight(IterativeOptions<Gamg>{}), {});
    check(gamg, "petsc-gamg");
    Boomer boomer(tight(Boomer::Options{}), {});
    check(boomer, "hypre-boomeramg");
    PfmgSolver pfmg(tight(PfmgSolver::Options{}), {});
    check(pfmg, "hypre-pfmg");
    LinearMethod<DirectOptions<Lu>> lu({}, {});
    check(lu, "petsc-lu");
    MumpsSolver mumps({}, {});
    check(mumps, "mumps");
  }
}

/// The counts that the literature and linear.md's runs have: they hardly depend on the size.
TEST(Petsc, PresetsNeedTheStepsTheyAreKnownFor) {
  auto system = consistent(poisson(24, false));
  const Report amg = Boomer({}, {}).solve(*system, Monitor::none());
  EXPECT_LE(amg.iterations, 14) << amg.reason;
  fill(system->x(), 0.0);
  const Report pfmg = PfmgSolver({}, {}).solve(*system, Monitor::none());
  EXPECT_LE(pfmg.iterations, 12) << pfmg.reason;
  EXPECT_TRUE(notes_have(pfmg, "non-galerkin"));
}

/// x of mean zero on the connected component; solid rows and a singular matrix do no harm.
TEST(Petsc, SingularSystemsHaveTheSolutionOfMeanZero) {
  const auto check = [](LinearSolver& solver) {
    auto system = consistent(poisson(8, true, /*neumann=*/true));
    system->null_space = NullSpace::constants(system->A().row_partition());
    system->null_space->project_out(*system->exact_solution);
    const Report report = solver.solve(*system, Monitor::none());
    EXPECT_TRUE(report.converged()) << report.reason;
    EXPECT_LE(relative_error(*system), 1e-5);
  };
  Boomer boomer({}, {});
  check(boomer);
  PfmgSolver pfmg({}, {});
  check(pfmg);
  MumpsSolver mumps({}, {});
  check(mumps);
  LinearMethod<IterativeOptions<Gamg>> gamg({}, {});
  check(gamg);
}

/// Two components that do not know of each other.
TEST(Petsc, EachComponentOfTheNullSpaceIsPinned) {
  std::vector<MatrixEntry> entries;
  const Index n = 20;
  for (Index i = 0; i + 1 < n; ++i) {
    if (i == 8) continue;  // 0..8 and 9..19
    entries.push_back({i, i, 1.0});
    entries.push_back({i + 1, i + 1, 1.0});
    entries.push_back({i, i + 1, -1.0});
    entries.push_back({i + 1, i, -1.0});
  }
  auto system = consistent(make_csr_matrix(n, n, entries));
  Kokkos::View<Index*, MemSpace> labels("test::labels", n);
  auto host = Kokkos::create_mirror_view(labels);
  for (Index i = 0; i < n; ++i) host(i) = i <= 8 ? 0 : 1;
  Kokkos::deep_copy(labels, host);
  system->null_space = NullSpace(labels, 2, system->A().row_partition());
  system->null_space->project_out(*system->exact_solution);
  const Report report = MumpsSolver({}, {}).solve(*system, Monitor::none());
  EXPECT_TRUE(report.converged()) << report.reason;
  EXPECT_LE(relative_error(*system), 1e-12);
}

// ---- PETSc's words
// --------------------------------------------------------------------------------

Petsc::Options words(const std::string& options, bool matrix_free = false) {
  Petsc::Options o;
  o.options = options;
  o.matrix_free = matrix_free;
  return o;
}

TEST(Petsc, TakesPetscsOwnWords) {
  auto system = consistent(test::laplacian(20, 17));
  const Report report = Petsc(words("-ksp_type bcgs -pc_type ilu -pc_factor_levels 2"), {})
                            .solve(*system, Monitor::none());
  EXPECT_TRUE(report.converged()) << report.reason;
  EXPECT_TRUE(notes_have(report, "bcgs with ilu"));
  EXPECT_LE(relative_residual(*system), 1e-8);
}

/// Nothing of one solver reaches another one.
TEST(Petsc, OptionsDoNotLeak) {
  auto system = consistent(test::laplacian(9, 8));
  Petsc first(words("-ksp_type cg -pc_type jacobi"), {});
  Petsc second(words("-ksp_type minres -pc_type none"), {});
  Petsc third({}, {});
  EXPECT_TRUE(notes_have(first.solve(*system, Monitor::none()), "cg with jacobi"));
  fill(system->x(), 0.0);
  EXPECT_TRUE(notes_have(second.solve(*system, Monitor::none()), "minres with none"));
  fill(system->x(), 0.0);
  EXPECT_TRUE(notes_have(third.solve(*system, Monitor::none()), "gmres with icc"));
}

TEST(Petsc, RefusesWordsThatPetscDoesNotUse) {
  auto system = consistent(test::laplacian(5, 4));
  const std::string typo = test::message_of<InputError>([&] {
    (void)Petsc(words("-ksp_type cg -pc_typ jacobi"), {}).solve(*system, Monitor::none());
  });
  EXPECT_TRUE(contains(typo, "-pc_typ")) << typo;
  const std::string no_dash = test::message_of<InputError>([&] { Petsc(words("cg"), {}); });
  EXPECT_TRUE(contains(no_dash, "'cg'")) << no_dash;
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  const std::string unknown = test::message_of<Unsupported>(
      [&] { (void)Petsc(words("-ksp_type nothing"), {}).solve(*system, Monitor::none()); });
  EXPECT_TRUE(contains(unknown, "nothing")) << unknown;
  EXPECT_EQ(testing::internal::GetCapturedStdout() + testing::internal::GetCapturedStderr(), "")
      << "PETSc's errors are ours to tell";
}

/// A KSP that measures its residual by the preconditioner is held to the true one.
TEST(Petsc, ConvergedIsSaidOfTheTrueResidual) {
  // Rows scaled from 1 to 1e6: preconditioned and true residuals differ by as much.
  test::Dense D = test::to_dense(*test::laplacian(12, 9));
  for (size_t i = 0; i < D.size(); ++i) {
    const double s = std::pow(10.0, static_cast<double>(i % 4));
    for (size_t j = 0; j < D.size(); ++j) D[i][j] *= s * std::pow(10.0, static_cast<double>(j % 4));
  }
  auto system = consistent(test::to_csr(D));
  const Report report =
      Petsc(words("-ksp_type cg -pc_type jacobi -ksp_norm_type preconditioned"), {})
          .solve(*system, Monitor::none());
  EXPECT_TRUE(report.converged()) << report.reason;
  EXPECT_LE(relative_residual(*system), 1e-8);
  EXPECT_NEAR(report.value("relative_residual"), relative_residual(*system), 1e-12);
}

TEST(Petsc, OperatorsWithoutEntriesBecomeShells) {
  const auto D = test::to_dense(*test::laplacian(6, 5));
  std::vector<double> values;
  for (const auto& row : D) values.insert(values.end(), row.begin(), row.end());
  auto system = consistent(std::make_shared<test::DenseOperator>(30, 30, values, true));
  const Report report =
      Petsc(words("-ksp_type cg -pc_type none"), {}).solve(*system, Monitor::none());
  EXPECT_TRUE(report.converged()) << report.reason;
  EXPECT_LE(relative_residual(*system), 1e-8);
  EXPECT_GE(report.value("operator_applications"), static_cast<double>(report.iterations));

  auto grid = consistent(poisson(9, false));
  const Report free =
      Petsc(words("-ksp_type cg -pc_type jacobi", true), {}).solve(*grid, Monitor::none());
  EXPECT_TRUE(free.converged()) << free.reason;
  EXPECT_LE(relative_residual(*grid), 1e-8);
}

// ---- failures
// -------------------------------------------------------------------------------------

TEST(Petsc, TheirReasonsBecomeOurs) {
  // Indefinite: CG meets p^T A p < 0.
  auto indefinite = consistent(
      make_csr_matrix(3, 3, {{0, 0, 1.0}, {0, 1, 2.0}, {1, 0, 2.0}, {1, 1, 1.0}, {2, 2, -3.0}}));
  const Report report =
      Petsc(words("-ksp_type cg -pc_type none"), {}).solve(*indefinite, Monitor::none());
  EXPECT_EQ(report.status, Status::breakdown) << report.reason;
  EXPECT_TRUE(contains(report.reason, "INDEFINITE_MAT")) << report.reason;
  EXPECT_EQ(report.reason.find('\n'), std::string::npos);
}

/// x stays as it was.
TEST(Petsc, ASingularMatrixIsABreakdownOfItsFactors) {
  const auto A =
      make_csr_matrix(3, 3, {{0, 0, 1.0}, {0, 1, 2.0}, {1, 0, 2.0}, {1, 1, 4.0}, {2, 2, 1.0}});
  LinearSystem system(A, test::to_vector({1.0, 2.0, 3.0}), test::to_vector({7.0, 7.0, 7.0}));
  const Report report = LinearMethod<DirectOptions<Lu>>({}, {}).solve(system, Monitor::none());
  EXPECT_EQ(report.status, Status::breakdown) << report.reason;
  EXPECT_EQ(test::to_host(system.x()), (std::vector<double>{7.0, 7.0, 7.0}));
}

TEST(Petsc, PfmgTakesGridsOnly) {
  auto system = consistent(test::laplacian(6, 5));
  const std::string message = test::message_of<Unsupported>(
      [&] { (void)PfmgSolver({}, {}).solve(*system, Monitor::none()); });
  EXPECT_TRUE(contains(message, "hypre-boomeramg")) << message;
}

// ---- beside our own
// -------------------------------------------------------------------------------

/// The registry of the build: our methods as users reach them.
class BesideOurs : public ::testing::Test {
 protected:
  void SetUp() override {
    load_plugins(registry_, {.files = {}, .path = "", .installed_folder = std::nullopt});
    if (registry_.find("linear-solver", "cg") == nullptr) GTEST_SKIP() << "no cg in this build";
  }
  Report solve(const std::string& name, Value options, LinearSystem& system) const {
    Context context;
    context.registry = &registry_;
    ComponentSpec spec(name);
    spec.options = std::move(options);
    fill(system.x(), 0.0);
    return context.make<LinearSolver>(spec)->solve(system, Monitor::none());
  }
  static Value options(double tolerance, const std::string& preconditioner = "") {
    Value v;
    v.set("relative_tolerance", tolerance);
    if (!preconditioner.empty()) v.set("preconditioner", preconditioner);
    return v;
  }
  Registry registry_;
};

/// Ours and theirs, each with each other's preconditioner where it can be: one answer.
TEST_F(BesideOurs, PoissonHasOneSolution) {
  auto system = consistent(poisson(20, true));
  ASSERT_TRUE(solve("mumps", options(1e-12), *system).converged());
  const auto x = test::to_host(system->x());
  for (const char* preconditioner : {"petsc-gamg", "hypre-boomeramg", "hypre-pfmg"}) {
    SCOPED_TRACE(preconditioner);
    const Report report = solve("cg", options(1e-10, preconditioner), *system);
    EXPECT_TRUE(report.converged()) << report.reason;
    EXPECT_LT(test::max_difference(test::to_host(system->x()), x), 1e-6);
  }
  const Report ours = solve("cg", options(1e-11), *system);
  EXPECT_TRUE(ours.converged()) << ours.reason;
  EXPECT_LT(test::max_difference(test::to_host(system->x()), x), 1e-6);
}

/// A matrix of structural analysis, condition number about 1e10: the same right-hand side, and x to
/// 1e-6 of its size.
TEST_F(BesideOurs, Bcsstk13HasOneSolution) {
  const char* folder = std::getenv("LIBSOLVE_DATA_DIR");
  const std::string file = std::string(folder != nullptr ? folder : "") + "/matrices/bcsstk13.mtx";
  if (folder == nullptr || !std::filesystem::exists(file))
    GTEST_SKIP() << "LIBSOLVE_DATA_DIR names no folder with matrices/bcsstk13.mtx";
  auto system = consistent(read_matrix_market(file));
  const auto scaled_difference = [&](const std::vector<double>& y) {
    double size = 0.0;
    for (const double v : y) size = std::max(size, std::abs(v));
    return test::max_difference(test::to_host(system->x()), y) / size;
  };
  ASSERT_TRUE(solve("mumps", options(1e-12), *system).converged());
  const auto x = test::to_host(system->x());
  EXPECT_LT(relative_error(*system), 1e-4);
  const Report lu = solve("petsc-lu", options(1e-12), *system);
  EXPECT_TRUE(lu.converged()) << lu.reason;
  EXPECT_LT(scaled_difference(x), 1e-6);
  if (registry_.find("linear-solver", "eigen-ldlt") != nullptr) {
    EXPECT_TRUE(solve("eigen-ldlt", options(1e-12), *system).converged());
    EXPECT_LT(scaled_difference(x), 1e-6);
  }
  Value ours = options(1e-14, "ic0");
  ours.set("max_iterations", 20000);
  const Report cg = solve("cg", ours, *system);
  EXPECT_TRUE(cg.converged() || cg.status == Status::stagnated) << cg.reason;
  EXPECT_LT(scaled_difference(x), 1e-6) << cg.reason;
}

}  // namespace
