#include "augmented_functions.hpp"

#include <libsolve/core/vector_kernels.hpp>

namespace proximal_splitting {

AugmentedFunctions::AugmentedFunctions(ProgramFunctions& f, const Partition& partition)
    : f_(f), partition_(partition) {
  for (Vector* v : {&v_, &x_, &w_}) *v = Vector("admm::augmented", partition);
}

void AugmentedFunctions::set(double rho, const Vector& v) {
  rho_ = rho;
  copy(v, v_);
}

const SparsePattern& AugmentedFunctions::hessian_pattern() const {
  if (hessian_.rows.empty()) {
    hessian_ = f_.hessian_pattern();
    for (Index i = 0; i < num_variables(); ++i) {
      hessian_.rows.push_back(i);
      hessian_.columns.push_back(i);
    }
  }
  return hessian_;
}

double AugmentedFunctions::do_objective(const ConstVectorView& x) {
  Kokkos::deep_copy(x_.view(), x);
  axpy(-1.0, v_, x_);
  return f_.objective(x) + 0.5 * rho_ * dot(x_, x_);
}

void AugmentedFunctions::do_gradient(const ConstVectorView& x, const VectorView& g) {
  f_.gradient(x, g);
  Kokkos::deep_copy(x_.view(), x);
  axpy(-1.0, v_, x_);
  axpy(rho_, x_, Vector(g, partition_));
}

void AugmentedFunctions::do_hessian(const ConstVectorView& x, double sigma,
                                    const ConstVectorView& lambda, const VectorView& values) {
  const std::size_t own = values.extent(0) - static_cast<std::size_t>(num_variables());
  f_.hessian(x, sigma, lambda, Kokkos::subview(values, Kokkos::make_pair(std::size_t{0}, own)));
  Kokkos::deep_copy(Kokkos::subview(values, Kokkos::make_pair(own, values.extent(0))), sigma * rho_);
}

void AugmentedFunctions::do_apply_jacobian_adjoint(const ConstVectorView&, const ConstVectorView&,
                                                   const VectorView& y) {
  Kokkos::deep_copy(y, 0.0);
}

void AugmentedFunctions::do_apply_hessian(const ConstVectorView& x, double sigma,
                                          const ConstVectorView& lambda, const ConstVectorView& v,
                                          const VectorView& y) {
  f_.apply_hessian(x, sigma, lambda, v, y);
  Kokkos::deep_copy(w_.view(), v);
  axpy(sigma * rho_, w_, Vector(y, partition_));
}

}  // namespace proximal_splitting
