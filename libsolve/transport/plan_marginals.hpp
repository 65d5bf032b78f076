/// \file
/// What is read off a plan: its marginals, its cost, its entries; and the dual bound.
#pragma once

#include <libsolve/transport/transport_problem.hpp>

namespace libsolve::detail {

/// P 1 (this rank's rows), P^T 1 (all columns, reduced over ranks) and <C, P> (reduced).
struct PlanMarginals {
  VectorView rows;
  VectorView columns;
  double cost = 0.0;
};
LIBSOLVE_EXPORT PlanMarginals marginals_of(const TransportCost& cost, const ConstVectorView& f,
                                           const ConstVectorView& g, double eps);
LIBSOLVE_EXPORT PlanMarginals marginals_of(const SparseEntries& plan, const TransportCost& cost);

/// "marginal_violation" of TransportProblem::verify. Collective.
LIBSOLVE_EXPORT double violation(const PlanMarginals& p, const TransportProblem& problem);
/// sum |r_i - a_i| of this rank's rows + sum |c_j - b_j|: reduced over the ranks, with c reduced
/// already.
LIBSOLVE_EXPORT double l1_violation(const ConstVectorView& r, const Vector& a,
                                    const ConstVectorView& c, const Vector& b);
/// "dual_value" of TransportProblem::verify. Collective.
LIBSOLVE_EXPORT double dual_value(const TransportProblem& problem);

/// Entries P_ij >= threshold * r_i of the entropic plan, as masses.
LIBSOLVE_EXPORT SparseEntries entropic_entries(const TransportCost& cost, const ConstVectorView& f,
                                               const ConstVectorView& g, double eps,
                                               const ConstVectorView& r, double threshold);

/// Rows (over all ranks), columns and values as vectors over the ranks. Collective.
struct PlanTriples {
  Vector rows, columns, values;
};
PlanTriples triples_of(const SparseEntries& plan, const Partition& rows);

/// Sum of all entries over all ranks.
LIBSOLVE_EXPORT double total_of(const Vector& v);
/// Sum over all ranks, in place.
LIBSOLVE_EXPORT void sum_over_ranks(const VectorView& v, const Communicator& comm);
/// Minimum over all ranks, in place.
LIBSOLVE_EXPORT void min_over_ranks(const VectorView& v, const Communicator& comm);

}  // namespace libsolve::detail
