#include <libsolve/core/errors.hpp>
#include <libsolve/linear/assembled.hpp>
#include <libsolve/linear/operator_forms.hpp>

namespace libsolve {

std::shared_ptr<const CsrMatrix> with_entries(const std::shared_ptr<const LinearOperator>& A,
                                              const std::string& asker,
                                              std::vector<std::string>& notes) {
  auto matrix = std::dynamic_pointer_cast<const CsrMatrix>(A);
  if (!matrix) {
    const auto* stencil = dynamic_cast<const StencilOperator*>(A.get());
    const auto* forms = dynamic_cast<const OperatorForms*>(A.get());
    if (stencil == nullptr && forms == nullptr)
      throw Unsupported(asker + " needs the entries of the matrix, and " + A->description() +
                        " has none to offer; use 'jacobi' or 'chebyshev', which need only the "
                        "diagonal, or pass an assembled matrix");
    matrix = stencil != nullptr ? stencil->assemble() : forms->entries();
    const double bytes = A->row_partition().communicator().sum(matrix->memory_bytes());
    notes.push_back(asker + " needs entries: the grid operator was assembled (" +
                    std::to_string(static_cast<long>(bytes / 1e6)) +
                    " MB); 'multigrid' and 'chebyshev' work without");
  }
  return matrix;
}

std::shared_ptr<const CsrMatrix> assembled(const std::shared_ptr<const LinearOperator>& A,
                                           const std::string& asker,
                                           std::vector<std::string>& notes) {
  auto matrix = with_entries(A, asker, notes);
  const int ranks = A->row_partition().communicator().size();
  if (ranks > 1)
    notes.push_back(asker + " works on the rows and columns of each rank alone: with " +
                    std::to_string(ranks) +
                    " ranks it is weaker than on one; 'jacobi', 'chebyshev' and 'multigrid' are "
                    "the same for any number");
  return matrix;
}

HostCsr host_csr(const CsrMatrix& A) {
  using Kokkos::create_mirror_view_and_copy;
  const Kokkos::HostSpace host;
  return {A.row_partition().local_size(), A.column_partition().local_size(),
          create_mirror_view_and_copy(host, A.row_pointers()),
          create_mirror_view_and_copy(host, A.columns()),
          create_mirror_view_and_copy(host, A.values())};
}

}  // namespace libsolve
