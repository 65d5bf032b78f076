#include <gtest/gtest.h>

#include <libsolve/core/errors.hpp>
#include <libsolve/linear/matrix_entries.hpp>

#include "sundials_test_support.hpp"

namespace libsolve {
namespace {

using test::five_point;
using test::Heat;

/// max |A x - (shift x + sum of factor L x)| for x = the numbers 1, 2, ... mod 17.
double difference(const LinearOperator& A, double shift,
                  const std::vector<sun::OperatorTerm>& terms) {
  const Partition& rows = A.row_partition();
  std::vector<double> values;
  for (Index i = 0; i < rows.local_size(); ++i) values.push_back(i % 17 - 8.0);
  const Vector x = test::to_vector(values);
  const Vector ax("ax", rows), sum("sum", rows), lx("lx", rows);
  A.apply(x, ax);
  linear_combination(shift, x, 0.0, x, sum);
  for (const auto& t : terms) {
    t.L->apply(x, lx);
    axpy(t.factor, lx, sum);
  }
  axpy(-1.0, ax, sum);
  return norm_max(sum);
}

const StencilOperator* as_stencil(const std::shared_ptr<const LinearOperator>& A) {
  return dynamic_cast<const StencilOperator*>(A.get());
}

std::shared_ptr<const StencilOperator> variable_stencil(Index n) {
  Grid grid;
  grid.dimension = 2;
  grid.cells = {n, n, 1};
  const auto cells = static_cast<size_t>(n) * static_cast<size_t>(n);
  std::vector<double> face[2], excess;
  for (Index j = 0; j < n; ++j)
    for (Index i = 0; i < n; ++i) {
      face[0].push_back(i + 1 < n ? 1.0 + 0.1 * i : 0.0);
      face[1].push_back(j + 1 < n ? 2.0 + 0.1 * j : 0.0);
      excess.push_back(0.5);
    }
  StencilOperator::Variable v;
  for (int a = 0; a < 2; ++a) v.face[a] = test::to_vector(face[a]).view();
  v.excess = test::to_vector(excess).view();
  EXPECT_EQ(cells, excess.size());
  return std::make_shared<StencilOperator>(grid, v);
}

// ---- Sums ---------------------------------------------------------------------------------------

TEST(OperatorSum, ConstantStencilsStayNumbers) {
  const auto L = five_point(9, 0.1);
  const std::vector<sun::OperatorTerm> terms = {{0.01, L}};
  const auto A = sun::operator_sum(1.0, terms, L->row_partition());
  ASSERT_NE(as_stencil(A), nullptr);
  EXPECT_TRUE(as_stencil(A)->is_constant());
  EXPECT_EQ(A->memory_bytes(), 0.0);
  EXPECT_LT(difference(*A, 1.0, terms), 1e-12);
  const auto M = five_point(9, 0.2);
  const std::vector<sun::OperatorTerm> two = {{0.01, L}, {0.3, M}};
  const auto B = sun::operator_sum(0.5, two, L->row_partition());
  EXPECT_NE(as_stencil(B), nullptr);
  EXPECT_LT(difference(*B, 0.5, two), 1e-11);
}

TEST(OperatorSum, VariableStencilsStayStencils) {
  const auto L = variable_stencil(7);
  const std::vector<sun::OperatorTerm> terms = {{0.25, L}};
  const auto A = sun::operator_sum(2.0, terms, L->row_partition());
  ASSERT_NE(as_stencil(A), nullptr);
  EXPECT_FALSE(as_stencil(A)->is_constant());
  EXPECT_LT(difference(*A, 2.0, terms), 1e-12);
}

TEST(OperatorSum, WhatIsNoStencilIsSummedTermByTerm) {
  const auto L = five_point(4, 0.5);
  std::vector<MatrixEntry> entries;
  for (Index i = 0; i < 16; ++i) {
    entries.push_back({i, i, 2.0});
    entries.push_back({i, (i + 3) % 16, 1.0});
  }
  const std::shared_ptr<const CsrMatrix> M = make_csr_matrix(16, 16, entries);
  const Vector d("d", L->row_partition());
  const std::vector<std::vector<sun::OperatorTerm>> sums = {
      {}, {{-1.0, L}}, {{1.0, L}, {-2.0, M}}, {{1.0, M}, {0.5, variable_stencil(4)}, {1.0, L}}};
  for (const auto& terms : sums) {
    const auto A = sun::operator_sum(-0.5, terms, L->row_partition());
    EXPECT_EQ(as_stencil(A), nullptr);
    EXPECT_LT(difference(*A, -0.5, terms), 1e-12);
    EXPECT_FALSE(A->description().empty());
    ASSERT_TRUE(A->diagonal(d));
  }
  EXPECT_NEAR(test::to_host(d)[5], 2.0 - 0.5 + 0.5 * (4.0 * 1.0 + 0.5) + 16.0, 2.0);
  const auto symmetric = sun::operator_sum(1.0, sums[1], L->row_partition());
  EXPECT_TRUE(symmetric->is_symmetric());
  EXPECT_FALSE(sun::operator_sum(1.0, sums[2], L->row_partition())->is_symmetric());
}

TEST(OperatorSum, OneTermAloneIsThatOperator) {
  const auto L = five_point(4, 0.5);
  EXPECT_EQ(sun::operator_sum(0.0, {{1.0, L}}, L->row_partition()), L);
  EXPECT_THROW(sun::operator_sum(0.0, {{1.0, L}}, Partition(17)), ShapeError);
}

// ---- SUNMatrix ----------------------------------------------------------------------------------

class Matrix : public ::testing::Test {
 protected:
  Heat heat_{6};
  sun::Context context_;
  sun::MatrixPointer A_{sun::make_matrix(heat_.rows, context_)};

