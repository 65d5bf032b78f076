#pragma once

#include <cstddef>
#include <vector>

namespace pde_control {

/// LU factors with row exchanges of a small matrix (row by row), on the host.
class DenseFactors {
 public:
  DenseFactors() = default;
  /// Throws NumericalError for a singular matrix.
  DenseFactors(std::vector<double> A, std::size_t n);
  void solve(std::vector<double>& x) const;

 private:
  std::size_t n_ = 0;
  std::vector<double> LU_;
  std::vector<std::size_t> exchanged_;
};

}  // namespace pde_control
