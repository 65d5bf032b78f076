#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/jacobi_spectrum.hpp>

namespace libsolve {

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

namespace {

/// The smallest one is that of -T, turned round.
double smallest_tridiagonal_eigenvalue(const std::vector<double>& diagonal,
                                       const std::vector<double>& off_diagonal) {
  std::vector<double> negative(diagonal);
  for (double& d : negative) d = -d;
  return -largest_tridiagonal_eigenvalue(negative, off_diagonal);
}

}  // namespace

JacobiSpectrum estimate_jacobi_spectrum(const LinearOperator& A, const Vector& inverse_diagonal,
                                        const Vector& r, const JacobiSpectrumSettings& settings,
                                        const Vector* x) {
  const Vector z = inverse_diagonal.like("jacobi_spectrum::z");
  const Vector p = inverse_diagonal.like("jacobi_spectrum::p");
  const Vector q = inverse_diagonal.like("jacobi_spectrum::q");
  if (x != nullptr) fill(*x, 0.0);

  // t_kk = 1 / alpha_k + beta_(k-1) / alpha_(k-1),   t_(k,k+1) = sqrt(beta_k) / alpha_k
  JacobiSpectrum found;
  std::vector<double> diagonal;
  std::vector<double> off_diagonal;
  multiply(inverse_diagonal, r, z);
  double rho = dot(r, z);
  const double rho_start = rho;
  double beta = 0.0;
  double old_alpha = 1.0;
  for (int k = 0; k < settings.max_steps && rho > 1e-28 * rho_start; ++k) {
    const double pq = A.update_direction_and_apply(z, beta, p, q);
    ++found.products;
    if (!(pq > 0.0)) {
      if (std::abs(pq) <= 1e-14 * rho) break;  // the null space is all that is left
      throw NumericalError(settings.asker + ": p^T A p = " + format_number(pq) + " in step " +
                           std::to_string(k + 1) +
                           " of the eigenvalue estimate: the operator is not positive definite; "
                           "use minres with 'jacobi'");
    }
    const double alpha = rho / pq;
    diagonal.push_back(1.0 / alpha + beta / old_alpha);
    if (x != nullptr) axpy(alpha, p, *x);
    axpy(-alpha, q, r);
    multiply(inverse_diagonal, r, z);
    const double rho_new = dot(r, z);
    beta = rho_new / rho;
    rho = rho_new;
    old_alpha = alpha;
    if (settings.smallest_to > 0.0) {
      const double before = found.smallest;
      found.smallest = smallest_tridiagonal_eigenvalue(diagonal, off_diagonal);
      if (k > 0 && before - found.smallest < settings.smallest_to * found.smallest) break;
    }
    off_diagonal.push_back(std::sqrt(std::max(beta, 0.0)) / alpha);
  }
  if (diagonal.empty())
    throw NumericalError(settings.asker +
                         ": A times the first vector of the eigenvalue estimate vanished; is the "
                         "operator zero?");
  off_diagonal.resize(diagonal.size() - 1);
  found.smallest = smallest_tridiagonal_eigenvalue(diagonal, off_diagonal);
  found.largest = largest_tridiagonal_eigenvalue(diagonal, off_diagonal);
  return found;
}

}  // namespace libsolve
