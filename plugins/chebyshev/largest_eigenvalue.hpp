#pragma once

#include <libsolve/core/linear_operator.hpp>

#include <cstdint>
#include <vector>

namespace chebyshev {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// Largest eigenvalue of the symmetric tridiagonal matrix with this diagonal and off-diagonal (one
/// entry shorter), by bisection on the number of sign changes (Sturm), to full precision.
double largest_tridiagonal_eigenvalue(const std::vector<double>& diagonal,
                                      const std::vector<double>& off_diagonal);

/// A lower bound, and soon a good estimate, of the largest eigenvalue of D^-1 A for symmetric A and
/// positive D: the largest Ritz value of `steps` Lanczos steps, run as conjugate gradients on a
/// random right-hand side. Throws NumericalError where A turns out to be indefinite.
double estimate_largest_eigenvalue(const LinearOperator& A, const Vector& inverse_diagonal,
                                   int steps, std::uint64_t seed);

}  // namespace chebyshev
