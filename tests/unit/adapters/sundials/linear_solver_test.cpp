#include <gtest/gtest.h>
#include <nvector/nvector_serial.h>
#include <sunlinsol/sunlinsol_pcg.h>
#include <sunlinsol/sunlinsol_spgmr.h>

#include <atomic>
#include <cstdlib>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/tunable.hpp>
#include <new>

#include "sundials_test_support.hpp"

// ---- Every heap allocation of the process -------------------------------------------------------

namespace {
std::atomic<bool> is_counting{false};
std::atomic<int> num_new{0};
std::atomic<int> num_views{0};

void* counted(std::size_t bytes) {
  if (is_counting.load(std::memory_order_relaxed)) ++num_new;
  if (void* p = std::malloc(bytes != 0 ? bytes : 1)) return p;
  throw std::bad_alloc();
}
}  // namespace

void* operator new(std::size_t bytes) {
  return counted(bytes);
}
void* operator new[](std::size_t bytes) {
  return counted(bytes);
}
void operator delete(void* p) noexcept {
  std::free(p);
}
void operator delete[](void* p) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}
void operator delete[](void* p, std::size_t) noexcept {
  std::free(p);
}

namespace libsolve {
namespace {

using test::Heat;
using test::method;
using test::setting;

void count_view(Kokkos::Tools::SpaceHandle, const char*, const void*, std::uint64_t) {
  if (is_counting.load(std::memory_order_relaxed)) ++num_views;
}

struct Allocations {
  int news = 0;
  int views = 0;
};
template <class F>
Allocations allocations_in(const F& f) {
  num_new = 0;
  num_views = 0;
  is_counting = true;
  f();
  is_counting = false;
  return {num_new, num_views};
}

/// I + gamma L and what is needed to solve with it.
class Solver : public ::testing::Test {
 protected:
  Heat heat_{20};
  double gamma_ = 0.01;
  sun::Context context_;
  sun::MatrixPointer A_{sun::make_matrix(heat_.rows, context_)};
  Vector b_{"b", heat_.rows};
  sun::NVectorPointer b{sun::make_nvector(b_, context_)};
  sun::NVectorPointer x{N_VClone(b.get())};
  sun::NVectorPointer weights{N_VClone(b.get())};

