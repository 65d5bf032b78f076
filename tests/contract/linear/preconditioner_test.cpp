#include <functional>
#include <libsolve/pde/q1_control_operator.hpp>

#include "contract_support.hpp"

/// What every preconditioner promises (libsolve/linear/preconditioner.hpp), with default options,
/// on every form of a system it accepts.
namespace libsolve::test {
namespace {

/// A cycle in single precision is linear and symmetric to its rounding only.
constexpr double rounding = 1e-5;
/// q^T z is a sum in double. For r^T z a cycle in single precision may take its own copy of r,
/// which is rounded to 2^-24 = 6.0e-8 relative: it has no other in the cache, and reading r again
/// would cost a pass over memory. So |error| <= 2^-24 sum |r_i z_i| <= 2^-24 |r| |z|; rounding
/// errors of n entries average out, and multigrid's is 7.0e-10 at most on these grids (against the
/// sum with the rounded r it is below 1e-15). It changes the step lengths of conjugate gradients in
/// their eighth digit, not what they converge to: the residual follows the same steps as x.
constexpr double rhs_dot_rounding = 0x1p-24 + 1e-12;
constexpr double other_dot_rounding = 1e-12;

class PreconditionerContract : public ::testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Preconditioner> preconditioner(const Value& options = {}) const {
    return make<Preconditioner>(GetParam(), options);
  }
  static std::vector<TestSystem> systems() {
    std::vector<TestSystem> all;
    all.push_back(diffusion(17, 13, Form::matrix, 0.3, 0.1));
    all.push_back(diffusion(17, 13, Form::constant_stencil, 0.3, 0.1));
    all.push_back(diffusion(18, 10, Form::variable_stencil, 0.3, 0.1));
    // Large enough for several levels of a hierarchy.
    all.push_back(diffusion(67, 50, Form::constant_stencil, 0.3, 0.01));
    all.push_back(diffusion(50, 67, Form::variable_stencil, 0.3, 0.01));
    for (TestSystem& t : all) randomise(t, 1);
    return all;
  }
  /// Runs `check` on each system that the preconditioner accepts; it has to accept one.
  void on_each(const std::function<void(Preconditioner&, TestSystem&)>& check) const {
    int accepted = 0;
    const auto run_on = [&](TestSystem& t) {
      SCOPED_TRACE(t.label);
      const auto M = preconditioner();
      try {
        M->setup(*t.system);
      } catch (const Unsupported& e) {
        EXPECT_FALSE(std::string(e.what()).empty());
        return;
      }
      ++accepted;
      check(*M, t);
    };
    for (TestSystem& t : systems()) run_on(t);
    if (accepted == 0) {  // those for saddle systems of control take nothing else
      TestSystem control = control_conditions(16, 1e-4);
      randomise(control, 1);
      run_on(control);
    }
    EXPECT_GT(accepted, 0)
        << "it refused a matrix, a constant and a variable stencil, and conditions of control";
  }
};

bool is_control(const TestSystem& t) {
  return dynamic_cast<const Q1ControlOperator*>(&t.A()) != nullptr;
}

INSTANTIATE_TEST_SUITE_P(All, PreconditionerContract,
                         ::testing::ValuesIn(names_of("preconditioner")), test_name);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(PreconditionerContract);

std::vector<double> applied(Preconditioner& M, const TestSystem& t, const std::vector<double>& r) {
  const Vector in = to_vector(r);
  const Vector out = t.system->x().like("contract::z");
  fill(out, std::nan(""));  // z is overwritten, not read
  M.apply(in, out);
  EXPECT_EQ(to_host(in), r) << "r belongs to the caller";
  return to_host(out);
}

/// M (2 u - 3 v) = 2 M u - 3 M v.
TEST_P(PreconditionerContract, IsLinearIfItSaysSo) {
  on_each([](Preconditioner& M, TestSystem& t) {
    if (!M.is_linear()) return;
    const Index n = t.system->b().local_size();
    const auto u = random_numbers(n, 1), v = random_numbers(n, 2);
    std::vector<double> w(u.size());
    for (std::size_t i = 0; i < w.size(); ++i) w[i] = 2.0 * u[i] - 3.0 * v[i];
    const auto Mu = applied(M, t, u), Mv = applied(M, t, v), Mw = applied(M, t, w);
    std::vector<double> error(u.size());
    for (std::size_t i = 0; i < w.size(); ++i) error[i] = Mw[i] - 2.0 * Mu[i] + 3.0 * Mv[i];
    EXPECT_LE(norm_of(error), rounding * norm_of(Mw));
  });
}

/// u^T M v = v^T M u, and u^T M u > 0: A is positive definite here.
TEST_P(PreconditionerContract, IsSymmetricPositiveDefiniteIfItSaysSo) {
  on_each([](Preconditioner& M, TestSystem& t) {
    if (!M.is_symmetric()) return;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      const Index n = t.system->b().local_size();
      const auto u = random_numbers(n, seed), v = random_numbers(n, seed + 100);
      const auto Mu = applied(M, t, u), Mv = applied(M, t, v);
      EXPECT_NEAR(dot_of(u, Mv), dot_of(v, Mu), rounding * norm_of(u) * norm_of(Mv));
      EXPECT_GT(dot_of(u, Mu), 0.0);
    }
  });
}

