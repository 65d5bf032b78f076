// Each integrator of SUNDIALS takes its steps through our vectors, matrices and linear solvers.
#include <arkode/arkode_arkstep.h>
#include <cvode/cvode.h>
#include <gtest/gtest.h>
#include <ida/ida.h>
#include <kinsol/kinsol.h>
#include <sunlinsol/sunlinsol_spgmr.h>

#include "sundials_test_support.hpp"

namespace libsolve {
namespace {

using test::Heat;
using test::method;
using test::setting;

constexpr double end_time = 0.02;  // exp(-lambda end_time) = 0.67
constexpr double relative = 1e-6;
constexpr double absolute = 1e-10;
/// Integrators keep the error of a step, not that of the run, within their tolerance.
constexpr double global_error = 200.0 * relative;

/// Fails with a breakdown in the solves numbered `first` to `last`, and remembers the operators.
class FailingSolver final : public LinearSolver {
 public:
  FailingSolver(std::unique_ptr<LinearSolver> inner, int first, int last)
      : inner_(std::move(inner)), first_(first), last_(last) {}
  void setup(const LinearSystem& system) override { inner_->setup(system); }
  Report solve(LinearSystem& system, Monitor& monitor) override {
    ++num_solves;
    couplings.push_back(dynamic_cast<const StencilOperator&>(system.A()).constant().coupling[0]);
    if (num_solves < first_ || num_solves > last_) return inner_->solve(system, monitor);
    Report report;
    report.status = Status::breakdown;
    report.reason = "told to fail";
    return report;
  }
  using LinearSolver::solve;

  int num_solves = 0;
  std::vector<double> couplings;  ///< gamma / h^2 in each solve

 private:
  std::unique_ptr<LinearSolver> inner_;
  int first_, last_;
};

class Integrators : public ::testing::Test {
 protected:
  Heat heat_{24};
  sun::Context context_;
  Vector y_{"y", heat_.rows};
  sun::NVectorPointer y{sun::make_nvector(y_, context_)};
  sun::MatrixPointer A{sun::make_matrix(heat_.rows, context_)};

