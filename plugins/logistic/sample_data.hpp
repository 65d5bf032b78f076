#pragma once

#include <libsolve/io/libsvm.hpp>
#include <libsolve/optimize/sample_sum.hpp>
#include <string>

namespace logistic {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// Samples times labels, z_i = y_i a_i with y_i = +-1, in random order; on devices by columns, too.
struct SampleData {
  SampleRows rows;
  /// The same by columns, rows ascending; empty where kernels run on the host.
  Kokkos::View<const GlobalIndex*, MemSpace> column_pointers = {};
  Kokkos::View<const Index*, MemSpace> column_rows = {};
  ConstVectorView column_values = {};
  /// sum over rows of the square of their entries' number: what a sparse Z^T D Z costs, twice.
  double squared_row_lengths = 0.0;
};

/// The larger of two labels becomes +1. DataError, naming `origin`, where there are not two.
/// `by_columns` makes the second copy.
SampleData make_sample_data(const LabelledSamples& samples, const std::string& origin,
                            std::uint64_t seed, bool by_columns);

}  // namespace logistic
