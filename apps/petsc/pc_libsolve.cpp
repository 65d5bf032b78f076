#include "pc_libsolve.hpp"

#include <libsolve/adapters/petsc/program/mat_entries.hpp>
#include <libsolve/adapters/petsc/program/mat_operator.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/large_array.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/linear_system.hpp>
#include <limits>

#include "options.hpp"

namespace libsolve_in_petsc {

namespace {

using Policy = Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<Index>>;

struct ClearSolid {
  Kokkos::View<const unsigned char*, MemSpace> solid;
  const double* r;
  double* out;
  KOKKOS_INLINE_FUNCTION void operator()(Index i) const { out[i] = solid(i) != 0 ? 0.0 : r[i]; }
};

struct SolveSolid {
  Kokkos::View<const unsigned char*, MemSpace> solid;
  const double* excess;
  const double* b;
  double* x;
  KOKKOS_INLINE_FUNCTION void operator()(Index i) const {
    if (solid(i) != 0) x[i] = b[i] / excess[i];
  }
};

}  // namespace

void solve_solid(const StencilOperator& A, const Vector& b, const Vector& x) {
  const StencilOperator::Variable& v = A.variable();
  Kokkos::parallel_for("libsolve_in_petsc::solve_solid", Policy(0, x.local_size()),
                       SolveSolid{v.solid, v.excess.data(), b.data(), x.data()});
}

void clear_solid(const StencilOperator& A, const Vector& r, const Vector& out) {
  Kokkos::parallel_for("libsolve_in_petsc::clear_solid", Policy(0, out.local_size()),
                       ClearSolid{A.variable().solid, r.data(), out.data()});
}

namespace {

using petsc::check;
using petsc::OpenVec;
using Likeness = petsc::GridMatrix::Likeness;

/// Methods that take nothing but grid operators: entries are not tried.
bool is_for_grids(const std::string& method) {
  return method == "multigrid" || method == "hypre-pfmg";
}

struct PcState final : Held {
  Choice choice = {.kind = Preconditioner::kind, .family = "pc_libsolve_", .method = "multigrid"};
  std::unique_ptr<Preconditioner> M;
  std::string made_as;  ///< method and options of M
  std::shared_ptr<const LinearOperator> A;
  petsc::GridMatrix grid;  ///< where A is one
  Partition rows;
  Vector without_solid;               ///< r with 0 at rows that stand for themselves
  std::string how;                    ///< what M works on, for the view
  PetscObjectState matrix_state = 0;  ///< of the matrix that was set up for
  bool has_failed = false;

  void release() override {
    M.reset();
    made_as.clear();
    A.reset();
    grid = {};
    without_solid = Vector();
    rows = Partition();
  }
  void set_up(PC pc);
  void apply(Vec r, Vec z);

