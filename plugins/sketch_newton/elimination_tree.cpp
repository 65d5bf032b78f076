#include "elimination_tree.hpp"

#include <Eigen/OrderingMethods>
#include <Eigen/SparseCore>
#include <algorithm>
#include <numeric>

namespace sketch_newton {

namespace {

/// Columns are merged while at most this part of a node's entries are zeros, twice as much in small
/// ones.
constexpr double most_zeros = 0.15;
constexpr int small_node = 8;

std::vector<int> minimum_degree(const SymmetricEntries& A) {
  const auto n = static_cast<Eigen::Index>(A.size());
  using Matrix = Eigen::SparseMatrix<double, Eigen::ColMajor, int>;
  std::vector<Eigen::Triplet<double, int>> entries;
  for (int j = 0; j < static_cast<int>(n); ++j)
    for (int p = A.first[static_cast<std::size_t>(j)]; p < A.first[static_cast<std::size_t>(j) + 1];
         ++p) {
      const int i = A.rows[static_cast<std::size_t>(p)];
      entries.emplace_back(i, j, 1.0);
      if (i != j) entries.emplace_back(j, i, 1.0);
    }
  Matrix S(n, n);
  S.setFromTriplets(entries.begin(), entries.end());
  Eigen::PermutationMatrix<Eigen::Dynamic, Eigen::Dynamic, int> P;
  Eigen::AMDOrdering<int>()(S, P);
  return {P.indices().data(), P.indices().data() + n};
}

using Adjacency = std::vector<std::vector<int>>;

/// For each column (in the order), the earlier columns it is coupled to.
Adjacency earlier_neighbours(const SymmetricEntries& A, const std::vector<int>& position) {
  Adjacency earlier(A.size());
  for (std::size_t j = 0; j < A.size(); ++j)
    for (int p = A.first[j]; p < A.first[j + 1]; ++p) {
      const int a = position[j];
      const int b = position[static_cast<std::size_t>(A.rows[static_cast<std::size_t>(p)])];
      if (a != b) earlier[static_cast<std::size_t>(std::max(a, b))].push_back(std::min(a, b));
    }
  return earlier;
}

/// Liu (1986): the first row below the diagonal of each column of L, -1 for roots.
std::vector<int> parents(const Adjacency& earlier) {
  std::vector<int> parent(earlier.size(), -1), ancestor(earlier.size(), -1);
  for (std::size_t k = 0; k < earlier.size(); ++k)
    for (int i : earlier[k])
      while (i != -1 && i != static_cast<int>(k)) {
        const int next = ancestor[static_cast<std::size_t>(i)];
        ancestor[static_cast<std::size_t>(i)] = static_cast<int>(k);
        if (next == -1) parent[static_cast<std::size_t>(i)] = static_cast<int>(k);
        i = next;
      }
  return parent;
}

std::vector<int> postorder(const std::vector<int>& parent) {
  const std::size_t n = parent.size();
  std::vector<std::vector<int>> children(n);
  std::vector<int> order, stack;
  for (std::size_t k = n; k-- > 0;) {
    if (parent[k] < 0)
      stack.push_back(static_cast<int>(k));
    else
      children[static_cast<std::size_t>(parent[k])].push_back(static_cast<int>(k));
  }
  std::vector<char> seen(n, 0);
  while (!stack.empty()) {
    const int k = stack.back();
    if (seen[static_cast<std::size_t>(k)]) {
      order.push_back(k);
      stack.pop_back();
      continue;
    }
    seen[static_cast<std::size_t>(k)] = 1;
    for (const int c : children[static_cast<std::size_t>(k)]) stack.push_back(c);
  }
  return order;
}

std::vector<int> inverse(const std::vector<int>& order) {
  std::vector<int> position(order.size());
  for (std::size_t k = 0; k < order.size(); ++k)
    position[static_cast<std::size_t>(order[k])] = static_cast<int>(k);
  return position;
}

}  // namespace

EliminationTree elimination_tree(const SymmetricEntries& A) {
  EliminationTree tree;
  tree.order = minimum_degree(A);
  tree.position = inverse(tree.order);
  {
    const std::vector<int> post = postorder(parents(earlier_neighbours(A, tree.position)));
    std::vector<int> order(tree.order.size());
    for (std::size_t k = 0; k < post.size(); ++k)
      order[k] = tree.order[static_cast<std::size_t>(post[k])];
    tree.order = order;
    tree.position = inverse(order);
  }
  const Adjacency earlier = earlier_neighbours(A, tree.position);
  const std::vector<int> parent = parents(earlier);
  const std::size_t n = parent.size();
  Adjacency later(n);
  for (std::size_t k = 0; k < n; ++k)
    for (const int i : earlier[k])
      later[static_cast<std::size_t>(i)].push_back(static_cast<int>(k));

  // Structures of the columns of L, children's joined; nodes as they close.
  std::vector<std::vector<int>> rows(n);
  std::vector<std::vector<int>> children(n);
  for (std::size_t k = 0; k < n; ++k)
    if (parent[k] >= 0)
      children[static_cast<std::size_t>(parent[k])].push_back(static_cast<int>(k));
  std::vector<double> zeros_of;     // stored by the nodes
  std::vector<int> node_of(n, -1);  // of the last column of a node
  for (std::size_t k = 0; k < n; ++k) {
    std::vector<int> merged = later[k];
    for (const int c : children[k])
      for (const int r : rows[static_cast<std::size_t>(c)])
        if (r > static_cast<int>(k)) merged.push_back(r);
    std::sort(merged.begin(), merged.end());
    merged.erase(std::unique(merged.begin(), merged.end()), merged.end());
    rows[k] = std::move(merged);
    const int column = static_cast<int>(k);
    // The node that ends just before, where it is a child: grown by this column if that costs
    // little.
    const int before = k > 0 && parent[k - 1] == column ? node_of[k - 1] : -1;
    if (before >= 0) {
      EliminationTree::Node& node = tree.nodes[static_cast<std::size_t>(before)];
      const double width = node.end - node.first;
      const double grown = static_cast<double>(rows[k].size()) + 1.0;
      const double zeros = zeros_of[static_cast<std::size_t>(before)] +
                           width * (grown - static_cast<double>(node.rows.size()));
      const double entries = (width + 1.0) * (0.5 * width + grown);
      if (zeros <= (width < small_node ? 2.0 : 1.0) * most_zeros * entries) {
        zeros_of[static_cast<std::size_t>(before)] = zeros;
        node.end = column + 1;
        node.rows = rows[k];
        for (const int c : children[k])
          if (node_of[static_cast<std::size_t>(c)] != before)
            node.children.push_back(node_of[static_cast<std::size_t>(c)]);
        node_of[k] = before;
        for (const int c : children[k]) std::vector<int>().swap(rows[static_cast<std::size_t>(c)]);
        continue;
      }
    }
    EliminationTree::Node node;
    node.first = column;
    node.end = column + 1;
    node.rows = rows[k];
    for (const int c : children[k]) node.children.push_back(node_of[static_cast<std::size_t>(c)]);
    node_of[k] = static_cast<int>(tree.nodes.size());
    tree.nodes.push_back(std::move(node));
    zeros_of.push_back(0.0);
    for (const int c : children[k]) std::vector<int>().swap(rows[static_cast<std::size_t>(c)]);
  }
  for (const EliminationTree::Node& node : tree.nodes)
    for (const int c : node.children) tree.nodes[static_cast<std::size_t>(c)].is_root = false;
  return tree;
}

}  // namespace sketch_newton
