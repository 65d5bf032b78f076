#include <petscksp.h>

#include <algorithm>
#include <chrono>
#include <libsolve/adapters/petsc/detail/matrix.hpp>
#include <libsolve/adapters/petsc/detail/tao.hpp>
#include <libsolve/adapters/petsc/detail/tao_program.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/optimize/program_solver.hpp>
#include <libsolve/pde/parameter_estimation.hpp>
#include <limits>

namespace libsolve::petsc::detail {

namespace {

using OwnedVec = Owned<Vec, VecDestroy>;
using OwnedMat = Owned<Mat, MatDestroy>;
using OwnedIs = Owned<IS, ISDestroy>;
using OwnedKsp = Owned<KSP, KSPDestroy>;
using OwnedTao = Owned<Tao, TaoDestroy>;

template <class Body>
PetscErrorCode guarded(const Body& body) {
  try {
    return body();
  } catch (...) {
    return ErrorScope::keep_exception();
  }
}

/// out = f(in) with Vectors over PETSc's arrays.
template <class Function>
PetscErrorCode through(BorrowedVector& in, BorrowedVector& out, Vec x, Vec y, const Function& f) {
  const PetscScalar* from = nullptr;
  PetscScalar* to = nullptr;
  PetscErrorCode code = VecGetArrayRead(x, &from);
  if (code != PETSC_SUCCESS) return code;
  code = VecGetArrayWrite(y, &to);
  if (code != PETSC_SUCCESS) return code;
  try {
    const Vector source = in.read(from), target = out.write(to);
    f(source, target);
    out.publish(to);
  } catch (...) {
    code = ErrorScope::keep_exception();
  }
  (void)VecRestoreArrayWrite(y, &to);
  (void)VecRestoreArrayRead(x, &from);
  return code;
}

/// One solve.
class LclSolve {
 public:
  LclSolve(const LclSettings& settings, NonlinearProgram& problem, Monitor& monitor,
           const ParameterEstimation& structure)
      : settings_(settings),
        problem_(problem),
        monitor_(monitor),
        functions_(structure.num_sources()),
        A_(structure.make_diffusion()),
        n_(A_.num_cells()),
        num_states_(problem.num_constraints()),
        num_variables_(problem.num_variables()),
        in_all_(Partition(num_variables_)),
        out_all_(Partition(num_variables_)),
        in_states_(Partition(num_states_)),
        out_states_(Partition(num_states_)),
        in_cells_(Partition(n_)),
        out_cells_(Partition(n_)),
        states_("tao_lcl::states", Partition(num_states_)),
        parameter_("tao_lcl::parameter", Partition(n_)),
        options_(settings.options, settings.asker) {}

  Report run() {
    using Clock = std::chrono::steady_clock;
    const auto seconds = [](Clock::time_point from) {
      return std::chrono::duration<double>(Clock::now() - from).count();
    };
    const EvaluationCounts before = problem_.functions().counts();
    const ErrorScope scope(settings_.asker);
    monitor_.begin_phase("setup");
    const auto begin = Clock::now();
    create();
    const double setup_seconds = seconds(begin);
    monitor_.begin_phase("solve");
    const auto solve_begin = Clock::now();
    Report report;
    try {
      scope.check(TaoSolve(tao_.object));
      options_.require_all_used({});
    } catch (const BackendError& e) {
      stopped_by_ = e.what();
    } catch (const NumericalError& e) {
      stopped_by_ = e.what();
    }
    report.seconds = {{"setup", setup_seconds, "s"}, {"solve", seconds(solve_begin), "s"}};
    describe(report);
    report.counts = {{"state_solves", static_cast<double>(forward_)},
                     {"adjoint_solves", static_cast<double>(adjoint_)},
                     {"linear_pde_solves", static_cast<double>(forward_ + adjoint_)},
                     {"krylov_iterations", static_cast<double>(krylov_)},
                     {"setups", static_cast<double>(setups_)}};
    take_solution(scope);
    add_evaluation_counts(problem_.functions().counts(), before, report);
    return report;
  }

