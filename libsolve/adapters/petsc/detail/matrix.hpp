#pragma once

#include <libsolve/adapters/petsc/detail/session.hpp>
#include <libsolve/linear/assembled.hpp>
#include <libsolve/linear/linear_system.hpp>

namespace libsolve::petsc::detail {

/// A matrix of PETSc's over the arrays of a CsrMatrix, which it keeps alive: SEQAIJ, or on several
/// ranks MPIAIJ with the same rows on each.
class AijMatrix {
 public:
  AijMatrix() = default;
  ~AijMatrix() { clear(); }
  AijMatrix(const AijMatrix&) = delete;
  AijMatrix& operator=(const AijMatrix&) = delete;

  /// Columns and values are used in place where PETSc's index type and the memory allow; row
  /// pointers are copied (ours have 64 bits), and so are columns of other ranks, which PETSc
  /// renumbers. `pinned` rows of this rank get their diagonal doubled, in a copy of the values;
  /// `copy_values` asks for one, too. Collective.
  void create(std::shared_ptr<const CsrMatrix> A, const std::vector<Index>& pinned,
              bool copy_values);
  void clear();
  Mat mat() const { return mat_; }
  /// What was copied.
  double memory_bytes() const;

 private:
  /// PETSc's arrays; empty where ours serve.
  struct Arrays {
    std::vector<PetscInt> row_pointers = {}, columns = {};
    std::vector<double> values = {};
    double memory_bytes() const;
  };
  void take_own(const std::vector<Index>& pinned, bool copy_values);
  void take_others(bool copy_values);

  Mat mat_ = nullptr;
  std::shared_ptr<const CsrMatrix> kept_;
  HostCsr ours_;
  Arrays own_;     ///< entries in the rank's own columns
  Arrays others_;  ///< in those of other ranks
};

/// A MATSHELL that multiplies by a matrix of PETSc's or by an operator of ours, and counts.
class ShellMatrix {
 public:
  ShellMatrix() = default;
  ~ShellMatrix() { clear(); }
  ShellMatrix(const ShellMatrix&) = delete;
  ShellMatrix& operator=(const ShellMatrix&) = delete;

  /// `aij` null: products by the operator itself.
  void create(std::shared_ptr<const LinearOperator> A, Mat aij);
  void clear();
  Mat mat() const { return mat_; }
  double take_count() { return std::exchange(count_, 0.0); }

 private:
  static PetscErrorCode multiply(Mat shell, Vec x, Vec y);
  static PetscErrorCode multiply_transpose(Mat shell, Vec x, Vec y);
  static PetscErrorCode get_diagonal(Mat shell, Vec d);
  PetscErrorCode apply(Vec x, Vec y, bool transpose);

  Mat mat_ = nullptr;
  Mat aij_ = nullptr;
  std::shared_ptr<const LinearOperator> A_;
  BorrowedVector x_, y_;
  double count_ = 0.0;
};

}  // namespace libsolve::petsc::detail
