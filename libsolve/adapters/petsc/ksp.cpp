#include <cmath>
#include <libsolve/adapters/petsc/detail/ksp.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <limits>

namespace libsolve::petsc::detail {

namespace {

/// KSP_DIVERGED_PC_FAILED -> "DIVERGED_PC_FAILED"
std::string reason_name(KSPConvergedReason reason) {
  return KSPConvergedReasons[static_cast<int>(reason)];
}

/// Theirs to ours, with what is known of it in one line.
InnerOutcome outcome_of(KSPConvergedReason reason, std::int64_t iterations, double norm) {
  InnerOutcome out{.iterations = iterations};
  const std::string tail = " (PETSc: " + reason_name(reason) + ") at iteration " +
                           std::to_string(iterations) + ", residual norm " + short_number(norm);
  if (reason > 0) {
    out.status = Status::converged;
    return out;
  }
  switch (reason) {
    case KSP_DIVERGED_ITS:
      out.status = Status::max_iterations;
      return out;
    case KSP_DIVERGED_DTOL:
      out.status = Status::diverged;
      out.reason = "the residual norm grew beyond the limit" + tail;
      return out;
    case KSP_DIVERGED_NANORINF:
      out.status = Status::non_finite;
      out.reason = "NaN or infinity was met" + tail;
      return out;
    case KSP_DIVERGED_INDEFINITE_PC:
      out.reason = "the preconditioner is not positive definite" + tail;
      break;
    case KSP_DIVERGED_INDEFINITE_MAT:
      out.reason = "the operator is not positive definite; use minres or gmres" + tail;
      break;
    case KSP_DIVERGED_NONSYMMETRIC:
      out.reason = "the operator or the preconditioner is not symmetric; use gmres" + tail;
      break;
    case KSP_DIVERGED_PC_FAILED:
      out.reason = "the preconditioner could not be set up or applied" + tail;
      break;
    default:
      out.reason = "the method broke down" + tail;
  }
  out.status = Status::breakdown;
  return out;
}

}  // namespace

PetscKsp::PetscKsp(const KspSettings& settings) : settings_(settings) {
  bring_up();
  options_ = std::make_unique<OptionsPrefix>(settings.options, settings.asker);
}

PetscKsp::~PetscKsp() {
  clear();
}

void PetscKsp::clear() {
  if (is_up()) {
    if (ksp_ != nullptr)
      (void)KSPDestroy(&ksp_);
    else if (pc_ != nullptr)
      (void)PCDestroy(&pc_);
    if (b_ != nullptr) (void)VecDestroy(&b_);
    if (x_ != nullptr) (void)VecDestroy(&x_);
  }
  ksp_ = nullptr;
  pc_ = nullptr;
  b_ = x_ = nullptr;
  shell_.clear();
  aij_.clear();
  null_space_.reset();
  notes_.clear();
  pc_bytes_ = all_bytes_ = 0.0;
}

std::string PetscKsp::doing(const char* what) const {
  return settings_.asker + ": " + what;
}

void PetscKsp::create_operators(const LinearSystem& system) {
  const LinearOperator& A = system.A();
  ranks_ = A.row_partition().communicator();
  refuse_factors_over_ranks(A);
  const ErrorScope scope(doing("making the matrix"), ranks_);
  null_space_ = system.null_space;
  std::shared_ptr<const CsrMatrix> entries;
  try {
    entries = with_entries(system.shared_A(), settings_.asker, notes_);
  } catch (const Unsupported&) {  // then there is the operator itself
    notes_.push_back(A.description() + " has no entries: PETSc gets its products only");
  }
  if (entries) {
    std::vector<Index> pinned;
    if (null_space_) pinned = one_row_of_each_component(*null_space_, A.row_partition());
    aij_.create(entries, pinned, options_->has("ksp_diagonal_scale"));
    scope.check(MatSetOptionsPrefix(aij_.mat(), options_->prefix().c_str()));
    if (A.num_rows() == A.num_columns() && A.is_symmetric()) {
      scope.check(MatSetOption(aij_.mat(), MAT_SYMMETRIC, PETSC_TRUE));
      scope.check(MatSetOption(aij_.mat(), MAT_SYMMETRY_ETERNAL, PETSC_TRUE));
      if (dynamic_cast<const StencilOperator*>(&A) != nullptr)
        scope.check(MatSetOption(aij_.mat(), MAT_SPD, PETSC_TRUE));
    }
  }
  // KSP multiplies through the shell, which counts; with a null space by A, not by the pinned one.
  const bool own_products = settings_.matrix_free || !entries || null_space_.has_value();
  shell_.create(system.shared_A(), own_products ? nullptr : aij_.mat());
}

/// PETSc's own factors know one rank, and what it says of that is a page.
void PetscKsp::refuse_factors_over_ranks(const LinearOperator& A) const {
  if (settings_.factor_package != MATSOLVERPETSC || ranks_.size() == 1) return;
  throw Unsupported(settings_.asker + " works on one rank, and " + A.description() + " lies on " +
                    std::to_string(ranks_.size()) + "; use mumps");
}

void PetscKsp::note_type(PC pc) {
  PCType type = nullptr;
  (void)PCGetType(pc, &type);
  std::string text = "PETSc: ";
  if (ksp_ != nullptr) {
    KSPType outer = nullptr;
    (void)KSPGetType(ksp_, &outer);
    text += std::string(outer != nullptr ? outer : "?") + " with ";
  }
  text += type != nullptr ? type : "no PC";
  const char* inner = nullptr;
  if (type != nullptr && std::string(type) == PCHYPRE) (void)PCHYPREGetType(pc, &inner);
  if (inner != nullptr) text += std::string(" (") + inner + ")";
  MatSolverType package = nullptr;
  if (type != nullptr && (std::string(type) == PCLU || std::string(type) == PCCHOLESKY)) {
    (void)PCFactorGetMatSolverType(pc, &package);
    if (package != nullptr) text += std::string(" (") + package + ")";
  }
  notes_.push_back(text + ", one thread");
}

/// A factorisation that failed says so here, and would else poison the solution. Those of the
/// ranks' own blocks would else wait for the first solve.
void PetscKsp::require_factors() const {
  const ErrorScope scope(doing("setting up"), ranks_);
  scope.check(PCSetUpOnBlocks(pc_));
  PCFailedReason here = PC_NOERROR;
  scope.check(PCGetFailedReason(pc_, &here));
  together(ranks_, [&] {
    if (here != PC_NOERROR)
      throw NumericalError(settings_.asker + ": the preconditioner could not be set up (PETSc: " +
                           PCFailedReasons[static_cast<int>(here)] +
                           "); is the matrix singular or not positive definite?");
  });
}

void PetscKsp::setup_preconditioner(const LinearSystem& system) {
  clear();
  const double before = heap_bytes();
  create_operators(system);
  const ErrorScope scope(doing("setting up the preconditioner"), ranks_);
  scope.check(PCCreate(mpi_comm(ranks_), &pc_));
  scope.check(PCSetOptionsPrefix(pc_, options_->prefix().c_str()));
  Mat entries = aij_.mat() != nullptr ? aij_.mat() : shell_.mat();
  scope.check(PCSetOperators(pc_, shell_.mat(), entries));
  scope.check(PCSetFromOptions(pc_));
  scope.check(PCSetUp(pc_));
  require_factors();
  options_->require_all_used(ranks_);
  create_vectors(system);
  // What the first application takes is part of it, and may not happen later.
  scope.check(VecSet(b_, 0.0));
  scope.check(PCApply(pc_, b_, x_));
  note_type(pc_);
  pc_bytes_ = all_bytes_ = std::max(heap_bytes() - before, aij_.memory_bytes());
}

void PetscKsp::create_vectors(const LinearSystem& system) {
  const ErrorScope scope(doing("making vectors"), ranks_);
  scope.check(MatCreateVecs(shell_.mat(), &x_, &b_));
  host_b_.allocate(system.b());
  host_x_.allocate(system.x());
}

void PetscKsp::setup(const LinearSystem& system) {
  clear();
  const double before = heap_bytes();
  create_operators(system);
  const ErrorScope scope(doing("setting up"), ranks_);
  scope.check(KSPCreate(mpi_comm(ranks_), &ksp_));
  scope.check(KSPSetOptionsPrefix(ksp_, options_->prefix().c_str()));
  Mat entries = aij_.mat() != nullptr ? aij_.mat() : shell_.mat();
  if (null_space_ && !ranks_.any(null_space_->labels().extent(0) != 0)) {
    MatNullSpace constants = nullptr;
    scope.check(MatNullSpaceCreate(mpi_comm(ranks_), PETSC_TRUE, 0, nullptr, &constants));
    scope.check(MatSetNullSpace(shell_.mat(), constants));
    scope.check(MatNullSpaceDestroy(&constants));
  }
  scope.check(KSPSetOperators(ksp_, shell_.mat(), entries));
  // Our tolerances are for b - A x; not every KSP can measure that.
  true_norm_ = !options_->has("ksp_norm_type");
  if (true_norm_) scope.check(KSPSetNormType(ksp_, KSP_NORM_UNPRECONDITIONED));
  if (!settings_.ksp_type.empty()) scope.check(KSPSetType(ksp_, settings_.ksp_type.c_str()));
  scope.check(KSPGetPC(ksp_, &pc_));
  if (!settings_.factor_package.empty()) {
    scope.check(PCSetType(pc_, system.A().is_symmetric() ? PCCHOLESKY : PCLU));
    scope.check(PCFactorSetMatSolverType(pc_, settings_.factor_package.c_str()));
  }
  scope.check(KSPSetFromOptions(ksp_));
  KSPType type = nullptr;
  scope.check(KSPGetType(ksp_, &type));
  if (type != nullptr && std::string(type) == KSPPREONLY) {
    // x += M (b - A x): the same step from zero, and from elsewhere what preonly refuses.
    scope.check(KSPSetType(ksp_, KSPRICHARDSON));
    notes_.push_back("preonly is run as richardson: it refines where rounding needs it");
  }
  scope.check(KSPSetErrorIfNotConverged(ksp_, PETSC_FALSE));
  scope.check(KSPSetConvergenceTest(ksp_, test_convergence, this, nullptr));
  if (true_norm_) {
    try {
      scope.check(KSPSetUp(ksp_));
    } catch (const Unsupported&) {
      true_norm_ = false;
      scope.check(KSPSetNormType(ksp_, KSP_NORM_DEFAULT));
    }
  }
  scope.check(KSPSetUp(ksp_));
  require_factors();
  KSPNormType norm = KSP_NORM_DEFAULT;
  scope.check(KSPGetNormType(ksp_, &norm));
  true_norm_ = norm == KSP_NORM_UNPRECONDITIONED;
  options_->require_all_used(ranks_);
  create_vectors(system);
  note_type(pc_);
  pc_bytes_ = std::max(heap_bytes() - before, aij_.memory_bytes());
  bytes_before_ = before;
  all_bytes_ = 0.0;
}

PetscErrorCode PetscKsp::test_convergence(KSP, PetscInt k, PetscReal norm,
                                          KSPConvergedReason* reason, void* context) {
  auto& self = *static_cast<PetscKsp*>(context);
  try {
    return self.decide(k, norm, reason);
  } catch (...) {
    return ErrorScope::keep_exception();
  }
}

PetscErrorCode PetscKsp::decide(PetscInt k, double norm, KSPConvergedReason* reason) {
  *reason = KSP_CONVERGED_ITERATING;
  last_norm_ = norm;
  if (k == 0) first_norm_ = norm;
  if (!watch_->observe(k, norm)) {
    *reason = KSP_CONVERGED_ITS;  // ended by the monitor; the frame knows
  } else if (!std::isfinite(norm)) {
    *reason = KSP_DIVERGED_NANORINF;
  } else if (norm <= (true_norm_ ? task_->tolerance
                                 : first_norm_ * task_->tolerance / task_->residual_norm)) {
    *reason = KSP_CONVERGED_RTOL;
  } else if (norm > 1e10 * std::max(first_norm_, task_->residual_norm)) {
    *reason = KSP_DIVERGED_DTOL;
  } else if (k >= task_->max_iterations) {
    *reason = KSP_DIVERGED_ITS;
  }
  return PETSC_SUCCESS;
}

InnerOutcome PetscKsp::solve(const InnerTask& task, SolveWatch& watch) {
  const ErrorScope scope(doing("solving"));
  task_ = &task;
  watch_ = &watch;
  first_norm_ = last_norm_ = task.residual_norm;
  const auto limit = static_cast<PetscInt>(
      std::min<std::int64_t>(task.max_iterations, std::numeric_limits<PetscInt>::max()));
  scope.check(KSPSetTolerances(ksp_, 1e-8, 1e-50, 1e10, limit));
  // The Krylov method works on b and x themselves.
  scope.check(VecPlaceArray(b_, host_b_.read(task.b)));
  const bool from_zero = norm_max(task.x) == 0.0;
  if (!from_zero) (void)host_x_.read(task.x);
  scope.check(VecPlaceArray(x_, host_x_.write(task.x)));
  KSPConvergedReason reason = KSP_CONVERGED_ITERATING;
  PetscInt iterations = 0;
  try {
    scope.check(KSPSetInitialGuessNonzero(ksp_, from_zero ? PETSC_FALSE : PETSC_TRUE));
    together(ranks_, [&] { scope.check(KSPSolve(ksp_, b_, x_)); });
    scope.check(KSPGetConvergedReason(ksp_, &reason));
    scope.check(KSPGetIterationNumber(ksp_, &iterations));
  } catch (...) {
    (void)VecResetArray(b_);
    (void)VecResetArray(x_);
    throw;
  }
  scope.check(VecResetArray(b_));
  scope.check(VecResetArray(x_));
  host_x_.publish(task.x);
  preconditioner_applications_ += static_cast<double>(iterations) + 1.0;
  if (all_bytes_ == 0.0) {
    const double known = pc_bytes_ + 16.0 * static_cast<double>(task.x.local_size());
    all_bytes_ = std::max(heap_bytes() - bytes_before_, known);
  }
  return outcome_of(reason, iterations, last_norm_);
}

void PetscKsp::apply(const Vector& r, const Vector& z) {
  const ErrorScope scope(doing("applying the preconditioner"));
  preconditioner_applications_ += 1.0;
  scope.check(VecPlaceArray(b_, host_b_.read(r)));
  scope.check(VecPlaceArray(x_, host_x_.write(z)));
  const PetscErrorCode code = PCApply(pc_, b_, x_);
  (void)VecResetArray(b_);
  (void)VecResetArray(x_);
  scope.check(code);
  host_x_.publish(z);
  if (null_space_) null_space_->project_out(z);
}

Solver::Counts PetscKsp::take_counts() {
  return {shell_.take_count(), std::exchange(preconditioner_applications_, 0.0)};
}

std::vector<Measure> PetscKsp::metrics() const {
  std::vector<Measure> all;
  if (pc_ == nullptr || !is_up()) return all;
  PCType type = nullptr;
  (void)PCGetType(pc_, &type);
  const std::string name = type != nullptr ? type : "";
  if (name == PCGAMG || name == PCMG) {
    PetscInt levels = 0;
    if (PCMGGetLevels(pc_, &levels) == PETSC_SUCCESS)
      all.push_back({"levels", static_cast<double>(levels), ""});
  }
  if (name == PCLU || name == PCCHOLESKY || name == PCILU || name == PCICC) {
    Mat factor = nullptr;
    MatInfo info = {};
    if (PCFactorGetMatrix(pc_, &factor) == PETSC_SUCCESS &&
        MatGetInfo(factor, MAT_GLOBAL_SUM, &info) == PETSC_SUCCESS)
      all.push_back({"factor_entries", info.nz_used, ""});
  }
  return all;
}

}  // namespace libsolve::petsc::detail
