#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/linear/batched_least_squares.hpp>
#include <limits>
#include <tests/support/execution_spaces.hpp>
#include <vector>

namespace libsolve::test {
namespace {

using Real = long double;
using Reals = std::vector<Real>;

/// One problem on the host, in a precision beyond the one tested.
struct DenseProblem {
  int m, n, c;
  Reals Phi, d, C, e, w0;
  Real lambda;
};

/// A x = b by elimination with pivots; A is n x n by rows.
Reals solve_dense(Reals A, Reals b) {
  const int n = static_cast<int>(b.size());
  const auto a = [&](int i, int j) -> Real& { return A[static_cast<size_t>(i * n + j)]; };
  for (int k = 0; k < n; ++k) {
    int pivot = k;
    for (int i = k + 1; i < n; ++i)
      if (std::abs(a(i, k)) > std::abs(a(pivot, k))) pivot = i;
    for (int j = 0; j < n; ++j) std::swap(a(k, j), a(pivot, j));
    std::swap(b[k], b[pivot]);
    for (int i = k + 1; i < n; ++i) {
      const Real f = a(i, k) / a(k, k);
      for (int j = k; j < n; ++j) a(i, j) -= f * a(k, j);
      b[i] -= f * b[k];
    }
  }
  for (int k = n - 1; k >= 0; --k) {
    for (int j = k + 1; j < n; ++j) b[k] -= a(k, j) * b[j];
    b[k] /= a(k, k);
  }
  return b;
}

/// [Phi^T Phi + lambda I, C^T; C, 0].
Reals kkt_matrix(const DenseProblem& p) {
  const int N = p.n + p.c;
  Reals K(static_cast<size_t>(N * N), 0.0L);
  for (int i = 0; i < p.n; ++i) {
    for (int j = 0; j < p.n; ++j)
      for (int r = 0; r < p.m; ++r) K[i * N + j] += p.Phi[r * p.n + i] * p.Phi[r * p.n + j];
    K[i * N + i] += p.lambda;
    for (int j = 0; j < p.c; ++j) K[i * N + p.n + j] = K[(p.n + j) * N + i] = p.C[j * p.n + i];
  }
  return K;
}

/// (w, mu) from the conditions of optimality.
Reals reference(const DenseProblem& p) {
  Reals b(static_cast<size_t>(p.n + p.c));
  for (int i = 0; i < p.n; ++i) {
    b[i] = p.lambda * p.w0[i];
    for (int r = 0; r < p.m; ++r) b[i] += p.Phi[r * p.n + i] * p.d[r];
  }
  for (int j = 0; j < p.c; ++j) b[p.n + j] = p.e[j];
  return solve_dense(kkt_matrix(p), b);
}

/// dw for a change of all data: the conditions of optimality differentiated.
Reals tangent(const DenseProblem& p, const DenseProblem& by, const Reals& w_mu) {
  const int m = p.m, n = p.n, c = p.c;
  Reals b(static_cast<size_t>(n + c), 0.0L);
  for (int r = 0; r < m; ++r) {
    Real residual = p.d[r], change = by.d[r];
    for (int i = 0; i < n; ++i) {
      residual -= p.Phi[r * n + i] * w_mu[i];
      change -= by.Phi[r * n + i] * w_mu[i];
    }
    for (int i = 0; i < n; ++i) b[i] += by.Phi[r * n + i] * residual + p.Phi[r * n + i] * change;
  }
  for (int i = 0; i < n; ++i) {
    b[i] += p.lambda * by.w0[i] - by.lambda * (w_mu[i] - p.w0[i]);
    for (int j = 0; j < c; ++j) b[i] -= by.C[j * n + i] * w_mu[n + j];
  }
  for (int j = 0; j < c; ++j) {
    b[n + j] = by.e[j];
    for (int i = 0; i < n; ++i) b[n + j] -= by.C[j * n + i] * w_mu[i];
  }
  return solve_dense(kkt_matrix(p), b);
}

DenseProblem random_problem(int m, int n, int c, double lambda, std::uint64_t seed) {
  const RandomStream stream(seed, "test::least_squares");
  std::uint64_t next = 0;
  const auto draw = [&](int count) {
    Reals v(static_cast<size_t>(count));
    for (Real& x : v) x = stream.uniform(next++, -1.0, 1.0);
    return v;
  };
  DenseProblem p{m, n, c, draw(m * n), draw(m), draw(c * n), draw(c), draw(n), lambda};
  return p;
}

template <class View>
void fill_from(const View& view, const std::vector<const Reals*>& parts) {
  const auto host = Kokkos::create_mirror_view(view);
  double* at = host.data();
  for (const Reals* part : parts)
    for (const Real x : *part) *at++ = static_cast<double>(x);
  Kokkos::deep_copy(view, host);
}

template <class View>
std::vector<typename View::non_const_value_type> values_of(const View& view) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), view);
  return {host.data(), host.data() + host.size()};
}