 private:
  /// M for the operator `at`, one of "petsc", "csr", "grid"; "" or why not.
  std::string try_on(PC pc, const std::string& at);
};

PcState& state(PC pc) {
  return *static_cast<PcState*>(pc->data);
}

std::string PcState::try_on(PC pc, const std::string& at) {
  A.reset();
  grid = {};
  if (at == "petsc") {
    A = std::make_shared<petsc::MatOperator>(pc->pmat);
    how = "the matrix as it is (MatMult)";
  } else if (at == "csr") {
    A = petsc::csr_matrix(pc->pmat);
    if (A == nullptr)
      return "its entries cannot be had: the matrix is none of type aij on one rank; use "
             "-pc_type bjacobi or asm and -sub_pc_type libsolve on several";
    how = "the entries of the matrix, in place";
  } else {
    grid = petsc::grid_matrix(pc->pmat, pc->dm);
    if (grid.A == nullptr) return grid.reason;
    A = grid.A;
    how = "a grid operator (" + grid.how + "): " + A->description();
    if (grid.likeness == Likeness::without_solid) how += ", rows without couplings apart";
  }
  // Scratch: set-up reads no right-hand side.
  const Vector nothing(
      bare_array<double>("pc_libsolve::nothing", static_cast<size_t>(rows.local_size())), rows);
  LinearSystem system(A, nothing, nothing);
  system.null_space = petsc::null_space_of(pc->pmat, rows);
  if (grid.A != nullptr) system.grid = grid.A->grid();
  try {
    M->setup(system);
  } catch (const Unsupported& e) {
    return e.what();
  }
  return {};
}

void PcState::set_up(PC pc) {
  has_failed = false;
  check(PetscObjectStateGet(object_of(pc->pmat), &matrix_state));
  PetscInt m = 0;
  check(MatGetLocalSize(pc->pmat, &m, nullptr));
  rows = petsc::partition_over(object_of(pc->pmat), m);
  const std::string wanted = choice.view();
  if (M == nullptr || made_as != wanted) {
    ComponentSpec spec(choice.method);
    spec.options = choice.options;
    M = Session::get().context(object_of(pc)).make<Preconditioner>(spec);
    made_as = wanted;
  }

  std::vector<std::string> places = {choice.works_on};
  if (choice.works_on == "auto") {
    if (is_for_grids(choice.method))
      places = {"grid"};
    else
      places = {"petsc", "csr", "grid"};
  }
  std::string reasons;
  try {
    for (const std::string& at : places) {
      const std::string reason = try_on(pc, at);
      if (reason.empty()) {
        without_solid =
            grid.A != nullptr && !grid.A->is_constant() && grid.A->variable().solid.extent(0) > 0
                ? Vector(bare_array<double>("pc_libsolve::r", static_cast<size_t>(m)), rows)
                : Vector();
        return;
      }
      reasons += (reasons.empty() ? "" : "; ") +
                 (at == "grid" ? "as a grid operator: " : std::string()) + reason;
    }
  } catch (const NumericalError& e) {
    // PETSc's way: the KSP ends with KSP_DIVERGED_PC_FAILED.
    if (pc->erroriffailure == PETSC_TRUE) throw;
    check(PetscInfo(pc, "libsolve: %s\n", e.what()));
    has_failed = true;
    pc->failedreason = PC_SETUP_ERROR;
    return;
  }
  M.reset();
  A.reset();
  std::string advice;
  if (is_for_grids(choice.method))
    advice =
        "; it needs a matrix on a structured grid: give the KSP a DMDA with one unknown a point "
        "(KSPSetDM), or number the points row by row, x fastest. For other matrices use "
        "-pc_libsolve_method ic0, or -pc_type gamg";
  throw Unsupported("-pc_libsolve_method " + choice.method + ": " + reasons + advice);
}

void PcState::apply(Vec r, Vec z) {
  if (has_failed || M == nullptr) {
    check(VecSetInf(z));
    return;
  }
  const OpenVec in(r, rows, OpenVec::Access::read);
  OpenVec out(z, rows, OpenVec::Access::write);
  if (without_solid.data() == nullptr) {
    M->apply(in.vector(), out.vector());
  } else {
    // Rows that stand for themselves: z_i = r_i / a_ii; the grid sees nothing of them.
    clear_solid(*grid.A, in.vector(), without_solid);
    M->apply(without_solid, out.vector());
    solve_solid(*grid.A, in.vector(), out.vector());
  }
  out.close();
}

// ---- What PETSc calls ---------------------------------------------------------------------------

PetscErrorCode setup(PC pc) {
  return guarded(object_of(pc), "PCSetUp_libsolve", [&] { state(pc).set_up(pc); });
}
PetscErrorCode apply(PC pc, Vec r, Vec z) {
  return guarded(object_of(pc), "PCApply_libsolve", [&] { state(pc).apply(r, z); });
}
PetscErrorCode apply_transpose(PC pc, Vec r, Vec z) {
  return guarded(object_of(pc), "PCApplyTranspose_libsolve", [&] {
    PcState& s = state(pc);
    if (s.M != nullptr && !s.M->is_symmetric())
      throw Unsupported("the preconditioner '" + s.choice.method +
                        "' of libsolve's is not symmetric and has no transpose");
    s.apply(r, z);
  });
}
PetscErrorCode reset(PC pc) {
  return guarded(object_of(pc), "PCReset_libsolve", [&] { state(pc).release(); });
}
PetscErrorCode destroy(PC pc) {
  return guarded(object_of(pc), "PCDestroy_libsolve", [&] {
    delete static_cast<PcState*>(pc->data);
    pc->data = nullptr;
  });
}
template <class Items>
PetscErrorCode set_from_options(PC pc, Items items) {
  return choice_from_options(object_of(pc), "libsolve preconditioner options", state(pc).choice,
                             items);
}
PetscErrorCode view(PC pc, PetscViewer viewer) {
  PetscBool is_ascii = PETSC_FALSE;
  PetscFunctionBegin;
  PetscCall(PetscObjectTypeCompare(object_of(viewer), PETSCVIEWERASCII, &is_ascii));
  if (is_ascii == PETSC_FALSE) PetscFunctionReturn(PETSC_SUCCESS);
  const PcState& s = state(pc);
  PetscCall(guarded(object_of(pc), "PCView_libsolve", [&] {
    check(PetscViewerASCIIPrintf(viewer, "%s", s.choice.view().c_str()));
    if (s.M == nullptr || s.A == nullptr) return;
    check(PetscViewerASCIIPrintf(viewer, "  works on %s\n", s.how.c_str()));
    for (const std::string& note : s.M->notes())
      check(PetscViewerASCIIPrintf(viewer, "  %s\n", note.c_str()));
    check(PetscViewerASCIIPrintf(viewer, "  memory: %.3g MB\n", 1e-6 * s.M->memory_bytes()));
  }));
  PetscFunctionReturn(PETSC_SUCCESS);
}

bool is_ours(PC pc) {
  return pc != nullptr && pc->ops->apply == apply;
}

}  // namespace

PetscErrorCode create_pc(PC pc) {
  return guarded(object_of(pc), "PCCreate_libsolve", [&] {
    (void)Session::get();
    pc->data = new PcState;
    pc->ops->setup = setup;
    pc->ops->apply = apply;
    pc->ops->applytranspose = apply_transpose;
    pc->ops->reset = reset;
    pc->ops->destroy = destroy;
    pc->ops->setfromoptions = set_from_options;
    pc->ops->view = view;
  });
}

Preconditioner* inner_preconditioner(PC pc, bool is_zero_at_solid) {
  if (!is_ours(pc)) return nullptr;
  const PcState& s = state(pc);
  const bool needs_step = s.without_solid.data() != nullptr && !is_zero_at_solid;
  return s.has_failed || needs_step ? nullptr : s.M.get();
}

SharedGrid shared_grid(PC pc) {
  if (!is_ours(pc) || pc->mat != pc->pmat) return {};
  const PcState& s = state(pc);
  // Without a new set-up the PC may stay that of an earlier matrix: the operator may not.
  PetscObjectState now = 0;
  check(PetscObjectStateGet(object_of(pc->mat), &now));
  if (now != s.matrix_state || s.grid.likeness == Likeness::approximate) return {};
  return {s.grid.A, s.grid.likeness == Likeness::exact};
}

}  // namespace libsolve_in_petsc
