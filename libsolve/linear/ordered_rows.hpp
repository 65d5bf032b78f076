#pragma once

#include <libsolve/linear/assembled.hpp>
#include <libsolve/linear/sparse_triangle.hpp>
#include <vector>

/// What incomplete factorisations and SSOR share: the rows of a matrix in an order, changed in
/// place on the host, and the triangles made of them.
namespace libsolve {

/// A matrix with its rows and columns numbered by their place in an order: entry (k, c) is
/// a_(order[k], order[c]). Columns of a row are sorted, and every row has a diagonal entry (0 where
/// A has none).
struct OrderedRows {
  std::vector<Index> order;
  std::vector<GlobalIndex> begin;  ///< num_rows + 1
  std::vector<Index> column;
  std::vector<double> value;
  std::vector<GlobalIndex> diagonal;  ///< where the diagonal entry of row k stands

  Index num_rows() const { return static_cast<Index>(order.size()); }
};

enum class RowPart { lower, all };  ///< lower: columns up to the diagonal

/// `order`: every row once, see ordering.hpp.
LIBSOLVE_EXPORT OrderedRows make_ordered_rows(const HostCsr& A, std::vector<Index> order,
                                              RowPart part);

/// The triangle below (lower) or above the diagonal of M as a solver in the original numbering.
/// `diagonal_is_one`: the diagonal of M belongs to the other factor.
LIBSOLVE_EXPORT SparseTriangle lower_triangle(const OrderedRows& M, bool diagonal_is_one);
LIBSOLVE_EXPORT SparseTriangle upper_triangle(const OrderedRows& M);
/// The transpose of the lower triangle of M.
LIBSOLVE_EXPORT SparseTriangle transposed_lower_triangle(const OrderedRows& M);

/// M = lower upper, a preconditioner.
struct TriangularFactors {
  SparseTriangle lower;
  SparseTriangle upper;

  /// z = upper^-1 lower^-1 r; r and z may be the same.
  void solve(const VectorView& r, const VectorView& z) const {
    lower.solve(r, z);
    upper.solve(z, z);
  }
  double memory_bytes() const { return lower.memory_bytes() + upper.memory_bytes(); }
  double num_levels() const { return static_cast<double>(lower.num_levels()); }
};

}  // namespace libsolve
