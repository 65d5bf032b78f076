#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>

#include "../convex_pass.hpp"
#include "../softplus.hpp"

namespace {

using namespace learned_proximal;

std::vector<double> random_picture(std::size_t n, std::uint64_t seed, double size = 1.0) {
  const RandomStream stream(seed, "picture");
  std::vector<double> x(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = size * stream.normal(i);
  return x;
}

double inner(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// A network on 13 x 9 cells, all parameters random.
class Networks : public testing::Test {
 protected:
  Networks() : network_(options()), packed_(network_), pass_(packed_, nx, ny) {
    parameters_ = network_.initial_parameters(3);
    const RandomStream stream(7, "more");
    for (std::size_t i = 0; i < parameters_.size(); ++i)
      parameters_[i] *= static_cast<float>(1.0 + 0.5 * stream.normal(i));
    network_.make_convex(parameters_);
    packed_.set(parameters_);
  }
  static ConvexNetworkOptions options() {
    ConvexNetworkOptions o;
    o.channels = 5;
    o.layers = 3;
    o.beta = 4.0;
    o.alpha = 0.05;
    return o;
  }
  std::vector<double> gradient(const std::vector<double>& x) {
    std::vector<double> f(x.size());
    (void)pass_.value(x.data());
    pass_.gradient(f.data());
    return f;
  }
  std::vector<double> hessian_times(const std::vector<double>& x, const std::vector<double>& v) {
    (void)gradient(x);
    std::vector<double> Hv(v.size());
    pass_.apply_hessian(v.data(), Hv.data());
    return Hv;
  }

  static constexpr int nx = 13, ny = 9;
  static constexpr std::size_t n = nx * ny;
  ConvexNetwork network_;
  PackedNetwork<double> packed_;
  ConvexPass<double> pass_;
  std::vector<float> parameters_;
};

TEST(Softplus, AgreesWithTheLibrarysFunctions) {
  for (int i = -4000; i <= 4000; ++i) {
    const double t = 0.0073 * i, beta = 5.0;
    double g, s;
    softplus<double>(t, beta, g, s);
    const double expected = std::max(t, 0.0) + std::log1p(std::exp(-std::abs(beta * t))) / beta;
    ASSERT_NEAR(g, expected, 1e-14 * expected + 1e-18) << t;
    ASSERT_NEAR(s, 1.0 / (1.0 + std::exp(-beta * t)), 2e-15) << t;
    float gf, sf;
    softplus<float>(static_cast<float>(t), 5.0F, gf, sf);
    ASSERT_NEAR(gf, expected, 1e-5 * expected + 1e-18) << t;
    ASSERT_NEAR(sf, 1.0 / (1.0 + std::exp(-beta * t)), 5e-6) << t;
  }
}

/// psi as it is written down, cell by cell, on a plane that is large enough.
TEST_F(Networks, ValueIsThatOfTheFormula) {
  const int m = 2 * network_.layers(), wx = nx + 2 * m, wy = ny + 2 * m, C = network_.channels();
  const auto x = random_picture(n, 1);
  std::vector<double> plane(static_cast<std::size_t>(wx * wy), 0.0);
  for (int j = 0; j < ny; ++j)
    for (int i = 0; i < nx; ++i)
      plane[static_cast<std::size_t>((j + m) * wx + i + m)] =
          x[static_cast<std::size_t>(j * nx + i)];
  std::vector<double> z;
  const auto rest = [&](int k, int c) {
    return std::log1p(
               std::exp(4.0 * static_cast<double>(
                                  parameters_[network_.biases(k) + static_cast<std::size_t>(c)]))) /
           4.0;
  };
  const auto sum = [&](std::size_t first, int inputs, const std::vector<double>& in, int c, int i,
                       int j) {
    double a = 0.0;
    for (int from = 0; from < inputs; ++from)
      for (int dy = -1; dy <= 1; ++dy)
        for (int dx = -1; dx <= 1; ++dx) {
          if (i + dx < 0 || i + dx >= wx || j + dy < 0 || j + dy >= wy) continue;
          a += static_cast<double>(
                   parameters_[first + static_cast<std::size_t>(
                                           ((c * inputs + from) * 3 + dy + 1) * 3 + dx + 1)]) *
               in[static_cast<std::size_t>((from * wy + j + dy) * wx + i + dx)];
        }
    return a;
  };
  for (int k = 0; k < network_.layers(); ++k) {
    std::vector<double> next(static_cast<std::size_t>(C * wx * wy)), subtracted = z;
    for (int c = 0; k > 0 && c < C; ++c)
      for (int p = 0; p < wx * wy; ++p)
        subtracted[static_cast<std::size_t>(c * wx * wy + p)] -= rest(k - 1, c);
    for (int c = 0; c < C; ++c)
      for (int j = 0; j < wy; ++j)
        for (int i = 0; i < wx; ++i) {
          double a =
              static_cast<double>(parameters_[network_.biases(k) + static_cast<std::size_t>(c)]) +
              sum(network_.input_weights(k), 1, plane, c, i, j);
          if (k > 0) a += sum(network_.hidden_weights(k), C, subtracted, c, i, j);
          next[static_cast<std::size_t>((c * wy + j) * wx + i)] =
              std::log1p(std::exp(4.0 * a)) / 4.0;
        }
    z = next;
  }
  double psi = 0.025 * inner(x, x);
  for (int c = 0; c < C; ++c)
    for (int p = 0; p < wx * wy; ++p) {
      const double v = z[static_cast<std::size_t>(c * wx * wy + p)];
      const double w = static_cast<double>(
          parameters_[network_.readout_weights() + static_cast<std::size_t>(c)]);
      const double r = rest(network_.layers() - 1, c);
      psi += w * (v - r);
    }
  EXPECT_NEAR(pass_.value(x.data()), psi, 1e-12 * std::abs(psi));
}

TEST_F(Networks, GradientAndHessianAreDerivatives) {
  for (const std::uint64_t seed : {1, 2}) {
    const auto x = random_picture(n, seed), v = random_picture(n, seed + 10);
    const double h = 1e-5;
    std::vector<double> up = x, down = x;
    for (std::size_t i = 0; i < n; ++i) {
      up[i] += h * v[i];
      down[i] -= h * v[i];
    }
    const double slope = inner(gradient(x), v);
    EXPECT_NEAR((pass_.value(up.data()) - pass_.value(down.data())) / (2.0 * h), slope,
                1e-7 * std::abs(slope) + 1e-8);
    const auto Hv = hessian_times(x, v), a = gradient(up), b = gradient(down);
    double size = std::sqrt(inner(Hv, Hv)), missed = 0.0;
    for (std::size_t i = 0; i < n; ++i) missed += std::pow((a[i] - b[i]) / (2.0 * h) - Hv[i], 2);
    EXPECT_LT(std::sqrt(missed), 1e-7 * size);
  }
}

/// f is the gradient of a function: its Jacobian is symmetric. The function is alpha-strongly
/// convex.
TEST_F(Networks, JacobianIsSymmetricAndPositive) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const auto x = random_picture(n, seed, seed == 3 ? 5.0 : 0.5);
    const auto v = random_picture(n, seed + 10), w = random_picture(n, seed + 20);
    const auto Hv = hessian_times(x, v), Hw = hessian_times(x, w);
    EXPECT_NEAR(inner(Hv, w), inner(v, Hw), 1e-12 * std::sqrt(inner(Hv, Hv) * inner(w, w)));
    EXPECT_GT(inner(Hv, v), 0.05 * inner(v, v));
  }
}

TEST_F(Networks, IsMonotone) {
  for (const std::uint64_t seed : {1, 2, 3, 4}) {
    const auto x = random_picture(n, seed), y = random_picture(n, seed + 10, seed == 4 ? 4.0 : 1.0);
    const auto fx = gradient(x), fy = gradient(y);
    double gain = 0.0, square = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
      gain += (fx[i] - fy[i]) * (x[i] - y[i]);
      square += (x[i] - y[i]) * (x[i] - y[i]);
    }
    EXPECT_GE(gain, 0.05 * square);
  }
}

