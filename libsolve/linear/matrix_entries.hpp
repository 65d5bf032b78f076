#pragma once

#include <libsolve/linear/csr_matrix.hpp>
#include <memory>
#include <vector>

namespace libsolve {

/// One entry a_ij of a sparse matrix, from 0.
struct MatrixEntry {
  Index row = 0;
  Index column = 0;
  double value = 0.0;
};

/// The matrix with these entries, in any order; entries at the same place are summed in the order
/// given. Throws DataError for indices out of range and values that are not finite. Cost O(n + nnz)
/// on the host, plus the sorting of each row.
LIBSOLVE_EXPORT std::shared_ptr<CsrMatrix> make_csr_matrix(GlobalIndex num_rows,
                                                           GlobalIndex num_columns,
                                                           const std::vector<MatrixEntry>& entries);

/// This rank's rows of such a matrix: entries whose row is among `rows`, rows and columns counted
/// over all ranks. Collective.
LIBSOLVE_EXPORT std::shared_ptr<CsrMatrix> make_csr_matrix(const Partition& rows,
                                                           const Partition& columns,
                                                           const std::vector<MatrixEntry>& entries);

/// Rows in nearly equal parts over the ranks. Collective.
LIBSOLVE_EXPORT Partition even_partition(const Communicator& comm, GlobalIndex global_size);

}  // namespace libsolve
