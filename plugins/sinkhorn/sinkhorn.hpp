#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/plugin/registry.hpp>
#include <libsolve/transport/sinkhorn_sweeps.hpp>
#include <libsolve/transport/transport_solver.hpp>

namespace sinkhorn {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

struct SinkhornOptions {
  double tolerance = 1e-9;
  std::int64_t max_iterations = 100000;
  std::string precision = "mixed";
  double scaling_start = 0.05;
  double scaling_factor = 4.0;

  static void describe(Fields<SinkhornOptions>& f);
};

/// Sinkhorn's iteration on potentials,
///   f_i <- f_i + eps log(a_i / sum_j P_ij),   then   g_j <- g_j + eps log(b_j / sum_i P_ij),
/// with eps lowered to the problem's regularisation by steps (Schmitzer 2019, section 3.2) where the
/// potentials are zero at the start; other potentials are taken for good ones.
/// Relaxed marginals (Chizat et al. 2018, section 4): both sides times rho / (rho + eps).
///
/// Right after the columns' update P_ij <= b_j, so no maximum has to be taken out; both sums of a
/// sweep share one exp an entry. Cost n m exps a sweep; storage 2 n + m beside the problem. Converges
/// linearly, at a rate that may be as bad as 1 - exp(-max C / eps): sns is the method for small eps.
class Sinkhorn final : public TransportSolver {
 public:
  using Options = SinkhornOptions;
  Sinkhorn(const Options& options, const Context&)
      : options_(options) {}
  Report solve(TransportProblem& problem, Monitor& monitor) override;
  using TransportSolver::solve;

 private:
  Options options_;
};

}  // namespace sinkhorn
