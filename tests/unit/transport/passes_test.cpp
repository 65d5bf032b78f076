#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/random.hpp>
#include <libsolve/transport/dense_cost.hpp>
#include <libsolve/transport/functor_cost.hpp>
#include <libsolve/transport/grid_cost.hpp>
#include <libsolve/transport/point_cost.hpp>
#include <tests/support/execution_spaces.hpp>
#include <vector>

/// Each pass against the definition, entry by entry in long double.
namespace libsolve::test {
namespace {

constexpr Index n = 66;   // no multiple of a block of rows
constexpr Index m = 130;  // no multiple of a register
using Numbers = std::vector<double>;

Numbers random_numbers(Index count, const char* purpose, double low, double high) {
  const RandomStream stream(7, purpose);
  Numbers v(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = stream.uniform(i, low, high);
  return v;
}

VectorView device(const Numbers& v) {
  const VectorView d("test", v.size());
  const auto h = Kokkos::create_mirror_view(d);
  std::copy(v.begin(), v.end(), h.data());
  Kokkos::deep_copy(d, h);
  return d;
}

template <class View>
auto host(const View& v) {
  const auto h = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v);
  return std::vector<typename View::non_const_value_type>(h.data(), h.data() + h.extent(0));
}

DenseBlock block(const Numbers& v, Index rows, Index columns) {
  const DenseBlock b("test", rows, columns);
  const auto h = Kokkos::create_mirror_view(b);
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < columns; ++j) h(i, j) = v[static_cast<std::size_t>(i * columns + j)];
  Kokkos::deep_copy(b, h);
  return b;
}

double largest_relative(const Numbers& x, const Numbers& y) {
  double worst = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i)
    worst = std::max(worst, std::abs(x[i] - y[i]) / std::abs(y[i]));
  return worst;
}

/// A cost, its entries by the definition, and potentials of a plan with entries over many decades.
struct Setting {
  std::shared_ptr<const TransportCost> cost;
  Numbers C;
  double eps = 0.02;
  Numbers f = random_numbers(n, "f", -0.3, 0.1);
  Numbers g = random_numbers(m, "g", -0.2, 0.2);
  Numbers a = random_numbers(n, "a", 0.5, 2.0);
  double at(Index i, Index j) const { return C[static_cast<std::size_t>(i * m + j)]; }
  double slack(Index i, Index j) const { return f[size_t(i)] + g[size_t(j)] - at(i, j); }
  long double plan(Index i, Index j) const { return std::exp((long double)slack(i, j) / eps); }
};

Numbers cost_of_points(const Numbers& x, const Numbers& y, int d, double p, bool manhattan) {
  Numbers C;
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < m; ++j) {
      double s = 0.0;
      for (int k = 0; k < d; ++k) {
        const double t = x[size_t(i * d + k)] - y[size_t(j * d + k)];
        s += manhattan ? std::abs(t) : t * t;
      }
      C.push_back(manhattan ? s : std::pow(s, p / 2));
    }
  return C;
}

Setting points(int d, double p, bool manhattan = false) {
  const Numbers x = random_numbers(n * d, "x", 0.0, 1.0);
  const Numbers y = random_numbers(m * d, "y", 0.0, 1.0);
  return {.cost = make_point_cost(
              block(x, n, d), block(y, m, d),
              {.norm = manhattan ? PointNorm::manhattan : PointNorm::euclidean, .power = p}),
          .C = cost_of_points(x, y, d, p, manhattan)};
}

Setting stored() {
  const Numbers C = random_numbers(n * m, "C", 0.0, 1.0);
  return {.cost = make_dense_cost(block(C, n, m)), .C = C};
}

struct Hops {
  KOKKOS_FUNCTION double operator()(Index i, Index j) const {
    return 0.01 * static_cast<double>((7 * i + 3 * j) % 101);
  }
};

Setting functor() {
  Numbers C;
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < m; ++j) C.push_back(Hops{}(i, j));
  return {.cost = std::make_shared<FunctorCost<Hops>>(Hops{}, Partition(n), m, "hops"), .C = C};
}

Setting grids(bool manhattan, const PlaneGrid& x, const PlaneGrid& y) {
  Numbers C;
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < m; ++j) {
      const double s = x.origin[0] + i / x.cells[1] * x.spacing[0] - y.origin[0] -
                       j / y.cells[1] * y.spacing[0];
      const double t = x.origin[1] + i % x.cells[1] * x.spacing[1] - y.origin[1] -
                       j % y.cells[1] * y.spacing[1];
      C.push_back(manhattan ? std::abs(s) + std::abs(t) : s * s + t * t);
    }
  return {.cost = make_grid_cost(x, y,
                                 {.norm = manhattan ? PointNorm::manhattan : PointNorm::euclidean,
                                  .power = manhattan ? 1.0 : 2.0}),
          .C = C};
}

