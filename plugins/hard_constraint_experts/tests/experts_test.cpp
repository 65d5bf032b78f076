#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <tests/support/differenced_programs.hpp>
#include <tests/support/monitors.hpp>

#include "support.hpp"

namespace hard_constraint_experts::test {
namespace {

/// The least squares of one expert that is given everything, from its definition.
double least_squares(const SorptionGrid& g, const ExpertOptions& o, const Basis& basis,
                     const std::vector<double>& w) {
  const auto at = [&](int n, int i) {
    double sum = g.initial;
    for (std::size_t l = 0; l < w.size(); ++l) sum += basis(node(g, n, i), l) * w[l];
    return sum;
  };
  std::vector<double> u(g.unknowns()), c(u.size());
  for (int n = 1; n <= g.steps; ++n)
    for (int i = 1; i < g.size; ++i) u[g.at(n, i)] = at(n, i);
  residual(g, u.data(), c.data());
  double sum = 0.0;
  for (const double v : c) sum += v * v;
  const auto add = [&](double v) { sum += o.boundary_weight * o.boundary_weight * v * v; };
  for (int i = 1; i < g.size; ++i) add(at(0, i) - g.initial);
  for (int n = 1; n <= g.steps; ++n) {
    add(at(n, 0) - 1.0);
    add(at(n, g.size) - g.outflow() * at(n, g.size - 1));
  }
  for (const double v : w) sum += o.ridge * v * v;
  return 0.5 * sum;
}

/// The outflow keeps u near 0 at one end, where R' = -exponent (1 - exponent) K / floor^(2 -
/// exponent) makes the published isotherm all but a kink: with a larger floor least squares have a
/// smooth minimum.
SorptionGrid smooth_grid() {
  SorptionGrid g = small_grid();
  g.law.floor = 0.1;
  return g;
}

TEST(Experts, AreAtTheMinimumOfTheirLeastSquares) {
  const SorptionGrid g = smooth_grid();
  const ExpertOptions o = exact({1, 1});
  const Basis basis = chebyshev(g, 3, 2);
  Experts experts(g, o, 6);
  std::vector<double> u(g.unknowns());
  ASSERT_EQ(experts.solve(basis, u.data()), 0);
  const auto found = experts.solver().solution().w;
  std::vector<double> w(&found(0, 0), &found(0, 0) + 6);
  const double least = least_squares(g, o, basis, w);
  EXPECT_NEAR(least, experts.solver().value()(0), 1e-12 * least);
  EXPECT_LT(least, 0.5 * least_squares(g, o, basis, std::vector<double>(6, 0.0)));
  for (std::size_t l = 0; l < w.size(); ++l)
    for (const double step : {-1e-3, 1e-3}) {
      std::vector<double> other = w;
      other[l] += step;
      EXPECT_GT(least_squares(g, o, basis, other), least) << l;
    }
  for (int n = 1; n <= g.steps; ++n) {
    double sum = g.initial;
    for (std::size_t l = 0; l < w.size(); ++l) sum += basis(node(g, n, 5), l) * w[l];
    EXPECT_NEAR(u[g.at(n, 5)], sum, 1e-14);
  }
}

/// A basis that the solution lies in: all experts find it, from a part of the equations too.
TEST(Experts, FindASolutionThatTheBasisHas) {
  const SorptionGrid g = small_grid(16, 12);
  const std::vector<double> exact_u = stepped(g);
  const Basis basis("test::basis", g.num_nodes(), 3);
  const RandomStream noise(1, "test::noise");
  for (int n = 0; n <= g.steps; ++n)
    for (int i = 0; i <= g.size; ++i) {
      const std::size_t at = node(g, n, i);
      basis(at, 0) = 0.5 * (g.value(exact_u.data(), n, i) - g.initial);
      for (std::size_t l = 1; l < 3; ++l) basis(at, l) = noise.normal(3 * at + l);
    }
  for (const std::vector<int>& boxes : std::vector<std::vector<int>>{{1, 1}, {1, 4}, {3, 2}})
    for (const int points : {0, 15}) {
      ExpertOptions o = exact(boxes);
      o.ridge = 1e-14;
      o.sampled_points = points;
      Experts experts(g, o, 3);
      experts.sample(1, 0);
      std::vector<double> u(g.unknowns());
      EXPECT_EQ(experts.solve(basis, u.data()), 0);
      EXPECT_LT(relative_difference(u, exact_u), 1e-8)
          << boxes[0] << " " << boxes[1] << " " << points;
    }
}

/// Each box has its own expert; their number and sizes are as asked for.
TEST(Experts, ShareOutTheGrid) {
  const SorptionGrid g = small_grid(12, 8);
  const Experts experts(g, exact({2, 3}), 2);
  std::vector<int> count(6, 0);
  for (int n = 1; n <= g.steps; ++n)
    for (int i = 1; i < g.size; ++i) ++count.at(static_cast<std::size_t>(experts.expert_of(n, i)));
  EXPECT_EQ(count, (std::vector<int>{16, 16, 12, 16, 16, 12}));
}

/// The derivative by the basis of a linear function of the solution, along drawn directions.
void expect_exact_adjoint(const SorptionGrid& g, const ExpertOptions& o) {
  const Basis basis = chebyshev(g, 3, 2), direction("test::direction", g.num_nodes(), 6),
              shifted("test::shifted", g.num_nodes(), 6),
              gradient("test::gradient", g.num_nodes(), 6);
  const RandomStream numbers(7, "test::adjoint");
  for (std::size_t k = 0; k < direction.size(); ++k) direction.data()[k] = numbers.normal(k);
  std::vector<double> by_u(g.unknowns());
  for (std::size_t k = 0; k < by_u.size(); ++k) by_u[k] = numbers.normal(1'000'000 + k);
  Experts experts(g, o, 6);
  experts.sample(3, 5);
  const auto value = [&](double step) {
    for (std::size_t k = 0; k < basis.size(); ++k)
      shifted.data()[k] = basis.data()[k] + step * direction.data()[k];
    std::vector<double> u(g.unknowns());
    EXPECT_EQ(experts.solve(shifted, u.data()), 0);
    double sum = 0.0;
    for (std::size_t k = 0; k < u.size(); ++k) sum += by_u[k] * u[k];
    return sum;
  };
  const double h = 1e-4;
  const double difference =
      (8.0 * (value(h) - value(-h)) - (value(2 * h) - value(-2 * h))) / (12.0 * h);
  (void)value(0.0);
  ASSERT_TRUE(experts.add_adjoint(shifted, by_u.data(), gradient));
  double product = 0.0;
  for (std::size_t k = 0; k < gradient.size(); ++k)
    product += gradient.data()[k] * direction.data()[k];
  EXPECT_NEAR(product, difference, 1e-6 * std::abs(difference));
}

TEST(Experts, AdjointIsExact) {
  const SorptionGrid g = smooth_grid();
  expect_exact_adjoint(g, exact({1, 1}));
  expect_exact_adjoint(g, exact({2, 3}));
  ExpertOptions o = exact({1, 4});
  o.sampled_points = 14;
  expect_exact_adjoint(g, o);
}

TEST(Experts, RefuseGridsThatAreTooSmallOrTooLarge) {
  EXPECT_THROW(Experts(small_grid(12, 8), exact({9, 1}), 4), InputError);
  EXPECT_THROW(Experts(small_grid(12, 8), exact({1, 12}), 4), InputError);
  EXPECT_THROW(Experts(small_grid(10000, 1000), exact({1, 4}), 64), InputError);
}

HardConstraintExpertsOptions polynomials() {
  HardConstraintExpertsOptions o;
  o.basis = "chebyshev";
  o.reference = true;
  return o;
}

Report solve(NonlinearProgram& problem, const HardConstraintExpertsOptions& o,
             Monitor& monitor = Monitor::none()) {
  return HardConstraintExperts(o, Context{}).solve(problem, monitor);
}

/// What is reported is recomputed here; "converged" only with a residual to show for it.
TEST(HardConstraintExperts, SaysWhatItReached) {
  const SorptionGrid g = small_grid(24, 20);
  const std::vector<double> expected = stepped(g);
  HardConstraintExpertsOptions o = polynomials();
  auto problem = make(options_of(g));
  const Report alone = solve(*problem, o);
  EXPECT_EQ(alone.status, Status::stagnated) << alone.reason;
  EXPECT_GT(problem->kkt_residual().largest(), 1e-3);
  EXPECT_NEAR(alone.value("kkt_residual"), problem->kkt_residual().largest(), 1e-12);
  const double error = relative_difference(problem->host_x(), expected);
  EXPECT_LT(error, 0.1);
  EXPECT_NEAR(alone.value("relative_error"), error, 1e-6 * error);
  // The size of a Newton step is the error to first order.
  EXPECT_NEAR(alone.value("relative_newton_step"), error, 0.1 * error);

  o.experts.expert_iterations = 1;
  problem = make(options_of(g));
  EXPECT_EQ(solve(*problem, o).status, Status::max_iterations);

  o = polynomials();
  o.newton_steps = 10;
  problem = make(options_of(g));
  const Report refined = solve(*problem, o);
  EXPECT_TRUE(refined.converged()) << refined.reason;
  EXPECT_LT(problem->kkt_residual().largest(), o.tolerance);
  EXPECT_LT(relative_difference(problem->host_x(), expected), 1e-8);
  EXPECT_LE(refined.value("newton_steps"), 6);

  o.basis = "none";
  problem = make(options_of(g));
  const Report newton = solve(*problem, o);
  EXPECT_TRUE(newton.converged()) << newton.reason;
  EXPECT_TRUE(std::isnan(newton.value("expert_steps")));
  EXPECT_LT(relative_difference(problem->host_x(), expected), 1e-8);
}

TEST(HardConstraintExperts, StopsWhereTheMonitorSays) {
  for (const std::int64_t stop : {0, 1}) {
    const auto problem = make(options_of(small_grid()));
    HardConstraintExpertsOptions o = polynomials();
    o.experts.expert_iterations = 1;
    o.newton_steps = 5;
    libsolve::test::RecordingMonitor monitor(stop, Verdict::time_limit);
    const Report report = solve(*problem, o, monitor);
    EXPECT_EQ(report.status, Status::time_limit);
    EXPECT_EQ(monitor.iterations.back(), stop);
    EXPECT_EQ(monitor.names.front(), "kkt_residual");
  }
}

/// The reference is no part of the solve: where there is no time for it, there is no error to tell.
TEST(HardConstraintExperts, StopsTheReferenceWhenPolled) {
  struct Impatient final : Monitor {
    Verdict observe(std::int64_t, std::span<const Sample>) override { return Verdict::proceed; }
    Verdict poll() override { return ++polls == 3 ? Verdict::interrupted : Verdict::proceed; }
    int polls = 0;
  } monitor;
  const auto problem = make(options_of(small_grid()));
  const Report report = solve(*problem, polynomials(), monitor);
  EXPECT_EQ(report.status, Status::stagnated) << report.reason;
  EXPECT_EQ(monitor.polls, 3);
  EXPECT_TRUE(std::isnan(report.value("relative_error")));
  ASSERT_EQ(report.notes.size(), 1u);
  EXPECT_NE(report.notes[0].find("stopped after time step 3 of 8"), std::string::npos)
      << report.notes[0];
}

TEST(HardConstraintExperts, IsConvergedThoughTheMonitorSaysStop) {
  HardConstraintExpertsOptions o = polynomials();
  o.basis = "none";
  o.newton_steps = 10;
  const SorptionGrid g = small_grid();
  auto problem = make(options_of(g));
  const Report free = solve(*problem, o);
  ASSERT_TRUE(free.converged()) << free.reason;
  problem = make(options_of(g));
  libsolve::test::RecordingMonitor monitor(free.iterations, Verdict::time_limit);
  EXPECT_EQ(solve(*problem, o, monitor).status, Status::converged);
  EXPECT_LT(problem->kkt_residual().largest(), o.tolerance);
  // A solution to start from is left alone.
  const std::vector<double> found = problem->host_x();
  o.basis = "chebyshev";
  const Report again = solve(*problem, o);
  EXPECT_TRUE(again.converged()) << again.reason;
  EXPECT_EQ(problem->host_x(), found);
}

TEST(HardConstraintExperts, StopsAtRounding) {
  HardConstraintExpertsOptions o = polynomials();
  o.basis = "none";
  o.newton_steps = 1000;
  o.tolerance = 1e-12;
  const SorptionGrid g = small_grid(2000, 5);
  const auto problem = make(options_of(g));
  const Report report = solve(*problem, o);
  EXPECT_EQ(report.status, Status::stagnated) << report.reason;
  EXPECT_LT(report.value("newton_steps"), 20.0);
  EXPECT_LT(relative_newton_step(g, problem->host_x()), 1e-10);
  // The reference is at rounding too, and there.
  EXPECT_LT(report.value("relative_error"), 1e-10);
}

/// "stagnated" is said of experts that cannot go on, "max_iterations" of those that may.
TEST(HardConstraintExperts, TellsExpertsThatStagnateFromThoseOutOfSteps) {
  HardConstraintExpertsOptions o = polynomials();
  o.degrees = {0, 0};
  o.experts.experts = {1, 1};
  o.experts.expert_tolerance = 0.0;
  o.experts.expert_iterations = 1000;
  auto problem = make(options_of(small_grid()));
  const Report stagnated = solve(*problem, o);
  EXPECT_EQ(stagnated.status, Status::stagnated) << stagnated.reason;
  EXPECT_EQ(stagnated.value("experts_stagnated"), 1.0);
  EXPECT_EQ(stagnated.value("experts_not_converged"), 1.0);
  EXPECT_NE(stagnated.reason.find("short of expert_tolerance"), std::string::npos)
      << stagnated.reason;
  o.experts.expert_iterations = 1;
  problem = make(options_of(small_grid()));
  const Report out = solve(*problem, o);
  EXPECT_EQ(out.status, Status::max_iterations) << out.reason;
  EXPECT_EQ(out.value("experts_stagnated"), 0.0);
  EXPECT_NE(out.reason.find("expert_iterations"), std::string::npos) << out.reason;
}

/// Least squares that overflow, with a residual that does not.
TEST(HardConstraintExperts, SaysThatExpertsAreNotFinite) {
  HardConstraintExpertsOptions heavy = polynomials();
  heavy.experts.boundary_weight = 1e200;
  DiffusionSorptionOptions late = options_of(small_grid()), fast = late;
  late.final_time = 1e300;
  fast.diffusivity = 1e300;
  const auto expect_non_finite = [](const DiffusionSorptionOptions& p,
                                    HardConstraintExpertsOptions o) {
    for (const int newton_steps : {0, 5}) {
      o.newton_steps = newton_steps;
      const auto problem = make(p);
      const Report report = solve(*problem, o);
      EXPECT_EQ(report.status, Status::non_finite) << report.reason;
      EXPECT_NE(report.reason.find("experts is not finite"), std::string::npos) << report.reason;
      for (const double u : problem->host_x()) ASSERT_TRUE(std::isfinite(u));
    }
  };
  expect_non_finite(options_of(small_grid()), heavy);
  expect_non_finite(late, polynomials());
  expect_non_finite(fast, polynomials());
}

TEST(HardConstraintExperts, KeepsTheStartWhereItsResidualOverflows) {
  const auto problem = make(options_of(small_grid()));
  const std::vector<double> far(problem->host_x().size(), 1e308), zero(far.size(), 0.0);
  problem->set_solution(far, zero, zero);
  HardConstraintExpertsOptions o = polynomials();
  o.basis = "none";
  o.newton_steps = 5;
  const Report report = solve(*problem, o);
  EXPECT_EQ(report.status, Status::non_finite);
  EXPECT_NE(report.reason.find("residual of the start"), std::string::npos) << report.reason;
  EXPECT_EQ(problem->host_x(), far);
}

/// Before anything is allocated: the key, and what to give instead.
TEST(HardConstraintExperts, RefusesWhatIsTooLarge) {
  const auto message = [](const SorptionGrid& g, const HardConstraintExpertsOptions& o) {
    const auto problem = make(options_of(g));
    try {
      (void)solve(*problem, o);
    } catch (const InputError& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  const auto expect = [](const std::string& text, const char* key, const char* what) {
    EXPECT_NE(text.find(key), std::string::npos) << text;
    EXPECT_NE(text.find(what), std::string::npos) << text;
  };
  HardConstraintExpertsOptions o = polynomials();
  o.degrees = {32, 32};
  o.experts.experts = {4, 4};
  expect(message(small_grid(1000, 1000), o), "method.degrees", "at most 267 functions");
  expect(message(small_grid(600, 400), o), "method.sampled_points", "is 0, all equations");
  o.experts.sampled_points = 10'000'000;
  expect(message(small_grid(600, 400), o), "method.sampled_points", "is too large");
  o.experts.experts = {100, 100};
  expect(message(small_grid(200, 200), o), "method.experts", "take fewer experts");
  o = polynomials();
  o.experts.experts = {1, 400};
  expect(message(small_grid(64, 50), o), "method.experts", "is [1, 400]");
}

TEST(HardConstraintExperts, RefusesOtherPrograms) {
  using Real = long double;
  const auto problem = libsolve::test::differenced_program(
      {1.0, 1.0}, [](std::span<const Real> x) { return x[0] * x[0] + x[1] * x[1]; });
  EXPECT_THROW((void)solve(*problem, polynomials()), Unsupported);
  EXPECT_THROW((void)ImplicitTimeStepping({}, Context{}).solve(*problem, Monitor::none()),
               Unsupported);
}

TEST(HardConstraintExperts, TellsWhatIsWrong) {
  Value table;
  table.set("experts", Value::Array{1, 2, 3});
  table.set("degrees", Value::Array{3});
  table.set("basis", "none");
  Diagnostics problems;
  (void)parse_options<HardConstraintExpertsOptions>(table, "method.", "method", problems);
  try {
    problems.throw_if_any();
    FAIL();
  } catch (const InputError& e) {
    const std::string text = e.what();
    for (const char* key : {"method.experts", "method.degrees", "method.newton_steps"})
      EXPECT_NE(text.find(key), std::string::npos) << text;
  }
  HardConstraintExpertsOptions o;
  o.weights = "no-such-weights";
  const auto problem = make(options_of(small_grid()));
  EXPECT_THROW((void)solve(*problem, o), InputError);
}

}  // namespace
}  // namespace hard_constraint_experts::test
