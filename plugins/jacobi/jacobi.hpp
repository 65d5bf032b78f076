#pragma once

#include <libsolve/linear/preconditioner.hpp>
#include <libsolve/plugin/registry.hpp>

namespace jacobi {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

struct JacobiOptions {
  std::string diagonal = "entries";
  static void describe(Fields<JacobiOptions>& f) {
    f.add("diagonal", &JacobiOptions::diagonal, Choices{{"entries", "l1"}},
          "what is inverted: a_ii, or l1: the sum of |a_ij| over the row (needs an assembled "
          "matrix)");
  }
};

/// z = D^-1 r with D = diag(A), or D_ii = sum_j |a_ij| ("l1", which makes I - D^-1 A a contraction
/// in the A-norm for every symmetric positive definite A). One pass, 3 doubles a row; storage one.
/// Works on every operator with a diagonal, matrix-free ones included.
class Jacobi final : public Preconditioner {
 public:
  using Options = JacobiOptions;
  Jacobi(const Options& options, const Context&) : options_(options) {}

  /// Throws Unsupported for an operator without a diagonal, NumericalError for a zero on it.
  void setup(const LinearSystem& system) override;
  void apply(const Vector& r, const Vector& z) override;
  DotPair apply_with_dots(const Vector& r, const Vector& z, const Vector* q) override;
  bool is_symmetric() const override { return true; }
  double memory_bytes() const override { return 8.0 * inverse_.local_size(); }
  std::vector<std::string> notes() const override { return notes_; }

 private:
  Options options_;
  Vector inverse_;
  std::vector<std::string> notes_;
};

}  // namespace jacobi
