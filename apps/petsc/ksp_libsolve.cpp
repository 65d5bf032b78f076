#include "ksp_libsolve.hpp"

#include <petsc/private/pcimpl.h>

#include <algorithm>
#include <cmath>
#include <libsolve/adapters/petsc/program/mat_entries.hpp>
#include <libsolve/adapters/petsc/program/mat_operator.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/linear_solver.hpp>
#include <libsolve/linear/preconditioner.hpp>

#include "options.hpp"
#include "pc_libsolve.hpp"

namespace libsolve_in_petsc {

namespace {

using petsc::check;
using petsc::LentVec;
using petsc::OpenVec;

// ---- The KSP's PC as a preconditioner of ours
// -----------------------------------------------------

/// The KSP whose method is being made.
KSP making_for = nullptr;

/// Whether the KSP works on corrections that are 0 at solid cells: KspState::is_reduced.
bool works_on_corrections(KSP ksp);

class PcOfKsp final : public Preconditioner {
 public:
  explicit PcOfKsp(KSP ksp) : ksp_(ksp) {}

  void setup(const LinearSystem&) override {}  // PETSc has done it: KSPSetUp
  void apply(const Vector& r, const Vector& z) override {
    if (Preconditioner* M = direct()) return M->apply(r, z);
    if (!r_.is_made()) {
      r_.create(ksp_->vec_rhs);
      z_.create(ksp_->vec_sol);
    }
    Vec in = r_.lend(r);
    Vec out = z_.lend_for_result(z);
    check(KSP_PCApply(ksp_, in, out));
    r_.take_back();
    z_.take_back();
  }
  DotPair apply_with_dots(const Vector& r, const Vector& z, const Vector* q) override {
    if (Preconditioner* M = direct()) return M->apply_with_dots(r, z, q);
    return Preconditioner::apply_with_dots(r, z, q);
  }
  bool is_linear() const override {
    if (const Preconditioner* M = inner()) return M->is_linear();
    return !is_one_of({PCKSP, PCFIELDSPLIT, PCTELESCOPE});
  }
  bool is_symmetric() const override {
    if (const Preconditioner* M = inner()) return M->is_symmetric();
    return is_one_of({PCNONE, PCJACOBI, PCPBJACOBI, PCVPBJACOBI, PCICC, PCCHOLESKY, PCEISENSTAT});
  }
  std::vector<std::string> notes() const override { return {}; }

 private:
  /// Ours without PETSc in between: the dot products then come with the last sweep.
  Preconditioner* direct() const {
    if (ksp_->transpose_solve == PETSC_TRUE) return nullptr;
    MatNullSpace space = nullptr;
    check(MatGetNullSpace(ksp_->pc->mat, &space));
    return space == nullptr ? inner() : nullptr;
  }
  Preconditioner* inner() const {
    return inner_preconditioner(ksp_->pc, works_on_corrections(ksp_));
  }
  bool is_one_of(std::initializer_list<const char*> types) const {
    for (const char* type : types) {
      PetscBool same = PETSC_FALSE;
      check(PetscObjectTypeCompare(object_of(ksp_->pc), type, &same));
      if (same == PETSC_TRUE) return true;
    }
    return false;
  }

  KSP ksp_;
  LentVec r_, z_;
};

// ---- The KSP
// --------------------------------------------------------------------------------------

/// Tells the KSP each iteration, and stops where its rules say so.
class KspMonitor final : public Monitor {
 public:
  KspMonitor(KSP ksp, bool asks_test) : ksp_(ksp), asks_test_(asks_test) {}