 private:
  static void make_vector(const ErrorScope& scope, Index n, OwnedVec& v) {
    scope.check(VecCreateSeq(PETSC_COMM_SELF, static_cast<PetscInt>(n), &v.object));
    scope.check(VecSet(v.object, 0.0));
  }
  template <class Function>
  void make_shell(const ErrorScope& scope, Index rows, Index columns, Function multiply,
                  Function transposed, OwnedMat& shell) {
    scope.check(MatCreateShell(PETSC_COMM_SELF, static_cast<PetscInt>(rows),
                               static_cast<PetscInt>(columns), static_cast<PetscInt>(rows),
                               static_cast<PetscInt>(columns), this, &shell.object));
    scope.check(MatShellSetOperation(shell.object, MATOP_MULT, LIBSOLVE_PETSC_FUNCTION(multiply)));
    scope.check(MatShellSetOperation(shell.object, MATOP_MULT_TRANSPOSE,
                                     LIBSOLVE_PETSC_FUNCTION(transposed)));
  }

  void create() {
    const ErrorScope scope(settings_.asker + ": setting up");
    make_vector(scope, num_variables_, x_);
    make_vector(scope, num_variables_, gradient_);
    make_vector(scope, num_states_, constraints_);
    make_vector(scope, n_, b_);
    make_vector(scope, n_, y_);
    PetscScalar* to = nullptr;
    scope.check(VecGetArray(x_.object, &to));
    std::ranges::copy(problem_.host_x(), to);
    scope.check(VecRestoreArray(x_.object, &to));
    make_shell(scope, num_states_, num_states_, multiply_state, multiply_state, state_);
    make_shell(scope, num_states_, num_states_, solve_forward, solve_adjoint, inverse_);
    make_shell(scope, num_states_, n_, multiply_design, multiply_design_transposed, design_);
    make_shell(scope, n_, n_, multiply_block, multiply_block, block_);
    scope.check(ISCreateStride(PETSC_COMM_SELF, static_cast<PetscInt>(num_states_), 0, 1,
                               &state_places_.object));
    scope.check(ISCreateStride(PETSC_COMM_SELF, static_cast<PetscInt>(n_),
                               static_cast<PetscInt>(num_states_), 1, &design_places_.object));
    scope.check(KSPCreate(PETSC_COMM_SELF, &ksp_.object));
    scope.check(KSPSetOptionsPrefix(ksp_.object, options_.prefix().c_str()));
    // What TAO's example has in effect: its first solve sets it, and later ones keep it. At 1e-5,
    // PETSc's default, LCL's line searches fail and it runs to its limit.
    scope.check(KSPSetTolerances(ksp_.object, 1e-8, PETSC_DEFAULT, PETSC_DEFAULT, PETSC_DEFAULT));
    scope.check(KSPSetFromOptions(ksp_.object));

    scope.check(TaoCreate(PETSC_COMM_SELF, &tao_.object));
    Tao tao = tao_.object;
    scope.check(TaoSetType(tao, TAOLCL));
    scope.check(TaoSetOptionsPrefix(tao, options_.prefix().c_str()));
    scope.check(TaoSetSolution(tao, x_.object));
    scope.check(TaoSetObjective(tao, objective, this));
    scope.check(TaoSetGradient(tao, gradient_.object, gradient, this));
    scope.check(TaoSetObjectiveAndGradient(tao, gradient_.object, objective_and_gradient, this));
    scope.check(TaoSetConstraintsRoutine(tao, constraints_.object, constraints, this));
    scope.check(TaoSetJacobianStateRoutine(tao, state_.object, state_.object, inverse_.object,
                                           jacobian_state, this));
    scope.check(TaoSetJacobianDesignRoutine(tao, design_.object, jacobian_design, this));
    scope.check(TaoSetStateDesignIS(tao, state_places_.object, design_places_.object));
    scope.check(TaoSetMaximumIterations(
        tao, static_cast<PetscInt>(std::min<std::int64_t>(settings_.max_iterations,
                                                          std::numeric_limits<PetscInt>::max()))));
    if (settings_.tolerance > 0.0) {
      scope.check(TaoSetTolerances(tao, settings_.tolerance, 0.0, settings_.tolerance));
      scope.check(TaoSetConstraintTolerances(tao, settings_.tolerance, 0.0));
    }
    scope.check(TaoSetFromOptions(tao));
    scope.check(TaoSetMonitor(tao, monitor_step, this, nullptr));
  }

