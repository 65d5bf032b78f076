#pragma once

#include <libsolve/linear/stencil_operator.hpp>
#include <libsolve/pde/cell_layers.hpp>
#include <memory>

namespace libsolve {

namespace detail {
struct Conductivities;
template <int D, class Kind>
struct FaceSums;
}  // namespace detail

/// The conductivity between two cells with E = exp(-m), harmonic mean k = 2 / (E_i + E_j), and its
/// derivatives with respect to m_i and m_j. At a wall, half a cell away: 2 exp(m_i) = 2 / E_i.
struct FaceConductivity {
  double k, i, j, ii, ij;
  KOKKOS_INLINE_FUNCTION FaceConductivity(double Ei, double Ej) {
    k = 2.0 / (Ei + Ej);
    const double half = 0.5 * k * k;
    i = half * Ei;
    j = half * Ej;
    ii = half * Ei * (k * Ei - 1.0);
    ij = half * k * Ei * Ej;
  }
};

/// y -> A(m) y, cell-centred finite volumes for -div(e^m grad y) on the unit square or cube with N
/// cells along each side (the operator divided by the volume of a cell):
///   (A y)_i = 1/h^2 (sum over the neighbours j of cell i  k_ij (y_i - y_j)  +  walls 2 e^m_i y_i),
/// k_ij = 2 / (e^-m_i + e^-m_j). Walls are at y = 0, or insulated; then constants are in the kernel
/// of the sum, and A has the mean of y added to each row, which makes it regular: constants go to
/// themselves (as in TAO's example of an elliptic problem). Vectors of several functions, one after
/// the other, go through in one call; the coefficients, computed once for
/// each m, are read once for all of them. Over ranks
/// each has a box of cells (GridPartition), and every call but the first few is collective. Keeps
/// e^-m and the conductivities of faces, at most 5 doubles a cell, and scratch: one call at a time.
class LIBSOLVE_EXPORT LogDiffusion {
 public:
  enum class Walls { fixed, insulated };
  /// ShapeError for fewer than 2 cells, a dimension other than 2 and 3, or more ranks than there
  /// can be boxes. Collective.
  LogDiffusion(int dimension, Index cells, Walls walls,
               const Communicator& comm = Communicator::self());

  const Grid& grid() const noexcept { return parts_.grid(); }
  const GridPartition& grid_partition() const noexcept { return parts_; }
  /// How one function lies over the ranks, and `functions` of them, one after the other on each.
  const Partition& partition() const noexcept { return parts_.partition(); }
  Partition block_partition(int functions) const;
  Index num_cells() const noexcept { return num_cells_; }  ///< of this rank
  double spacing() const noexcept { return parts_.grid().spacing[0]; }
  Walls walls() const noexcept { return walls_; }
  const CellLayers& layers() const noexcept { return layers_; }
  const CellNeighbours& neighbours() const noexcept { return layers_.neighbours(); }

  /// The m of all that follows (copied).
  void set_parameter(const ConstVectorView& m);
  /// out = A(m) y.
  void apply(const ConstVectorView& y, const VectorView& out) const;
  /// out = (dA/dm v) y, for one direction v and several y.
  void apply_derivative(const ConstVectorView& v, const ConstVectorView& y,
                        const VectorView& out) const;
  /// g = sum over functions of d(p^T A(m) y)/dm.
  void gradient(const ConstVectorView& y, const ConstVectorView& p, const VectorView& g) const;
  /// out = sum over functions of d^2(p^T A(m) y)/dm^2 v.
  void second_derivative(const ConstVectorView& v, const ConstVectorView& y,
                         const ConstVectorView& p, const VectorView& out) const;
  /// A(m) without the mean, for preconditioners.
  std::shared_ptr<const StencilOperator> stencil() const;

 private:
  detail::Conductivities conductivities() const;
  const double* means(const ConstVectorView& y) const;
  template <class Kind>
  void flux(const char* label, const Kind& kind, const ConstVectorView& y, const double* shift,
            const VectorView& out) const;
  template <class Kind>
  void products(const char* label, const Kind& kind, const ConstVectorView& y,
                const ConstVectorView& p, const VectorView& out) const;
  template <int D, class Kind>
  detail::FaceSums<D, Kind> face_sums(const Kind& kind, const ConstVectorView& y) const;

  GridPartition parts_;
  CellLayers layers_;
  Index num_cells_;
  Walls walls_;
  double scale_;                                 ///< 1 / h^2
  VectorView decay_;                             ///< e^-m, padded
  VectorView face_[3], excess_;                  ///< log_diffusion_kernels.hpp's
  Index before_ = 0;                             ///< entries of face_ before place 0
  mutable VectorView means_;                     ///< of each function
  mutable VectorView room_v_, room_y_, room_p_;  ///< padded arrays over ranks
};

}  // namespace libsolve
