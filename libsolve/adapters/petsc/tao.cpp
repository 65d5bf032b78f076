#include <chrono>
#include <cmath>
#include <libsolve/adapters/petsc/detail/tao.hpp>
#include <libsolve/adapters/petsc/detail/tao_program.hpp>
#include <libsolve/core/peak_memory.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/optimize/program_solver.hpp>
#include <limits>

namespace libsolve::petsc::detail {

namespace {

using OwnedVec = Owned<Vec, VecDestroy>;
using OwnedTao = Owned<Tao, TaoDestroy>;

/// Callbacks: what an array of a Vec is for the scope.
class Read {
 public:
  explicit Read(Vec v) : v_(v) { (void)VecGetArrayRead(v_, &data_); }
  ~Read() { (void)VecRestoreArrayRead(v_, &data_); }
  Read(const Read&) = delete;
  Read& operator=(const Read&) = delete;
  operator const double*() const { return data_; }

 private:
  Vec v_;
  const double* data_ = nullptr;
};
class Write {
 public:
  explicit Write(Vec v) : v_(v) { (void)VecGetArray(v_, &data_); }
  ~Write() { (void)VecRestoreArray(v_, &data_); }
  Write(const Write&) = delete;
  Write& operator=(const Write&) = delete;
  operator double*() const { return data_; }

 private:
  Vec v_;
  double* data_ = nullptr;
};

template <class Body>
PetscErrorCode guarded(const Body& body) {
  try {
    return body();
  } catch (...) {
    return ErrorScope::keep_exception();
  }
}

/// One solve.
class Solve {
 public:
  Solve(const TaoSettings& settings, NonlinearProgram& problem, Monitor& monitor)
      : settings_(settings),
        problem_(problem),
        monitor_(monitor),
        is_pdipm_(settings.type == TAOPDIPM),
        program_(problem, is_pdipm_),
        // ALMM wants constraints; the solver of its subproblems does without.
        type_(program_.equalities().empty() && program_.inequalities().empty() ? TAOBQNLS
                                                                               : settings.type),
        options_(options_of(type_, settings), settings.asker) {}

  Report run() {
    using Clock = std::chrono::steady_clock;
    const PeakMemory memory;  // outside of what is timed
    const auto begin = Clock::now();
    const auto since = [](Clock::time_point from) {
      return std::chrono::duration<double>(Clock::now() - from).count();
    };
    const EvaluationCounts before = problem_.functions().counts();
    const ErrorScope scope(settings_.asker);
    monitor_.begin_phase("setup");
    create();
    const double setup_seconds = since(begin);
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
    report.seconds = {{"setup", setup_seconds, "s"}, {"solve", since(solve_begin), "s"}};
    describe(report);
    add_evaluation_counts(problem_.functions().counts(), before, report);
    report.metrics.push_back({"memory_bytes", memory.bytes(), "B"});
    report.counts.push_back({"inner_iterations", static_cast<double>(inner_iterations_)});
    take_solution();
    return report;
  }

 private:
  static constexpr int most_hessians_a_step = 20;

  /// Before the user's, which win.
  static std::string options_of(const std::string& type, const TaoSettings& settings) {
    if (type != TAOPDIPM) return settings.options;
    // The shift makes the reduced Hessian positive definite; MUMPS tells the inertia it needs.
    return "-tao_pdipm_kkt_shift_pd 1 -pc_type cholesky -pc_factor_mat_solver_type mumps " +
           settings.options;
  }

  static void make_vector(std::size_t n, OwnedVec& v) {
    const ErrorScope scope("making a vector for TAO");
    scope.check(VecCreateSeq(PETSC_COMM_SELF, static_cast<PetscInt>(n), &v.object));
    scope.check(VecSet(v.object, 0.0));
  }

