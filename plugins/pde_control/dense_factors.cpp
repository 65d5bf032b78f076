#include "dense_factors.hpp"

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <string>
#include <utility>

namespace pde_control {

DenseFactors::DenseFactors(std::vector<double> A, std::size_t n)
    : n_(n), LU_(std::move(A)), exchanged_(n) {
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t pivot = k;
    for (std::size_t i = k + 1; i < n; ++i)
      if (std::abs(LU_[i * n + k]) > std::abs(LU_[pivot * n + k])) pivot = i;
    exchanged_[k] = pivot;
    if (pivot != k)
      for (std::size_t j = 0; j < n; ++j) std::swap(LU_[k * n + j], LU_[pivot * n + j]);
    const double diagonal = LU_[k * n + k];
    if (!(std::abs(diagonal) > 0.0))
      throw libsolve::NumericalError(
          "the coarsest matrix of the multigrid cycle is singular at row " + std::to_string(k));
    for (std::size_t i = k + 1; i < n; ++i) {
      const double factor = LU_[i * n + k] / diagonal;
      LU_[i * n + k] = factor;
      if (factor == 0.0) continue;
      for (std::size_t j = k + 1; j < n; ++j) LU_[i * n + j] -= factor * LU_[k * n + j];
    }
  }
}

void DenseFactors::solve(std::vector<double>& x) const {
  for (std::size_t k = 0; k < n_; ++k) std::swap(x[k], x[exchanged_[k]]);
  for (std::size_t i = 0; i < n_; ++i)
    for (std::size_t j = 0; j < i; ++j) x[i] -= LU_[i * n_ + j] * x[j];
  for (std::size_t i = n_; i-- > 0;) {
    for (std::size_t j = i + 1; j < n_; ++j) x[i] -= LU_[i * n_ + j] * x[j];
    x[i] /= LU_[i * n_ + i];
  }
}

}  // namespace pde_control
