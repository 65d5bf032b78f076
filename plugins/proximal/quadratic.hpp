#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/linear/linear_solver.hpp>
#include <libsolve/linear/stencil_operator.hpp>
#include <libsolve/optimize/proximal_operator.hpp>
#include <libsolve/plugin/registry.hpp>

namespace proximal {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

struct QuadraticOptions {
  std::string measure = "integral";
  double gradient = 1.0;
  double values = 0.0;
  ComponentSpec solver = default_solver();

  static ComponentSpec default_solver();
  static void describe(Fields<QuadraticOptions>& f);
  static void check(const QuadraticOptions& o, const std::string& prefix, const SourceLocation& where,
                    Diagnostics& problems);
};

/// Tikhonov's regulariser R(x) = V/2 (a |D x|^2 + b |x|^2), a `gradient`, b `values`, D the differences of
/// neighbouring cells over h with insulated walls, V = h^D or 1; of several functions the sum. prox_tR(x) is
/// the z of (I + t V (a D^T D + b)) z = x, by a linear solver; the matrix is at least I, so the error is
/// bounded by the residual. a = 0 needs no grid and no solver. No bounds; one rank where a > 0.
class Quadratic final : public ProximalOperator {
 public:
  using Options = QuadraticOptions;
  Quadratic(const Options& options, const Context& context) : options_(options), context_(context) {}
  void prepare(const ProximalSpace& space) override;
  double apply(const Vector& x, double t, double tolerance, const Vector& z) override;
  std::optional<double> value(const Vector& x) override;
  std::vector<Measure> work_counts() const override;

 private:
  /// I + s a D^T D + s b.
  std::shared_ptr<const StencilOperator> shifted(double s) const;
  Vector part(const Vector& x, Index field) const;

  Options options_;
  Context context_;
  Grid grid_;
  Index fields_ = 1;
  double volume_ = 1.0, step_ = 0.0;
  std::shared_ptr<const StencilOperator> laplacian_, matrix_;
  std::unique_ptr<LinearSolver> solver_;
  Vector work_;
  std::int64_t iterations_ = 0;
};

}  // namespace proximal
