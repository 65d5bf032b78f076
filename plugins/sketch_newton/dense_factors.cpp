#include <algorithm>
#include <cmath>

#include "symmetric_factors.hpp"

namespace sketch_newton {

namespace {

/// Bound of the growth of entries, (1 + sqrt 17) / 8.
constexpr double alpha = 0.6403882032022076;
/// A pivot this small beside the largest entry of its column is rounding.
constexpr double zero_pivot = 1e-14;

class DenseFactors final : public SymmetricFactors {
 public:
  bool factor(const SymmetricEntries& A) override {
    n_ = A.size();
    a_.assign(n_ * n_, 0.0);
    norm_.assign(n_, 0.0);
    pivot_.assign(n_, 0);
    inertia_ = {};
    for (std::size_t j = 0; j < n_; ++j)
      for (int p = A.first[j]; p < A.first[j + 1]; ++p) {
        const auto i = static_cast<std::size_t>(A.rows[static_cast<std::size_t>(p)]);
        const double v = A.values[static_cast<std::size_t>(p)];
        if (!std::isfinite(v)) return false;
        at(i, j) = v;
        norm_[i] = std::max(norm_[i], std::abs(v));
        norm_[j] = std::max(norm_[j], std::abs(v));
      }
    for (std::size_t k = 0; k < n_;) k += step(k);
    return true;
  }

  Inertia inertia() const override { return inertia_; }
  double flops() const override {
    const double n = static_cast<double>(n_);
    return n * n * n / 3.0;
  }

  void solve(std::span<double> x) const override {
    for (std::size_t k = 0; k < n_;) {
      if (pivot_[k] >= 0) {
        std::swap(x[k], x[static_cast<std::size_t>(pivot_[k])]);
        for (std::size_t i = k + 1; i < n_; ++i) x[i] -= at(i, k) * x[k];
        x[k] = at(k, k) == 0.0 ? 0.0 : x[k] / at(k, k);
        k += 1;
      } else {
        std::swap(x[k + 1], x[static_cast<std::size_t>(-pivot_[k] - 1)]);
        for (std::size_t i = k + 2; i < n_; ++i) x[i] -= at(i, k) * x[k] + at(i, k + 1) * x[k + 1];
        const double d21 = at(k + 1, k), d11 = at(k, k) / d21, d22 = at(k + 1, k + 1) / d21;
        const double denominator = d11 * d22 - 1.0, x0 = x[k] / d21, x1 = x[k + 1] / d21;
        x[k] = (d22 * x0 - x1) / denominator;
        x[k + 1] = (d11 * x1 - x0) / denominator;
        k += 2;
      }
    }
    for (std::size_t k = n_; k-- > 0;) {
      if (pivot_[k] >= 0) {
        for (std::size_t i = k + 1; i < n_; ++i) x[k] -= at(i, k) * x[i];
        std::swap(x[k], x[static_cast<std::size_t>(pivot_[k])]);
      } else {
        const std::size_t j = k - 1;
        for (std::size_t i = k + 1; i < n_; ++i) {
          x[k] -= at(i, k) * x[i];
          x[j] -= at(i, j) * x[i];
        }
        std::swap(x[k], x[static_cast<std::size_t>(-pivot_[k] - 1)]);
        k = j;
      }
    }
  }

 private:
  double& at(std::size_t i, std::size_t j) { return a_[j * n_ + i]; }
  double at(std::size_t i, std::size_t j) const { return a_[j * n_ + i]; }

  /// One block of D; returns its order.
  std::size_t step(std::size_t k) {
    const double diagonal = std::abs(at(k, k));
    std::size_t largest = k;
    double in_column = 0.0;
    for (std::size_t i = k + 1; i < n_; ++i)
      if (std::abs(at(i, k)) > in_column) in_column = std::abs(at(largest = i, k));
    std::size_t order = 1, with = k;
    if (std::max(diagonal, in_column) <= zero_pivot * norm_[k]) {  // nothing but rounding
      at(k, k) = 0.0;
      eliminate_one(k, k);
      return 1;
    }
    if (diagonal < alpha * in_column) {
      double in_row = 0.0;
      for (std::size_t j = k; j < largest; ++j) in_row = std::max(in_row, std::abs(at(largest, j)));
      for (std::size_t i = largest + 1; i < n_; ++i)
        in_row = std::max(in_row, std::abs(at(i, largest)));
      if (diagonal * in_row < alpha * in_column * in_column) {
        with = largest;
        if (std::abs(at(largest, largest)) < alpha * in_row) order = 2;
      }
    }
    exchange(k, k + order - 1, with, order);
    if (order == 1)
      eliminate_one(k, with);
    else
      eliminate_two(k, with);
    return order;
  }

  void exchange(std::size_t k, std::size_t kk, std::size_t kp, std::size_t order) {
    if (kp == kk) return;
    std::swap(norm_[kk], norm_[kp]);
    for (std::size_t i = kp + 1; i < n_; ++i) std::swap(at(i, kk), at(i, kp));
    for (std::size_t i = kk + 1; i < kp; ++i) std::swap(at(i, kk), at(kp, i));
    std::swap(at(kk, kk), at(kp, kp));
    if (order == 2) std::swap(at(k + 1, k), at(kp, k));
  }

  void eliminate_one(std::size_t k, std::size_t with) {
    pivot_[k] = static_cast<std::int64_t>(with);
    const double d = at(k, k);
    if (std::abs(d) <= zero_pivot * norm_[k]) {
      ++inertia_.zero;
      at(k, k) = 0.0;
      for (std::size_t i = k + 1; i < n_; ++i) at(i, k) = 0.0;
      return;
    }
    ++(d > 0.0 ? inertia_.positive : inertia_.negative);
    for (std::size_t j = k + 1; j < n_; ++j) {
      const double l = at(j, k) / d;
      if (l == 0.0) continue;
      for (std::size_t i = j; i < n_; ++i) at(i, j) -= at(i, k) * l;
    }
    for (std::size_t i = k + 1; i < n_; ++i) at(i, k) /= d;
  }

  void eliminate_two(std::size_t k, std::size_t with) {
    pivot_[k] = pivot_[k + 1] = -static_cast<std::int64_t>(with) - 1;
    ++inertia_.positive;
    ++inertia_.negative;
    const double d21 = at(k + 1, k), d11 = at(k + 1, k + 1) / d21, d22 = at(k, k) / d21;
    const double scale = 1.0 / (d11 * d22 - 1.0) / d21;
    for (std::size_t j = k + 2; j < n_; ++j) {
      const double l0 = scale * (d11 * at(j, k) - at(j, k + 1));
      const double l1 = scale * (d22 * at(j, k + 1) - at(j, k));
      for (std::size_t i = j; i < n_; ++i) at(i, j) -= at(i, k) * l0 + at(i, k + 1) * l1;
      at(j, k) = l0;
      at(j, k + 1) = l1;
    }
  }

  std::size_t n_ = 0;
  std::vector<double> a_, norm_;
  std::vector<std::int64_t> pivot_;
  Inertia inertia_;
};

}  // namespace

std::unique_ptr<SymmetricFactors> dense_factors() {
  return std::make_unique<DenseFactors>();
}

}  // namespace sketch_newton