Setting grid_setting(bool manhattan) {
  return grids(manhattan, {.cells = {6, 11}, .spacing = {0.2, 0.1}, .origin = {0.1, -0.05}},
               {.cells = {13, 10}, .spacing = {0.07, 0.11}});
}

std::vector<Setting> settings() {
  return {stored(), grid_setting(false), grid_setting(true),         functor(),        points(1, 2.0),         points(2, 2.0),
          points(3, 2.0),   points(5, 2.0),   points(2, 1.0),         points(3, 1.5),
          points(2, 1.0, true), points(7, 1.0, true)};
}

void expect_sums(const Setting& s, const VectorView& r, const VectorView& c, double tolerance) {
  Numbers rows(size_t(n), 0.0), columns(size_t(m), 0.0);
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < m; ++j) {
      rows[size_t(i)] += double(s.plan(i, j));
      columns[size_t(j)] += double(s.plan(i, j));
    }
  EXPECT_LT(largest_relative(host(r), rows), tolerance) << s.cost->description();
  EXPECT_LT(largest_relative(host(c), columns), tolerance) << s.cost->description();
}

TEST(TransportPasses, SumsOfThePlan) {
  for (const Setting& s : settings()) {
    const VectorView r("r", n), c("c", m);
    s.cost->sums(device(s.f), device(s.g), s.eps, r, c);
    expect_sums(s, r, c, 1e-12);
  }
}

/// Rows end with the sums a (balanced), and the columns' sums are those of the scaled rows.
void expect_scaled(const Setting& s, const VectorView& f, const VectorView& r, const VectorView& c,
                   double damping, double tolerance) {
  const Numbers new_f = host(f), sums = host(r);
  Numbers rows(size_t(n), 0.0), columns(size_t(m), 0.0), expected(size_t(n), 0.0);
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < m; ++j) rows[size_t(i)] += double(s.plan(i, j));
    expected[size_t(i)] =
        damping * (s.f[size_t(i)] + s.eps * std::log(s.a[size_t(i)] / rows[size_t(i)]));
    EXPECT_NEAR(new_f[size_t(i)], expected[size_t(i)], tolerance);
  }
  Setting scaled = s;
  scaled.f = expected;
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < m; ++j) columns[size_t(j)] += double(scaled.plan(i, j));
  EXPECT_LT(largest_relative(sums, rows), tolerance) << s.cost->description();
  EXPECT_LT(largest_relative(host(c), columns), tolerance) << s.cost->description();
}

TEST(TransportPasses, RowsAreScaled) {
  for (const double damping : {1.0, 0.8})
    for (const bool single : {false, true})
      for (Setting s : settings()) {
        if (single) s.eps = 0.2;  // floats reach to 1e-38 only
        const VectorView f = device(s.f), r("r", n), c("c", m);
        s.cost->scale_rows(device(s.a), f, device(s.g), s.eps, r, c,
                           {.damping = damping, .single_precision = single});
        expect_scaled(s, f, r, c, damping, single ? 2e-6 : 1e-12);
      }
}

/// A row whose exps all underflow is left alone and spoils nothing.
TEST(TransportPasses, AVanishingRowIsLeftOut) {
  Setting s = stored();
  s.f[5] = -100.0;
  for (const bool single : {false, true}) {
    const VectorView f = device(s.f), r("r", n), c("c", m);
    s.cost->scale_rows(device(s.a), f, device(s.g), s.eps, r, c, {.single_precision = single});
    const Numbers sums = host(r);
    EXPECT_EQ(host(f)[5], -100.0);
    EXPECT_EQ(sums[5], 0.0);
    for (const double x : host(c)) EXPECT_TRUE(x > 0.0 && x < 1e10);
  }
}

TEST(TransportPasses, NanInAPotentialIsSeen) {
  Setting s = stored();
  s.f[3] = std::nan("");
  const VectorView r("r", n), c("c", m);
  s.cost->sums(device(s.f), device(s.g), s.eps, r, c);
  EXPECT_TRUE(std::isnan(host(r)[3]));
  EXPECT_TRUE(std::isnan(host(c)[0]));
}

