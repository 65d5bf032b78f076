#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/optimize/derivative_check.hpp>
#include <libsolve/optimize/solve_counts.hpp>
#include <numbers>
#include <tests/support/vectors.hpp>

#include "burgers_support.hpp"

namespace {

using namespace burgers_control;
using burgers_control::test::make;
using burgers_control::test::objective;
using burgers_control::test::solve;

constexpr double pi = std::numbers::pi;

BurgersControlOptions small(const char* scheme = "crank-nicolson") {
  BurgersControlOptions o;
  o.size = 10;
  o.steps = 10;
  o.scheme = scheme;
  return o;
}

/// y = sin(pi x) cos t and p = alpha sin(pi x) (1 - t), u = p / alpha, with the f and y_d for which they
/// fulfil  y_t + y y_x - nu y_xx = f + u,  -p_t - y p_x - nu p_xx = y_d - y.
BurgersControlOptions manufactured(int cells, int steps, const char* scheme) {
  BurgersControlOptions o;
  o.size = cells;
  o.steps = steps;
  o.scheme = scheme;
  o.viscosity = 0.1;
  o.control_cost = 0.2;
  o.initial = "sin(pi*x)";
  o.force = "-sin(pi*x)*sin(t)+pi*sin(pi*x)*cos(pi*x)*cos(t)^2+0.1*pi^2*sin(pi*x)*cos(t)-sin(pi*x)*(1-t)";
  o.target = "sin(pi*x)*cos(t)+0.2*sin(pi*x)-0.2*pi*sin(pi*x)*cos(t)*cos(pi*x)*(1-t)"
             "+0.1*0.2*pi^2*sin(pi*x)*(1-t)";
  return o;
}

struct Errors {
  double state = 0.0, control = 0.0;
};

/// Largest errors at nodes: of the state at t_n, of the control where its interval's value is meant (the
/// middle, or for implicit Euler the end of the step before: u_n belongs to p(t_{n-1})).
Errors manufactured_errors(int cells, int steps, const char* scheme) {
  const BurgersControlOptions o = manufactured(cells, steps, scheme);
  const auto problem = make(o);
  const Report report = solve(*problem, "newton-cg", 1e-11);
  EXPECT_TRUE(report.converged()) << report.reason;
  Errors errors;
  const double dt = 1.0 / steps, shift = o.scheme == "implicit-euler" ? 0.0 : 0.5;
  for (const Field& f : problem->functions().fields(problem->x().view(), {})) {
    EXPECT_EQ(f.axis_names, "xt") << f.name;
    const auto values = libsolve::test::to_host(f.values);
    const auto n = static_cast<std::size_t>(cells - 1);
    for (std::size_t k = 0; k < values.size(); ++k) {
      const double s = std::sin(pi * static_cast<double>(k % n + 1) / cells);
      const auto row = static_cast<double>(k / n);
      if (f.name == "state")
        errors.state = std::max(errors.state, std::abs(values[k] - s * std::cos(dt * row)));
      if (f.name == "control")
        errors.control =
            std::max(errors.control, std::abs(values[k] - s * (1.0 - dt * (row + shift))));
    }
  }
  return errors;
}

TEST(BurgersControl, CrankNicolsonIsOfSecondOrder) {
  const Errors a = manufactured_errors(16, 16, "crank-nicolson"),
               b = manufactured_errors(32, 32, "crank-nicolson"),
               c = manufactured_errors(64, 64, "crank-nicolson");
  EXPECT_NEAR(std::log2(b.state / c.state), 2.0, 0.1) << a.state << " " << b.state << " " << c.state;
  EXPECT_NEAR(std::log2(b.control / c.control), 2.0, 0.1)
      << a.control << " " << b.control << " " << c.control;
  EXPECT_GT(a.control, b.control);
  EXPECT_LT(c.control, 1e-3);
}

TEST(BurgersControl, ImplicitEulerIsOfFirstOrderInTime) {
  const Errors b = manufactured_errors(64, 32, "implicit-euler"),
               c = manufactured_errors(64, 64, "implicit-euler");
  EXPECT_NEAR(std::log2(b.state / c.state), 1.0, 0.1) << b.state << " " << c.state;
  EXPECT_NEAR(std::log2(b.control / c.control), 1.0, 0.1) << b.control << " " << c.control;
}

/// Minima of Kunisch's and Volkwein's problem found by a program that shares nothing with this one:
/// elements by Gauss quadrature, dense matrices, derivatives by complex steps, L-BFGS.
TEST(BurgersControl, MinimumIsThatOfAnotherProgram) {
  const auto minimum = [](int size, const char* scheme, double at_zero) {
    BurgersControlOptions o = small(scheme);
    o.size = o.steps = size;
    const auto problem = make(o);
    EXPECT_NEAR(objective(*problem), at_zero, 1e-13);
    EXPECT_TRUE(solve(*problem, "newton-cg", 1e-12).converged());
    return objective(*problem);
  };
  EXPECT_NEAR(minimum(10, "crank-nicolson", 0.14264877925261607), 0.04050652077200346, 1e-12);
  EXPECT_NEAR(minimum(16, "implicit-euler", 0.1379275995781614), 0.047588374259979194, 1e-12);
}

TEST(BurgersControl, AllFormsAndMethodsFindTheSameMinimum) {
  BurgersControlOptions o = small();
  const auto reduced = make(o);
  ASSERT_TRUE(solve(*reduced, "newton-cg", 1e-12).converged());
  const double expected = objective(*reduced);
  o.form.formulation = "full";
  for (const char* method : {"ipopt", "sketch-newton"}) {
    if (burgers_control::test::registry().find(ProgramSolver::kind, method) == nullptr) continue;
    const auto full = make(o);
    EXPECT_LT(full->kkt_residual().constraint_violation, 1e-12);  // the start has its states
    const Report report = solve(*full, method, 1e-9);
    EXPECT_TRUE(report.converged()) << method << ": " << report.reason;
    EXPECT_LT(full->kkt_residual().largest(), 1e-9) << method;
    EXPECT_NEAR(objective(*full), expected, 1e-10) << method;
    const auto u = reduced->host_x(), x = full->host_x();
    for (std::size_t k = 0; k < u.size(); ++k)
      EXPECT_NEAR(x[x.size() - u.size() + k], u[k], 1e-5) << method;
  }
}

TEST(BurgersControl, BoundsOfTheControlAreKept) {
  if (burgers_control::test::registry().find(ProgramSolver::kind, "sketch-newton") == nullptr)
    GTEST_SKIP() << "built without sketch-newton";
  BurgersControlOptions o = small();
  const auto free = make(o);
  ASSERT_TRUE(solve(*free, "newton-cg", 1e-10).converged());
  const auto best = free->host_x();
  ASSERT_LT(*std::min_element(best.begin(), best.end()), -0.5);
  o.control_lower = -0.25;
  o.control_upper = 0.5;
  for (const char* form : {"reduced", "full"}) {
    o.form.formulation = form;
    const auto problem = make(o);
    const Report report = solve(*problem, "sketch-newton", 1e-9);
    EXPECT_TRUE(report.converged()) << form << ": " << report.reason;
    EXPECT_LT(problem->kkt_residual().largest(), 1e-9) << form;
    EXPECT_GT(objective(*problem), objective(*free));
    const auto x = problem->host_x();
    const auto u = x.end() - static_cast<std::ptrdiff_t>(best.size());
    EXPECT_GE(*std::min_element(u, x.end()), -0.25 - 1e-8);
    EXPECT_LT(*std::min_element(u, x.end()), -0.25 + 1e-4);
  }
}

TEST(BurgersControl, DerivativesAreExact) {
  for (const char* scheme : {"crank-nicolson", "implicit-euler"})
    for (const char* form : {"reduced", "full"}) {
      BurgersControlOptions o = small(scheme);
      o.size = 6;
      o.steps = 5;
      o.weight = "nodes";
      o.form.formulation = form;
      const auto problem = make(o);
      const DerivativeCheck check = check_derivatives(*problem, {.num_points = 1});
      EXPECT_TRUE(check.passed()) << scheme << ", " << form;
      EXPECT_TRUE(check.checked_any());
    }
}

/// Checkpoints change the runs, not the numbers; weights scale J.
TEST(BurgersControl, CheckpointsAndWeightsGiveTheSameGradient) {
  BurgersControlOptions o = small();
  o.steps = 30;
  const auto gradient = [&](double factor) {
    const auto problem = make(o);
    fill(problem->x(), 0.3);
    const Vector g = problem->x().like("g");
    problem->functions().gradient(problem->x().view(), g.view());
    const auto counts = dynamic_cast<const SolvesInside&>(problem->functions()).solve_counts();
    EXPECT_EQ(counts.adjoint, 30);
    scale(factor, g);
    return std::make_pair(counts.state, libsolve::test::to_host(g));
  };
  const auto all = gradient(1.0);
  EXPECT_EQ(all.first, 30);
  for (const char* checkpoints : {"sqrt", "binomial"}) {
    o.form.checkpoints = checkpoints;
    o.form.slots = 5;
    const auto kept = gradient(1.0);
    EXPECT_GT(kept.first, 30);
    EXPECT_EQ(kept.second, all.second);
  }
  o.weight = "nodes";
  const auto nodes = gradient(0.1 / 30.0);
  for (std::size_t k = 0; k < nodes.second.size(); ++k)
    EXPECT_NEAR(nodes.second[k], all.second[k], 1e-16);
}

TEST(BurgersControl, RefusesBadOptions) {
  const auto fault_of = [](const BurgersControlOptions& o) {
    Diagnostics problems;
    BurgersControlOptions::check(o, "problem.", {}, problems);
    try {
      problems.throw_if_any();
    } catch (const InputError& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_EQ(fault_of({}), "");
  BurgersControlOptions o;
  o.target = "sin(y)";
  EXPECT_NE(fault_of(o).find("target"), std::string::npos);
  o = {};
  o.initial = "x*t";
  EXPECT_NE(fault_of(o).find("initial"), std::string::npos);
  o = {};
  o.control_lower = 2.0;
  o.control_upper = 1.0;
  EXPECT_NE(fault_of(o).find("control_upper"), std::string::npos);
  o = {};
  o.form.checkpoints = "none";
  EXPECT_NE(fault_of(o).find("checkpoints"), std::string::npos);
}

TEST(BurgersControl, ValuesThatAreNotFiniteNameTheirKey) {
  const auto refusal = [](const BurgersControlOptions& o) {
    try {
      (void)make(o);
    } catch (const DataError& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  BurgersControlOptions o = small();
  o.target = "1/(x-0.5)";
  EXPECT_NE(refusal(o).find("target = \"1/(x-0.5)\""), std::string::npos) << refusal(o);
  o = small();
  o.force = "1/(x-0.5)";
  EXPECT_NE(refusal(o).find("force = \"1/(x-0.5)\""), std::string::npos) << refusal(o);
}

/// In functions of place and time: dt M for a step's control and M for a state, both times the weight
/// that the objective has.
TEST(BurgersControl, BothInnerProductsHaveTheWeight) {
  for (const char* weight : {"nodes", "integral"}) {
    BurgersControlOptions o = small();
    o.weight = weight;
    const BurgersEvolution evolution(burgers_data(o, [](const std::string& f) { return f; }));
    const double h = 1.0 / o.size, dt = o.final_time / o.steps;
    const double w = o.weight == "nodes" ? 1.0 / (h * dt) : 1.0;
    // 1^T M 1 with the hat functions of n inner nodes: the integral of their sum, squared.
    const double mass = 1.0 - 4.0 * h / 3.0;
    const auto of_ones = [](const InnerProduct& M) {
      const Vector ones("ones", M.partition()), product = ones.like("product");
      fill(ones, 1.0);
      M.apply(ones, product);
      return dot(ones, product);
    };
    EXPECT_NEAR(of_ones(*evolution.state_inner_product()), w * mass, 1e-12 * w) << weight;
    EXPECT_NEAR(of_ones(*evolution.parameter_inner_product()), w * o.final_time * mass, 1e-12 * w)
        << weight;
  }
}

}  // namespace
