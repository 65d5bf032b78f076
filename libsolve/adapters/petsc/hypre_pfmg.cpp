#include <libsolve/adapters/petsc/detail/hypre_pfmg.hpp>
#include <libsolve/adapters/petsc/detail/session.hpp>
#include <libsolve/core/config.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/core/vector_kernels.hpp>

#if LIBSOLVE_HAVE_HYPRE
#include <HYPRE_struct_ls.h>
#include <HYPRE_utilities.h>
// What hypre's own conjugate gradients are made of.
#include <_hypre_struct_ls.h>
#include <mpi.h>

#include <cmath>

namespace libsolve::petsc::detail {

namespace {

/// hypre gathers error bits; they are taken and cleared. Its "did not converge" is none here: one
/// cycle with tolerance 0 never does.
void check(const std::string& doing) {
  const HYPRE_Int code = HYPRE_GetError();
  if (code == 0) return;
  HYPRE_ClearAllErrors();
  if ((code & ~HYPRE_ERROR_CONV) == 0) return;
  char text[256] = {};
  HYPRE_DescribeError(code, text);
  throw BackendError(doing + ": hypre error " + std::to_string(code) + ": " + text);
}

/// A vector on hypre's grid.
class StructVector {
 public:
  StructVector() = default;
  ~StructVector() { clear(); }
  StructVector(const StructVector&) = delete;
  StructVector& operator=(const StructVector&) = delete;

  void create(MPI_Comm comm, HYPRE_StructGrid grid) {
    clear();
    HYPRE_StructVectorCreate(comm, grid, &v);
    HYPRE_StructVectorInitialize(v);
    HYPRE_StructVectorAssemble(v);
  }
  void clear() {
    if (v != nullptr) HYPRE_StructVectorDestroy(v);
    v = nullptr;
  }
  HYPRE_StructVector v = nullptr;
};

class HyprePfmg final : public Solver {
 public:
  explicit HyprePfmg(const PfmgSettings& settings) : settings_(settings) {
    // hypre needs MPI and, when PETSc uses it too, one life: PETSc's.
    bring_up();
    HYPRE_Init();
  }
  ~HyprePfmg() override { clear(); }

  void setup(const LinearSystem& system) override {
    setup_preconditioner(system);
    const double before = heap_bytes();
    for (StructVector* v : {&x_, &r_, &p_, &z_, &q_}) v->create(comm_, grid_);
    // Products by A have their own communication and boxes.
    product_ = hypre_StructKrylovMatvecCreate(A_, p_.v);
    together(ranks_, [&] { check(settings_.asker + ": making vectors"); });
    all_bytes_ = pc_bytes_ + std::max(heap_bytes() - before, 5.0 * 8.0 * num_cells_);
  }
  void setup_preconditioner(const LinearSystem& system) override;
  InnerOutcome solve(const InnerTask& task, SolveWatch& watch) override;
  void apply(const Vector& r, const Vector& z) override;

  Counts take_counts() override { return std::exchange(counts_, {}); }
  double memory_bytes() const override { return std::max(all_bytes_, pc_bytes_); }
  double preconditioner_memory_bytes() const override { return pc_bytes_; }
  std::vector<Measure> metrics() const override { return {}; }
  std::vector<std::string> notes() const override { return notes_; }

 private:
  void create_grid(const GridPartition& parts);
  void fill_matrix(const StencilOperator& A);
  void set_values(HYPRE_StructVector v, const double* values) {
    HYPRE_StructVectorSetBoxValues(v, low_, high_, const_cast<double*>(values));
  }
  double dot(const StructVector& a, const StructVector& b) const {
    return hypre_StructKrylovInnerProd(a.v, b.v);
  }
  void multiply(const StructVector& a, StructVector& b) {
    counts_.operator_applications += 1.0;
    hypre_StructKrylovMatvec(product_, 1.0, A_, a.v, 0.0, b.v);
  }
  void cycle(HYPRE_StructVector r, HYPRE_StructVector z) {
    counts_.preconditioner_applications += 1.0;
    HYPRE_StructPFMGSolve(pfmg_, A_, r, z);
  }
  void clear();

