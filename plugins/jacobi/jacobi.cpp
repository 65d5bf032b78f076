#include "jacobi.hpp"

#include <libsolve/core/errors.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/linear/assembled.hpp>

namespace jacobi {

struct AbsoluteRowSum {
  CsrMatrix::RowPointers row_pointers;
  ConstVectorView values;
  double* d;
  KOKKOS_FUNCTION void operator()(Index i) const {
    double sum = 0.0;
    for (GlobalIndex k = row_pointers(i); k < row_pointers(i + 1); ++k)
      sum += Kokkos::abs(values(k));
    d[i] = sum;
  }
};

/// d_i = 1 / d_i; counts what cannot be inverted.
struct Invert {
  double* d;
  KOKKOS_FUNCTION void operator()(Index i, double& faults) const {
    const double inverse = 1.0 / d[i];
    faults += Kokkos::isfinite(inverse) && inverse != 0.0 ? 0.0 : 1.0;
    d[i] = inverse;
  }
};

struct Multiply {
  const double* d;
  const double* r;
  double* z;
  KOKKOS_FUNCTION void operator()(Index i) const { z[i] = d[i] * r[i]; }
};

/// z = D^-1 r, r^T z and q^T z.
struct MultiplyAndDots {
  const double* d;
  const double* r;
  const double* q;
  double* z;
  KOKKOS_FUNCTION void operator()(Index i, double& rz, double& qz) const {
    const double value = d[i] * r[i];
    z[i] = value;
    rz += r[i] * value;
    qz += q[i] * value;
  }
};

void Jacobi::setup(const LinearSystem& system) {
  notes_.clear();
  inverse_ = Vector("jacobi::inverse", system.A().row_partition());
  const Index n = inverse_.local_size();
  if (options_.diagonal == "l1") {
    if (system.A().row_partition().communicator().size() > 1)
      throw Unsupported("preconditioner 'jacobi' with diagonal = \"l1\" sums whole rows, and takes one "
                        "rank; use diagonal = \"entries\" or 'chebyshev'");
    const auto A =
        assembled(system.shared_A(), "preconditioner 'jacobi' with diagonal = \"l1\"", notes_);
    for_rows(default_space(), "jacobi::row_sums", n,
             AbsoluteRowSum{A->row_pointers(), A->values(), inverse_.data()});
  } else if (!system.A().diagonal(inverse_)) {
    throw Unsupported("preconditioner 'jacobi' needs a square operator with a diagonal, and " +
                      system.A().description() + " offers none; use no preconditioner");
  }
  const Sums<1> faults =
      reduce_rows<Sums<1>>(default_space(), "jacobi::invert", n, Invert{inverse_.data()});
  if (inverse_.communicator().sum(faults.value[0]) == 0.0) return;
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), inverse_.view());
  for (Index i = 0; i < n; ++i)
    if (!std::isfinite(host(i)) || host(i) == 0.0)
      throw NumericalError("preconditioner 'jacobi': the diagonal in row " +
                           std::to_string(inverse_.partition().first_row() + i) +
                           (host(i) == 0.0 ? " is infinite" : " is zero or not finite") +
                           "; use diagonal = \"l1\", or 'ilu0'");
  throw NumericalError("preconditioner 'jacobi': a diagonal entry on another rank is zero");
}

void Jacobi::apply(const Vector& r, const Vector& z) {
  for_rows(default_space(), "jacobi::apply", z.local_size(),
           Multiply{inverse_.data(), r.data(), z.data()});
}

DotPair Jacobi::apply_with_dots(const Vector& r, const Vector& z, const Vector* q) {
  const double* other = q != nullptr ? q->data() : r.data();
  Sums<2> dots = reduce_rows<Sums<2>>(default_space(), "jacobi::apply_with_dots", z.local_size(),
                                      MultiplyAndDots{inverse_.data(), r.data(), other, z.data()});
  z.communicator().sum(dots.value);
  return {dots.value[0], q != nullptr ? dots.value[1] : 0.0};
}

}  // namespace jacobi
