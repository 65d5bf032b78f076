#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/linear/batched_levenberg_marquardt.hpp>
#include <limits>
#include <string>
#include <tests/support/execution_spaces.hpp>
#include <vector>

namespace libsolve::test {
namespace {

template <class Exec>
using Vectors = typename BatchArrays<Exec>::template Vector<double>;
template <class Exec>
using Matrices = typename BatchArrays<Exec>::template Matrix<double>;
template <class Exec>
using Scalars = typename BatchArrays<Exec>::template Scalar<double>;

template <class View>
std::vector<typename View::non_const_value_type> values_of(const View& view) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), view);
  return {host.data(), host.data() + host.size()};
}
template <class View>
void fill_from(const View& view, const std::vector<double>& values) {
  const auto host = Kokkos::create_mirror_view(view);
  std::copy(values.begin(), values.end(), host.data());
  Kokkos::deep_copy(view, host);
}

/// r_i = w_0 exp(-w_1 t_i) + w_2 - data_i, t_i = 4 i / (m - 1).
template <class Exec>
struct Decay {
  Vectors<Exec> data;
  typename BatchArrays<Exec>::template Vector<const double> w;
  typename BatchArrays<Exec>::template Scalar<const int> active;
  Vectors<Exec> r;
  Matrices<Exec> J;

  KOKKOS_FUNCTION void operator()(int k) const {
    if (active(k) == 0) return;
    const int m = static_cast<int>(r.extent(1));
    for (int i = 0; i < m; ++i) {
      const double t = 4.0 * i / (m - 1), decay = Kokkos::exp(-w(k, 1) * t);
      r(k, i) = w(k, 0) * decay + w(k, 2) - data(k, i);
      if (J.size() == 0) continue;
      J(k, i, 0) = decay;
      J(k, i, 1) = -t * w(k, 0) * decay;
      J(k, i, 2) = 1.0;
    }
  }
};

/// Decays with the parameters (1 + k/10, 0.5 + k/20, 0.3 - k/30), seen exactly; w_0 + w_2 is a
/// constraint.
template <class Exec>
struct Decays {
  static constexpr int m = 15, n = 3;
  int B;
  LeastSquaresShape shape;
  NonlinearLeastSquaresBatch<Exec> batch;
  Vectors<Exec> data, w, e;
  Matrices<Exec> C;
  Scalars<Exec> lambda;

  explicit Decays(int problems)
      : B(problems),
        shape{problems, m, n, 1},
        data("data", problems, m),
        w("w", problems, n),
        e("e", problems, 1),
        C("C", problems, 1, n),
        lambda("lambda", problems) {
    std::vector<double> seen, start, sums, rows;
    for (int k = 0; k < B; ++k) {
      for (int i = 0; i < m; ++i)
        seen.push_back(truth(k, 0) * std::exp(-truth(k, 1) * 4.0 * i / (m - 1)) + truth(k, 2));
      start.insert(start.end(), {0.2, 1.5, 0.0});
      sums.push_back(truth(k, 0) + truth(k, 2));
      rows.insert(rows.end(), {1.0, 0.0, 1.0});
    }
    fill_from(data, seen);
    fill_from(w, start);
    fill_from(e, sums);
    fill_from(C, rows);
    batch.evaluate = [d = data](const auto& at, const auto& active, const auto& r, const auto& J) {
      Kokkos::parallel_for("test::decay",
                           Kokkos::RangePolicy<Exec>(0, static_cast<int>(at.extent(0))),
                           Decay<Exec>{d, at, active, r, J});
    };
    batch.C = C;
    batch.e = e;
    batch.lambda = lambda;
  }
  static double truth(int k, int l) {
    return l == 0 ? 1.0 + k / 10.0 : l == 1 ? 0.5 + k / 20.0 : 0.3 - k / 30.0;
  }
};

template <class T>
class BatchedLevenbergMarquardtTest : public ::testing::Test {};
TYPED_TEST_SUITE(BatchedLevenbergMarquardtTest, ExecutionSpaces);

