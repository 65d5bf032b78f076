#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random_vector.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/assembled.hpp>
#include <libsolve/pde/adjoint_test.hpp>
#include <libsolve/pde/mass_inner_product.hpp>
#include <libsolve/pde/q1_control_operator.hpp>
#include <libsolve/pde/q1_diffusion.hpp>
#include <libsolve/pde/q1_operator.hpp>

#include <tests/support/execution_spaces.hpp>
#include <tests/support/nodes.hpp>

namespace {

using namespace libsolve;
using test::to_host;

/// Grids of every dimension, with sides and spacings that differ, and sizes that are no multiple of
/// a warp or of SIMD's width.
std::vector<NodeGrid> some_grids() {
  return {NodeGrid(1, {37, 1, 1}, {2.0, 1.0, 1.0}), NodeGrid(2, {12, 19, 1}, {1.0, 3.0, 1.0}),
          NodeGrid(2, {2, 2, 1}, {1.0, 1.0, 1.0}), NodeGrid(3, {7, 5, 9}, {1.0, 2.0, 0.5})};
}

/// Rows of several blocks, planes of several tiles of rows.
NodeGrid large_grid() {
  return NodeGrid(3, {300, 160, 4}, {3.0, 1.6, 0.04});
}

Vector random_nodes(const NodeGrid& grid, std::uint64_t seed) {
  const Vector v("test::random", grid.partition());
  fill_uniform(v, RandomStream(seed, "test"));
  return v;
}

double largest_difference(const Vector& a, const Vector& b) {
  const auto x = to_host(a), y = to_host(b);
  double largest = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) largest = std::max(largest, std::abs(x[i] - y[i]));
  return largest;
}

TEST(Q1Weights, AreTheBilinearElementsOfSquares) {
  // Unit square, h = 1/4: the stiffness row is (8, -1, ..., -1) / 3, the mass row h^2/36 (16, 4,
  // 1).
  const NodeGrid grid(2, {4, 4, 1}, {1.0, 1.0, 1.0});
  const Q1Weights K = q1_stiffness(grid), M = q1_mass(grid);
  EXPECT_NEAR(K.w[0][0], 8.0 / 3.0, 1e-15);
  for (const double side : {K.w[0][1], K.w[1][0], K.w[1][1]}) EXPECT_NEAR(side, -1.0 / 3.0, 1e-15);
  EXPECT_NEAR(M.w[0][0], 16.0 / 576.0, 1e-17);
  EXPECT_NEAR(M.w[0][1], 4.0 / 576.0, 1e-17);
  EXPECT_NEAR(M.w[1][1], 1.0 / 576.0, 1e-17);
}

TEST(Q1Weights, RowsSumToZeroAndToTheVolume) {
  for (const NodeGrid& grid : some_grids()) {
    double stiffness = 0.0, mass = 0.0;
    for (int r = 0; r < 1 << (grid.dimension() - 1); ++r)
      for (int x = 0; x < 2; ++x) {
        const int nodes = (x == 0 ? 1 : 2) * ((r & 1) != 0 ? 2 : 1) * ((r & 2) != 0 ? 2 : 1);
        stiffness += nodes * q1_stiffness(grid).w[r][x];
        mass += nodes * q1_mass(grid).w[r][x];
      }
    EXPECT_NEAR(stiffness, 0.0, 1e-13 * q1_stiffness(grid).centre());
    EXPECT_NEAR(mass, grid.cell_volume(), 1e-14 * grid.cell_volume());
  }
}

TEST(Q1Operator, ProductIsThatOfItsMatrix) {
  for (const NodeGrid& grid : some_grids()) {
    const Q1Operator A(grid, q1_mass(grid) + 0.3 * q1_stiffness(grid));
    const auto matrix = A.assemble();
    const Vector x = random_nodes(grid, 1), y = x.like("y"), z = x.like("z");
    A.apply(x, y);
    matrix->apply(x, z);
    EXPECT_LT(largest_difference(y, z), 1e-14 * 30.0 * A.weights().centre()) << A.description();
    EXPECT_LT(adjoint_gap(A, 3), 1e-14);
    EXPECT_TRUE(matrix->is_symmetric());
    ASSERT_TRUE(A.diagonal(z));
    EXPECT_EQ(to_host(z).front(), A.weights().centre());
  }
}

