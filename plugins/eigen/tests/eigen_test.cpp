#include <gtest/gtest.h>

#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <tests/support/preconditioners.hpp>
#include <tests/support/random_problems.hpp>

#include "direct_solver.hpp"

namespace {

using namespace libsolve;
using eigen::DenseSolver;
using eigen::SparseLdltSolver;
using eigen::SparseLuSolver;

LinearSystem system_of(std::shared_ptr<const LinearOperator> A, const std::vector<double>& b) {
  const Vector x("test::x", A->column_partition());
  return LinearSystem(std::move(A), test::to_vector(b), x);
}

/// x of each solver against elimination on dense arrays.
template <class Solver>
void expect_elimination(const std::shared_ptr<CsrMatrix>& A, double tolerance) {
  const auto b = test::random_values(static_cast<size_t>(A->num_rows()), 5);
  LinearSystem system = system_of(A, b);
  const Report report = Solver({}, {}).solve(system, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_LE(test::max_difference(test::to_host(system.x()), test::solve(test::to_dense(*A), b)),
            tolerance);
}

TEST(Eigen, SolvesSymmetricSystemsLikeElimination) {
  const auto A = test::random_spd(70, 8, 2);
  expect_elimination<SparseLdltSolver>(A, 1e-10);
  expect_elimination<SparseLuSolver>(A, 1e-10);
  expect_elimination<DenseSolver>(A, 1e-10);
}

/// Zero diagonal: nothing without pivoting.
TEST(Eigen, SolvesUnsymmetricSystemsThatNeedPivots) {
  std::vector<MatrixEntry> entries;
  const Index n = 40;
  for (Index i = 0; i < n; ++i) {
    entries.push_back({i, (i + 1) % n, 2.0});
    entries.push_back({i, (i + 7) % n, -0.5});
  }
  const auto A = make_csr_matrix(n, n, entries);
  expect_elimination<SparseLuSolver>(A, 1e-13);
  expect_elimination<DenseSolver>(A, 1e-13);
  LinearSystem system = system_of(A, std::vector<double>(static_cast<size_t>(n), 1.0));
  const Report refused = SparseLdltSolver({}, {}).solve(system, Monitor::none());
  EXPECT_EQ(refused.status, Status::breakdown);
  EXPECT_TRUE(test::contains(refused.reason, "eigen-lu")) << refused.reason;
}

/// Half of the spectrum negative: L D L^T is not for it, the dense solver moves to L U.
TEST(Eigen, DenseTakesIndefiniteOperatorsWithoutEntries) {
  auto system = test::consistent_system(test::random_indefinite(50, 1e3, 3), 4);
  const Report report = DenseSolver({}, {}).solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_TRUE(test::contains(report.notes.back(), "L U"));
  EXPECT_LT(
      test::max_difference(test::to_host(system->x()), test::to_host(*system->exact_solution)),
      1e-10);
}

TEST(Eigen, SingularMatricesAreBreakdowns) {
  const auto A =
      make_csr_matrix(3, 3, {{0, 0, 1.0}, {0, 1, 2.0}, {1, 0, 2.0}, {1, 1, 4.0}, {2, 2, 1.0}});
  const auto check = [&](LinearSolver&& solver) {
    LinearSystem system = system_of(A, {1.0, 5.0, 3.0});
    const Report report = solver.solve(system, Monitor::none());
    EXPECT_FALSE(report.converged());
    EXPECT_TRUE(report.status == Status::breakdown || report.status == Status::non_finite)
        << to_string(report.status) << ": " << report.reason;
    EXPECT_EQ(report.reason.find('\n'), std::string::npos);
  };
  check(SparseLdltSolver({}, {}));
  check(SparseLuSolver({}, {}));
  check(DenseSolver({}, {}));
}

/// A path: singular, b of mean zero.
TEST(Eigen, ANullSpaceIsPinned) {
  auto system = test::consistent_system(test::path_laplacian(30), 6);
  system->null_space = NullSpace::constants(system->A().row_partition());
  system->null_space->project_out(*system->exact_solution);
  const Report report = DenseSolver({}, {}).solve(*system, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_LT(
      test::max_difference(test::to_host(system->x()), test::to_host(*system->exact_solution)),
      1e-11);
}

TEST(Eigen, DenseRefusesWhatWouldNotFit) {
  LinearSystem system = system_of(test::laplacian(20, 20), std::vector<double>(400, 1.0));
  eigen::DenseOptions options;
  options.max_rows = 399;
  const std::string message = test::message_of<Unsupported>(
      [&] { (void)DenseSolver(options, {}).solve(system, Monitor::none()); });
  EXPECT_TRUE(test::contains(message, "400")) << message;
}

/// The condition number 1e13 leaves the first answer a residual that refinement takes away.
TEST(Eigen, RefinesWhatRoundingLeaves) {
  auto system = test::consistent_system(test::random_spd(60, 1e13, 8), 9);
  eigen::DenseOptions options;
  options.relative_tolerance = 1e-14;
  const Report report = DenseSolver(options, {}).solve(*system, Monitor::none());
  const Vector r = system->b().like("r");
  const double residual =
      std::sqrt(system->A().residual(system->b(), system->x(), r)) / norm2(system->b());
  EXPECT_TRUE(report.converged() ? residual <= 1e-14 : report.status == Status::stagnated)
      << report.reason;
  EXPECT_NEAR(report.value("relative_residual"), residual, 1e-16);
}

}  // namespace
