#pragma once

#include <libsolve/plugin/registry.hpp>
#include <libsolve/transport/transport_solver.hpp>

#include "candidates.hpp"

namespace sparse_transport {

struct ExactOptions {
  double tolerance = 1e-9;
  double gap_tolerance = 1e-12;
  std::int64_t max_pivots = 1000000000;
  int arcs_per_row = 20;
  double start_regularization = 1e-3;
  int start_sweeps = 2;
  ComponentSpec start = "none";

  static void describe(Fields<ExactOptions>& f) {
    using O = ExactOptions;
    f.add("tolerance", &O::tolerance, Range::above(0.0),
          "converged needs |P 1 - a|_1 + |P^T 1 - b|_1 at most this (mass)");
    f.add("gap_tolerance", &O::gap_tolerance, Range::above(0.0),
          "converged needs <C, P> - dual value at most this times max C times the total mass");
    f.add("max_pivots", &O::max_pivots, Range::at_least(0.0), "pivots after which the method gives up");
    f.add("arcs_per_row", &O::arcs_per_row, Range::at_least(1.0),
          "entries of a row that the network simplex begins with, about");
    f.add("start_regularization", &O::start_regularization, Range::open(0.0, 1.0),
          "eps / max C of the entropic plan that the first basis is read off");
    f.add("start_sweeps", &O::start_sweeps, Range::at_least(1.0),
          "Sinkhorn iterations at each eps on the way there, with start = \"none\"");
    f.add_component("start", &O::start, "transport-solver",
                    "method that finds the entropic potentials; \"none\": a few Sinkhorn iterations");
  }
};

/// Optimal transport without regularisation, with a certificate:
///   min <C, P>  over P >= 0, P 1 = a, P^T 1 = b;   max <a, u> + <b, v>  over u_i + v_j <= C_ij.
/// 1. Entropic potentials, roughly; 2. the entries they make heavy, and a spanning tree of the heaviest;
/// 3. network simplex on these arcs; 4. a pass over all entries with its potentials u, v: violated ones
/// become arcs, and 3. goes on, until there is none. The gap between the values of both problems is
/// then rounding. The plan has fewer than n + m entries.
///
/// Memory O(n + m + arcs) beyond the cost. Passes over all entries: about 15, and 1 or 2 a round. The
/// problem's regularization plays no part. One rank only; the simplex itself runs on one core.
class Exact final : public TransportSolver {
 public:
  using Options = ExactOptions;
  Exact(const Options& options, const Context& context);
  Report solve(TransportProblem& problem, Monitor& monitor) override;
  /// The first three parts of solve(): an optimal tree. `report` gets status, iterations, notes, counts
  /// and seconds.
  NetworkSimplex find_tree(const TransportProblem& problem, Monitor& monitor, Report& report);

 private:
  struct Run;
  EntropicStart entropic_start(Run& run);
  void iterate(Run& run, NetworkSimplex& simplex);
  Options options_;
  std::unique_ptr<TransportSolver> start_;
};

}  // namespace sparse_transport