/// 1 in a part with curved and oblique sides.
Vector some_domain(const NodeGrid& grid) {
  return test::at_nodes(grid, [](double x, double y, double z) {
    return 0.3 - (x - 0.4) * (x - 0.4) - 0.2 * y - 0.1 * z;
  });
}

TEST(NodeGrid, OperatorsOnHalfABoxAreThoseOfTheSmallerBox) {
  for (int d = 1; d <= 3; ++d) {
    const Index n = d == 3 ? 8 : 16;
    const std::array<Index, 3> whole = {n, d > 1 ? n : 1, d > 2 ? n : 1};
    std::array<Index, 3> left = whole;
    left[0] = n / 2;
    const NodeGrid box(d, whole, {1.0, 1.0, 1.0}), small(d, left, {0.5, 1.0, 1.0});
    const NodeGrid half =
        box.masked(test::at_nodes(box, [](double x, double, double) { return 0.499 - x; }));
    const Vector x = random_nodes(half, 5), y = x.like("y");
    const Vector small_x("x", small.partition()), small_y = small_x.like("y");
    const auto entries = to_host(x);
    std::vector<double> part;
    for (std::size_t i = 0; i < entries.size(); ++i)
      if (static_cast<Index>(i) % (n - 1) < n / 2 - 1) part.push_back(entries[i]);
    test::assign(small_x, part);
    const Q1Weights weights = q1_mass(box) + 0.3 * q1_stiffness(box);
    Q1Operator(half, weights).apply(x, y);
    Q1Operator(small, weights).apply(small_x, small_y);
    const auto all = to_host(y), expected = to_host(small_y);
    std::size_t k = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (static_cast<Index>(i) % (n - 1) < n / 2 - 1)
        EXPECT_NEAR(all[i], expected[k++], 1e-13 * weights.centre());
      else
        EXPECT_EQ(all[i], weights.centre() * entries[i]);
    }
  }
}

TEST(NodeGrid, MaskedOperatorsAreSymmetricAndThoseOfTheirMatrices) {
  for (const NodeGrid& box : some_grids()) {
    const NodeGrid grid = box.masked(some_domain(box));
    ASSERT_TRUE(grid.has_mask());
    const Q1Operator A(grid, q1_mass(grid) + 0.3 * q1_stiffness(grid));
    const Vector x = random_nodes(grid, 1), y = x.like("y"), z = x.like("z");
    A.apply(x, y);
    A.assemble()->apply(x, z);
    EXPECT_LT(largest_difference(y, z), 1e-14 * 30.0 * A.weights().centre()) << A.description();
    EXPECT_LT(adjoint_gap(A, 3), 1e-14);
    EXPECT_LT(adjoint_gap(Q1ControlOperator(grid, 1e-2), 3), 1e-14);

    const Vector a("a", Q1Diffusion::cell_partition(grid));
    fill(a, 1.5);
    const Q1Diffusion diffusion(grid, a);
    EXPECT_LT(adjoint_gap(diffusion, 3), 1e-14);
    const Q1Operator K(grid, 1.5 * q1_stiffness(grid));
    Vector inside = x.like("inside");
    grid.keep_inside(x.view(), inside.view());
    diffusion.apply(inside, y);
    K.apply(inside, z);
    EXPECT_LT(largest_difference(y, z), 1e-13 * K.weights().centre());
  }
}

TEST(NodeGrid, MasksComeAlongToCoarseGrids) {
  const NodeGrid box(2, {16, 12, 1}, {1.0, 1.0, 1.0});
  const NodeGrid coarse = box.masked(some_domain(box)).coarse();
  const NodeGrid again = box.coarse().masked(some_domain(box.coarse()));
  const auto mask = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), coarse.mask());
  const auto expected = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), again.mask());
  double inside = 0.0;
  for (std::size_t i = 0; i < mask.extent(0); ++i) {
    EXPECT_EQ(mask(i), expected(i));
    inside += mask(i);
  }
  EXPECT_GT(inside, 3.0);
  EXPECT_LT(inside, 35.0);
}

