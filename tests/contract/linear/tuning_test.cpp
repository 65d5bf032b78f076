#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/sequence_solver.hpp>
#include <numbers>

#include "contract_support.hpp"

/// The tuners with real parameters of real methods: the same interface for each of them, chosen by
/// name. Sequences are short and systems small; what is best is known from the oracles, recomputed here.
namespace libsolve::test {
namespace {

/// Time steps (I + gamma_t L) x = b on a square grid, gamma from 0.01 to 30 and back.
class Steps final : public LinearSystemSequence {
 public:
  Steps(Index n, std::int64_t size, Form form)
      : LinearSystemSequence(size), n_(n), form_(form) {
    start();
  }
  std::string description() const override { return "time steps"; }
  std::optional<std::pair<double, double>> context_range() const override { return {{-2.0, 1.5}}; }

 private:
  System make(std::int64_t t, const Vector*) override {
    const double context = -0.25 - 1.75 * std::cos(0.1 * std::numbers::pi * static_cast<double>(t));
    TestSystem made = diffusion(n_, n_, form_, 1.0, std::pow(10.0, -context));
    randomise(made, static_cast<std::uint64_t>(t) + 1);
    return {.system = std::move(made.system), .context = context};
  }
  Index n_;
  Form form_;
};

struct Tuned {
  Report report;
  std::vector<double> costs;
};

Tuned tune(const Value& options, Index n, std::int64_t systems, Form form = Form::matrix) {
  Steps problem(n, systems, form);
  RecordingMonitor monitor;
  Tuned out;
  out.report = make<SequenceSolver>("sequence", options)->solve(problem, monitor);
  out.costs = monitor.first_values;
  EXPECT_TRUE(out.report.converged()) << out.report.reason;
  EXPECT_EQ(out.report.value("failed_choices"), 0.0);
  // "initial-residual": from x = 0 that is the relative residual.
  EXPECT_LE(problem.verify().front().value, 1.0001e-8);
  return out;
}

Value method(const std::string& name, Value options = {}) {
  options.set("name", name);
  return options;
}

Value sequence(Value solver, const std::string& parameter, const std::string& tuner) {
  Value o = option("solver", std::move(solver), option("parameter", parameter));
  o.set("tuner", tuner);
  o.set("oracles", true);
  return o;
}

Value numbers(std::initializer_list<double> values) {
  return Value::Array(values.begin(), values.end());
}

/// A short restart costs iterations on hard systems: the longest is the best fixed one, and learners
/// come near it.
TEST(Tuning, GmresRestart) {
  Value o = sequence(method("gmres"), "restart", "chebcb");
  o.set("values", numbers({2, 5, 30}));
  const Tuned t = tune(o, 20, 150);
  EXPECT_EQ(t.report.value("best_fixed_value"), 30.0);
  EXPECT_EQ(t.report.value("solvers_made"), 3.0);
  EXPECT_LT(t.report.value("mean_cost"), 1.3 * t.report.value("mean_cost_best_fixed"));
}

/// More sweeps, fewer iterations: by iterations the most sweeps are best.
TEST(Tuning, MultigridSweeps) {
  Value o = sequence(method("flexible-cg", option("preconditioner", "multigrid")),
                     "preconditioner.pre_sweeps", "tsallis-inf");
  o.set("values", numbers({1, 2, 4}));
  const Tuned t = tune(o, 32, 60, Form::constant_stencil);
  EXPECT_GE(t.report.value("best_fixed_value"), 2.0);
  EXPECT_LT(t.report.value("mean_cost_best_of_each"), t.report.value("mean_cost"));
}

/// A word: the precision of the cycle. By iterations the two are as good as each other.
TEST(Tuning, MultigridPrecision) {
  Value o = sequence(method("flexible-cg", option("preconditioner", "multigrid")),
                     "preconditioner.precision", "tsallis-inf-cb");
  o.set("words", Value::Array{"float", "double"});
  const Tuned t = tune(o, 32, 40, Form::constant_stencil);
  EXPECT_EQ(t.report.value("solvers_made"), 2.0);
  EXPECT_LT(t.report.value("mean_cost"), t.report.value("mean_cost_best_of_each") + 1.0);
}

/// The same by the clock: costs are seconds, and positive.
TEST(Tuning, MultigridPrecisionBySeconds) {
  Value o = sequence(method("flexible-cg", option("preconditioner", "multigrid")),
                     "preconditioner.precision", "tsallis-inf");
  o.set("words", Value::Array{"float", "double"});
  o.set("cost", "seconds");
  o.set("oracles", false);
  const Tuned t = tune(o, 32, 40, Form::constant_stencil);
  for (const double cost : t.costs) {
    EXPECT_GT(cost, 0.0);
    EXPECT_LT(cost, 10.0);
  }
}

/// The lower end of the interval: a small ratio serves well-conditioned systems, a large one others, so
/// the best value changes with the context.
TEST(Tuning, ChebyshevBounds) {
  Value o = sequence(method("cg", option("preconditioner", "chebyshev")),
                     "preconditioner.eigenvalue_ratio", "chebcb");
  o.set("values", numbers({1.5, 4, 30, 200}));
  const Tuned t = tune(o, 24, 200);
  EXPECT_EQ(t.report.value("solvers_made"), 4.0);
  EXPECT_LT(t.report.value("mean_cost_best_of_each"), t.report.value("mean_cost_best_fixed"));
  EXPECT_LT(t.report.value("mean_cost"), 1.2 * t.report.value("mean_cost_best_of_each"));
}

/// omega in place, without a new solver for each value.
TEST(Tuning, SsorOmegaChangesInPlace) {
  Value o = sequence(method("cg", option("preconditioner", "ssor")), "preconditioner.omega",
                     "relax-prior");
  const Tuned t = tune(o, 24, 40);
  EXPECT_EQ(t.report.value("solvers_made"), 1.0);
  EXPECT_LT(t.report.value("mean_cost"), 1.05 * t.report.value("mean_cost_best_of_each"));
}

/// A solver that does not reach the tolerance ends the sequence with its reason.
TEST(Tuning, AnInnerFailureSaysWhy) {
  for (const char* solver : {"cg", "gmres", "sor"}) {
    Value o = option("solver", method(solver, option("max_iterations", 2)), option("parameter", ""));
    o.set("tuner", "fixed");
    Steps problem(20, 5, Form::matrix);
    const Report report = make<SequenceSolver>("sequence", o)->solve(problem, Monitor::none());
    EXPECT_EQ(report.status, Status::max_iterations);
    EXPECT_NE(report.reason.find("system 0"), std::string::npos) << report.reason;
    EXPECT_NE(report.reason.find("relative residual"), std::string::npos) << report.reason;
  }
}

/// Says stop at one poll, and counts the rows told to it.
class StopsInside final : public Monitor {
 public:
  explicit StopsInside(int polls) : left_(polls) {}
  Verdict observe(std::int64_t, std::span<const Sample>) override {
    ++rows;
    return Verdict::proceed;
  }
  Verdict poll() override { return left_-- > 0 ? Verdict::proceed : Verdict::time_limit; }
  int rows = 0;

