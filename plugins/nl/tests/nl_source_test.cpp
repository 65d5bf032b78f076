#include "nl_source.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <libsolve/core/errors.hpp>
#include <libsolve/optimize/nonlinear_program.hpp>
#include <tests/support/temporary_folder.hpp>
#include <thread>

namespace {

using namespace libsolve;
using Numbers = std::vector<double>;

/// Hock, Schittkowski, problem 71: min x1 x4 (x1 + x2 + x3) + x3, x1 x2 x3 x4 >= 25,
/// x1^2 + x2^2 + x3^2 + x4^2 = 40, 1 <= x <= 5; start (1, 5, 5, 1).
const std::string hs71 =
    "g3 1 1 0\t# problem hs071\n 4 2 1 0 1\n 2 1\n 0 0\n 4 4 4\n 0 0 0 1\n 0 0 0 0 0\n 8 4\n 0 0\n"
    " 0 0 0 0 0\n"
    "C0\no2\no2\no2\nv0\nv1\nv2\nv3\n"
    "C1\no54\n4\no5\nv0\nn2\no5\nv1\nn2\no5\nv2\nn2\no5\nv3\nn2\n"
    "O0 0\no2\no2\nv0\nv3\no54\n3\nv0\nv1\nv2\n"
    "x4\n0 1\n1 5\n2 5\n3 1\nr\n2 25\n4 40\nb\n0 1 5\n0 1 5\n0 1 5\n0 1 5\nk3\n2\n4\n6\n"
    "J0 4\n0 0\n1 0\n2 0\n3 0\nJ1 4\n0 0\n1 0\n2 0\n3 0\nG0 4\n0 0\n1 0\n2 1\n3 0\n";

/// max log(x1) - x2 (the objective's number 2; number 1 is min x1) with the linear constraint
/// x1 + 3 x2 <= 4 (dual 0.25 given) and the free row exp(x1); x1 free, start (0.5, 0.25).
const std::string maximise =
    "g3 1 1 0\n 2 2 2 0 0\n 1 1\n 0 0\n 1 1 1\n 0 0 0 1\n 0 0 0 0 0\n 3 3\n 0 0\n 0 0 0 0 0\n"
    "C0\no44\nv0\nC1\nn0\nO0 0\nn0\nO1 1\no43\nv0\n"
    "d1\n1 0.25\nx2\n0 0.5\n1 0.25\nr\n3\n1 4\nb\n3\n2 0\nk1\n2\nJ0 1\n0 0\nJ1 2\n0 1\n1 3\n"
    "G0 1\n0 1\nG1 2\n0 0\n1 -1\n";

class NlSource : public testing::Test {
 protected:
  std::string write(const std::string& text, const std::string& name = "problem.nl") {
    std::ofstream(folder_.file(name), std::ios::binary) << text;
    return folder_.file(name);
  }
  static std::unique_ptr<NonlinearProgram> read(const std::string& path, int objective = 1) {
    nl::NlOptions options;
    options.file = path;
    options.objective = objective;
    auto problem = nl::NlSource(options, Context{}).create();
    return std::unique_ptr<NonlinearProgram>(dynamic_cast<NonlinearProgram*>(problem.release()));
  }
  /// What create() says to a text.
  std::string complaint(const std::string& text) {
    try {
      read(write(text));
    } catch (const Error& e) {
      return e.what();
    }
    return "nothing";
  }
  test::TemporaryFolder folder_;
};

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), with);
}

