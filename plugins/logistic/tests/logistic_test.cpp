#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>
#include <tests/support/temporary_folder.hpp>

#include "logistic_loss.hpp"
#include "logistic_source.hpp"

namespace {

using namespace libsolve;
using logistic::LogisticFunctions;
using logistic::LogisticProgram;

TEST(LogisticLoss, IsRightToRounding) {
  for (double t = -40.0; t <= 40.0; t += 0.0173) {
    const logistic::Loss loss = logistic::loss_at(t);
    const long double e = std::exp(static_cast<long double>(-std::abs(t)));
    const long double value = std::log1p(e) + (t < 0 ? -static_cast<long double>(t) : 0.0L);
    const long double s = t < 0 ? 1 / (1 + e) : e / (1 + e);
    EXPECT_NEAR(loss.value, static_cast<double>(value), 8e-16 * static_cast<double>(value)) << t;
    EXPECT_NEAR(loss.slope, static_cast<double>(-s), 8e-16 * static_cast<double>(s)) << t;
    EXPECT_NEAR(loss.curvature, static_cast<double>(e / (1 + e) / (1 + e)), 1e-15 * loss.curvature)
        << t;
  }
  EXPECT_DOUBLE_EQ(logistic::loss_at(0.0).value, std::log(2.0));
  EXPECT_EQ(logistic::loss_at(-5000.0).value, 5000.0);
  EXPECT_LT(logistic::loss_at(5000.0).value, 1e-300);
  EXPECT_TRUE(std::isnan(logistic::loss_at(NAN).value));
  EXPECT_TRUE(std::isnan(logistic::loss_at(NAN).slope));
}

/// N x n samples with entries in [-1, 1), each there with probability `density`; labels 0 and 3.
LabelledSamples random_samples(Index N, Index n, double density, std::uint64_t seed) {
  const RandomStream values(seed, "test::values"), places(seed, "test::places"),
      labels(seed, "test::labels");
  LabelledSamples s;
  s.num_columns = n;
  for (Index i = 0; i < N; ++i) {
    for (Index j = 0; j < n; ++j) {
      const auto k = static_cast<std::uint64_t>(i) * static_cast<std::uint64_t>(n) +
                     static_cast<std::uint64_t>(j);
      if (places.uniform(k) >= density) continue;
      s.columns.push_back(j);
      s.values.push_back(values.uniform(k, -1.0, 1.0));
    }
    s.row_pointers.push_back(static_cast<GlobalIndex>(s.columns.size()));
    s.labels.push_back(labels.uniform(static_cast<std::uint64_t>(i)) < 0.4 ? 0.0 : 3.0);
  }
  return s;
}

struct Fixture {
  LabelledSamples samples;
  std::shared_ptr<const LogisticProgram> program;
  Fixture(Index N, Index n, double density) : samples(random_samples(N, n, density, 7)) {
    auto planes = logistic::random_planes(5, n, true, 3);
    program = std::make_shared<LogisticProgram>(LogisticProgram{
        logistic::make_sample_data(samples, "test", 1, true), 0.3, planes.A, planes.b, true});
  }
};

/// f, f' and f'' sample by sample, in the file's order.
struct Naive {
  double f = 0.0;
  std::vector<double> g, H;
  Naive(const LabelledSamples& s, const std::vector<double>& x, double r)
      : g(x.size()), H(x.size() * x.size()) {
    const std::size_t n = x.size();
    const double N = static_cast<double>(s.num_rows());
    for (std::size_t i = 0; i < s.labels.size(); ++i) {
      const double y = s.labels[i] == 3.0 ? 1.0 : -1.0;
      std::vector<double> a(n, 0.0);
      for (auto k = s.row_pointers[i]; k < s.row_pointers[i + 1]; ++k)
        a[static_cast<std::size_t>(s.columns[static_cast<std::size_t>(k)])] =
            y * s.values[static_cast<std::size_t>(k)];
      double t = 0.0;
      for (std::size_t j = 0; j < n; ++j) t += a[j] * x[j];
      const double sigma = 1.0 / (1.0 + std::exp(t));
      f += std::log1p(std::exp(-t)) / N;
      for (std::size_t j = 0; j < n; ++j) g[j] -= sigma * a[j] / N;
      for (std::size_t j = 0; j < n; ++j)
        for (std::size_t l = 0; l < n; ++l) H[j * n + l] += sigma * (1 - sigma) * a[j] * a[l] / N;
    }
    for (std::size_t j = 0; j < n; ++j) {
      f += 0.5 * r * x[j] * x[j];
      g[j] += r * x[j];
      H[j * n + j] += r;
    }
  }
};

std::vector<double> random_x(std::size_t n) {
  const RandomStream stream(11, "test::x");
  std::vector<double> x(n);
  for (std::size_t j = 0; j < n; ++j) x[j] = stream.uniform(j, -1.0, 1.0);
  return x;
}

void expect_naive(const Fixture& fixture, bool by_columns) {
  LogisticFunctions functions(fixture.program, fixture.samples.num_rows(), by_columns);
  const HostAccess at(functions);
  const auto n = static_cast<std::size_t>(functions.num_variables());
  const std::vector<double> x = random_x(n);
  const Naive naive(fixture.samples, x, 0.3);
  EXPECT_NEAR(at.objective(x), naive.f, 1e-14 * (1 + naive.f));
  std::vector<double> g(n), v = random_x(n), Wv(n), lambda(6, 0.25);
  at.gradient(x, g);
  for (std::size_t j = 0; j < n; ++j) EXPECT_NEAR(g[j], naive.g[j], 1e-14);
  std::reverse(v.begin(), v.end());
  at.apply_hessian(x, 2.0, lambda, v, Wv);
  std::vector<double> entries(functions.hessian_pattern().size());
  at.hessian(x, 2.0, lambda, entries);
  for (std::size_t i = 0, k = 0; i < n; ++i) {
    double sum = 0.0;
    for (std::size_t j = 0; j < n; ++j)
      sum += (2.0 * naive.H[i * n + j] + (i == j ? 0.5 : 0.0)) * v[j];
    EXPECT_NEAR(Wv[i], sum, 1e-13);
    for (std::size_t j = 0; j <= i; ++j, ++k) {
      ASSERT_EQ(functions.hessian_pattern().rows[k], static_cast<Index>(i));
      ASSERT_EQ(functions.hessian_pattern().columns[k], static_cast<Index>(j));
      EXPECT_NEAR(entries[k], 2.0 * naive.H[i * n + j] + (i == j ? 0.5 : 0.0), 1e-13);
    }
  }
}

/// Sparse rows are scattered, full ones go through panels; sizes are no multiples of a block.
TEST(Logistic, AgreesWithSumsSampleBySample) {
  for (const bool by_columns : {false, true}) {
    expect_naive(Fixture(1501, 67, 0.1), by_columns);
    expect_naive(Fixture(1999, 37, 0.9), by_columns);
    expect_naive(Fixture(3, 7, 1.0), by_columns);
  }
}

TEST(Logistic, JacobianAndItsProductsAreThoseOfTheConstraints) {
  const Fixture fixture(50, 21, 0.5);
  LogisticFunctions functions(fixture.program, 50, false);
  const HostAccess at(functions);
  EXPECT_EQ(functions.num_constraints(), 6);
  EXPECT_EQ(functions.sphere(), 5);
  EXPECT_TRUE(functions.is_linear(4));
  EXPECT_FALSE(functions.is_linear(5));
  const std::vector<double> x = random_x(21);
  std::vector<double> J(6 * 21), up(6), down(6), Jv(6), Jtw(21), w = {1, -2, 3, -4, 5, -6};
  at.jacobian(x, J);
  const double step = 1e-6;
  for (std::size_t j = 0; j < 21; ++j) {
    std::vector<double> at_up = x, at_down = x, unit(21, 0.0);
    at_up[j] += step;
    at_down[j] -= step;
    unit[j] = 1.0;
    at.constraints(at_up, up);
    at.constraints(at_down, down);
    at.apply_jacobian(x, unit, Jv);
    for (std::size_t i = 0; i < 6; ++i) {
      EXPECT_NEAR(J[i * 21 + j], (up[i] - down[i]) / (2 * step), 1e-8);
      EXPECT_EQ(Jv[i], J[i * 21 + j]);
    }
  }
  at.apply_jacobian_adjoint(x, w, Jtw);
  for (std::size_t j = 0; j < 21; ++j) {
    double sum = 0.0;
    for (std::size_t i = 0; i < 6; ++i) sum += w[i] * J[i * 21 + j];
    EXPECT_NEAR(Jtw[j], sum, 1e-13);
  }
}

/// What sampling methods are offered: rows, weights, means over the first samples.
TEST(Logistic, OffersItsStructure) {
  const Fixture fixture(400, 23, 0.5);
  LogisticFunctions functions(fixture.program, 400, false);
  const std::vector<double> x = random_x(23);
  const Kokkos::View<const double*, Kokkos::HostSpace> host_x(x.data(), x.size());
  const VectorView view("test::x", 23);
  Kokkos::deep_copy(view, host_x);
  const auto w = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), functions.weights(view));
  const SampleRows rows = functions.samples();
  const auto pointers = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), rows.row_pointers);
  const auto columns = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), rows.columns);
  const auto values = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), rows.values);
  double half_f = 0.0;
  for (std::size_t i = 0; i < 400; ++i) {
    double t = 0.0;
    for (auto k = static_cast<std::size_t>(pointers(i));
         k < static_cast<std::size_t>(pointers(i + 1)); ++k)
      t += values(k) * x[static_cast<std::size_t>(columns(k))];
    const double s = 1.0 / (1.0 + std::exp(t));
    EXPECT_NEAR(w(i), s * (1.0 - s) / 400.0, 1e-17);
    if (i < 200) half_f += std::log1p(std::exp(-t)) / 200.0;
  }
  const auto half = functions.over_first(200);
  double squared = 0.0;
  for (const double e : x) squared += e * e;
  EXPECT_NEAR(half->objective(view), half_f + 0.15 * squared, 1e-13);
  EXPECT_EQ(half->num_constraints(), 6);
  EXPECT_THROW((void)functions.over_first(401), ShapeError);
}

