#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/tunable.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <tests/support/matrices.hpp>
#include <tests/support/monitors.hpp>
#include <tests/support/stored_state.hpp>

#include "relax_prior.hpp"
#include "sequence.hpp"

extern "C" void libsolve_plugin_register(libsolve::Registrar& registrar);

namespace {

using namespace libsolve;

// ---- a solver and a sequence for tests -----------------------------------------------------------

struct BowlOptions {
  double omega = 1.0;
  double absolute_tolerance = 0.0;
  int sweeps = 1;
  std::string mode = "plain";
  bool in_place = true;
  static void describe(Fields<BowlOptions>& f) {
    f.add("omega", &BowlOptions::omega, "");
    f.add("absolute_tolerance", &BowlOptions::absolute_tolerance, "");
    f.add("sweeps", &BowlOptions::sweeps, "");
    f.add("mode", &BowlOptions::mode, Choices{{"plain", "quick"}}, "");
    f.add("in_place", &BowlOptions::in_place, "");
  }
};

/// Solves diagonal systems at once and claims 10 + 100 (omega - best)^2 iterations, best = 1.2 plus
/// half the first diagonal entry less one; "quick" claims one less, every sweep beyond 3 one more.
class Bowl final : public LinearSolver, public Tunable {
 public:
  using Options = BowlOptions;
  Bowl(const Options& options, const Context&) : options_(options) { ++num_made; }
  void setup(const LinearSystem&) override {}
  Report solve(LinearSystem& system, Monitor& monitor) override {
    if (monitor.observe(0, {}) != Verdict::proceed) {
      fill(system.x(), 7.0);
      return {.status = Status::interrupted};
    }
    const Vector d = system.b().like("test::d");
    system.A().diagonal(d);
    std::vector<double> x = test::to_host(system.b());
    const auto diagonal = test::to_host(d);
    for (size_t i = 0; i < x.size(); ++i) x[i] /= diagonal[i];
    test::assign(system.x(), x);
    const double best = 1.2 + 0.5 * (diagonal[0] - 1.0);
    Report report;
    const bool fails_now = fails || options_.omega > fails_above;
    report.status = fails_now ? Status::stagnated : Status::converged;
    report.reason = "for tests";
    if (fails_now) {
      test::assign(system.x(), std::vector<double>(x.size(), 1e30));
      report.iterations = 1;
      return report;
    }
    report.iterations = 10 + std::lround(100.0 * std::pow(options_.omega - best, 2)) +
                        std::abs(options_.sweeps - 3) - (options_.mode == "quick" ? 1 : 0);
    return report;
  }
  bool set_parameter(std::string_view name, double value) override {
    if (name == "omega" && options_.in_place)
      options_.omega = value;
    else if (name != "relative_tolerance" && name != "absolute_tolerance")
      return false;
    return true;
  }
  static inline int num_made = 0;
  static inline bool fails = false;
  static inline double fails_above = 1e9;

 private:
  Options options_;
};

/// Diagonal matrices of n rows, 1 + c on the diagonal, c from 0 to 1 in turn.
class Diagonals final : public LinearSystemSequence {
 public:
  explicit Diagonals(std::int64_t size) : LinearSystemSequence(size) { start(); }
  std::string description() const override { return "diagonal matrices"; }
  std::optional<std::pair<double, double>> context_range() const override { return {{0.0, 1.0}}; }

