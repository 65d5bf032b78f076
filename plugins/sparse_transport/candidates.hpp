#pragma once

#include <libsolve/transport/transport_problem.hpp>
#include <vector>

#include "network_simplex.hpp"

namespace sparse_transport {

/// Potentials of an entropic plan and the regularisation they belong to.
struct EntropicStart {
  VectorView f;
  VectorView g;
  double eps = 0.0;
};

/// The entries with the largest slack f_i + g_j - C_ij: about `per_row` for each row, at least the
/// largest one of each row and of each column; the heaviest of the entropic plan first, masses measured
/// against min(a_i, b_j). The threshold is read off a sample of rows.
std::vector<Arc> heaviest_entries(const TransportProblem& problem, const EntropicStart& start,
                                  int per_row);

/// What a pass over all entries says of potentials u, v.
struct Prices {
  double largest_violation = 0.0;  ///< max (u_i + v_j - C_ij), or 0
  std::vector<Arc> arcs;           ///< violated by more than `tolerance`
};
/// Of each violated row the entries that are violated by at least `fraction` of its worst one, at most
/// `per_row` of them.
Prices violated_entries(const TransportCost& cost, const std::vector<double>& u,
                        const std::vector<double>& v, double tolerance, double fraction, int per_row);

}  // namespace sparse_transport
