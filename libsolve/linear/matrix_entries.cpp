#include <algorithm>
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

std::shared_ptr<CsrMatrix> make_csr_matrix(const Partition& rows, const Partition& columns,
                                           const std::vector<MatrixEntry>& entries) {
  if (rows.communicator().size() == 1)
    return make_csr_matrix(rows.global_size(), columns.global_size(), entries);
  Kokkos::View<GlobalIndex*, Kokkos::HostSpace> row_pointers(
      "csr::row_pointers", static_cast<size_t>(rows.local_size()) + 1);
  const auto local = [&](const MatrixEntry& e) { return e.row - rows.first_row(); };
  std::int64_t outside = 0;
  for (const MatrixEntry& e : entries) {
    if (local(e) < 0 || local(e) >= rows.local_size())
      ++outside;
    else
      ++row_pointers(local(e) + 1);
  }
  if (rows.communicator().sum(outside) != 0)
    throw DataError("a rank was given entries of a matrix in rows that are not its own");
  for (Index i = 0; i < rows.local_size(); ++i) row_pointers(i + 1) += row_pointers(i);
  Kokkos::View<GlobalIndex*, Kokkos::HostSpace> global_columns("csr::columns", entries.size());
  Kokkos::View<double*, Kokkos::HostSpace> values("csr::values", entries.size());
  std::vector<GlobalIndex> next(row_pointers.data(), row_pointers.data() + rows.local_size());
  for (const MatrixEntry& e : entries) {
    const GlobalIndex k = next[static_cast<size_t>(local(e))]++;
    global_columns(k) = e.column;
    values(k) = e.value;
  }
  const MemSpace memory;
  return std::make_shared<CsrMatrix>(rows, columns,
                                     Kokkos::create_mirror_view_and_copy(memory, row_pointers),
                                     Kokkos::create_mirror_view_and_copy(memory, global_columns),
                                     Kokkos::create_mirror_view_and_copy(memory, values));
}

Partition even_partition(const Communicator& comm, GlobalIndex global_size) {
  if (comm.size() == 1) return Partition(global_size);
  const GlobalIndex begin = global_size / comm.size() * comm.rank() +
                            std::min<GlobalIndex>(comm.rank(), global_size % comm.size());
  const GlobalIndex next = global_size / comm.size() * (comm.rank() + 1) +
                           std::min<GlobalIndex>(comm.rank() + 1, global_size % comm.size());
  return Partition(comm, next - begin);
}

}  // namespace libsolve
