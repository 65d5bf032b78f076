#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/pde/adjoint_test.hpp>
#include <libsolve/pde/mass_inner_product.hpp>
#include <libsolve/pde/q1_diffusion.hpp>
#include <libsolve/pde/q1_operator.hpp>

#include <tests/support/nodes.hpp>

/// Every operator is compared with the same one whole on each rank.
namespace {

using namespace libsolve;

double bump(double x, double y, double z) {
  return std::sin(7.0 * x + 1.0) + std::cos(5.0 * y) * x + std::sin(11.0 * z + y);
}

/// This rank's part of `whole`, a vector on the same grid on each rank alone.
double worst_difference(const NodeGrid& grid, const Vector& part, const Vector& whole) {
  const auto own = test::to_host(part), all = test::to_host(whole);
  const NodeRows& r = grid.rows();
  Index plane = 1;
  for (int a = 0; a + 1 < grid.dimension(); ++a) plane *= r.n[a];
  const auto first = static_cast<std::size_t>(plane * (r.begin[grid.dimension() - 1] - 1));
  double worst = 0.0;
  for (std::size_t i = 0; i < own.size(); ++i)
    worst = std::max(worst, std::abs(own[i] - all[first + i]));
  return grid.communicator().max(worst);
}

std::vector<NodeGrid> some_grids() {
  const Communicator world = Communicator::world();
  return {NodeGrid(1, {64, 1, 1}, {1.0, 1.0, 1.0}, world),
          NodeGrid(2, {12, 17, 1}, {1.0, 2.0, 1.0}, world),
          NodeGrid(3, {7, 6, 16}, {1.0, 1.0, 1.0}, world),
          NodeGrid(3, {6, 6, 8}, {1.0, 1.0, 1.0}, world).coarse()};
}

TEST(NodeGridOverRanks, ProductsAreThoseOfOneRank) {
  for (const NodeGrid& grid : some_grids()) {
    const NodeGrid whole = grid.on_each_rank();
    EXPECT_EQ(grid.partition().global_size(), whole.partition().global_size());
    const Q1Operator A(grid, q1_mass(grid) + q1_stiffness(grid));
    const Q1Operator alone(whole, A.weights());
    const Vector x = test::at_nodes(grid, bump), y = x.like("y"), z = x.like("z");
    const Vector all = test::at_nodes(whole, bump), product = all.like("y");
    A.apply(x, y);
    alone.apply(all, product);
    // One rank adds up in another order.
    EXPECT_LT(worst_difference(grid, y, product), 1e-14 * A.weights().centre()) << A.description();
    A.assemble()->apply(x, z);
    EXPECT_LT(worst_difference(grid, z, product), 1e-13 * A.weights().centre());
    const auto S = A.equivalent_stencil();
    const bool is_thin = grid.communicator().any(grid.rows().num_nodes() == 0);
    ASSERT_EQ(S == nullptr, is_thin);
    if (is_thin) continue;
    ASSERT_TRUE(S->row_partition() == grid.partition());
    S->apply(x, z);
    alone.equivalent_stencil()->apply(all, product);
    EXPECT_LT(worst_difference(grid, z, product), 1e-13 * A.weights().centre());
  }
}

TEST(NodeGridOverRanks, MasksAreThoseOfOneRank) {
  const auto domain = [](double x, double y, double z) {
    return 0.35 - (x - 0.4) * (x - 0.4) - 0.2 * y - 0.1 * z;
  };
  for (const NodeGrid& box : some_grids()) {
    const NodeGrid grid = box.masked(test::at_nodes(box, domain)), whole = grid.on_each_rank();
    const NodeGrid expected = box.on_each_rank().masked(test::at_nodes(box.on_each_rank(), domain));
    const Q1Operator A(grid, q1_mass(grid) + q1_stiffness(grid)), gathered(whole, A.weights()),
        alone(expected, A.weights());
    const Vector x = test::at_nodes(grid, bump), y = x.like("y"), z = x.like("z");
    const Vector all = test::at_nodes(whole, bump), product = all.like("y"), other = all.like("z");
    A.apply(x, y);
    alone.apply(all, product);
    gathered.apply(all, other);
    EXPECT_EQ(test::to_host(product), test::to_host(other));
    EXPECT_LT(worst_difference(grid, y, product), 1e-14 * A.weights().centre());
    A.assemble()->apply(x, z);
    EXPECT_LT(worst_difference(grid, z, product), 1e-13 * A.weights().centre());
  }
}

TEST(NodeGridOverRanks, DiffusionAndItsDerivativeAgreeWithEachOther) {
  for (const NodeGrid& grid : some_grids()) {
    const Vector a("a", Q1Diffusion::cell_partition(grid)), g = a.like("g");
    EXPECT_EQ(a.global_size(),
              GlobalIndex{grid.cells(0)} * grid.cells(1) * grid.cells(2));
    fill(a, 1.5);
    const Q1Diffusion A(grid, a);
    const Q1Operator K(grid, 1.5 * q1_stiffness(grid));
    const Vector x = test::at_nodes(grid, bump), y = x.like("y"), z = x.like("z");
    A.apply(x, y);
    K.apply(x, z);
    axpy(-1.0, y, z);
    EXPECT_LT(norm_max(z), 1e-13 * K.weights().centre());
    // a is constant: x^T A x = a sum g.
    A.coefficient_gradient(x, x, g);
    EXPECT_NEAR(dot(x, y), dot(a, g), 1e-12 * dot(x, y));
    EXPECT_LT(adjoint_gap(A, 5), 1e-14);
  }
}

TEST(NodeGridOverRanks, RieszRepresentativesAreExact) {
  for (const NodeGrid& grid : some_grids()) {
    const MassInnerProduct product(grid);
    const Vector x = test::at_nodes(grid, bump), g = x.like("g"), z = x.like("z");
    product.apply(x, g);
    product.riesz(g, z);
    axpy(-1.0, x, z);
    EXPECT_LT(norm_max(z), 1e-12);
  }
}

}  // namespace