  void SetUp() override {
    std::vector<double> rhs, w;
    for (Index i = 0; i < heat_.rows.local_size(); ++i) {
      rhs.push_back((i * 7919) % 101 / 50.0 - 1.0);
      w.push_back(i % 3 == 0 ? 1e4 : i % 3 == 1 ? 1.0 : 1e2);
    }
    test::assign(b_, rhs);
    test::assign(sun::vector_of(weights.get()), w);
    set_newton_matrix(gamma_);
  }
  void set_newton_matrix(double gamma) {
    sun::set_operator(A_.get(), heat_.L, -1.0);
    SUNMatScaleAddI(-gamma, A_.get());
  }
  sun::LinearSolverPointer make(const ComponentSpec& spec) {
    return sun::LinearSolverPointer(
        sun::make_linear_solver(sun::make_method(spec, setting()), b.get(), context_));
  }
  /// ||W (b - A x)||_2, from scratch.
  double weighted_residual(N_Vector w) {
    const sun::NVectorPointer r(N_VClone(b.get()));
    SUNMatMatvec(A_.get(), x.get(), r.get());
    N_VLinearSum(1.0, b.get(), -1.0, r.get(), r.get());
    if (w != nullptr) N_VProd(r.get(), w, r.get());
    return std::sqrt(N_VDotProd(r.get(), r.get()));
  }
};

TEST_F(Solver, SolvesToTheToleranceOfTheCall) {
  const auto S = make(method("cg", "jacobi"));
  EXPECT_EQ(SUNLinSolGetType(S.get()), SUNLINEARSOLVER_MATRIX_ITERATIVE);
  EXPECT_EQ(SUNLinSolGetID(S.get()), SUNLINEARSOLVER_CUSTOM);
  ASSERT_EQ(SUNLinSolInitialize(S.get()), 0);
  ASSERT_EQ(SUNLinSolSetup(S.get(), A_.get()), 0);
  int before = 0;
  for (const double tolerance : {1e-1, 1e-4, 1e-8}) {
    N_VConst(0.0, x.get());
    ASSERT_EQ(SUNLinSolSetZeroGuess(S.get(), SUNTRUE), 0);
    ASSERT_EQ(SUNLinSolSolve(S.get(), A_.get(), x.get(), b.get(), tolerance), 0)
        << sun::reason_of(S.get());
    EXPECT_LE(weighted_residual(nullptr), tolerance * (1 + 1e-6));
    EXPECT_NEAR(SUNLinSolResNorm(S.get()), weighted_residual(nullptr), 1e-3 * tolerance);
    EXPECT_GT(SUNLinSolNumIters(S.get()), before);
    before = SUNLinSolNumIters(S.get());
    EXPECT_EQ(SUNLinSolLastFlag(S.get()), 0);
  }
  EXPECT_EQ(sun::counts_of(S.get()).num_setups, 1);
  EXPECT_EQ(sun::counts_of(S.get()).num_solves, 3);
}

TEST_F(Solver, TheScalingVectorDecidesWhatIsMeasured) {
  for (const char* name : {"cg", "gmres", "bicgstab"}) {
    const auto S = make(method(name, "jacobi"));
    ASSERT_EQ(SUNLinSolSetScalingVectors(S.get(), weights.get(), weights.get()), 0);
    ASSERT_EQ(SUNLinSolSetup(S.get(), A_.get()), 0);
    for (const double tolerance : {1e2, 1.0, 1e-4}) {
      N_VConst(0.0, x.get());
      ASSERT_EQ(SUNLinSolSolve(S.get(), A_.get(), x.get(), b.get(), tolerance), 0)
          << sun::reason_of(S.get());
      EXPECT_LE(weighted_residual(weights.get()), tolerance * (1 + 1e-6)) << name;
    }
  }
}

TEST_F(Solver, AGuessIsUsedUnlessItIsAnnouncedAsZero) {
  const auto S = make(method("cg", "jacobi"));
  ASSERT_EQ(SUNLinSolSetup(S.get(), A_.get()), 0);
  ASSERT_EQ(SUNLinSolSolve(S.get(), A_.get(), x.get(), b.get(), 1e-8), 0);
  ASSERT_EQ(SUNLinSolSolve(S.get(), A_.get(), x.get(), b.get(), 1e-7), 0);
  EXPECT_EQ(SUNLinSolNumIters(S.get()), 0) << "the guess is the solution already";
  N_VConst(1e6, x.get());  // rubbish: what is announced counts
  SUNLinSolSetZeroGuess(S.get(), SUNTRUE);
  ASSERT_EQ(SUNLinSolSolve(S.get(), A_.get(), x.get(), b.get(), 1e-8), 0);
  EXPECT_LE(weighted_residual(nullptr), 1e-8 * (1 + 1e-6));
}

TEST_F(Solver, ASmallRightHandSideNeedsNoIteration) {
  const auto S = make(method("cg", "jacobi"));
  SUNLinSolSetZeroGuess(S.get(), SUNTRUE);
  ASSERT_EQ(SUNLinSolSolve(S.get(), A_.get(), x.get(), b.get(), 1e6), 0);
  EXPECT_EQ(SUNLinSolNumIters(S.get()), 0);
  EXPECT_EQ(N_VMaxNorm(x.get()), 0.0);
}

TEST_F(Solver, PreparesAnewOnlyWhereTheMatrixChanged) {
  const auto S = make(method("flexible-cg", "multigrid"));
  for (int i = 0; i < 3; ++i) ASSERT_EQ(SUNLinSolSetup(S.get(), A_.get()), 0);
  EXPECT_EQ(sun::counts_of(S.get()).num_setups, 1);
  set_newton_matrix(gamma_);
  ASSERT_EQ(SUNLinSolSetup(S.get(), A_.get()), 0);
  EXPECT_EQ(sun::counts_of(S.get()).num_setups, 1) << "the same gamma, the same J";
  set_newton_matrix(2.0 * gamma_);
  ASSERT_EQ(SUNLinSolSetup(S.get(), A_.get()), 0);
  EXPECT_EQ(sun::counts_of(S.get()).num_setups, 2);
  ASSERT_EQ(SUNLinSolSolve(S.get(), A_.get(), x.get(), b.get(), 1e-8), 0);
  EXPECT_LE(weighted_residual(nullptr), 1e-8 * (1 + 1e-6));
}

/// Keeps the contexts it was told, and divides by the diagonal.
class ContextRecorder final : public LinearSolver, public TakesContext {
 public:
  explicit ContextRecorder(std::vector<double>& contexts) : contexts_(contexts) {}
  void setup(const LinearSystem&) override {}
  Report solve(LinearSystem&, Monitor&) override { return {}; }
  void set_context(double context) override { contexts_.push_back(context); }

