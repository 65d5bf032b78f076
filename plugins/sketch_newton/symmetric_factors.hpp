#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace sketch_newton {

/// Numbers of eigenvalues of each sign.
struct Inertia {
  std::size_t positive = 0, negative = 0, zero = 0;
};

/// Lower triangle by columns, row indices ascending, the diagonal always there and first.
struct SymmetricEntries {
  std::vector<int> first, rows;  ///< first: columns + 1
  std::vector<double> values;
  std::size_t size() const { return first.empty() ? 0 : first.size() - 1; }
};

/// P A P^T = L D L^T of a symmetric, indefinite matrix.
class SymmetricFactors {
 public:
  virtual ~SymmetricFactors() = default;
  /// The pattern stays the same over calls. False where the factors are of no use.
  virtual bool factor(const SymmetricEntries& A) = 0;
  /// Of the last matrix, by the signs of D (Sylvester).
  virtual Inertia inertia() const = 0;
  /// x: right-hand side, overwritten.
  virtual void solve(std::span<double> x) const = 0;
  virtual double flops() const = 0;  ///< of one factorisation
  /// Asked now and then while a large matrix is factored; true ends that, without factors.
  std::function<bool()> stop = {};
};

/// Bunch and Kaufman (1977): diagonal blocks of order 1 and 2 chosen for bounded growth.
std::unique_ptr<SymmetricFactors> dense_factors();
/// Multifrontal, for sparse matrices: threshold pivoting in blocks of order 1 and 2; exact inertia.
std::unique_ptr<SymmetricFactors> sparse_factors();

}  // namespace sketch_newton
