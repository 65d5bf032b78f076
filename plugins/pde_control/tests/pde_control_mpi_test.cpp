#include <cstdlib>

#include "control_cases.hpp"

namespace {

using namespace control_cases;

class PdeControlOverRanks : public ControlTest {
 protected:
  /// The same steps on all ranks together as on each alone, and the same solution.
  void expect_same(const Value& source, const std::string& method, const Value& method_options,
                   double tolerance) {
    const auto together = make(source, Communicator::world());
    const auto alone = make(source);
    const Report report = solve(*together, method, method_options);
    const Report expected = solve(*alone, method, method_options);
    EXPECT_TRUE(report.converged()) << report.reason;
    EXPECT_TRUE(expected.converged()) << expected.reason;
    EXPECT_LE(std::abs(report.iterations - expected.iterations), 1);
    const double f = alone->functions().objective(alone->x().view());
    EXPECT_NEAR(together->functions().objective(together->x().view()), f, 1e-5 * f);
    EXPECT_LE(relative_residual(*together), tolerance);
    EXPECT_NEAR(norm2(together->x()), norm2(alone->x()), 1e-5 * norm2(alone->x()));
  }
};

TEST_F(PdeControlOverRanks, MethodsTakeTheSameSteps) {
  const Value six = options({{"relative_tolerance", 1e-6}});
  for (const double beta : {1e-2, 1e-6}) {
    for (const char* method : {"collective-multigrid", "full-space-krylov"}) {
      expect_same(options({{"size", 64}, {"beta", beta}}), method, six, 1e-6);
      expect_same(options({{"size", 16}, {"dimension", 3}, {"beta", beta}}), method, six, 1e-6);
    }
    Value zulehner = six;
    zulehner.set("preconditioner", Value("zulehner"));
    expect_same(options({{"size", 32}, {"beta", beta}}), "full-space-krylov", zulehner, 1e-6);
  }
  // One axis, and a grid that is gathered at once.
  expect_same(options({{"size", 64}, {"dimension", 1}}), "collective-multigrid", six, 1e-6);
  expect_same(options({{"size", 8}}), "collective-multigrid", six, 1e-6);
}

TEST_F(PdeControlOverRanks, DomainsInsideTheSquareAreTheSame) {
  const Value source = options({{"size", 64},
                                {"boundary", Value("zero")},
                                {"domain", Value("0.2 - (x - 0.5)^2 - (y - 0.5)^2")}});
  for (const char* method : {"collective-multigrid", "full-space-krylov"})
    expect_same(source, method, options({{"relative_tolerance", 1e-6}}), 1e-6);
}

TEST_F(PdeControlOverRanks, SystemsWithHTakeAnySolverByName) {
  for (const char* inner : {"multigrid", "chebyshev"}) {
    const Value presb = options({{"name", Value("presb")}, {"solver", rough("cg", inner)}});
    expect_same(options({{"size", 48}, {"beta", 1e-4}}), "full-space-krylov",
                options({{"preconditioner", presb}}), 1e-6);
  }
}

TEST_F(PdeControlOverRanks, ActiveSetsAreTheSame) {
  Value source = options({{"size", 64},
                                {"beta", 1e-6},
                                {"convention", Value("half-beta")},
                                {"target", Value("sin(2*pi*x) * sin(2*pi*y) * exp(2*x) / 6")},
                                {"boundary", Value("zero")},
                                {"control_upper", 0.0}});
  const Value eight = options({{"relative_tolerance", 1e-8}});
  expect_same(source, "primal-dual-active-set", eight, 1e-8);
  source.set("domain", Value("0.2 - (x - 0.5)^2 - (y - 0.5)^2"));
  source.set("control_lower", Value(-3.0));
  expect_same(source, "primal-dual-active-set", eight, 1e-8);
}

}  // namespace
