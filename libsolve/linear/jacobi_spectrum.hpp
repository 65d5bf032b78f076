#pragma once

#include <libsolve/core/linear_operator.hpp>
#include <string>
#include <vector>

namespace libsolve {

/// Largest eigenvalue of the symmetric tridiagonal matrix with this diagonal and off-diagonal (one
/// entry shorter), by bisection on the number of sign changes (Sturm), to full precision.
LIBSOLVE_EXPORT double largest_tridiagonal_eigenvalue(const std::vector<double>& diagonal,
                                                      const std::vector<double>& off_diagonal);

/// The ends of the spectrum of D^-1 A, D the diagonal of A.
struct JacobiSpectrum {
  double smallest = 0.0;  ///< from above: a Ritz value
  double largest = 0.0;   ///< from below
  int products = 0;       ///< with A
};

struct JacobiSpectrumSettings {
  int max_steps = 10;
  /// Stop when a step has moved the smallest value by less than this part of it; 0: never.
  double smallest_to = 0.0;
  std::string asker = "the estimate of eigenvalues";  ///< for messages
};

/// Ritz values of Lanczos steps, run as conjugate gradients with D as preconditioner on the
/// right-hand side `r`, which is overwritten: its coefficients are the Lanczos matrix (Golub, Van
/// Loan, Matrix Computations, 4th ed., 11.3). For symmetric A and positive D. A random r shows the
/// largest value soon, a smooth one the smallest of a Laplacian. `x`, where given, gets the
/// approximation of A^-1 r, in which the eigenvectors of small values dominate.
/// Throws NumericalError where A turns out to be indefinite or A r vanishes.
LIBSOLVE_EXPORT JacobiSpectrum estimate_jacobi_spectrum(const LinearOperator& A,
                                                        const Vector& inverse_diagonal,
                                                        const Vector& r,
                                                        const JacobiSpectrumSettings& settings,
                                                        const Vector* x = nullptr);

}  // namespace libsolve
