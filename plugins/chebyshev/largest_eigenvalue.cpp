#include "largest_eigenvalue.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random_vector.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/core/vector_kernels.hpp>

namespace chebyshev {

double largest_tridiagonal_eigenvalue(const std::vector<double>& d, const std::vector<double>& e) {
  const size_t n = d.size();
  double low = d[0];
  double high = d[0];
  for (size_t i = 0; i < n; ++i) {  // Gershgorin
    const double radius = (i > 0 ? std::abs(e[i - 1]) : 0.0) + (i + 1 < n ? std::abs(e[i]) : 0.0);
    low = std::max(low, d[i]);  // the largest eigenvalue is at least every diagonal entry
    high = std::max(high, d[i] + radius);
  }
  // Whether any eigenvalue is above x: some pivot of x I - T is negative.
  const auto any_above = [&](double x) {
    double pivot = 1.0;
    for (size_t i = 0; i < n; ++i) {
      pivot = x - d[i] - (i > 0 ? e[i - 1] * e[i - 1] / pivot : 0.0);
      if (!(pivot > 0.0)) return true;
    }
    return false;
  };
  for (int k = 0; k < 200 && high - low > 4e-16 * std::abs(high); ++k) {
    const double middle = 0.5 * (low + high);
    (any_above(middle) ? low : high) = middle;
  }
  return high;
}

double estimate_largest_eigenvalue(const LinearOperator& A, const Vector& inverse_diagonal,
                                   int steps, std::uint64_t seed) {
  const Vector r = inverse_diagonal.like("chebyshev::r");
  const Vector z = inverse_diagonal.like("chebyshev::z");
  const Vector p = inverse_diagonal.like("chebyshev::p");
  const Vector q = inverse_diagonal.like("chebyshev::q");
  fill_uniform(r, RandomStream(seed, "chebyshev"));

  // Conjugate gradients with D as preconditioner; its coefficients are the Lanczos matrix:
  //   t_kk = 1 / alpha_k + beta_(k-1) / alpha_(k-1),   t_(k,k+1) = sqrt(beta_k) / alpha_k.
  std::vector<double> diagonal;
  std::vector<double> off_diagonal;
  multiply(inverse_diagonal, r, z);
  double rho = dot(r, z);
  const double rho_start = rho;
  double beta = 0.0;
  double old_alpha = 1.0;
  for (int k = 0; k < steps && rho > 1e-28 * rho_start; ++k) {
    const double pq = A.update_direction_and_apply(z, beta, p, q);
    if (!(pq > 0.0)) {
      if (std::abs(pq) <= 1e-14 * rho) break;  // the null space is all that is left
      throw NumericalError(
          "preconditioner 'chebyshev': p^T A p = " + format_number(pq) + " in step " +
          std::to_string(k + 1) +
          " of the eigenvalue estimate: the operator is not positive definite; use "
          "minres with 'jacobi'");
    }
    const double alpha = rho / pq;
    diagonal.push_back(1.0 / alpha + beta / old_alpha);
    axpy(-alpha, q, r);
    multiply(inverse_diagonal, r, z);
    const double rho_new = dot(r, z);
    beta = rho_new / rho;
    rho = rho_new;
    old_alpha = alpha;
    off_diagonal.push_back(std::sqrt(std::max(beta, 0.0)) / alpha);
  }
  if (diagonal.empty())
    throw NumericalError(
        "preconditioner 'chebyshev': A times a random vector vanished; is the "
        "operator zero? Give largest_eigenvalue, or use no preconditioner");
  off_diagonal.pop_back();
  return largest_tridiagonal_eigenvalue(diagonal, off_diagonal);
}

}  // namespace chebyshev
