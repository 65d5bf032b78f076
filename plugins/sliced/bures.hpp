#pragma once

#include <vector>

/// Transport between Gaussians in closed form; symmetric matrices in rows, d x d, d from the length.
namespace sliced {

struct Gaussian {
  std::vector<double> mean;        ///< d
  std::vector<double> covariance;  ///< d x d, symmetric, positive semidefinite
};

/// Eigenvalues (ascending) and eigenvectors (column k in vectors[i d + k]) by cyclic Jacobi rotations
/// (Golub and Van Loan, section 8.5). O(d^3) a sweep.
struct Eigen {
  std::vector<double> values, vectors;
};
Eigen eigen_of(const std::vector<double>& matrix);
/// Square root of a positive semidefinite matrix; negative eigenvalues of rounding count as 0.
std::vector<double> square_root(const std::vector<double>& matrix);

/// W_2^2(N(m, A), N(n, B)) = |m - n|^2 + tr A + tr B - 2 tr (A^1/2 B A^1/2)^1/2: the Bures-Wasserstein
/// distance, squared (Dowson and Landau 1982; Bhatia, Jain, Lim 2019).
double bures_wasserstein_squared(const Gaussian& x, const Gaussian& y);

/// The matrix T of the optimal map x -> n + T (x - m), T = A^-1/2 (A^1/2 B A^1/2)^1/2 A^-1/2, and its
/// inverse. A and B get `ridge` times their mean eigenvalue on the diagonal first, so that T exists and
/// is positive definite.
struct GaussianMap {
  std::vector<double> forward, backward;
};
GaussianMap map_between(const Gaussian& x, const Gaussian& y, double ridge = 1e-12);

}  // namespace sliced