 private:
  System make(std::int64_t t, const Vector*) override {
    const double c = RandomStream(5, "test").uniform(static_cast<std::uint64_t>(t));
    test::Dense D = test::zeros(4, 4);
    for (Index i = 0; i < 4; ++i) D[i][i] = 1.0 + c;
    const Vector b = test::to_vector({1.0, 2.0, 3.0, 4.0});
    return {.system = std::make_unique<LinearSystem>(test::to_csr(D), b, b.like("test::x")),
            .context = c};
  }
};

Context context() {
  static const Registry* registry = [] {
    auto* r = new Registry;
    Registrar registrar(*r, "", "");
    libsolve_plugin_register(registrar);
    registrar.add<Bowl>({.name = "bowl", .summary = "for tests"});
    return r;
  }();
  Context c;
  c.registry = registry;
  return c;
}

tuning::SequenceOptions options_for(const std::string& tuner) {
  tuning::SequenceOptions o;
  o.solver = ComponentSpec("bowl");
  o.parameter = "omega";
  o.tuner = ComponentSpec(tuner);
  return o;
}

double mean_cost(const Report& report) { return report.value("mean_cost"); }

// ---- the published learners ----------------------------------------------------------------------

/// p_i = 4 / (eta (k_i / s - x))^2 with sum 1, after any history.
TEST(TsallisLearner, ProbabilitiesHaveThePublishedForm) {
  tuning::TsallisLearner learner(5);
  const RandomStream stream(1, "test");
  std::vector<double> k(5, 0.0);
  double sum = 0.0;
  for (int t = 1; t <= 200; ++t) {
    const size_t arm = learner.choose(stream.uniform(static_cast<std::uint64_t>(t)));
    std::vector<double> p(5);
    for (size_t i = 0; i < 5; ++i) p[i] = learner.probability(i);
    const double eta = 2.0 / std::sqrt(static_cast<double>(t));
    const double s = sum > 0.0 ? sum / (t - 1) : 1.0;
    double total = 0.0;
    for (const double q : p) total += q;
    EXPECT_NEAR(total, 1.0, 1e-9);
    // x from the first arm must serve the others.
    const double x = k[0] / s - 2.0 / (eta * std::sqrt(p[0]));
    for (size_t i = 0; i < 5; ++i)
      EXPECT_NEAR(p[i], 4.0 / std::pow(eta * (k[i] / s - x), 2), 1e-6) << t << " " << i;
    const double cost = 5.0 + static_cast<double>(arm);
    k[arm] += (cost - 1.0) / p[arm];
    sum += cost - 1.0;
    learner.observe(arm, cost);
  }
  EXPECT_GT(learner.probability(0), learner.probability(4));
}

/// Costs below one, as seconds are: nothing is taken off them.
TEST(TsallisLearner, LearnsFromSmallCosts) {
  tuning::TsallisLearner learner(5, 0.0);
  const RandomStream stream(1, "test");
  for (std::uint64_t t = 0; t < 2000; ++t) {
    const size_t arm = learner.choose(stream.uniform(t));
    learner.observe(arm, 1e-4 * (2.0 + std::abs(static_cast<double>(arm) - 3.0)));
  }
  EXPECT_GT(learner.probability(3), 0.5);
}

/// The mean regret against the best arm falls with the length of the sequence.
TEST(TsallisInf, RegretGrowsSublinearly) {
  const auto run = [](std::int64_t systems) {
    tuning::SequenceOptions o = options_for("tsallis-inf");
    o.oracles = true;
    Diagonals problem(systems);
    return tuning::Sequence(o, context()).solve(problem, Monitor::none());
  };
  const Report start = run(500);
  const Report r = run(4000);
  ASSERT_TRUE(r.converged());
  const double early = mean_cost(start) - start.value("mean_cost_best_fixed");
  const double late = mean_cost(r) - r.value("mean_cost_best_fixed");
  EXPECT_LT(late, 0.6 * early);  // regret of order t^0.5: a mean of 8^-0.5 = 0.35 of it
  EXPECT_LT(mean_cost(r), 1.2 * r.value("mean_cost_best_fixed"));
}

Report tuned(const std::string& tuner, std::int64_t systems) {
  tuning::SequenceOptions o = options_for(tuner);
  o.oracles = true;
  Diagonals problem(systems);
  return tuning::Sequence(o, context()).solve(problem, Monitor::none());
}

/// The context decides the best arm here.
TEST(ContextualTuners, ChebCbBeatsEveryFixedArm) {
  const Report r = tuned("chebcb", 6000);
  EXPECT_LT(mean_cost(r), r.value("mean_cost_best_fixed"));
  EXPECT_LT(mean_cost(r), 1.05 * r.value("mean_cost_best_of_each"));
}

TEST(ContextualTuners, BinsBeatALearnerThatSeesNoContext) {
  EXPECT_LT(mean_cost(tuned("tsallis-inf-cb", 6000)), mean_cost(tuned("tsallis-inf", 6000)));
}

TEST(ContextualTuners, NeedToKnowTheRange) {
  for (const char* tuner : {"chebcb", "tsallis-inf-cb"}) {
    tuning::Sequence method(options_for(tuner), context());
    const Vector b = test::to_vector({1.0});
    EXPECT_THROW((void)method.solve_next(test::to_csr({{2.0}}), b, b.like("x"), 0.3), Unsupported);
  }
}

/// A simulation code's own calls, without a sequence object.
TEST(Sequence, SolvesSystemsFromAnotherCode) {
  tuning::SequenceOptions o = options_for("chebcb");
  o.context_range = {0.0, 1.0};
  tuning::Sequence method(o, context());
  for (int t = 0; t < 50; ++t) {
    const double c = 0.02 * t;
    const Vector b = test::to_vector({2.0 + 2.0 * c});
    const Vector x = b.like("test::x");
    EXPECT_TRUE(method.solve_next(test::to_csr({{1.0 + c}}), b, x, c).converged());
    EXPECT_NEAR(test::to_host(x)[0], 2.0, 1e-14);
  }
}

// ---- the sequence --------------------------------------------------------------------------------

/// Stopped and continued: the same choices, costs and sums as without the stop.
TEST(Sequence, GoesOnToTheSameDigits) {
  for (const char* tuner : {"tsallis-inf", "tsallis-inf-cb", "chebcb", "relax-prior", "fixed"}) {
    tuning::SequenceOptions o = options_for(tuner);
    o.oracles = true;
    Diagonals whole(60), half(60), rest(60);
    tuning::Sequence straight(o, context()), first(o, context()), second(o, context());
    test::RecordingMonitor all, stopper(30, Verdict::interrupted), later;
    const Report expected = straight.solve(whole, all);
    ASSERT_TRUE(expected.converged());
    ASSERT_EQ(first.solve(half, stopper).status, Status::interrupted) << tuner;
    rest.restore(test::MemoryState(half.state()), rest);
    second.restore(test::MemoryState(first.state()), rest);
    const Report got = second.solve(rest, later);
    EXPECT_TRUE(got.converged());
    EXPECT_EQ(later.iterations.front(), 31);
    ASSERT_EQ(all.first_values.size(), 60U);
    EXPECT_TRUE(std::equal(later.first_values.begin(), later.first_values.end(),
                           all.first_values.begin() + 30))
        << tuner;
    EXPECT_EQ(mean_cost(got), mean_cost(expected)) << tuner;
    EXPECT_EQ(got.value("mean_cost_best_of_each"), expected.value("mean_cost_best_of_each"));
    tuning::SequenceOptions other = o;
    other.count = 7;
    tuning::Sequence third(other, context());
    EXPECT_THROW(third.restore(test::MemoryState(first.state()), rest), DataError) << tuner;
  }
}

/// Says stop from one poll on; an inner solve asks once here.
class StopsInside final : public Monitor {
 public:
  explicit StopsInside(int polls) : left_(polls) {}
  Verdict observe(std::int64_t, std::span<const Sample> samples) override {
    costs.push_back(samples.front().value);
    return Verdict::proceed;
  }
  Verdict poll() override { return left_-- > 0 ? Verdict::proceed : Verdict::interrupted; }
  std::vector<double> costs;