  Verdict observe(std::int64_t iteration, std::span<const Sample> samples) override {
    const double norm = samples.empty() ? 0.0 : samples[0].value;
    ksp_->its = static_cast<PetscInt>(iteration);
    ksp_->rnorm = norm;
    if (iteration == 0) first_norm_ = norm;
    check(KSPLogResidualHistory(ksp_, norm));
    check(KSPMonitor(ksp_, ksp_->its, norm));
    if (asks_test_) {
      check((*ksp_->converged)(ksp_, ksp_->its, norm, &ksp_->reason, ksp_->cnvP));
    } else if (iteration > 0 && ksp_->divtol > 0.0 && norm >= ksp_->divtol * first_norm_) {
      ksp_->reason = KSP_DIVERGED_DTOL;
    }
    return ksp_->reason != KSP_CONVERGED_ITERATING ? Verdict::interrupted : Verdict::proceed;
  }

 private:
  KSP ksp_;
  bool asks_test_;
  double first_norm_ = 0.0;
};

struct Tolerances {
  double relative = 0.0;
  double absolute = 0.0;
  std::int64_t max_iterations = 0;
  bool operator==(const Tolerances&) const = default;
};

struct KspState final : Held {
  Choice choice = {.kind = LinearSolver::kind,
                   .family = "ksp_libsolve_",
                   .method = "gmres",
                   .elsewhere = {{"relative_tolerance", "-ksp_rtol"},
                                 {"absolute_tolerance", "-ksp_atol"},
                                 {"max_iterations", "-ksp_max_it"},
                                 {"preconditioner", "-pc_type"}}};
  std::unique_ptr<LinearSolver> method;
  std::string made_as;
  Tolerances made_for;

  std::shared_ptr<const LinearOperator> A;
  std::shared_ptr<petsc::MatOperator> product;  ///< A where it is PETSc's MatMult
  PetscObjectId A_id = 0;
  PetscObjectState A_state = 0;
  bool is_transposed = false;
  /// A is a grid operator without the couplings to rows that stand for themselves. Then these rows
  /// are solved first, and A e = b - (matrix) x gives the correction of the others.
  bool is_reduced = false;
  std::shared_ptr<const StencilOperator> grid;
  Vector e, r;
  bool has_current_x = true;  ///< in the monitors' eyes, while a solve is at work
  std::string how;
  std::string last_reason;
  std::vector<std::string> last_notes;

  void release() override {
    method.reset();
    made_as.clear();
    A.reset();
    product.reset();
    grid.reset();
    is_reduced = false;
    e = r = Vector();
    A_id = 0;
    A_state = 0;
  }
  void set_up(KSP ksp);
  void solve(KSP ksp);

