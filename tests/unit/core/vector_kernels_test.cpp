#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/detail/vector_kernels.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <limits>
#include <tests/support/execution_spaces.hpp>
#include <tests/support/vectors.hpp>

namespace libsolve::test {
namespace {

constexpr double eps = std::numeric_limits<double>::epsilon();

/// Around the lanes (32), the chunks (4096), and several chunks with a ragged end.
const std::vector<Index> sizes = {0, 1, 2, 31, 32, 33, 67, 4095, 4096, 4097, 8192, 12345, 100003};

std::vector<double> numbers(Index n, std::uint64_t seed) {
  const RandomStream stream(seed, "vector_kernels_test");
  std::vector<double> v(static_cast<std::size_t>(n));
  for (Index i = 0; i < n; ++i) v[i] = stream.uniform(static_cast<std::uint64_t>(i), -1.0, 1.0);
  return v;
}

template <class Exec>
Kokkos::View<double*, typename Exec::memory_space> on_device(const std::vector<double>& values) {
  Kokkos::View<double*, typename Exec::memory_space> view("test", values.size());
  Kokkos::deep_copy(view,
                    Kokkos::View<const double*, Kokkos::HostSpace>(values.data(), values.size()));
  return view;
}

template <class View>
std::vector<double> on_host(const View& view) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), view);
  return {host.data(), host.data() + host.extent(0)};
}

double exact_dot(const std::vector<double>& x, const std::vector<double>& y) {
  long double sum = 0.0L;
  for (std::size_t i = 0; i < x.size(); ++i) sum += static_cast<long double>(x[i]) * y[i];
  return static_cast<double>(sum);
}

// ---- kernels as templates, in every space
// ---------------------------------------------------------

template <class Exec>
double run_dot(const std::vector<double>& x, const std::vector<double>& y) {
  const auto dx = on_device<Exec>(x);
  const auto dy = on_device<Exec>(y);
  return reduce_rows<Sums<1>>(Exec(), "test", static_cast<Index>(x.size()),
                              detail::DotBody{dx.data(), dy.data()})
      .value[0];
}

template <class Exec>
MaxAndSum run_norm_max(const std::vector<double>& x) {
  const auto dx = on_device<Exec>(x);
  return reduce_rows<MaxAndSum>(Exec(), "test", static_cast<Index>(x.size()),
                                detail::MaxNormBody{dx.data()});
}

/// The largest error of x and r after cg_update, and the error of r^T r, over their bounds.
template <class Exec>
double worst_cg_update_error(Index n) {
  const auto p = numbers(n, 1), q = numbers(n, 2), x = numbers(n, 3), r = numbers(n, 4);
  const auto dp = on_device<Exec>(p), dq = on_device<Exec>(q);
  const auto dx = on_device<Exec>(x), dr = on_device<Exec>(r);
  const double alpha = 0.37;
  const double rr =
      reduce_rows<Sums<1>>(Exec(), "test", n,
                           detail::CgUpdateBody{alpha, dp.data(), dq.data(), dx.data(), dr.data()})
          .value[0];
  const auto new_x = on_host(dx), new_r = on_host(dr);
  double worst = 0.0;
  for (Index i = 0; i < n; ++i) {
    worst = std::max(worst, std::abs(new_x[i] - (x[i] + alpha * p[i])) / (2 * eps));
    worst = std::max(worst, std::abs(new_r[i] - (r[i] - alpha * q[i])) / (2 * eps));
  }
  // As for the dot product below, and r^T r itself is the sum of the absolute terms.
  const double exact = exact_dot(new_r, new_r);
  const double bound = (n / 4096.0 + 160.0) * eps * exact;
  return std::max(worst, exact > 0.0 ? std::abs(rr - exact) / bound : std::abs(rr));
}

/// s_k += x_i (k + 1) for four sums.
struct FourSumsBody {
  const double* x;
  KOKKOS_FUNCTION void operator()(Index i, double& a, double& b, double& c, double& d) const {
    a += x[i];
    b += 2.0 * x[i];
    c += 3.0 * x[i];
    d += 4.0 * x[i];
  }
};

template <class Exec>
double worst_four_sums_error(Index n) {
  const auto x = numbers(n, 5);
  const auto dx = on_device<Exec>(x);
  const auto sums = reduce_rows<Sums<4>>(Exec(), "test", n, FourSumsBody{dx.data()});
  const double exact = exact_dot(x, std::vector<double>(x.size(), 1.0));
  double worst = 0.0;
  for (int k = 0; k < 4; ++k) worst = std::max(worst, std::abs(sums.value[k] - (k + 1) * exact));
  return worst;
}

template <class Exec>
class VectorKernels : public ::testing::Test {};
TYPED_TEST_SUITE(VectorKernels, ExecutionSpaces);

/// |computed - exact| <= (n / 4096 + 4096 / 32 + 32) eps sum |x_i y_i|, and the sum is below n.
TYPED_TEST(VectorKernels, DotIsAccurateAtEverySize) {
  for (const Index n : sizes) {
    const auto x = numbers(n, 1), y = numbers(n, 2);
    const double bound = (n / 4096.0 + 160.0) * eps * n;
    EXPECT_NEAR(run_dot<TypeParam>(x, y), exact_dot(x, y), bound) << n;
  }
}

TYPED_TEST(VectorKernels, SameBitsAtEveryCall) {
  const auto x = numbers(100003, 1), y = numbers(100003, 2);
  const double first = run_dot<TypeParam>(x, y);
  for (int k = 0; k < 20; ++k) EXPECT_EQ(run_dot<TypeParam>(x, y), first);
}