/// v^T A v <= v^T S v <= 3^D v^T A v, for sines (eigenvectors of both) from the smoothest to the
/// wildest and for random vectors; and equal for smooth ones up to their curvature.
TEST(Q1Operator, EquivalentStencilIsEquivalentWhateverTheGrid) {
  std::vector<NodeGrid> grids = some_grids();
  for (const NodeGrid& box : some_grids()) grids.push_back(box.masked(some_domain(box)));
  for (const NodeGrid& grid : grids)
    for (const double ratio : {0.0, 0.1, 1.0, 30.0}) {
      const double s = ratio * grid.spacing(0) * grid.spacing(0);
      const auto A = std::make_shared<Q1Operator>(grid, q1_mass(grid) + s * q1_stiffness(grid));
      const auto S = stencil_for(A);
      ASSERT_NE(S, nullptr);
      ASSERT_TRUE(S->row_partition() == grid.partition());
      const Vector Av("Av", grid.partition()), Sv = Av.like("Sv");
      const auto quotient = [&](const Vector& v) {
        A->apply(v, Av);
        S->apply(v, Sv);
        return dot(v, Sv) / dot(v, Av);
      };
      const auto sine = [&](bool wild) {
        return test::at_nodes(grid, [&](double x, double y, double z) {
          const double at[3] = {x, y, z};
          double v = 1.0;
          for (int a = 0; a < grid.dimension(); ++a) {
            const double k = wild ? grid.cells(a) - 1 : 1;
            v *= std::sin(M_PI * k * at[a] / (grid.spacing(a) * grid.cells(a)));
          }
          return v;
        });
      };
      const double largest = std::pow(3.0, grid.dimension());
      for (const Vector& v : {sine(false), sine(true), random_nodes(grid, 5)}) {
        EXPECT_GE(quotient(v), 1.0 - 1e-12) << A->description() << ", s = " << s;
        EXPECT_LE(quotient(v), largest) << A->description() << ", s = " << s;
      }
      if (grid.cells(0) > 30 && !grid.has_mask()) {
        EXPECT_LT(quotient(sine(false)), 1.01);
      }
    }
}

TEST(Q1Operator, IsAssembledForMethodsThatNeedEntries) {
  const NodeGrid grid(2, {5, 6, 1}, {1.0, 1.0, 1.0});
  const auto A = std::make_shared<Q1Operator>(grid, q1_mass(grid));
  std::vector<std::string> notes;
  const Vector x = random_nodes(grid, 1), y = x.like("y"), z = x.like("z");
  A->apply(x, y);
  with_entries(A, "test", notes)->apply(x, z);
  EXPECT_LT(largest_difference(y, z), 1e-15);
  EXPECT_EQ(notes.size(), 1U);
}

TEST(Q1Operator, BoundaryValuesEnterThroughPaddedArrays) {
  // K of a linear function is zero, its boundary values included.
  const NodeGrid grid(2, {6, 5, 1}, {1.0, 1.0, 1.0});
  const Q1Operator K(grid, q1_stiffness(grid));
  const Box& box = grid.padded_box();
  const VectorView padded("padded", static_cast<std::size_t>(grid.rows().padded_size));
  const auto host = Kokkos::create_mirror_view(padded);
  for (Index j = 0; j < box.cells(1); ++j)
    for (Index i = 0; i < box.cells(0); ++i)
      host(static_cast<std::size_t>(i + box.cells(0) * j)) =
          1.0 + 2.0 * grid.coordinate(0, i) - grid.coordinate(1, j);
  Kokkos::deep_copy(padded, host);
  const Vector y("y", grid.partition());
  K.apply_padded(padded, y.view());
  EXPECT_LT(norm_max(y), 1e-14);
}

