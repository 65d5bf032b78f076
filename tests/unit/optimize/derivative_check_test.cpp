#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/optimize/derivative_check.hpp>
#include <libsolve/optimize/formula_functions.hpp>

namespace {

using namespace libsolve;

/// f = x1^2 x2 + exp(x3), c1 = x1 x2 x3, c2 = x1 + 2 x3, with one mistake to choose.
enum class Mistake {
  none,
  gradient,
  jacobian,
  missing_entry,
  hessian,
  product,
  adjoint,
  nan_gradient
};

class Program final : public HostProgramFunctions {
 public:
  explicit Program(Mistake mistake) : mistake_(mistake) {
    if (mistake == Mistake::missing_entry) {
      jacobian_.rows.pop_back();
      jacobian_.columns.pop_back();
    }
  }
  Index num_variables() const override { return 3; }
  Index num_constraints() const override { return 2; }
  std::vector<std::string> constraint_names() const override { return {"volume", "length"}; }
  bool has_entries() const override { return true; }
  const SparsePattern& jacobian_pattern() const override { return jacobian_; }
  const SparsePattern& hessian_pattern() const override { return hessian_; }

 protected:
  double host_objective(In x) override { return x[0] * x[0] * x[1] + std::exp(x[2]); }
  void host_gradient(In x, Out g) override {
    g[0] = 2.0 * x[0] * x[1];
    g[1] = x[0] * x[0] * (mistake_ == Mistake::gradient ? 1.001 : 1.0);
    g[2] = mistake_ == Mistake::nan_gradient ? NAN : std::exp(x[2]);
  }
  void host_constraints(In x, Out c) override {
    c[0] = x[0] * x[1] * x[2];
    c[1] = x[0] + 2.0 * x[2];
  }
  void host_jacobian(In x, Out values) override {
    values[0] = x[1] * x[2];
    values[1] = x[0] * x[2];
    values[2] = x[0] * x[1];
    values[3] = mistake_ == Mistake::jacobian ? -1.0 : 1.0;
    if (values.size() > 4) values[4] = 2.0;
  }
  void host_hessian(In x, double sigma, In lambda, Out values) override {
    values[0] = 2.0 * sigma * x[1];
    values[1] = 2.0 * sigma * x[0] + lambda[0] * x[2];
    values[2] = lambda[0] * x[1];
    values[3] = lambda[0] * x[0] * (mistake_ == Mistake::hessian ? 1.01 : 1.0);
    values[4] = sigma * std::exp(x[2]);
  }
  void do_apply_hessian(const ConstVectorView& x, double sigma, const ConstVectorView& lambda,
                        const ConstVectorView& v, const VectorView& y) override {
    ProgramFunctions::do_apply_hessian(x, mistake_ == Mistake::product ? 0.9 * sigma : sigma,
                                       lambda, v, y);
  }
  void do_apply_jacobian_adjoint(const ConstVectorView& x, const ConstVectorView& w,
                                 const VectorView& y) override {
    ProgramFunctions::do_apply_jacobian_adjoint(x, w, y);
    if (mistake_ != Mistake::adjoint) return;
    const auto h = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), y);
    h(0) *= 1.01;
    Kokkos::deep_copy(y, h);
  }

 private:
  Mistake mistake_;
  SparsePattern jacobian_ = {{0, 0, 0, 1, 1}, {0, 1, 2, 0, 2}};
  SparsePattern hessian_ = {{0, 1, 2, 2, 2}, {0, 0, 0, 1, 2}};
};

DerivativeCheck checked(std::shared_ptr<ProgramFunctions> functions, std::vector<double> start,
                        double lower = -INFINITY) {
  const auto n = static_cast<std::size_t>(functions->num_variables());
  const auto m = static_cast<std::size_t>(functions->num_constraints());
  const Bounds variables{std::vector<double>(n, lower), std::vector<double>(n, INFINITY)};
  const Bounds constraints{std::vector<double>(m, 0.0), std::vector<double>(m, 0.0)};
  return check_derivatives(NonlinearProgram(functions, variables, constraints, start));
}

