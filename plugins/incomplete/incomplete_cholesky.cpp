#include "incomplete_cholesky.hpp"

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>

namespace incomplete {
namespace {

/// Pivots of the matrix scaled to a unit diagonal. A smaller one makes entries of L^-1 so large
/// that the factors are worse than a shift.
constexpr double smallest_pivot = 1e-8;
/// With alpha >= the largest number of entries off the diagonal of a row, A + alpha diag(A) scaled
/// to a unit diagonal is diagonally dominant (|a_ij| <= sqrt(a_ii a_jj)) and no pivot fails; far
/// beyond, nothing but the diagonal is left.
constexpr double largest_shift = 1e6;

}  // namespace

Index factor_cholesky(OrderedRows& M, double shift, double smallest) {
  const Index n = M.num_rows();
  std::vector<double> row(static_cast<size_t>(n), 0.0);  // l_ij of the row at work, by column
  for (Index i = 0; i < n; ++i) {
    double pivot = M.value[M.diagonal[i]] + shift;
    for (GlobalIndex e = M.begin[i]; e < M.diagonal[i]; ++e) {
      const Index j = M.column[e];
      // l_ij = (a_ij - sum_{k<j} l_ik l_jk) / l_jj
      double sum = M.value[e];
      for (GlobalIndex f = M.begin[j]; f < M.diagonal[j]; ++f) sum -= row[M.column[f]] * M.value[f];
      const double l = sum / M.value[M.diagonal[j]];
      M.value[e] = row[j] = l;
      pivot -= l * l;
    }
    for (GlobalIndex e = M.begin[i]; e < M.diagonal[i]; ++e) row[M.column[e]] = 0.0;
    if (!(pivot >= smallest) || !std::isfinite(pivot)) return i;
    M.value[M.diagonal[i]] = std::sqrt(pivot);
  }
  return n;
}

void IncompleteCholesky::setup(const LinearSystem& system) {
  notes_.clear();
  const auto A = assembled(system.shared_A(), "preconditioner 'ic0'", notes_);
  if (!A->is_symmetric())
    throw Unsupported("preconditioner 'ic0' needs a symmetric matrix; " + A->description() +
                      " has max |a_ij - a_ji| / max |a_ij| = " + format_number(A->asymmetry()) +
                      "; use 'ilu0' with gmres or bicgstab");
  const HostCsr rows = host_csr(*A);
  OrderedRows scaled =
      make_ordered_rows(rows, elimination_order(rows, options_.ordering), RowPart::lower);
  const Index n = scaled.num_rows();

  // S A S with S = diag(A)^(-1/2).
  std::vector<double> s(static_cast<size_t>(n));
  for (Index k = 0; k < n; ++k) {
    const double d = scaled.value[scaled.diagonal[k]];
    if (!(d > 0.0) || !std::isfinite(1.0 / d))
      throw NumericalError("preconditioner 'ic0': the diagonal in row " +
                           std::to_string(scaled.order[k]) + " is " + format_number(d) +
                           ", so the matrix is not positive definite; use minres with 'jacobi' "
                           "(diagonal = \"l1\"), or gmres with 'ilu0'");
    s[k] = 1.0 / std::sqrt(d);
  }
  for (Index k = 0; k < n; ++k)
    for (GlobalIndex e = scaled.begin[k]; e < scaled.begin[k + 1]; ++e)
      scaled.value[e] = scaled.column[e] == k ? 1.0 : s[k] * s[scaled.column[e]] * scaled.value[e];

  OrderedRows factor = scaled;
  shift_ = options_.shift;
  num_attempts_ = 1;
  Index first_bad = n;
  for (Index bad; (bad = factor_cholesky(factor, shift_, smallest_pivot)) < n; ++num_attempts_) {
    if (num_attempts_ == 1) first_bad = scaled.order[bad];
    shift_ = num_attempts_ == 1 ? std::max(2.0 * shift_, options_.first_shift) : 2.0 * shift_;
    if (shift_ > largest_shift)
      throw NumericalError("preconditioner 'ic0': no shift up to " + format_number(largest_shift) +
                           " makes the pivots positive (row " + std::to_string(scaled.order[bad]) +
                           "); are there numbers near overflow?");
    factor.value = scaled.value;
  }
  if (num_attempts_ > 1)
    notes_.push_back("ic0 broke down (first in row " + std::to_string(first_bad) +
                     "): A + alpha diag(A) was factored, alpha = " + format_number(shift_) +
                     ", the first of " + std::to_string(num_attempts_ - 1) + " tried that works");

  // L of A itself: S^-1 L.
  for (Index k = 0; k < n; ++k)
    for (GlobalIndex e = factor.begin[k]; e < factor.begin[k + 1]; ++e) factor.value[e] /= s[k];
  factors_ = {lower_triangle(factor, false), transposed_lower_triangle(factor)};
}

void IncompleteCholesky::apply(const Vector& r, const Vector& z) {
  factors_.solve(r.view(), z.view());
}

std::vector<Measure> IncompleteCholesky::metrics() const {
  return {{"factor_shift", shift_, ""}, {"triangular_levels", factors_.num_levels(), ""}};
}

}  // namespace incomplete
