#include <gtest/gtest.h>

#include <libsolve/core/vector.hpp>
#include <libsolve/learn/convolution.hpp>
#include <libsolve/learn/detail/device_layers.hpp>
#include <libsolve/learn/detail/resampling.hpp>
#include <libsolve/learn/inference.hpp>
#include <tests/support/execution_spaces.hpp>
#include <tests/support/vectors.hpp>
#include <tests/unit/learn/learn_test_support.hpp>

namespace libsolve::test {
namespace {

using Cells = std::array<int, 3>;
using Closed = Kokkos::View<const unsigned char*, MemSpace>;

/// What training computes is what is used: fused, with shared buffers, on odd grids, with a mask.
TEST(Inference, IsTheNetworkThatWasTrained) {
  for (const int dimension : {1, 2, 3})
    for (const bool relu : {false, true}) {
      Cells cells = {19, dimension > 1 ? 6 : 1, dimension > 2 ? 11 : 1};
      Network<float> n;
      n.plan = small_network(dimension, 3, relu, relu);
      n.parameters = random_values<float>(n.plan.num_parameters(), "w", 0.3);
      TrainingPass<float> pass(n.plan, cells);
      Inference net(n, cells);
      const auto size = static_cast<Index>(pass.grid().num_cells());
      const Vector r("r", Partition(size)), q("q", Partition(size));
      Kokkos::View<unsigned char*, MemSpace> closed("closed", static_cast<size_t>(size));
      Kokkos::deep_copy(Kokkos::subview(closed, 3), static_cast<unsigned char>(1));
      for (int sample = 0; sample < 2; ++sample) {  // the second finds used buffers
        auto x = random_values<double>(static_cast<size_t>(size), sample == 0 ? "a" : "b");
        assign(r, x);
        net.set_input(r.view(), 0.5);
        net.apply();
        net.get_output(sample == 0 ? Closed() : Closed(closed), q.view());
        std::vector<float> half(x.size());
        for (size_t i = 0; i < x.size(); ++i) half[i] = static_cast<float>(0.5 * x[i]);
        put_cells(pass.grid(), half, pass.input());
        const auto expected = cells_of(pass.grid(), pass.forward(n.parameters));
        const auto y = to_host(q);
        for (size_t i = 0; i < y.size(); ++i)
          EXPECT_NEAR(y[i], sample == 1 && i == 3 ? 0.0 : expected[i],
                      1e-5 * (1.0 + std::abs(expected[i])));
      }
      EXPECT_LT(net.flops_per_cell(), 2.0 * n.plan.multiply_adds_per_cell() + 1.0);
      EXPECT_GT(net.memory_bytes(), 4.0 * size);
    }
}

template <class Exec>
struct DeviceLayers : ::testing::Test {};
TYPED_TEST_SUITE(DeviceLayers, ExecutionSpaces);

using Tensor = std::vector<float>;

template <class Exec>
using Floats = Kokkos::View<float*, typename Exec::memory_space>;

template <class Exec>
Floats<Exec> to_space(const Tensor& values) {
  Floats<Exec> v("test::tensor", values.size());
  const auto host = Kokkos::create_mirror_view(v);
  std::copy(values.begin(), values.end(), host.data());
  Kokkos::deep_copy(v, host);
  return v;
}

template <class Exec>
Tensor from_space(const Floats<Exec>& v) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v);
  return Tensor(host.data(), host.data() + host.extent(0));
}

Tensor random_tensor(const PaddedGrid& g, int channels, const char* purpose) {
  Tensor t(static_cast<size_t>(channels) * static_cast<size_t>(g.channel()), 0.0f);
  put_cells(g, random_values<float>(static_cast<size_t>(channels) * g.num_cells(), purpose),
            t.data(), channels);
  return t;
}

double largest_difference(const Tensor& a, const Tensor& b) {
  double worst = a.size() == b.size() ? 0.0 : 1e300;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    worst = std::max(worst, std::abs(static_cast<double>(a[i]) - b[i]));
  return worst;
}