TEST(TransportPasses, MinimaOfBothSides) {
  for (const Setting& s : settings()) {
    const VectorView u("u", n), v("v", m);
    const Kokkos::View<Index*, MemSpace> arg("arg", n);
    s.cost->row_minima(device(s.g), u, arg);
    s.cost->column_minima(device(s.f), v);
    const Numbers rows = host(u), columns = host(v);
    const std::vector<Index> at = host(arg);
    for (Index i = 0; i < n; ++i) {
      double least = 1e300;
      for (Index j = 0; j < m; ++j) least = std::min(least, s.at(i, j) - s.g[size_t(j)]);
      EXPECT_NEAR(rows[size_t(i)], least, 1e-14);
      EXPECT_NEAR(s.at(i, at[size_t(i)]) - s.g[size_t(at[size_t(i)])], least, 1e-14);
    }
    for (Index j = 0; j < m; ++j) {
      double least = 1e300;
      for (Index i = 0; i < n; ++i) least = std::min(least, s.at(i, j) - s.f[size_t(i)]);
      EXPECT_NEAR(columns[size_t(j)], least, 1e-14);
    }
  }
}

TEST(TransportPasses, EntriesAboveAThreshold) {
  for (const Setting& s : settings()) {
    Numbers threshold = random_numbers(n, "threshold", -0.1, 0.1);
    for (Index i = 0; i < n; ++i)
      for (Index j = 0; j < m; ++j) threshold[size_t(i)] += s.slack(i, j) / m;
    const SparseEntries e = s.cost->entries_above(device(s.f), device(s.g), device(threshold));
    const auto first = host(e.row_pointers);
    const auto columns = host(e.columns);
    const Numbers slacks = host(e.values);
    GlobalIndex k = 0;
    for (Index i = 0; i < n; ++i) {
      EXPECT_EQ(first[size_t(i)], k);
      for (Index j = 0; j < m; ++j) {
        if (std::abs(s.slack(i, j) - threshold[size_t(i)]) < 1e-13) GTEST_SKIP() << "a tie";
        if (s.slack(i, j) < threshold[size_t(i)]) continue;
        ASSERT_LT(k, e.size());
        EXPECT_EQ(columns[size_t(k)], j);
        EXPECT_NEAR(slacks[size_t(k)], s.slack(i, j), 1e-14);
        ++k;
      }
    }
    EXPECT_EQ(k, e.size());
    EXPECT_GT(k, 100);
    s.cost->evaluate(e);
    const Numbers values = host(e.values);
    for (Index i = 0; i < n; ++i)
      for (GlobalIndex q = first[size_t(i)]; q < first[size_t(i) + 1]; ++q)
        EXPECT_NEAR(values[size_t(q)], s.at(i, columns[size_t(q)]), 1e-14);
  }
}

TEST(TransportPasses, CostOfThePlan) {
  for (const Setting& s : settings()) {
    long double sum = 0.0;
    for (Index i = 0; i < n; ++i)
      for (Index j = 0; j < m; ++j) sum += s.at(i, j) * s.plan(i, j);
    EXPECT_NEAR(s.cost->weighted_sum(device(s.f), device(s.g), s.eps) / double(sum), 1.0, 1e-12);
  }
}

TEST(TransportPasses, MaximumRowsAndTranspose) {
  for (const Setting& s : settings()) {
    EXPECT_NEAR(s.cost->maximum(), *std::max_element(s.C.begin(), s.C.end()), 1e-14);
    const auto other = s.cost->transposed();
    EXPECT_EQ(other->rows().global_size(), m);
    EXPECT_EQ(other->num_columns(), n);
    const DenseBlock rows("rows", 3, m), columns("columns", m, n);
    s.cost->rows_of(11, rows);
    other->rows_of(0, columns);
    const auto r = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), rows);
    const auto c = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), columns);
    for (Index j = 0; j < m; ++j)
      for (Index i = 0; i < 3; ++i) {
        EXPECT_NEAR(r(i, j), s.at(11 + i, j), 1e-14);
        EXPECT_NEAR(c(j, 11 + i), s.at(11 + i, j), 1e-14);
      }
    EXPECT_NEAR(other->transposed()->maximum(), s.cost->maximum(), 1e-14);
  }
}

