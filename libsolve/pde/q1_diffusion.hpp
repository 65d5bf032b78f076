#pragma once

#include <libsolve/core/linear_operator.hpp>
#include <libsolve/pde/node_grid.hpp>

namespace libsolve {

namespace detail {
/// The element matrix of a = 1 between corners b and b' of a cell: pair[b xor b'], bit a for axis
/// a.
struct ElementMatrix {
  double pair[8] = {};
};
}  // namespace detail

/// -div(a grad y) with Q1 elements and one coefficient a >= 0 a cell, on the inner nodes (zero
/// boundary values), matrix-free:
///   (A y)_i = sum over the cells T around node i of  a_T sum_j K_T,ij y_j,
/// K_T the element matrix of a = 1. Linear in a, so that it has a derivative with respect to it.
/// Coefficients are vectors over the cells, those whose lower corner is a node of the rank, x
/// fastest. Outside a mask of the grid the diagonal entry
/// of a = 1. Keeps scratch: one call at a time.
class LIBSOLVE_EXPORT Q1Diffusion final : public LinearOperator {
 public:
  /// Copies `coefficient` (partition cell_partition(grid)). Collective.
  Q1Diffusion(const NodeGrid& grid, const Vector& coefficient);
  ~Q1Diffusion() override;

  static Partition cell_partition(const NodeGrid& grid);
  const NodeGrid& grid() const noexcept { return grid_; }
  /// Another coefficient for the same grid. Collective.
  void set_coefficient(const Vector& coefficient);
  /// g_T = w^T (dA / da_T) y = sum_ij w_i K_T,ij y_j: the derivative of w^T A(a) y. Collective.
  void coefficient_gradient(const Vector& y, const Vector& w, const Vector& g) const;

  const Partition& row_partition() const override { return grid_.partition(); }
  const Partition& column_partition() const override { return grid_.partition(); }
  void apply(const Vector& x, const Vector& y) const override;
  bool diagonal(const Vector& d) const override;
  bool is_symmetric() const override { return true; }
  std::string description() const override;
  double bytes_per_apply() const override;
  double memory_bytes() const override;

 private:
  /// P v: v itself without a mask, else in `room`.
  ConstVectorView inside(const Vector& v, VectorView& room) const;
  double outside() const;

  NodeGrid grid_;
  detail::ElementMatrix element_;
  VectorView coefficient_;  ///< padded, at the cell's lower corner
  VectorView scratch_, second_scratch_;
  mutable VectorView inside_, second_inside_;  ///< where the grid has a mask
};

}  // namespace libsolve