TYPED_TEST(VectorKernels, CgUpdateIsExactAtEverySize) {
  for (const Index n : sizes) EXPECT_LE(worst_cg_update_error<TypeParam>(n), 1.0) << n;
}

TYPED_TEST(VectorKernels, SeveralSumsAtOnce) {
  for (const Index n : sizes)
    EXPECT_LE(worst_four_sums_error<TypeParam>(n), 4.0 * (n / 4096.0 + 160.0) * eps * n) << n;
}

TYPED_TEST(VectorKernels, MaximumSeesEveryRow) {
  for (const Index n : {1, 33, 4097, 12345}) {
    for (const Index at : {0, n / 2, n - 1}) {
      auto x = numbers(n, 3);
      x[at] = -7.5;
      const MaxAndSum result = run_norm_max<TypeParam>(x);
      EXPECT_EQ(result.value[0], 7.5) << n << " " << at;
      EXPECT_EQ(result.value[1], 0.0);
    }
  }
}

/// One NaN anywhere (first, in the lanes, in the ragged end, in a later chunk) must show.
TYPED_TEST(VectorKernels, OneNaNAnywhereShows) {
  for (const Index n : {1, 33, 4097, 12345}) {
    for (const Index at : {0, n / 2, n - 1}) {
      auto x = numbers(n, 3);
      x[at] = std::nan("");
      EXPECT_TRUE(std::isnan(run_dot<TypeParam>(x, numbers(n, 4)))) << n << " " << at;
      EXPECT_EQ(run_norm_max<TypeParam>(x).value[1], 1.0) << n << " " << at;
    }
  }
}

// ---- the calls on vectors
// -------------------------------------------------------------------------

TEST(VectorKernelCalls, DoWhatTheyPromise) {
  const Index n = 5000;
  const auto a = numbers(n, 1), b = numbers(n, 2), c = numbers(n, 3);
  const Vector x = to_vector(a), y = to_vector(b), z = to_vector(c);
  const auto expect = [&](const Vector& v, auto formula, const char* what) {
    const auto values = to_host(v);
    for (Index i = 0; i < n; ++i)
      ASSERT_NEAR(values[i], formula(i), 4 * eps) << what << " row " << i;
  };
  const double bound = 200 * eps * n;

  EXPECT_NEAR(dot(x, y), exact_dot(a, b), bound);
  EXPECT_NEAR(norm2(x), std::sqrt(exact_dot(a, a)), bound);
  const DotPair pair = dot2(x, y, z);
  EXPECT_NEAR(pair.xy, exact_dot(a, b), bound);
  EXPECT_NEAR(pair.xz, exact_dot(a, c), bound);

  linear_combination(2.0, x, -3.0, y, z);
  expect(
      z, [&](Index i) { return 2.0 * a[i] - 3.0 * b[i]; }, "linear_combination");
  multiply(x, y, z);
  expect(
      z, [&](Index i) { return a[i] * b[i]; }, "multiply");
  copy(x, z);
  expect(
      z, [&](Index i) { return a[i]; }, "copy");
  axpy(0.5, y, z);
  expect(
      z, [&](Index i) { return a[i] + 0.5 * b[i]; }, "axpy");
  assign(z, a);
  axpby(0.5, y, 2.0, z);
  expect(
      z, [&](Index i) { return 2.0 * a[i] + 0.5 * b[i]; }, "axpby");
  assign(z, a);
  const double squared = axpy_norm2_squared(-1.0, y, z);
  expect(
      z, [&](Index i) { return a[i] - b[i]; }, "axpy_norm2_squared");
  EXPECT_NEAR(squared, exact_dot(to_host(z), to_host(z)), bound);
  scale(-2.0, x);
  expect(
      x, [&](Index i) { return -2.0 * a[i]; }, "scale");
  fill(x, 4.0);
  expect(
      x, [&](Index) { return 4.0; }, "fill");
}

/// A vector that was never written may hold NaN: beta = 0 must not read it.
TEST(VectorKernelCalls, BetaZeroIgnoresTheOldVector) {
  const Vector x = to_vector({1, 2, 3});
  const Vector y = to_vector({std::nan(""), std::nan(""), std::nan("")});
  axpby(2.0, x, 0.0, y);
  EXPECT_EQ(to_host(y), (std::vector<double>{2, 4, 6}));
  fill(y, std::nan(""));
  const Vector z = to_vector({0, 0, 0});
  linear_combination(3.0, x, 0.0, y, z);
  EXPECT_EQ(to_host(z), (std::vector<double>{3, 6, 9}));
}

TEST(VectorKernelCalls, MaximumNormOfInfinityAndNaN) {
  EXPECT_EQ(norm_max(to_vector({})), 0.0);
  EXPECT_EQ(norm_max(to_vector({1, -std::numeric_limits<double>::infinity()})),
            std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(norm_max(to_vector({1, std::nan(""), 9}))));
}

#ifndef NDEBUG
TEST(VectorKernelCalls, DebugBuildsRefuseVectorsOfDifferentShape) {
  EXPECT_THROW((void)dot(to_vector({1, 2}), to_vector({1})), ShapeError);
  EXPECT_THROW(axpy(1.0, to_vector({1, 2}), to_vector({1})), ShapeError);
}
#endif

}  // namespace
}  // namespace libsolve::test