TEST_F(NlSource, HockSchittkowski71HasItsValuesAndDerivatives) {
  const auto p = read(write(hs71));
  ASSERT_EQ(p->num_variables(), 4);
  ASSERT_EQ(p->num_constraints(), 2);
  EXPECT_EQ(p->host_x(), Numbers({1, 5, 5, 1}));
  EXPECT_FALSE(p->has_multipliers);
  EXPECT_EQ(p->constraint_bounds().lower, Numbers({25, 40}));
  EXPECT_EQ(p->constraint_bounds().upper, Numbers({INFINITY, 40}));
  EXPECT_EQ(p->variable_bounds().upper, Numbers({5, 5, 5, 5}));

  const HostAccess at(p->functions());
  const Numbers x = {1, 5, 5, 1}, lambda = {2, -3};
  EXPECT_EQ(at.objective(x), 16);
  Numbers g(4), c(2);
  at.gradient(x, g);
  at.constraints(x, c);
  EXPECT_EQ(g, Numbers({12, 1, 2, 11}));
  EXPECT_EQ(c, Numbers({25, 52}));

  const SparsePattern& J = p->functions().jacobian_pattern();
  Numbers values(J.size());
  at.jacobian(x, values);
  const double expected[2][4] = {{25, 5, 5, 25}, {2, 10, 10, 2}};
  ASSERT_EQ(J.size(), 8U);
  for (std::size_t k = 0; k < J.size(); ++k)
    EXPECT_EQ(values[k], expected[J.rows[k]][J.columns[k]]) << J.rows[k] << " " << J.columns[k];

  // sigma f'' + lambda_1 c_1'' + lambda_2 c_2'', lower triangle.
  const SparsePattern& W = p->functions().hessian_pattern();
  Numbers entries(W.size());
  at.hessian(x, 0.5, lambda, entries);
  double sum[4][4] = {};
  for (std::size_t k = 0; k < W.size(); ++k) {
    ASSERT_GE(W.rows[k], W.columns[k]);
    sum[W.rows[k]][W.columns[k]] += entries[k];
  }
  const double lower[4][4] = {{0.5 * 2 - 6, 0, 0, 0},
                              {0.5 * 1 + 10, -6, 0, 0},
                              {0.5 * 1 + 10, 2, -6, 0},
                              {0.5 * 12 + 50, 0.5 * 1 + 10, 0.5 * 1 + 10, -6}};
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j <= i; ++j) EXPECT_NEAR(sum[i][j], lower[i][j], 1e-13) << i << " " << j;
}

TEST_F(NlSource, MaximisationIsStatedAsMinimisationWithItsDuals) {
  const auto p = read(write(maximise), 2);
  EXPECT_TRUE(p->is_maximisation);
  const HostAccess at(p->functions());
  Numbers g(2), values(p->functions().hessian_pattern().size());
  EXPECT_NEAR(at.objective(Numbers{0.5, 0.25}), -(std::log(0.5) - 0.25), 1e-15);
  at.gradient(Numbers{0.5, 0.25}, g);
  EXPECT_EQ(g, Numbers({-2, 1}));
  at.hessian(Numbers{0.5, 0.25}, 1.0, Numbers{0.0, 0.0}, values);
  double sum = 0.0;
  for (const double v : values) sum += v;
  EXPECT_NEAR(sum, 4.0, 1e-13);
  EXPECT_NEAR(p->verify().back().value, std::log(0.5) - 0.25, 1e-15);
  EXPECT_FALSE(p->functions().is_linear(0));
  EXPECT_TRUE(p->functions().is_linear(1));
  // d(max f)/d(bound) = 0.25 is our lambda: f = -log x1 + x2 falls by it.
  ASSERT_TRUE(p->has_multipliers);
  EXPECT_EQ(p->host_multipliers(), Numbers({0, 0.25}));
  EXPECT_EQ(p->variable_bounds().lower, Numbers({-INFINITY, 0}));
}

TEST_F(NlSource, DualsOfAMinimisationChangeTheirSign) {
  const auto p = read(write(replaced(hs71, "x4\n0 1", "d1\n1 0.125\nx4\n0 1")));
  ASSERT_TRUE(p->has_multipliers);
  EXPECT_EQ(p->host_multipliers(), Numbers({0, -0.125}));
  // x = (1, 5, 5, 1): g - 0.125 (2, 10, 10, 2) = (11.75, -0.25, 0.75, 10.75); x3 = 5 cannot carry
  // a multiplier of its lower bound.
  EXPECT_EQ(p->host_bound_multipliers(), Numbers({-11.75, 0.25, 0, -10.75}));
}

