#pragma once

#include <vector>

#include "svm_samples.hpp"

namespace bilevel_sources {

/// min over u of 1/2 sum_j d_j (u_j - u0_j)^2 + 1/2 sum_i k_i max(0, h_i - a_i . u)^2, the a_i the
/// rows of samples: a support vector machine with squared hinge losses, or the projection onto
/// {s_i >= 1 - a_i . u}. A semismooth Newton method with exact line search, finite: where the rows
/// that count stay the same the step is exact (Keerthi, DeCoste, A modified finite Newton method
/// for fast solution of large scale linear SVMs, JMLR 6, 2005). The matrix D + sum_counting k_i a_i
/// a_i^T is kept from call to call and changed row by row; beyond SvmSamples::most_full columns its
/// systems are solved by conjugate gradients instead.
class HingeNewton {
 public:
  /// `samples` outlives it. d: one number >= 0 for each column.
  HingeNewton(const SvmSamples& samples, std::vector<double> d);

  /// From u; u0 and d as long as the columns, k and h as the rows, k > 0. Returns Newton steps, -1
  /// where 100 do not suffice.
  int solve(std::span<const double> u0, std::span<const double> k, std::span<const double> h,
            std::vector<double>& u);
  /// Of the solution: max(0, h_i - a_i . u).
  const std::vector<double>& losses() const { return losses_; }

 private:
  void multiply(const std::vector<double>& u, std::vector<double>& m) const;
  void add_transposed(const std::vector<double>& weights, std::vector<double>& out) const;
  bool update_matrix(std::span<const double> k);
  void add_rows(std::span<const double> k);
  void factorise();
  void solve_with_factors();
  void solve_by_conjugate_gradients(std::span<const double> k);
  double line_search(std::span<const double> k, double slope, double curvature) const;

  const SvmSamples* samples_;
  std::size_t n_, q_;
  std::size_t width_;         ///< of rows, q_ rounded up
  std::vector<double> rows_;  ///< where rows are full, with zeros at their ends
  std::vector<double> d_, kept_k_, matrix_, factor_, pivots_;
  std::vector<bool> counts_;          ///< the rows in matrix_
  std::vector<std::size_t> changed_;  ///< rows to add to it or to take away
  std::size_t updates_ = 0;           ///< since it was made
  std::vector<double> u_, gaps_, losses_, weights_, gradient_, step_, slopes_;
};

}  // namespace bilevel_sources