/// The batch of some problems of one shape, its solver and its solution.
template <class Exec>
struct Batch {
  using Arrays = BatchArrays<Exec>;
  LeastSquaresShape shape;
  LeastSquaresBatch<Exec> data;
  LeastSquaresSolution<Exec> solution;
  BatchedLeastSquares<Exec> solver;
  int flagged = 0;

  explicit Batch(const std::vector<DenseProblem>& problems)
      : shape{static_cast<int>(problems.size()), problems[0].m, problems[0].n, problems[0].c},
        solution(shape),
        solver(Exec(), shape) {
    const auto& s = shape;
    const auto parts = [&](auto member) {
      std::vector<const Reals*> all;
      for (const DenseProblem& p : problems) all.push_back(&(p.*member));
      return all;
    };
    typename Arrays::template Matrix<double> Phi("Phi", s.problems, s.rows, s.unknowns),
        C("C", s.problems, s.constraints, s.unknowns);
    typename Arrays::template Vector<double> d("d", s.problems, s.rows),
        e("e", s.problems, s.constraints), w0("w0", s.problems, s.unknowns);
    typename Arrays::template Scalar<double> lambda("lambda", s.problems);
    fill_from(Phi, parts(&DenseProblem::Phi));
    fill_from(C, parts(&DenseProblem::C));
    fill_from(d, parts(&DenseProblem::d));
    fill_from(e, parts(&DenseProblem::e));
    fill_from(w0, parts(&DenseProblem::w0));
    Reals lambdas;
    for (const DenseProblem& p : problems) lambdas.push_back(p.lambda);
    fill_from(lambda, {&lambdas});
    data = {Phi, d, C, e, lambda, w0, {}};
  }
  void solve() { flagged = solver.solve(data, solution); }
  std::vector<double> w(int k) const {
    const auto all = values_of(solution.w);
    return {all.begin() + k * shape.unknowns, all.begin() + (k + 1) * shape.unknowns};
  }
};

struct Sizes {
  int B, m, n, c;
  double lambda;
};
// More problems than lanes and not a multiple of them; rows that fill no block; fewer rows than
// unknowns; no rows; nothing but constraints.
constexpr Sizes sizes[] = {{1, 1, 1, 0, 0.0},   {19, 12, 5, 2, 0.0},  {8, 64, 32, 8, 0.0},
                           {13, 7, 7, 0, 0.0},  {11, 3, 9, 4, 0.01},  {9, 0, 6, 3, 1.0},
                           {5, 20, 8, 8, 0.0},  {21, 37, 17, 5, 0.5}, {3, 130, 64, 10, 0.0},
                           {37, 8, 4, 1, 1e-6}, {4, 24, 16, 15, 0.0}};

std::vector<DenseProblem> random_problems(const Sizes& s) {
  std::vector<DenseProblem> all;
  for (int k = 0; k < s.B; ++k)
    all.push_back(random_problem(s.m, s.n, s.c, s.lambda, static_cast<std::uint64_t>(100 + k)));
  return all;
}

template <class T>
class BatchedLeastSquaresTest : public ::testing::Test {};
TYPED_TEST_SUITE(BatchedLeastSquaresTest, ExecutionSpaces);