 private:
  int left_;
};

/// A time limit or a signal ends a long system in the middle, with its guess as it was.
TEST(Tuning, StopsInsideALongSystem) {
  for (const char* solver : {"cg", "gmres", "sor"}) {
    Value o = option("solver", method(solver), option("parameter", ""));
    o.set("tuner", "fixed");
    Steps whole(20, 2, Form::matrix), problem(20, 2, Form::matrix);
    RecordingMonitor all;
    const auto straight = make<SequenceSolver>("sequence", o)->solve(whole, all);
    ASSERT_TRUE(straight.converged()) << straight.reason;
    // Enough polls for the first system, too few for the second.
    StopsInside monitor(static_cast<int>(all.first_values[0] + 0.5 * all.first_values[1]) + 3);
    const Report report = make<SequenceSolver>("sequence", o)->solve(problem, monitor);
    EXPECT_EQ(report.status, Status::time_limit) << solver << ": " << report.reason;
    EXPECT_EQ(report.iterations, 1) << solver;
    EXPECT_EQ(monitor.rows, 1) << "systems, no inner iterations";
    EXPECT_NE(report.reason.find("stopped in system 1"), std::string::npos) << report.reason;
    EXPECT_EQ(norm_of(to_host(problem.current().x())), 0.0) << "the guess";
  }
}

}  // namespace
}  // namespace libsolve::test