TEST_P(PreconditionerContract, SameAnswerTwiceAndFromAFreshOne) {
  on_each([this](Preconditioner& M, TestSystem& t) {
    const auto r = random_numbers(t.system->b().local_size(), 3);
    const auto first = applied(M, t, r);
    if (M.is_linear()) {
      EXPECT_EQ(applied(M, t, r), first);
    }
    const auto fresh = preconditioner();
    fresh->setup(*t.system);
    EXPECT_EQ(applied(*fresh, t, r), first);
  });
}

TEST_P(PreconditionerContract, ZeroGivesZero) {
  on_each([](Preconditioner& M, TestSystem& t) {
    const std::vector<double> zero(static_cast<std::size_t>(t.system->b().local_size()), 0.0);
    EXPECT_EQ(norm_of(applied(M, t, zero)), 0.0);
  });
}

/// apply_with_dots: the same z, and r^T z and q^T z of it.
TEST_P(PreconditionerContract, DotsBelongToTheResult) {
  on_each([](Preconditioner& M, TestSystem& t) {
    if (!M.is_linear()) return;
    const Index n = t.system->b().local_size();
    const auto r = random_numbers(n, 4), q = random_numbers(n, 5);
    const auto expected = applied(M, t, r);
    const Vector vr = to_vector(r), vq = to_vector(q), z = vr.like("contract::z");
    for (const bool with_q : {false, true}) {
      fill(z, std::nan(""));
      const DotPair dots = M.apply_with_dots(vr, z, with_q ? &vq : nullptr);
      const auto values = to_host(z);
      std::vector<double> error = values;
      for (std::size_t i = 0; i < error.size(); ++i) error[i] -= expected[i];
      EXPECT_LE(norm_of(error), rounding * norm_of(expected));
      EXPECT_NEAR(dots.xy, dot_of(r, values), rhs_dot_rounding * norm_of(r) * norm_of(values));
      if (with_q) {
        EXPECT_NEAR(dots.xz, dot_of(q, values), other_dot_rounding * norm_of(q) * norm_of(values));
      }
      EXPECT_EQ(to_host(vr), r);
      EXPECT_EQ(to_host(vq), q);
    }
  });
}

TEST_P(PreconditionerContract, AllocatesNothingWhenApplied) {
  on_each([](Preconditioner& M, TestSystem& t) {
    const Vector r = to_vector(random_numbers(t.system->b().local_size(), 6));
    const Vector z = r.like("contract::z");
    M.apply(r, z);
    AllocationCounter counter;
    std::string label;
    counter.start();
    M.apply(r, z);
    (void)M.apply_with_dots(r, z, nullptr);
    EXPECT_EQ(counter.stop(&label), 0) << label;
  });
}