/// Conditions of optimality to 1e-10, recomputed from the problems; the reported measures agree;
/// the solution is that of a dense solve in extended precision.
template <class Exec>
void check_optimality(const Sizes& s) {
  SCOPED_TRACE(std::to_string(s.B) + " of " + std::to_string(s.m) + " x " + std::to_string(s.n) +
               ", " + std::to_string(s.c) + " constraints");
  const auto problems = random_problems(s);
  Batch<Exec> batch(problems);
  batch.solve();
  EXPECT_EQ(batch.flagged, 0);
  const auto mu = values_of(batch.solution.mu);
  const auto stationarity = values_of(batch.solution.stationarity);
  const auto violation = values_of(batch.solution.violation);
  for (int k = 0; k < s.B; ++k) {
    const DenseProblem& p = problems[static_cast<size_t>(k)];
    const auto w = batch.w(k);
    const Reals expected = reference(p);
    Real gradient = 0.0L, infeasible = 0.0L, error = 0.0L, size = 0.0L;
    for (int i = 0; i < p.n; ++i) {
      Real g = p.lambda * (w[i] - p.w0[i]);
      for (int r = 0; r < p.m; ++r) {
        Real residual = -p.d[r];
        for (int j = 0; j < p.n; ++j) residual += p.Phi[r * p.n + j] * w[j];
        g += p.Phi[r * p.n + i] * residual;
      }
      for (int j = 0; j < p.c; ++j) g += p.C[j * p.n + i] * mu[k * p.c + j];
      gradient = std::max(gradient, std::abs(g));
      error = std::max(error, std::abs(w[i] - expected[i]));
      size = std::max(size, std::abs(expected[i]));
    }
    for (int j = 0; j < p.c; ++j) {
      Real v = -p.e[j];
      for (int i = 0; i < p.n; ++i) v += p.C[j * p.n + i] * w[i];
      infeasible = std::max(infeasible, std::abs(v));
    }
    EXPECT_LT(gradient, 1e-10 * (1 + size)) << k;
    EXPECT_LT(infeasible, 1e-10 * (1 + size)) << k;
    EXPECT_LT(error, 1e-9 * (1 + size)) << k;
    // Z has orthonormal columns: |Z^T g| <= |g|, up to the root of n from the largest to the
    // length.
    EXPECT_LE(stationarity[k], std::sqrt(p.n) * static_cast<double>(gradient) + 1e-12) << k;
    EXPECT_NEAR(violation[k], static_cast<double>(infeasible), 1e-13 * (1 + size) * p.n) << k;
  }
}
TYPED_TEST(BatchedLeastSquaresTest, SolutionsMeetTheConditionsOfOptimality) {
  for (const Sizes& s : sizes) check_optimality<TypeParam>(s);
}

/// stationarity and violation are those of the point they are asked at.
template <class Exec>
void check_measures() {
  const Sizes s{11, 14, 6, 2, 0.3};
  const auto problems = random_problems(s);
  Batch<Exec> batch(problems);
  batch.solve();
  const typename BatchArrays<Exec>::template Vector<double> at("at", s.B, s.n);
  std::vector<const Reals*> points;
  for (const DenseProblem& p : problems) points.push_back(&p.w0);
  fill_from(at, points);
  batch.solver.measure(batch.data, at, batch.solution);
  const auto stationarity = values_of(batch.solution.stationarity);
  const auto violation = values_of(batch.solution.violation);
  for (int k = 0; k < s.B; ++k) {
    const DenseProblem& p = problems[static_cast<size_t>(k)];
    // Gradient g at w0, less its part in the rows of C: g - C^T (C C^T)^-1 C g = Z Z^T g.
    Reals g(static_cast<size_t>(p.n), 0.0L), CC(static_cast<size_t>(p.c * p.c), 0.0L),
        Cg(static_cast<size_t>(p.c), 0.0L);
    Real worst = 0.0L;
    for (int r = 0; r < p.m; ++r) {
      Real residual = -p.d[r];
      for (int i = 0; i < p.n; ++i) residual += p.Phi[r * p.n + i] * p.w0[i];
      for (int i = 0; i < p.n; ++i) g[i] += p.Phi[r * p.n + i] * residual;
    }
    for (int j = 0; j < p.c; ++j) {
      Real v = -p.e[j];
      for (int i = 0; i < p.n; ++i) {
        v += p.C[j * p.n + i] * p.w0[i];
        Cg[j] += p.C[j * p.n + i] * g[i];
        for (int l = 0; l < p.c; ++l) CC[j * p.c + l] += p.C[j * p.n + i] * p.C[l * p.n + i];
      }
      worst = std::max(worst, std::abs(v));
    }
    const Reals t = solve_dense(CC, Cg);
    Real squared = 0.0L;
    for (int i = 0; i < p.n; ++i) {
      for (int j = 0; j < p.c; ++j) g[i] -= p.C[j * p.n + i] * t[j];
      squared += g[i] * g[i];
    }
    EXPECT_NEAR(violation[k], static_cast<double>(worst), 1e-12);
    // The largest of n - c components against the length of the vector.
    EXPECT_LE(stationarity[k], static_cast<double>(std::sqrt(squared)) * (1 + 1e-12));
    EXPECT_GE(stationarity[k] * std::sqrt(p.n - p.c),
              static_cast<double>(std::sqrt(squared)) * (1 - 1e-12));
  }
}
TYPED_TEST(BatchedLeastSquaresTest, MeasuresAnyPoint) {
  check_measures<TypeParam>();
}

