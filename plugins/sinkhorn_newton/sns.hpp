#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/plugin/registry.hpp>
#include <libsolve/transport/transport_solver.hpp>

namespace sinkhorn_newton {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

struct SnsOptions {
  double tolerance = 1e-9;
  std::int64_t max_iterations = 1000;
  double scaling_start = 0.05;
  double scaling_factor = 4.0;
  int sweeps_per_level = 4;
  double level_tolerance = 1e-4;
  double largest_drop = 0.01;
  double drop_per_violation = 0.1;
  double damping_per_violation = 0.3;
  int model_steps = 8;
  std::int64_t max_entries = 60000000;
  ComponentSpec inner = "none";

  static void describe(Fields<SnsOptions>& f);
};

/// Sinkhorn-Newton-Sparse with the sparsity tied to the error. eps goes down by levels; at each, a
/// few Sinkhorn sweeps, then Newton's method on the semi-dual F(g) (see SemiDual),
///   (S + ridge diag(c)) d = b - c,   S = diag(c) - P^T diag(1 / r) P,   g += t eps d,
/// with the small entries of P left out of S, as much of each row as the error allows. Between
/// levels the potentials follow their tangent in eps.
///
/// Several steps are made on a model with the left-out entries frozen, which costs no pass over the
/// n m entries; then one pass, a Sinkhorn row update, tells F and its gradient, and a step that
/// does not raise F enough is shortened. Where that fails sweeps go on, which raise F always: from
/// any start F grows monotonically, and the method converges to the only plan (F is concave, sweeps
/// are exact block ascent). Locally superlinear, since what is left out vanishes with the error.
class Sns final : public TransportSolver {
 public:
  using Options = SnsOptions;
  Sns(const Options& options, const Context& context) : options_(options), context_(context) {}
  Report solve(TransportProblem& problem, Monitor& monitor) override;
  using TransportSolver::solve;

 private:
  Options options_;
  Context context_;
};

}  // namespace sinkhorn_newton