/// Bits do not depend on when a pass is called.
TEST(TransportPasses, AreDeterministic) {
  const Setting s = points(2, 2.0);
  const VectorView r("r", n), c("c", m), r2("r", n), c2("c", m);
  s.cost->sums(device(s.f), device(s.g), s.eps, r, c);
  s.cost->sums(device(s.f), device(s.g), s.eps, r2, c2);
  EXPECT_EQ(host(r), host(r2));
  EXPECT_EQ(host(c), host(c2));
}

#ifndef __CUDACC__
TEST(Exp2, IsGoodToRounding) {
  using namespace libsolve::detail;
  double worst = 0.0, worst_single = 0.0;
  for (double x = -1020.0; x < 1000.0; x += 0.0371) {
    const double e = exp2_of(all<double>(x))[0];
    worst = std::max(worst, double(std::abs(e / std::exp2((long double)x) - 1.0L)));
    if (std::abs(x) > 100.0) continue;
    const float single = exp2_of(narrow(all<double>(x), all<double>(x)))[lanes<float> - 1];
    worst_single = std::max(worst_single, double(std::abs(single / std::exp2((long double)x) - 1.0L)));
  }
  EXPECT_LT(worst, 4e-16);
  EXPECT_LT(worst_single, 5e-6);  // the exponent itself is rounded to float
  EXPECT_EQ(exp2_of(all<double>(0.0))[0], 1.0);
  EXPECT_EQ(exp2_of(all<double>(-std::numeric_limits<double>::infinity()))[0], 0.0);
  EXPECT_EQ(exp2_of(all<double>(-1e6))[0], 0.0);
  EXPECT_TRUE(std::isnan(exp2_of(all<double>(std::nan("")))[0]));
}
#endif

// ---- the passes for devices, on every space

template <class Exec>
class DevicePasses : public ::testing::Test {};
TYPED_TEST_SUITE(DevicePasses, ExecutionSpaces);

template <class Exec>
void check_device_passes() {
  const Setting s = functor();
  using View = Kokkos::View<double*, typename Exec::memory_space>;
  const auto to = [](const Numbers& v) {
    const View d("test", v.size());
    const auto h = Kokkos::create_mirror_view(d);
    std::copy(v.begin(), v.end(), h.data());
    Kokkos::deep_copy(d, h);
    return d;
  };
  const View f = to(s.f), g = to(s.g), a = to(s.a), r("r", n), c("c", m), u("u", n), v("v", m);
  const Exec exec;
  detail::device_sums(exec, Hops{}, n, m, f.data(), g.data(), s.eps, r.data(), c.data());
  Kokkos::fence();
  Numbers rows(size_t(n), 0.0), columns(size_t(m), 0.0);
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < m; ++j) {
      rows[size_t(i)] += double(s.plan(i, j));
      columns[size_t(j)] += double(s.plan(i, j));
    }
  EXPECT_LT(largest_relative(host(r), rows), 1e-12);
  EXPECT_LT(largest_relative(host(c), columns), 1e-12);
  EXPECT_NEAR(detail::device_weighted_sum(exec, Hops{}, n, m, f.data(), g.data(), s.eps) /
                  s.cost->weighted_sum(device(s.f), device(s.g), s.eps),
              1.0, 1e-12);
  detail::device_row_minima(exec, Hops{}, n, m, g.data(), u.data(), nullptr);
  detail::device_column_minima(exec, Hops{}, n, m, f.data(), v.data());
  Kokkos::fence();
  const VectorView hu("u", n), hv("v", m);
  s.cost->row_minima(device(s.g), hu);
  s.cost->column_minima(device(s.f), hv);
  const Numbers got_u = host(u), got_v = host(v), rows_u = host(hu), columns_v = host(hv);
  for (Index i = 0; i < n; ++i) EXPECT_NEAR(got_u[size_t(i)], rows_u[size_t(i)], 1e-14);
  for (Index j = 0; j < m; ++j) EXPECT_NEAR(got_v[size_t(j)], columns_v[size_t(j)], 1e-14);
  detail::device_scale_rows(exec, Hops{}, n, m, a.data(), f.data(), g.data(), s.eps, 0.8, r.data(),
                            c.data());
  Kokkos::fence();
  const Numbers new_f = host(f);
  for (Index i = 0; i < n; ++i)
    EXPECT_NEAR(new_f[size_t(i)],
                0.8 * (s.f[size_t(i)] + s.eps * std::log(s.a[size_t(i)] / rows[size_t(i)])), 1e-12);
}

TYPED_TEST(DevicePasses, AgreeWithTheDefinition) { check_device_passes<TypeParam>(); }

}  // namespace
}  // namespace libsolve::test
