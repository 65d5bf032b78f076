#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/plugin/loader.hpp>
#include <libsolve/transport/plan_gradients.hpp>
#include <tests/support/transport_problems.hpp>

#include "sns.hpp"

namespace {

using namespace libsolve;
using Matrix = std::vector<std::vector<double>>;
using Numbers = std::vector<double>;

constexpr size_t n = 7, m = 9;
constexpr double eps = 0.1;

Numbers host(const VectorView& v) {
  const auto h = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v);
  return {h.data(), h.data() + h.extent(0)};
}

struct Data {
  Matrix C;
  Numbers a, b;
};

Data data() {
  const RandomStream s(11, "gradients");
  Data d{Matrix(n, Numbers(m)), Numbers(n), Numbers(m)};
  double of_a = 0.0, of_b = 0.0;
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < m; ++j) d.C[i][j] = s.uniform(i * m + j);
  for (size_t i = 0; i < n; ++i) of_a += d.a[i] = s.uniform(1000 + i, 0.5, 1.5);
  for (size_t j = 0; j < m; ++j) of_b += d.b[j] = s.uniform(2000 + j, 0.5, 1.5);
  for (double& v : d.a) v /= of_a;
  for (double& v : d.b) v /= of_b;
  return d;
}

/// W of L = sum W P, any numbers.
double weight(size_t i, size_t j) {
  return RandomStream(12, "weights").uniform(i * m + j, -1.0, 1.0);
}

class PlanGradientsTest : public ::testing::Test {
 protected:
  PlanGradientsTest() {
    load_plugins(registry_, {.files = {}, .path = "", .installed_folder = std::nullopt});
    context_.registry = &registry_;
  }

  std::unique_ptr<TransportProblem> solved(const Data& d, std::optional<double> rho) {
    const auto cost = test::transport_problem(d.C, data().a, data().b, eps)->shared_cost();
    const auto mass = [](const Numbers& v) {
      const Vector x("mass", Partition(static_cast<GlobalIndex>(v.size())));
      const auto h = Kokkos::create_mirror_view(x.view());
      std::copy(v.begin(), v.end(), h.data());
      Kokkos::deep_copy(x.view(), h);
      return x;
    };
    auto problem = std::make_unique<TransportProblem>(cost, mass(d.a), mass(d.b), eps, rho);
    sinkhorn_newton::SnsOptions options;
    options.tolerance = 1e-14;
    sinkhorn_newton::Sns method(options, context_);
    (void)method.solve(*problem, Monitor::none());  // to rounding, whatever it is called
    EXPECT_LE(problem->verify().front().value, 1e-13);
    return problem;
  }
  double loss(const Data& d, std::optional<double> rho) {
    const Matrix P = test::dense_plan(*solved(d, rho));
    double L = 0.0;
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < m; ++j) L += weight(i, j) * P[i][j];
    return L;
  }
  /// The objective of the problem, at its solution.
  double value(const Data& d, std::optional<double> rho) {
    const Matrix P = test::dense_plan(*solved(d, rho));
    Numbers r(n, 0.0), c(m, 0.0);
    double V = 0.0;
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < m; ++j) {
        V += P[i][j] * (d.C[i][j] + eps * (std::log(P[i][j]) - 1.0));
        r[i] += P[i][j];
        c[j] += P[i][j];
      }
    if (!rho) return V;
    for (size_t i = 0; i < n; ++i) V += *rho * (r[i] * std::log(r[i] / d.a[i]) - r[i] + d.a[i]);
    for (size_t j = 0; j < m; ++j) V += *rho * (c[j] * std::log(c[j] / d.b[j]) - c[j] + d.b[j]);
    return V;
  }
  /// Central differences of fourth order: error h^4 + 1e-14 / h.
  template <class Of, class Change>
  double difference(const Of& of, const Change& change) {
    const double h = 1e-3;
    const auto at = [&](double t) {
      Data d = data();
      change(d, t * h);
      return of(d);
    };
    return (8.0 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12.0 * h);
  }
  template <class Of>
  void expect_gradient(const TransportGradient& g, bool is_balanced, const Of& of) {
    const Numbers dC = host(g.cost.values), da = host(g.a), db = host(g.b);
    ASSERT_EQ(dC.size(), n * m);
    for (const auto& [i, j] : {std::pair<size_t, size_t>{0, 0}, {3, 5}, {6, 8}, {2, 7}})
      EXPECT_NEAR(dC[i * m + j],
                  difference(of, [&, i = i, j = j](Data& d, double t) { d.C[i][j] += t; }), 1e-8);
    if (is_balanced) {
      // Masses that keep the totals equal.
      const double h = difference(of, [](Data& d, double t) {
        d.a[1] += 0.05 * t;
        d.a[4] -= 0.05 * t;
      });
      EXPECT_NEAR(0.05 * (da[1] - da[4]), h, 1e-8);
      const double k = difference(of, [](Data& d, double t) {
        d.a[2] += 0.05 * t;
        d.b[3] += 0.05 * t;
      });
      EXPECT_NEAR(0.05 * (da[2] + db[3]), k, 1e-8);
    } else {
      EXPECT_NEAR(0.05 * da[1], difference(of, [](Data& d, double t) { d.a[1] += 0.05 * t; }),
                  1e-8);
      EXPECT_NEAR(0.05 * db[3], difference(of, [](Data& d, double t) { d.b[3] += 0.05 * t; }),
                  1e-8);
    }
  }
  std::unique_ptr<LinearSolver> linear_solver(const char* name) {
    ComponentSpec spec(name);
    spec.options.set("relative_tolerance", Value(1e-13));
    return context_.make<LinearSolver>(spec);
  }
  Registry registry_;
  Context context_;
};

