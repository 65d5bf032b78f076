#pragma once

#include <libsolve/core/types.hpp>
#include <string>

namespace libsolve::detail {

/// The three arrays of a matrix in compressed rows, readable by the host.
struct CsrArrays {
  Index num_rows = 0;
  Index num_columns = 0;
  Kokkos::View<const GlobalIndex*, Kokkos::HostSpace> row_pointers;  ///< num_rows + 1
  Kokkos::View<const Index*, Kokkos::HostSpace> columns;
  Kokkos::View<const double*, Kokkos::HostSpace> values;

  GlobalIndex num_nonzeros() const { return num_rows == 0 ? 0 : row_pointers(num_rows); }
};

/// What a look at the arrays finds. `fault` is "" or says what is wrong, naming the row.
struct CsrCheck {
  bool shape_fault = false;  ///< the fault is one of lengths, not of entries
  std::string fault = {};
  bool rows_are_sorted = true;  ///< strictly: sorted and without duplicates
};

/// Row pointers start at 0, do not decrease, and end at the length of the other arrays; columns lie
/// in [0, num_columns); values are finite. One pass.
CsrCheck check_csr(const CsrArrays& A);

/// A with the columns of each row sorted and duplicates summed, in the order they were written.
CsrArrays sort_rows(const CsrArrays& A);

/// A^T, rows sorted.
CsrArrays transpose(const CsrArrays& A);

/// What asymmetry is made of.
struct LargestDifference {
  double difference = 0.0;  ///< max |a_ij - a_ji|; infinity where a nonzero entry has no partner
  double entry = 0.0;       ///< max |a_ij|
  double relative() const { return difference == 0.0 ? 0.0 : difference / entry; }
};

/// Of a square matrix with sorted rows.
LargestDifference largest_difference(const CsrArrays& A);

/// max |a_ij - a_ji| / max |a_ij| over all entries; infinity where a nonzero entry has no partner
/// or A is rectangular, 0 for a matrix of zeros. Rows must be sorted.
double asymmetry(const CsrArrays& A);

}  // namespace libsolve::detail
