#include "network_simplex.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace sparse_transport {

NetworkSimplex::NetworkSimplex(WholeMasses masses, double largest_cost)
    : n_(static_cast<std::int32_t>(masses.rows.size())),
      m_(static_cast<std::int32_t>(masses.columns.size())),
      root_(n_ + m_),
      masses_(std::move(masses)),
      artificial_cost_(largest_cost > 0.0 ? 2.0 * largest_cost : 1.0),
      nodes_(static_cast<std::size_t>(root_) + 1, Node{none, none, none, none, 0, artificial, 0, true}),
      potential_(static_cast<std::size_t>(root_) + 1, 0.0) {}

std::int64_t NetworkSimplex::supply(std::int32_t node) const {
  return node < n_ ? masses_.rows[node] : -masses_.columns[node - n_];
}

double NetworkSimplex::cost_to_parent(const Node& node) const {
  if (node.arc != artificial) return arcs_[node.arc].cost;
  return node.up ? 0.0 : artificial_cost_;
}

void NetworkSimplex::add_arcs(std::span<const Arc> arcs) {
  arcs_.reserve(arcs_.size() + arcs.size());
  for (const Arc& arc : arcs) arcs_.push_back({arc.row, arc.column + n_, arc.cost});
}

// ---- the tree ------------------------------------------------------------------------------------

void NetworkSimplex::hang(std::int32_t node, std::int32_t parent, std::int32_t arc, bool up,
                          std::int64_t flow) {
  Node& v = nodes_[node];
  Node& p = nodes_[parent];
  v.parent = parent;
  v.arc = arc;
  v.up = up;
  v.flow = flow;
  v.previous = none;
  v.next = p.first_child;
  if (p.first_child != none) nodes_[p.first_child].previous = node;
  p.first_child = node;
}

void NetworkSimplex::unhang(std::int32_t node) {
  const Node& v = nodes_[node];
  if (v.previous != none)
    nodes_[v.previous].next = v.next;
  else
    nodes_[v.parent].first_child = v.next;
  if (v.next != none) nodes_[v.next].previous = v.previous;
}

/// Depths of the subtree below and including `top`, its potentials moved by `shift`.
void NetworkSimplex::shift_subtree(std::int32_t top, double shift) {
  std::int32_t v = top;
  for (;;) {
    nodes_[v].depth = nodes_[nodes_[v].parent].depth + 1;
    potential_[v] += shift;
    if (nodes_[v].first_child != none) {
      v = nodes_[v].first_child;
      continue;
    }
    while (v != top && nodes_[v].next == none) v = nodes_[v].parent;
    if (v == top) return;
    v = nodes_[v].next;
  }
}

void NetworkSimplex::recompute_potentials(double gamma) {
  potential_[root_] = 0.0;
  std::int32_t v = nodes_[root_].first_child;
  while (v != none && v != root_) {
    Node& node = nodes_[v];
    node.depth = nodes_[node.parent].depth + 1;
    // c + pi_tail - pi_head = 0
    double c = cost_to_parent(node);
    if (node.arc != artificial) c += gamma * static_cast<double>(node.flow) * masses_.unit;
    potential_[v] = potential_[node.parent] + (node.up ? -c : c);
    if (node.first_child != none) {
      v = node.first_child;
      continue;
    }
    while (v != root_ && nodes_[v].next == none) v = nodes_[v].parent;
    if (v != root_) v = nodes_[v].next;
  }
}