/// The kernel of devices against the registers of the host, zeros around the cells included.
template <class Exec>
double convolution_difference(int dimension, const Cells& cells, int inputs, int outputs,
                              int width) {
  learn::detail::Convolution<float> a;
  a.grid = PaddedGrid(dimension, cells);
  a.inputs = inputs;
  a.outputs = outputs;
  a.width = width;
  a.has_relu = true;
  const Tensor x = random_tensor(a.grid, inputs, "x"), s = random_tensor(a.grid, outputs, "s");
  const int taps = a.extent(0) * a.extent(1) * a.extent(2);
  const auto w = random_values<float>(static_cast<size_t>(inputs * outputs * taps), "w", 0.2);
  const auto b = random_values<float>(static_cast<size_t>(outputs), "b");
  Tensor packed(w.size()), y(s.size(), 0.0f);
  learn::detail::pack_weights(w.data(), inputs, outputs, a.extent(2), a.extent(1), a.extent(0), false,
                       packed.data());
  a.x = x.data();
  a.s = s.data();
  a.y = y.data();
  a.weights = packed.data();
  a.biases = b.data();
  learn::detail::convolve(a, 0, a.grid.cells[2]);

  const auto dx = to_space<Exec>(x), dw = to_space<Exec>(w), db = to_space<Exec>(b),
             ds = to_space<Exec>(s), dy = to_space<Exec>(Tensor(s.size(), 0.0f));
  const auto num_cells = static_cast<std::ptrdiff_t>(a.grid.num_cells());
  Kokkos::parallel_for(
      "test::convolve",
      Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::ptrdiff_t>>(0, num_cells * outputs),
      learn::detail::ConvolveCell{a.grid, inputs, width, num_cells, true, dx.data(), dw.data(), db.data(),
                           ds.data(), dy.data()});
  return largest_difference(y, from_space<Exec>(dy));
}

TYPED_TEST(DeviceLayers, ConvolutionsAreThoseOfTheHost) {
  EXPECT_LT((convolution_difference<TypeParam>(3, {17, 5, 6}, 3, 11, 3)), 1e-5);
  EXPECT_LT((convolution_difference<TypeParam>(2, {33, 9, 1}, 16, 16, 3)), 2e-5);
  EXPECT_LT((convolution_difference<TypeParam>(1, {70, 1, 1}, 2, 1, 3)), 1e-5);
  EXPECT_LT((convolution_difference<TypeParam>(3, {4, 3, 2}, 5, 4, 1)), 1e-5);
}

template <class Exec>
double resampling_difference(int dimension, const Cells& cells) {
  const PaddedGrid fine(dimension, cells), coarse = fine.coarser();
  const Tensor x = random_tensor(fine, 1, "x"), X = random_tensor(coarse, 1, "X");
  Tensor pooled(X.size(), 0.0f), up(x.size(), 0.0f);
  learn::detail::pool(fine, coarse, x.data(), pooled.data(), 0, coarse.cells[2]);
  learn::detail::upsample(fine, coarse, X.data(), x.data(), up.data(), 0, fine.cells[2]);
  const auto dx = to_space<Exec>(x), dX = to_space<Exec>(X),
             dp = to_space<Exec>(Tensor(X.size(), 0.0f)),
             du = to_space<Exec>(Tensor(x.size(), 0.0f));
  using Policy = Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::ptrdiff_t>>;
  const auto few = static_cast<std::ptrdiff_t>(coarse.num_cells());
  const auto many = static_cast<std::ptrdiff_t>(fine.num_cells());
  Kokkos::parallel_for("test::pool", Policy(0, few),
                       learn::detail::PoolCell{fine, coarse, few, dx.data(), dp.data()});
  Kokkos::parallel_for("test::upsample", Policy(0, many),
                       learn::detail::UpsampleCell{fine, coarse, many, dX.data(), dx.data(), du.data()});
  return std::max(largest_difference(pooled, from_space<Exec>(dp)),
                  largest_difference(up, from_space<Exec>(du)));
}

TYPED_TEST(DeviceLayers, ResamplingIsThatOfTheHost) {
  EXPECT_LT((resampling_difference<TypeParam>(3, {7, 6, 5})), 1e-6);
  EXPECT_LT((resampling_difference<TypeParam>(2, {9, 1, 1})), 1e-6);
  EXPECT_LT((resampling_difference<TypeParam>(1, {40, 1, 1})), 1e-6);
}

}  // namespace
}  // namespace libsolve::test