/// The order is drawn once: a prefix of the rows is a sample of all, not of the file's beginning.
TEST(Logistic, DrawsTheOrderOfSamples) {
  LabelledSamples s;
  s.num_columns = 1;
  for (int i = 0; i < 1000; ++i) {
    s.columns.push_back(0);
    s.values.push_back(i < 500 ? 1.0 : 3.0);
    s.row_pointers.push_back(i + 1);
    s.labels.push_back(1.0 - 2.0 * (i % 2));
  }
  const auto data = logistic::make_sample_data(s, "test", 1, false);
  const auto values = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), data.rows.values);
  int small = 0;
  for (std::size_t i = 0; i < 200; ++i) small += std::abs(values(i)) == 1.0 ? 1 : 0;
  EXPECT_NEAR(small, 100, 30);
}

/// 10 planes in 13 dimensions may well miss the unit sphere; those that are drawn never do.
TEST(Logistic, PlanesMeetTheSphere) {
  int moved = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto planes = logistic::random_planes(10, 13, true, seed);
    const auto near = logistic::random_planes(10, 123, true, seed);
    moved += planes.note.empty() ? 0 : 1;
    EXPECT_TRUE(near.note.empty());
    const auto wide = logistic::random_planes(10, 8, true, seed);
    EXPECT_NE(wide.note.find("one point"), std::string::npos);
  }
  EXPECT_GT(moved, 0);
}