/// sum over all data of dL/d(data) change = g^T dw, dw from the differentiated conditions of
/// optimality, and against central differences of solutions in extended precision.
template <class Exec>
void check_adjoint(const Sizes& s) {
  SCOPED_TRACE(std::to_string(s.m) + " x " + std::to_string(s.n) + ", " + std::to_string(s.c) +
               " constraints");
  const auto problems = random_problems(s);
  Batch<Exec> batch(problems);
  batch.solve();
  const typename BatchArrays<Exec>::template Vector<double> g("g", s.B, s.n);
  std::vector<DenseProblem> changes;
  std::vector<const Reals*> directions;
  for (int k = 0; k < s.B; ++k)
    changes.push_back(random_problem(s.m, s.n, s.c, 0.7, static_cast<std::uint64_t>(900 + k)));
  std::vector<DenseProblem> weights;
  for (int k = 0; k < s.B; ++k)
    weights.push_back(random_problem(0, s.n, 0, 0.0, static_cast<std::uint64_t>(1700 + k)));
  for (const DenseProblem& p : weights) directions.push_back(&p.w0);
  fill_from(g, directions);
  const LeastSquaresGradient<Exec> gradient(batch.shape);
  batch.solver.adjoint(batch.data, batch.solution, g, gradient);
  const auto dPhi = values_of(gradient.Phi), dd = values_of(gradient.d), dC = values_of(gradient.C),
             de = values_of(gradient.e), dlambda = values_of(gradient.lambda),
             dw0 = values_of(gradient.w0);
  for (int k = 0; k < s.B; ++k) {
    const DenseProblem &p = problems[static_cast<size_t>(k)], &by = changes[static_cast<size_t>(k)];
    const Reals& weight = weights[static_cast<size_t>(k)].w0;
    Real sum = dlambda[k] * by.lambda, terms = std::abs(sum);
    const auto add = [&](const std::vector<double>& derivative, const Reals& change) {
      for (size_t i = 0; i < change.size(); ++i) {
        const Real term = derivative[static_cast<size_t>(k) * change.size() + i] * change[i];
        sum += term;
        terms += std::abs(term);
      }
    };
    add(dPhi, by.Phi);
    add(dd, by.d);
    add(dC, by.C);
    add(de, by.e);
    add(dw0, by.w0);
    const Reals dw = tangent(p, by, reference(p));
    Real expected = 0.0L;
    for (int i = 0; i < p.n; ++i) expected += weight[i] * dw[i];
    EXPECT_NEAR(static_cast<double>(sum), static_cast<double>(expected),
                1e-10 * static_cast<double>(terms))
        << k;
    if (k > 2) continue;
    const Real h = 1e-6L;
    const auto moved = [&](Real t) {
      DenseProblem q = p;
      const auto move = [t](Reals& x, const Reals& y) {
        for (size_t i = 0; i < x.size(); ++i) x[i] += t * y[i];
      };
      move(q.Phi, by.Phi), move(q.d, by.d), move(q.C, by.C), move(q.e, by.e), move(q.w0, by.w0);
      q.lambda += t * by.lambda;
      const Reals w = reference(q);
      Real L = 0.0L;
      for (int i = 0; i < p.n; ++i) L += weight[i] * w[i];
      return L;
    };
    const Real difference = (moved(h) - moved(-h)) / (2 * h);
    // Truncation h^2 times third derivatives, which go with powers of the inverse of the system.
    EXPECT_NEAR(static_cast<double>(sum), static_cast<double>(difference),
                1e-6 * static_cast<double>(terms))
        << k;
  }
}
TYPED_TEST(BatchedLeastSquaresTest, AdjointsMatchTangentsAndDifferences) {
  for (const Sizes& s : sizes) check_adjoint<TypeParam>(s);
}