  PfmgSettings settings_;
  Communicator ranks_;
  MPI_Comm comm_ = MPI_COMM_SELF;
  HYPRE_StructGrid grid_ = nullptr;
  HYPRE_StructStencil stencil_ = nullptr;
  HYPRE_StructMatrix A_ = nullptr;
  HYPRE_StructSolver pfmg_ = nullptr;
  void* product_ = nullptr;
  HYPRE_Int low_[3] = {0, 0, 0}, high_[3] = {0, 0, 0};  ///< of this rank's box
  int dimension_ = 3;
  double num_cells_ = 0.0;          ///< of this rank
  StructVector in_, out_;           ///< of apply()
  StructVector x_, r_, p_, z_, q_;  ///< of solve()
  HostNumbers host_in_, host_out_;
  std::optional<NullSpace> null_space_;
  std::vector<std::string> notes_;
  Counts counts_;
  double pc_bytes_ = 0.0, all_bytes_ = 0.0;
};

void HyprePfmg::clear() {
  for (StructVector* v : {&in_, &out_, &x_, &r_, &p_, &z_, &q_}) v->clear();
  if (product_ != nullptr) hypre_StructKrylovMatvecDestroy(product_);
  if (pfmg_ != nullptr) HYPRE_StructPFMGDestroy(pfmg_);
  if (A_ != nullptr) HYPRE_StructMatrixDestroy(A_);
  if (stencil_ != nullptr) HYPRE_StructStencilDestroy(stencil_);
  if (grid_ != nullptr) HYPRE_StructGridDestroy(grid_);
  product_ = nullptr;
  pfmg_ = nullptr;
  A_ = nullptr;
  stencil_ = nullptr;
  grid_ = nullptr;
  notes_.clear();
  counts_ = {};
  pc_bytes_ = all_bytes_ = 0.0;
}

void HyprePfmg::create_grid(const GridPartition& parts) {
  ranks_ = parts.communicator();
  comm_ = mpi_comm(ranks_);
  // PFMG coarsens in two or three dimensions.
  dimension_ = parts.grid().cells[2] > 1 ? 3 : 2;
  for (size_t a = 0; a < 3; ++a) {
    low_[a] = parts.own().begin[a];
    high_[a] = parts.own().end[a] - 1;
  }
  num_cells_ = static_cast<double>(parts.own().num_cells());
  HYPRE_StructGridCreate(comm_, dimension_, &grid_);
  HYPRE_StructGridSetExtents(grid_, low_, high_);
  HYPRE_StructGridAssemble(grid_);
}

/// The operator with the faces between this rank's box and the next ones: itself on one rank.
std::shared_ptr<const StencilOperator> with_next_cells(const StencilOperator& A) {
  Box box = A.grid_partition().own();
  for (size_t a = 0; a < 3; ++a) box.end[a] = std::min(box.end[a] + 1, A.grid().cells[a]);
  return A.on_box(box);
}

/// Diagonal and the couplings to the next cell along each axis; the others by symmetry.
void HyprePfmg::fill_matrix(const StencilOperator& A) {
  HYPRE_StructStencilCreate(dimension_, dimension_ + 1, &stencil_);
  for (int e = 0; e <= dimension_; ++e) {
    HYPRE_Int offset[3] = {0, 0, 0};
    if (e > 0) offset[e - 1] = 1;
    HYPRE_StructStencilSetElement(stencil_, e, offset);
  }
  HYPRE_StructMatrixCreate(comm_, grid_, stencil_, &A_);
  HYPRE_StructMatrixSetSymmetric(A_, 1);
  HYPRE_StructMatrixInitialize(A_);

  const Vector d("pfmg::diagonal", A.row_partition());
  (void)A.diagonal(d);
  const auto diagonal = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), d.view());
  HYPRE_Int entry = 0;
  HYPRE_StructMatrixSetBoxValues(A_, low_, high_, 1, &entry, diagonal.data());

