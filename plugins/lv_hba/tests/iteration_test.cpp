#include "../general_iteration.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/bilevel/projections.hpp>
#include <libsolve/bilevel/separable.hpp>

#include "../lv_hba.hpp"
#include "../scaling.hpp"

namespace lv_hba {
namespace {

constexpr double none = INFINITY;
using Numbers = std::vector<double>;

/// f = (y1 - x)^2 / 2 + y2^2 with 1 <= sum (y1 + 2 y2) <= 3 n, F quadratic: a row with two bounds.
struct TwoSided {
  static constexpr int nx = 1, ny = 2;
  template <class T>
  KOKKOS_FUNCTION static T upper(const T* v) {
    return (v[0] - 1.0) * (v[0] - 1.0) + v[1] * v[2];
  }
  template <class T>
  KOKKOS_FUNCTION static T lower(const T* v) {
    return 0.5 * (v[1] - v[0]) * (v[1] - v[0]) + v[2] * v[2];
  }
  KOKKOS_FUNCTION static void upper_gradient(const double* v, double* g) {
    g[0] = 2.0 * (v[0] - 1.0);
    g[1] = v[2];
    g[2] = v[1];
  }
  KOKKOS_FUNCTION static void lower_gradient(const double* v, double* g) {
    g[0] = v[0] - v[1];
    g[1] = v[1] - v[0];
    g[2] = 2.0 * v[2];
  }
  KOKKOS_FUNCTION static double row(int a) { return a; }
};

/// n elements of it; without the one-pass iteration unless asked for.
BilevelParts two_sided_parts(Index n, double low, double high) {
  BilevelParts p;
  const auto size = static_cast<std::size_t>(n);
  p.num_upper = n;
  p.num_lower = 2 * n;
  p.upper = std::make_shared<SeparableFunctions<TwoSided, true>>(n);
  p.lower = std::make_shared<SeparableFunctions<TwoSided, false>>(n);
  p.upper_variables = {Numbers(size, -none), Numbers(size, none)};
  p.lower_variables = {Numbers(2 * size, -none), Numbers(2 * size, none)};
  p.lower_constraints = {{low}, {high}};
  p.lower_is_convex = p.lower_is_quadratic = true;
  p.start.assign(3 * size, 0.3);
  p.start[1] = -0.7;
  return p;
}

/// The general iteration on functions and a projection does what the one-pass one does.
TEST(GeneralLvHba, AgreesWithTheOnePassIteration) {
  for (const auto& [low, high] :
       {std::pair(40.0, 60.0), std::pair(-none, -5.0), std::pair(5.0, none), std::pair(7.0, 7.0)}) {
    const Index n = 20;
    const BilevelProgram problem(two_sided_parts(n, low, high));
    GeneralLvHba general(problem, projection_of(problem));
    SeparableLvHba<TwoSided> one_pass(n, low, high);
    LvHbaSettings s;
    s.row_length = 1.3;
    s.beta = 0.7;
    IterationState a(problem), b(problem);
    for (LvHbaIteration* iteration :
         {static_cast<LvHbaIteration*>(&general), static_cast<LvHbaIteration*>(&one_pass)}) {
      iteration->start(problem.v().view());
      (void)iteration->run(s, 0, 3);
    }
    for (int block = 0; block < 30; ++block) {
      const LvHbaProgress one = general.run(s, 3 + 5 * block, 5);
      const LvHbaProgress other = one_pass.run(s, 3 + 5 * block, 5);
      EXPECT_NEAR(one.movement, other.movement, 1e-9 * (1.0 + one.movement));
      EXPECT_NEAR(one.lower_movement, other.lower_movement, 1e-9 * (1.0 + one.lower_movement));
    }
    a.take(general);
    b.take(one_pass);
    for (std::size_t i = 0; i < a.v.size(); ++i) EXPECT_NEAR(a.v[i], b.v[i], 1e-10) << i;
    for (std::size_t i = 0; i < a.theta.size(); ++i) EXPECT_NEAR(a.theta[i], b.theta[i], 1e-10);
    EXPECT_NEAR(a.lambda[0], b.lambda[0], 1e-10);
    if (low == high) {
      EXPECT_NE(a.lambda[0], 0.0);  // the row matters
    }
  }
}

TEST(Scaling, CurvatureIsTheLargestEigenvalue) {
  const BilevelProgram problem(two_sided_parts(3, 0.0, 0.0));
  const Curvature c = curvature_at(problem, problem.v().view(), 1);
  // F'' of an element: diag(2) and ((0, 1), (1, 0)); f'': ((1, -1), (-1, 1)) and 2.
  EXPECT_NEAR(c.upper, 2.0, 0.05);
  EXPECT_NEAR(c.lower, 2.0, 1e-6);
}

/// Multiplying F, f and g by numbers changes no iterate of the scaled method.
class Scaled final : public ProgramFunctions {
 public:
  Scaled(std::shared_ptr<ProgramFunctions> base, double factor, double row_factor)
      : base_(std::move(base)), factor_(factor), row_factor_(row_factor) {}
  Index num_variables() const override { return base_->num_variables(); }
  Index num_constraints() const override { return base_->num_constraints(); }
  bool has_entries() const override { return false; }
  bool is_linear(Index i) const override { return base_->is_linear(i); }

