#include "dense_operator.hpp"

#include <cmath>

namespace libsolve::test {

DenseOperator::DenseOperator(Index num_rows, Index num_columns, std::vector<double> entries,
                             bool symmetric)
    : rows_(num_rows), columns_(num_columns), entries_(std::move(entries)), symmetric_(symmetric) {}
DenseOperator::~DenseOperator() = default;

std::vector<double> DenseOperator::times(const std::vector<double>& x) const {
  std::vector<double> y(static_cast<std::size_t>(rows_.local_size()), 0.0);
  for (Index i = 0; i < rows_.local_size(); ++i)
    for (Index j = 0; j < columns_.local_size(); ++j)
      y[static_cast<std::size_t>(i)] += (*this)(i, j) * x[static_cast<std::size_t>(j)];
  return y;
}

std::vector<double> DenseOperator::adjoint_times(const std::vector<double>& x) const {
  std::vector<double> y(static_cast<std::size_t>(columns_.local_size()), 0.0);
  for (Index i = 0; i < rows_.local_size(); ++i)
    for (Index j = 0; j < columns_.local_size(); ++j)
      y[static_cast<std::size_t>(j)] += (*this)(i, j) * x[static_cast<std::size_t>(i)];
  return y;
}

void DenseOperator::apply(const Vector& x, const Vector& y) const {
  ++num_applications_;
  assign(y, times(to_host(x)));
}

void DenseOperator::apply_adjoint(const Vector& x, const Vector& y) const {
  ++num_applications_;
  assign(y, adjoint_times(to_host(x)));
}

bool DenseOperator::diagonal(const Vector& d) const {
  std::vector<double> values(static_cast<std::size_t>(rows_.local_size()));
  for (Index i = 0; i < rows_.local_size(); ++i)
    values[static_cast<std::size_t>(i)] = (*this)(i, i);
  assign(d, values);
  return true;
}

std::string DenseOperator::description() const {
  return "dense matrix, " + std::to_string(rows_.local_size()) + " x " +
         std::to_string(columns_.local_size());
}

double norm(const std::vector<double>& v) {
  double sum = 0.0;
  for (const double x : v) sum += x * x;
  return std::sqrt(sum);
}

std::vector<double> residual(const DenseOperator& A, const std::vector<double>& b,
                             const std::vector<double>& x) {
  std::vector<double> r = A.times(x);
  for (std::size_t i = 0; i < r.size(); ++i) r[i] = b[i] - r[i];
  return r;
}

}  // namespace libsolve::test
