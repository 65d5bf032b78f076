#pragma once

#include <libsolve/linear/ordered_rows.hpp>
#include <libsolve/linear/preconditioner.hpp>
#include <libsolve/plugin/registry.hpp>

#include "elimination_order.hpp"

namespace incomplete {

struct IncompleteLuOptions {
  std::string ordering = "natural";
  std::string small_pivots = "replace";
  double smallest_pivot = 1e-10;
  static void describe(Fields<IncompleteLuOptions>& f) {
    using O = IncompleteLuOptions;
    f.add("ordering", &O::ordering, Choices{{"natural", "rcm"}},
          "order of elimination; rcm: reverse Cuthill-McKee, for badly numbered matrices");
    f.add("small_pivots", &O::small_pivots, Choices{{"replace", "refuse"}},
          "pivots below smallest_pivot: put the smallest there and say so, or stop");
    f.add("smallest_pivot", &O::smallest_pivot, Range::open(0.0, 1.0),
          "relative to the largest entry of the row");
  }
};

/// z = (L U)^-1 r with L (unit diagonal) and U on the pattern of A and (L U)_ij = a_ij on it, by
/// Gaussian elimination row by row that drops everything outside the pattern (Saad 2003, algorithm
/// 10.4). No rows are exchanged. A pivot below smallest_pivot times the largest entry of its row of
/// A is replaced by that number with its sign (a zero or absent diagonal by the positive one).
/// Cost: two triangular solves, 12 bytes an entry; storage the same.
class IncompleteLu final : public Preconditioner {
 public:
  using Options = IncompleteLuOptions;
  IncompleteLu(const Options& options, const Context&) : options_(options) {}

  /// Throws NumericalError for a row of zeros, and for small pivots that are refused.
  void setup(const LinearSystem& system) override;
  void apply(const Vector& r, const Vector& z) override;
  /// For symmetric A the factors are L D L^T; M is positive definite where no pivot is negative.
  bool is_symmetric() const override { return is_symmetric_; }
  double memory_bytes() const override { return factors_.memory_bytes(); }
  std::vector<Measure> metrics() const override;
  std::vector<std::string> notes() const override { return notes_; }

 private:
  Options options_;
  bool is_symmetric_ = false;
  Index num_replaced_ = 0;
  TriangularFactors factors_;
  std::vector<std::string> notes_;
};

}  // namespace incomplete