TEST_P(PreconditionerContract, LeavesTheSystemAlone) {
  on_each([this](Preconditioner&, TestSystem& t) {
    randomise(t, 7, /*initial_guess=*/true);
    const auto b = to_host(t.system->b()), x = to_host(t.system->x());
    const auto M = preconditioner();
    M->setup(*t.system);
    (void)applied(*M, t, b);
    EXPECT_EQ(to_host(t.system->b()), b);
    EXPECT_EQ(to_host(t.system->x()), x);
  });
}

/// set up for one system, then for another of other size and other entries.
TEST_P(PreconditionerContract, CanBeSetUpAgain) {
  on_each([this](Preconditioner& M, TestSystem& t) {
    const Form form = dynamic_cast<const StencilOperator*>(&t.A()) == nullptr ? Form::matrix
                      : dynamic_cast<const StencilOperator&>(t.A()).is_constant()
                          ? Form::constant_stencil
                          : Form::variable_stencil;
    TestSystem other =
        is_control(t) ? control_conditions(8, 1e-2) : diffusion(11, 14, form, 2.0, 0.5);
    const auto r = random_numbers(other.system->b().local_size(), 8);
    M.setup(*other.system);
    const auto fresh = preconditioner();
    fresh->setup(*other.system);
    EXPECT_EQ(applied(M, other, r), applied(*fresh, other, r));
  });
}

/// M A is nearer to the identity than A is to a multiple of it: inside a Krylov method the system
/// is solved, in no more steps than without.
TEST_P(PreconditionerContract, HelpsAKrylovMethod) {
  on_each([this](Preconditioner& M, TestSystem& t) {
    if (all_plugins().find(LinearSolver::kind, "gmres") == nullptr) GTEST_SKIP() << "no gmres here";
    const std::string method = !(M.is_symmetric() && M.is_linear()) ? "gmres"
                               : is_control(t)                      ? "minres"
                                                                    : "cg";
    Value with = option("preconditioner", Value(GetParam()));
    const Report plain = make<LinearSolver>(method)->solve(*t.system, Monitor::none());
    fill(t.system->x(), 0.0);
    const Report report = make<LinearSolver>(method, with)->solve(*t.system, Monitor::none());
    EXPECT_EQ(report.status, Status::converged) << report.reason;
    EXPECT_LE(t.residual_norm(), 1.001e-8 * t.b_norm());
    EXPECT_LE(report.iterations, plain.iterations + 2);
  });
}

TEST_P(PreconditionerContract, SaysWhatItHolds) {
  on_each([](Preconditioner& M, TestSystem&) {
    EXPECT_GE(M.memory_bytes(), 0.0);
    for (const Measure& m : M.metrics()) {
      EXPECT_FALSE(m.name.empty());
      EXPECT_TRUE(std::isfinite(m.value)) << m.name;
    }
    for (const std::string& note : M.notes()) EXPECT_EQ(note.find('\n'), std::string::npos) << note;
  });
}

TEST_P(PreconditionerContract, RefusesUnknownOptions) {
  try {
    (void)preconditioner(option("no_such_option", 5));
    FAIL() << "accepted 'no_such_option'";
  } catch (const InputError& e) {
    EXPECT_NE(std::string(e.what()).find("no_such_option"), std::string::npos) << e.what();
  }
}

TEST_P(PreconditionerContract, DefaultsParse) {
  Diagnostics problems;
  (void)all_plugins().resolve(Preconditioner::kind, GetParam(), "", problems);
  EXPECT_TRUE(problems.empty());
  const ComponentInfo& info = *all_plugins().find(Preconditioner::kind, GetParam());
  EXPECT_FALSE(info.summary.empty());
  for (const OptionInfo& o : info.options) EXPECT_FALSE(o.help.empty()) << o.name;
}

}  // namespace
}  // namespace libsolve::test
