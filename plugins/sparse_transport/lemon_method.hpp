#pragma once

#include <libsolve/plugin/registry.hpp>
#include <libsolve/transport/transport_solver.hpp>

namespace sparse_transport {

using namespace libsolve;

struct LemonOptions {
  double tolerance = 1e-9;
  double gap_tolerance = 1e-9;
  double max_entries = 3e7;

  static void describe(Fields<LemonOptions>& f) {
    using O = LemonOptions;
    f.add("tolerance", &O::tolerance, Range::above(0.0),
          "converged needs |P 1 - a|_1 + |P^T 1 - b|_1 at most this (mass)");
    f.add("gap_tolerance", &O::gap_tolerance, Range::above(0.0),
          "converged needs <C, P> - dual value at most this times max C times the total mass");
    f.add("max_entries", &O::max_entries, Range::closed(1.0, 2e9),
          "refuse a cost of more entries than this: it takes 60 bytes for each");
  }
};

/// Optimal transport without regularisation by the network simplex method of LEMON (Dezso, Juttner,
/// Kovacs 2011) on all n m arcs: the reference for `exact`. Masses and costs become whole numbers
/// (of 2^-60 of the total, and of about 2^-60 (n + m) of the largest cost). It cannot be stopped.
class Lemon final : public TransportSolver {
 public:
  using Options = LemonOptions;
  Lemon(const Options& options, const Context&) : options_(options) {}
  Report solve(TransportProblem& problem, Monitor& monitor) override;

 private:
  Options options_;
};

}  // namespace sparse_transport
