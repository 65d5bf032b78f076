#pragma once

#include <vector>

#include "symmetric_factors.hpp"

namespace sketch_newton {

/// Order and assembly tree of a sparse symmetric factorisation. Columns are counted in the order of
/// elimination; a node eliminates consecutive ones.
struct EliminationTree {
  struct Node {
    int first = 0, end = 0;     ///< columns
    std::vector<int> rows;      ///< of L below them, ascending
    std::vector<int> children;  ///< nodes, all before this one
    bool is_root = true;
  };
  std::vector<int> order;     ///< order[k]: the column of A that is eliminated as k-th
  std::vector<int> position;  ///< its inverse
  std::vector<Node> nodes;    ///< children before parents
};

/// Approximate minimum degree, then columns with (nearly) the same structure of L merged to nodes.
EliminationTree elimination_tree(const SymmetricEntries& A);

}  // namespace sketch_newton
