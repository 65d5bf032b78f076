#pragma once

#include <libsolve/linear/preconditioner.hpp>
#include <libsolve/plugin/registry.hpp>
#include <optional>

namespace chebyshev {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

struct ChebyshevOptions {
  int degree = 4;
  std::string polynomial = "first-kind";
  std::optional<double> largest_eigenvalue = std::nullopt;
  std::optional<double> smallest_eigenvalue = std::nullopt;
  double eigenvalue_ratio = 30.0;
  int estimate_steps = 10;
  double safety_factor = 1.1;

  static void describe(Fields<ChebyshevOptions>& f);
  /// The interval must not be empty.
  static void check(const ChebyshevOptions& o, const std::string& prefix,
                    const SourceLocation& where, Diagnostics& problems);
};

/// z = p(D^-1 A) D^-1 r with p such that 1 - t p(t), the factor on the error, is small:
///   first-kind:  1 - t p(t) = T_k((c - t) / h) / T_k(c / h) on the interval [a, b], c and h its
///                centre and half width: the smallest maximum on it for degree k;
///   fourth-kind: 1 - t p(t) = W_k(1 - 2 t / b) / (2 k + 1) on (0, b], which needs no lower bound
///                and damps the upper part (Lottes 2023): what smoothers want.
/// b = safety_factor times an estimate of the largest eigenvalue of D^-1 A, a = b /
/// eigenvalue_ratio, unless given. Symmetric for symmetric A; positive definite where no eigenvalue
/// exceeds b much (a T_k or W_k above 1 there would make p negative).
/// Cost: degree - 1 products with A, each fused with the residual, and 5 doubles a row per term.
/// Storage: 3 vectors. No entries are needed, only A and its diagonal.
class Chebyshev final : public Preconditioner {
 public:
  using Options = ChebyshevOptions;
  Chebyshev(const Options& options, const Context& context)
      : options_(options), seed_(context.seed) {}

  /// Throws Unsupported for operators that are not symmetric or have no diagonal, NumericalError
  /// where the diagonal is not positive.
  void setup(const LinearSystem& system) override;
  void apply(const Vector& r, const Vector& z) override;
  bool is_symmetric() const override { return true; }
  double memory_bytes() const override { return 3.0 * 8.0 * d_.local_size(); }
  std::vector<Measure> metrics() const override;

 private:
  Options options_;
  std::uint64_t seed_;
  std::shared_ptr<const LinearOperator> A_;
  double smallest_ = 0.0;  ///< a
  double largest_ = 0.0;   ///< b
  Vector inverse_diagonal_;
  Vector d_;         ///< the last correction
  Vector residual_;  ///< r - A z
};

}  // namespace chebyshev
