#include <gtest/gtest.h>

#include <libsolve/learn/varying_stencil.hpp>
#include <tests/unit/learn/learn_test_support.hpp>

namespace libsolve::test {
namespace {

using Tensor = std::vector<double>;

Tensor tensor(const PaddedGrid& g, int channels, const char* purpose) {
  Tensor t(static_cast<size_t>(channels) * static_cast<size_t>(g.channel()), 0.0);
  if (purpose != nullptr)
    put_cells(g, random_values<double>(static_cast<size_t>(channels) * g.num_cells(), purpose),
              t.data(), channels);
  return t;
}

double dot_of(const Tensor& a, const Tensor& b) {
  double s = 0.0;
  for (size_t i = 0; i < a.size(); ++i) s += a[i] * b[i];
  return s;
}

const PaddedGrid grids[] = {PaddedGrid(1, {23, 1, 1}), PaddedGrid(2, {7, 9, 1}),
                            PaddedGrid(3, {5, 6, 4})};

/// One and the same kernel in every cell is a convolution.
TEST(VaryingStencil, IsAConvolutionWhereItDoesNotVary) {
  for (const PaddedGrid& g : grids) {
    Plan p;
    p.dimension = g.pad[0] + g.pad[1] + g.pad[2];
    p.add(convolution(0, 1, 0, 3));
    const auto kernel = random_values<double>(p.num_parameters(), "kernel");
    ASSERT_EQ(static_cast<int>(kernel.size()), num_places(g));
    TrainingPass<double> pass(p, g.cells);
    const Tensor x = tensor(g, 1, "x");
    put_cells(g, cells_of(g, x.data()), pass.input());
    Tensor w = tensor(g, num_places(g), nullptr), y = tensor(g, 1, nullptr);
    for (int t = 0; t < num_places(g); ++t)
      put_cells(g, Tensor(g.num_cells(), kernel[size_t(t)]), w.data() + t * g.channel());
    apply_stencil(g, w.data(), x.data(), y.data());
    const auto a = cells_of(g, y.data()), b = cells_of(g, pass.forward(kernel));
    for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-13);
  }
}

/// <W x, g> = <x, W^T g> = <w, gradient by w>: it is linear in both.
TEST(VaryingStencil, GradientsAreTheAdjoints) {
  for (const PaddedGrid& g : grids) {
    const Tensor w = tensor(g, num_places(g), "w"), x = tensor(g, 1, "x"), gy = tensor(g, 1, "g");
    Tensor y = tensor(g, 1, nullptr), gx = y, gw = tensor(g, num_places(g), nullptr);
    apply_stencil(g, w.data(), x.data(), y.data());
    add_stencil_input_gradient(g, w.data(), gy.data(), gx.data());
    add_stencil_weight_gradient(g, x.data(), gy.data(), gw.data());
    const double forward = dot_of(y, gy);
    EXPECT_NEAR(dot_of(x, gx), forward, 1e-12 * (1.0 + std::abs(forward)));
    EXPECT_NEAR(dot_of(w, gw), forward, 1e-12 * (1.0 + std::abs(forward)));
    const auto inside = cells_of(g, gx.data());
    EXPECT_NEAR(dot_of(inside, inside), dot_of(gx, gx), 0.0) << "zeros around the cells stay";
    add_stencil_weight_gradient(g, x.data(), gy.data(), gw.data());
    EXPECT_NEAR(dot_of(w, gw), 2.0 * forward, 1e-12 * (1.0 + std::abs(forward))) << "adds";
  }
}

}  // namespace
}  // namespace libsolve::test