template <class Exec>
void check_fits() {
  const Decays<Exec> decays(19);
  BatchedLevenbergMarquardt<Exec> solver(Exec(), decays.shape);
  EXPECT_EQ(solver.solve(decays.batch, {}, decays.w), 0);
  const auto w = values_of(decays.w);
  const auto iterations = values_of(solver.iterations());
  const auto violation = values_of(solver.solution().violation);
  for (int k = 0; k < decays.B; ++k) {
    for (int l = 0; l < 3; ++l) EXPECT_NEAR(w[3 * k + l], decays.truth(k, l), 1e-8) << k;
    EXPECT_LT(violation[k], 1e-14) << k;
    EXPECT_GT(iterations[k], 2) << k;
    EXPECT_LT(iterations[k], 30) << k;
  }
  // Each stops by itself.
  EXPECT_NE(*std::min_element(iterations.begin(), iterations.end()),
            *std::max_element(iterations.begin(), iterations.end()));
  // A second solve from there has nothing to do.
  EXPECT_EQ(solver.solve(decays.batch, {.absolute_tolerance = 1e-9}, decays.w), 0);
  for (const int count : values_of(solver.iterations())) EXPECT_EQ(count, 0);
  const auto again = values_of(decays.w);  // moved onto the constraint, which is rounding
  for (size_t i = 0; i < w.size(); ++i) EXPECT_NEAR(again[i], w[i], 1e-14);
}
TYPED_TEST(BatchedLevenbergMarquardtTest, FindsParametersFromExactData) {
  check_fits<TypeParam>();
}

/// A problem alone takes the same steps as in a batch, whoever its neighbours are.
template <class Exec>
void check_neighbours() {
  const Decays<Exec> many(11);
  BatchedLevenbergMarquardt<Exec> solver(Exec(), many.shape);
  solver.solve(many.batch, {}, many.w);
  Decays<Exec> bad(11);
  auto seen = values_of(bad.data);
  seen[3 * Decays<Exec>::m + 2] = std::numeric_limits<double>::quiet_NaN();
  fill_from(bad.data, seen);
  auto rows = values_of(bad.C);
  for (int l = 0; l < 3; ++l) rows[3 * 7 + l] = 0.0;
  fill_from(bad.C, rows);
  BatchedLevenbergMarquardt<Exec> beside(Exec(), bad.shape);
  EXPECT_EQ(beside.solve(bad.batch, {}, bad.w), 2);
  const auto status = values_of(beside.status());
  const auto expected = values_of(many.w), found = values_of(bad.w);
  for (int k = 0; k < many.B; ++k) {
    if (k == 3) {
      EXPECT_EQ(status[k], static_cast<int>(LevenbergMarquardtStatus::non_finite));
    } else if (k == 7) {
      EXPECT_EQ(status[k], static_cast<int>(LevenbergMarquardtStatus::dependent_constraints));
    } else {
      EXPECT_EQ(status[k], 0);
      for (int l = 0; l < 3; ++l) EXPECT_EQ(found[3 * k + l], expected[3 * k + l]) << k;
    }
  }
  const Vectors<Exec> g("g", bad.B, 3);
  Kokkos::deep_copy(g, 1.0);
  const LeastSquaresGradient<Exec> out(bad.shape);
  Kokkos::deep_copy(out.Phi, 42.0);
  Kokkos::deep_copy(out.d, 42.0);
  Kokkos::deep_copy(out.e, 42.0);
  Kokkos::deep_copy(out.w0, 42.0);
  beside.adjoint(g, out);
  const auto dr = values_of(out.d), dJ = values_of(out.Phi), de = values_of(out.e),
             dw0 = values_of(out.w0);
  const int m = Decays<Exec>::m;
  for (int k = 0; k < many.B; ++k) {
    const bool failed = k == 3 || k == 7;
    for (int i = 0; i < m; ++i) EXPECT_EQ(std::isnan(dr[k * m + i]), failed) << k;
    for (int i = 0; i < 3 * m; ++i) EXPECT_EQ(std::isnan(dJ[k * 3 * m + i]), failed) << k;
    EXPECT_EQ(std::isnan(de[k]), failed) << k;
    for (int l = 0; l < 3; ++l) EXPECT_EQ(std::isnan(dw0[3 * k + l]), failed) << k;
  }
  const auto mu = values_of(beside.solution().mu);
  EXPECT_TRUE(std::isnan(mu[3]) && std::isnan(mu[7]) && !std::isnan(mu[4]));
}
TYPED_TEST(BatchedLevenbergMarquardtTest, BadProblemsSpareTheOthers) {
  check_neighbours<TypeParam>();
}

