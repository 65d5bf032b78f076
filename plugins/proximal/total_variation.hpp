#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/optimize/proximal_operator.hpp>
#include <libsolve/plugin/registry.hpp>

#include "tv_kernels.hpp"

namespace proximal {

struct TotalVariationOptions {
  std::string measure = "integral";
  std::int64_t max_iterations = 20000;
  std::int64_t check_every = 10;
  static void describe(Fields<TotalVariationOptions>& f);
};

/// R(x) = sum over cells of V |D x|_2, isotropic total variation with insulated walls, V = h^D or 1; of
/// several functions the sum. prox_tR with bounds C by the dual, lambda = t V,
///   max over |p| <= 1 of  min over z in C  1/2 |z - x|^2 + lambda p^T D z,   z(p) = P_C(x - lambda D^T p),
/// by fast gradient projection (Beck, Teboulle 2009) of step 1 / (lambda |D|^2), restarted where the
/// momentum points uphill (O'Donoghue, Candes 2015). Ends when the gap between the two problems,
/// lambda sum (|D z| - p^T D z), a sum of terms >= 0, is at most tolerance^2: both 1/2 |z - prox|^2 <=
/// primal(z) - minimum and 1/2 |z(p) - prox|^2 <= minimum - dual(p), so |z - prox|^2 <= gap. p is kept as
/// the next call's start. One rank; 2 A + 2 vectors for A axes.
class TotalVariation final : public ProximalOperator {
 public:
  using Options = TotalVariationOptions;
  TotalVariation(const Options& options, const Context&) : options_(options) {}
  void prepare(const ProximalSpace& space) override;
  double apply(const Vector& x, double t, double tolerance, const Vector& z) override;
  std::optional<double> value(const Vector& x) override;
  std::vector<Measure> work_counts() const override;

 private:
  template <int A>
  double apply_to_field(const double* x, double lambda, double tolerance, Index field, double* z);
  template <int A, bool Bounded>
  double iterate(const double* x, double lambda, double tolerance, Index field, double* z);
  Dual part(const VectorView& dual, Index field) const;

  Options options_;
  Cells cells_;
  int axes_ = 0;
  Index fields_ = 0;
  double volume_ = 1.0, norm_squared_ = 0.0;
  double largest_ = 0.0;  ///< |x|_inf of the last application
  VectorView p_, r_, lower_, upper_, zeros_;
  std::int64_t iterations_ = 0;
};

}  // namespace proximal