  const std::array<Index, 3>& n = A.grid().cells;
  const Box& own = A.grid_partition().own();
  std::shared_ptr<const StencilOperator> wider;  // has the faces to the next rank's cells
  if (!A.is_constant() && ranks_.size() > 1) wider = with_next_cells(A);
  const StencilOperator& source = wider ? *wider : A;
  const auto stride = static_cast<size_t>(source.grid().cells[0]);
  const size_t plane = stride * static_cast<size_t>(source.grid().cells[1]);
  std::vector<double> values(static_cast<size_t>(own.cells(0)) * own.cells(1));
  for (int a = 0; a < dimension_; ++a) {
    entry = a + 1;
    Kokkos::View<const double*, Kokkos::HostSpace> faces;
    if (!A.is_constant())
      faces = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), source.variable().face[a]);
    const double T = A.is_constant() ? A.constant().coupling[a] : 0.0;
    for (Index k = 0; k < own.cells(2); ++k) {
      size_t c = 0;
      for (Index j = 0; j < own.cells(1); ++j)
        for (Index i = 0; i < own.cells(0); ++i) {
          const std::array<Index, 3> at = {i, j, k};
          const bool last = own.begin[a] + at[a] + 1 == n[a];
          const double face = A.is_constant()       ? T
                              : faces.extent(0) > 0 ? faces(i + stride * j + plane * k)
                                                    : 0.0;
          values[c++] = last ? 0.0 : -face;
        }
      HYPRE_Int from[3] = {low_[0], low_[1], low_[2] + k};
      HYPRE_Int to[3] = {high_[0], high_[1], low_[2] + k};
      HYPRE_StructMatrixSetBoxValues(A_, from, to, 1, &entry, values.data());
    }
  }
  HYPRE_StructMatrixAssemble(A_);
}

void HyprePfmg::setup_preconditioner(const LinearSystem& system) {
  clear();
  const auto* A = dynamic_cast<const StencilOperator*>(&system.A());
  if (A == nullptr)
    throw Unsupported(
        settings_.asker + " needs a stencil on a structured grid, and the operator is " +
        system.A().description() + " (" + std::to_string(system.A().num_rows()) + " x " +
        std::to_string(system.A().num_columns()) + "); use hypre-boomeramg for matrices");
  null_space_ = system.null_space;
  const double before = heap_bytes();
  create_grid(A->grid_partition());
  fill_matrix(*A);
  in_.create(comm_, grid_);
  out_.create(comm_, grid_);
  host_in_.allocate(system.b());
  host_out_.allocate(system.x());

  // Averaged 7-point coarse operators with red-black sweeps are the faster ones for smooth
  // coefficients, Galerkin products with weighted Jacobi the safer ones for jumps.
  const auto chosen = [&](const std::string& option, const char* smooth, const char* jumps) {
    return option != "auto" ? option : std::string(A->is_constant() ? smooth : jumps);
  };
  const std::string coarse = chosen(settings_.coarse_operator, "non-galerkin", "galerkin");
  const std::string smoother = chosen(settings_.smoother, "red-black", "jacobi");
  HYPRE_StructPFMGCreate(comm_, &pfmg_);
  HYPRE_StructPFMGSetMaxIter(pfmg_, 1);
  HYPRE_StructPFMGSetTol(pfmg_, 0.0);
  HYPRE_StructPFMGSetZeroGuess(pfmg_);
  HYPRE_StructPFMGSetRAPType(pfmg_, coarse == "non-galerkin" ? 1 : 0);
  HYPRE_StructPFMGSetRelaxType(pfmg_, smoother == "red-black" ? 2 : 1);
  HYPRE_StructPFMGSetNumPreRelax(pfmg_, settings_.sweeps);
  HYPRE_StructPFMGSetNumPostRelax(pfmg_, settings_.sweeps);
  HYPRE_StructPFMGSetSkipRelax(pfmg_, settings_.skip_relax ? 1 : 0);
  HYPRE_StructPFMGSetLogging(pfmg_, 0);
  HYPRE_StructPFMGSetup(pfmg_, A_, in_.v, out_.v);
  together(ranks_, [&] { check(settings_.asker + ": setting up"); });
  notes_ = {"hypre PFMG: " + coarse + " coarse operators, " + smoother + " sweeps, one thread"};
  pc_bytes_ = std::max(heap_bytes() - before, 16.0 * num_cells_);
}

