#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/linear/stencil_operator.hpp>
#include <tests/support/matrices.hpp>
#include <tests/support/over_ranks.hpp>
#include <tests/support/vectors.hpp>

#include "sor.hpp"

namespace {

using namespace libsolve;
using relaxation::Sor;

Grid grid_of(int nx, int ny, int nz) {
  Grid grid;
  grid.dimension = nz > 1 ? 3 : 2;
  grid.cells = {nx, ny, nz};
  return grid;
}

StencilOperator::Constant couplings() {
  StencilOperator::Constant c;
  c.coupling = {1.0, 0.7, 0.4};
  c.wall = {{{1.0, 1.0}, {0.7, 0.7}, {0.4, 0.4}}};
  c.shift = 0.01;
  return c;
}

/// b = sin of the row's natural number; x = 0. Rows of a grid cut into boxes are those of the box.
LinearSystem system_of(std::shared_ptr<const LinearOperator> A, const Grid& grid, const Box& box) {
  std::vector<double> b;
  for (Index k = box.begin[2]; k < box.end[2]; ++k)
    for (Index j = box.begin[1]; j < box.end[1]; ++j)
      for (Index i = box.begin[0]; i < box.end[0]; ++i)
        b.push_back(std::sin(1.0 + i + grid.cells[0] * (j + GlobalIndex{grid.cells[1]} * k)));
  const Vector rhs("test::b", A->row_partition());
  test::assign(rhs, b);
  LinearSystem system(std::move(A), rhs, rhs.like("test::x"));
  system.grid = grid;
  system.box = box;
  return system;
}

struct Outcome {
  Report report;
  std::vector<double> x;
};

Outcome solve(const Communicator& comm, const Grid& grid, bool assembled, double omega,
              std::int64_t limit) {
  const GridPartition parts = comm.size() > 1 ? GridPartition(grid, comm) : GridPartition(grid);
  const auto stencil = std::make_shared<StencilOperator>(parts, couplings());
  std::shared_ptr<const LinearOperator> A = stencil;
  if (assembled) A = stencil->assemble();
  LinearSystem system = system_of(A, grid, parts.own());
  Sor sor({.stopping = {.max_iterations = limit}, .omega = omega, .ordering = "multicolour"}, {});
  Outcome out{sor.solve(system, Monitor::none()), {}};
  out.x = test::whole_solution(system);
  return out;
}

double difference(const std::vector<double>& a, const std::vector<double>& b) {
  double worst = a.size() == b.size() ? 0.0 : INFINITY;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    worst = std::max(worst, std::abs(a[i] - b[i]));
  return worst;
}

/// Red-black on boxes: the iterates of one rank, also for omega near 2, where sweeps over each rank's
/// own rows diverge.
TEST(SorOverRanks, GridsHaveTheIteratesOfOneRank) {
  for (const Grid& grid : {grid_of(23, 17, 1), grid_of(9, 8, 7)})
    for (const bool assembled : {false, true})
      for (const double omega : {1.0, 1.7, 1.95}) {
        const Outcome one = solve(Communicator(), grid, assembled, omega, 12);
        const Outcome all = solve(Communicator::world(), grid, assembled, omega, 12);
        EXPECT_EQ(all.report.value("colours"), 2.0);
        EXPECT_LT(difference(one.x, all.x), 1e-12) << omega << " " << assembled;
      }
}

TEST(SorOverRanks, ConvergesForOmegaNear2) {
  const Grid grid = grid_of(23, 17, 1);
  const Outcome one = solve(Communicator(), grid, false, 1.9, 10000);
  const Outcome all = solve(Communicator::world(), grid, false, 1.9, 10000);
  EXPECT_TRUE(all.report.converged()) << all.report.reason;
  EXPECT_NEAR(static_cast<double>(all.report.iterations), static_cast<double>(one.report.iterations), 1.0);
}

/// Row blocks of a matrix with a pattern that needs more colours: entries at distances 1, 2 and 11, a
/// diagonal that dominates. `zero_row`: its diagonal is 0.
std::shared_ptr<CsrMatrix> matrix_of(const Communicator& comm, GlobalIndex n, GlobalIndex zero_row) {
  const GlobalIndex first = n * comm.rank() / comm.size();
  const GlobalIndex end = n * (comm.rank() + 1) / comm.size();
  const Partition rows(comm, end - first);
  std::vector<GlobalIndex> begin = {0}, columns;
  std::vector<double> values;
  for (Index k = 0; k < rows.local_size(); ++k) {
    const GlobalIndex i = rows.first_row() + k;
    for (const GlobalIndex away : {-11, -2, -1, 0, 1, 2, 11}) {
      const GlobalIndex j = i + away;
      if (j < 0 || j >= n) continue;
      columns.push_back(j);
      values.push_back(away != 0 ? -1.0 / std::abs(static_cast<double>(away)) : i == zero_row ? 0.0 : 3.5);
    }
    begin.push_back(static_cast<GlobalIndex>(columns.size()));
  }
  const Kokkos::View<GlobalIndex*, MemSpace> b("b", begin.size()), c("c", columns.size());
  const VectorView v("v", values.size());
  using Host = Kokkos::HostSpace;
  Kokkos::deep_copy(b, Kokkos::View<GlobalIndex*, Host>(begin.data(), begin.size()));
  Kokkos::deep_copy(c, Kokkos::View<GlobalIndex*, Host>(columns.data(), columns.size()));
  Kokkos::deep_copy(v, Kokkos::View<double*, Host>(values.data(), values.size()));
  return std::make_shared<CsrMatrix>(rows, rows, b, c, v);
}

Outcome solve_matrix(const Communicator& comm, GlobalIndex zero_row, std::int64_t limit,
                     const std::string& ordering = "multicolour") {
  const auto A = matrix_of(comm, 203, zero_row);
  const Vector b("test::b", A->row_partition());
  std::vector<double> rhs;
  for (Index k = 0; k < b.local_size(); ++k)
    rhs.push_back(std::sin(1.0 + static_cast<double>(A->row_partition().first_row() + k)));
  test::assign(b, rhs);
  LinearSystem system(A, b, b.like("test::x"));
  Sor sor({.stopping = {.max_iterations = limit}, .omega = 1.6, .ordering = ordering}, {});
  Outcome out{sor.solve(system, Monitor::none()), {}};
  out.x = test::whole_solution(system);
  return out;
}

TEST(SorOverRanks, MatricesHaveTheColoursAndIteratesOfOneRank) {
  const Outcome one = solve_matrix(Communicator(), -1, 9);
  const Outcome all = solve_matrix(Communicator::world(), -1, 9);
  EXPECT_GT(one.report.value("colours"), 2.0);
  EXPECT_EQ(all.report.value("colours"), one.report.value("colours"));
  EXPECT_LT(difference(one.x, all.x), 1e-12);
  const Outcome solved = solve_matrix(Communicator::world(), -1, 10000, "natural");
  EXPECT_TRUE(solved.report.converged());
  bool told = false;
  for (const std::string& note : solved.report.notes) told = told || note.find("by colours") != note.npos;
  EXPECT_TRUE(told);
}

/// The row is on one rank; all end alike.
TEST(SorOverRanks, AZeroOnTheDiagonalIsABreakdownOnAllRanks) {
  const Outcome all = solve_matrix(Communicator::world(), 150, 9);
  EXPECT_EQ(all.report.status, Status::breakdown);
  EXPECT_NE(all.report.reason.find("row 150 is zero"), std::string::npos) << all.report.reason;
}

}  // namespace