void NetworkSimplex::start() {
  const auto count = static_cast<std::size_t>(root_);
  // Kruskal: an arc belongs to the forest where it joins two pieces.
  std::vector<std::int32_t> piece(count);
  std::iota(piece.begin(), piece.end(), 0);
  const auto find = [&piece](std::int32_t v) {
    while (piece[v] != v) v = piece[v] = piece[piece[v]];
    return v;
  };
  std::vector<std::int32_t> chosen, first(count + 1, 0);
  for (std::size_t e = 0; e < arcs_.size() && chosen.size() + 1 < count; ++e) {
    const std::int32_t p = find(arcs_[e].row);
    const std::int32_t q = find(arcs_[e].column);
    if (p == q) continue;
    piece[p] = q;
    chosen.push_back(static_cast<std::int32_t>(e));
    ++first[arcs_[e].row + 1];
    ++first[arcs_[e].column + 1];
  }
  std::partial_sum(first.begin(), first.end(), first.begin());
  std::vector<std::int32_t> incident(chosen.size() * 2), place(first.begin(), first.end() - 1);
  for (const std::int32_t e : chosen) {
    incident[place[arcs_[e].row]++] = e;
    incident[place[arcs_[e].column]++] = e;
  }
  // Breadth first from the first node of each piece: parents before children.
  std::vector<std::int32_t> order;
  order.reserve(count);
  std::vector<std::int32_t> to_parent(count, artificial), parent(count, none);
  for (std::int32_t head = 0; head < root_; ++head) {
    if (parent[head] != none) continue;
    parent[head] = root_;
    order.push_back(head);
    for (std::size_t k = order.size() - 1; k < order.size(); ++k) {
      const std::int32_t v = order[k];
      for (std::int32_t s = first[v]; s < first[v + 1]; ++s) {
        const Arc& arc = arcs_[incident[s]];
        const std::int32_t w = arc.row == v ? arc.column : arc.row;
        if (parent[w] != none) continue;
        parent[w] = v;
        to_parent[w] = incident[s];
        order.push_back(w);
      }
    }
  }
  // From the leaves: what a subtree has too much goes up its arc, where that is its direction.
  std::vector<std::int64_t> excess(count);
  for (std::int32_t v = 0; v < root_; ++v) excess[v] = supply(v);
  for (std::size_t k = count; k-- > 0;) {
    const std::int32_t v = order[k];
    const bool is_row = v < n_;
    const bool fits = is_row ? excess[v] >= 0 : excess[v] < 0;
    if (to_parent[v] != artificial && fits) {
      hang(v, parent[v], to_parent[v], is_row, std::abs(excess[v]));
      excess[parent[v]] += excess[v];
    } else {
      hang(v, root_, artificial, excess[v] >= 0, std::abs(excess[v]));
    }
  }
  recompute_potentials();
}

// ---- pivots --------------------------------------------------------------------------------------

std::int32_t NetworkSimplex::find_entering(double tolerance) {
  const std::size_t count = arcs_.size();
  const auto block = static_cast<std::size_t>(
      std::max(50.0, 2.0 * std::sqrt(static_cast<double>(count))));
  double least = -tolerance;
  std::int32_t best = none;
  std::size_t e = next_arc_;
  std::size_t left = count;
  while (left > 0) {
    const std::size_t piece = std::min({block, left, count - e});
    for (const std::size_t end = e + piece; e < end; ++e) {
      const Arc& arc = arcs_[e];
      const double reduced = arc.cost + potential_[arc.row] - potential_[arc.column];
      if (reduced < least) {
        least = reduced;
        best = static_cast<std::int32_t>(e);
      }
    }
    left -= piece;
    if (e == count) e = 0;
    if (best != none) break;
  }
  next_arc_ = e;
  return best;
}

std::int32_t NetworkSimplex::blocking(std::int32_t node, std::int32_t join, bool blocked_up,
                                      bool last_wins, std::int64_t& step) const {
  std::int32_t found = none;
  for (std::int32_t v = node; v != join; v = nodes_[v].parent) {
    const Node& w = nodes_[v];
    if (w.up != blocked_up || w.flow > step || (w.flow == step && !last_wins)) continue;
    step = w.flow;
    found = v;
  }
  return found;
}

/// Turns the path from `inner` up to `leaving` over and hangs it from `outer` by the entering arc.
void NetworkSimplex::rehang(std::int32_t leaving, std::int32_t inner, std::int32_t outer,
                            std::int32_t arc, std::int64_t flow) {
  bool up = inner < n_ && arcs_[arc].row == inner;
  std::int32_t v = inner;
  std::int32_t parent = outer;
  for (;;) {
    const Node old = nodes_[v];
    unhang(v);
    hang(v, parent, arc, up, flow);
    if (v == leaving) return;
    arc = old.arc;
    up = !old.up;
    flow = old.flow;
    parent = v;
    v = old.parent;
  }
}

