#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/plugin/registry.hpp>
#include <libsolve/transport/transport_solver.hpp>

namespace sinkhorn_newton {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

struct SinkhornNewtonSparseOptions {
  double tolerance = 1e-9;
  std::int64_t max_iterations = 1000;
  int sweeps = 20;
  double entries_per_row = 2.0;
  int cg_iterations = 500;

  static void describe(Fields<SinkhornNewtonSparseOptions>& f);
};

/// Algorithm 1 of Tang et al. 2024: N1 sweeps from f = 0; then Newton's method on the dual
///   D(f, g) = <a, f> + <b, g> - eps sum P,   (1 / eps) [[diag(P 1), P], [P^T, diag(P^T 1)]] z =
///   grad,
/// with P cut to its ceil(lambda n m) largest entries (the diagonal keeps the whole sums), by
/// conjugate gradients, and backtracking on D. Here lambda m = entries_per_row (paper: lambda =
/// 2/n). Converges from any start (D is concave), but slowly where the plan is not as sparse as
/// lambda says; `sns` is the method to use. Balanced problems on one rank.
class SinkhornNewtonSparse final : public TransportSolver {
 public:
  using Options = SinkhornNewtonSparseOptions;
  SinkhornNewtonSparse(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  Report solve(TransportProblem& problem, Monitor& monitor) override;
  using TransportSolver::solve;

 private:
  Options options_;
  Context context_;
};

}  // namespace sinkhorn_newton
