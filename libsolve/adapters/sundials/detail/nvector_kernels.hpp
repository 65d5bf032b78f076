#pragma once

#include <libsolve/core/row_kernels.hpp>
#include <utility>

/// What the operations of an N_Vector do with one row; names and meaning as in SUNDIALS.
namespace libsolve::sun::detail {

struct DivBody {
  const double* x;
  const double* y;
  double* z;
  KOKKOS_FUNCTION void operator()(Index i) const { z[i] = x[i] / y[i]; }
};

struct AbsBody {
  const double* x;
  double* z;
  KOKKOS_FUNCTION void operator()(Index i) const { z[i] = Kokkos::fabs(x[i]); }
};

struct InvBody {
  const double* x;
  double* z;
  KOKKOS_FUNCTION void operator()(Index i) const { z[i] = 1.0 / x[i]; }
};

struct AddConstBody {
  const double* x;
  double b;
  double* z;
  KOKKOS_FUNCTION void operator()(Index i) const { z[i] = x[i] + b; }
};

struct LinearSumBody {
  double a;
  const double* x;
  double b;
  const double* y;
  double* z;
  KOKKOS_FUNCTION void operator()(Index i) const { z[i] = a * x[i] + b * y[i]; }
};

/// s += (x w)^2.
struct WSqrSumBody {
  const double* x;
  const double* w;
  KOKKOS_FUNCTION void operator()(Index i, double& s) const {
    const double v = x[i] * w[i];
    s += v * v;
  }
};

/// The same where id > 0.
struct WSqrSumMaskBody {
  const double* x;
  const double* w;
  const double* id;
  KOKKOS_FUNCTION void operator()(Index i, double& s) const {
    const double v = id[i] > 0.0 ? x[i] * w[i] : 0.0;
    s += v * v;
  }
};

/// s += x^2, t += (x w)^2.
struct TwoNormsBody {
  const double* x;
  const double* w;
  KOKKOS_FUNCTION void operator()(Index i, double& s, double& t) const {
    const double u = x[i];
    const double v = u * w[i];
    s += u * u;
    t += v * v;
  }
};

struct L1NormBody {
  const double* x;
  KOKKOS_FUNCTION void operator()(Index i, double& s) const { s += Kokkos::fabs(x[i]); }
};

struct CompareBody {
  double c;
  const double* x;
  double* z;
  KOKKOS_FUNCTION void operator()(Index i) const { z[i] = Kokkos::fabs(x[i]) >= c ? 1.0 : 0.0; }
};

/// z = 1 / x where x is not 0; counts the zeros.
struct InvTestBody {
  const double* x;
  double* z;
  KOKKOS_FUNCTION void operator()(Index i, double& zeros) const {
    const bool is_zero = x[i] == 0.0;
    z[i] = is_zero ? z[i] : 1.0 / x[i];
    zeros += is_zero ? 1.0 : 0.0;
  }
};

/// m = 1 where x violates its constraint: c = 2: x > 0, 1: x >= 0, -1: x <= 0, -2: x < 0.
struct ConstrMaskBody {
  const double* c;
  const double* x;
  double* m;
  KOKKOS_FUNCTION void operator()(Index i, double& violations) const {
    const double size = Kokkos::fabs(c[i]);
    const double sign = x[i] * c[i];
    const double violated = ((size > 1.5 && sign <= 0.0) || (size > 0.5 && sign < 0.0)) ? 1.0 : 0.0;
    m[i] = violated;
    violations += violated;
  }
};

struct MinBody {
  const double* x;
  KOKKOS_FUNCTION void operator()(Index i, double& least) const {
    least = x[i] < least ? x[i] : least;
  }
};

/// The least num / denom over the rows with denom != 0.
struct MinQuotientBody {
  const double* num;
  const double* denom;
  KOKKOS_FUNCTION void operator()(Index i, double& least) const {
    if (denom[i] == 0.0) return;
    const double quotient = num[i] / denom[i];
    least = quotient < least ? quotient : least;
  }
};

// K vectors in one pass. K is known to the compiler, so that the sums stay in registers.

/// z = sum of c_k x_k; z may be one of the x.
template <int K>
struct LinearCombinationBody {
  double c[K];
  const double* x[K];
  double* z;
  KOKKOS_FUNCTION void operator()(Index i) const {
    double sum = c[0] * x[0][i];
    for (int k = 1; k < K; ++k) sum += c[k] * x[k][i];
    z[i] = sum;
  }
};

/// z_k = a_k x + y_k; z_k may be y_k.
template <int K>
struct ScaleAddMultiBody {
  double a[K];
  const double* x;
  const double* y[K];
  double* z[K];
  KOKKOS_FUNCTION void operator()(Index i) const {
    const double value = x[i];
    for (int k = 0; k < K; ++k) z[k][i] = a[k] * value + y[k][i];
  }
};

/// s_k += x y_k.
template <int K, class = std::make_index_sequence<static_cast<std::size_t>(K)>>
struct DotProdMultiBody;
template <int K, std::size_t... k>
struct DotProdMultiBody<K, std::index_sequence<k...>> {
  const double* x;
  const double* y[K];
  template <class... Sum>
  KOKKOS_FUNCTION void operator()(Index i, Sum&... s) const {
    const double value = x[i];
    ((s += value * y[k][i]), ...);
  }
};

}  // namespace libsolve::sun::detail
