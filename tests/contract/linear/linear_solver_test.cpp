#include <limits>

#include "contract_support.hpp"

/// What every linear solver promises (libsolve/linear/linear_solver.hpp), with its default options
/// unless a test says otherwise, on a well-conditioned symmetric positive definite matrix.
namespace libsolve::test {
namespace {

class LinearSolverContract : public ::testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<LinearSolver> solver(const Value& options = {}, std::uint64_t seed = 1) const {
    return make<LinearSolver>(GetParam(), options, seed);
  }
  bool has_option(const std::string& name) const {
    for (const OptionInfo& o : all_plugins().find(LinearSolver::kind, GetParam())->options)
      if (o.name == name) return true;
    return false;
  }
  /// A method that solves in one go has no limit for its iterations: what tests say of the course
  /// of an iteration does not hold for it.
  bool is_direct() const { return !has_option("max_iterations"); }
  /// Matrices, but for methods that take nothing but grids.
  Form form() const {
    try {
      TestSystem t = diffusion(3, 2, Form::matrix, 1.0, 1.0);
      solver()->setup(*t.system);
      return Form::matrix;
    } catch (const Unsupported&) {
      return Form::constant_stencil;
    }
  }
  /// Condition number about 9: every method gets there.
  TestSystem easy(Index nx = 13, Index ny = 11) const {
    TestSystem t = diffusion(nx, ny, form(), 1.0, 1.0);
    randomise(t, 1);
    return t;
  }
  /// Condition number in the hundreds: no iteration is done after a few steps without a good
  /// preconditioner.
  TestSystem harder() const {
    TestSystem t = diffusion(23, 21, form(), 0.3, 0.01);
    randomise(t, 2);
    return t;
  }
};

INSTANTIATE_TEST_SUITE_P(All, LinearSolverContract, ::testing::ValuesIn(names_of("linear-solver")),
                         test_name);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(LinearSolverContract);

TEST_P(LinearSolverContract, SolvesAndReportsWhatATestRecomputes) {
  TestSystem t = easy();
  const std::vector<double> b = to_host(t.system->b());
  const Report report = solver()->solve(*t.system, Monitor::none());
  ASSERT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_GT(report.iterations, 0);
  EXPECT_FALSE(report.reason.empty());
  EXPECT_EQ(report.reason.find('\n'), std::string::npos) << "one line";
  EXPECT_EQ(to_host(t.system->b()), b) << "the right-hand side belongs to the caller";
  // The default tolerance is relative to ||b||; least-squares methods stop by the gradient, which
  // for this condition number is within a factor 100.
  EXPECT_LE(t.residual_norm(), 1e-6 * t.b_norm());
  EXPECT_NEAR(report.value("residual_norm"), t.residual_norm(), 1e-12 * t.b_norm());
  EXPECT_NEAR(report.value("relative_residual"), t.residual_norm() / t.b_norm(), 1e-12);
  EXPECT_GE(report.value("setup"), 0.0);
  EXPECT_GE(report.value("solve"), 0.0);
  EXPECT_GE(report.value("operator_applications"), static_cast<double>(report.iterations));
  EXPECT_GE(report.value("memory_bytes"), 8.0 * static_cast<double>(t.system->num_unknowns()))
      << "at least one work vector";
}

TEST_P(LinearSolverContract, ZeroRightHandSideGivesZeroAtOnce) {
  TestSystem t = easy();
  randomise(t, 3, /*initial_guess=*/true);
  fill(t.system->b(), 0.0);
  const Report report = solver()->solve(*t.system, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_EQ(report.iterations, 0);
  EXPECT_EQ(norm_of(to_host(t.system->x())), 0.0);
}

TEST_P(LinearSolverContract, OneUnknown) {
  TestSystem t = easy(1, 1);
  const Report report = solver()->solve(*t.system, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_LE(t.residual_norm(), 1e-7 * t.b_norm());
}

TEST_P(LinearSolverContract, StartsFromTheGivenGuess) {
  TestSystem t = easy();
  make_consistent(t, 4);
  assign(t.system->x(), to_host(*t.system->exact_solution));
  const Report report = solver()->solve(*t.system, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_LE(report.iterations, 1);
  EXPECT_LE(t.residual_norm(), 1e-7 * t.b_norm());
}

TEST_P(LinearSolverContract, StopsAtTheIterationLimit) {
  if (!has_option("max_iterations")) GTEST_SKIP() << "has no such option";
  for (const std::int64_t limit : {0, 1, 3}) {
    TestSystem t = harder();
    const Report report =
        solver(option("max_iterations", limit))->solve(*t.system, Monitor::none());
    EXPECT_EQ(report.status, Status::max_iterations) << report.reason;
    EXPECT_EQ(report.iterations, limit);
    EXPECT_NEAR(report.value("residual_norm"), t.residual_norm(), 1e-12 * t.b_norm())
        << "x holds the last iterate";
    if (limit == 0) {
      EXPECT_EQ(norm_of(to_host(t.system->x())), 0.0);
    }
  }
}

/// Where nobody reads the text of a success, a failure still says why.
TEST_P(LinearSolverContract, AFailureSaysWhyAlsoToAnInnerMonitor) {
  if (!has_option("max_iterations")) GTEST_SKIP() << "has no such option";
  TestSystem t = harder();
  InnerMonitor inner(Monitor::none());
  const Report report = solver(option("max_iterations", 1))->solve(*t.system, inner);
  EXPECT_EQ(report.status, Status::max_iterations);
  EXPECT_NE(report.reason.find("relative residual"), std::string::npos) << report.reason;
}

TEST_P(LinearSolverContract, SameSeedSameAnswer) {
  TestSystem first = harder(), second = harder();
  const Report a = solver({}, 7)->solve(*first.system, Monitor::none());
  const Report b = solver({}, 7)->solve(*second.system, Monitor::none());
  EXPECT_EQ(a.iterations, b.iterations);
  EXPECT_EQ(to_host(first.system->x()), to_host(second.system->x()));
}

/// A second solve with the same object gives what a fresh one gives: nothing is left over.
TEST_P(LinearSolverContract, SolvesAgainAsAFreshOneWould) {
  const auto used = solver();
  TestSystem warm_up = harder();
  (void)used->solve(*warm_up.system, Monitor::none());
  TestSystem smaller = easy(), again = easy();
  EXPECT_TRUE(used->solve(*smaller.system, Monitor::none()).converged());
  EXPECT_TRUE(solver()->solve(*again.system, Monitor::none()).converged());
  EXPECT_EQ(to_host(smaller.system->x()), to_host(again.system->x()));
}

TEST_P(LinearSolverContract, AllocatesNothingInsideTheIteration) {
  TestSystem t = harder();
  const auto s = solver();
  s->setup(*t.system);
  AllocationMonitor monitor;
  (void)s->solve(*t.system, monitor);
  EXPECT_GT(monitor.last_iteration, is_direct() ? 0 : 2);
  EXPECT_EQ(monitor.allocations, 0) << monitor.label;
}

TEST_P(LinearSolverContract, KeepsItsWorkVectorsBetweenSolves) {
  TestSystem t = harder();
  const auto s = solver();
  (void)s->solve(*t.system, Monitor::none());
  fill(t.system->x(), 0.0);
  AllocationCounter counter;
  std::string label;
  counter.start();
  (void)s->solve(*t.system, Monitor::none());
  EXPECT_EQ(counter.stop(&label), 0) << label;
}

TEST_P(LinearSolverContract, TellsTheMonitorEveryIteration) {
  TestSystem t = harder();
  RecordingMonitor monitor;
  const Report report = solver()->solve(*t.system, monitor);
  ASSERT_EQ(static_cast<std::int64_t>(monitor.iterations.size()), report.iterations + 1);
  for (std::size_t k = 0; k < monitor.iterations.size(); ++k)
    EXPECT_EQ(monitor.iterations[k], static_cast<std::int64_t>(k));
  ASSERT_FALSE(monitor.names.empty());
  EXPECT_EQ(monitor.names.front(), "residual_norm");
  EXPECT_NEAR(monitor.first_values.front(), t.b_norm(), 1e-12 * t.b_norm())
      << "x = 0 at iteration 0";
}

/// The answer to observe(k) ends the solve with x as it was at iteration k.
TEST_P(LinearSolverContract, StopsAtOnceWhenTheMonitorSaysSo) {
  for (const auto& [verdict, status] : {std::pair{Verdict::interrupted, Status::interrupted},
                                        std::pair{Verdict::time_limit, Status::time_limit}}) {
    for (const std::int64_t at : {0, 1, 4}) {
      if (at > 0 && is_direct()) continue;  // the step is the solution
      TestSystem t = harder();
      RecordingMonitor monitor(at, verdict);
      const Report report = solver()->solve(*t.system, monitor);
      EXPECT_EQ(report.status, status) << report.reason;
      EXPECT_EQ(report.iterations, at);
      EXPECT_EQ(monitor.iterations.back(), at) << "not asked again after it said stop";
      EXPECT_NEAR(report.value("residual_norm"), t.residual_norm(), 1e-12 * t.b_norm());
      EXPECT_NEAR(monitor.first_values.back(), t.residual_norm(), 1e-6 * t.b_norm());
    }
  }
}

TEST_P(LinearSolverContract, NonFiniteDataNeverConverges) {
  const double bad[] = {std::nan(""), std::numeric_limits<double>::infinity()};
  for (const double value : bad) {
    TestSystem in_b = easy();
    auto b = to_host(in_b.system->b());
    b[5] = value;
    assign(in_b.system->b(), b);
    const Report report_b = solver()->solve(*in_b.system, Monitor::none());
    EXPECT_EQ(report_b.status, Status::non_finite) << report_b.reason;

    TestSystem in_x = easy();
    auto x = to_host(in_x.system->x());
    x[5] = value;
    assign(in_x.system->x(), x);
    const Report report_x = solver()->solve(*in_x.system, Monitor::none());
    EXPECT_EQ(report_x.status, Status::non_finite) << report_x.reason;
  }
}

/// b and x scaled by a power of two: the same iterations, the answer scaled.
TEST_P(LinearSolverContract, ScalesWithTheData) {
  TestSystem plain = easy(), scaled = easy();
  const double factor = std::ldexp(1.0, 200);
  scale(factor, scaled.system->b());
  const Report a = solver()->solve(*plain.system, Monitor::none());
  const Report b = solver()->solve(*scaled.system, Monitor::none());
  EXPECT_EQ(a.iterations, b.iterations);
  auto x = to_host(plain.system->x());
  auto y = to_host(scaled.system->x());
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(y[i] / factor, x[i], 1e-12);
}

/// Neumann problem, b in the range: x is the solution of mean zero.
TEST_P(LinearSolverContract, SingularSystemWithANullSpace) {
  TestSystem t = neumann(7, 6, form());
  make_consistent(t, 5);
  const Report report = solver()->solve(*t.system, Monitor::none());
  ASSERT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_LE(t.residual_norm(), 1e-6 * t.b_norm());
  const auto x = to_host(t.system->x());
  EXPECT_NEAR(dot_of(x, std::vector<double>(x.size(), 1.0)), 0.0, 1e-9 * norm_of(x));
}

TEST_P(LinearSolverContract, RefusesOrSolvesUnsymmetricSystems) {
  if (form() != Form::matrix) GTEST_SKIP() << "takes grids only";
  TestSystem t = convection_diffusion(9, 7);
  randomise(t, 6);
  const Report report = solver()->solve(*t.system, Monitor::none());
  if (report.converged()) {
    EXPECT_LE(t.residual_norm(), 1e-6 * t.b_norm());
  } else {
    EXPECT_FALSE(report.reason.empty());
  }
}

/// Wrong shapes: vectors that do not fit never become a system; a rectangular operator is solved in
/// the sense of least squares or refused as Unsupported.
TEST_P(LinearSolverContract, WrongShapes) {
  const auto A = make_csr_matrix(3, 2, {{0, 0, 1.0}, {1, 1, 2.0}, {2, 0, 1.0}});
  EXPECT_THROW(LinearSystem(A, to_vector({1, 2}), to_vector({0, 0})), ShapeError);
  EXPECT_THROW(LinearSystem(A, to_vector({1, 2, 3}), to_vector({0, 0, 0})), ShapeError);
  LinearSystem system(A, to_vector({1, 4, 3}), to_vector({0, 0}));
  try {
    const Report report = solver()->solve(system, Monitor::none());
    EXPECT_EQ(report.status, Status::converged) << report.reason;
    const auto x = to_host(system.x());  // x_0 = mean of 1 and 3
    EXPECT_NEAR(x[0], 2.0, 1e-6);
    EXPECT_NEAR(x[1], 2.0, 1e-6);
  } catch (const Unsupported& e) {
    EXPECT_NE(std::string(e.what()).find("3 x 2"), std::string::npos) << e.what();
  }
}

TEST_P(LinearSolverContract, RefusesAnotherClassOfProblem) {
  struct Other final : Problem {
    std::string_view problem_class() const override { return "optimize"; }
    std::string description() const override { return "something else"; }
    std::vector<Field> solution() const override { return {}; }
    std::vector<Measure> verify() const override { return {}; }
    GlobalIndex num_unknowns() const override { return 0; }
  } other;
  const auto s = solver();
  EXPECT_THROW((void)static_cast<Method&>(*s).solve(other, Monitor::none()), Unsupported);
}

TEST_P(LinearSolverContract, RefusesUnknownOptionsWithTheNearestName) {
  try {
    (void)solver(option("max_iteration", 5));
    FAIL() << "accepted 'max_iteration'";
  } catch (const InputError& e) {
    ASSERT_EQ(e.problems().size(), 1u);
    EXPECT_NE(e.problems()[0].key.find("max_iteration"), std::string::npos);
    if (has_option("max_iterations")) {
      EXPECT_NE(std::string(e.what()).find("'max_iterations'"), std::string::npos) << e.what();
    }
  }
}

/// What describe shows is what parses: the resolved defaults give the same component again.
TEST_P(LinearSolverContract, DefaultsParse) {
  Diagnostics problems;
  const Value resolved = all_plugins().resolve(LinearSolver::kind, GetParam(), "", problems);
  EXPECT_TRUE(problems.empty());
  const ComponentInfo& info = *all_plugins().find(LinearSolver::kind, GetParam());
  EXPECT_FALSE(info.summary.empty());
  EXPECT_EQ(info.problem_class, "linear");
  for (const OptionInfo& o : info.options) {
    EXPECT_FALSE(o.help.empty()) << o.name;
    EXPECT_NE(resolved.find(o.name), nullptr) << o.name;
  }
}

}  // namespace
}  // namespace libsolve::test
