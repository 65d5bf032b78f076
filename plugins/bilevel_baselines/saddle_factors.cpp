#include "saddle_factors.hpp"

#include <Eigen/Dense>
#include <Eigen/SparseLU>
#include <cmath>

namespace bilevel_baselines {

namespace {

using Dense = Eigen::MatrixXd;
using Sparse = Eigen::SparseMatrix<double>;
using Numbers = Eigen::VectorXd;

constexpr libsolve::Index dense_up_to = 80;
constexpr double least_pivot = 1e-12;
constexpr double shift = 1e-10;
constexpr int refinements = 2;

}  // namespace

struct SaddleFactors::Impl {
  bool is_dense = true;
  Eigen::PartialPivLU<Dense> lu;
  Eigen::CompleteOrthogonalDecomposition<Dense> orthogonal;  ///< of singular dense matrices
  Eigen::SparseLU<Sparse> sparse;
  Sparse matrix;
};

SaddleFactors::SaddleFactors() : impl_(std::make_unique<Impl>()) {}
SaddleFactors::~SaddleFactors() = default;
SaddleFactors::SaddleFactors(SaddleFactors&&) noexcept = default;
SaddleFactors& SaddleFactors::operator=(SaddleFactors&&) noexcept = default;

bool SaddleFactors::factor(libsolve::Index size, std::span<const Entry> entries) {
  is_singular_ = false;
  double largest = 0.0;
  for (const Entry& e : entries) {
    if (!std::isfinite(e.value)) return false;
    largest = std::max(largest, std::abs(e.value));
  }
  impl_->is_dense = size <= dense_up_to;
  if (impl_->is_dense) {
    Dense K = Dense::Zero(size, size);
    for (const Entry& e : entries) K(e.row, e.column) += e.value;
    if (size == 0) return true;
    impl_->lu.compute(K);
    const auto pivots = impl_->lu.matrixLU().diagonal().cwiseAbs();
    is_singular_ = pivots.minCoeff() <= least_pivot * pivots.maxCoeff();
    if (is_singular_) {
      impl_->orthogonal.setThreshold(least_pivot);
      impl_->orthogonal.compute(K);
    }
    return true;
  }
  std::vector<Eigen::Triplet<double>> triplets;
  triplets.reserve(entries.size());
  for (const Entry& e : entries) triplets.emplace_back(e.row, e.column, e.value);
  impl_->matrix.resize(size, size);
  impl_->matrix.setFromTriplets(triplets.begin(), triplets.end());
  impl_->matrix.makeCompressed();
  impl_->sparse.compute(impl_->matrix);
  is_singular_ = impl_->sparse.info() != Eigen::Success;
  if (is_singular_) {
    for (libsolve::Index i = 0; i < size; ++i) triplets.emplace_back(i, i, shift * largest);
    impl_->matrix.setFromTriplets(triplets.begin(), triplets.end());
    impl_->sparse.compute(impl_->matrix);
  }
  return impl_->sparse.info() == Eigen::Success;
}

void SaddleFactors::solve(std::span<double> x) const {
  if (x.empty()) return;
  Eigen::Map<Numbers> out(x.data(), static_cast<Eigen::Index>(x.size()));
  const Numbers b = out;
  if (impl_->is_dense) {
    if (is_singular_)
      out = impl_->orthogonal.solve(b);
    else
      out = impl_->lu.solve(b);
    return;
  }
  out = impl_->sparse.solve(b);
  for (int k = 0; k < refinements; ++k) {
    const Numbers r = b - impl_->matrix * out;
    out += impl_->sparse.solve(r);
  }
}

}  // namespace bilevel_baselines
