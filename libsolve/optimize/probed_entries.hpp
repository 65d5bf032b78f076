#pragma once

#include <functional>
#include <libsolve/optimize/program_functions.hpp>
#include <vector>

namespace libsolve {

/// The entries of a sparse matrix that can only be multiplied by. Where they are is found from products
/// with all unit vectors, once, what they are from a product for each group of columns that share no row
/// (Curtis, Powell, Reid, On the estimation of sparse Jacobian matrices, IMA J. Appl. Math. 13, 1974):
/// exact, and cheap where rows are short. One rank.
class LIBSOLVE_EXPORT ProbedEntries {
 public:
  /// out = A v.
  using Product = std::function<void(const ConstVectorView& v, const VectorView& out)>;
  /// Places where one of `products` (A at several points, in case an entry is zero at one of them) has
  /// entries or NaN. num_columns products each.
  ProbedEntries(Index num_rows, Index num_columns, const std::vector<Product>& products);

  /// All entries, by columns; or those with row >= column, of a symmetric matrix.
  SparsePattern pattern(bool lower_triangle) const;
  Index num_colours() const noexcept { return num_colours_; }
  /// Their values for the pattern of the same `lower_triangle`: num_colours() products.
  void values(const Product& product, bool lower_triangle, const VectorView& values) const;

 private:
  void colour_columns(const std::vector<std::vector<Index>>& columns_of_row);

  Index num_rows_, num_columns_, num_colours_ = 0;
  std::vector<std::vector<Index>> rows_of_column_;
  std::vector<Index> colour_;
};

}  // namespace libsolve
