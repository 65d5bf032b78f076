#pragma once

#include <array>
#include <libsolve/core/component.hpp>
#include <libsolve/core/grid_partition.hpp>
#include <libsolve/core/linear_operator.hpp>
#include <memory>

namespace libsolve {

class CsrMatrix;

/// Symmetric 3-, 5- or 7-point operator of cell-centred finite volumes on a structured grid,
/// matrix-free:
///   (A u)_c = sum over faces f of cell c  T_f (u_c - u_neighbour)  +  e_c u_c.
/// T_f >= 0 couples the two cells of a face; e_c >= 0 gathers Dirichlet walls (at half a cell:
/// 2 T), Dirichlet solids and a shift. A is symmetric and positive semidefinite, and definite when
/// every connected component has some e_c > 0.
///
/// On several ranks each holds a box of the grid (GridPartition); neighbours beyond a cut come
/// through a Halo while the rank's own part is worked on.
class LIBSOLVE_EXPORT StencilOperator final : public LinearOperator {
 public:
  /// Constant coefficients: nothing is stored per cell.
  struct Constant {
    std::array<double, 3> coupling = {0.0, 0.0, 0.0};  ///< T per axis
    /// e added to the cells along each of the six sides, [axis][0 = low, 1 = high].
    std::array<std::array<double, 2>, 3> wall = {};
    double shift = 0.0;  ///< e added everywhere
  };
  /// Variable coefficients, one entry per cell (length grid.num_cells()).
  struct Variable {
    /// face[a](c): T of the face between c and its next neighbour along axis a; 0 at the end of the
    /// axis and at faces to solid cells. Axes with one cell may have an empty view.
    std::array<VectorView, 3> face;
    /// e_c; positive at solid cells, whose faces are all 0, so that they are identity-like rows.
    VectorView excess;
    /// 1 where the cell is solid, 0 elsewhere; empty where there is no solid cell.
    Kokkos::View<const unsigned char*, MemSpace> solid;
  };

  /// The whole grid on one rank.
  StencilOperator(Grid grid, Constant coefficients);
  StencilOperator(Grid grid, Variable coefficients);
  /// Cut into boxes; collective. `coefficients`: those of the whole grid.
  StencilOperator(const GridPartition& grid, Constant coefficients);
  /// Arrays of this rank's box. The last faces along an axis are those to the next rank's cells,
  /// and 0 where the grid ends. The operator takes the arrays over and moves these faces to a place
  /// of their own.
  StencilOperator(const GridPartition& grid, Variable coefficients);
  ~StencilOperator() override;

  /// The whole grid.
  const Grid& grid() const noexcept { return parts_.grid(); }
  const GridPartition& grid_partition() const noexcept { return parts_; }
  bool is_constant() const noexcept { return is_constant_; }
  const Constant& constant() const noexcept { return constant_; }
  /// Of this rank's box; faces across cuts are not in it (extended() has them).
  const Variable& variable() const noexcept { return variable_; }

  /// The same operator as a matrix in compressed rows, for methods that need entries.
  std::shared_ptr<CsrMatrix> assemble() const;
  /// The operator on this rank's box and `width` cells around it, as one on a grid and a rank of
  /// its own: its rows are those of A, but for the outermost cells beside cut faces, where these
  /// faces are left out. Collective.
  std::shared_ptr<StencilOperator> extended(Index width) const {
    return on_box(parts_.extended(width));
  }
  /// The same for any box of the grid, another one on each rank; null where it has no cells.
  std::shared_ptr<StencilOperator> on_box(const Box& box) const;

  const Partition& row_partition() const override { return parts_.partition(); }
  const Partition& column_partition() const override { return parts_.partition(); }
  void apply(const Vector& x, const Vector& y) const override;
  bool diagonal(const Vector& d) const override;
  bool is_symmetric() const override { return true; }
  std::string description() const override;
  double bytes_per_apply() const override;
  double memory_bytes() const override;
  double apply_dot(const Vector& x, const Vector& y) const override;
  double update_direction_and_apply(const Vector& z, double beta, const Vector& p,
                                    const Vector& q) const override;
  double residual(const Vector& b, const Vector& x, const Vector& r) const override;

  /// Couplings across the cuts around this rank's box, and the cells beyond.
  struct Interface;

 private:
  GridPartition parts_;
  bool is_constant_ = true;
  Constant constant_;
  Variable variable_;
  /// The rank's box as a grid, and its coefficients with what lies beyond a cut taken as 0: the
  /// same as those above on one rank.
  Grid local_grid_;
  Constant local_constant_;
  Variable local_variable_;
  std::unique_ptr<const Interface> interface_;  ///< null on one rank

  template <class Use>
  auto with_local_stencil(const Use& use) const;
  void begin_exchange(const Vector& x) const;
  /// y gets its neighbours' part; returns the change of x^T y on this rank, 0 without `x`.
  double finish_exchange(const double* x, const Vector& y) const;
  std::shared_ptr<CsrMatrix> assemble_with_ghosts() const;
  void check_constant() const;
  void check_lengths() const;
  void check_end_faces() const;
};

}  // namespace libsolve
