#include "incomplete_lu.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>

namespace incomplete {

void IncompleteLu::setup(const LinearSystem& system) {
  notes_.clear();
  num_replaced_ = 0;
  const auto A = assembled(system.shared_A(), "preconditioner 'ilu0'", notes_);
  if (A->num_rows() != A->num_columns())
    throw Unsupported("preconditioner 'ilu0' needs a square matrix, got " + A->description());
  const HostCsr rows = host_csr(*A);
  OrderedRows M = make_ordered_rows(rows, elimination_order(rows, options_.ordering), RowPart::all);
  const Index n = M.num_rows();
  is_symmetric_ = A->is_symmetric();

  Index first_replaced = -1;
  double smallest_seen = 0.0;
  std::vector<GlobalIndex> entry_of(static_cast<size_t>(n), -1);  // of the row at work, by column
  for (Index i = 0; i < n; ++i) {
    double largest = 0.0;
    for (GlobalIndex e = M.begin[i]; e < M.begin[i + 1]; ++e) {
      entry_of[M.column[e]] = e;
      largest = std::max(largest, std::abs(M.value[e]));
    }
    if (largest == 0.0)
      throw NumericalError("preconditioner 'ilu0': row " + std::to_string(M.order[i]) +
                           " holds zeros only, so the matrix is singular");
    for (GlobalIndex e = M.begin[i]; e < M.diagonal[i]; ++e) {
      const Index k = M.column[e];
      // l_ik = a_ik / u_kk;  a_ij -= l_ik u_kj for j > k within the pattern
      const double l = M.value[e] / M.value[M.diagonal[k]];
      M.value[e] = l;
      for (GlobalIndex f = M.diagonal[k] + 1; f < M.begin[k + 1]; ++f)
        if (const GlobalIndex own = entry_of[M.column[f]]; own >= 0) M.value[own] -= l * M.value[f];
    }
    for (GlobalIndex e = M.begin[i]; e < M.begin[i + 1]; ++e) entry_of[M.column[e]] = -1;

    double& pivot = M.value[M.diagonal[i]];
    const double least = options_.smallest_pivot * largest;
    if (!std::isfinite(pivot))
      throw NumericalError("preconditioner 'ilu0': the pivot of row " + std::to_string(M.order[i]) +
                           " is not finite; raise smallest_pivot (now " +
                           format_number(options_.smallest_pivot) + ") or use ordering = \"rcm\"");
    if (std::abs(pivot) < least) {
      if (options_.small_pivots == "refuse")
        throw NumericalError("preconditioner 'ilu0': the pivot of row " +
                             std::to_string(M.order[i]) + " is " + format_number(pivot) +
                             ", below " + format_number(options_.smallest_pivot) +
                             " of its row; use small_pivots = \"replace\" or ordering = \"rcm\"");
      if (num_replaced_++ == 0) {
        first_replaced = M.order[i];
        smallest_seen = pivot;
      }
      pivot = pivot < 0.0 ? -least : least;
    }
    if (pivot < 0.0) is_symmetric_ = false;  // may be indefinite
  }
  if (num_replaced_ > 0)
    notes_.push_back("ilu0 replaced " + std::to_string(num_replaced_) +
                     " small pivots (first: row " + std::to_string(first_replaced) + ", " +
                     format_number(smallest_seen) + ") by " +
                     format_number(options_.smallest_pivot) + " of their rows");
  factors_ = {lower_triangle(M, true), upper_triangle(M)};
}

void IncompleteLu::apply(const Vector& r, const Vector& z) {
  factors_.solve(r.view(), z.view());
}

std::vector<Measure> IncompleteLu::metrics() const {
  return {{"replaced_pivots", static_cast<double>(num_replaced_), ""},
          {"triangular_levels", factors_.num_levels(), ""}};
}

}  // namespace incomplete