TEST_F(PlanGradientsTest, OfALossOfThePlanMatchDifferences) {
  for (const std::optional<double> rho : {std::optional<double>(), std::optional<double>(0.5)}) {
    const auto problem = solved(data(), rho);
    const auto solver = linear_solver("cg");
    PlanGradients gradients(*problem, *solver, 0.0);
    Numbers W;
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < m; ++j) W.push_back(weight(i, j));
    const VectorView dL_dP("test::W", W.size());
    const auto h = Kokkos::create_mirror_view(dL_dP);
    std::copy(W.begin(), W.end(), h.data());
    Kokkos::deep_copy(dL_dP, h);
    expect_gradient(gradients.backward(dL_dP), !rho, [&](const Data& d) { return loss(d, rho); });
    EXPECT_THROW((void)gradients.backward(VectorView("test::short", 3)), ShapeError);
  }
}

TEST_F(PlanGradientsTest, OfTheValueMatchDifferences) {
  for (const std::optional<double> rho : {std::optional<double>(), std::optional<double>(0.5)}) {
    const auto problem = solved(data(), rho);
    expect_gradient(value_gradient(*problem, 0.0), !rho,
                    [&](const Data& d) { return value(d, rho); });
  }
}

/// Of <W, C(x, y)>, which needs no plan.
TEST_F(PlanGradientsTest, OfPointsMatchDifferences) {
  const RandomStream s(13, "points");
  for (const auto& [norm, power] : {std::pair{PointNorm::euclidean, 2.0},
                                    {PointNorm::euclidean, 1.5},
                                    {PointNorm::manhattan, 1.0}}) {
    const PointCostOptions options{.norm = norm, .power = power, .scale = 0.7};
    Matrix x(n, Numbers(3)), y(m, Numbers(3));
    for (size_t i = 0; i < n; ++i)
      for (size_t d = 0; d < 3; ++d) x[i][d] = s.uniform(3 * i + d);
    for (size_t j = 0; j < m; ++j)
      for (size_t d = 0; d < 3; ++d) y[j][d] = s.uniform(500 + 3 * j + d);
    const auto of = [&] {
      const Matrix C =
          test::dense_cost(*make_point_cost(test::to_block(x), test::to_block(y), options));
      double L = 0.0;
      for (size_t i = 0; i < n; ++i)
        for (size_t j = 0; j < m; ++j) L += weight(i, j) * C[i][j];
      return L;
    };
    const auto problem = solved(data(), {});
    SparseEntries G = value_gradient(*problem, 0.0).cost;
    const auto h = Kokkos::create_mirror_view(G.values);
    for (size_t k = 0; k < n * m; ++k) h(k) = weight(k / m, k % m);
    Kokkos::deep_copy(G.values, h);
    const DenseBlock dx("dx", n, 3), dy("dy", m, 3);
    point_gradients(G, test::to_block(x), test::to_block(y), options, dx, dy);
    const auto central = [&](double& v) {
      const double at = v, step = 1e-5;
      v = at + step;
      const double up = of();
      v = at - step;
      const double down = of();
      v = at;
      return (up - down) / (2.0 * step);
    };
    EXPECT_NEAR(test::to_host(dx)[2][1], central(x[2][1]), 1e-8);
    EXPECT_NEAR(test::to_host(dy)[5][2], central(y[5][2]), 1e-8);
  }
}

/// S 1 = 0 and S = S^T for a plan with all its entries, and the product is that of the entries.
TEST_F(PlanGradientsTest, TheNewtonMatrixIsASymmetricLaplacian) {
  const auto problem = solved(data(), {});
  const Matrix P = test::dense_plan(*problem);
  std::vector<GlobalIndex> first(1, 0);
  std::vector<Index> columns;
  Numbers values, w, d(m, 0.0);
  for (size_t i = 0; i < n; ++i) {
    double r = 0.0;
    for (size_t j = 0; j < m; ++j) {
      columns.push_back(static_cast<Index>(j));
      values.push_back(P[i][j]);
      r += P[i][j];
      d[j] += P[i][j];
    }
    w.push_back(1.0 / r);
    first.push_back(static_cast<GlobalIndex>(columns.size()));
  }
  const NewtonMatrix S({static_cast<Index>(m), first, columns, values}, w, d);
  const auto A = S.assembled();
  EXPECT_TRUE(A->is_symmetric());
  Vector x("x", S.column_partition()), y("y", S.row_partition()), z("z", S.row_partition());
  Kokkos::deep_copy(x.view(), 1.0);
  S.apply(x, y);
  for (const double v : host(y.view())) EXPECT_NEAR(v, 0.0, 1e-15);
  const auto h = Kokkos::create_mirror_view(x.view());
  for (size_t j = 0; j < m; ++j) h(j) = weight(0, j);
  Kokkos::deep_copy(x.view(), h);
  S.apply(x, y);
  A->apply(x, z);
  for (size_t j = 0; j < m; ++j) EXPECT_NEAR(host(y.view())[j], host(z.view())[j], 1e-15);
}

}  // namespace
