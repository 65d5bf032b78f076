#pragma once

#include <libsolve/core/row_kernels.hpp>

namespace libsolve::sun::detail {

/// y = shift x + factor y.
struct ShiftBody {
  double shift;
  const double* x;
  double factor;
  double* y;
  KOKKOS_FUNCTION void operator()(Index i) const { y[i] = shift * x[i] + factor * y[i]; }
};

/// z = shift + factor y + z: coefficients of a sum, cell by cell.
struct AddCoefficientBody {
  double shift;
  double factor;
  const double* y;
  double* z;
  KOKKOS_FUNCTION void operator()(Index i) const { z[i] += shift + factor * y[i]; }
};

/// The same for the diagonal of a sum.
struct AddDiagonalBody {
  double factor;
  const double* d;
  double* sum;
  KOKKOS_FUNCTION void operator()(Index i) const { sum[i] += factor * d[i]; }
};

/// Counts negative entries.
struct CountNegativeBody {
  const double* x;
  KOKKOS_FUNCTION void operator()(Index i, double& count) const { count += x[i] < 0.0 ? 1.0 : 0.0; }
};

}  // namespace libsolve::sun::detail
