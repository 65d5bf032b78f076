#include <gtest/gtest.h>

#include <libsolve/learn/convolution_gradient.hpp>
#include <tests/unit/learn/learn_test_support.hpp>

namespace libsolve::test {
namespace {

using Cells = std::array<int, 3>;

double dot_of(const std::vector<double>& a, const std::vector<double>& b) {
  double s = 0.0;
  for (size_t i = 0; i < a.size(); ++i) s += a[i] * b[i];
  return s;
}

/// y_o(c) = b_o + sum_i sum_t w x_i(c + t), straight from the formula.
std::vector<double> plain_convolution(int dimension, const Cells& n, int inputs, int outputs,
                                      int width, const std::vector<double>& w,
                                      const std::vector<double>& b, const std::vector<double>& x) {
  const int r = width / 2;
  const int e[3] = {width, dimension > 1 ? width : 1, dimension > 2 ? width : 1};
  std::vector<double> y;
  for (int o = 0; o < outputs; ++o)
    for (int k = 0; k < n[2]; ++k)
      for (int j = 0; j < n[1]; ++j)
        for (int i = 0; i < n[0]; ++i) {
          double sum = b[size_t(o)];
          size_t at = size_t(o * inputs) * size_t(e[0] * e[1] * e[2]);
          for (int c = 0; c < inputs; ++c)
            for (int z = 0; z < e[2]; ++z)
              for (int v = 0; v < e[1]; ++v)
                for (int u = 0; u < e[0]; ++u, ++at) {
                  const int p[3] = {i + u - r, dimension > 1 ? j + v - r : j,
                                    dimension > 2 ? k + z - r : k};
                  bool inside = true;
                  for (int a = 0; a < 3; ++a) inside = inside && p[a] >= 0 && p[a] < n[a];
                  if (inside)
                    sum += w[at] * x[size_t(p[0] + n[0] * (p[1] + n[1] * (p[2] + n[2] * c)))];
                }
          y.push_back(sum);
        }
  return y;
}

struct Size {
  int dimension;
  Cells cells;
};
const Size sizes[] = {{1, {37, 1, 1}}, {2, {7, 5, 1}},   {2, {33, 3, 1}},
                      {3, {5, 4, 3}},  {3, {16, 16, 9}}, {3, {1, 2, 5}}};

/// Every number of channels has a tile of its own.
TEST(Convolution, IsTheFormula) {
  for (const Size& s : sizes)
    for (const int inputs : {1, 2, 3, 16})
      for (const int outputs : {1, 2, 3, 4, 7, 16})
        for (const int width : {1, 3}) {
          Plan p;
          p.dimension = s.dimension;
          p.add(convolution(0, inputs, 0, 1));
          p.add(convolution(1, outputs, 0, width, -1, true));
          TrainingPass<double> pass(p, s.cells);
          auto w = random_values<double>(p.num_parameters(), "w");
          const size_t n = pass.grid().num_cells();
          const auto x = random_values<double>(n, "x");
          put_cells(pass.grid(), x, pass.input());
          const auto y = cells_of(pass.grid(), pass.forward(w), outputs);
          std::vector<double> x1;  // the first layer by hand
          for (int c = 0; c < inputs; ++c)
            for (size_t i = 0; i < n; ++i) x1.push_back(w[size_t(c)] * x[i]);
          const size_t first = p.first_parameter(1), middle = first + p.num_weights(1);
          const auto expected = plain_convolution(
              s.dimension, s.cells, inputs, outputs, width,
              {w.begin() + static_cast<long>(first), w.begin() + static_cast<long>(middle)},
              {w.begin() + static_cast<long>(middle), w.end()}, x1);
          double worst = 0.0;
          for (size_t i = 0; i < expected.size(); ++i)
            worst = std::max(worst, std::abs(y[i] - expected[i]));
          EXPECT_LT(worst, 1e-12) << s.dimension << "D " << inputs << " -> " << outputs;
        }
}

/// <K x, g> = <x, K^T g> for a network that is one convolution.
TEST(Convolution, BackwardIsTheAdjoint) {
  for (const Size& s : sizes)
    for (const int channels : {1, 2, 16}) {
      Plan p;
      p.dimension = s.dimension;
      p.add(convolution(0, channels, 0, 3));
      TrainingPass<double> pass(p, s.cells);
      const auto w = random_values<double>(p.num_parameters(), "w");
      const auto x = random_values<double>(pass.grid().num_cells(), "x");
      const auto g = random_values<double>(x.size() * size_t(channels), "g");
      put_cells(pass.grid(), x, pass.input());
      const auto y = cells_of(pass.grid(), pass.forward(w), channels);
      put_cells(pass.grid(), g, pass.output_gradient(), channels);
      std::vector<double> gradient(p.num_parameters(), 0.0);
      pass.backward(w, gradient);
      const double forward = dot_of(y, g);
      EXPECT_NEAR(forward, dot_of(x, cells_of(pass.grid(), pass.input_gradient())),
                  1e-12 * std::abs(forward) + 1e-11);
      // The map is linear in the weights, too.
      EXPECT_NEAR(forward, dot_of(w, gradient), 1e-12 * std::abs(forward) + 1e-11);
    }
}

/// The largest difference of a gradient from central differences of 1/2 |y|^2, relative to the
/// largest entry.
double gradient_error(const Plan& p, const Cells& cells) {
  TrainingPass<double> pass(p, cells);
  auto w = random_values<double>(p.num_parameters(), "w", 0.3);
  auto x = random_values<double>(pass.grid().num_cells(), "x");
  const auto loss = [&] {
    put_cells(pass.grid(), x, pass.input());
    const auto y = cells_of(pass.grid(), pass.forward(w));
    return 0.5 * dot_of(y, y);
  };
  loss();
  put_cells(pass.grid(), cells_of(pass.grid(), pass.forward(w)), pass.output_gradient());
  std::vector<double> gradient(p.num_parameters(), 0.0);
  pass.backward(w, gradient);
  const auto gx = cells_of(pass.grid(), pass.input_gradient());
  double worst = 0.0, largest = 0.0;
  const auto compare = [&](double& variable, double g) {
    const double h = 1e-6, kept = variable;
    variable = kept + h;
    const double high = loss();
    variable = kept - h;
    const double low = loss();
    variable = kept;
    worst = std::max(worst, std::abs((high - low) / (2.0 * h) - g));
    largest = std::max(largest, std::abs(g));
  };
  const size_t step = std::max<size_t>(1, w.size() / 97);
  for (size_t i = 0; i < w.size(); i += step) compare(w[i], gradient[i]);
  for (size_t i = 0; i < x.size(); i += 7) compare(x[i], gx[i]);
  return worst / largest;
}

TEST(TrainingPass, GradientsAreThoseOfFiniteDifferences) {
  for (const Size& s : {Size{1, {19, 1, 1}}, Size{2, {9, 6, 1}}, Size{3, {6, 5, 7}}})
    for (const int channels : {1, 2, 3, 8, 16})
      for (const bool bias : {false, true})
        for (const bool relu : {false, true})
          EXPECT_LT(gradient_error(small_network(s.dimension, channels, bias, relu), s.cells), 2e-7)
              << s.dimension << "D, " << channels << " channels, bias " << bias << ", relu "
              << relu;
}

TEST(TrainingPass, KeepsNothingFromTheLastSample) {
  const Plan p = small_network(3, 2, true, true);
  const Cells cells = {5, 6, 7};
  TrainingPass<float> used(p, cells), fresh(p, cells);
  const auto w = random_values<float>(p.num_parameters(), "w");
  std::vector<float> ignored(w.size()), a(w.size()), b(w.size());
  const auto run = [&](TrainingPass<float>& pass, const char* purpose, std::vector<float>& g) {
    put_cells(pass.grid(), random_values<float>(pass.grid().num_cells(), purpose), pass.input());
    const auto y = cells_of(pass.grid(), pass.forward(w));
    put_cells(pass.grid(), y, pass.output_gradient());
    pass.backward(w, g);
    return y;
  };
  run(used, "other", ignored);
  EXPECT_EQ(run(used, "x", a), run(fresh, "x", b));
  EXPECT_EQ(a, b);
}

/// The fused network is the same map, with fewer multiply-adds.
TEST(Plan, FusedNetworksAreTheSameMap) {
  for (const bool relu : {false, true})
    for (const bool bias : {false, true}) {
      Network<double> n;
      n.plan = small_network(3, 2, bias, relu);
      n.parameters = random_values<double>(n.plan.num_parameters(), "w");
      const Network<double> f = fused(n);
      EXPECT_EQ(f.parameters.size(), f.plan.num_parameters());
      if (!relu) {
        EXPECT_LT(f.plan.multiply_adds_per_cell(), n.plan.multiply_adds_per_cell());
        EXPECT_EQ(f.plan.layers.size() + 1, n.plan.layers.size());
      }
      TrainingPass<double> plain(n.plan, {6, 5, 4}), quick(f.plan, {6, 5, 4});
      const auto x = random_values<double>(plain.grid().num_cells(), "x");
      put_cells(plain.grid(), x, plain.input());
      put_cells(plain.grid(), x, quick.input());
      const auto y = cells_of(plain.grid(), plain.forward(n.parameters));
      const auto z = cells_of(plain.grid(), quick.forward(f.parameters));
      for (size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], z[i], 1e-11);
    }
}

}  // namespace
}  // namespace libsolve::test