  void create() {
    const ErrorScope scope(settings_.asker + ": setting up");
    const auto n = static_cast<PetscInt>(program_.num_variables());
    make_vector(program_.num_variables(), x_);
    std::ranges::copy(problem_.host_x(), static_cast<double*>(Write(x_.object)));
    scope.check(TaoCreate(PETSC_COMM_SELF, &tao_.object));
    Tao tao = tao_.object;
    scope.check(TaoSetType(tao, type_.c_str()));
    scope.check(TaoSetOptionsPrefix(tao, options_.prefix().c_str()));
    scope.check(TaoSetSolution(tao, x_.object));
    scope.check(TaoSetObjectiveAndGradient(tao, nullptr, objective_and_gradient, this));
    if (program_.has_bounds() || type_ == TAOPDIPM) {  // PDIPM reads bounds that nobody has set
      make_vector(program_.num_variables(), lower_);
      make_vector(program_.num_variables(), upper_);
      {
        const Bounds& b = problem_.variable_bounds();
        const Write lower(lower_.object), upper(upper_.object);
        for (std::size_t j = 0; j < b.size(); ++j) {
          lower[j] = type_ == TAOPDIPM ? PETSC_NINFINITY : std::max(b.lower[j], PETSC_NINFINITY);
          upper[j] = type_ == TAOPDIPM ? PETSC_INFINITY : std::min(b.upper[j], PETSC_INFINITY);
        }
      }
      scope.check(TaoSetVariableBounds(tao, lower_.object, upper_.object));
    }
    if (!program_.equalities().empty()) {
      make_vector(program_.equalities().size(), equalities_);
      J_equal_.create(static_cast<PetscInt>(program_.equalities().size()), n,
                      program_.jacobian_entries(program_.equalities()));
      scope.check(TaoSetEqualityConstraintsRoutine(tao, equalities_.object, equality, this));
      scope.check(
          TaoSetJacobianEqualityRoutine(tao, J_equal_.mat(), J_equal_.mat(), jacobian, this));
    }
    if (!program_.inequalities().empty()) {
      make_vector(program_.inequalities().size(), inequalities_);
      J_unequal_.create(static_cast<PetscInt>(program_.inequalities().size()), n,
                        program_.jacobian_entries(program_.inequalities()));
      scope.check(TaoSetInequalityConstraintsRoutine(tao, inequalities_.object, inequality, this));
      scope.check(
          TaoSetJacobianInequalityRoutine(tao, J_unequal_.mat(), J_unequal_.mat(), jacobian, this));
    }
    if (type_ == TAOPDIPM) {
      W_.create(n, n, program_.hessian_entries());
      scope.check(TaoSetHessian(tao, W_.mat(), W_.mat(), hessian, this));
    }
    set_limits(scope);
  }

  void set_limits(const ErrorScope& scope) {
    Tao tao = tao_.object;
    const auto most = static_cast<PetscInt>(
        std::min<std::int64_t>(settings_.max_iterations, std::numeric_limits<PetscInt>::max()));
    scope.check(TaoSetTolerances(tao, settings_.tolerance, 0.0, 0.0));
    scope.check(TaoSetConstraintTolerances(tao, settings_.tolerance, 0.0));
    scope.check(TaoSetMaximumIterations(tao, most));
    scope.check(TaoSetMaximumFunctionEvaluations(tao, std::numeric_limits<PetscInt>::max()));
    scope.check(TaoSetFromOptions(tao));
    scope.check(TaoSetUp(tao));
    scope.check(TaoSetMonitor(tao, monitor_outer, this, nullptr));
    if (type_ == TAOALMM) {
      Tao inner = nullptr;
      scope.check(TaoALMMGetSubsolver(tao, &inner));
      scope.check(TaoSetMonitor(inner, monitor_inner, this, nullptr));
    }
  }

  // ---- callbacks --------------------------------------------------------------------------------

  static Solve& self(void* context) { return *static_cast<Solve*>(context); }