  void SetUp() override { copy(heat_.mode, y_); }
  sun::LinearSolverPointer make(const ComponentSpec& spec) {
    return sun::LinearSolverPointer(
        sun::make_linear_solver(sun::make_method(spec, setting()), y.get(), context_));
  }
};

/// J = -L, for CVODE and ARKODE.
int jacobian(sunrealtype, N_Vector, N_Vector, SUNMatrix J, void* user_data, N_Vector, N_Vector,
             N_Vector) {
  sun::set_operator(J, static_cast<const Heat*>(user_data)->L, -1.0);
  return 0;
}

// ---- CVODE --------------------------------------------------------------------------------------

struct Cvode {
  void* memory;
  Cvode(Heat& heat, N_Vector y, SUNLinearSolver S, SUNMatrix A, SUNContext context)
      : memory(CVodeCreate(CV_BDF, context)) {
    EXPECT_EQ(CVodeInit(memory, Heat::rhs, 0.0, y), 0);
    EXPECT_EQ(CVodeSStolerances(memory, relative, absolute), 0);
    EXPECT_EQ(CVodeSetUserData(memory, &heat), 0);
    EXPECT_EQ(CVodeSetLinearSolver(memory, S, A), 0);
    if (A != nullptr) CVodeSetJacFn(memory, jacobian);
    EXPECT_EQ(CVodeSetStopTime(memory, end_time), 0);
  }
  ~Cvode() { CVodeFree(&memory); }
  int run(N_Vector y) {
    sunrealtype t = 0.0;
    return CVode(memory, end_time, y, &t, CV_NORMAL);
  }
  long newton_iterations() const {
    long n = 0;
    CVodeGetNumNonlinSolvIters(memory, &n);
    return n;
  }
};

TEST_F(Integrators, CvodeWithAMatrix) {
  const auto S = make(method("flexible-cg", "multigrid"));
  Cvode cvode(heat_, y.get(), S.get(), A.get(), context_);
  ASSERT_GE(cvode.run(y.get()), 0) << sun::reason_of(S.get());
  EXPECT_LT(heat_.error(y_, end_time), global_error);
  long linear = 0;
  CVodeGetNumLinIters(cvode.memory, &linear);
  EXPECT_EQ(linear, sun::counts_of(S.get()).num_iterations);
  EXPECT_GT(linear, 0);
  EXPECT_LE(linear, 3 * cvode.newton_iterations());
  EXPECT_LT(sun::counts_of(S.get()).num_setups, cvode.newton_iterations());
  EXPECT_EQ(sun::counts_of(S.get()).num_failures, 0);
}

TEST_F(Integrators, CvodeWithoutAMatrix) {
  const sun::LinearSolverPointer S(sun::make_matrix_free_solver(
      sun::make_method(method("cg", "none"), setting()), y.get(), context_));
  Cvode cvode(heat_, y.get(), S.get(), nullptr, context_);
  ASSERT_GE(cvode.run(y.get()), 0) << sun::reason_of(S.get());
  EXPECT_LT(heat_.error(y_, end_time), global_error);
  EXPECT_GT(sun::counts_of(S.get()).num_iterations, 0);
}

TEST_F(Integrators, CvodeTakesASmallerStepWhereASolveFails) {
  // Twice: after the first failure CVODE tries once more with a Jacobian of this step.
  auto failing =
      std::make_unique<FailingSolver>(sun::make_method(method("cg", "jacobi"), setting()), 12, 13);
  const FailingSolver& log = *failing;
  const sun::LinearSolverPointer S(
      sun::make_linear_solver(std::move(failing), y.get(), context_));
  Cvode cvode(heat_, y.get(), S.get(), A.get(), context_);
  ASSERT_GE(cvode.run(y.get()), 0) << sun::reason_of(S.get());
  EXPECT_LT(heat_.error(y_, end_time), global_error) << "the failure costs steps, no accuracy";
  long failures = 0;
  CVodeGetNumLinConvFails(cvode.memory, &failures);
  EXPECT_EQ(failures, 2);
  EXPECT_EQ(sun::counts_of(S.get()).num_failures, 2);
  ASSERT_GT(log.num_solves, 14);
  // gamma is a fixed share of the step: cut to a quarter.
  EXPECT_NEAR(log.couplings[13] / log.couplings[12], 0.25, 1e-3);
}

TEST_F(Integrators, CvodeGivesUpWhereNoStepHelps) {
  // Multigrid on an operator that is no stencil.
  const auto S = make(method("flexible-cg", "multigrid"));
  Cvode cvode(heat_, y.get(), S.get(), A.get(), context_);
  const auto wrong = [](sunrealtype, N_Vector, N_Vector, SUNMatrix J, void* user_data, N_Vector,
                        N_Vector, N_Vector) {
    sun::set_operator(J, static_cast<const Heat*>(user_data)->L, 1e6);
    return 0;
  };
  ASSERT_EQ(CVodeSetJacFn(cvode.memory, wrong), 0);
  EXPECT_EQ(cvode.run(y.get()), CV_LSETUP_FAIL);
  EXPECT_NE(sun::reason_of(S.get()).find("multigrid"), std::string::npos);
}

struct HeatAndPreconditioner {
  Heat& heat;
  sun::ShiftedPreconditioner M;
  static int rhs(sunrealtype t, N_Vector y, N_Vector f, void* user_data) {
    return Heat::rhs(t, y, f, &static_cast<HeatAndPreconditioner*>(user_data)->heat);
  }
};

TEST_F(Integrators, CvodeWithItsOwnGmresAndOurPreconditioner) {
  HeatAndPreconditioner data{
      heat_, {setting().make<Preconditioner>(ComponentSpec("multigrid")), heat_.L, -1.0}};
  const sun::LinearSolverPointer S(SUNLinSol_SPGMR(y.get(), SUN_PREC_RIGHT, 5, context_));
  void* cvode = CVodeCreate(CV_BDF, context_);
  ASSERT_EQ(CVodeInit(cvode, HeatAndPreconditioner::rhs, 0.0, y.get()), 0);
  ASSERT_EQ(CVodeSStolerances(cvode, relative, absolute), 0);
  ASSERT_EQ(CVodeSetUserData(cvode, &data), 0);
  ASSERT_EQ(CVodeSetLinearSolver(cvode, S.get(), nullptr), 0);
  ASSERT_EQ(CVodeSetPreconditioner(cvode, sun::psetup<&HeatAndPreconditioner::M>,
                                   sun::psolve<&HeatAndPreconditioner::M>),
            0);
  sunrealtype t = 0.0;
  ASSERT_GE(CVode(cvode, end_time, y.get(), &t, CV_NORMAL), 0) << data.M.reason();
  EXPECT_LT(heat_.error(y_, t), global_error);
  long steps = 0, setups = 0;
  CVodeGetNumSteps(cvode, &steps);
  CVodeGetNumLinSolvSetups(cvode, &setups);
  EXPECT_GT(data.M.num_setups(), 0);
  EXPECT_LE(data.M.num_setups(), setups);
  EXPECT_LT(data.M.num_setups(), steps) << "anew only where gamma changed enough";
  CVodeFree(&cvode);
}

// ---- ARKODE -------------------------------------------------------------------------------------

TEST_F(Integrators, Arkode) {
  const auto S = make(method("flexible-cg", "multigrid"));
  void* arkode = ARKStepCreate(nullptr, Heat::rhs, 0.0, y.get(), context_);
  ASSERT_EQ(ARKStepSStolerances(arkode, relative, absolute), 0);
  ASSERT_EQ(ARKStepSetUserData(arkode, &heat_), 0);
  ASSERT_EQ(ARKStepSetLinearSolver(arkode, S.get(), A.get()), 0);
  ASSERT_EQ(ARKStepSetJacFn(arkode, jacobian), 0);
  ASSERT_EQ(ARKStepSetStopTime(arkode, end_time), 0);
  sunrealtype t = 0.0;
  ASSERT_GE(ARKStepEvolve(arkode, end_time, y.get(), &t, ARK_NORMAL), 0) << sun::reason_of(S.get());
  EXPECT_LT(heat_.error(y_, t), global_error);
  EXPECT_GT(sun::counts_of(S.get()).num_iterations, 0);
  ARKStepFree(&arkode);
}

/// 2 y' = 2 f: with the mass matrix 2 I, that is a SUNMatrix of numbers alone.
TEST_F(Integrators, ArkodeWithAMassMatrix) {
  const auto S = make(method("flexible-cg", "multigrid"));
  const auto S_mass = make(method("cg", "none"));
  const sun::MatrixPointer M(sun::make_matrix(heat_.rows, context_));
  const auto twice = [](sunrealtype time, N_Vector u, N_Vector f, void* user_data) {
    const int code = Heat::rhs(time, u, f, user_data);
    N_VScale(2.0, f, f);
    return code;
  };
  const auto twice_jacobian = [](sunrealtype, N_Vector, N_Vector, SUNMatrix J, void* user_data,
                                 N_Vector, N_Vector, N_Vector) {
    sun::set_operator(J, static_cast<const Heat*>(user_data)->L, -2.0);
    return 0;
  };
  const auto mass = [](sunrealtype, SUNMatrix matrix, void* user_data, N_Vector, N_Vector,
                       N_Vector) {
    sun::set_operator(matrix, static_cast<const Heat*>(user_data)->L, 0.0, 2.0);
    return 0;
  };
  void* arkode = ARKStepCreate(nullptr, twice, 0.0, y.get(), context_);
  ASSERT_EQ(ARKStepSStolerances(arkode, relative, absolute), 0);
  ASSERT_EQ(ARKStepSetUserData(arkode, &heat_), 0);
  ASSERT_EQ(ARKStepSetLinearSolver(arkode, S.get(), A.get()), 0);
  ASSERT_EQ(ARKStepSetJacFn(arkode, twice_jacobian), 0);
  ASSERT_EQ(ARKStepSetMassLinearSolver(arkode, S_mass.get(), M.get(), SUNFALSE), 0);
  ASSERT_EQ(ARKStepSetMassFn(arkode, mass), 0);
  ASSERT_EQ(ARKStepSetStopTime(arkode, end_time), 0);
  sunrealtype t = 0.0;
  ASSERT_GE(ARKStepEvolve(arkode, end_time, y.get(), &t, ARK_NORMAL), 0)
      << sun::reason_of(S.get()) << " " << sun::reason_of(S_mass.get());
  EXPECT_LT(heat_.error(y_, t), global_error);
  ARKStepFree(&arkode);
}

// ---- IDA ----------------------------------------------------------------------------------------

/// F(t, y, y') = y' + L y.
int residual(sunrealtype t, N_Vector y, N_Vector yp, N_Vector r, void* user_data) {
  const int code = Heat::rhs(t, y, r, user_data);
  N_VLinearSum(1.0, yp, -1.0, r, r);
  return code;
}

TEST_F(Integrators, Ida) {
  const auto S = make(method("flexible-cg", "multigrid"));
  const sun::NVectorPointer yp(N_VClone(y.get()));
  ASSERT_EQ(Heat::rhs(0.0, y.get(), yp.get(), &heat_), 0);
  // dF/dy + c_j dF/dy' = c_j I + L.
  const auto ida_jacobian = [](sunrealtype, sunrealtype c_j, N_Vector, N_Vector, N_Vector,
                               SUNMatrix J, void* user_data, N_Vector, N_Vector, N_Vector) {
    sun::set_operator(J, static_cast<const Heat*>(user_data)->L, 1.0, c_j);
    return 0;
  };
  void* ida = IDACreate(context_);
  ASSERT_EQ(IDAInit(ida, residual, 0.0, y.get(), yp.get()), 0);
  ASSERT_EQ(IDASStolerances(ida, relative, absolute), 0);
  ASSERT_EQ(IDASetUserData(ida, &heat_), 0);
  ASSERT_EQ(IDASetLinearSolver(ida, S.get(), A.get()), 0);
  ASSERT_EQ(IDASetJacFn(ida, ida_jacobian), 0);
  ASSERT_EQ(IDASetStopTime(ida, end_time), 0);
  sunrealtype t = 0.0;
  ASSERT_GE(IDASolve(ida, end_time, &t, y.get(), yp.get(), IDA_NORMAL), 0)
      << sun::reason_of(S.get());
  EXPECT_LT(heat_.error(y_, t), global_error);
  EXPECT_GT(sun::counts_of(S.get()).num_iterations, 0);
  IDAFree(&ida);
}

// ---- KINSOL -------------------------------------------------------------------------------------

/// L + diag(d), for the Jacobian of L u + u^3.
class PlusDiagonal final : public LinearOperator {
 public:
  PlusDiagonal(std::shared_ptr<const LinearOperator> L, Vector d) : L_(std::move(L)), d_(d) {}
  const Partition& row_partition() const override { return L_->row_partition(); }
  const Partition& column_partition() const override { return L_->column_partition(); }
  void apply(const Vector& x, const Vector& y) const override {
    const Vector dx = y.like("dx");
    multiply(d_, x, dx);
    L_->apply(x, y);
    axpy(1.0, dx, y);
  }
  bool diagonal(const Vector& d) const override {
    L_->diagonal(d);
    axpy(1.0, d_, d);
    return true;
  }
  bool is_symmetric() const override { return true; }
  std::string description() const override { return "L + diagonal"; }

