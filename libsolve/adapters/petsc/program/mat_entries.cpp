#include <libsolve/adapters/narrow.hpp>
#include <libsolve/adapters/petsc/program/mat_entries.hpp>

namespace libsolve::petsc {

// ---- AijRows ------------------------------------------------------------------------------------

AijRows::AijRows(Mat A) {
  const auto object = reinterpret_cast<PetscObject>(A);
  PetscBool is_seq = PETSC_FALSE, is_mpi = PETSC_FALSE;
  check(PetscObjectBaseTypeCompareAny(object, &is_seq, MATSEQAIJ, ""));
  check(PetscObjectBaseTypeCompareAny(object, &is_mpi, MATMPIAIJ, ""));
  if (is_seq == PETSC_FALSE && is_mpi == PETSC_FALSE) return;
  check(MatGetLocalSize(A, &num_rows_, &num_columns_));
  check(MatGetOwnershipRangeColumn(A, &first_column_, nullptr));
  own_mat_ = A;
  if (is_mpi == PETSC_TRUE) {
    check(MatMPIAIJGetSeqAIJ(A, &own_mat_, &others_mat_, &global_columns_));
    check(MatGetSize(others_mat_, nullptr, &num_others_));
  }
  read(own_mat_, own_);
  if (others_mat_ != nullptr) read(others_mat_, others_);
  is_aij_ = true;
}

AijRows::~AijRows() {
  if (!is_aij_ || !detail::is_up()) return;
  release(own_mat_, own_);
  if (others_mat_ != nullptr) release(others_mat_, others_);
}

void AijRows::read(Mat block, Block& to) {
  PetscInt n = 0;
  PetscBool done = PETSC_FALSE;
  check(MatGetRowIJ(block, 0, PETSC_FALSE, PETSC_FALSE, &n, &to.first, &to.columns, &done));
  if (done == PETSC_FALSE) throw Unsupported("a matrix of type aij does not show its entries");
  check(MatSeqAIJGetArrayRead(block, &to.values));
}

void AijRows::release(Mat block, Block& from) {
  PetscInt n = 0;
  PetscBool done = PETSC_FALSE;
  (void)MatSeqAIJRestoreArrayRead(block, &from.values);
  (void)MatRestoreRowIJ(block, 0, PETSC_FALSE, PETSC_FALSE, &n, &from.first, &from.columns, &done);
}

// ---- Compressed rows ----------------------------------------------------------------------------

std::shared_ptr<const CsrMatrix> csr_matrix(Mat A) {
  const AijRows rows(A);
  PetscMPIInt size = 1;
  if (MPI_Comm_size(PetscObjectComm(reinterpret_cast<PetscObject>(A)), &size) != MPI_SUCCESS ||
      size > 1 || !rows.is_aij())
    return nullptr;
  const auto m = static_cast<size_t>(rows.num_rows());
  const AijRows::Block& block = rows.own();
  const auto nonzeros = static_cast<size_t>(m == 0 ? 0 : block.first[m]);

  using Kokkos::create_mirror_view_and_copy;
  const Kokkos::View<GlobalIndex*, Kokkos::HostSpace> first(
      Kokkos::view_alloc("petsc::row_pointers", Kokkos::WithoutInitializing), m + 1);
  for (size_t i = 0; i <= m; ++i) first(i) = m == 0 ? 0 : block.first[i];
  const Kokkos::View<const double*, Kokkos::HostSpace> values(block.values, nonzeros);
  const MemSpace memory;
  const auto make = [&](const Kokkos::View<const Index*, Kokkos::HostSpace>& columns) {
    return std::make_shared<CsrMatrix>(
        rows.num_rows(), rows.num_columns(), create_mirror_view_and_copy(memory, first),
        create_mirror_view_and_copy(memory, columns), create_mirror_view_and_copy(memory, values));
  };
  if constexpr (sizeof(PetscInt) == sizeof(Index)) {
    return make({reinterpret_cast<const Index*>(block.columns), nonzeros});
  } else {
    (void)narrowed<Index>(rows.num_columns(), "columns", "libsolve");
    const Kokkos::View<Index*, Kokkos::HostSpace> columns(
        Kokkos::view_alloc("petsc::columns", Kokkos::WithoutInitializing), nonzeros);
    for (size_t e = 0; e < nonzeros; ++e) columns(e) = static_cast<Index>(block.columns[e]);
    return make(columns);
  }
}

}  // namespace libsolve::petsc