void HyprePfmg::apply(const Vector& r, const Vector& z) {
  set_values(in_.v, host_in_.read(r));
  HYPRE_StructVectorSetConstantValues(out_.v, 0.0);
  cycle(in_.v, out_.v);
  HYPRE_StructVectorGetBoxValues(out_.v, low_, high_, host_out_.write(z));
  host_out_.publish(z);
  if (null_space_) null_space_->project_out(z);
  check(settings_.asker + ": applying");
}

/// Step for step what HYPRE_StructPCG does with the 2-norm; here, because the monitor is to see
/// each step.
InnerOutcome HyprePfmg::solve(const InnerTask& task, SolveWatch& watch) {
  InnerOutcome out;
  set_values(x_.v, host_out_.read(task.x));
  set_values(r_.v, host_in_.read(task.r));
  const auto finish = [&](Status status, std::string reason = {}) {
    HYPRE_StructVectorGetBoxValues(x_.v, low_, high_, host_out_.write(task.x));
    host_out_.publish(task.x);
    together(ranks_, [&] { check(settings_.asker + ": solving"); });
    out.status = status;
    out.reason = std::move(reason);
    return out;
  };
  double rho = 0.0;
  for (;;) {
    const std::string at = " at iteration " + std::to_string(watch.before() + out.iterations + 1);
    // z = M r, p = z + beta p
    HYPRE_StructVectorSetConstantValues(z_.v, 0.0);
    cycle(r_.v, z_.v);
    const double rz = dot(r_, z_);
    if (!std::isfinite(rz)) return finish(Status::non_finite, "r^T M r = " + short_number(rz) + at);
    if (!(rz > 0.0))
      return finish(Status::breakdown, "r^T M r = " + short_number(rz) + at +
                                           ": PFMG is not positive definite on this system");
    if (out.iterations == 0) {
      hypre_StructKrylovCopyVector(z_.v, p_.v);
    } else {
      hypre_StructKrylovScaleVector(rz / rho, p_.v);
      hypre_StructKrylovAxpy(1.0, z_.v, p_.v);
    }
    rho = rz;
    // q = A p, x += alpha p, r -= alpha q
    multiply(p_, q_);
    const double pq = dot(p_, q_);
    if (!(pq > 0.0))
      return finish(
          std::isfinite(pq) ? Status::breakdown : Status::non_finite,
          "p^T A p = " + short_number(pq) + at + ": the operator is not positive definite");
    hypre_StructKrylovAxpy(rho / pq, p_.v, x_.v);
    hypre_StructKrylovAxpy(-rho / pq, q_.v, r_.v);
    ++out.iterations;
    const double norm = std::sqrt(dot(r_, r_));
    if (!watch.observe(out.iterations, norm)) return finish(Status::interrupted);
    if (!std::isfinite(norm)) return finish(Status::non_finite, "the residual norm is NaN" + at);
    if (norm <= task.tolerance) return finish(Status::converged);
    if (norm > 1e10 * task.residual_norm)
      return finish(Status::diverged, "the residual norm grew to " + short_number(norm) + at);
    if (out.iterations >= task.max_iterations) return finish(Status::max_iterations);
  }
}

}  // namespace

std::unique_ptr<Solver> make_hypre_pfmg(const PfmgSettings& settings) {
  return std::make_unique<HyprePfmg>(settings);
}

std::string hypre_version() {
  return "hypre " HYPRE_RELEASE_VERSION;
}

}  // namespace libsolve::petsc::detail

#else

namespace libsolve::petsc::detail {

std::unique_ptr<Solver> make_hypre_pfmg(const PfmgSettings& settings) {
  throw Unsupported(settings.asker +
                    " needs hypre's headers, and this libsolve was built without them: configure "
                    "again where hypre is found (LIBSOLVE_ENABLE_HYPRE=ON says why it is not)");
}

std::string hypre_version() {
  return {};
}

}  // namespace libsolve::petsc::detail
#endif
