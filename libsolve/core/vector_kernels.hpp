#pragma once

#include <libsolve/core/vector.hpp>

/// Level-1 kernels over distributed vectors: one pass over memory each, several reductions in one.
/// All vectors of a call have one partition (ShapeError otherwise in debug builds). Results are the
/// same on all ranks and, for a given number of ranks and threads, the same from run to run.
/// A non-finite operand gives a non-finite result: callers test the returned value.
namespace libsolve {

/// x^T y.
LIBSOLVE_EXPORT double dot(const Vector& x, const Vector& y);
/// sqrt(x^T x).
LIBSOLVE_EXPORT double norm2(const Vector& x);
/// max |x_i|; NaN where any entry is NaN.
LIBSOLVE_EXPORT double norm_max(const Vector& x);

struct DotPair {
  double xy = 0.0;
  double xz = 0.0;
};
/// x^T y and x^T z in one pass.
LIBSOLVE_EXPORT DotPair dot2(const Vector& x, const Vector& y, const Vector& z);

/// x = value.
LIBSOLVE_EXPORT void fill(const Vector& x, double value);
/// y = x.
LIBSOLVE_EXPORT void copy(const Vector& x, const Vector& y);
/// x = alpha x.
LIBSOLVE_EXPORT void scale(double alpha, const Vector& x);
/// y = alpha x + y.
LIBSOLVE_EXPORT void axpy(double alpha, const Vector& x, const Vector& y);
/// y = alpha x + beta y; beta = 0 ignores the old y.
LIBSOLVE_EXPORT void axpby(double alpha, const Vector& x, double beta, const Vector& y);
/// z = alpha x + beta y; beta = 0 ignores y.
LIBSOLVE_EXPORT void linear_combination(double alpha, const Vector& x, double beta, const Vector& y,
                                        const Vector& z);
/// z_i = x_i y_i.
LIBSOLVE_EXPORT void multiply(const Vector& x, const Vector& y, const Vector& z);
/// y = alpha x + y, returns y^T y.
LIBSOLVE_EXPORT double axpy_norm2_squared(double alpha, const Vector& x, const Vector& y);

/// The update of conjugate gradients in one pass: x += alpha p, r -= alpha q; returns r^T r.
LIBSOLVE_EXPORT double cg_update(double alpha, const Vector& p, const Vector& q, const Vector& x,
                                 const Vector& r);

}  // namespace libsolve