/// Bad problems are named for what they are and leave their neighbours as they would be alone.
template <class Exec>
void check_flags() {
  const Sizes s{12, 10, 5, 2, 0.0};
  auto problems = random_problems(s);
  std::vector<std::vector<double>> alone;
  for (const DenseProblem& p : problems) {
    Batch<Exec> one({p});
    one.solve();
    alone.push_back(one.w(0));
  }
  for (int r = 0; r < s.m; ++r)  // column 3 = 2 column 1: dependent on the null space of C as well
    problems[1].Phi[r * s.n + 3] = 2 * problems[1].Phi[r * s.n + 1];
  for (int j = 0; j < s.c; ++j) problems[1].C[j * s.n + 3] = 2 * problems[1].C[j * s.n + 1];
  for (int i = 0; i < s.n; ++i) problems[4].C[s.n + i] = -3 * problems[4].C[i];
  problems[6].Phi[7] = std::numeric_limits<double>::quiet_NaN();
  problems[7].d[2] = std::numeric_limits<double>::infinity();
  problems[9].Phi[3] = 1e200L;
  for (Real& x : problems[10].Phi) x = 0.0L;
  problems[11].C[1] = std::numeric_limits<double>::infinity();
  Batch<Exec> batch(problems);
  batch.solve();
  const std::vector<int> expected = {0, 1, 0, 0, 2, 0, 3, 3, 0, 3, 1, 3};
  EXPECT_EQ(values_of(batch.solution.status), expected);
  EXPECT_EQ(batch.flagged, 7);
  const typename BatchArrays<Exec>::template Vector<double> g("g", s.B, s.n);
  Kokkos::deep_copy(g, 1.0);
  const LeastSquaresGradient<Exec> gradient(batch.shape);
  batch.solver.adjoint(batch.data, batch.solution, g, gradient);
  const auto dd = values_of(gradient.d);
  for (int k = 0; k < s.B; ++k) {
    const auto w = batch.w(k);
    for (int i = 0; i < s.n; ++i) {
      if (expected[k] == 0)
        EXPECT_EQ(w[i], alone[k][i]) << k;
      else
        EXPECT_TRUE(std::isnan(w[i])) << k;
    }
    EXPECT_EQ(std::isnan(dd[k * s.m]), expected[k] != 0) << k;
  }
  // Regularised, the two that are short of rank have a solution.
  problems[1].lambda = problems[10].lambda = 1e-3L;
  Batch<Exec> regular(problems);
  regular.solve();
  EXPECT_EQ(regular.flagged, 5);
}
TYPED_TEST(BatchedLeastSquaresTest, FlagsBadProblemsAndSparesTheOthers) {
  check_flags<TypeParam>();
}

