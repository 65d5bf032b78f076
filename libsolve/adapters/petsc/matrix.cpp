#include <libsolve/adapters/narrow.hpp>
#include <libsolve/adapters/petsc/detail/matrix.hpp>
#include <numeric>

namespace libsolve::petsc::detail {

namespace {
PetscInt for_petsc(GlobalIndex count, const char* what) {
  return narrowed<PetscInt>(count, what, "PETSc");
}
}  // namespace

// ---- AijMatrix ----------------------------------------------------------------------------------

void AijMatrix::take_own(const std::vector<Index>& pinned, bool copy_values) {
  const auto nonzeros = static_cast<size_t>(
      for_petsc(static_cast<GlobalIndex>(ours_.values.extent(0)), "entries on a rank"));
  own_.row_pointers.assign(ours_.row_pointers.data(),
                           ours_.row_pointers.data() + ours_.num_rows + 1);
  if constexpr (sizeof(PetscInt) != sizeof(Index))
    own_.columns.assign(ours_.columns.data(), ours_.columns.data() + nonzeros);
  if (copy_values || !pinned.empty())
    own_.values.assign(ours_.values.data(), ours_.values.data() + nonzeros);
  for (const Index k : pinned)
    for (GlobalIndex e = ours_.begin(k); e < ours_.end(k); ++e)
      if (ours_.columns(e) == k) own_.values[static_cast<size_t>(e)] *= 2.0;
}

void AijMatrix::take_others(bool copy_values) {
  const CsrMatrix::OffRankEntries entries = kept_->off_rank_entries();
  (void)for_petsc(static_cast<GlobalIndex>(entries.values.size()), "entries on a rank");
  others_.row_pointers.assign(static_cast<size_t>(ours_.num_rows) + 1, 0);
  for (size_t r = 0; r < entries.rows.size(); ++r)
    others_.row_pointers[static_cast<size_t>(entries.rows[r]) + 1] =
        static_cast<PetscInt>(entries.first[r + 1] - entries.first[r]);
  std::partial_sum(others_.row_pointers.begin(), others_.row_pointers.end(),
                   others_.row_pointers.begin());
  others_.columns.assign(entries.columns.begin(), entries.columns.end());
  if (copy_values) others_.values.assign(entries.values.begin(), entries.values.end());
}

void AijMatrix::create(std::shared_ptr<const CsrMatrix> A, const std::vector<Index>& pinned,
                       bool copy_values) {
  clear();
  const PetscInt num_rows = for_petsc(A->num_rows(), "rows");
  const PetscInt num_columns = for_petsc(A->num_columns(), "columns");
  kept_ = std::move(A);
  ours_ = host_csr(*kept_);
  const Communicator& comm = kept_->row_partition().communicator();
  together(comm, [&] {
    take_own(pinned, copy_values);
    if (comm.size() > 1) take_others(copy_values);
  });

  // PETSc takes pointers to what it only reads.
  PetscInt* columns = own_.columns.data();
  if constexpr (sizeof(PetscInt) == sizeof(Index))
    columns = reinterpret_cast<PetscInt*>(const_cast<Index*>(ours_.columns.data()));
  double* values =
      own_.values.empty() ? const_cast<double*>(ours_.values.data()) : own_.values.data();
  const ErrorScope scope("making a matrix of PETSc's", comm);
  if (comm.size() == 1) {
    scope.check(MatCreateSeqAIJWithArrays(PETSC_COMM_SELF, num_rows, num_columns,
                                          own_.row_pointers.data(), columns, values, &mat_));
    return;
  }
  double* other_values = others_.values.empty()
                             ? const_cast<double*>(kept_->off_rank_entries().values.data())
                             : others_.values.data();
  scope.check(MatCreateMPIAIJWithSplitArrays(mpi_comm(comm), ours_.num_rows, ours_.num_columns,
                                             num_rows, num_columns, own_.row_pointers.data(),
                                             columns, values, others_.row_pointers.data(),
                                             others_.columns.data(), other_values, &mat_));
}

void AijMatrix::clear() {
  if (mat_ != nullptr && is_up()) (void)MatDestroy(&mat_);
  mat_ = nullptr;
  kept_.reset();
  ours_ = {};
  own_ = {};
  others_ = {};
}

double AijMatrix::Arrays::memory_bytes() const {
  return static_cast<double>(sizeof(PetscInt)) *
             static_cast<double>(row_pointers.size() + columns.size()) +
         8.0 * static_cast<double>(values.size());
}

double AijMatrix::memory_bytes() const {
  return own_.memory_bytes() + others_.memory_bytes();
}

// ---- ShellMatrix --------------------------------------------------------------------------------

void ShellMatrix::create(std::shared_ptr<const LinearOperator> A, Mat aij) {
  clear();
  A_ = std::move(A);
  aij_ = aij;
  x_ = BorrowedVector(A_->column_partition());
  y_ = BorrowedVector(A_->row_partition());
  const PetscInt num_rows = for_petsc(A_->num_rows(), "rows");
  const PetscInt num_columns = for_petsc(A_->num_columns(), "columns");
  const Communicator& comm = A_->row_partition().communicator();
  const ErrorScope scope("making a shell matrix of PETSc's", comm);
  scope.check(MatCreateShell(mpi_comm(comm), A_->row_partition().local_size(),
                             A_->column_partition().local_size(), num_rows, num_columns, this,
                             &mat_));
  scope.check(MatShellSetOperation(mat_, MATOP_MULT, LIBSOLVE_PETSC_FUNCTION(multiply)));
  scope.check(MatShellSetOperation(mat_, MATOP_MULT_TRANSPOSE,
                                   LIBSOLVE_PETSC_FUNCTION(multiply_transpose)));
  scope.check(
      MatShellSetOperation(mat_, MATOP_GET_DIAGONAL, LIBSOLVE_PETSC_FUNCTION(get_diagonal)));
  scope.check(MatSetVecType(mat_, VECSTANDARD));
}

void ShellMatrix::clear() {
  if (mat_ != nullptr && is_up()) (void)MatDestroy(&mat_);
  mat_ = nullptr;
  aij_ = nullptr;
  A_.reset();
}

PetscErrorCode ShellMatrix::apply(Vec x, Vec y, bool transpose) {
  count_ += 1.0;
  if (aij_ != nullptr) return transpose ? MatMultTranspose(aij_, x, y) : MatMult(aij_, x, y);
  const PetscScalar* from = nullptr;
  PetscScalar* to = nullptr;
  PetscErrorCode code = VecGetArrayRead(x, &from);
  if (code != PETSC_SUCCESS) return code;
  code = VecGetArrayWrite(y, &to);
  if (code != PETSC_SUCCESS) return code;
  try {
    BorrowedVector& in = transpose ? y_ : x_;
    BorrowedVector& out = transpose ? x_ : y_;
    const Vector v = in.read(from);
    const Vector w = out.write(to);
    if (transpose)
      A_->apply_adjoint(v, w);
    else
      A_->apply(v, w);
    out.publish(to);
  } catch (...) {
    return ErrorScope::keep_exception();
  }
  code = VecRestoreArrayWrite(y, &to);
  if (code != PETSC_SUCCESS) return code;
  return VecRestoreArrayRead(x, &from);
}

PetscErrorCode ShellMatrix::multiply(Mat shell, Vec x, Vec y) {
  ShellMatrix* self = nullptr;
  const PetscErrorCode code = MatShellGetContext(shell, &self);
  return code != PETSC_SUCCESS ? code : self->apply(x, y, false);
}

PetscErrorCode ShellMatrix::multiply_transpose(Mat shell, Vec x, Vec y) {
  ShellMatrix* self = nullptr;
  const PetscErrorCode code = MatShellGetContext(shell, &self);
  return code != PETSC_SUCCESS ? code : self->apply(x, y, true);
}

PetscErrorCode ShellMatrix::get_diagonal(Mat shell, Vec d) {
  ShellMatrix* self = nullptr;
  PetscErrorCode code = MatShellGetContext(shell, &self);
  if (code != PETSC_SUCCESS) return code;
  if (self->aij_ != nullptr) return MatGetDiagonal(self->aij_, d);
  PetscScalar* to = nullptr;
  code = VecGetArrayWrite(d, &to);
  if (code != PETSC_SUCCESS) return code;
  try {
    const Vector v = self->y_.write(to);
    if (!self->A_->diagonal(v))
      throw Unsupported(self->A_->description() + " has no diagonal to give, and PETSc needs it");
    self->y_.publish(to);
  } catch (...) {
    return ErrorScope::keep_exception();
  }
  return VecRestoreArrayWrite(d, &to);
}

}  // namespace libsolve::petsc::detail
