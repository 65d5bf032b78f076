#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/plugin/registry.hpp>
#include <libsolve/transport/transport_solver.hpp>

#include "bures.hpp"
#include "projections.hpp"

namespace sliced {

struct BuresWassersteinOptions {
  double relative_tolerance = 1e-6;
  static void describe(Fields<BuresWassersteinOptions>& f);
};

/// Transport between the Gaussians that have the clouds' means and covariances, for |x - y|^2:
///   W^2 = |m - n|^2 + tr (A + B - 2 (A^1/2 B A^1/2)^1/2).
/// It bounds the unregularised optimum of the clouds from below (Gelbrich 1990), and the potentials of
/// the Gaussians,
///   f(x) = |x'|^2 - x'^T T x' + 2 x'^T (m - n) + |m - n|^2,   x' = x - m,
///   g(y) = |y'|^2 - y'^T T^-1 y' - 2 y'^T (m - n),            y' = y - n,
/// prove it: f(x) + g(y) <= |x - y|^2 everywhere, and <a, f> + <b, g> = W^2. They are stored as the
/// problem's potentials, a good start for other methods; there is no plan. "Converged" when the
/// problem's own dual_value is at least W^2 (1 - relative_tolerance). O((n + m) d^2 + d^3).
class BuresWasserstein final : public TransportSolver {
 public:
  using Options = BuresWassersteinOptions;
  BuresWasserstein(const Options& options, const Context&) : options_(options) {}
  /// Unsupported where the cost is not of points with power 2, see clouds_of().
  Report solve(TransportProblem& problem, Monitor& monitor) override;
  using TransportSolver::solve;

 private:
  Options options_;
};

/// Mean and covariance of points (n d, point after point) with masses (normalised here).
Gaussian gaussian_of(const std::vector<double>& points, const std::vector<double>& masses,
                     std::size_t dimension);

}  // namespace sliced
