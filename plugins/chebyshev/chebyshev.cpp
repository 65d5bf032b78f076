#include "chebyshev.hpp"

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random_vector.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/linear/jacobi_spectrum.hpp>

namespace chebyshev {

/// d_i = 1 / d_i; counts entries that are not positive and finite.
struct InvertPositive {
  double* d;
  KOKKOS_FUNCTION void operator()(Index i, double& faults) const {
    const double inverse = 1.0 / d[i];
    faults += inverse > 0.0 && Kokkos::isfinite(inverse) ? 0.0 : 1.0;
    d[i] = inverse;
  }
};

/// d = c D^-1 r, z = d.
struct FirstTerm {
  double c;
  const double* inverse_diagonal;
  const double* r;
  double* d;
  double* z;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const double value = c * inverse_diagonal[i] * r[i];
    d[i] = value;
    z[i] = value;
  }
};

/// d = m d + c D^-1 w, z += d.
struct NextTerm {
  double m;
  double c;
  const double* inverse_diagonal;
  const double* w;
  double* d;
  double* z;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const double value = m * d[i] + c * inverse_diagonal[i] * w[i];
    d[i] = value;
    z[i] += value;
  }
};

void ChebyshevOptions::describe(Fields<ChebyshevOptions>& f) {
  using O = ChebyshevOptions;
  f.add("degree", &O::degree, Range::closed(1, 100),
        "terms of the polynomial; degree - 1 products with A");
  f.add("polynomial", &O::polynomial, Choices{{"first-kind", "fourth-kind"}},
        "first-kind for an interval of eigenvalues, fourth-kind for smoothing");
  f.add("largest_eigenvalue", &O::largest_eigenvalue, Range::above(0.0),
        "of D^-1 A; \"auto\" estimates it");
  f.add("smallest_eigenvalue", &O::smallest_eigenvalue, Range::above(0.0),
        "lower end of the interval (first-kind); \"auto\" is the largest over eigenvalue_ratio");
  f.add("eigenvalue_ratio", &O::eigenvalue_ratio, Range::above(1.0), "see smallest_eigenvalue");
  f.add("estimate_steps", &O::estimate_steps, Range::closed(1, 1000),
        "Lanczos steps of the estimate");
  f.add("safety_factor", &O::safety_factor, Range::at_least(1.0),
        "on the estimate, which is from below");
}

void ChebyshevOptions::check(const ChebyshevOptions& o, const std::string& prefix,
                             const SourceLocation& where, Diagnostics& problems) {
  if (o.largest_eigenvalue && o.smallest_eigenvalue &&
      *o.smallest_eigenvalue >= *o.largest_eigenvalue)
    problems.add(where, prefix + "smallest_eigenvalue",
                 "must be below largest_eigenvalue = " + format_number(*o.largest_eigenvalue) +
                     ", is " + format_number(*o.smallest_eigenvalue));
}

void Chebyshev::setup(const LinearSystem& system) {
  A_ = system.shared_A();
  if (!A_->is_symmetric())
    throw Unsupported("preconditioner 'chebyshev' needs a symmetric operator, got " +
                      A_->description() + "; use 'ilu0' or 'jacobi' with gmres or bicgstab");
  inverse_diagonal_ = Vector("chebyshev::inverse_diagonal", A_->row_partition());
  if (!A_->diagonal(inverse_diagonal_))
    throw Unsupported("preconditioner 'chebyshev' needs the diagonal, and " + A_->description() +
                      " offers none; use no preconditioner");
  const Sums<1> faults =
      reduce_rows<Sums<1>>(ExecSpace(), "chebyshev::invert", inverse_diagonal_.local_size(),
                           InvertPositive{inverse_diagonal_.data()});
  const double num_faults = inverse_diagonal_.communicator().sum(faults.value[0]);
  if (num_faults > 0.0)
    throw NumericalError(
        "preconditioner 'chebyshev': " + format_number(num_faults) +
        " entries of the diagonal are not positive, so the operator is not positive "
        "definite; use minres with 'jacobi' (diagonal = \"l1\")");
  d_ = inverse_diagonal_.like("chebyshev::d");
  residual_ = inverse_diagonal_.like("chebyshev::residual");
  largest_ = options_.largest_eigenvalue.value_or(0.0);
  if (!options_.largest_eigenvalue) {
    const Vector r = inverse_diagonal_.like("chebyshev::r");
    fill_uniform(r, RandomStream(seed_, "chebyshev"));
    largest_ = options_.safety_factor *
               estimate_jacobi_spectrum(
                   *A_, inverse_diagonal_, r,
                   {.max_steps = options_.estimate_steps, .asker = "preconditioner 'chebyshev'"})
                   .largest;
  }
  smallest_ = options_.smallest_eigenvalue.value_or(largest_ / options_.eigenvalue_ratio);
  if (!(smallest_ < largest_))
    throw NumericalError(
        "preconditioner 'chebyshev': smallest_eigenvalue = " + format_number(smallest_) +
        " is not below the estimate of the largest, " + format_number(largest_) + "; lower it");
}

void Chebyshev::apply(const Vector& r, const Vector& z) {
  const ExecSpace& exec = default_space();
  const Index n = z.local_size();
  const auto first = [&](double c) {
    for_rows(exec, "chebyshev::first_term", n,
             FirstTerm{c, inverse_diagonal_.data(), r.data(), d_.data(), z.data()});
  };
  const auto next = [&](double m, double c) {
    A_->residual(r, z, residual_);  // w = r - A z
    for_rows(exec, "chebyshev::next_term", n,
             NextTerm{m, c, inverse_diagonal_.data(), residual_.data(), d_.data(), z.data()});
  };

  if (options_.polynomial == "first-kind") {
    // Saad 2003, algorithm 12.1: theta the centre, delta the half width, sigma = theta / delta,
    // rho_k = T_k(sigma) / T_(k+1)(sigma).
    const double theta = 0.5 * (largest_ + smallest_);
    const double delta = 0.5 * (largest_ - smallest_);
    const double sigma = theta / delta;
    double rho = 1.0 / sigma;
    first(1.0 / theta);
    for (int k = 1; k < options_.degree; ++k) {
      const double old_rho = rho;
      rho = 1.0 / (2.0 * sigma - rho);
      next(rho * old_rho, 2.0 * rho / delta);
    }
  } else {
    // Lottes 2023, algorithm 3.1 without the optional weights.
    first(4.0 / (3.0 * largest_));
    for (int k = 2; k <= options_.degree; ++k)
      next((2.0 * k - 3.0) / (2.0 * k + 1.0), (8.0 * k - 4.0) / ((2.0 * k + 1.0) * largest_));
  }
}

std::vector<Measure> Chebyshev::metrics() const {
  return {{"largest_eigenvalue", largest_, ""}, {"smallest_eigenvalue", smallest_, ""}};
}

}  // namespace chebyshev
