// LEMON's headers only: nothing of libsolve, which may be compiled for another language standard.
#include "lemon_solve.hpp"

#include <lemon/network_simplex.h>
#include <lemon/smart_graph.h>

namespace sparse_transport {

LemonSolution solve_with_lemon(const LemonProblem& problem) {
  using Graph = lemon::SmartDigraph;
  const auto n = static_cast<int>(problem.supply.size());
  const auto m = static_cast<int>(problem.demand.size());
  Graph graph;
  graph.reserveNode(n + m);
  graph.reserveArc(n * m);
  for (int v = 0; v < n + m; ++v) graph.addNode();
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < m; ++j) graph.addArc(graph.nodeFromId(i), graph.nodeFromId(n + j));
  Graph::NodeMap<std::int64_t> supply(graph);
  for (int i = 0; i < n; ++i) supply[graph.nodeFromId(i)] = problem.supply[i];
  for (int j = 0; j < m; ++j) supply[graph.nodeFromId(n + j)] = -problem.demand[j];
  Graph::ArcMap<std::int64_t> cost(graph);
  for (int e = 0; e < n * m; ++e) cost[graph.arcFromId(e)] = problem.cost[e];

  using Simplex = lemon::NetworkSimplex<Graph, std::int64_t, std::int64_t>;
  Simplex simplex(graph);
  LemonSolution solution;
  solution.is_optimal = simplex.supplyMap(supply).costMap(cost).run() == Simplex::OPTIMAL;
  if (!solution.is_optimal) return solution;
  solution.flow.resize(static_cast<std::size_t>(n) * m);
  for (int e = 0; e < n * m; ++e) solution.flow[e] = simplex.flow(graph.arcFromId(e));
  // C_ij + pi_i - pi_j >= 0
  for (int i = 0; i < n; ++i)
    solution.row_potential.push_back(-simplex.potential(graph.nodeFromId(i)));
  for (int j = 0; j < m; ++j)
    solution.column_potential.push_back(simplex.potential(graph.nodeFromId(n + j)));
  return solution;
}

}  // namespace sparse_transport