logistic::LogisticSource source_of(const std::string& path,
                                   logistic::LogisticOptions options = {}) {
  options.file = path;
  return {options, Context{}};
}

TEST(LogisticSource, MakesTheProgramOfAFile) {
  const test::TemporaryFolder folder;
  std::ofstream(folder.file("s")) << "+1 1:1 3:2\n-1 2:1\n+1 13:-1\n";
  const auto problem = source_of(folder.file("s")).create();
  const auto& program = dynamic_cast<const NonlinearProgram&>(*problem);
  EXPECT_EQ(program.num_variables(), 13);
  EXPECT_EQ(program.num_constraints(), 11);
  EXPECT_EQ(program.host_x(), std::vector<double>(13, 1.0));
  EXPECT_NE(program.description().find("3 samples, 13 features, 10 planes"), std::string::npos)
      << program.description();
  EXPECT_NE(dynamic_cast<SampleSum*>(&program.functions()), nullptr);
}

TEST(LogisticSource, RefusesWhatIsNoTwoClasses) {
  const test::TemporaryFolder folder;
  std::ofstream(folder.file("one")) << "1 1:1\n1 2:1\n";
  std::ofstream(folder.file("three")) << "1 1:1\n2 2:1\n3 1:1\n";
  std::ofstream(folder.file("bare")) << "1\n2\n";
  EXPECT_THROW((void)source_of(folder.file("one")).create(), DataError);
  EXPECT_THROW((void)source_of(folder.file("three")).create(), DataError);
  EXPECT_THROW((void)source_of(folder.file("bare")).create(), DataError);
}

}  // namespace