TEST(DerivativeCheck, RightDerivativesPass) {
  const DerivativeCheck check = checked(std::make_shared<Program>(Mistake::none), {1.2, -0.7, 0.4});
  EXPECT_TRUE(check.passed());
  EXPECT_EQ(check.num_skipped, 0);
  ASSERT_EQ(check.kinds.size(), 6U);
  // 3 points: every entry of 3, 2 x 3, 3 x 3, and the products.
  const std::int64_t counts[] = {9, 18, 27, 6, 3, 9};
  for (std::size_t k = 0; k < 6; ++k) {
    EXPECT_EQ(check.kinds[k].num_checked, counts[k]) << check.kinds[k].kind;
    EXPECT_LT(check.kinds[k].relative, 1e-8) << check.kinds[k].kind;
  }
}

TEST(DerivativeCheck, EachMistakeIsFoundWhereItIs) {
  const auto expect = [](Mistake mistake, const std::string& kind, const std::string& where,
                         double at_least) {
    const DerivativeCheck check = checked(std::make_shared<Program>(mistake), {1.2, -0.7, 0.4});
    EXPECT_FALSE(check.passed()) << kind;
    for (const DerivativeDefect& d : check.kinds) {
      if (d.kind != kind) continue;
      EXPECT_TRUE(where.empty() || d.where == where) << d.where;
      EXPECT_GE(d.relative, at_least) << kind;
      return;
    }
    FAIL() << kind;
  };
  expect(Mistake::gradient, "gradient", "x2", 0.5e-3);
  expect(Mistake::jacobian, "Jacobian", "length by x1", 0.5);
  expect(Mistake::missing_entry, "Jacobian", "length by x3", 0.5);
  expect(Mistake::product, "W v", "", 0.01);
  expect(Mistake::adjoint, "J' w", "<J' w, v> against <w, J v>", 1e-4);
  expect(Mistake::nan_gradient, "gradient", "x3", INFINITY);
  const DerivativeCheck check =
      checked(std::make_shared<Program>(Mistake::hessian), {1.2, -0.7, 0.4});
  ASSERT_FALSE(check.passed());
  EXPECT_TRUE(check.kinds[2].where == "x3, x2" || check.kinds[2].where == "x2, x3");
}

std::shared_ptr<ProgramFunctions> from_text(const std::string& objective) {
  auto formulas = std::make_shared<Formulas>(std::vector<std::string>{"a", "b"});
  const Index f = formulas->add(objective);
  return std::make_shared<FormulaFunctions>(formulas, f, std::vector<Index>{});
}

/// Started at the bound where the logarithm ends, points are moved away from it.
TEST(DerivativeCheck, StaysWithinBounds) {
  const DerivativeCheck check = checked(from_text("log(a) + sqrt(b)"), {0.0, 0.0}, 0.0);
  EXPECT_TRUE(check.passed());
  EXPECT_EQ(check.num_skipped, 0);
}

TEST(DerivativeCheck, FunctionsThatAreNotFiniteAreSkippedAndSaid) {
  const DerivativeCheck none = checked(from_text("log(a)*log(b)"), {-5.0, -5.0});
  EXPECT_FALSE(none.checked_any());
  // 3 points: gradient 2, Hessian 4, its product 2.
  EXPECT_EQ(none.num_skipped, 24);
  const DerivativeCheck some = checked(from_text("log(a) + b^2"), {-5.0, 0.0});
  EXPECT_TRUE(some.checked_any());
  EXPECT_GT(some.num_skipped, 0);
}

/// Strong curvature and cancellation make differences bad, and are no mistakes.
TEST(DerivativeCheck, RoughFunctionsAreNoFalseAlarm) {
  EXPECT_TRUE(checked(from_text("1e8 + sin(100*a)*exp(20*b)"), {0.3, 0.2}).passed());
  EXPECT_TRUE(checked(from_text("1/(a - 0.999) + 1e-9*b^2"), {1.0, 3.0}).passed());
}

}  // namespace
