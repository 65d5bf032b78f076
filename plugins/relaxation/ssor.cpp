#include "ssor.hpp"

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/linear/assembled.hpp>
#include <libsolve/linear/ordering.hpp>

namespace relaxation {

void Ssor::setup(const LinearSystem& system) {
  notes_.clear();
  const auto matrix = assembled(system.shared_A(), "preconditioner 'ssor'", notes_);
  if (matrix->num_rows() != matrix->num_columns())
    throw Unsupported("preconditioner 'ssor' needs a square matrix, got " + matrix->description());
  is_symmetric_ = matrix->is_symmetric();
  const HostCsr A = host_csr(*matrix);
  const Index n = A.num_rows;

  std::vector<double> d(static_cast<size_t>(n), 0.0);
  for (Index i = 0; i < n; ++i) {
    for (GlobalIndex k = A.begin(i); k < A.end(i); ++k)
      if (A.columns(k) == i) d[i] = A.values(k);
    if (d[i] == 0.0 || !std::isfinite(1.0 / d[i]))
      throw NumericalError("preconditioner 'ssor': the diagonal in row " + std::to_string(i) +
                           " is zero; use 'ilu0', or order the rows so that none is");
  }

  std::vector<Index> order = natural_order(n);
  num_colours_ = 0;
  if (options_.ordering == "multicolour") {
    Colouring colouring = multicolour_order(A);
    order = std::move(colouring.order);
    num_colours_ = colouring.num_colours;
  }
  const std::vector<Index> place = places(order);

  const double omega = options_.omega;
  const double scale = 1.0 / (omega * (2.0 - omega));
  // Row order[k] of one triangle; `is_own` says which entries belong to it.
  const auto triangle = [&](bool lower) {
    SparseTriangle::Rows rows;
    rows.row_pointers.push_back(0);
    for (Index step = 0; step < n; ++step) {
      const Index k = lower ? step : n - 1 - step;
      const Index i = order[k];
      for (GlobalIndex e = A.begin(i); e < A.end(i); ++e) {
        const Index j = A.columns(e);
        if (lower ? place[j] >= k : place[j] <= k) continue;
        rows.columns.push_back(j);
        rows.values.push_back(omega * A.values(e) * (lower ? 1.0 / d[j] : scale));
      }
      rows.order.push_back(i);
      rows.inverse_diagonal.push_back(lower ? 1.0 : 1.0 / (scale * d[i]));
      rows.row_pointers.push_back(static_cast<GlobalIndex>(rows.columns.size()));
    }
    return SparseTriangle(std::move(rows));
  };
  lower_ = triangle(true);
  upper_ = triangle(false);
}

void Ssor::apply(const Vector& r, const Vector& z) {
  lower_.solve(r.view(), z.view());
  upper_.solve(z.view(), z.view());
}

std::vector<Measure> Ssor::metrics() const {
  std::vector<Measure> measures = {
      {"triangular_levels", static_cast<double>(lower_.num_levels()), ""}};
  if (num_colours_ > 0) measures.push_back({"colours", static_cast<double>(num_colours_), ""});
  return measures;
}

}  // namespace relaxation
