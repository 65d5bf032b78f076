#pragma once

#include <libsolve/adapters/petsc/program/vectors.hpp>
#include <libsolve/core/linear_operator.hpp>
#include <libsolve/linear/null_space.hpp>
#include <optional>

namespace libsolve::petsc {

/// y = A x by a program's own Mat, of any type and on any number of ranks, without a copy of it:
/// MatMult, MatMultTranspose, MatGetDiagonal.
class MatOperator final : public LinearOperator {
 public:
  /// Keeps a reference to `A`. `transposed`: this is A^T.
  explicit MatOperator(Mat A, bool transposed = false);
  ~MatOperator() override;

  Mat mat() const { return A_; }
  /// For products of the program's own that ask their vectors for a DM.
  void set_dm(DM dm);

  const Partition& row_partition() const override { return rows_; }
  const Partition& column_partition() const override { return columns_; }
  void apply(const Vector& x, const Vector& y) const override;
  void apply_adjoint(const Vector& x, const Vector& y) const override;
  bool diagonal(const Vector& d) const override;
  /// What the program has declared (MatSetOption), else two products with random vectors tell, kept
  /// until the matrix changes.
  bool is_symmetric() const override;
  std::string description() const override;

 private:
  void multiply(const Vector& x, const Vector& y, bool transpose) const;
  bool looks_symmetric() const;

  Mat A_ = nullptr;
  bool transposed_ = false;
  Partition rows_, columns_;
  mutable LentVec left_, right_;  ///< of the range, of the domain of A_
  mutable std::optional<bool> looks_symmetric_;
  mutable PetscObjectState looked_at_ = 0;
};

/// The part of the null space set with MatSetNullSpace that ours can say: functions constant on
/// each of the pieces where one of the vectors is not zero. No value where there is none or it is
/// of another kind (then PETSc's own projection after each preconditioner has to do).
std::optional<NullSpace> null_space_of(Mat A, const Partition& rows);

}  // namespace libsolve::petsc