  static PetscErrorCode objective_and_gradient(Tao, Vec x, PetscReal* f, Vec g, void* context) {
    return guarded([&] {
      const Read at(x);
      *f = self(context).program_.objective(at);
      self(context).program_.gradient(at, Write(g));
      return PETSC_SUCCESS;
    });
  }
  static PetscErrorCode equality(Tao, Vec x, Vec values, void* context) {
    return guarded([&] {
      TaoProgram& program = self(context).program_;
      program.conditions(program.equalities(), Read(x), Write(values));
      return PETSC_SUCCESS;
    });
  }
  static PetscErrorCode inequality(Tao, Vec x, Vec values, void* context) {
    return guarded([&] {
      TaoProgram& program = self(context).program_;
      program.conditions(program.inequalities(), Read(x), Write(values));
      return PETSC_SUCCESS;
    });
  }
  static PetscErrorCode jacobian(Tao, Vec x, Mat J, Mat, void* context) {
    return guarded([&] {
      Solve& s = self(context);
      TaoMatrix& matrix = J == s.J_equal_.mat() ? s.J_equal_ : s.J_unequal_;
      return matrix.fill(s.program_.jacobian(Read(x)));
    });
  }
  static PetscErrorCode hessian(Tao tao, Vec x, Mat, Mat, void* context) {
    return guarded([&] {
      Solve& s = self(context);
      s.end_where_pdipm_does_not();
      std::vector<double> lambda, z;
      s.multipliers_of_pdipm(tao, lambda, z);
      return s.W_.fill(s.program_.hessian(Read(x), lambda));
    });
  }
  static PetscErrorCode monitor_outer(Tao tao, void* context) {
    return guarded([&] {
      Solve& s = self(context);
      PetscInt iteration = 0;
      PetscReal f = 0.0, gradient = 0.0, violation = 0.0;
      (void)TaoGetSolutionStatus(tao, &iteration, &f, &gradient, &violation, nullptr, nullptr);
      s.iterations_ = iteration;
      s.hessians_since_step_ = 0;
      s.residual_ = std::max(gradient, violation);
      const Sample samples[] = {{"kkt_residual", s.residual_},
                                {"objective", s.problem_.is_maximisation ? -f : f},
                                {"constraint_violation", violation}};
      if (s.verdict_ == Verdict::proceed) s.verdict_ = s.monitor_.observe(iteration, samples);
      return s.stop_where_told(tao);
    });
  }
  static PetscErrorCode monitor_inner(Tao tao, void* context) {
    return guarded([&] {
      Solve& s = self(context);
      ++s.inner_iterations_;
      if (s.verdict_ == Verdict::proceed) s.verdict_ = s.monitor_.poll();
      return s.stop_where_told(tao);
    });
  }
  /// Where its linear systems cannot be solved, PDIPM (3.18 at least) begins the same Newton step
  /// again, for ever and without a word to its monitors. An exception is the only way out.
  void end_where_pdipm_does_not() {
    if (verdict_ == Verdict::proceed) verdict_ = monitor_.poll();
    if (verdict_ != Verdict::proceed) throw NumericalError("told to stop");
    if (++hessians_since_step_ > most_hessians_a_step)
      throw NumericalError(settings_.asker + ": PDIPM tries the same step over and over, its "
                           "linear systems cannot be solved; residual " + short_number(residual_) +
                           " after " + std::to_string(iterations_) + " iterations");
  }
  PetscErrorCode stop_where_told(Tao tao) const {
    return verdict_ == Verdict::proceed ? static_cast<PetscErrorCode>(PETSC_SUCCESS)
                                        : TaoSetConvergedReason(tao, TAO_DIVERGED_USER);
  }

  // ---- what comes out ---------------------------------------------------------------------------

  void multipliers_of_pdipm(Tao tao, std::vector<double>& lambda, std::vector<double>& z) const {
    Vec equal = nullptr, unequal = nullptr;
    (void)TaoGetDualVariables(tao, &equal, &unequal);
    lambda.assign(static_cast<std::size_t>(problem_.num_constraints()), 0.0);
    z.assign(program_.num_variables(), 0.0);
    if (!program_.equalities().empty() && equal != nullptr)
      program_.add_multipliers(program_.equalities(), Read(equal), 1.0, lambda, z);
    // Its Lagrangian subtracts those of inequalities.
    if (!program_.inequalities().empty() && unequal != nullptr)
      program_.add_multipliers(program_.inequalities(), Read(unequal), -1.0, lambda, z);
  }