  /// states_, parameter_, A(m) and the KSP's matrix at x; what has been there stays.
  void move_to(Vec x) {
    const PetscScalar* at = nullptr;
    const ErrorScope scope(settings_.asker);
    scope.check(VecGetArrayRead(x, &at));
    const Vector all = in_all_.read(at);
    const auto states = static_cast<std::size_t>(num_states_);
    Kokkos::deep_copy(states_.view(),
                      Kokkos::subview(all.view(), std::make_pair(std::size_t(0), states)));
    Kokkos::deep_copy(parameter_.view(),
                      Kokkos::subview(all.view(), std::make_pair(states, all.view().extent(0))));
    scope.check(VecRestoreArrayRead(x, &at));
    A_.set_parameter(parameter_.view());
    matrix_.create(A_.stencil()->assemble(), {}, true);
    ++setups_;
  }

  // ---- callbacks --------------------------------------------------------------------------------

  static LclSolve& self(void* context) { return *static_cast<LclSolve*>(context); }
  static LclSolve& of(Mat shell) {
    void* context = nullptr;
    (void)MatShellGetContext(shell, &context);
    return self(context);
  }

  static PetscErrorCode objective(Tao, Vec x, PetscReal* f, void* context) {
    return guarded([&] {
      LclSolve& s = self(context);
      const PetscScalar* at = nullptr;
      const PetscErrorCode code = VecGetArrayRead(x, &at);
      if (code != PETSC_SUCCESS) return code;
      *f = s.problem_.functions().objective(s.in_all_.read(at).view());
      return VecRestoreArrayRead(x, &at);
    });
  }
  static PetscErrorCode gradient(Tao, Vec x, Vec g, void* context) {
    LclSolve& s = self(context);
    return through(s.in_all_, s.out_all_, x, g, [&](const Vector& from, const Vector& to) {
      s.problem_.functions().gradient(from.view(), to.view());
    });
  }
  static PetscErrorCode objective_and_gradient(Tao tao, Vec x, PetscReal* f, Vec g, void* context) {
    const PetscErrorCode code = objective(tao, x, f, context);
    return code != PETSC_SUCCESS ? code : gradient(tao, x, g, context);
  }
  static PetscErrorCode constraints(Tao, Vec x, Vec c, void* context) {
    LclSolve& s = self(context);
    return through(s.in_all_, s.out_states_, x, c, [&](const Vector& from, const Vector& to) {
      s.problem_.functions().constraints(from.view(), to.view());
    });
  }
  static PetscErrorCode jacobian_state(Tao, Vec x, Mat, Mat, Mat, void* context) {
    return guarded([&] {
      self(context).move_to(x);
      return static_cast<PetscErrorCode>(PETSC_SUCCESS);
    });
  }
  /// A and the states are those of jacobian_state, which TAO asks for first.
  static PetscErrorCode jacobian_design(Tao, Vec, Mat, void*) { return PETSC_SUCCESS; }