 private:
  void choose_operator(KSP ksp);
  void make_method(KSP ksp, const Tolerances& tolerances);
  Tolerances tolerances_of(KSP ksp, const LinearOperator& matrix, const Vector& b,
                           const Vector& x) const;
};

KspState& state(KSP ksp) {
  return *static_cast<KspState*>(ksp->data);
}

void KspState::set_up(KSP ksp) {
  // A method that takes no preconditioner must not pay for one.
  if (!choice.has_option("preconditioner")) check(PCSetType(ksp->pc, PCNONE));
}

void KspState::choose_operator(KSP ksp) {
  Mat mat = nullptr;
  check(PCGetOperators(ksp->pc, &mat, nullptr));
  const bool transposed = ksp->transpose_solve == PETSC_TRUE;
  std::string place = choice.works_on;
  is_reduced = false;
  if (place == "auto" || place == "grid") {
    const SharedGrid shared = shared_grid(ksp->pc);
    if (shared.A != nullptr && (shared.is_exact || !transposed)) {
      if (A != shared.A) {
        release();
        A = grid = shared.A;
        how = "the grid operator of its PC: " + A->description();
      }
      is_reduced = !shared.is_exact;
      return;
    }
    if (place == "grid")
      throw Unsupported(
          "-ksp_libsolve_operator grid needs -pc_type libsolve -pc_libsolve_method multigrid on "
          "the "
          "same matrix, set up for it; leave the option out");
    place = choice.has_option("preconditioner") ? "petsc" : "csr";
  }

  PetscObjectId id = 0;
  PetscObjectState now = 0;
  check(PetscObjectGetId(object_of(mat), &id));
  check(PetscObjectStateGet(object_of(mat), &now));
  if (place == "csr" && !transposed) {
    if (product == nullptr && A != nullptr && id == A_id && now == A_state) return;
    A = petsc::csr_matrix(mat);
    product.reset();
    if (A == nullptr && choice.works_on == "csr")
      throw Unsupported(
          "-ksp_libsolve_operator csr needs a matrix of type aij on one rank; leave the option "
          "out");
    how = "the entries of the matrix, in place";
  }
  if (place == "petsc" || transposed || A == nullptr) {
    if (product == nullptr || id != A_id || transposed != is_transposed) {
      product = std::make_shared<petsc::MatOperator>(mat, transposed);
      how = "the matrix as it is (MatMult)";
    }
    A = product;
  }
  A_id = id;
  A_state = now;
  is_transposed = transposed;
}

void KspState::make_method(KSP ksp, const Tolerances& t) {
  const std::string wanted = choice.view();
  if (method != nullptr && wanted == made_as && t == made_for) return;
  ComponentSpec spec(choice.method);
  spec.options = choice.options;
  if (choice.has_option("relative_tolerance")) spec.options.set("relative_tolerance", t.relative);
  if (choice.has_option("absolute_tolerance")) spec.options.set("absolute_tolerance", t.absolute);
  if (choice.has_option("max_iterations")) spec.options.set("max_iterations", t.max_iterations);
  PetscBool is_none = PETSC_FALSE;
  check(PetscObjectTypeCompare(object_of(ksp->pc), PCNONE, &is_none));
  if (choice.has_option("preconditioner"))
    spec.options.set("preconditioner", is_none == PETSC_TRUE ? "none" : pc_of_ksp);
  method.reset();
  making_for = ksp;
  method = Session::get().context(object_of(ksp)).make<LinearSolver>(spec);
  making_for = nullptr;
  made_as = wanted;
  made_for = t;
}

/// PETSc's tolerances; those relative to something else than this b as absolute ones.
Tolerances KspState::tolerances_of(KSP ksp, const LinearOperator& matrix, const Vector& b,
                                   const Vector& x) const {
  Tolerances t{std::min<double>(ksp->rtol, 1.0), ksp->abstol, ksp->max_it};
  const auto* context = static_cast<const KSPConvergedDefaultCtx*>(ksp->cnvP);
  const bool asks_first = context != nullptr && ksp->guess_zero == PETSC_FALSE &&
                          (context->initialrtol || context->mininitialrtol);
  if (!asks_first && !is_reduced) return t;
  double reference = norm2(b);
  if (asks_first) {
    const Vector residual = b.like("ksp_libsolve::first_residual");
    const double first = std::sqrt(matrix.residual(b, x, residual));
    reference = context->initialrtol ? first : std::min(first, reference);
  }
  t.absolute = std::max(t.absolute, t.relative * reference);
  t.relative = 0.0;
  return t;
}

KSPConvergedReason reason_of(KSP ksp, const Report& report) {
  switch (report.status) {
    case Status::converged:
      return report.value("residual_norm") <= ksp->abstol ? KSP_CONVERGED_ATOL : KSP_CONVERGED_RTOL;
    case Status::max_iterations:
      if (ksp->converged == KSPConvergedDefault && ksp->cnvP != nullptr &&
          static_cast<const KSPConvergedDefaultCtx*>(ksp->cnvP)->convmaxits)
        return KSP_CONVERGED_ITS;
      return KSP_DIVERGED_ITS;
    case Status::non_finite:
      return KSP_DIVERGED_NANORINF;
    case Status::diverged:
      return KSP_DIVERGED_DTOL;
    default:
      return KSP_DIVERGED_BREAKDOWN;
  }
}

void KspState::solve(KSP ksp) {
  Vec b = ksp->vec_rhs, x = ksp->vec_sol;
  Mat mat = nullptr;
  check(PCGetOperators(ksp->pc, &mat, nullptr));
  choose_operator(ksp);
  std::shared_ptr<petsc::MatOperator> matrix = product;  // what the equation is about
  if (is_reduced) matrix = std::make_shared<petsc::MatOperator>(mat);
  if (matrix != nullptr) {
    DM dm = nullptr;
    check(VecGetDM(b, &dm));
    if (dm != nullptr) matrix->set_dm(dm);
  }
  const OpenVec rhs(b, A->row_partition(), OpenVec::Access::read);
  OpenVec solution(x, A->column_partition(), OpenVec::Access::read_write);
  if (ksp->guess_zero == PETSC_TRUE) fill(solution.vector(), 0.0);

  // Without a norm to test, all iterations are wanted. The default test is ours, with the residual
  // computed anew in the end; a test of the program's own is asked each iteration and has the word.
  const bool asks_test = ksp->converged != KSPConvergedDefault;
  const bool has_tolerance = !asks_test && ksp->normtype != KSP_NORM_NONE;
  const Tolerances t = has_tolerance ? tolerances_of(ksp, matrix != nullptr ? *matrix : *A,
                                                     rhs.vector(), solution.vector())
                                     : Tolerances{0.0, 0.0, ksp->max_it};
  make_method(ksp, t);
  has_current_x = choice.method != "gmres" && !is_reduced;

  LinearSystem system(A, rhs.vector(), solution.vector());
  if (is_reduced) {
    if (e.data() == nullptr) {
      e = solution.vector().like("ksp_libsolve::correction");
      r = rhs.vector().like("ksp_libsolve::residual");
    }
    solve_solid(*grid, rhs.vector(), solution.vector());
    (void)matrix->residual(rhs.vector(), solution.vector(), r);
    clear_solid(*grid, r, r);  // rounding
    fill(e, 0.0);
    system = LinearSystem(A, r, e);
  } else if (A->num_rows() == A->num_columns()) {
    system.null_space = petsc::null_space_of(mat, A->row_partition());
  }

  ksp->its = 0;
  ksp->reason = KSP_CONVERGED_ITERATING;
  KspMonitor monitor(ksp, asks_test);
  const Report report = method->solve(system, monitor);
  if (is_reduced) axpy(1.0, e, solution.vector());
  solution.close();
  has_current_x = true;

  ksp->its = static_cast<PetscInt>(report.iterations);
  const double norm = report.value("residual_norm");
  if (!std::isnan(norm)) ksp->rnorm = norm;
  if (ksp->reason == KSP_CONVERGED_ITERATING) ksp->reason = reason_of(ksp, report);
  last_reason = std::string(to_string(report.status)) + ": " + report.reason;
  last_notes = report.notes;
  check(PetscInfo(ksp, "libsolve: %s\n", last_reason.c_str()));
  for (const std::string& note : last_notes) check(PetscInfo(ksp, "libsolve: %s\n", note.c_str()));
}

bool works_on_corrections(KSP ksp) {
  return state(ksp).is_reduced;
}

// ---- What PETSc calls
// -----------------------------------------------------------------------------

PetscErrorCode setup(KSP ksp) {
  return guarded(object_of(ksp), "KSPSetUp_libsolve", [&] { state(ksp).set_up(ksp); });
}
PetscErrorCode solve(KSP ksp) {
  return guarded(object_of(ksp), "KSPSolve_libsolve", [&] { state(ksp).solve(ksp); });
}
PetscErrorCode reset(KSP ksp) {
  return guarded(object_of(ksp), "KSPReset_libsolve", [&] { state(ksp).release(); });
}
PetscErrorCode destroy(KSP ksp) {
  return guarded(object_of(ksp), "KSPDestroy_libsolve", [&] {
    delete static_cast<KspState*>(ksp->data);
    ksp->data = nullptr;
  });
}
/// For monitors that want the iterate itself.
PetscErrorCode build_solution(KSP ksp, Vec v, Vec* V) {
  PetscFunctionBegin;
  PetscCall(guarded(object_of(ksp), "KSPBuildSolution_libsolve", [&] {
    if (!state(ksp).has_current_x)
      throw Unsupported("'" + state(ksp).choice.method +
                        "' forms x at the end of a cycle or a solve only: leave out "
                        "-ksp_monitor_true_residual; -ksp_monitor shows ||b - A x|| already");
  }));
  PetscCall(KSPBuildSolutionDefault(ksp, v, V));
  PetscFunctionReturn(PETSC_SUCCESS);
}
template <class Items>
PetscErrorCode set_from_options(KSP ksp, Items items) {
  return choice_from_options(object_of(ksp), "libsolve solver options", state(ksp).choice, items);
}
PetscErrorCode view(KSP ksp, PetscViewer viewer) {
  PetscBool is_ascii = PETSC_FALSE;
  PetscFunctionBegin;
  PetscCall(PetscObjectTypeCompare(object_of(viewer), PETSCVIEWERASCII, &is_ascii));
  if (is_ascii == PETSC_FALSE) PetscFunctionReturn(PETSC_SUCCESS);
  const KspState& s = state(ksp);
  PetscCall(guarded(object_of(ksp), "KSPView_libsolve", [&] {
    check(PetscViewerASCIIPrintf(viewer, "%s", s.choice.view().c_str()));
    if (s.A == nullptr) return;
    check(PetscViewerASCIIPrintf(viewer, "  works on %s\n", s.how.c_str()));
    if (!s.last_reason.empty())
      check(PetscViewerASCIIPrintf(viewer, "  last solve: %s\n", s.last_reason.c_str()));
    for (const std::string& note : s.last_notes)
      check(PetscViewerASCIIPrintf(viewer, "  %s\n", note.c_str()));
  }));
  PetscFunctionReturn(PETSC_SUCCESS);
}

}  // namespace

PetscErrorCode create_ksp(KSP ksp) {
  return guarded(object_of(ksp), "KSPCreate_libsolve", [&] {
    (void)Session::get();
    ksp->data = new KspState;
    ksp->ops->setup = setup;
    ksp->ops->solve = solve;
    ksp->ops->reset = reset;
    ksp->ops->destroy = destroy;
    ksp->ops->setfromoptions = set_from_options;
    ksp->ops->view = view;
    ksp->ops->buildsolution = build_solution;
    ksp->ops->buildresidual = KSPBuildResidualDefault;
    // Our methods measure b - A x.
    check(KSPSetSupportedNorm(ksp, KSP_NORM_UNPRECONDITIONED, PC_LEFT, 3));
    check(KSPSetSupportedNorm(ksp, KSP_NORM_UNPRECONDITIONED, PC_RIGHT, 2));
    check(KSPSetSupportedNorm(ksp, KSP_NORM_NONE, PC_LEFT, 1));
    check(KSPSetSupportedNorm(ksp, KSP_NORM_NONE, PC_RIGHT, 1));
  });
}

void add_pc_of_ksp(Registry& registry) {
  ComponentInfo info;
  info.kind = Preconditioner::kind;
  info.name = pc_of_ksp;
  info.problem_class = Preconditioner::problem_class;
  info.summary = "the PC of the KSP";
  info.resolve = [](const Value& table, const std::string&, Diagnostics&) { return table; };
  info.make = [](const Value&, const Context&) -> std::unique_ptr<Component> {
    if (making_for == nullptr) throw Unsupported("the PC of a KSP was asked for without a KSP");
    return std::make_unique<PcOfKsp>(making_for);
  };
  registry.add(std::move(info));
}

}  // namespace libsolve_in_petsc