  void multipliers_of_almm(const std::vector<double>& x, std::vector<double>& lambda) {
    lambda.assign(static_cast<std::size_t>(problem_.num_constraints()), 0.0);
    if (!program_.equalities().empty() && !program_.inequalities().empty()) {
      // Up to 3.18 at least, the vector of both kinds together is never filled.
      lambda = program_.least_squares_multipliers(x);
      return;
    }
    std::vector<double> none(program_.num_variables(), 0.0);
    Vec all = nullptr;
    TaoALMMType form = TAO_ALMM_CLASSIC;
    if (TaoALMMGetMultipliers(tao_.object, &all) != PETSC_SUCCESS || all == nullptr) return;
    (void)TaoALMMGetType(tao_.object, &form);
    const Read mu(all);
    program_.add_multipliers(program_.equalities(), mu, 1.0, lambda, none);
    program_.add_multipliers(program_.inequalities(), mu, form == TAO_ALMM_PHR ? -1.0 : 1.0, lambda,
                             none);
  }

  void take_solution() {
    std::vector<double> x(program_.num_variables()), lambda, z;
    {
      const Read at(x_.object);
      std::copy(static_cast<const double*>(at), at + x.size(), x.begin());
    }
    lambda.assign(static_cast<std::size_t>(problem_.num_constraints()), 0.0);
    if (type_ == TAOPDIPM)
      multipliers_of_pdipm(tao_.object, lambda, z);
    else if (type_ == TAOALMM)
      multipliers_of_almm(x, lambda);
    if (z.empty()) z = program_.bound_multipliers(x, lambda);
    for (const auto* values : {&x, &lambda, &z})
      for (const double v : *values)
        if (!std::isfinite(v)) return;
    problem_.set_solution(x, lambda, z);
  }

  void describe(Report& report) const {
    TaoConvergedReason reason = TAO_CONTINUE_ITERATING;
    (void)TaoGetConvergedReason(tao_.object, &reason);
    report.iterations = iterations_;
    report.reason = "TAO " + type_ + ": " + TaoConvergedReasons[static_cast<int>(reason)];
    report.notes = {"TAO " + type_ + ", one thread"};
    if (verdict_ != Verdict::proceed) {
      report.status = status_of(verdict_);
    } else if (!stopped_by_.empty()) {
      report.status = program_.saw_non_finite() ? Status::non_finite : Status::breakdown;
      report.reason = stopped_by_;
    } else if (reason > 0) {
      report.status = Status::converged;
    } else if (reason == TAO_DIVERGED_MAXITS || reason == TAO_DIVERGED_MAXFCN) {
      report.status = Status::max_iterations;
    } else if (reason == TAO_DIVERGED_NAN) {
      report.status = Status::non_finite;
    } else {
      report.status = Status::stagnated;
    }
    if (stopped_by_.empty() && reason <= 0)
      report.reason += ", residual " + short_number(residual_) + " after " +
                       std::to_string(iterations_) + " iterations";
  }

  const TaoSettings& settings_;
  NonlinearProgram& problem_;
  Monitor& monitor_;
  bool is_pdipm_;
  TaoProgram program_;
  std::string type_;
  OptionsPrefix options_;
  OwnedVec x_, lower_, upper_, equalities_, inequalities_;
  TaoMatrix J_equal_, J_unequal_, W_;
  OwnedTao tao_;  // goes first
  Verdict verdict_ = Verdict::proceed;
  std::int64_t iterations_ = 0, inner_iterations_ = 0;
  int hessians_since_step_ = 0;
  double residual_ = std::numeric_limits<double>::quiet_NaN();
  std::string stopped_by_;
};

class PetscTao final : public TaoSolver {
 public:
  explicit PetscTao(const TaoSettings& settings) : settings_(settings) { bring_up(); }
  Report solve(NonlinearProgram& problem, Monitor& monitor) override {
    if (!problem.functions().has_entries())
      throw Unsupported(settings_.asker + " needs the entries of Jacobian and Hessian, " +
                        problem.text + " offers products only");
    return Solve(settings_, problem, monitor).run();
  }

 private:
  TaoSettings settings_;
};

}  // namespace

std::unique_ptr<TaoSolver> make_petsc_tao(const TaoSettings& settings) {
  return std::make_unique<PetscTao>(settings);
}

}  // namespace libsolve::petsc::detail
