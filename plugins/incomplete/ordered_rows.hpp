#pragma once

#include <libsolve/linear/assembled.hpp>
#include <libsolve/linear/sparse_triangle.hpp>
#include <string>
#include <vector>

namespace incomplete {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// A matrix with its rows and columns numbered by their place in an order: entry (k, c) is
/// a_(order[k], order[c]). Columns of a row are sorted, and every row has a diagonal entry (0 where
/// A has none). The factors are computed on these arrays in place.
struct OrderedRows {
  std::vector<Index> order;
  std::vector<GlobalIndex> begin;  ///< num_rows + 1
  std::vector<Index> column;
  std::vector<double> value;
  std::vector<GlobalIndex> diagonal;  ///< where the diagonal entry of row k stands

  Index num_rows() const { return static_cast<Index>(order.size()); }
};

enum class Part { lower, all };  ///< lower: columns up to the diagonal

/// `ordering`: "natural" or "rcm" (reverse Cuthill-McKee).
OrderedRows make_ordered_rows(const HostCsr& A, const std::string& ordering, Part part);

/// The triangle below (lower) or above the diagonal of M as a solver in the original numbering.
/// `diagonal_is_one`: the diagonal of M belongs to the other factor.
SparseTriangle lower_triangle(const OrderedRows& M, bool diagonal_is_one);
SparseTriangle upper_triangle(const OrderedRows& M);
/// The transpose of the lower triangle of M.
SparseTriangle transposed_lower_triangle(const OrderedRows& M);

}  // namespace incomplete