  static PetscErrorCode multiply_state(Mat shell, Vec x, Vec y) {
    LclSolve& s = of(shell);
    return through(s.in_states_, s.out_states_, x, y, [&](const Vector& from, const Vector& to) {
      s.A_.apply(from.view(), to.view());
    });
  }
  static PetscErrorCode multiply_block(Mat shell, Vec x, Vec y) {
    LclSolve& s = of(shell);
    return through(s.in_cells_, s.out_cells_, x, y, [&](const Vector& from, const Vector& to) {
      s.A_.apply(from.view(), to.view());
    });
  }
  static PetscErrorCode multiply_design(Mat shell, Vec x, Vec y) {
    LclSolve& s = of(shell);
    return through(s.in_cells_, s.out_states_, x, y, [&](const Vector& from, const Vector& to) {
      s.A_.apply_derivative(from.view(), s.states_.view(), to.view());
    });
  }
  static PetscErrorCode multiply_design_transposed(Mat shell, Vec x, Vec y) {
    LclSolve& s = of(shell);
    return through(s.in_states_, s.out_cells_, x, y, [&](const Vector& from, const Vector& to) {
      s.A_.gradient(s.states_.view(), from.view(), to.view());
    });
  }
  static PetscErrorCode solve_forward(Mat shell, Vec x, Vec y) {
    of(shell).forward_ += of(shell).functions_;
    return of(shell).solve_all(x, y);
  }
  static PetscErrorCode solve_adjoint(Mat shell, Vec x, Vec y) {
    of(shell).adjoint_ += of(shell).functions_;
    return of(shell).solve_all(x, y);
  }
  PetscErrorCode solve_all(Vec x, Vec y) {
    return guarded([&] {
      const ErrorScope scope(settings_.asker + ": solving for states");
      scope.check(KSPSetOperators(ksp_.object, block_.object, matrix_.mat()));
      const PetscScalar* from = nullptr;
      PetscScalar* to = nullptr;
      scope.check(VecGetArrayRead(x, &from));
      scope.check(VecGetArrayWrite(y, &to));
      for (int s = 0; s < functions_; ++s) {
        const auto begin = static_cast<std::ptrdiff_t>(s) * n_;
        PetscScalar* b = nullptr;
        const PetscScalar* solved = nullptr;
        scope.check(VecGetArrayWrite(b_.object, &b));
        std::copy(from + begin, from + begin + n_, b);
        scope.check(VecRestoreArrayWrite(b_.object, &b));
        scope.check(KSPSolve(ksp_.object, b_.object, y_.object));
        PetscInt steps = 0;
        scope.check(KSPGetIterationNumber(ksp_.object, &steps));
        krylov_ += steps;
        scope.check(VecGetArrayRead(y_.object, &solved));
        std::copy(solved, solved + n_, to + begin);
        scope.check(VecRestoreArrayRead(y_.object, &solved));
      }
      scope.check(VecRestoreArrayWrite(y, &to));
      scope.check(VecRestoreArrayRead(x, &from));
      return static_cast<PetscErrorCode>(PETSC_SUCCESS);
    });
  }
  static PetscErrorCode monitor_step(Tao tao, void* context) {
    return guarded([&] {
      LclSolve& s = self(context);
      PetscInt iteration = 0;
      PetscReal f = 0.0, norm = 0.0, violation = 0.0;
      (void)TaoGetSolutionStatus(tao, &iteration, &f, &norm, &violation, nullptr, nullptr);
      s.iterations_ = iteration;
      const Sample samples[] = {{"gradient_norm", norm},
                                {"objective", f},
                                {"constraint_violation", violation}};
      s.verdict_ = s.monitor_.observe(iteration, samples);
      return s.verdict_ == Verdict::proceed
                 ? static_cast<PetscErrorCode>(PETSC_SUCCESS)
                 : TaoSetConvergedReason(tao, TAO_DIVERGED_USER);
    });
  }

  // ---- what comes out ---------------------------------------------------------------------------

