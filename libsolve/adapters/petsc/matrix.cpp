#include <libsolve/adapters/narrow.hpp>
#include <libsolve/adapters/petsc/detail/matrix.hpp>

namespace libsolve::petsc::detail {

namespace {
PetscInt for_petsc(GlobalIndex count, const char* what) {
  return narrowed<PetscInt>(count, what, "PETSc");
}
}  // namespace

// ---- AijMatrix ----------------------------------------------------------------------------------

void AijMatrix::create(std::shared_ptr<const CsrMatrix> A, const std::vector<Index>& pinned,
                       bool copy_values) {
  clear();
  const PetscInt m = for_petsc(A->num_rows(), "rows");
  const PetscInt n = for_petsc(A->num_columns(), "columns");
  const auto nonzeros = static_cast<size_t>(for_petsc(A->num_nonzeros(), "entries"));
  kept_ = std::move(A);
  arrays_ = host_csr(*kept_);
  row_pointers_.resize(static_cast<size_t>(m) + 1);
  for (size_t i = 0; i < row_pointers_.size(); ++i)
    row_pointers_[i] = static_cast<PetscInt>(arrays_.row_pointers(i));

  PetscInt* columns = nullptr;
  if constexpr (sizeof(PetscInt) == sizeof(Index)) {
    columns = reinterpret_cast<PetscInt*>(const_cast<Index*>(arrays_.columns.data()));
  } else {
    columns_.assign(arrays_.columns.data(), arrays_.columns.data() + nonzeros);
    columns = columns_.data();
  }
  double* values = const_cast<double*>(arrays_.values.data());  // PETSc only reads them
  if (copy_values || !pinned.empty()) {
    values_.assign(arrays_.values.data(), arrays_.values.data() + nonzeros);
    values = values_.data();
  }
  for (const Index k : pinned)
    for (GlobalIndex e = arrays_.begin(k); e < arrays_.end(k); ++e)
      if (arrays_.columns(e) == k) values_[static_cast<size_t>(e)] *= 2.0;

  const ErrorScope scope("making a matrix of PETSc's");
  scope.check(MatCreateSeqAIJWithArrays(PETSC_COMM_SELF, m, n, row_pointers_.data(), columns,
                                        values, &mat_));
}

void AijMatrix::clear() {
  if (mat_ != nullptr && is_up()) (void)MatDestroy(&mat_);
  mat_ = nullptr;
  kept_.reset();
  arrays_ = {};
  row_pointers_.clear();
  columns_.clear();
  values_.clear();
}

double AijMatrix::memory_bytes() const {
  return static_cast<double>(sizeof(PetscInt)) *
             static_cast<double>(row_pointers_.size() + columns_.size()) +
         8.0 * static_cast<double>(values_.size());
}

// ---- ShellMatrix --------------------------------------------------------------------------------

void ShellMatrix::create(std::shared_ptr<const LinearOperator> A, Mat aij) {
  clear();
  A_ = std::move(A);
  aij_ = aij;
  x_ = BorrowedVector(A_->column_partition());
  y_ = BorrowedVector(A_->row_partition());
  const PetscInt m = for_petsc(A_->num_rows(), "rows");
  const PetscInt n = for_petsc(A_->num_columns(), "columns");
  const ErrorScope scope("making a shell matrix of PETSc's");
  scope.check(MatCreateShell(PETSC_COMM_SELF, m, n, m, n, this, &mat_));
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
