#include "saddle_factors.hpp"

#include <Eigen/Dense>
#include <Eigen/SparseCholesky>
#include <Eigen/SparseLU>
#include <cmath>

namespace bilevel_baselines {

namespace {

using Dense = Eigen::MatrixXd;
using Sparse = Eigen::SparseMatrix<double>;
using Numbers = Eigen::VectorXd;

constexpr libsolve::Index dense_up_to = 80;
constexpr double least_pivot = 1e-12;
constexpr double shift = 1e-8;
constexpr int refinements = 10;
constexpr double accurate = 1e-13;

}  // namespace

struct SaddleFactors::Impl {
  enum class Kind { dense, quasidefinite, pivots };
  Kind kind = Kind::dense;
  Eigen::PartialPivLU<Dense> lu;
  Eigen::CompleteOrthogonalDecomposition<Dense> orthogonal;  ///< of singular dense matrices
  Eigen::SimplicialLDLT<Sparse, Eigen::Lower, Eigen::AMDOrdering<int>> quasidefinite;
  Eigen::SparseLU<Sparse, Eigen::AMDOrdering<int>> pivots;
  Sparse matrix;
  double norm = 0.0;  ///< of the matrix, largest row sum

  double target(const Numbers& b, const Numbers& x) const {
    return accurate * (b.lpNorm<Eigen::Infinity>() + norm * x.lpNorm<Eigen::Infinity>());
  }
  Numbers solve(const Numbers& b) const {
    return kind == Kind::quasidefinite ? Numbers(quasidefinite.solve(b)) : Numbers(pivots.solve(b));
  }
  /// b: right-hand side on entry, solution on return; whether the normwise backward error came
  /// down to `accurate`.
  bool refined(Numbers& b) const {
    Numbers x = solve(b), r = b - matrix * x;
    double before = r.lpNorm<Eigen::Infinity>();
    for (int k = 0; k < refinements && before > 1e-3 * target(b, x); ++k) {
      const Numbers better = x + solve(r);
      const Numbers left = b - matrix * better;
      const double now = left.lpNorm<Eigen::Infinity>();
      if (!(now < before)) break;
      x = better;
      r = left;
      before = now;
    }
    const bool is_accurate = before <= target(b, x);
    b = x;
    return is_accurate;
  }
};

SaddleFactors::SaddleFactors() : impl_(std::make_unique<Impl>()) {}
SaddleFactors::~SaddleFactors() = default;
SaddleFactors::SaddleFactors(SaddleFactors&&) noexcept = default;
SaddleFactors& SaddleFactors::operator=(SaddleFactors&&) noexcept = default;

bool SaddleFactors::factor(libsolve::Index num_primal, libsolve::Index num_dual,
                           std::span<const Entry> entries) {
  is_singular_ = false;
  const libsolve::Index size = num_primal + num_dual;
  double largest = 0.0;
  for (const Entry& e : entries) {
    if (!std::isfinite(e.value)) return false;
    largest = std::max(largest, std::abs(e.value));
  }
  if (size <= dense_up_to) {
    impl_->kind = Impl::Kind::dense;
    if (size == 0) return true;
    Dense K = Dense::Zero(size, size);
    for (const Entry& e : entries) K(e.row, e.column) += e.value;
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
  triplets.reserve(entries.size() + static_cast<std::size_t>(size));
  for (const Entry& e : entries) triplets.emplace_back(e.row, e.column, e.value);
  for (libsolve::Index i = 0; i < size; ++i)
    triplets.emplace_back(i, i, 0.0);  // so that it is stored
  impl_->matrix.resize(size, size);
  impl_->matrix.setFromTriplets(triplets.begin(), triplets.end());
  impl_->matrix.makeCompressed();
  impl_->norm = (impl_->matrix.cwiseAbs() * Numbers::Ones(size)).maxCoeff();
  return factor_quasidefinite(num_primal, largest) || factor_with_pivots(largest);
}

bool SaddleFactors::factor_quasidefinite(libsolve::Index num_primal, double largest) {
  impl_->kind = Impl::Kind::quasidefinite;
  Sparse shifted = impl_->matrix;
  for (libsolve::Index i = 0; i < shifted.rows(); ++i)
    shifted.coeffRef(i, i) += (i < num_primal ? shift : -shift) * largest;
  impl_->quasidefinite.compute(shifted);
  if (impl_->quasidefinite.info() != Eigen::Success) return false;
  // A right-hand side with parts everywhere: a singular system cannot answer it.
  Numbers b = Numbers::LinSpaced(impl_->matrix.rows(), -1.0, 1.0);
  return impl_->refined(b);
}

bool SaddleFactors::factor_with_pivots(double largest) {
  impl_->kind = Impl::Kind::pivots;
  // The pattern is symmetric and may have dense rows: minimum degree on it.
  impl_->pivots.isSymmetric(true);
  impl_->pivots.compute(impl_->matrix);
  is_singular_ = impl_->pivots.info() != Eigen::Success;
  if (is_singular_) {
    for (libsolve::Index i = 0; i < impl_->matrix.rows(); ++i)
      impl_->matrix.coeffRef(i, i) += shift * largest;
    impl_->pivots.compute(impl_->matrix);
  }
  return impl_->pivots.info() == Eigen::Success;
}

void SaddleFactors::solve(std::span<double> x) const {
  if (x.empty()) return;
  Eigen::Map<Numbers> out(x.data(), static_cast<Eigen::Index>(x.size()));
  Numbers b = out;
  if (impl_->kind != Impl::Kind::dense) {
    (void)impl_->refined(b);
    out = b;
  } else if (is_singular_) {
    out = impl_->orthogonal.solve(b);
  } else {
    out = impl_->lu.solve(b);
  }
}

}  // namespace bilevel_baselines
