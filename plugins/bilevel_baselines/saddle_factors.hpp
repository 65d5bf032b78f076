#pragma once

#include <libsolve/core/index.hpp>
#include <memory>
#include <span>
#include <vector>

namespace bilevel_baselines {

/// Factors of a symmetric indefinite matrix [W A^T; A 0], which may be singular: dense with
/// rank-revealing pivots for a few hundred rows, sparse LU above.
class SaddleFactors {
 public:
  struct Entry {
    libsolve::Index row, column;
    double value;
  };

  SaddleFactors();
  ~SaddleFactors();
  SaddleFactors(SaddleFactors&&) noexcept;
  SaddleFactors& operator=(SaddleFactors&&) noexcept;

  /// Entries of both triangles; equal places add up. False where an entry is not finite.
  bool factor(libsolve::Index size, std::span<const Entry> entries);
  /// x: right-hand side on entry, solution on return; of a singular system the least-squares
  /// solution of least norm (dense) or that of a matrix shifted by 1e-10 of its size (sparse).
  void solve(std::span<double> x) const;
  /// Whether a pivot vanished (1e-12 of the largest one).
  bool is_singular() const noexcept { return is_singular_; }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  bool is_singular_ = false;
};

}  // namespace bilevel_baselines
