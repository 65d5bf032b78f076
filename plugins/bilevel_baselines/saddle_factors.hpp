#pragma once

#include <libsolve/core/index.hpp>
#include <memory>
#include <span>
#include <vector>

namespace bilevel_baselines {

/// Factors of a symmetric indefinite matrix [W A^T; A 0], which may be singular. Small ones: dense
/// LU, and where a pivot vanishes a rank-revealing orthogonal decomposition. Larger ones: L D L^T
/// of [W + d I, A^T; A, -d I] in minimum degree order, d = 1e-8 of the largest entry, and
/// iterative refinement; that matrix has factors in any order where W is positive semidefinite
/// (Vanderbei, Symmetric quasidefinite matrices, SIAM J. Optim. 5, 1995). Where the refinement does
/// not converge, sparse LU with pivots.
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

  /// size: rows of W and of A. Entries of both triangles; equal places add up. False where an entry
  /// is not finite.
  bool factor(libsolve::Index num_primal, libsolve::Index num_dual, std::span<const Entry> entries);
  /// x: right-hand side on entry, solution on return; of a singular system the least-squares
  /// solution of least norm (dense) or that of a shifted matrix (sparse).
  void solve(std::span<double> x) const;
  /// Whether a pivot vanished.
  bool is_singular() const noexcept { return is_singular_; }

 private:
  struct Impl;
  bool factor_quasidefinite(libsolve::Index num_primal, double largest);
  bool factor_with_pivots(double largest);
  std::unique_ptr<Impl> impl_;
  bool is_singular_ = false;
};

}  // namespace bilevel_baselines
