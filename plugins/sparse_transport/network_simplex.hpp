#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sparse_plan.hpp"

namespace sparse_transport {

/// Masses as whole numbers of one small unit, so that flows are exact: no pivot is called degenerate
/// or not by rounding, and the trees stay strongly feasible.
struct WholeMasses {
  std::vector<std::int64_t> rows;
  std::vector<std::int64_t> columns;  ///< of the same total
  double unit = 0.0;                  ///< mass of 1
};
/// Total near 2^60, so the rounding of a mass is below 1e-18 of the total. Equal masses on each side
/// stay in their exact proportion (a basis of the assignment problem stays degenerate).
WholeMasses whole_masses(std::span<const double> a, std::span<const double> b);

/// A possible way for mass, from row `row` to column `column`.
struct Arc {
  std::int32_t row;
  std::int32_t column;
  double cost;
};

/// The primal network simplex method for the transport problem
///   min sum_e c_e x_e,  sum over e out of row i = a_i,  sum over e into column j = b_j,  x >= 0,
/// on a list of arcs that may grow between runs. The basis is a spanning tree of rows, columns and a
/// root; arcs of the root are artificial. Trees are strongly feasible (Cunningham 1976): an arc
/// without flow points to the root, so that no sequence of pivots can cycle. The entering arc is the
/// most negative one of a block of arcs, the next block continuing behind it (block search pricing).
///
/// An artificial arc costs 0 towards the root and `2 max c` away from it: on the complete bipartite
/// graph every pair of them is dearer than the arc it stands for, so once all n m arcs have been
/// priced no artificial arc carries flow.
class NetworkSimplex {
 public:
  /// `largest_cost`: of all arcs that will ever be added.
  NetworkSimplex(WholeMasses masses, double largest_cost);

  /// Arcs that may enter. An arc given twice is harmless.
  void add_arcs(std::span<const Arc> arcs);
  /// Makes a spanning forest of the arcs, the first ones preferred, and cuts it where its flow would be
  /// negative; each piece hangs from the root. To be called once, before run().
  void start();

  enum class Outcome { optimal, pivot_limit };
  /// Pivots until no arc has a reduced cost below -tolerance, or `max_pivots` are done.
  Outcome run(double tolerance, std::int64_t max_pivots);

  /// Potentials with u_i + v_j = c_ij + gamma x_ij on the tree, anew from its costs; run() leaves them
  /// with the rounding of all its pivots. gamma = 0: those of this problem.
  void recompute_potentials(double gamma = 0.0);
  std::vector<double> row_potentials() const;
  std::vector<double> column_potentials() const;

  /// Arcs of the tree that carry flow, by rows and columns; fewer than n + m.
  std::vector<PlanEntry> flows() const;
  /// Mass on artificial arcs out of the root: what the arcs so far cannot move.
  double artificial_mass() const;

  std::int64_t num_pivots() const { return num_pivots_; }
  std::int64_t num_degenerate_pivots() const { return num_degenerate_; }
  double memory_bytes() const;
  std::int64_t num_arcs() const { return static_cast<std::int64_t>(arcs_.size()); }

 private:
  /// Rows are nodes 0 to n - 1, columns n to n + m - 1, the root is n + m.
  struct Node {
    std::int32_t parent;
    std::int32_t first_child;
    std::int32_t next;  ///< sibling
    std::int32_t previous;
    std::int32_t depth;
    std::int32_t arc;  ///< to the parent: place in arcs_, or `artificial`
    std::int64_t flow;
    bool up;  ///< the arc points to the parent
  };
  static constexpr std::int32_t none = -1;
  static constexpr std::int32_t artificial = -1;

  std::int64_t supply(std::int32_t node) const;
  double cost_to_parent(const Node& node) const;
  void hang(std::int32_t node, std::int32_t parent, std::int32_t arc, bool up, std::int64_t flow);
  void unhang(std::int32_t node);
  std::int32_t find_entering(double tolerance);
  void pivot(std::int32_t entering);
  /// Walks from `node` to `join`, finding the first arc that blocks (on a tie the last where
  /// `last_wins`); returns its lower end, or `none`.
  std::int32_t blocking(std::int32_t node, std::int32_t join, bool blocked_up, bool last_wins,
                        std::int64_t& step) const;
  void rehang(std::int32_t leaving, std::int32_t inner, std::int32_t outer, std::int32_t arc,
              std::int64_t flow);
  void shift_subtree(std::int32_t top, double shift);

  std::int32_t n_, m_, root_;
  WholeMasses masses_;
  double artificial_cost_;
  std::vector<Arc> arcs_;         ///< `column` as a node number
  std::vector<Node> nodes_;
  std::vector<double> potential_;  ///< pi with c_e + pi_row - pi_column = 0 on the tree
  std::size_t next_arc_ = 0;
  std::int64_t num_pivots_ = 0;
  std::int64_t num_degenerate_ = 0;
};

}  // namespace sparse_transport
