#include "ssor.hpp"

#include <libsolve/linear/ordering.hpp>
#include <utility>

#include "zero_diagonal.hpp"

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
  refuse_zero_diagonal(M, "preconditioner 'ssor'");
  SparseTriangle lower = lower_triangle(M, false);
  for (Index k = 0; k < n; ++k) {
    const double d = M.value[M.diagonal[k]];
    M.value[M.diagonal[k]] = 1.0;
    for (GlobalIndex e = M.diagonal[k] + 1; e < M.begin[k + 1]; ++e) M.value[e] /= d;
  }
  factors_ = {std::move(lower), upper_triangle(M)};
}

void Ssor::apply(const Vector& r, const Vector& z) {
  const double omega = options_.omega;
  // y = (D + omega L)^-1 r;  z = (I + omega D^-1 U)^-1 omega (2 - omega) y
  factors_.lower.solve(r.view(), z.view(), {.off_diagonal = omega});
  factors_.upper.solve(z.view(), z.view(),
                       {.right_hand_side = omega * (2.0 - omega), .off_diagonal = omega});
}

bool Ssor::set_parameter(std::string_view name, double value) {
  if (name != "omega") return false;
  options_.omega = value;
  return true;
}

std::vector<Measure> Ssor::metrics() const {
  std::vector<Measure> measures = {{"triangular_levels", factors_.num_levels(), ""}};
  if (num_colours_ > 0) measures.push_back({"colours", static_cast<double>(num_colours_), ""});
  return measures;
}

}  // namespace relaxation
