#include "ssor.hpp"

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/linear/ordering.hpp>
#include <utility>

namespace relaxation {

void Ssor::setup(const LinearSystem& system) {
  notes_.clear();
  const auto matrix = assembled(system.shared_A(), "preconditioner 'ssor'", notes_);
  if (matrix->num_rows() != matrix->num_columns())
    throw Unsupported("preconditioner 'ssor' needs a square matrix, got " + matrix->description());
  is_symmetric_ = matrix->is_symmetric();
  const HostCsr A = host_csr(*matrix);
  const Index n = A.num_rows;

  std::vector<Index> order = natural_order(n);
  num_colours_ = 0;
  if (options_.ordering == "multicolour") {
    Colouring colouring = multicolour_order(A);
    order = std::move(colouring.order);
    num_colours_ = colouring.num_colours;
  }
  OrderedRows M = make_ordered_rows(A, std::move(order), RowPart::all);

  std::vector<double> d(static_cast<size_t>(n));
  for (Index k = 0; k < n; ++k) {
    d[k] = M.value[M.diagonal[k]];
    if (d[k] == 0.0 || !std::isfinite(1.0 / d[k]))
      throw NumericalError("preconditioner 'ssor': the diagonal in row " +
                           std::to_string(M.order[k]) +
                           " is zero; use 'ilu0', or order the rows so that none is");
  }
  const double omega = options_.omega;
  const double scale = 1.0 / (omega * (2.0 - omega));
  for (Index k = 0; k < n; ++k) {
    for (GlobalIndex e = M.begin[k]; e < M.diagonal[k]; ++e) M.value[e] *= omega / d[M.column[e]];
    M.value[M.diagonal[k]] *= scale;
    for (GlobalIndex e = M.diagonal[k] + 1; e < M.begin[k + 1]; ++e) M.value[e] *= omega * scale;
  }
  factors_ = {lower_triangle(M, true), upper_triangle(M)};
}

void Ssor::apply(const Vector& r, const Vector& z) {
  factors_.solve(r.view(), z.view());
}

std::vector<Measure> Ssor::metrics() const {
  std::vector<Measure> measures = {{"triangular_levels", factors_.num_levels(), ""}};
  if (num_colours_ > 0) measures.push_back({"colours", static_cast<double>(num_colours_), ""});
  return measures;
}

}  // namespace relaxation
