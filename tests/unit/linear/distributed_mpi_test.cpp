#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/communicator.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random_vector.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/io/matrix_market.hpp>
#include <libsolve/linear/csr_matrix.hpp>
#include <libsolve/linear/grid_halo.hpp>
#include <libsolve/linear/stencil_operator.hpp>
#include <map>
#include <vector>

/// Every operator is compared with the same one whole on each rank.
namespace {

using namespace libsolve;

std::vector<double> host(const VectorView& v) {
  const auto h = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v);
  return {h.data(), h.data() + h.extent(0)};
}

template <class T>
Kokkos::View<T*, MemSpace> device(const std::vector<T>& v) {
  const Kokkos::View<T*, MemSpace> d("test", v.size());
  const auto h = Kokkos::create_mirror_view(d);
  std::copy(v.begin(), v.end(), h.data());
  Kokkos::deep_copy(d, h);
  return d;
}

class Distributed : public ::testing::Test {
 protected:
  const Communicator world = Communicator::world();
  const int rank = world.rank();
  const int R = world.size();

  Grid grid(Index nx, Index ny, Index nz) const {
    Grid g;
    g.cells = {nx, ny, nz};
    g.dimension = nz > 1 ? 3 : ny > 1 ? 2 : 1;
    return g;
  }
};

/// A number of its own for each cell.
double at_cell(Index i, Index j, Index k) { return std::sin(1.0 + i + 17.0 * j + 131.0 * k); }

TEST_F(Distributed, BoxesCoverTheGridAndRowsAreContiguous) {
  for (const Grid& g : {grid(12, 9, 7), grid(40, 1, 1), grid(5, 64, 1), grid(64, 64, 64)}) {
    const GridPartition parts(g, world);
    EXPECT_EQ(parts.partition().global_size(), g.num_cells());
    EXPECT_EQ(parts.own().num_cells(), parts.partition().local_size());
    const auto rows = parts.rows(parts.own());
    for (size_t r = 0; r < rows.size(); ++r)
      ASSERT_EQ(rows[r], parts.partition().first_row() + static_cast<GlobalIndex>(r));
    // Every row once.
    std::map<GlobalIndex, int> seen;
    for (const GlobalIndex row : parts.rows(Box{{0, 0, 0}, g.cells})) ++seen[row];
    EXPECT_EQ(static_cast<GlobalIndex>(seen.size()), g.num_cells());
    EXPECT_EQ(seen.begin()->first, 0);
    EXPECT_EQ(seen.rbegin()->first, g.num_cells() - 1);
  }
}

TEST_F(Distributed, CutsLieAtMultiplesOfPowersOfTwo) {
  const GridPartition parts(grid(100, 100, 100), world);
  for (const auto& cuts : parts.cuts())
    for (size_t c = 1; c + 1 < cuts.size(); ++c) EXPECT_EQ(cuts[c] % 2, 0) << cuts[c];
}

TEST_F(Distributed, TooFewCellsAreRefused) {
  EXPECT_THROW(GridPartition(grid(1, 1, 1), world), ShapeError);
}

TEST_F(Distributed, HaloFetchesAndItsTransposeAdds) {
  const Partition owner(world, 5 + rank);
  const Vector x("x", owner);
  fill_uniform(x, RandomStream(3, "x"));
  const GlobalIndex n = owner.global_size();
  const std::vector<GlobalIndex> wanted = {n - 1 - rank, 0, owner.first_row(), n / 2, 0};
  const Halo halo(owner, wanted);
  const VectorView got("got", wanted.size());
  halo.fetch<double>(x.view(), got);
  const RandomStream stream(3, "x");
  for (size_t w = 0; w < wanted.size(); ++w)
    EXPECT_EQ(host(got)[w], stream.uniform(static_cast<std::uint64_t>(wanted[w]), -1.0, 1.0));

  // (fetch x, g) = (x, add g)
  const VectorView g = device(std::vector<double>{1.0, 2.0 + rank, 3.0, 4.0, 5.0});
  double left = 0.0;
  for (size_t w = 0; w < wanted.size(); ++w) left += host(got)[w] * host(g)[w];
  const Vector sum = x.like("sum");
  halo.add(g, sum.view());
  EXPECT_NEAR(world.sum(left), dot(x, sum), 1e-13 * R);

  const Kokkos::View<float*, MemSpace> in_float("float", wanted.size());
  const Kokkos::View<float*, MemSpace> own("own", x.view().extent(0));
  Kokkos::deep_copy(own, 1.5F);
  halo.fetch<float>(own, in_float);
  EXPECT_EQ(Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), in_float)(0), 1.5F);
  EXPECT_GT(world.sum(world.traffic().messages), 0);
}

TEST_F(Distributed, HaloRefusesRowsThatAreNotThere) {
  const Partition owner(world, 4);
  EXPECT_THROW(Halo(owner, {rank == 1 ? owner.global_size() : 0}), ShapeError);
}