 private:
  int left_;
};

/// Stopped inside a system: its guess stays, nothing is learned from it, and what goes on from
/// there chooses the same as without the stop.
TEST(Sequence, StopsInsideASystemAndGoesOnToTheSameDigits) {
  for (const char* tuner : {"tsallis-inf", "tsallis-inf-cb", "chebcb", "relax-prior"}) {
    const tuning::SequenceOptions o = options_for(tuner);
    Diagonals whole(60), half(60), rest(60);
    tuning::Sequence straight(o, context()), first(o, context()), second(o, context());
    test::RecordingMonitor all, later;
    ASSERT_TRUE(straight.solve(whole, all).converged());
    StopsInside stopper(30);
    const Report stopped = first.solve(half, stopper);
    EXPECT_EQ(stopped.status, Status::interrupted);
    EXPECT_EQ(stopped.iterations, 30) << tuner;
    EXPECT_NE(stopped.reason.find("stopped in system 30 (context "), std::string::npos)
        << stopped.reason;
    EXPECT_EQ(stopper.costs.size(), 30U);
    EXPECT_EQ(test::to_host(half.current().x()), std::vector<double>(4, 0.0)) << "the guess";
    rest.restore(test::MemoryState(half.state()), rest);
    second.restore(test::MemoryState(first.state()), rest);
    EXPECT_TRUE(second.solve(rest, later).converged());
    ASSERT_EQ(later.first_values.size(), 30U) << tuner;
    EXPECT_TRUE(std::equal(later.first_values.begin(), later.first_values.end(),
                           all.first_values.begin() + 30))
        << tuner;
  }
}

/// The trials of all values are as long as many systems.
TEST(Sequence, StopsWhileAllValuesAreTried) {
  tuning::SequenceOptions o = options_for("tsallis-inf");
  o.oracles = true;
  Diagonals problem(5);
  tuning::Sequence method(o, context());
  StopsInside stopper(3 * 21 + 7);  // each system is solved with 20 values and once more
  const Report report = method.solve(problem, stopper);
  EXPECT_EQ(report.status, Status::interrupted);
  EXPECT_EQ(report.iterations, 3);
  EXPECT_EQ(test::to_host(problem.current().x()), std::vector<double>(4, 0.0));
}

/// What cannot change in place is made anew, once for each value.
TEST(Sequence, TunesWholeNumbersAndWords) {
  tuning::SequenceOptions o = options_for("chebcb");
  o.parameter = "sweeps";
  o.values = {1, 2, 3, 4};
  o.solver.options.set("omega", 1.2);
  Diagonals problem(200);
  Bowl::num_made = 0;
  tuning::Sequence method(o, context());
  const Report r = method.solve(problem, Monitor::none());
  EXPECT_TRUE(r.converged());
  EXPECT_EQ(Bowl::num_made, 4);
  o.parameter = "mode";
  o.values = {};
  o.words = {"plain", "quick"};
  o.oracles = true;
  Diagonals again(200);
  tuning::Sequence words(o, context());
  EXPECT_EQ(words.solve(again, Monitor::none()).value("best_fixed_value"), 1.0);  // "quick"
}

TEST(Sequence, ASystemThatIsNotSolvedStopsItAndIsNamed) {
  Diagonals problem(20);
  tuning::Sequence method(options_for("tsallis-inf"), context());
  Bowl::fails = true;
  const Report report = method.solve(problem, Monitor::none());
  Bowl::fails = false;
  EXPECT_EQ(report.status, Status::stagnated);
  EXPECT_NE(report.reason.find("system 0 (context "), std::string::npos) << report.reason;
}

/// A value that gives up at once must not look cheap, and must not end the sequence.
TEST(Sequence, ValuesThatFailAreDearAndPlayedOver) {
  for (const char* tuner : {"tsallis-inf", "chebcb"}) {
    tuning::SequenceOptions o = options_for(tuner);
    o.oracles = true;
    // Where the first play fails, nothing is known that works: a seed that draws another one.
    Report report;
    double residual = 1.0;
    for (std::uint64_t seed = 1; seed < 20 && !report.converged(); ++seed) {
      Diagonals problem(400);
      Context seeded = context();
      seeded.seed = seed;
      Bowl::fails_above = 1.6;
      report = tuning::Sequence(o, seeded).solve(problem, Monitor::none());
      Bowl::fails_above = 1e9;
      EXPECT_TRUE(report.converged() || report.iterations == 0) << report.reason;
      residual = problem.verify().front().value;
    }
    ASSERT_TRUE(report.converged()) << report.reason;
    EXPECT_GT(report.value("failed_choices"), 0.0) << tuner;
    EXPECT_LE(report.value("best_fixed_value"), 1.6) << tuner;
    EXPECT_GT(report.value("mean_cost_best_of_each"), 9.0) << tuner;
    EXPECT_LT(residual, 1e-12) << tuner;
  }
}

/// What failed leaves the guess, so that the sequence can be taken up again there.
TEST(Sequence, AFailedSolveLeavesTheGuess) {
  tuning::Sequence method(options_for("tsallis-inf"), context());
  const Vector b = test::to_vector({3.0});
  const Vector x = test::to_vector({0.25});
  Bowl::fails = true;
  EXPECT_FALSE(method.solve_next(test::to_csr({{2.0}}), b, x, 0.0).converged());
  Bowl::fails = false;
  EXPECT_EQ(test::to_host(x)[0], 0.25);
}

TEST(Sequence, ContextsThatAreNoNumbersAreRefused) {
  tuning::Sequence method(options_for("tsallis-inf"), context());
  const Vector b = test::to_vector({1.0});
  EXPECT_THROW((void)method.solve_next(test::to_csr({{2.0}}), b, b.like("x"), std::nan("")),
               DataError);
}

TEST(Sequence, UnknownParametersAreRefusedBeforeAnythingIsSolved) {
  tuning::SequenceOptions o = options_for("tsallis-inf");
  o.parameter = "omga";
  EXPECT_THROW(tuning::Sequence(o, context()), InputError);
}

TEST(RelaxPrior, TunesOmegaOnly) {
  tuning::SequenceOptions o = options_for("relax-prior");
  o.parameter = "sweeps";
  o.low = 1;
  o.high = 4;
  o.count = 4;
  tuning::Sequence method(o, context());
  Diagonals problem(3);
  EXPECT_THROW((void)method.solve(problem, Monitor::none()), Unsupported);
}

// ---- the Jacobi radius ---------------------------------------------------------------------------

/// rho(I - D^-1 A) of L + c I with L the 5-point Laplacian of n x n nodes is
/// 4 cos(pi / (n + 1)) / (4 + c).
TEST(JacobiRadius, FollowsTheContextWithFewProducts) {
  constexpr int n = 16;
  tuning::JacobiRadius radius;
  const auto L = test::to_dense(*test::laplacian(n, n));
  for (int t = 0; t < 200; ++t) {
    const double c = 0.5 * RandomStream(2, "test").uniform(static_cast<std::uint64_t>(t));
    test::Dense A = L;
    for (Index i = 0; i < n * n; ++i) A[i][i] += c;
    const Vector b = test::to_vector(std::vector<double>(n * n, 1.0));
    const LinearSystem system(test::to_csr(A), b, b.like("test::x"));
    const double exact = 4.0 * std::cos(M_PI / (n + 1)) / (4.0 + c);
    // v is found for one context and good to second order for others: 1 - mu to a tenth moves
    // omega by a twentieth of 2 - omega.
    EXPECT_NEAR((1.0 - radius.estimate(c, system)) / (1.0 - exact), 1.0, 0.1) << t << " " << c;
  }
  EXPECT_LT(radius.products(), 60.0);  // of 200 systems
}

/// An operator that changes while the context stays: seen at the next check, at once when doubted.
TEST(JacobiRadius, NoticesAChangeThatTheContextDoesNotShow) {
  constexpr int n = 12;
  tuning::JacobiRadius radius;
  const auto estimate = [&](double shift) {
    test::Dense A = test::to_dense(*test::laplacian(n, n));
    for (Index i = 0; i < n * n; ++i) A[i][i] += shift;
    const Vector b = test::to_vector(std::vector<double>(n * n, 1.0));
    const LinearSystem system(test::to_csr(A), b, b.like("test::x"));
    return radius.estimate(0.0, system);
  };
  for (int t = 0; t < 50; ++t) EXPECT_NEAR(estimate(2.0), 4.0 * std::cos(M_PI / (n + 1)) / 6.0, 0.02);
  const double changed = std::cos(M_PI / (n + 1));
  int stale = 0;
  for (; stale < 40 && std::abs(estimate(0.0) - changed) > 0.01; ++stale) {}
  EXPECT_LE(stale, 32);
  radius.doubt();
  EXPECT_NEAR(estimate(2.0), 4.0 * std::cos(M_PI / (n + 1)) / 6.0, 0.02);
}

}  // namespace
