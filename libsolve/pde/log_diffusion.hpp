#pragma once

#include <libsolve/linear/stencil_operator.hpp>
#include <memory>

namespace libsolve {

/// Where the cells of a uniform grid lie, for kernels: cell (i, j, k) has index i + n0 (j + n1 k).
struct CellNeighbours {
  Index n[3] = {1, 1, 1};
  /// The cells across the faces of one, and how many of its faces are walls.
  struct Around {
    Index cell[6];
    int count, walls;
  };
  KOKKOS_INLINE_FUNCTION Around operator()(Index i) const {
    Around a;
    a.count = a.walls = 0;
    Index rest = i, stride = 1;
    for (int axis = 0; axis < 3; ++axis) {
      if (n[axis] == 1) continue;
      const Index next = rest / n[axis], at = rest - next * n[axis];
      if (at > 0)
        a.cell[a.count++] = i - stride;
      else
        ++a.walls;
      if (at + 1 < n[axis])
        a.cell[a.count++] = i + stride;
      else
        ++a.walls;
      stride *= n[axis];
      rest = next;
    }
    return a;
  }
};

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
/// the other, go through in one call; the coefficients are read once for all of them. One rank.
class LIBSOLVE_EXPORT LogDiffusion {
 public:
  enum class Walls { fixed, insulated };
  /// ShapeError for fewer than 2 cells or a dimension other than 2 and 3.
  LogDiffusion(int dimension, Index cells, Walls walls);

  const Grid& grid() const noexcept { return grid_; }
  Index num_cells() const noexcept { return num_cells_; }
  double spacing() const noexcept { return grid_.spacing[0]; }
  Walls walls() const noexcept { return walls_; }
  const CellNeighbours& neighbours() const noexcept { return neighbours_; }

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
  int functions_in(const ConstVectorView& y) const;
  void add_mean(const ConstVectorView& y, const VectorView& out) const;

  Grid grid_;
  Index num_cells_;
  Walls walls_;
  CellNeighbours neighbours_;
  double scale_;     ///< 1 / h^2
  VectorView decay_; ///< e^-m
};

}  // namespace libsolve
