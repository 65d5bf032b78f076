#pragma once

#include <libsolve/core/tunable.hpp>
#include <libsolve/linear/ordered_rows.hpp>
#include <libsolve/linear/preconditioner.hpp>
#include <libsolve/plugin/registry.hpp>

namespace relaxation {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

struct SsorOptions {
  double omega = 1.0;
  std::string ordering = "natural";
  static void describe(Fields<SsorOptions>& f) {
    f.add("omega", &SsorOptions::omega, Range::open(0.0, 2.0),
          "relaxation parameter; 1 is symmetric Gauss-Seidel");
    f.add("ordering", &SsorOptions::ordering, Choices{{"natural", "multicolour"}},
          "order of the rows; multicolour: rows of a colour in parallel, more iterations");
  }
};

/// z = M^-1 r with, for A = L + D + U (strict triangles in the chosen order of the rows),
///   M = (D + omega L) D^-1 (D + omega U) / (omega (2 - omega)),
/// one forward and one backward sweep of SOR from z = 0. Symmetric where A is, positive definite
/// where D is positive besides.
/// Cost: two triangular solves, 24 bytes an off-diagonal entry in all; storage the same.
class Ssor final : public Preconditioner, public Tunable {
 public:
  using Options = SsorOptions;
  Ssor(const Options& options, const Context&) : options_(options) {}

  /// Throws NumericalError for a zero on the diagonal.
  void setup(const LinearSystem& system) override;
  void apply(const Vector& r, const Vector& z) override;
  bool is_symmetric() const override { return is_symmetric_; }
  double memory_bytes() const override { return factors_.memory_bytes(); }
  std::vector<Measure> metrics() const override;
  std::vector<std::string> notes() const override { return notes_; }
  /// "omega", at no cost: it is not part of what setup() stores.
  bool set_parameter(std::string_view name, double value) override;

 private:
  Options options_;
  bool is_symmetric_ = false;
  Index num_colours_ = 0;
  TriangularFactors factors_;  ///< D + L and I + D^-1 U
  std::vector<std::string> notes_;
};

}  // namespace relaxation