TEST(NodeGrid, RefusesWhatHasNoInnerNodes) {
  EXPECT_THROW(NodeGrid(2, {1, 4, 1}, {1.0, 1.0, 1.0}), ShapeError);
  EXPECT_THROW(NodeGrid(4, {4, 4, 4}, {1.0, 1.0, 1.0}), ShapeError);
  EXPECT_FALSE(NodeGrid(2, {6, 3, 1}, {1.0, 1.0, 1.0}).can_coarsen());
  const NodeGrid coarse = NodeGrid(2, {8, 4, 1}, {1.0, 3.0, 1.0}).coarse();
  EXPECT_EQ(coarse.cells(0), 4);
  EXPECT_EQ(coarse.cells(1), 2);
  EXPECT_DOUBLE_EQ(coarse.spacing(1), 1.5);
}

TEST(Q1Diffusion, WithAConstantCoefficientIsTheStiffnessMatrix) {
  for (const NodeGrid& grid : some_grids()) {
    const Vector a("a", Q1Diffusion::cell_partition(grid));
    fill(a, 2.5);
    const Q1Diffusion A(grid, a);
    const Q1Operator K(grid, 2.5 * q1_stiffness(grid));
    const Vector x = random_nodes(grid, 2), y = x.like("y"), z = x.like("z");
    A.apply(x, y);
    K.apply(x, z);
    EXPECT_LT(largest_difference(y, z), 1e-13 * K.weights().centre()) << A.description();
    A.diagonal(y);
    K.diagonal(z);
    EXPECT_LT(largest_difference(y, z), 1e-14 * K.weights().centre());
  }
}

/// -div grad (x^2 + 2 y^2 + 3 z^2) = -12, and the elements' integrals of it are exact.
TEST(Q1Operator, IsExactForQuadraticFunctionsOnLargeGrids) {
  const NodeGrid grid = large_grid();
  const Vector x = test::at_nodes(
      grid, [](double x, double y, double z) { return x * x + 2.0 * y * y + 3.0 * z * z; });
  const Vector a("a", Q1Diffusion::cell_partition(grid)), y = x.like("y");
  fill(a, 1.0);
  const Q1Operator K(grid, q1_stiffness(grid));
  const Q1Diffusion A(grid, a);
  for (const LinearOperator* op :
       {static_cast<const LinearOperator*>(&K), static_cast<const LinearOperator*>(&A)}) {
    op->apply(x, y);
    const std::vector<double> values = to_host(y);
    double worst = 0.0;
    for (Index j = 1; j < 158; ++j)  // not beside the boundary, where functions are taken as 0
      for (Index i = 1; i < 298; ++i)
        worst = std::max(worst, std::abs(values[static_cast<std::size_t>(i + 299 * (j + 159))] +
                                         12.0 * grid.cell_volume()));
    EXPECT_LT(worst, 1e-13 * 12.0 * K.weights().centre()) << op->description();
  }
}

TEST(Q1Diffusion, DerivativeWithRespectToTheCoefficientIsExact) {
  // A is linear in a: w^T (A(a + e) - A(a)) y = g^T e for every e.
  std::vector<NodeGrid> grids = some_grids();
  grids.push_back(large_grid());
  for (const NodeGrid& grid : grids) {
    const Vector a("a", Q1Diffusion::cell_partition(grid)), e = a.like("e"), g = a.like("g");
    fill_uniform(a, RandomStream(4, "a"), 0.5, 2.0);
    fill_uniform(e, RandomStream(5, "e"));
    const Vector y = random_nodes(grid, 6), w = random_nodes(grid, 7), before = y.like("before"),
                 after = y.like("after");
    Q1Diffusion A(grid, a);
    EXPECT_LT(adjoint_gap(A, 8), 1e-14);
    A.apply(y, before);
    A.coefficient_gradient(y, w, g);
    axpy(1.0, e, a);
    A.set_coefficient(a);
    A.apply(y, after);
    axpy(-1.0, before, after);
    EXPECT_NEAR(dot(w, after), dot(g, e), 1e-12 * norm2(g) * norm2(e));
  }
}

