#pragma once

#include <libsolve/linear/ordered_rows.hpp>
#include <libsolve/linear/preconditioner.hpp>
#include <libsolve/plugin/registry.hpp>

#include "elimination_order.hpp"

namespace incomplete {

struct IncompleteCholeskyOptions {
  std::string ordering = "natural";
  double shift = 0.0;
  double first_shift = 1e-3;
  static void describe(Fields<IncompleteCholeskyOptions>& f) {
    using O = IncompleteCholeskyOptions;
    f.add("ordering", &O::ordering, Choices{{"natural", "rcm"}},
          "order of elimination; rcm: reverse Cuthill-McKee, for badly numbered matrices");
    f.add("shift", &O::shift, Range::at_least(0.0),
          "alpha to begin with: A + alpha diag(A) is factored");
    f.add("first_shift", &O::first_shift, Range::above(0.0),
          "alpha after the first breakdown; doubled until there is none");
  }
};

/// z = (L L^T)^-1 r with L on the pattern of the lower triangle of A, (L L^T)_ij = a_ij on it:
///   l_ij = (a_ij - sum_{k<j} l_ik l_jk) / l_jj,   l_ii^2 = a_ii - sum_{k<i} l_ik^2.
/// Exists for M-matrices (Meijerink and van der Vorst 1977). Elsewhere a pivot l_ii^2 may come out
/// too small; then A + alpha diag(A) is factored instead, alpha = first_shift, doubled until all
/// pivots are good (Manteuffel 1980), which a note reports. The factorisation works on the matrix
/// scaled to a unit diagonal, which changes nothing in exact arithmetic (IC(0) of S A S is S L) and
/// makes the pivot test independent of units.
/// Cost: two triangular solves, 24 bytes an entry below the diagonal; storage the same.
class IncompleteCholesky final : public Preconditioner {
 public:
  using Options = IncompleteCholeskyOptions;
  IncompleteCholesky(const Options& options, const Context&) : options_(options) {}

  /// Throws Unsupported for a matrix that is not symmetric, NumericalError for one that cannot be
  /// positive definite.
  void setup(const LinearSystem& system) override;
  void apply(const Vector& r, const Vector& z) override;
  bool is_symmetric() const override { return true; }
  double memory_bytes() const override { return factors_.memory_bytes(); }
  std::vector<Measure> metrics() const override;
  std::vector<std::string> notes() const override { return notes_; }
  /// alpha of the factors in use.
  double shift() const { return shift_; }

 private:
  Options options_;
  double shift_ = 0.0;
  Index num_attempts_ = 0;
  TriangularFactors factors_;
  std::vector<std::string> notes_;
};

/// Factors M (unit diagonal) + shift I in place. Returns the place of the first pivot below
/// `smallest_pivot`, or num_rows where there is none.
Index factor_cholesky(OrderedRows& M, double shift, double smallest_pivot);

}  // namespace incomplete
