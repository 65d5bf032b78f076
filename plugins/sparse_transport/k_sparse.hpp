#pragma once

#include <libsolve/plugin/registry.hpp>
#include <libsolve/transport/transport_solver.hpp>

#include "k_sparse_dual.hpp"

namespace sparse_transport {

struct QuadraticOptions {
  double tolerance = 1e-10;
  double gap_tolerance = 1e-9;
  std::optional<double> gamma;
  std::int64_t max_iterations = 300;
  int start_sweeps = 4;
  ComponentSpec start = "none";
  double start_width = 0.1;

  template <class O>
  static void describe_common(Fields<O>& f) {
    f.add("tolerance", &O::tolerance, Range::above(0.0),
          "converged needs |P 1 - a|_1 + |P^T 1 - b|_1 at most this (mass)");
    f.add("gap_tolerance", &O::gap_tolerance, Range::above(0.0),
          "converged needs primal - dual value at most this times max C times the total mass");
    f.add("gamma", &O::gamma, Range::above(0.0),
          "weight of |P|^2 / 2, cost over mass; auto: regularization / typical mass of a point");
    f.add("max_iterations", &O::max_iterations, Range::at_least(0.0),
          "Newton or L-BFGS steps after which the method gives up");
    f.add("start_sweeps", &O::start_sweeps, Range::at_least(1.0),
          "Sinkhorn iterations at each eps that give the first potentials where 'sns' is not loaded");
    f.add_component("start", &O::start, "transport-solver",
                    "method that finds the entropic potentials; \"none\": sns to 1e-3 of the mass where "
                    "it is loaded, else a few Sinkhorn iterations");
    f.add("start_width", &O::start_width, Range::above(0.0),
          "regularization of these over gamma times the median mass of a point");
  }
  static void describe(Fields<QuadraticOptions>& f) { describe_common(f); }
};

struct KSparseOptions : QuadraticOptions {
  int k = 2;
  std::string algorithm = "newton";
  std::string formulation = "dual";

  static void describe(Fields<KSparseOptions>& f) {
    using O = KSparseOptions;
    f.add("k", &O::k, Range::at_least(1.0), "nonzeros of a column of the plan, at most");
    f.add("algorithm", &O::algorithm, Choices{{"newton", "lbfgs"}},
          "semismooth Newton with an active set, or L-BFGS as published");
    f.add("formulation", &O::formulation, Choices{{"dual", "semi-dual"}},
          "of L-BFGS: both potentials, or the columns' maximised out");
    describe_common(f);
  }
  static void check(const KSparseOptions& o, const std::string& prefix, const SourceLocation& where,
                    Diagnostics& problems) {
    if (o.algorithm == "newton" && o.formulation == "semi-dual")
      problems.add(where, prefix + "formulation",
                   "the semi-dual belongs to algorithm = \"lbfgs\"; newton works on the dual");
  }
};

/// Sparsity-constrained optimal transport (Liu, Puigcerver, Blondel, ICLR 2023), T the plan:
///   min <T, C> + gamma / 2 |T|^2  over T >= 0, T 1 = a, T^T 1 = b, each column with k nonzeros at most.
/// Solved through its dual (their section 3)
///   max <alpha, a> + <beta, b> - sum_j Omega*(alpha + beta_j - c_j),
/// whose value is that of the convex relaxation (Omega replaced by its hull). Where the relaxed plan has at
/// most k nonzeros a column it is optimal: `converged`. Where some columns need more, the status is
/// `stagnated`; the plan is then the best on k entries of each column chosen from it (the relaxed one where
/// these cannot carry the masses), and "objective_gap" bounds how far it is from optimal.
class SparsityConstrained final : public TransportSolver {
 public:
  using Options = KSparseOptions;
  SparsityConstrained(const Options& options, const Context& context) : options_(options), context_(context) {}
  Report solve(TransportProblem& problem, Monitor& monitor) override;

 private:
  Options options_;
  Context context_;
};

/// The same with k = n: quadratically regularised transport.
class Quadratic final : public TransportSolver {
 public:
  using Options = QuadraticOptions;
  Quadratic(const Options& options, const Context& context) : options_(options), context_(context) {}
  Report solve(TransportProblem& problem, Monitor& monitor) override;

 private:
  Options options_;
  Context context_;
};

}  // namespace sparse_transport