TEST_F(Distributed, GridHaloFillsBoxesAround) {
  const Grid g = grid(10, 8, 9);
  const GridPartition parts(g, world);
  std::vector<double> own;
  const Box& box = parts.own();
  for (Index k = box.begin[2]; k < box.end[2]; ++k)
    for (Index j = box.begin[1]; j < box.end[1]; ++j)
      for (Index i = box.begin[0]; i < box.end[0]; ++i) own.push_back(at_cell(i, j, k));
  for (const Index width : {1, 2, 20}) {
    const GridHalo halo(parts, width);
    const Box& all = halo.box();
    const VectorView to("to", static_cast<size_t>(all.num_cells()));
    halo.fetch<double>(device(own), to);
    size_t c = 0;
    for (Index k = all.begin[2]; k < all.end[2]; ++k)
      for (Index j = all.begin[1]; j < all.end[1]; ++j)
        for (Index i = all.begin[0]; i < all.end[0]; ++i)
          ASSERT_EQ(host(to)[c++], at_cell(i, j, k)) << i << " " << j << " " << k;
    const VectorView back("back", own.size());
    halo.take_own<double>(to, back);
    EXPECT_EQ(host(back), own);
  }
}

/// Entries of a matrix that is symmetric or nearly so, and couples rows far apart.
double entry(Index i, Index j, bool symmetric) {
  if (i == j) return 8.0 + 0.1 * i;
  const Index d = std::abs(i - j);
  if (d != 1 && d != 7 && d != 23) return 0.0;
  return -1.0 / (1.0 + d) + (symmetric || i < j ? 0.0 : 0.25);
}

std::shared_ptr<CsrMatrix> matrix(const Partition& rows, bool symmetric) {
  std::vector<GlobalIndex> first = {0}, columns;
  std::vector<double> values;
  const auto n = static_cast<Index>(rows.global_size());
  for (Index l = 0; l < rows.local_size(); ++l) {
    const auto i = static_cast<Index>(rows.first_row() + l);
    for (Index j = n - 1; j >= 0; --j) {  // not sorted
      const double a = entry(i, j, symmetric);
      if (a == 0.0) continue;
      columns.push_back(j);
      values.push_back(a);
    }
    first.push_back(static_cast<GlobalIndex>(columns.size()));
  }
  return std::make_shared<CsrMatrix>(rows, rows, device(first), device(columns), device(values));
}

/// The same random numbers on any number of ranks.
Vector random_vector(const Partition& p, const char* name) {
  const Vector v(name, p);
  fill_uniform(v, RandomStream(1, name));
  return v;
}

void expect_same_rows(const Vector& part, const Vector& whole) {
  const auto p = host(part.view());
  const auto w = host(whole.view());
  for (size_t i = 0; i < p.size(); ++i)
    ASSERT_NEAR(p[i], w[static_cast<size_t>(part.partition().first_row()) + i], 1e-13) << i;
}

TEST_F(Distributed, RowBlocksMultiplyAsOneMatrixDoes) {
  const Index n = 61;
  for (const bool symmetric : {true, false}) {
    const Partition rows(world, n / R + (rank < n % R ? 1 : 0));
    const Partition whole(n);
    const auto A = matrix(rows, symmetric);
    const auto A1 = matrix(whole, symmetric);
    EXPECT_EQ(A->num_nonzeros(), A1->num_nonzeros());
    EXPECT_NEAR(A->asymmetry(), A1->asymmetry(), 1e-15);
    EXPECT_EQ(A->is_symmetric(), symmetric);

    const Vector x = random_vector(rows, "x"), x1 = random_vector(whole, "x");
    const Vector b = random_vector(rows, "b"), b1 = random_vector(whole, "b");
    const Vector y = x.like("y"), y1 = x1.like("y");
    A->apply(x, y);
    A1->apply(x1, y1);
    expect_same_rows(y, y1);
    EXPECT_NEAR(A->apply_dot(x, y), A1->apply_dot(x1, y1), 1e-12);
    expect_same_rows(y, y1);
    EXPECT_NEAR(A->residual(b, x, y), A1->residual(b1, x1, y1), 1e-12);
    expect_same_rows(y, y1);
    A->apply_adjoint(x, y);
    A1->apply_adjoint(x1, y1);
    expect_same_rows(y, y1);
    EXPECT_TRUE(A->diagonal(y));
    EXPECT_TRUE(A1->diagonal(y1));
    expect_same_rows(y, y1);
  }
}

TEST_F(Distributed, FilesHoldMatricesOfOneRank) {
  const auto A = matrix(Partition(world, 3), true);
  EXPECT_THROW(write_matrix_market("never_written.mtx", *A), Unsupported);
}

/// More rows over all ranks than one could count.
TEST_F(Distributed, ExchangesCountBeyond32Bits) {
  const GlobalIndex share = 2147483647;
  const Partition owner(world, share);
  const Halo halo(owner, {owner.global_size() - 1});
  EXPECT_EQ(halo.num_wanted(), 1);
}

TEST_F(Distributed, AMatrixAtFaultOnOneRankIsRefusedOnAll) {
  const Partition rows(world, 1);
  const std::vector<double> value = {rank == 1 ? std::nan("") : 1.0};
  EXPECT_THROW(CsrMatrix(rows, rows, device(std::vector<GlobalIndex>{0, 1}),
                         device(std::vector<GlobalIndex>{rank}), device(value)),
               DataError);
}