TEST_F(NlSource, WithoutAnObjectiveFIsZero) {
  const auto p = read(write(hs71), 0);
  const HostAccess at(p->functions());
  Numbers g(4, 7.0), values(p->functions().hessian_pattern().size());
  EXPECT_EQ(at.objective(Numbers{1, 5, 5, 1}), 0.0);
  at.gradient(Numbers{1, 5, 5, 1}, g);
  EXPECT_EQ(g, Numbers({0, 0, 0, 0}));
  at.hessian(Numbers{1, 5, 5, 1}, 1.0, Numbers{0, 1}, values);
  double sum = 0.0;
  for (const double v : values) sum += v;
  EXPECT_EQ(sum, 8.0);
  EXPECT_THROW(read(write(hs71), 2), InputError);
}

TEST_F(NlSource, NamesComeFromTheFilesBeside) {
  const std::string path = write(hs71);
  EXPECT_TRUE(read(path)->functions().variable_names().empty());
  write("a\nb\nc\nd\n", "problem.col");
  write("product\nsphere\ncost\n", "problem.row");
  const auto p = read(path);
  EXPECT_EQ(p->functions().variable_names(), (std::vector<std::string>{"a", "b", "c", "d"}));
  EXPECT_EQ(p->functions().constraint_names(), (std::vector<std::string>{"product", "sphere"}));
}

TEST_F(NlSource, WhatCannotBeEvaluatedIsNaNAndTheNextPointIsFine) {
  const auto p = read(write(maximise), 2);
  const HostAccess at(p->functions());
  for (const double bad : {-1.0, 0.0, double(NAN)}) {
    const Numbers x = {bad, 0.25};
    Numbers g(2), values(p->functions().hessian_pattern().size());
    EXPECT_FALSE(std::isfinite(at.objective(x))) << bad;
    at.gradient(x, g);
    EXPECT_TRUE(std::isnan(g[0])) << bad;
    at.hessian(x, 1.0, Numbers{0, 0}, values);
    EXPECT_TRUE(std::isnan(values[0])) << bad;
  }
  Numbers c(2), J(p->functions().jacobian_pattern().size());
  at.constraints(Numbers{1e4, 1.0}, c);
  EXPECT_FALSE(std::isfinite(c[0])) << "exp(1e4)";
  at.jacobian(Numbers{1e4, 1.0}, J);
  EXPECT_FALSE(std::isfinite(J[0]));
  Numbers g(2);
  at.gradient(Numbers{0.5, 0.25}, g);
  EXPECT_EQ(g, Numbers({-2, 1}));
}

/// The Hessian belongs to its x whatever was evaluated elsewhere before.
TEST_F(NlSource, CallsInAnyOrderAgree) {
  const auto p = read(write(hs71));
  const HostAccess at(p->functions());
  const Numbers x = {1, 2, 3, 4}, y = {2, 1, 5, 1}, lambda = {1, 1};
  const auto hessian = [&](const Numbers& point) {
    Numbers values(p->functions().hessian_pattern().size());
    at.hessian(point, 1.0, lambda, values);
    return values;
  };
  const Numbers there = hessian(x);
  Numbers c(2), g(4), J(8);
  at.objective(x);
  at.constraints(x, c);
  at.objective(y);
  EXPECT_EQ(hessian(x), there);
  at.jacobian(y, J);
  at.gradient(x, g);
  EXPECT_EQ(hessian(x), there);
  EXPECT_NE(hessian(y), there);
}