void NetworkSimplex::pivot(std::int32_t entering) {
  const Arc& arc = arcs_[entering];
  const std::int32_t i = arc.row;
  const std::int32_t j = arc.column;
  const double reduced = arc.cost + potential_[i] - potential_[j];
  std::int32_t p = i;
  std::int32_t q = j;
  while (p != q) {
    if (nodes_[p].depth >= nodes_[q].depth)
      p = nodes_[p].parent;
    else
      q = nodes_[q].parent;
  }
  const std::int32_t join = p;
  // Along the cycle from the join down to i, over the arc, from j up to the join: the last arc that
  // blocks leaves, which keeps the tree strongly feasible.
  std::int64_t step = std::numeric_limits<std::int64_t>::max();
  const std::int32_t on_row_side = blocking(i, join, true, false, step);
  const std::int32_t on_column_side = blocking(j, join, false, true, step);
  const std::int32_t leaving = on_column_side != none ? on_column_side : on_row_side;
  if (step > 0) {
    for (std::int32_t v = i; v != join; v = nodes_[v].parent)
      nodes_[v].flow += nodes_[v].up ? -step : step;
    for (std::int32_t v = j; v != join; v = nodes_[v].parent)
      nodes_[v].flow += nodes_[v].up ? step : -step;
  } else {
    ++num_degenerate_;
  }
  ++num_pivots_;
  if (on_column_side != none) {
    rehang(leaving, j, i, entering, step);
    shift_subtree(j, reduced);
  } else {
    rehang(leaving, i, j, entering, step);
    shift_subtree(i, -reduced);
  }
}

NetworkSimplex::Outcome NetworkSimplex::run(double tolerance, std::int64_t max_pivots) {
  for (std::int64_t k = 0; k < max_pivots; ++k) {
    const std::int32_t entering = find_entering(tolerance);
    if (entering == none) return Outcome::optimal;
    pivot(entering);
  }
  return Outcome::pivot_limit;
}

// ---- what was found ------------------------------------------------------------------------------

std::vector<double> NetworkSimplex::row_potentials() const {
  std::vector<double> u(static_cast<std::size_t>(n_));
  std::transform(potential_.begin(), potential_.begin() + n_, u.begin(), [](double p) { return -p; });
  return u;
}

std::vector<double> NetworkSimplex::column_potentials() const {
  return {potential_.begin() + n_, potential_.begin() + root_};
}

std::vector<PlanEntry> NetworkSimplex::flows() const {
  std::vector<PlanEntry> flows;
  for (std::int32_t v = 0; v < root_; ++v) {
    const Node& node = nodes_[v];
    if (node.arc == artificial || node.flow == 0) continue;
    const Arc& arc = arcs_[node.arc];
    flows.push_back({arc.row, arc.column - n_, static_cast<double>(node.flow) * masses_.unit});
  }
  std::sort(flows.begin(), flows.end(), [](const PlanEntry& p, const PlanEntry& q) {
    return p.row != q.row ? p.row < q.row : p.column < q.column;
  });
  return flows;
}

double NetworkSimplex::memory_bytes() const {
  return static_cast<double>(arcs_.capacity() * sizeof(Arc) + nodes_.size() * sizeof(Node) +
                             potential_.size() * sizeof(double) +
                             (masses_.rows.size() + masses_.columns.size()) * sizeof(std::int64_t));
}

double NetworkSimplex::artificial_mass() const {
  std::int64_t total = 0;
  for (std::int32_t v = nodes_[root_].first_child; v != none; v = nodes_[v].next)
    if (!nodes_[v].up) total += nodes_[v].flow;
  return static_cast<double>(total) * masses_.unit;
}

}  // namespace sparse_transport