/// The gradient of <grad psi(x), v> by each parameter, against differences.
TEST_F(Networks, ParameterGradientsAreDerivatives) {
  const auto x = random_picture(n, 1), v = random_picture(n, 2);
  (void)gradient(x);
  pass_.apply_hessian(v.data(), nullptr);
  std::vector<double> by_parameter(network_.num_parameters(), 0.0);
  pass_.add_parameter_gradient(by_parameter);
  double largest = 0.0;
  for (const double g : by_parameter) largest = std::max(largest, std::abs(g));
  ASSERT_GT(largest, 0.1);
  for (std::size_t p = 0; p < parameters_.size(); p += p % 3 + 1) {
    const float kept = parameters_[p];
    double at[2], step[2];
    for (const int side : {0, 1}) {
      parameters_[p] = kept + (side == 0 ? -1.0F : 1.0F) / 1024.0F;
      step[side] = static_cast<double>(parameters_[p]);
      packed_.set(parameters_);
      at[side] = inner(gradient(x), v);
    }
    parameters_[p] = kept;
    // The third derivative by a parameter times 1e-6.
    EXPECT_NEAR((at[1] - at[0]) / (step[1] - step[0]), by_parameter[p], 2e-4 * largest) << p;
  }
}

/// A picture in the middle of zeros, two cells further: so is f, to the digits.
TEST_F(Networks, ShiftsOfPicturesShiftTheGradient) {
  std::vector<double> x(n, 0.0), moved(n, 0.0);
  const auto values = random_picture(9, 5);
  for (int j = 0; j < 3; ++j)
    for (int i = 0; i < 3; ++i) {
      x[static_cast<std::size_t>((j + 3) * nx + i + 3)] =
          values[static_cast<std::size_t>(3 * j + i)];
      moved[static_cast<std::size_t>((j + 3) * nx + i + 5)] =
          values[static_cast<std::size_t>(3 * j + i)];
    }
  const auto f = gradient(x), g = gradient(moved);
  for (int j = 0; j < ny; ++j)
    for (int i = 0; i + 2 < nx; ++i)
      EXPECT_NEAR(f[static_cast<std::size_t>(j * nx + i)],
                  g[static_cast<std::size_t>(j * nx + i + 2)], 1e-13);
}

/// What is trained in float is applied in double.
TEST_F(Networks, FloatAndDoubleAgree) {
  PackedNetwork<float> packed(network_);
  packed.set(parameters_);
  ConvexPass<float> pass(packed, nx, ny);
  const auto x = random_picture(n, 1);
  std::vector<double> f(n);
  EXPECT_NEAR(pass.value(x.data()), pass_.value(x.data()), 1e-5 * pass_.value(x.data()));
  pass.gradient(f.data());
  const auto g = gradient(x);
  for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(f[i], g[i], 1e-5 * (1.0 + std::abs(g[i])));
}

TEST_F(Networks, ArraysGoThereAndBack) {
  Weights w;
  w.arrays = network_.to_arrays(parameters_);
  EXPECT_EQ(network_.from_arrays(w), parameters_);
  for (NamedArray& a : w.arrays)
    if (a.name == "layer2/hidden") a.values[4] = -1e-3;
  EXPECT_THROW((void)network_.from_arrays(w), InputError);
}

}  // namespace
