#pragma once

#include <libsolve/core/row_kernels.hpp>

/// What the kernels of libsolve/core/vector_kernels.hpp do with one row.
namespace libsolve::detail {

// Pointers, not views: the entries of a vector are contiguous, and lanes need nothing else.

struct DotBody {
  const double* x;
  const double* y;
  KOKKOS_FUNCTION void operator()(Index i, double& s) const { s += x[i] * y[i]; }
};

struct Dot2Body {
  const double* x;
  const double* y;
  const double* z;
  KOKKOS_FUNCTION void operator()(Index i, double& s, double& t) const {
    s += x[i] * y[i];
    t += x[i] * z[i];
  }
};

struct MaxNormBody {
  const double* x;
  KOKKOS_FUNCTION void operator()(Index i, double& max, double& num_nan) const {
    const double size = Kokkos::fabs(x[i]);
    max = size > max ? size : max;  // false for NaN
    num_nan += size == size ? 0.0 : 1.0;
  }
};

struct FillBody {
  double value;
  double* x;
  KOKKOS_FUNCTION void operator()(Index i) const { x[i] = value; }
};

struct CopyBody {
  const double* x;
  double* y;
  KOKKOS_FUNCTION void operator()(Index i) const { y[i] = x[i]; }
};

struct ScaleBody {
  double alpha;
  double* x;
  KOKKOS_FUNCTION void operator()(Index i) const { x[i] *= alpha; }
};

struct AxpyBody {
  double alpha;
  const double* x;
  double* y;
  KOKKOS_FUNCTION void operator()(Index i) const { y[i] += alpha * x[i]; }
};

/// z = alpha x + beta y; y may be z.
struct CombineBody {
  double alpha;
  const double* x;
  double beta;
  const double* y;
  double* z;
  KOKKOS_FUNCTION void operator()(Index i) const { z[i] = alpha * x[i] + beta * y[i]; }
};

struct ScaledCopyBody {
  double alpha;
  const double* x;
  double* y;
  KOKKOS_FUNCTION void operator()(Index i) const { y[i] = alpha * x[i]; }
};

struct MultiplyBody {
  const double* x;
  const double* y;
  double* z;
  KOKKOS_FUNCTION void operator()(Index i) const { z[i] = x[i] * y[i]; }
};

struct AxpyNormBody {
  double alpha;
  const double* x;
  double* y;
  KOKKOS_FUNCTION void operator()(Index i, double& s) const {
    const double v = y[i] + alpha * x[i];
    y[i] = v;
    s += v * v;
  }
};

struct CgUpdateBody {
  double alpha;
  const double* p;
  const double* q;
  double* x;
  double* r;
  KOKKOS_FUNCTION void operator()(Index i, double& s) const {
    x[i] += alpha * p[i];
    const double v = r[i] - alpha * q[i];
    r[i] = v;
    s += v * v;
  }
};

}  // namespace libsolve::detail
