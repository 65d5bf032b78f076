#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/pde/mass_inner_product.hpp>
#include <libsolve/pde/q1_diffusion.hpp>
#include <numbers>

#include <tests/support/nodes.hpp>

/// Manufactured solutions: errors in L2 fall by 4 when cells are halved.
namespace {

using namespace libsolve;

constexpr double pi = std::numbers::pi;

/// Conjugate gradients without a preconditioner, far below the error of the elements.
void solve(const LinearOperator& A, const Vector& b, const Vector& x) {
  const Vector r = b.like("r"), p = b.like("p"), q = b.like("q");
  copy(b, r);
  copy(b, p);
  fill(x, 0.0);
  double squared = dot(r, r);
  const double enough = 1e-20 * squared;
  for (int step = 0; step < 5000 && squared > enough; ++step) {
    A.apply(p, q);
    const double before = squared;
    squared = cg_update(squared / dot(p, q), p, q, x, r);
    axpby(1.0, r, squared / before, p);
  }
}

/// The L2 norm of the difference to the solution's interpolant.
double error_of(const NodeGrid& grid, const Vector& y, const Vector& exact) {
  axpy(-1.0, exact, y);
  return MassInnerProduct(grid).norm(y);
}

/// -Laplace y = f, y = product of sin(pi x_a): f = D pi^2 y.
double poisson_error(int dimension, Index cells) {
  const NodeGrid grid(dimension, {cells, cells, cells}, {1.0, 1.0, 1.0});
  const Q1Operator K(grid, q1_stiffness(grid)), M(grid, q1_mass(grid));
  const Vector exact = test::sine_mode(grid), b = exact.like("b"), y = exact.like("y");
  M.apply(exact, b);
  scale(dimension * pi * pi, b);
  solve(K, b, y);
  return error_of(grid, y, exact);
}

TEST(Q1Elements, PoissonIsOfSecondOrder) {
  const Index coarsest[4] = {0, 16, 8, 4};
  for (int d = 1; d <= 3; ++d) {
    const double e[3] = {poisson_error(d, coarsest[d]), poisson_error(d, 2 * coarsest[d]),
                         poisson_error(d, 4 * coarsest[d])};
    EXPECT_NEAR(std::log2(e[1] / e[2]), 2.0, 0.1) << d << "D, errors " << e[1] << " " << e[2];
    EXPECT_GT(e[0], e[1]);
  }
}

/// -div(a grad y) = f with a = 1 + x y, y = sin(pi x) sin(pi y):
/// f = 2 pi^2 a y - pi (y cos(pi x) sin(pi y) + x sin(pi x) cos(pi y)).
double diffusion_error(Index cells) {
  const NodeGrid grid(2, {cells, cells, 1}, {1.0, 1.0, 1.0});
  const Vector a("a", Q1Diffusion::cell_partition(grid));
  std::vector<double> values;
  const double h = grid.spacing(0);
  for (Index j = 0; j < cells; ++j)
    for (Index i = 0; i < cells; ++i) values.push_back(1.0 + (i + 0.5) * h * (j + 0.5) * h);
  test::assign(a, values);
  const Vector exact = test::sine_mode(grid), b = exact.like("b"), y = exact.like("y");
  const Vector f = test::at_nodes(grid, [](double x, double z, double) {
    const double sx = std::sin(pi * x), sy = std::sin(pi * z);
    const double cx = std::cos(pi * x), cy = std::cos(pi * z);
    return 2.0 * pi * pi * (1.0 + x * z) * sx * sy - pi * (z * cx * sy + x * sx * cy);
  });
  Q1Operator(grid, q1_mass(grid)).apply(f, b);
  // f is not zero on the boundary: what the elements there add.
  const Box& box = grid.padded_box();
  const VectorView padded("padded", static_cast<std::size_t>(grid.rows().padded_size));
  const auto host = Kokkos::create_mirror_view(padded);
  for (Index j = 0; j <= cells; ++j)
    for (Index i = 0; i <= cells; ++i) {
      const double x = i * h, z = j * h;
      if (i != 0 && i != cells && j != 0 && j != cells) continue;
      host(static_cast<std::size_t>(i + box.cells(0) * j)) =
          -pi * (z * std::cos(pi * x) * std::sin(pi * z) + x * std::sin(pi * x) * std::cos(pi * z));
    }
  Kokkos::deep_copy(padded, host);
  Q1Operator(grid, q1_mass(grid)).apply_padded(padded, y.view());
  axpy(1.0, y, b);
  solve(Q1Diffusion(grid, a), b, y);
  return error_of(grid, y, exact);
}

TEST(Q1Elements, VariableDiffusionIsOfSecondOrder) {
  const double e[2] = {diffusion_error(16), diffusion_error(32)};
  EXPECT_NEAR(std::log2(e[0] / e[1]), 2.0, 0.1) << "errors " << e[0] << " " << e[1];
}

}  // namespace