TEST(MassInnerProduct, RieszRepresentativesAreExact) {
  for (const NodeGrid& grid : some_grids()) {
    for (const bool lumped : {false, true}) {
      const MassInnerProduct product(grid, 2, lumped, 0.7);
      const Vector x("x", product.partition()), g = x.like("g"), z = x.like("z");
      fill_uniform(x, RandomStream(9, "x"));
      product.apply(x, g);
      product.riesz(g, z);
      EXPECT_LT(largest_difference(x, z), 1e-12);
      EXPECT_NEAR(product.dual_norm(g), product.norm(x), 1e-12 * product.norm(x));
      EXPECT_NEAR(product.norm(x) * product.norm(x), dot(x, g), 1e-12 * dot(x, g));
    }
  }
}

TEST(MassInnerProduct, NormIsThatOfTheFunction) {
  // |sin(pi x) sin(pi y)| in L2 of the unit square is 1/2, to second order.
  double error[2];
  for (int s = 0; s < 2; ++s) {
    const Index n = 16 << s;
    const NodeGrid grid(2, {n, n, 1}, {1.0, 1.0, 1.0});
    error[s] = std::abs(MassInnerProduct(grid).norm(test::sine_mode(grid)) - 0.5);
  }
  EXPECT_NEAR(std::log2(error[0] / error[1]), 2.0, 0.1);
}

/// y = A x on arrays of Exec against the entry-by-entry sum on the host.
struct ApplyHere {
  Q1Stencil<3> A;
  const double* x;
  double* y;
  KOKKOS_FUNCTION void operator()(Index place, Index entry) const { y[entry] = A(x, place); }
};

template <class Exec>
double worst_error_on(const NodeGrid& grid) {
  using Space = typename Exec::memory_space;
  const NodeRows& rows = grid.rows();
  const auto n = static_cast<std::size_t>(rows.num_nodes());
  const Kokkos::View<double*, Space> x("x", static_cast<std::size_t>(rows.padded_size)), y("y", n);
  const auto host_x = Kokkos::create_mirror_view(x), host_y = Kokkos::create_mirror_view(y);
  const RandomStream random(11, "x");
  for (std::size_t i = 0; i < host_x.extent(0); ++i) host_x(i) = random.uniform(i, -1.0, 1.0);
  Kokkos::deep_copy(x, host_x);
  const Q1Weights weights = q1_mass(grid) + q1_stiffness(grid);
  for_nodes(Exec(), "test::apply", rows,
            ApplyHere{Q1Stencil<3>(weights, rows), x.data(), y.data()});
  Kokkos::fence();
  Kokkos::deep_copy(host_y, y);
  double worst = 0.0;
  for (Index e = 0; e < rows.num_nodes(); ++e) {
    const Index line = e / rows.n[0], k = line / rows.n[1];
    const Index c = rows.place(e - line * rows.n[0], line - k * rows.n[1], k);
    double sum = 0.0;
    for (int dz = -1; dz <= 1; ++dz)
      for (int dy = -1; dy <= 1; ++dy)
        for (int dx = -1; dx <= 1; ++dx)
          sum +=
              weights.w[std::abs(dy) + 2 * std::abs(dz)][std::abs(dx)] *
              host_x(static_cast<std::size_t>(c + dx + dy * rows.stride[1] + dz * rows.stride[2]));
    worst = std::max(worst, std::abs(sum - host_y(static_cast<std::size_t>(e))));
  }
  return worst / weights.centre();
}

template <class Exec>
class NodeKernels : public testing::Test {};
TYPED_TEST_SUITE(NodeKernels, test::ExecutionSpaces);

TYPED_TEST(NodeKernels, EveryNodeOnceWithItsNeighbours) {
  // Above and below the number of nodes at which rows go to threads.
  EXPECT_LT(worst_error_on<TypeParam>(NodeGrid(3, {35, 18, 21}, {1.0, 1.0, 1.0})), 1e-14);
  EXPECT_LT(worst_error_on<TypeParam>(NodeGrid(3, {5, 4, 3}, {1.0, 1.0, 1.0})), 1e-14);
}

}  // namespace