/// AMPL's library has one current problem; here several are worked with at once.
TEST_F(NlSource, ProblemsDoNotDisturbEachOther) {
  const auto p = read(write(hs71, "a.nl")), q = read(write(maximise, "b.nl"), 2);
  bool good[2] = {true, true};
  const auto work = [](NonlinearProgram& program, const Numbers& x, bool& same) {
    const HostAccess at(program.functions());
    const auto m = static_cast<std::size_t>(program.num_constraints());
    Numbers first(program.functions().hessian_pattern().size()), again(first.size());
    const double f = at.objective(x);
    at.hessian(x, 1.0, Numbers(m, 1.0), first);
    for (int k = 0; k < 2000; ++k) {
      Numbers other = x;
      other[0] += 0.1 * k;
      at.objective(other);
      at.hessian(x, 1.0, Numbers(m, 1.0), again);
      same = same && at.objective(x) == f && first == again;
    }
  };
  std::thread one([&] { work(*p, {1, 2, 3, 4}, good[0]); });
  std::thread two([&] { work(*q, {0.5, 0.25}, good[1]); });
  one.join();
  two.join();
  EXPECT_TRUE(good[0]);
  EXPECT_TRUE(good[1]);
}

TEST_F(NlSource, RefusesWhatIsNoSmoothProgram) {
  EXPECT_NE(complaint(replaced(hs71, " 0 0 0 0 0\n 8 4", " 1 2 0 0 0\n 8 4")).find("3 integer"),
            std::string::npos);
  EXPECT_NE(complaint(replaced(hs71, "\n 2 1\n", "\n 2 1 1 0\n")).find("complementarity"),
            std::string::npos);
  EXPECT_NE(complaint(replaced(hs71, " 4 2 1 0 1\n", " 4 2 1 0 1 1\n")).find("logical"),
            std::string::npos);
}

TEST_F(NlSource, BrokenFilesAreRefusedWithFileAndLine) {
  const auto expect = [&](const std::string& what, const std::string& with,
                          const std::string& says) {
    const std::string text = complaint(replaced(hs71, what, with));
    EXPECT_NE(text.find("problem.nl"), std::string::npos) << text;
    EXPECT_NE(text.find(says), std::string::npos) << text;
  };
  expect("g3", "x3", "problem.nl:1: ");
  expect(" 4 2 1 0 1\n", " 4 two 1 0 1\n", "problem.nl:2: ");
  expect(" 8 4\n", " 9 4\n", "Jacobian");
  expect("v1\nv2\nv3\nC1", "v1\nv2\nC1", "problem.nl:18: ");
  expect("v3\nC1", "v4\nC1", "variable 4");
  expect("o54\n4", "o99\n4", "operator 99");
  expect("J1 4", "J0 4", "twice");
  expect("0 0\n1 0\n2 0\n3 0\nJ1", "0 0\n1 0\n2 0\n7 0\nJ1", "variable 7");
  expect("x4\n0 1", "x5\n0 1", "5 values");
  expect("r\n2 25\n4 40\n", "", "segment r");
  expect("J0 4", "k3\n2\n4\n6\nJ0 4", "twice");
  expect(" 4 2 1 0 1\n", " 4 2 1 0 2147483647\n", "problem.nl:2: ");
  std::string minuses;
  for (int k = 0; k < 30000; ++k) minuses += "o16\n";
  expect("o54\n4", minuses + "o54\n4", "nested deeper");
  expect("k3\n2\n4\n6\n", "k3\n2\n4\n5\n", "column 2");
  expect("J0 4\n0 0\n1 0\n2 0\n3 0\n", "J0 3\n0 0\n1 0\n2 0\n", "entries");
  expect("b\n0 1 5", "b\n7 1 5", "kind 7");
}

/// Cut anywhere, the file is refused (or whole: the last segment is not needed).
TEST_F(NlSource, EveryBeginningOfAFileIsRefused) {
  const std::size_t without_gradient = hs71.find("G0 4");
  for (std::size_t size = 0; size < without_gradient - 1; size += 3)
    EXPECT_NE(complaint(hs71.substr(0, size)).find("problem.nl"), std::string::npos) << size;
}

}  // namespace