/// L = g^T w of fits to exact data: dL/d(data) = -dL/dr, dL/de, dL/dw0 and dL/dlambda against
/// differences.
template <class Exec>
void check_adjoint() {
  const LevenbergMarquardtOptions tight{.relative_tolerance = 1e-14, .absolute_tolerance = 1e-15};
  const double weights[] = {0.7, -1.1, 0.4};
  const auto L = [&](int k, int entry, double change_of_data, double change_of_sum) {
    Decays<Exec> moved(5);
    auto seen = values_of(moved.data);
    seen[k * moved.m + entry] += change_of_data;
    fill_from(moved.data, seen);
    auto sums = values_of(moved.e);
    sums[k] += change_of_sum;
    fill_from(moved.e, sums);
    BatchedLevenbergMarquardt<Exec> solver(Exec(), moved.shape);
    solver.solve(moved.batch, tight, moved.w);
    const auto w = values_of(moved.w);
    double sum = 0.0;
    for (int l = 0; l < 3; ++l) sum += weights[l] * w[3 * k + l];
    return sum;
  };
  const Decays<Exec> decays(5);
  BatchedLevenbergMarquardt<Exec> solver(Exec(), decays.shape);
  solver.solve(decays.batch, tight, decays.w);
  const Vectors<Exec> g("g", 5, 3);
  std::vector<double> all;
  for (int k = 0; k < 5; ++k) all.insert(all.end(), weights, weights + 3);
  fill_from(g, all);
  const LeastSquaresGradient<Exec> out(decays.shape);
  solver.adjoint(g, out);
  const auto dr = values_of(out.d), dJ = values_of(out.Phi), de = values_of(out.e);
  // Truncation h^2, and solutions to about 1e-13 over the square of the smallest singular value,
  // over h.
  const double h = 1e-4;
  for (const int k : {0, 3}) {
    for (const int i : {1, 4, 14}) {
      const double difference = (L(k, i, h, 0.0) - L(k, i, -h, 0.0)) / (2 * h);
      EXPECT_NEAR(-dr[k * decays.m + i], difference, 1e-6) << k << " " << i;
      EXPECT_GT(std::abs(difference), 1e-3);
      // -r a^T, the residual zero.
      for (int l = 0; l < 3; ++l) EXPECT_NEAR(dJ[(k * decays.m + i) * 3 + l], 0.0, 1e-10);
    }
    EXPECT_NEAR(de[k], (L(k, 0, 0.0, h) - L(k, 0, 0.0, -h)) / (2 * h), 1e-6) << k;
  }
}
TYPED_TEST(BatchedLevenbergMarquardtTest, AdjointOfExactFitsMatchesDifferences) {
  check_adjoint<TypeParam>();
}

/// sum_i r_i r_i'' v of Decay.
template <class Exec>
struct DecayCurvature {
  Vectors<Exec> data;
  typename BatchArrays<Exec>::template Vector<const double> w, v;
  typename BatchArrays<Exec>::template Scalar<const int> active;
  Vectors<Exec> out;
  KOKKOS_FUNCTION void operator()(int k) const {
    if (active(k) == 0) return;
    const int m = static_cast<int>(data.extent(1));
    out(k, 0) = out(k, 1) = out(k, 2) = 0.0;
    for (int i = 0; i < m; ++i) {
      const double t = 4.0 * i / (m - 1), decay = Kokkos::exp(-w(k, 1) * t);
      const double r = w(k, 0) * decay + w(k, 2) - data(k, i);
      out(k, 0) -= r * t * decay * v(k, 1);
      out(k, 1) += r * t * decay * (t * w(k, 0) * v(k, 1) - v(k, 0));
    }
  }
};

/// out = -1000 v.
template <class Exec>
struct Scaled {
  typename BatchArrays<Exec>::template Vector<const double> v;
  Vectors<Exec> out;
  KOKKOS_FUNCTION void operator()(int i) const { out.data()[i] = -1e3 * v.data()[i]; }
};

