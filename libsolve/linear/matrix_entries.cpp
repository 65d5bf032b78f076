#include <libsolve/core/errors.hpp>
#include <libsolve/linear/matrix_entries.hpp>
#include <string>

namespace libsolve {

std::shared_ptr<CsrMatrix> make_csr_matrix(GlobalIndex num_rows, GlobalIndex num_columns,
                                           const std::vector<MatrixEntry>& entries) {
  const Partition rows(num_rows);  // ShapeError beyond 2^31 - 1
  Kokkos::View<GlobalIndex*, Kokkos::HostSpace> row_pointers(
      "csr::row_pointers", static_cast<size_t>(rows.local_size()) + 1);
  for (const MatrixEntry& e : entries) {
    if (e.row < 0 || e.row >= num_rows)
      throw DataError("entry (" + std::to_string(e.row) + ", " + std::to_string(e.column) +
                      ") lies outside a matrix of " + std::to_string(num_rows) + " rows");
    ++row_pointers(e.row + 1);
  }
  for (Index i = 0; i < rows.local_size(); ++i) row_pointers(i + 1) += row_pointers(i);
  Kokkos::View<Index*, Kokkos::HostSpace> columns(
      Kokkos::view_alloc("csr::columns", Kokkos::WithoutInitializing), entries.size());
  Kokkos::View<double*, Kokkos::HostSpace> values(
      Kokkos::view_alloc("csr::values", Kokkos::WithoutInitializing), entries.size());
  std::vector<GlobalIndex> next(row_pointers.data(), row_pointers.data() + rows.local_size());
  for (const MatrixEntry& e : entries) {
    const GlobalIndex k = next[e.row]++;
    columns(k) = e.column;
    values(k) = e.value;
  }
  const MemSpace memory;
  return std::make_shared<CsrMatrix>(num_rows, num_columns,
                                     Kokkos::create_mirror_view_and_copy(memory, row_pointers),
                                     Kokkos::create_mirror_view_and_copy(memory, columns),
                                     Kokkos::create_mirror_view_and_copy(memory, values));
}

}  // namespace libsolve