  /// TAO keeps its multipliers to itself: they come from one more adjoint solve, not counted.
  void take_solution(const ErrorScope& scope) {
    const PetscScalar* at = nullptr;
    scope.check(VecGetArrayRead(x_.object, &at));
    const std::vector<double> x(at, at + num_variables_);
    scope.check(VecRestoreArrayRead(x_.object, &at));
    for (const double v : x)
      if (!std::isfinite(v)) return;
    move_to(x_.object);
    scope.check(KSPSetTolerances(ksp_.object, 1e-10, PETSC_DEFAULT, PETSC_DEFAULT, PETSC_DEFAULT));
    OwnedVec rhs, lambda;
    make_vector(scope, num_states_, rhs);
    make_vector(scope, num_states_, lambda);
    scope.check(gradient(nullptr, x_.object, gradient_.object, this));
    PetscScalar* to = nullptr;
    scope.check(VecGetArrayRead(gradient_.object, &at));
    scope.check(VecGetArrayWrite(rhs.object, &to));
    std::transform(at, at + num_states_, to, [](double g) { return -g; });
    scope.check(VecRestoreArrayWrite(rhs.object, &to));
    scope.check(VecRestoreArrayRead(gradient_.object, &at));
    scope.check(solve_all(rhs.object, lambda.object));
    scope.check(VecGetArrayRead(lambda.object, &at));
    problem_.set_solution(x, std::vector<double>(at, at + num_states_),
                          std::vector<double>(x.size(), 0.0));
    scope.check(VecRestoreArrayRead(lambda.object, &at));
  }

  void describe(Report& report) const {
    TaoConvergedReason reason = TAO_CONTINUE_ITERATING;
    (void)TaoGetConvergedReason(tao_.object, &reason);
    report.iterations = iterations_;
    report.reason = std::string("TAO lcl: ") + TaoConvergedReasons[static_cast<int>(reason)];
    report.notes = {"TAO lcl, one thread"};
    if (!stopped_by_.empty()) {
      report.status = Status::breakdown;
      report.reason = stopped_by_;
    } else if (verdict_ != Verdict::proceed) {
      report.status = status_of(verdict_);
    } else if (reason > 0) {
      report.status = Status::converged;
    } else if (reason == TAO_DIVERGED_MAXITS || reason == TAO_DIVERGED_MAXFCN) {
      report.status = Status::max_iterations;
    } else if (reason == TAO_DIVERGED_NAN) {
      report.status = Status::non_finite;
    } else {
      report.status = Status::stagnated;
    }
  }

  const LclSettings& settings_;
  NonlinearProgram& problem_;
  Monitor& monitor_;
  int functions_;
  LogDiffusion A_;
  Index n_, num_states_, num_variables_;
  BorrowedVector in_all_, out_all_, in_states_, out_states_, in_cells_, out_cells_;
  Vector states_, parameter_;
  OptionsPrefix options_;
  AijMatrix matrix_;
  OwnedVec x_, gradient_, constraints_, b_, y_;
  OwnedMat state_, inverse_, design_, block_;
  OwnedIs state_places_, design_places_;
  OwnedKsp ksp_;
  OwnedTao tao_;  // goes first
  Verdict verdict_ = Verdict::proceed;
  std::int64_t iterations_ = 0, forward_ = 0, adjoint_ = 0, krylov_ = 0, setups_ = 0;
  std::string stopped_by_;
};

class PetscLcl final : public TaoSolver {
 public:
  explicit PetscLcl(const LclSettings& settings) : settings_(settings) { bring_up(); }
  Report solve(NonlinearProgram& problem, Monitor& monitor) override {
    const auto* structure = dynamic_cast<const ParameterEstimation*>(&problem.functions());
    if (structure == nullptr)
      throw Unsupported(settings_.asker + " wants the estimation of a parameter from states "
                        "(ParameterEstimation), as source 'log-conductivity' makes it; this is " +
                        problem.text);
    const Bounds& b = problem.variable_bounds();
    for (std::size_t i = 0; i < b.size(); ++i)
      if (std::isfinite(b.lower[i]) || std::isfinite(b.upper[i]))
        throw Unsupported(settings_.asker + " takes no bounds, variable " + std::to_string(i + 1) +
                          " has one");
    return LclSolve(settings_, problem, monitor, *structure).run();
  }

 private:
  LclSettings settings_;
};

}  // namespace

std::unique_ptr<TaoSolver> make_petsc_lcl(const LclSettings& settings) {
  return std::make_unique<PetscLcl>(settings);
}

}  // namespace libsolve::petsc::detail