/// Data that no parameters fit: derivatives by the data are exact with the curvature, wrong
/// without.
template <class Exec>
void check_curvature() {
  const LevenbergMarquardtOptions tight{.relative_tolerance = 1e-14, .absolute_tolerance = 1e-14};
  const auto noisy = [](Decays<Exec>& decays, int k, int entry, double change) {
    auto seen = values_of(decays.data);
    for (size_t i = 0; i < seen.size(); ++i) seen[i] += 0.2 * std::sin(7.0 * double(i + 1));
    seen[k * decays.m + entry] += change;
    fill_from(decays.data, seen);
    decays.batch.curvature = [d = decays.data](const auto& w, const auto& v, const auto& active,
                                               const auto& out) {
      Kokkos::parallel_for("test::curvature",
                           Kokkos::RangePolicy<Exec>(0, static_cast<int>(w.extent(0))),
                           DecayCurvature<Exec>{d, w, v, active, out});
    };
  };
  const auto L = [&](int k, int entry, double change) {
    Decays<Exec> moved(9);
    noisy(moved, k, entry, change);
    BatchedLevenbergMarquardt<Exec> solver(Exec(), moved.shape);
    solver.solve(moved.batch, tight, moved.w);
    return values_of(moved.w)[3 * k + 1];
  };
  Decays<Exec> decays(9);
  noisy(decays, 0, 0, 0.0);
  BatchedLevenbergMarquardt<Exec> solver(Exec(), decays.shape);
  solver.solve(decays.batch, tight, decays.w);
  const Vectors<Exec> g("g", decays.B, 3);
  std::vector<double> weights(size_t(3 * decays.B), 0.0);
  for (int k = 0; k < decays.B; ++k) weights[size_t(3 * k + 1)] = 1.0;
  fill_from(g, weights);
  const LeastSquaresGradient<Exec> exact(decays.shape), rough(decays.shape);
  solver.adjoint(g, exact);
  // A curvature that leaves no minimum: no derivatives rather than wrong ones.
  decays.batch.curvature = [](const auto&, const auto& v, const auto&, const auto& out) {
    Kokkos::parallel_for("test::concave", Kokkos::RangePolicy<Exec>(0, static_cast<int>(v.size())),
                         Scaled<Exec>{v, out});
  };
  solver.solve(decays.batch, tight, decays.w);
  solver.adjoint(g, rough);
  for (const double derivative : values_of(rough.d)) EXPECT_TRUE(std::isnan(derivative));
  decays.batch.curvature = nullptr;
  solver.solve(decays.batch, tight, decays.w);
  solver.adjoint(g, rough);
  const auto dr = values_of(exact.d), without = values_of(rough.d);
  const double h = 1e-4;
  double error = 0.0, error_without = 0.0;
  for (const int k : {0, 5, 8})
    for (const int i : {2, 7, 14}) {
      const double difference = (L(k, i, h) - L(k, i, -h)) / (2 * h);
      error = std::max(error, std::abs(-dr[k * decays.m + i] - difference));
      error_without = std::max(error_without, std::abs(-without[k * decays.m + i] - difference));
    }
  EXPECT_LT(error, 1e-6);
  EXPECT_GT(error_without, 1e-3);
}
TYPED_TEST(BatchedLevenbergMarquardtTest, AdjointWithCurvatureIsExact) {
  check_curvature<TypeParam>();
}

/// r = A w - b, so that dL/dJ = -r a^T has a residual to work on: the same as the linear solver's
/// derivatives, whose Phi = A and d = b: dL/dA = dL/dJ + dL/dr w^T, dL/db = -dL/dr.
template <class Exec>
struct Affine {
  Matrices<Exec> A;
  Vectors<Exec> b;
  typename BatchArrays<Exec>::template Vector<const double> w;
  typename BatchArrays<Exec>::template Scalar<const int> active;
  Vectors<Exec> r;
  Matrices<Exec> J;
  KOKKOS_FUNCTION void operator()(int k) const {
    if (active(k) == 0) return;
    for (std::size_t i = 0; i < r.extent(1); ++i) {
      r(k, i) = -b(k, i);
      for (std::size_t l = 0; l < w.extent(1); ++l) {
        r(k, i) += A(k, i, l) * w(k, l);
        if (J.size() > 0) J(k, i, l) = A(k, i, l);
      }
    }
  }
};

