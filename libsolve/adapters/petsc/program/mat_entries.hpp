#pragma once

#include <libsolve/adapters/petsc/program/vectors.hpp>
#include <libsolve/linear/csr_matrix.hpp>
#include <libsolve/linear/stencil_operator.hpp>
#include <memory>
#include <string>

namespace libsolve::petsc {

/// The rows of this rank of an AIJ matrix, read in place while this object lives.
class AijRows {
 public:
  /// Not an AIJ matrix: is_aij() is false, and there is nothing to read.
  explicit AijRows(Mat A);
  ~AijRows();
  AijRows(const AijRows&) = delete;
  AijRows& operator=(const AijRows&) = delete;

  bool is_aij() const { return is_aij_; }
  /// Rows and columns of this rank; columns of others.
  struct Block {
    const PetscInt* first = nullptr;
    const PetscInt* columns = nullptr;
    const PetscScalar* values = nullptr;
  };
  PetscInt num_rows() const { return num_rows_; }
  PetscInt num_columns() const { return num_columns_; }
  PetscInt first_column() const { return first_column_; }
  const Block& own() const { return own_; }
  const Block& others() const { return others_; }  ///< columns through global_columns()
  const PetscInt* global_columns() const { return global_columns_; }
  bool has_others() const { return others_mat_ != nullptr; }
  PetscInt num_others() const { return num_others_; }  ///< columns of other ranks

 private:
  void read(Mat block, Block& to);
  void release(Mat block, Block& from);

  bool is_aij_ = false;
  Mat own_mat_ = nullptr, others_mat_ = nullptr;
  PetscInt num_rows_ = 0, num_columns_ = 0, first_column_ = 0, num_others_ = 0;
  Block own_, others_;
  const PetscInt* global_columns_ = nullptr;
};

/// `A` as a matrix of ours, on one rank: columns and values in place where the index widths and the
/// memory allow (row pointers are converted). It has to be made anew where the values have
/// changed, since its product runs on a layout of its own; its arrays are gone with A's. Null where
/// A is no AIJ matrix on one rank.
std::shared_ptr<const CsrMatrix> csr_matrix(Mat A);

/// What grid_matrix() found.
struct GridMatrix {
  std::shared_ptr<const StencilOperator> A;  ///< null: `reason` says why
  /// A is `mat` itself up to rounding, or without the couplings to rows with a diagonal entry alone
  /// (Dirichlet values kept as unknowns), which are its solid cells; or else an approximation: rows
  /// that sum up to less than 0 got the excess 0.
  enum class Likeness { exact, without_solid, approximate };
  Likeness likeness = Likeness::exact;
  std::string reason = {};
  std::string how = {};  ///< "DMDA 65 x 65", "band structure 65 x 65"
};

/// `mat` as an operator on the structured grid of grid_numbering(). Every coupling has to be
/// between neighbours along an axis, symmetric and not positive, and no row may sum up to less than
/// 0: then
///   faces T = -a_ij,  excess e_i = sum_j a_ij.
/// Collective, with the same answer on all ranks.
GridMatrix grid_matrix(Mat mat, DM dm);

}  // namespace libsolve::petsc