 protected:
  static void times(double factor, const VectorView& v) {
    for (std::size_t i = 0; i < v.extent(0); ++i) v(i) *= factor;
  }
  double do_objective(const ConstVectorView& x) override { return factor_ * base_->objective(x); }
  void do_gradient(const ConstVectorView& x, const VectorView& g) override {
    base_->gradient(x, g);
    times(factor_, g);
  }
  void do_constraints(const ConstVectorView& x, const VectorView& c) override {
    base_->constraints(x, c);
    times(row_factor_, c);
  }
  void do_apply_jacobian(const ConstVectorView& x, const ConstVectorView& w,
                         const VectorView& y) override {
    base_->apply_jacobian(x, w, y);
    times(row_factor_, y);
  }
  void do_apply_jacobian_adjoint(const ConstVectorView& x, const ConstVectorView& w,
                                 const VectorView& y) override {
    base_->apply_jacobian_adjoint(x, w, y);
    times(row_factor_, y);
  }
  void do_apply_hessian(const ConstVectorView& x, double sigma, const ConstVectorView& lambda,
                        const ConstVectorView& w, const VectorView& y) override {
    base_->apply_hessian(x, factor_ * sigma, lambda, w, y);  // the rows are linear
  }

 private:
  std::shared_ptr<ProgramFunctions> base_;
  double factor_, row_factor_;
};

TEST(Scaling, UnitsOfTheFunctionsDoNotMatter) {
  if (!runs_on_host<ExecSpace>) GTEST_SKIP() << "reads views on the host";
  std::vector<Numbers> found;
  for (const double factor : {1.0, 1e3}) {
    BilevelParts p = two_sided_parts(4, 2.0, 2.0);
    p.upper = std::make_shared<Scaled>(p.upper, factor, 1.0);
    p.lower = std::make_shared<Scaled>(p.lower, 1.0 / factor, 50.0 * factor);
    p.lower_constraints = {{100.0 * factor}, {100.0 * factor}};
    const BilevelProgram problem(std::move(p));
    GeneralLvHba iteration(
        problem, box_rows_projection(problem.variable_bounds(),
                                     SeparableFunctions<TwoSided, false>(4).jacobian_pattern(),
                                     Numbers{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2}, {{2.0}, {2.0}}));
    iteration.start(problem.v().view());
    const Curvature c = curvature_at(problem, problem.v().view(), 1);
    (void)iteration.run(scaled(ScaledSettings{}, c), 0, 60);
    IterationState state(problem);
    state.take(iteration);
    found.push_back(state.v);
  }
  for (std::size_t i = 0; i < found[0].size(); ++i) EXPECT_NEAR(found[0][i], found[1][i], 1e-8);
}

}  // namespace
}  // namespace lv_hba
