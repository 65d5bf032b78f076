#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/io/matrix_market.hpp>
#include <numbers>
#include <tests/support/matrices.hpp>
#include <tests/support/stored_state.hpp>
#include <tests/support/temporary_folder.hpp>

#include "beta.hpp"
#include "heat_sequence.hpp"
#include "matrix_sequence.hpp"
#include "shifted_sequence.hpp"

namespace {

using namespace libsolve;
using namespace sequences;
constexpr double pi = std::numbers::pi;

/// The matrix of an operator, column by column.
test::Dense dense(const LinearOperator& A) {
  const auto n = static_cast<Index>(A.num_rows());
  test::Dense D = test::zeros(n, n);
  for (Index j = 0; j < n; ++j) {
    std::vector<double> unit(static_cast<size_t>(n), 0.0);
    unit[j] = 1.0;
    const Vector x = test::to_vector(unit);
    const Vector y = x.like("test::y");
    A.apply(x, y);
    const auto column = test::to_host(y);
    for (Index i = 0; i < n; ++i) D[i][j] = column[i];
  }
  return D;
}

/// A = I + a L with a = dt kappa / (2 h^2) at the middle of the step, walls at the distance h.
TEST(HeatSequence, MatrixIsCrankNicolson) {
  HeatSequence sequence({.size = {3, 2}, .systems = 700}, {});
  for (int t = 0; t < 600; ++t) sequence.advance();
  const double kappa = -10.0 * std::sin(2.0 * pi * 600.5e-3);
  EXPECT_NEAR(sequence.context(), kappa, 1e-12);
  const double a = 0.5e-3 * kappa * 16.0;
  const double b = 0.5e-3 * kappa * 9.0;
  const test::Dense A = dense(sequence.current().A());
  for (Index i = 0; i < 6; ++i)
    for (Index j = 0; j < 6; ++j) {
      const int dx = std::abs(i % 3 - j % 3);
      const int dy = std::abs(i / 3 - j / 3);
      const double expected = i == j                   ? 1.0 + 2.0 * a + 2.0 * b
                              : dx + dy == 1 && dx == 1 ? -a
                              : dx + dy == 1            ? -b
                                                        : 0.0;
      EXPECT_NEAR(A[i][j], expected, 1e-12) << i << " " << j;
    }
}

/// b - A u = -dt kappa L u + dt f: with u = 0 only the source is left, and it is 0 outside its ball.
TEST(HeatSequence, FirstRightHandSideIsTheSource) {
  HeatSequence sequence({.size = {31, 31}}, {});
  const auto b = test::to_host(sequence.current().b());
  const double h = 1.0 / 32.0;
  const double angle = 16.0 * pi * 0.5e-3;
  double inside = 0.0;
  for (int j = 0; j < 31; ++j)
    for (int i = 0; i < 31; ++i) {
      const double r = std::hypot((i + 1) * h - 0.5 - 0.25 * std::cos(angle),
                                  (j + 1) * h - 0.5 - 0.25 * std::sin(angle));
      const double expected =
          r < 0.25 ? 1e-3 * std::exp(1.0 - 1.0 / (1.0 - 16.0 * r * r)) : 0.0;
      EXPECT_NEAR(b[static_cast<size_t>(i + 31 * j)], expected, 1e-15);
      inside += expected > 0.0 ? 1.0 : 0.0;
    }
  EXPECT_GT(inside, 100.0);
}

/// Warm start: the initial guess of a step is the solution of the one before.
TEST(HeatSequence, GuessIsTheSolutionBefore) {
  HeatSequence sequence({.size = {6, 5}}, {});
  test::assign(sequence.current().x(), std::vector<double>(30, 2.5));
  sequence.advance();
  EXPECT_EQ(test::to_host(sequence.current().x()), std::vector<double>(30, 2.5));
  EXPECT_EQ(test::to_host(sequence.solution().front().values), std::vector<double>(30, 2.5));
  EXPECT_GT(sequence.verify().front().value, 0.1);  // 2.5 was no solution, and that is kept in mind
}

TEST(HeatSequence, GoesOnFromItsState) {
  const HeatOptions options{.size = {6, 5}, .systems = 4};
  HeatSequence first(options, {});
  for (int t = 0; t < 2; ++t) {
    test::assign(first.current().x(), std::vector<double>(30, 1.0 + t));
    first.advance();
  }
  HeatSequence second(options, {});
  second.restore(test::MemoryState(first.state()), second);
  EXPECT_EQ(second.position(), 2);
  EXPECT_EQ(second.context(), first.context());
  EXPECT_EQ(test::to_host(second.current().b()), test::to_host(first.current().b()));
  EXPECT_EQ(test::to_host(second.current().x()), test::to_host(first.current().x()));
  EXPECT_EQ(second.verify().front().value, first.verify().front().value);
  HeatSequence shorter({.size = {6, 5}, .systems = 1}, {});
  EXPECT_THROW(shorter.restore(test::MemoryState(first.state()), shorter), DataError);
}

/// Means and variances of Beta(1/2, 3/2) and Beta(2, 6).
TEST(Beta, Moments) {
  const RandomStream stream(1, "test");
  for (const auto& [a, b] : {std::pair{0.5, 1.5}, std::pair{2.0, 6.0}}) {
    constexpr int n = 40000;
    double sum = 0.0, squares = 0.0;
    for (int i = 0; i < n; ++i) {
      const double x = beta_variate(stream, static_cast<std::uint64_t>(i), a, b);
      ASSERT_GE(x, 0.0);
      ASSERT_LE(x, 1.0);
      sum += x;
      squares += x * x;
    }
    const double mean = a / (a + b);
    const double variance = a * b / ((a + b) * (a + b) * (a + b + 1.0));
    // Five standard deviations of a mean of n numbers.
    EXPECT_NEAR(sum / n, mean, 5.0 * std::sqrt(variance / n));
    EXPECT_NEAR(squares / n - sum * sum / n / n, variance, 0.05 * variance);
  }
}

TEST(ShiftedSequence, IsTheShiftedLaplacian) {
  Context context;
  context.seed = 3;
  ShiftedSequence sequence({.size = {4, 3}, .systems = 30}, context);
  const auto [low, high] = *sequence.context_range();
  for (int t = 0; t < 30; ++t) {
    const double shift = sequence.context();
    EXPECT_GE(shift, low);
    EXPECT_LE(shift, high);
    const test::Dense A = dense(sequence.current().A());
    for (Index i = 0; i < 12; ++i)
      for (Index j = 0; j < 12; ++j) {
        const bool beside = std::abs(i % 4 - j % 4) + std::abs(i / 4 - j / 4) == 1;
        EXPECT_NEAR(A[i][j], i == j ? 4.0 + shift : beside ? -1.0 : 0.0, 1e-14);
      }
    for (const double b : test::to_host(sequence.current().b())) EXPECT_LE(std::abs(b), 2.0);
    EXPECT_EQ(test::to_host(sequence.current().x()), std::vector<double>(12, 0.0));
    sequence.advance();
  }
  EXPECT_EQ(sequence.position(), sequence.size());
}

TEST(ShiftedSequence, SameSeedSameSystems) {
  const ShiftedOptions options{.size = {5, 5}, .systems = 3};
  Context one, two;
  two.seed = 2;
  ShiftedSequence a(options, one), b(options, one), c(options, two);
  a.advance();
  b.advance();
  c.advance();
  EXPECT_EQ(a.context(), b.context());
  EXPECT_EQ(test::to_host(a.current().b()), test::to_host(b.current().b()));
  EXPECT_NE(a.context(), c.context());
  EXPECT_NE(test::to_host(a.current().b()), test::to_host(c.current().b()));
}

TEST(ShiftedSequence, ShiftsThatMakeItIndefiniteAreRefused) {
  Diagnostics problems;
  ShiftedOptions::check({.shift_low = -0.2}, "problem.", {}, problems);
  ASSERT_EQ(problems.problems().size(), 1U);
  EXPECT_NE(problems.problems()[0].message.find("not be positive definite"), std::string::npos);
}

TEST(MatrixSequence, TakesFilesInTurn) {
  const test::TemporaryFolder folder;
  write_matrix_market(folder.file("a.mtx"), *test::to_csr({{2.0, 1.0}, {1.0, 3.0}}));
  write_matrix_market(folder.file("b.mtx"), *test::to_csr({{5.0, 0.0}, {0.0, 6.0}}));
  Context context;
  context.base_folder = folder.path();
  MatrixSequence sequence({.matrices = {"a.mtx", "b.mtx"},
                           .right_hand_sides = {"ones"},
                           .contexts = {0.5, 0.7},
                           .systems = 3},
                          context);
  EXPECT_EQ(sequence.context(), 0.5);
  test::assign(sequence.current().x(), {7.0, 8.0});
  sequence.advance();
  EXPECT_EQ(sequence.context(), 0.7);
  EXPECT_EQ(dense(sequence.current().A())[1][1], 6.0);
  EXPECT_EQ(test::to_host(sequence.current().b()), (std::vector<double>{1.0, 1.0}));
  EXPECT_EQ(test::to_host(sequence.current().x()), (std::vector<double>{7.0, 8.0}));
  sequence.advance();
  EXPECT_EQ(sequence.context(), 0.5);
  EXPECT_EQ(dense(sequence.current().A())[0][1], 1.0);
}

}  // namespace
