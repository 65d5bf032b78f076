#include "host_operator.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/linear/csr_matrix.hpp>

namespace dcdm {

HostOperator::HostOperator(const StencilOperator& A) {
  const auto matrix = A.assemble();
  const auto host = [](const auto& view) {
    return Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), view);
  };
  const auto rows = host(matrix->row_pointers());
  const auto columns = host(matrix->columns());
  const auto values = host(matrix->values());
  first_.assign(rows.data(), rows.data() + rows.extent(0));
  columns_.assign(columns.data(), columns.data() + columns.extent(0));
  values_.assign(values.data(), values.data() + values.extent(0));
  open_.assign(first_.size() - 1, 1.0);
  if (!A.is_constant() && A.variable().solid.extent(0) > 0) {
    const auto solid = host(A.variable().solid);
    for (std::size_t c = 0; c < open_.size(); ++c)
      if (solid(c) != 0) open_[c] = 0.0;
  }
  num_open_ = static_cast<int>(std::count(open_.begin(), open_.end(), 1.0));
  for (std::size_t r = 0; r < open_.size(); ++r)
    for (std::size_t e = first_[r]; e < first_[r + 1]; ++e)
      if (static_cast<std::size_t>(columns_[e]) == r)
        largest_diagonal_ = std::max(largest_diagonal_, values_[e]);
}

void HostOperator::apply(const double* x, double* y) const {
  for (std::size_t r = 0; r < open_.size(); ++r) {
    double sum = 0.0;
    for (std::size_t e = first_[r]; e < first_[r + 1]; ++e) sum += values_[e] * x[columns_[e]];
    y[r] = sum;
  }
}

double dot(const std::vector<double>& x, const std::vector<double>& y) {
  double sum = 0.0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t i = 0; i < x.size(); ++i) sum += x[i] * y[i];
  return sum;
}

void add(double alpha, const std::vector<double>& x, std::vector<double>& y) {
  const double* const from = x.data();
  double* const to = y.data();
#pragma omp simd
  for (std::size_t i = 0; i < y.size(); ++i) to[i] += alpha * from[i];
}

double normalise(std::vector<double>& x) {
  const double norm = std::sqrt(dot(x, x));
  if (norm > 0.0)
    for (double& v : x) v /= norm;
  return norm;
}

}  // namespace dcdm
