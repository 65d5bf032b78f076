#include <petsc/private/petscimpl.h>

#include <cmath>
#include <libsolve/adapters/petsc/program/mat_operator.hpp>
#include <libsolve/core/random_vector.hpp>
#include <libsolve/core/vector_kernels.hpp>

namespace libsolve::petsc {

namespace {
bool has_operation(Mat A, MatOperation operation) {
  PetscBool has = PETSC_FALSE;
  check(MatHasOperation(A, operation, &has));
  return has == PETSC_TRUE;
}
}  // namespace

MatOperator::MatOperator(Mat A, bool transposed) : transposed_(transposed) {
  PetscInt m = 0, n = 0;
  check(MatGetLocalSize(A, &m, &n));
  const auto object = reinterpret_cast<PetscObject>(A);
  rows_ = partition_over(object, m);
  columns_ = partition_over(object, n);
  if (transposed_) std::swap(rows_, columns_);
  Vec right = nullptr, left = nullptr;
  check(MatCreateVecs(A, &right, &left));
  right_.create(right);
  left_.create(left);
  check(VecDestroy(&right));
  check(VecDestroy(&left));
  check(PetscObjectReference(object));
  A_ = A;
}

MatOperator::~MatOperator() {
  if (A_ != nullptr && detail::is_up()) (void)MatDestroy(&A_);
}

void MatOperator::set_dm(DM dm) {
  left_.set_dm(dm);
  right_.set_dm(dm);
}

void MatOperator::multiply(const Vector& x, const Vector& y, bool transpose) const {
  LentVec& in = transpose ? left_ : right_;
  LentVec& out = transpose ? right_ : left_;
  Vec from = in.lend(x);
  Vec to = out.lend_for_result(y);
  check(transpose ? MatMultTranspose(A_, from, to) : MatMult(A_, from, to));
  in.take_back();
  out.take_back();
}

void MatOperator::apply(const Vector& x, const Vector& y) const {
  multiply(x, y, transposed_);
}

void MatOperator::apply_adjoint(const Vector& x, const Vector& y) const {
  const bool transpose = !transposed_;
  if (!transpose || has_operation(A_, MATOP_MULT_TRANSPOSE)) return multiply(x, y, transpose);
  if (!is_symmetric())
    throw Unsupported("the product with the transpose of " + description() +
                      " was asked for, and the program gives none (MATOP_MULT_TRANSPOSE); use a "
                      "method without it: gmres, bicgstab");
  multiply(x, y, false);
}

bool MatOperator::diagonal(const Vector& d) const {
  if (!has_operation(A_, MATOP_GET_DIAGONAL)) return false;
  Vec to = left_.lend_for_result(d);
  check(MatGetDiagonal(A_, to));
  left_.take_back();
  return true;
}

bool MatOperator::looks_symmetric() const {
  // x^T (A y) = (A x)^T y for random x and y; what an unsymmetric matrix misses it by is of the
  // size of the products themselves, not of their rounding.
  constexpr double tolerance = 1e-10;
  const Vector x("petsc::probe", rows_), y = x.like("petsc::probe"), w = x.like("petsc::probe");
  fill_uniform(x, RandomStream(1, "petsc::symmetry_x"));
  fill_uniform(y, RandomStream(1, "petsc::symmetry_y"));
  multiply(y, w, false);
  const double xAy = dot(x, w);
  const double y_size = norm2(w) * norm2(x);
  multiply(x, w, false);
  const double yAx = dot(y, w);
  const double x_size = norm2(w) * norm2(y);
  return std::abs(xAy - yAx) <= tolerance * std::max(x_size, y_size);
}

bool MatOperator::is_symmetric() const {
  if (!(rows_ == columns_)) return false;
  PetscBool known = PETSC_FALSE, symmetric = PETSC_FALSE;
  check(MatIsSPDKnown(A_, &known, &symmetric));
  if (known == PETSC_TRUE && symmetric == PETSC_TRUE) return true;
  check(MatIsSymmetricKnown(A_, &known, &symmetric));
  if (known == PETSC_TRUE) return symmetric == PETSC_TRUE;
  PetscObjectState state = 0;
  check(PetscObjectStateGet(reinterpret_cast<PetscObject>(A_), &state));
  if (!looks_symmetric_ || state != looked_at_) {
    looks_symmetric_ = looks_symmetric();
    looked_at_ = state;
  }
  return *looks_symmetric_;
}

std::string MatOperator::description() const {
  MatType type = nullptr;
  check(MatGetType(A_, &type));
  const int size = rows_.communicator().size();
  return "PETSc matrix of type " + std::string(type != nullptr ? type : "none") + ", " +
         std::to_string(rows_.global_size()) + " x " + std::to_string(columns_.global_size()) +
         (size > 1 ? " on " + std::to_string(size) + " ranks" : "");
}

std::optional<NullSpace> null_space_of(Mat A, const Partition& rows) {
  MatNullSpace space = nullptr;
  check(MatGetNullSpace(A, &space));
  if (space == nullptr) return std::nullopt;
  PetscBool has_constant = PETSC_FALSE;
  PetscInt num = 0;
  const Vec* vectors = nullptr;
  check(MatNullSpaceGetVecs(space, &has_constant, &num, &vectors));
  if (has_constant == PETSC_TRUE) {
    if (num > 0) return std::nullopt;
    return NullSpace::constants(rows);
  }
  if (num == 0) return std::nullopt;

  // One vector a piece: constant where it is not 0, and nowhere over another.
  const auto n = static_cast<size_t>(rows.local_size());
  std::vector<Index> labels(n, -1);
  bool fits = true;
  for (PetscInt k = 0; k < num; ++k) {
    const PetscScalar* v = nullptr;
    check(VecGetArrayRead(vectors[k], &v));
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < n; ++i) {
      if (v[i] == 0.0) continue;
      low = std::min(low, v[i]);
      high = std::max(high, v[i]);
      if (labels[i] >= 0) fits = false;
      labels[i] = static_cast<Index>(k);
    }
    check(VecRestoreArrayRead(vectors[k], &v));
    double ends[] = {-low, high};
    rows.communicator().max(ends);
    if (!(ends[0] + ends[1] <= 1e-12 * std::abs(ends[1]))) fits = false;
  }
  if (rows.communicator().any(!fits)) return std::nullopt;
  const Kokkos::View<const Index*, Kokkos::HostSpace> host(labels.data(), n);
  const Kokkos::View<Index*, MemSpace> device("petsc::null_space_labels", n);
  Kokkos::deep_copy(device, host);
  return NullSpace(device, static_cast<Index>(num), rows);
}

}  // namespace libsolve::petsc
