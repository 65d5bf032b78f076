#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace sparse_transport {

/// A x = b with A symmetric positive definite and so sparse that elimination makes little fill (plans of
/// few entries are nearly forests). Nodes of least degree go first; what is left once their number is
/// below four times its least degree is eliminated as a dense matrix.
class SparseCholesky {
 public:
  explicit SparseCholesky(std::int32_t size);
  /// A(i, j) and A(j, i) += value.
  void add(std::int32_t i, std::int32_t j, double value);
  double diagonal(std::int32_t i) const { return diagonal_[i]; }
  /// Eliminates (once) and solves in place. False where a pivot is not positive; x is then undefined.
  bool solve(std::vector<double>& x);
  /// Entries of the factor beside the diagonal.
  std::int64_t fill() const { return fill_; }

 private:
  using Row = std::vector<std::pair<std::int32_t, double>>;
  /// An eliminated node: x_node = rhs / pivot - sum (value / pivot) x_other.
  struct Eliminated {
    std::int32_t node;
    double pivot;
    Row others;
  };
  bool eliminate(std::int32_t node);
  bool factor_rest(const std::vector<std::int32_t>& nodes);
  bool factor();
  void solve_rest(std::vector<double>& x) const;

  std::vector<Row> rows_;  ///< off the diagonal
  std::vector<double> diagonal_;
  std::vector<Eliminated> eliminated_;
  std::vector<std::int32_t> rest_;
  std::vector<double> dense_;  ///< lower factor of the rest, rows of rest_.size()
  std::int64_t fill_ = 0;
};

}  // namespace sparse_transport