template <class Exec>
void check_affine() {
  const LeastSquaresShape s{9, 7, 4, 1};
  const Matrices<Exec> A("A", s.problems, s.rows, s.unknowns), C("C", s.problems, 1, s.unknowns);
  const Vectors<Exec> b("b", s.problems, s.rows), e("e", s.problems, 1),
      w0("w0", s.problems, s.unknowns), w("w", s.problems, s.unknowns),
      g("g", s.problems, s.unknowns);
  const Scalars<Exec> lambda("lambda", s.problems);
  const auto noise = [](const auto& view, double phase) {
    std::vector<double> v(view.size());
    for (size_t i = 0; i < v.size(); ++i) v[i] = std::sin(phase + 12.9898 * double(i + 1));
    fill_from(view, v);
  };
  noise(A, 0.1), noise(C, 0.2), noise(b, 0.3), noise(e, 0.4), noise(w0, 0.5), noise(g, 0.6);
  Kokkos::deep_copy(lambda, 0.2);
  BatchedLeastSquares<Exec> linear(Exec(), s);
  const LeastSquaresSolution<Exec> solution(s);
  const LeastSquaresBatch<Exec> batch{A, b, C, e, lambda, w0, {}};
  ASSERT_EQ(linear.solve(batch, solution), 0);
  const LeastSquaresGradient<Exec> expected(s), found(s);
  linear.adjoint(batch, solution, g, expected);
  BatchedLevenbergMarquardt<Exec> solver(Exec(), s);
  NonlinearLeastSquaresBatch<Exec> same;
  same.evaluate = [&](const auto& at, const auto& active, const auto& r, const auto& J) {
    Kokkos::parallel_for("test::affine", Kokkos::RangePolicy<Exec>(0, s.problems),
                         Affine<Exec>{A, b, at, active, r, J});
  };
  same.C = C;
  same.e = e;
  same.lambda = lambda;
  same.w0 = w0;
  ASSERT_EQ(solver.solve(same, {.relative_tolerance = 1e-13}, w), 0);
  solver.adjoint(g, found);
  const auto near = [](const auto& x, const auto& y, const char* what) {
    const auto a = values_of(x), c = values_of(y);
    ASSERT_EQ(a.size(), c.size());
    for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], c[i], 1e-10) << what << " " << i;
  };
  near(w, solution.w, "w");
  near(solver.solution().mu, solution.mu, "mu");
  near(found.C, expected.C, "dL/dC");
  near(found.e, expected.e, "dL/de");
  near(found.w0, expected.w0, "dL/dw0");
  near(found.lambda, expected.lambda, "dL/dlambda");
  const auto dJ = values_of(found.Phi), dr = values_of(found.d), at = values_of(w),
             dA = values_of(expected.Phi), db = values_of(expected.d);
  for (int k = 0; k < s.problems; ++k)
    for (int i = 0; i < s.rows; ++i) {
      const int row = k * s.rows + i;
      EXPECT_NEAR(-dr[row], db[row], 1e-10);
      for (int l = 0; l < s.unknowns; ++l)
        EXPECT_NEAR(dJ[row * s.unknowns + l] + dr[row] * at[k * s.unknowns + l],
                    dA[row * s.unknowns + l], 1e-10);
    }
}
TYPED_TEST(BatchedLevenbergMarquardtTest, AgreesWithTheLinearSolver) {
  check_affine<TypeParam>();
}

TEST(BatchedLevenbergMarquardt, StopsAtTheIterationLimit) {
  const Decays<ExecSpace> decays(3);
  BatchedLevenbergMarquardt<> solver(ExecSpace(), decays.shape);
  EXPECT_EQ(solver.solve(decays.batch, {.max_iterations = 2}, decays.w), 3);
  for (const int s : values_of(solver.status()))
    EXPECT_EQ(s, static_cast<int>(LevenbergMarquardtStatus::max_iterations));
  for (const int count : values_of(solver.iterations())) EXPECT_EQ(count, 2);
}

TEST(BatchedLevenbergMarquardt, RefusesBadInput) {
  const Decays<ExecSpace> decays(3);
  BatchedLevenbergMarquardt<> solver(ExecSpace(), decays.shape);
  try {
    solver.solve(decays.batch, {.initial_damping = 0.0}, decays.w);
    ADD_FAILURE() << "no InputError";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("initial_damping: must be positive"),
              std::string::npos)
        << error.what();
  }
  auto empty = decays.batch;
  empty.evaluate = nullptr;
  EXPECT_THROW(solver.solve(empty, {}, decays.w), InputError);
  EXPECT_THROW(solver.solve(decays.batch, {}, Vectors<ExecSpace>("w", 2, 3)), ShapeError);
}

}  // namespace
}  // namespace libsolve::test