 private:
  std::vector<double>& contexts_;
};

/// A = I - gamma J with J = -L: the context is gamma.
TEST_F(Solver, TellsTheMethodGammaAsContext) {
  std::vector<double> contexts;
  const sun::LinearSolverPointer S(
      sun::make_linear_solver(std::make_unique<ContextRecorder>(contexts), b.get(), context_));
  for (const double gamma : {0.25, 0.125}) {
    sun::set_operator(A_.get(), heat_.L, -1.0);  // J
    ASSERT_EQ(SUNMatScaleAddI(-gamma, A_.get()), 0);
    EXPECT_EQ(sun::context_of(A_.get()), gamma);
    ASSERT_EQ(SUNLinSolSetup(S.get(), A_.get()), 0);
  }
  EXPECT_EQ(contexts, (std::vector<double>{0.25, 0.125}));
}

TEST_F(Solver, TakesVectorsOfSundials) {
  if (!Kokkos::SpaceAccessibility<Kokkos::HostSpace, MemSpace>::accessible) GTEST_SKIP();
  const auto S = make(method("cg", "jacobi"));
  const sun::NVectorPointer rhs(N_VNew_Serial(heat_.rows.global_size(), context_));
  const sun::NVectorPointer solution(N_VClone(rhs.get()));
  N_VConst(1.0, rhs.get());
  N_VConst(0.0, solution.get());
  ASSERT_EQ(SUNLinSolSolve(S.get(), A_.get(), solution.get(), rhs.get(), 1e-10), 0)
      << sun::reason_of(S.get());
  N_VConst(1.0, b.get());
  copy(sun::as_vector(solution.get(), heat_.rows), sun::vector_of(x.get()));
  EXPECT_LE(weighted_residual(nullptr), 1e-10 * (1 + 1e-6));
}

// ---- Failures -----------------------------------------------------------------------------------

TEST_F(Solver, RunningOutOfIterationsIsRecoverable) {
  ComponentSpec few = method("cg", "none");
  few.options.set("max_iterations", 2);
  const auto S = make(few);
  const int code = SUNLinSolSolve(S.get(), A_.get(), x.get(), b.get(), 1e-12);
  EXPECT_GT(code, 0);
  EXPECT_EQ(SUNLinSolLastFlag(S.get()), code);
  EXPECT_EQ(SUNLinSolNumIters(S.get()), 2);
  EXPECT_NE(sun::reason_of(S.get()).find("max_iterations"), std::string::npos)
      << sun::reason_of(S.get());
}

TEST_F(Solver, ABreakdownIsRecoverable) {
  sun::set_operator(A_.get(), heat_.L, -1.0);  // negative definite: nothing for cg
  const auto S = make(method("cg", "none"));
  EXPECT_EQ(SUNLinSolSolve(S.get(), A_.get(), x.get(), b.get(), 1e-8), SUNLS_PACKAGE_FAIL_REC);
  EXPECT_NE(sun::reason_of(S.get()).find("positive definite"), std::string::npos)
      << sun::reason_of(S.get());
}

TEST_F(Solver, NumbersThatAreNotFiniteAreRecoverable) {
  const auto S = make(method("cg", "jacobi"));
  N_VConst(std::numeric_limits<double>::quiet_NaN(), b.get());
  EXPECT_EQ(SUNLinSolSolve(S.get(), A_.get(), x.get(), b.get(), 1e-8), SUNLS_PACKAGE_FAIL_REC);
  EXPECT_FALSE(sun::reason_of(S.get()).empty());
}

TEST_F(Solver, WhatNoStepSizeCuresIsFatal) {
  sun::set_operator(A_.get(), heat_.L, -1.0);  // a sum, no stencil: nothing for multigrid
  const auto S = make(method("flexible-cg", "multigrid"));
  EXPECT_LT(SUNLinSolSetup(S.get(), A_.get()), 0);
  EXPECT_NE(sun::reason_of(S.get()).find("multigrid"), std::string::npos)
      << sun::reason_of(S.get());
  const sun::NVectorPointer wrong(sun::make_nvector(Vector("v", Partition(3)), context_));
  set_newton_matrix(gamma_);
  EXPECT_LT(SUNLinSolSolve(S.get(), A_.get(), wrong.get(), b.get(), 1e-8), 0);
  EXPECT_EQ(sun::counts_of(S.get()).num_failures, 2);
}

TEST_F(Solver, AnUnknownMethodOrOptionIsRefusedByName) {
  EXPECT_THROW(make(ComponentSpec("no-such-method")), Error);
  ComponentSpec wrong("cg");
  wrong.options.set("no_such_option", 1);
  EXPECT_THROW(make(wrong), InputError);
}

// ---- Without a matrix ---------------------------------------------------------------------------

struct Product {
  const LinearOperator* A = nullptr;
  int result = 0;
  static int apply(void* data, N_Vector v, N_Vector z) {
    const auto& p = *static_cast<Product*>(data);
    p.A->apply(sun::as_vector(v, p.A->row_partition()), sun::as_vector(z, p.A->row_partition()));
    return p.result;
  }
};

TEST_F(Solver, WorksOnTheProductOfTheIntegrator) {
  const sun::LinearSolverPointer S(sun::make_matrix_free_solver(
      sun::make_method(method("cg", "none"), setting()), b.get(), context_));
  EXPECT_EQ(SUNLinSolGetType(S.get()), SUNLINEARSOLVER_ITERATIVE);
  const auto A = sun::operator_of(A_.get());
  Product product{A.get()};
  ASSERT_EQ(SUNLinSolSetATimes(S.get(), &product, Product::apply), 0);
  ASSERT_EQ(SUNLinSolSetup(S.get(), nullptr), 0);
  ASSERT_EQ(SUNLinSolSolve(S.get(), nullptr, x.get(), b.get(), 1e-8), 0) << sun::reason_of(S.get());
  EXPECT_LE(weighted_residual(nullptr), 1e-8 * (1 + 1e-6));
  product.result = 1;
  EXPECT_EQ(SUNLinSolSolve(S.get(), nullptr, x.get(), b.get(), 1e-10), SUNLS_ATIMES_FAIL_REC);
  product.result = -1;
  EXPECT_LT(SUNLinSolSolve(S.get(), nullptr, x.get(), b.get(), 1e-10), 0);
}

// ---- Preconditioners for SUNDIALS' own methods --------------------------------------------------

struct Data {
  sun::ShiftedPreconditioner M;
};

TEST_F(Solver, PreconditionersServeTheMethodsOfSundials) {
  ComponentSpec symmetric("multigrid");
  symmetric.options.set("order", "symmetric");
  Data data{{setting().make<Preconditioner>(symmetric), heat_.L, -1.0}};
  sunbooleantype is_new = SUNFALSE;
  ASSERT_EQ((sun::psetup<&Data::M>(0.0, nullptr, nullptr, SUNFALSE, &is_new, gamma_, &data)), 0);
  EXPECT_EQ(is_new, SUNTRUE);
  ASSERT_EQ((sun::psetup<&Data::M>(0.0, nullptr, nullptr, SUNTRUE, &is_new, gamma_, &data)), 0);
  EXPECT_EQ(is_new, SUNFALSE);
  EXPECT_EQ(data.M.num_setups(), 1) << "the same gamma";
  const auto A = sun::operator_of(A_.get());
  Product product{A.get()};
  for (const bool pcg : {true, false}) {
    const sun::LinearSolverPointer S(pcg ? SUNLinSol_PCG(b.get(), SUN_PREC_RIGHT, 20, context_)
                                         : SUNLinSol_SPGMR(b.get(), SUN_PREC_RIGHT, 20, context_));
    const auto psolve = [](void* d, N_Vector r, N_Vector z, sunrealtype, int) {
      return static_cast<Data*>(d)->M.solve(r, z);
    };
    ASSERT_EQ(SUNLinSolSetATimes(S.get(), &product, Product::apply), 0);
    ASSERT_EQ(SUNLinSolSetPreconditioner(S.get(), &data, nullptr, psolve), 0);
    ASSERT_EQ(SUNLinSolInitialize(S.get()), 0);
    ASSERT_EQ(SUNLinSolSetup(S.get(), nullptr), 0);
    N_VConst(0.0, x.get());
    SUNLinSolSetZeroGuess(S.get(), SUNTRUE);
    ASSERT_EQ(SUNLinSolSolve(S.get(), nullptr, x.get(), b.get(), 1e-7), 0);
    EXPECT_LE(weighted_residual(nullptr), 1e-6);
    EXPECT_LE(SUNLinSolNumIters(S.get()), 10);
  }
  EXPECT_EQ(data.M.num_setups(), 1);
  EXPECT_GT(data.M.num_solves(), 2);
}

TEST_F(Solver, APreconditionerThatWasNotSetUpSaysSo) {
  sun::ShiftedPreconditioner M(setting().make<Preconditioner>(ComponentSpec("jacobi")), heat_.L);
  EXPECT_LT(M.solve(b.get(), x.get()), 0);
  EXPECT_NE(M.reason().find("psetup"), std::string::npos);
  ASSERT_EQ(M.setup(1.0, -gamma_), 0);
  EXPECT_EQ(M.solve(b.get(), x.get()), 0);
  N_VScale(1.0, b.get(), weights.get());
  ASSERT_EQ(M.solve_in_place(weights.get()), 0);
  N_VLinearSum(1.0, x.get(), -1.0, weights.get(), weights.get());
  EXPECT_EQ(N_VMaxNorm(weights.get()), 0.0);
}

// ---- Memory -------------------------------------------------------------------------------------

/// More rows than one chunk of work, so that kernels go through Kokkos.
TEST(SolverMemory, ASolveAllocatesNothing) {
  const Heat heat(90);
  const sun::Context context;
  const sun::MatrixPointer A(sun::make_matrix(heat.rows, context));
  sun::set_operator(A.get(), heat.L, 0.01, 1.0);
  const Vector rhs("b", heat.rows);
  fill(rhs, 1.0);
  const sun::NVectorPointer b(sun::make_nvector(rhs, context));
  const sun::NVectorPointer x(N_VClone(b.get()));
  const sun::NVectorPointer w(N_VClone(b.get()));
  N_VConst(100.0, w.get());
  for (const auto& spec :
       {method("cg", "none"), method("cg", "jacobi"), method("minres", "jacobi"),
        method("bicgstab", "jacobi"), method("gmres", "jacobi"), method("cg", "multigrid"),
        method("flexible-cg", "multigrid"), method("gmres", "multigrid")}) {
    const sun::LinearSolverPointer S(
        sun::make_linear_solver(sun::make_method(spec, setting()), b.get(), context));
    SUNLinSolSetScalingVectors(S.get(), w.get(), w.get());
    ASSERT_EQ(SUNLinSolSetup(S.get(), A.get()), 0);
    int code = -1;
    const auto solve = [&] {
      SUNLinSolSetZeroGuess(S.get(), SUNTRUE);
      code = SUNLinSolSolve(S.get(), A.get(), x.get(), b.get(), 1e-4);
    };
    solve();  // first use of thread-local scratch
    Allocations a = allocations_in(solve);
    Kokkos::Tools::Experimental::set_allocate_data_callback(count_view);
    a.views = allocations_in(solve).views;
    Kokkos::Tools::Experimental::set_allocate_data_callback(nullptr);
    const std::string name =
        spec.name + " with " + spec.options.find("preconditioner")->as_string();
    EXPECT_EQ(code, 0) << name << ": " << sun::reason_of(S.get());
    EXPECT_GT(SUNLinSolNumIters(S.get()), 0);
    EXPECT_EQ(a.views, 0) << name;
    EXPECT_EQ(a.news, 0) << name;
  }
}

TEST(SolverMemory, VectorOperationsAllocateNothing) {
  const sun::Context context;
  const sun::NVectorPointer x(sun::make_nvector(Vector("x", Partition(30000)), context));
  const sun::NVectorPointer y(N_VClone(x.get()));
  N_VConst(2.0, y.get());
  N_VConst(1.0, x.get());
  N_Vector vectors[] = {x.get(), y.get()};
  sunrealtype c[] = {0.5, 0.25};
  const auto work = [&] {
    N_VLinearSum(1.0, x.get(), 2.0, y.get(), y.get());
    N_VWrmsNorm(x.get(), y.get());
    N_VLinearCombination(2, c, vectors, x.get());
    N_VDotProdMulti(2, x.get(), vectors, c);
  };
  work();
  Allocations a = allocations_in(work);
  Kokkos::Tools::Experimental::set_allocate_data_callback(count_view);
  a.views = allocations_in(work).views;
  Kokkos::Tools::Experimental::set_allocate_data_callback(nullptr);
  EXPECT_EQ(a.views, 0);
  EXPECT_EQ(a.news, 0);
}

}  // namespace
}  // namespace libsolve