struct Arrays {
  std::array<std::vector<double>, 3> face;
  std::vector<double> excess;
};

/// Faces of a box of the grid; those at the grid's ends are 0.
StencilOperator::Variable coefficients(const Grid& g, const Box& box) {
  Arrays a;
  for (Index k = box.begin[2]; k < box.end[2]; ++k)
    for (Index j = box.begin[1]; j < box.end[1]; ++j)
      for (Index i = box.begin[0]; i < box.end[0]; ++i) {
        const Index at[3] = {i, j, k};
        for (int d = 0; d < 3; ++d)
          a.face[d].push_back(at[d] + 1 < g.cells[d] ? 2.0 + d + at_cell(i, j, k) : 0.0);
        a.excess.push_back(i == 0 ? 3.0 + at_cell(k, i, j) : 0.0);
      }
  return {{device(a.face[0]), device(a.face[1]), device(a.face[2])}, device(a.excess), {}};
}

StencilOperator::Constant constants() {
  StencilOperator::Constant c;
  c.coupling = {1.0, 2.0, 0.5};
  c.wall = {{{2.0, 0.0}, {4.0, 1.0}, {0.25, 1.0}}};
  c.shift = 0.125;
  return c;
}

/// Entries of a vector over the whole grid that belong to `box`.
std::vector<double> part_of(const std::vector<double>& whole, const Grid& g, const Box& box) {
  std::vector<double> part;
  for (Index k = box.begin[2]; k < box.end[2]; ++k)
    for (Index j = box.begin[1]; j < box.end[1]; ++j)
      for (Index i = box.begin[0]; i < box.end[0]; ++i)
        part.push_back(whole[static_cast<size_t>(i + g.cells[0] * (j + g.cells[1] * k))]);
  return part;
}

void expect_near(const std::vector<double>& a, const std::vector<double>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 1e-12) << i;
}

TEST_F(Distributed, AStencilAtFaultOnOneRankIsRefusedOnAll) {
  const Grid g = grid(4, 4, 16);
  const GridPartition parts(g, world);
  StencilOperator::Variable v = coefficients(g, parts.own());
  if (rank == 1) v.excess = VectorView("short", 3);
  EXPECT_THROW(StencilOperator(parts, v), ShapeError);
}

TEST_F(Distributed, StencilsOnBoxesAreTheOneOnTheGrid) {
  for (const Grid& g : {grid(12, 10, 9), grid(16, 12, 1), grid(33, 1, 1), grid(4, 4, 4)}) {
    const GridPartition parts(g, world);
    const Box whole{{0, 0, 0}, g.cells};
    for (const bool constant : {true, false}) {
      const StencilOperator A = constant
                                    ? StencilOperator(parts, constants())
                                    : StencilOperator(parts, coefficients(g, parts.own()));
      const StencilOperator A1 = constant ? StencilOperator(g, constants())
                                          : StencilOperator(g, coefficients(g, whole));
      const Vector x1 = random_vector(A1.row_partition(), "x");
      const Vector b1 = random_vector(A1.row_partition(), "b");
      const Vector y1 = x1.like("y");
      const Vector x(device(part_of(host(x1.view()), g, parts.own())), parts.partition());
      const Vector b(device(part_of(host(b1.view()), g, parts.own())), parts.partition());
      const Vector y = x.like("y");
      const auto expect_same = [&] {
        expect_near(host(y.view()), part_of(host(y1.view()), g, parts.own()));
      };
      A.apply(x, y);
      A1.apply(x1, y1);
      expect_same();
      EXPECT_NEAR(A.apply_dot(x, y), A1.apply_dot(x1, y1), 1e-10);
      expect_same();
      EXPECT_NEAR(A.residual(b, x, y), A1.residual(b1, x1, y1), 1e-10);
      expect_same();
      EXPECT_TRUE(A.diagonal(y));
      EXPECT_TRUE(A1.diagonal(y1));
      expect_same();
      const auto M = A.assemble();
      EXPECT_EQ(M->num_nonzeros(), A1.assemble()->num_nonzeros());
      EXPECT_TRUE(M->is_symmetric());
      M->apply(x, y);
      A1.apply(x1, y1);
      expect_same();
      const Vector p = b.like("p"), p1 = b1.like("p");
      copy(b, p);
      copy(b1, p1);
      EXPECT_NEAR(A.update_direction_and_apply(x, 0.5, p, y),
                  A1.update_direction_and_apply(x1, 0.5, p1, y1), 1e-10);
      expect_same();

      // The extended operator has A's rows on the rank's own cells.
      const auto E = A.extended(2);
      const GridHalo around(parts, 2);
      const Vector xe(VectorView("x", static_cast<size_t>(around.box().num_cells())),
                      E->row_partition());
      const Vector ye = xe.like("y");
      around.fetch<double>(x.view(), xe.view());
      E->apply(xe, ye);
      around.take_own<double>(ye.view(), y.view());
      A1.apply(x1, y1);
      expect_same();
      A.apply(x, y);  // and A is as it was
      expect_same();
    }
  }
}

}  // namespace
