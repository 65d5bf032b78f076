#pragma once

#include <libsolve/core/vector.hpp>
#include <vector>

namespace libsolve {

/// T y = x for a sparse matrix T that is triangular in some order of its rows: what incomplete
/// factorisations and SSOR are made of.
///
/// Rows are grouped in levels: a row's level is one more than the highest level among the rows it
/// depends on. The rows of a level are independent, so threads share them; levels follow each
/// other (Anderson, Saad, "Solving sparse triangular linear systems on parallel computers", Int. J.
/// High Speed Computing 1, 1989). Every row is summed in one order, so the result has the same bits
/// for any number of threads. It remains a nearly sequential operation: a grid of n^d cells has d n
/// levels, a tridiagonal matrix as many as rows, and then one core does the work.
class LIBSOLVE_EXPORT SparseTriangle {
 public:
  /// One row after another in an order in which each depends on rows before it only: row
  /// `order[k]` has the off-diagonal entries [row_pointers[k], row_pointers[k + 1]).
  struct Rows {
    std::vector<Index> order;
    std::vector<GlobalIndex> row_pointers;
    std::vector<Index> columns;
    std::vector<double> values;
    std::vector<double> inverse_diagonal;  ///< of row order[k]
  };

  SparseTriangle() = default;
  /// `parallel`: store the rows level by level (default: where there is more than one thread).
  explicit SparseTriangle(Rows rows);
  SparseTriangle(Rows rows, bool parallel);

  /// Factors that a relaxation parameter puts before parts of T x = y without changing T.
  struct Scaling {
    double right_hand_side = 1.0;
    double off_diagonal = 1.0;
  };
  /// y = T^-1 x; x and y may be the same. Views of num_rows() entries. With a scaling: y solves
  /// (D + off_diagonal (T - D)) y = right_hand_side x, D the diagonal of T.
  void solve(const VectorView& x, const VectorView& y, Scaling scaling) const;
  void solve(const VectorView& x, const VectorView& y) const { solve(x, y, Scaling{}); }

  Index num_rows() const { return static_cast<Index>(order_.extent(0)); }
  Index num_levels() const { return num_levels_; }
  double memory_bytes() const;

 private:
  /// Rows [begin, end) of the stored order: one level shared by threads, or several small ones done
  /// by one thread.
  struct Stage {
    Index begin;
    Index end;
    bool is_parallel;
  };
  std::vector<Stage> stages_;
  Index num_levels_ = 0;
  Kokkos::View<const Index*, MemSpace> order_;
  Kokkos::View<const GlobalIndex*, MemSpace> row_pointers_;
  Kokkos::View<const Index*, MemSpace> columns_;
  Kokkos::View<const double*, MemSpace> values_;
  Kokkos::View<const double*, MemSpace> inverse_diagonal_;
};

}  // namespace libsolve
