#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/optimize/proximal_operator.hpp>
#include <libsolve/plugin/registry.hpp>

namespace proximal {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

struct SoftThresholdOptions {
  std::string measure = "integral";
  static void describe(Fields<SoftThresholdOptions>& f);
};

/// R(x) = V sum |x_i|, V = h^D or 1: prox_tR(x)_i = sign(x_i) max(|x_i| - t V, 0), then into the bounds,
/// which is exact since R is separable and convex. Any number of ranks.
class SoftThreshold final : public ProximalOperator {
 public:
  using Options = SoftThresholdOptions;
  SoftThreshold(const Options& options, const Context&) : options_(options) {}
  void prepare(const ProximalSpace& space) override;
  double apply(const Vector& x, double t, double tolerance, const Vector& z) override;
  std::optional<double> value(const Vector& x) override;

 private:
  Options options_;
  double volume_ = 1.0;
  VectorView lower_, upper_;
};

struct BoxOptions {
  double lower = 0.0;
  double upper = 1.0;
  static void describe(Fields<BoxOptions>& f);
  static void check(const BoxOptions& o, const std::string& prefix, const SourceLocation& where,
                    Diagnostics& problems);
};

/// R(x) = 0 where lower <= x_i <= upper for all i, else infinity: prox is the projection, onto the bounds
/// of the space too. Any number of ranks.
class BoxIndicator final : public ProximalOperator {
 public:
  using Options = BoxOptions;
  BoxIndicator(const Options& options, const Context&) : options_(options) {}
  void prepare(const ProximalSpace& space) override;
  double apply(const Vector& x, double t, double tolerance, const Vector& z) override;
  std::optional<double> value(const Vector& x) override;

 private:
  Options options_;
  VectorView lower_, upper_;
};

}  // namespace proximal
