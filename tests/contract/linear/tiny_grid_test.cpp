#include "contract_support.hpp"

/// Grids of a few cells, where a preconditioner may be as good as the inverse: conjugate gradients
/// has to end there, not to magnify rounding.
namespace libsolve::test {
namespace {

class TinyGrids : public ::testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(All, TinyGrids, ::testing::ValuesIn(names_of("preconditioner")),
                         test_name);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TinyGrids);

TEST_P(TinyGrids, BothConjugateGradientsConverge) {
  for (const char* method : {"cg", "flexible-cg"})
    for (const Form form : {Form::matrix, Form::constant_stencil, Form::variable_stencil})
      for (const auto& [nx, ny] : {std::pair{1, 1}, {2, 1}, {1, 3}, {5, 1}, {2, 2}, {3, 5}}) {
        TestSystem t = diffusion(nx, ny, form, 0.3, 0.1);
        randomise(t, 7);
        Value options;
        options.set("preconditioner", GetParam());
        const auto solver = make<LinearSolver>(method, options);
        SCOPED_TRACE(std::string(method) + " on " + std::to_string(nx) + " x " +
                     std::to_string(ny) + ", " + t.label);
        try {
          const Report report = solver->solve(*t.system, Monitor::none());
          EXPECT_TRUE(report.converged()) << report.reason;
        } catch (const Unsupported&) {  // a form this preconditioner does not take
          continue;
        }
        EXPECT_LE(t.residual_norm(), 1e-8 * t.b_norm());
      }
}

}  // namespace
}  // namespace libsolve::test
