#pragma once

#include <libsolve/linear/stencil_operator.hpp>
#include <vector>

namespace dcdm {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// An operator on a grid, small enough to train on, in host memory as compressed rows: one sample
/// is the work of one thread.
class HostOperator {
 public:
  explicit HostOperator(const StencilOperator& A);

  std::size_t size() const { return open_.size(); }
  int num_open() const { return num_open_; }
  /// 0 in solid cells, else 1.
  const std::vector<double>& open() const { return open_; }
  double largest_diagonal() const { return largest_diagonal_; }
  /// y = A x.
  void apply(const double* x, double* y) const;

 private:
  std::vector<std::size_t> first_;
  std::vector<int> columns_;
  std::vector<double> values_;
  std::vector<double> open_;
  int num_open_ = 0;
  double largest_diagonal_ = 0.0;
};

double dot(const std::vector<double>& x, const std::vector<double>& y);
/// y += alpha x.
void add(double alpha, const std::vector<double>& x, std::vector<double>& y);
/// x /= ||x||; returns ||x||, and leaves a zero vector alone.
double normalise(std::vector<double>& x);

}  // namespace dcdm
