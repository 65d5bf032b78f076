#pragma once

#include <libsolve/linear/csr_matrix.hpp>
#include <memory>
#include <string>
#include <vector>

namespace libsolve {

/// A as a matrix with entries, for methods that need them: A itself where it is one, a grid
/// operator assembled (12 bytes an entry, some 90 a cell in 3D; a note says so). Throws Unsupported
/// for other operators, naming `asker` ("preconditioner 'ic0'") and what works without entries.
/// Collective.
LIBSOLVE_EXPORT std::shared_ptr<const CsrMatrix> with_entries(
    const std::shared_ptr<const LinearOperator>& A, const std::string& asker,
    std::vector<std::string>& notes);

/// The same for methods that look at the entries in the rank's own rows and columns alone: on
/// several ranks a note says that, too.
LIBSOLVE_EXPORT std::shared_ptr<const CsrMatrix> assembled(
    const std::shared_ptr<const LinearOperator>& A, const std::string& asker,
    std::vector<std::string>& notes);

/// The arrays of a matrix in compressed rows where the host reads them: the matrix's own or a copy.
/// On several ranks those of the rank's diagonal block.
struct HostCsr {
  Index num_rows = 0;
  Index num_columns = 0;
  Kokkos::View<const GlobalIndex*, Kokkos::HostSpace> row_pointers;
  Kokkos::View<const Index*, Kokkos::HostSpace> columns;
  Kokkos::View<const double*, Kokkos::HostSpace> values;

  GlobalIndex begin(Index i) const { return row_pointers(i); }
  GlobalIndex end(Index i) const { return row_pointers(i + 1); }
};
LIBSOLVE_EXPORT HostCsr host_csr(const CsrMatrix& A);

}  // namespace libsolve