/// Monomials to degree 11 at 40 points of [0, 1], condition 2e8 (its square is beyond double): the
/// error goes with the condition. d = Phi 1 is rounded, which alone costs eps times the condition.
template <class Exec>
void check_conditioning() {
  DenseProblem p = random_problem(40, 12, 0, 0.0, 1);
  for (int r = 0; r < p.m; ++r) {
    const double x = r / (p.m - 1.0);
    double power = 1.0;
    p.d[r] = 0.0L;
    for (int i = 0; i < p.n; ++i, power *= x) p.d[r] += (p.Phi[r * p.n + i] = power);
  }
  Batch<Exec> batch({p});
  batch.solve();
  EXPECT_EQ(batch.flagged, 0);
  for (const double w : batch.w(0)) EXPECT_NEAR(w, 1.0, 10 * 2e8 * 2.2e-16);
}
TYPED_TEST(BatchedLeastSquaresTest, ErrorsGoWithTheConditionNotItsSquare) {
  check_conditioning<TypeParam>();
}

/// Problems switched off keep what their arrays held, inside groups too.
template <class Exec>
void check_active() {
  const Sizes s{21, 9, 4, 1, 0.0};
  const auto problems = random_problems(s);
  Batch<Exec> all(problems), some(problems);
  all.solve();
  const typename BatchArrays<Exec>::template Scalar<int> active("active", s.B);
  const auto host = Kokkos::create_mirror_view(active);
  for (int k = 0; k < s.B; ++k) host(k) = k % 3 == 0 && k < 14 ? 1 : 0;
  Kokkos::deep_copy(active, host);
  some.data.active = active;
  Kokkos::deep_copy(some.solution.w, -7.0);
  Kokkos::deep_copy(some.solution.status, -1);
  some.solve();
  EXPECT_EQ(some.flagged, 0);
  const auto status = values_of(some.solution.status);
  for (int k = 0; k < s.B; ++k) {
    EXPECT_EQ(some.w(k), host(k) != 0 ? all.w(k) : std::vector<double>(4, -7.0)) << k;
    EXPECT_EQ(status[k], host(k) != 0 ? 0 : -1) << k;
  }
}
TYPED_TEST(BatchedLeastSquaresTest, LeavesInactiveProblemsAlone) {
  check_active<TypeParam>();
}

/// Whether a call throws a ShapeError whose message names `what`.
template <class Call>
::testing::AssertionResult refuses(const char* what, const Call& call) {
  try {
    call();
  } catch (const ShapeError& error) {
    if (std::string(error.what()).find(what) != std::string::npos)
      return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << error.what();
  }
  return ::testing::AssertionFailure() << "no ShapeError";
}

TEST(BatchedLeastSquares, RefusesShapesThatDoNotFit) {
  using Solver = BatchedLeastSquares<>;
  EXPECT_TRUE(refuses("5 constraints", [] { Solver(ExecSpace(), {3, 4, 4, 5}); }));
  EXPECT_TRUE(refuses("0 unknowns", [] { Solver(ExecSpace(), {3, 4, 0, 0}); }));
  Batch<ExecSpace> batch({random_problem(6, 3, 1, 0.0, 1)});
  auto wrong = batch.data;
  wrong.e = {};
  EXPECT_TRUE(refuses("'e'", [&] { batch.solver.solve(wrong, batch.solution); }));
  wrong = batch.data;
  wrong.lambda = {};
  EXPECT_TRUE(refuses("'lambda'", [&] { batch.solver.solve(wrong, batch.solution); }));
  EXPECT_TRUE(refuses("solution.w", [&] { batch.solver.solve(batch.data, {}); }));
}

/// No problems: nothing to do, nothing flagged.
TEST(BatchedLeastSquares, TakesAnEmptyBatch) {
  const LeastSquaresShape none{0, 5, 3, 1};
  BatchedLeastSquares<> solver(ExecSpace(), none);
  LeastSquaresBatch<ExecSpace> batch;
  batch.Phi = BatchArrays<ExecSpace>::Matrix<double>("Phi", 0, 5, 3);
  batch.d = BatchArrays<ExecSpace>::Vector<double>("d", 0, 5);
  batch.C = BatchArrays<ExecSpace>::Matrix<double>("C", 0, 1, 3);
  batch.e = BatchArrays<ExecSpace>::Vector<double>("e", 0, 1);
  EXPECT_EQ(solver.solve(batch, LeastSquaresSolution<ExecSpace>(none)), 0);
}

}  // namespace
}  // namespace libsolve::test