  double difference_from(SUNMatrix A, double shift, std::vector<sun::OperatorTerm> terms) {
    return difference(*sun::operator_of(A), shift, terms);
  }
};

TEST_F(Matrix, IsZeroAtFirst) {
  EXPECT_EQ(SUNMatGetID(A_.get()), SUNMATRIX_CUSTOM);
  EXPECT_TRUE(sun::is_matrix(A_.get()));
  EXPECT_EQ(difference_from(A_.get(), 0.0, {}), 0.0);
}

/// What CVODE does: copy J, then I - gamma J; again with another gamma.
TEST_F(Matrix, BecomesTheNewtonMatrixOfAnIntegrator) {
  sun::set_operator(A_.get(), heat_.L, -1.0);
  const sun::MatrixPointer J(SUNMatClone(A_.get()));
  ASSERT_NE(J, nullptr);
  ASSERT_EQ(SUNMatCopy(A_.get(), J.get()), 0);
  for (const double gamma : {0.1, 1e-4}) {
    ASSERT_EQ(SUNMatCopy(J.get(), A_.get()), 0);
    ASSERT_EQ(SUNMatScaleAddI(-gamma, A_.get()), 0);
    const auto N = sun::operator_of(A_.get());
    EXPECT_NE(as_stencil(N), nullptr) << "I + gamma L is a stencil that methods know";
    EXPECT_LT(difference_from(A_.get(), 1.0, {{gamma, heat_.L}}), 1e-11);
    EXPECT_EQ(sun::operator_of(A_.get()), N) << "the same object while A is the same";
  }
  ASSERT_EQ(SUNMatZero(A_.get()), 0);
  EXPECT_EQ(difference_from(A_.get(), 0.0, {}), 0.0);
  EXPECT_LT(difference_from(J.get(), 0.0, {{-1.0, heat_.L}}), 1e-12);
}

/// What ARKODE does with a mass matrix: A = -gamma J + M.
TEST_F(Matrix, AddsMatrices) {
  const auto M = five_point(6, 0.5);
  const sun::MatrixPointer mass(sun::make_matrix(heat_.rows, context_));
  sun::set_operator(mass.get(), M, 0.25, 3.0);
  sun::set_operator(A_.get(), heat_.L, -1.0);
  ASSERT_EQ(SUNMatScaleAdd(-0.1, A_.get(), mass.get()), 0);
  EXPECT_LT(difference_from(A_.get(), 3.0, {{0.1, heat_.L}, {0.25, M}}), 1e-11);
  ASSERT_EQ(SUNMatScaleAdd(2.0, A_.get(), A_.get()), 0)
      << "the same operators are added as numbers";
  EXPECT_LT(difference_from(A_.get(), 9.0, {{0.3, heat_.L}, {0.75, M}}), 1e-11);
}

TEST_F(Matrix, MultipliesVectors) {
  sun::set_operator(A_.get(), heat_.L, -1.0);
  ASSERT_EQ(SUNMatMatvecSetup(A_.get()), 0);
  const sun::NVectorPointer x(sun::make_nvector(heat_.mode, context_));
  const sun::NVectorPointer y(N_VClone(x.get()));
  ASSERT_EQ(SUNMatMatvec(A_.get(), x.get(), y.get()), 0);
  N_VLinearSum(1.0, y.get(), heat_.lambda, x.get(), y.get());
  EXPECT_LT(N_VMaxNorm(y.get()), 1e-10);
  const sun::NVectorPointer other(sun::make_nvector(Vector("v", Partition(5)), context_));
  EXPECT_LT(SUNMatMatvec(A_.get(), other.get(), y.get()), 0) << "wrong length";
}

}  // namespace
}  // namespace libsolve