 private:
  std::shared_ptr<const LinearOperator> L_;
  Vector d_;
};

/// F(u) = L u + 100 u^3 - (lambda m + 100 m^3), zero for u = m, the mode.
int cubic(N_Vector u, N_Vector f, void* user_data) {
  const auto& heat = *static_cast<const Heat*>(user_data);
  const Vector& x = sun::vector_of(u);
  const Vector& r = sun::vector_of(f);
  const Vector t = x.like("t");
  heat.L->apply(x, r);
  axpy(-heat.lambda, heat.mode, r);
  for (const auto& [v, factor] : {std::pair{x, 100.0}, std::pair{heat.mode, -100.0}}) {
    multiply(v, v, t);
    multiply(v, t, t);
    axpy(factor, t, r);
  }
  return 0;
}

TEST_F(Integrators, Kinsol) {
  const auto S = make(method("cg", "jacobi"));
  const auto cubic_jacobian = [](N_Vector u, N_Vector, SUNMatrix J, void* user_data, N_Vector,
                                 N_Vector) {
    const Vector d = sun::vector_of(u).like("d");
    multiply(sun::vector_of(u), sun::vector_of(u), d);
    scale(300.0, d);
    sun::set_operator(J, std::make_shared<PlusDiagonal>(static_cast<const Heat*>(user_data)->L, d));
    return 0;
  };
  const sun::NVectorPointer ones(N_VClone(y.get()));
  N_VConst(1.0, ones.get());
  void* kinsol = KINCreate(context_);
  ASSERT_EQ(KINInit(kinsol, cubic, y.get()), 0);
  ASSERT_EQ(KINSetUserData(kinsol, &heat_), 0);
  ASSERT_EQ(KINSetLinearSolver(kinsol, S.get(), A.get()), 0);
  ASSERT_EQ(KINSetJacFn(kinsol, cubic_jacobian), 0);
  ASSERT_EQ(KINSetFuncNormTol(kinsol, 1e-9), 0);
  N_VConst(0.5, y.get());
  ASSERT_GE(KINSol(kinsol, y.get(), KIN_LINESEARCH, ones.get(), ones.get()), 0)
      << sun::reason_of(S.get());
  EXPECT_LT(heat_.error(y_, 0.0), 1e-9);
  EXPECT_GT(sun::counts_of(S.get()).num_iterations, 0);
  KINFree(&kinsol);
}

}  // namespace
}  // namespace libsolve
